"""An SMTP submission server for the demo and the tests: RFC 5321 with STARTTLS, AUTH, SIZE and PIPELINING."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from termmail.demo import server_sasl
from termmail.demo.embedded_server import EmbeddedServer, Options
from termmail.demo.wire import LineTooLongError, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from termmail.demo.faults import Manners

SIZE_LIMIT = 25_000_000
ADDRESS = re.compile(r"(?:FROM|TO):\s*<([^<>\s]*)>(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Received:
    """A message that the server accepted with 250.

    `raw` is as received (CRLF, unstuffed), `user` who logged in ("" for nobody), `parameters` those of MAIL in capitals.
    """

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    user: str
    tls: bool
    parameters: tuple[str, ...] = ()


class SmtpServer(EmbeddedServer):
    """Accepts mail on loopback after a login with one of `passwords` (user to password; empty: without login).

    `tls` offers STARTTLS; with `implicit` every connection starts with TLS (port 465). `cleartext=False` refuses logins
    outside TLS. Each message is passed to `received` and `deliver` before its 250. `log` has every line except the
    messages.
    """

    def __init__(
        self,
        passwords: Mapping[str, str],
        *,
        deliver: Callable[[Received], None] | None = None,
        size_limit: int = SIZE_LIMIT,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.passwords = passwords
        self.deliver = deliver
        self.size_limit = size_limit
        self.received: list[Received] = []

    async def _serve(self, wire: Wire, number: int) -> None:
        await _Session(self, wire, number).run()


class _Session:
    """One connection: greeting, EHLO, perhaps TLS and login, then one envelope after the other."""

    def __init__(self, server: SmtpServer, wire: Wire, number: int) -> None:
        self.server = server
        self.wire = wire
        self.number = number
        self.greeted = False
        self.user = ""
        self.over = False
        self._forget()

    def _forget(self) -> None:
        """Forget the envelope but not the login (RFC 5321 section 4.1.1.5)."""
        self.sender: str | None = None
        self.parameters: tuple[str, ...] = ()
        self.recipients: list[str] = []

    @property
    def manners(self) -> Manners:
        return self.server.manners

    async def run(self) -> None:
        try:
            if not await self.wire.heed("CONNECT", ("CONNECT",)):
                await self.wire.send(self.manners.greeting or b"220 demo.example.org ESMTP termmail demo\r\n")
            while not self.over and (line := await self.wire.line()) is not None:
                self.server.note(self.number, line.decode("utf-8", "replace"), tls=self.wire.tls)
                await self._obey(line)
        except LineTooLongError:
            await self.wire.send(b"500 5.5.6 line too long\r\n")

    async def _obey(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        address = ADDRESS.fullmatch(argument.strip())
        keys = (f"{verb} {address[1]}", verb) if address else (verb,)
        if await self.wire.heed(text, keys):
            return
        match verb:
            case "STARTTLS":
                answer = await self._start_tls()
            case "AUTH":
                answer = await self._auth(argument)
            case "DATA":
                answer = await self._data(keys)
                keys = (".",)
            case "MAIL" | "RCPT":
                answer = b"501 5.5.4 syntax\r\n"
                if address is not None:
                    answer = self._mail(address) if verb == "MAIL" else self._rcpt(address[1])
            case _:
                answer = self._simple(verb, argument)
        if answer is not None:
            await self.wire.answer(answer, keys)

    def _simple(self, verb: str, argument: str) -> bytes:
        match verb:
            case "EHLO" | "HELO" if not argument.strip():
                return b"501 5.5.4 say your name\r\n"
            case "EHLO" if "EHLO" in self.manners.without:
                return b"502 5.5.1 no EHLO\r\n"
            case "EHLO":
                self.greeted = True
                self._forget()
                return self._extensions()
            case "HELO":
                self.greeted = True
                self._forget()
                return b"250 demo.example.org\r\n"
            case "RSET":
                self._forget()
                return b"250 2.0.0 OK\r\n"
            case "NOOP":
                return b"250 2.0.0 OK\r\n"
            case "VRFY":
                return b"252 2.1.5 send and see\r\n"
            case "QUIT":
                self.over = True
                return b"221 2.0.0 bye\r\n"
        return b"500 5.5.2 unknown command\r\n"

    def _extensions(self) -> bytes:
        rows = ["demo.example.org", "PIPELINING", f"SIZE {self.server.size_limit}", "8BITMIME", "SMTPUTF8"]
        rows.append("ENHANCEDSTATUSCODES")
        if self.server.tls is not None and not self.wire.tls:
            rows.append("STARTTLS")
        if self.server.passwords and self._may_log_in():
            names = [name for name in ("PLAIN", "LOGIN") if name not in self.manners.without]
            rows.append(" ".join(["AUTH", *names]))
        rows = [row for row in rows if row.split()[0] not in self.manners.without]
        if self.manners.rows is not None:
            rows = [row.decode() for row in self.manners.rows("EHLO", [row.encode() for row in rows])]
        last = len(rows) - 1
        return b"".join(b"250%b%b\r\n" % (b" " if at == last else b"-", row.encode()) for at, row in enumerate(rows))

    def _may_log_in(self) -> bool:
        return self.server.cleartext or self.wire.tls

    async def _start_tls(self) -> bytes | None:
        """Execute STARTTLS and forget what was said before (RFC 3207)."""
        if self.server.tls is None or self.wire.tls or "STARTTLS" in self.manners.without:
            return b"502 5.5.1 no TLS here\r\n"
        await self.wire.send(b"220 2.0.0 begin TLS\r\n")
        await self.wire.start_tls(self.server.tls)
        self.greeted = False
        self._forget()
        return None

    async def _auth(self, argument: str) -> bytes:
        """Execute AUTH, with or without an initial response (RFC 4954)."""
        name, _, first = argument.partition(" ")
        name = name.upper()
        if not self.greeted or self.user:
            return b"503 5.5.1 not now\r\n"
        if not self._may_log_in():
            return b"538 5.7.11 use TLS before you log in\r\n"
        if name not in ("PLAIN", "LOGIN") or name in self.manners.without:
            return b"504 5.5.4 no such mechanism\r\n"
        exchange = server_sasl.MECHANISMS[name](self.server.passwords)
        try:
            challenge = next(exchange)
            response = server_sasl.decode(first.encode()) if first else await self._challenge(challenge)
            while response is not None:
                response = await self._challenge(exchange.send(response))
        except StopIteration as end:
            if self.manners.login is not None:
                return self.manners.login
            if end.value is None:
                return b"535 5.7.8 wrong user name or password\r\n"
            self.user = end.value
            return b"235 2.7.0 welcome\r\n"
        return b"501 5.7.0 given up\r\n"

    async def _challenge(self, challenge: bytes) -> bytes | None:
        await self.wire.send(b"334 " + base64.b64encode(challenge) + b"\r\n")
        line = await self.wire.line()
        if line is None:
            raise ConnectionAbortedError
        self.server.note(self.number, line.decode("utf-8", "replace"), tls=self.wire.tls)
        return server_sasl.decode(line)

    def _mail(self, address: re.Match[str]) -> bytes:
        parameters = tuple(address[2].upper().split())
        if not self.greeted or self.sender is not None:
            return b"503 5.5.1 not now\r\n"
        if self.server.passwords and not self.user:
            return b"530 5.7.0 log in first\r\n"
        sizes = [int(one[5:]) for one in parameters if re.fullmatch(r"SIZE=\d{1,20}", one)]
        if sizes and sizes[0] > self.server.size_limit:
            return b"552 5.3.4 the message is too large\r\n"
        for one in parameters:
            name = "8BITMIME" if one.startswith("BODY=") else one.partition("=")[0]
            if name not in ("SIZE", "8BITMIME", "SMTPUTF8") or name in self.manners.without:
                return b"555 5.5.4 unknown parameter\r\n"
        if not address[1].isascii() and "SMTPUTF8" not in parameters:
            return b"553 5.6.7 SMTPUTF8 is needed\r\n"
        self.sender = address[1]
        self.parameters = parameters
        return b"250 2.1.0 OK\r\n"

    def _rcpt(self, recipient: str) -> bytes:
        if self.sender is None:
            return b"503 5.5.1 MAIL first\r\n"
        if "@" not in recipient:
            return b"501 5.1.3 not an address\r\n"
        if not recipient.isascii() and "SMTPUTF8" not in self.parameters:
            return b"553 5.6.7 SMTPUTF8 is needed\r\n"
        self.recipients.append(recipient)
        return b"250 2.1.5 OK\r\n"

    async def _data(self, keys: tuple[str, ...]) -> bytes | None:
        """Execute DATA and receive the message; the key of the answer to its end is "."."""
        if not self.recipients or self.sender is None:
            return b"503 5.5.1 RCPT first\r\n"
        await self.wire.answer(b"354 go on, end with a dot\r\n", keys)
        raw = await self.wire.data(self.server.size_limit)
        if raw is None:
            raise ConnectionAbortedError
        message = Received(self.sender, tuple(self.recipients), raw, self.user, self.wire.tls, self.parameters)
        self._forget()
        if await self.wire.heed(".", (".",)):
            return None
        if len(raw) > self.server.size_limit:
            return b"552 5.3.4 the message is too large\r\n"
        self.server.received.append(message)
        if self.server.deliver is not None:
            self.server.deliver(message)
        self.server.note(self.number, ".", tls=self.wire.tls)
        return b"250 2.0.0 OK queued as %d\r\n" % len(self.server.received)
