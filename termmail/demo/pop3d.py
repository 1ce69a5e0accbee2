"""A POP3 server for the demo and the tests: RFC 1939 with CAPA, PIPELINING, STLS, SASL and APOP, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Unpack

from termmail.demo import server_sasl
from termmail.demo.embedded_server import EmbeddedServer, Options
from termmail.demo.faults import GOOD, Manners
from termmail.demo.server_maildrop import Maildrop, Stored, stuffed
from termmail.demo.wire import LineTooLongError, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping


class Pop3Server(EmbeddedServer):
    """Serves the maildrops of `users` on loopback.

    `tls` offers STLS; with `implicit` every connection starts with TLS (port 995). `cleartext=False` refuses logins
    outside TLS. Nothing that was not committed by QUIT is deleted when it stops.
    """

    def __init__(self, users: Mapping[str, Maildrop], **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self.users = users

    async def _serve(self, wire: Wire, number: int) -> None:
        await _Session(self, wire, number).run()


class _Session:
    """One connection: greeting, login, transaction, update (RFC 1939 sections 4 to 6)."""

    def __init__(self, server: Pop3Server, wire: Wire, number: int) -> None:
        self.server = server
        self.wire = wire
        self.number = number
        self.user = ""
        self.maildrop: Maildrop | None = None
        self.messages: list[Stored] = []
        self.deleted: set[int] = set()
        self.over = False
        self.stamp = b"<%d.1718000000@demo.example.org>" % number

    @property
    def manners(self) -> Manners:
        return self.server.manners

    async def run(self) -> None:
        try:
            if not await self.wire.heed("CONNECT", ("CONNECT",)):
                greeting = b"+OK termmail demo maildrop " + self.stamp + b"\r\n"
                await self.wire.send(self.manners.greeting or greeting)
                if stamp := re.search(rb"<[^<>]*>", self.manners.greeting or b""):
                    self.stamp = stamp.group()
            while not self.over and (line := await self.wire.line()) is not None:
                self.server.note(self.number, line.decode("latin-1"), tls=self.wire.tls)
                await self._obey(line)
        except LineTooLongError:
            await self.wire.send(b"-ERR line too long\r\n")
        finally:
            if self.maildrop is not None:
                self.maildrop.locked = False

    async def _obey(self, line: bytes) -> None:
        text = line.decode("latin-1")
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        argument = argument.strip()
        keys = (f"{verb} {argument}", verb) if argument else (verb,)
        if self.manners is not GOOD and await self.wire.heed(text, keys):
            return
        if verb in self.manners.without:
            answer: bytes | None = b"-ERR unknown command\r\n"
        elif verb in ("AUTH", "STLS"):
            answer = await (self._auth(argument) if verb == "AUTH" else self._stls())
        elif self.maildrop is None:
            answer = self._greet(verb, argument)
        else:
            answer = self._transact(self.maildrop, verb, argument)
        if answer is not None:
            await self.wire.answer(answer, keys)

    def _greet(self, verb: str, argument: str) -> bytes:
        """Execute a command of the AUTHORIZATION state."""
        if verb == "CAPA":
            return self._capabilities()
        if verb == "QUIT":
            self.over = True
            return b"+OK bye\r\n"
        if verb not in ("USER", "PASS", "APOP"):
            return b"-ERR log in first\r\n"
        if not self._may_log_in():
            return b"-ERR [AUTH] use TLS before you log in\r\n"
        if verb == "USER":
            self.user = _utf8(argument)
            return b"+OK and the password\r\n"
        if verb == "PASS":
            drop = self.server.users.get(self.user)
            right = drop is not None and hmac.compare_digest(drop.password.encode(), argument.encode("latin-1"))
            return self._open(self.user if right else None)
        return self._apop(argument)

    def _apop(self, argument: str) -> bytes:
        """Execute APOP (RFC 1939 section 7)."""
        name, _, digest = argument.partition(" ")
        drop = self.server.users.get(_utf8(name))
        if drop is None:
            return self._open(None)
        right = hashlib.md5(self.stamp + drop.password.encode(), usedforsecurity=False).hexdigest()
        return self._open(_utf8(name) if hmac.compare_digest(right, digest.lower()) else None)

    def _may_log_in(self) -> bool:
        return self.server.cleartext or self.wire.tls

    def _open(self, user: str | None) -> bytes:
        """Open and lock the maildrop, or return why not (RFC 2449 section 8, RFC 3206)."""
        if self.manners.login is not None:
            return self.manners.login
        if user is None:
            return b"-ERR [AUTH] wrong user name or password\r\n"
        drop = self.server.users[user]
        if drop.locked:
            return b"-ERR [IN-USE] another session has this maildrop\r\n"
        drop.locked = True
        self.maildrop = drop
        self.messages = list(drop.messages)
        return b"+OK %d messages\r\n" % len(self.messages)

    async def _auth(self, argument: str) -> bytes | None:
        """Execute AUTH, with or without an initial response (RFC 5034)."""
        name, _, first = argument.partition(" ")
        start = server_sasl.MECHANISMS.get(name.upper())
        if self.maildrop is not None or not self._may_log_in():
            return b"-ERR [AUTH] not now\r\n"
        if start is None or name.upper() == "LOGIN" or name.upper() in self.manners.without:
            return b"-ERR no such mechanism\r\n"
        exchange = start({user: drop.password for user, drop in self.server.users.items()})
        try:
            challenge = next(exchange)
            response = server_sasl.decode(first.encode("latin-1")) if first else None
            if not first:
                response = await self._challenge(challenge)
            while True:
                if response is None:
                    return b"-ERR [AUTH] given up\r\n"
                response = await self._challenge(exchange.send(response))
        except StopIteration as end:
            return self._open(end.value)

    async def _challenge(self, challenge: bytes) -> bytes | None:
        await self.wire.send(b"+ " + base64.b64encode(challenge) + b"\r\n")
        line = await self.wire.line()
        if line is None:
            raise ConnectionAbortedError
        self.server.note(self.number, line.decode("latin-1"), tls=self.wire.tls)
        return server_sasl.decode(line)

    async def _stls(self) -> bytes | None:
        """Execute STLS and forget what was said before (RFC 2595 section 4)."""
        if self.server.tls is None or self.wire.tls or self.maildrop is not None:
            return b"-ERR no TLS here\r\n"
        await self.wire.send(b"+OK begin TLS\r\n")
        await self.wire.start_tls(self.server.tls)
        self.user = ""
        return None

    def _capabilities(self) -> bytes:
        """Return the answer to CAPA (RFC 2449)."""
        rows = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"]
        if self.maildrop is None:
            if self.server.tls is not None and not self.wire.tls:
                rows.append("STLS")
            if self._may_log_in():
                rows += ["USER", "SASL PLAIN SCRAM-SHA-256"]
        if "SCRAM-SHA-256" in self.manners.without:
            rows = [row.replace(" SCRAM-SHA-256", "") for row in rows]
        kept = [row for row in rows if row.split()[0] not in self.manners.without]
        return self._rows("CAPA", b"+OK\r\n", [row.encode() for row in kept])

    def _rows(self, verb: str, status: bytes, rows: list[bytes]) -> bytes:
        if self.manners.rows is not None:
            rows = list(self.manners.rows(verb, rows))
        return b"".join((status, *(row + b"\r\n" for row in rows), self.manners.terminator))

    def _transact(self, maildrop: Maildrop, verb: str, argument: str) -> bytes:
        """Execute a command of the TRANSACTION state."""
        match verb:
            case "TOP":
                return self._top(argument)
            case "RETR":
                return self._retrieve(argument)
            case "UIDL" | "LIST":
                return self._list(verb, argument)
            case "DELE":
                number = self._number(argument)
                if number is None:
                    return b"-ERR no such message\r\n"
                self.deleted.add(number)
                return b"+OK deleted\r\n"
            case "STAT":
                count, size = self._stat()
                if self.manners.stat is not None:
                    count, size = self.manners.stat(count, size)
                return b"+OK %d %d\r\n" % (count, size)
            case "RSET":
                self.deleted.clear()
                return b"+OK %d messages\r\n" % len(self.messages)
            case "NOOP":
                return b"+OK\r\n"
            case "CAPA":
                return self._capabilities()
            case "QUIT":
                maildrop.remove(*(self.messages[number - 1] for number in self.deleted))
                self.over = True
                return b"+OK bye\r\n"
        return b"-ERR unknown command\r\n"

    def _number(self, argument: str) -> int | None:
        """Return the number of a message in this session that is not deleted, else None."""
        if not argument.isascii() or not argument.isdigit():
            return None
        number = int(argument)
        if not 1 <= number <= len(self.messages) or number in self.deleted or self.messages[number - 1].gone:
            return None
        return number

    def _top(self, argument: str) -> bytes:
        which, _, lines = argument.partition(" ")
        number = self._number(which)
        if number is None or not lines.isdigit():
            return b"-ERR no such message\r\n"
        return b"+OK\r\n" + self._stuffing(self.messages[number - 1].top(int(lines))) + self.manners.terminator

    def _retrieve(self, argument: str) -> bytes:
        number = self._number(argument)
        if number is None:
            return b"-ERR no such message\r\n"
        raw = self.messages[number - 1].raw
        return b"".join((b"+OK %d octets\r\n" % len(raw), self._stuffing(stuffed(raw)), self.manners.terminator))

    def _stuffing(self, right: bytes) -> bytes:
        match self.manners.stuffing:
            case "none":
                return right.replace(b"\r\n..", b"\r\n.")
            case "twice":
                return stuffed(right)
        return right

    def _row(self, verb: str, number: int) -> bytes:
        """Return the row of LIST or UIDL for one message."""
        stored = self.messages[number - 1]
        if verb == "UIDL":
            said: int | bytes = self.manners.uidl(number, stored.uidl) if self.manners.uidl else stored.uidl
        else:
            said = self.manners.size(number, len(stored.raw)) if self.manners.size else len(stored.raw)
        return b"%d %b" % (number, said if isinstance(said, bytes) else b"%d" % said)

    def _list(self, verb: str, argument: str) -> bytes:
        if argument:
            number = self._number(argument)
            return b"-ERR no such message\r\n" if number is None else b"+OK " + self._row(verb, number) + b"\r\n"
        numbers = [number for number in range(1, len(self.messages) + 1) if number not in self.deleted]
        return self._rows(verb, b"+OK\r\n", [self._row(verb, number) for number in numbers])

    def _stat(self) -> tuple[int, int]:
        sizes = [len(one.raw) for number, one in enumerate(self.messages, 1) if number not in self.deleted]
        return len(sizes), sum(sizes)


def _utf8(argument: str) -> str:
    return argument.encode("latin-1").decode("utf-8", "replace")
