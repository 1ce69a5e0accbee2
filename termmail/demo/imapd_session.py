"""One connection of the embedded IMAP server: greeting, login, commands in their order, IDLE, and the faults."""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from termmail.demo import imapd_folders, imapd_messages, imapd_notify, server_sasl
from termmail.demo.faults import GOOD, Manners
from termmail.demo.imap_personalities import BEFORE_LOGIN
from termmail.demo.imapd_state import Reply, SessionState, check_count
from termmail.demo.imapd_syntax import Bad, CommandLine, No, Value, text, word
from termmail.demo.wire import LineTooLongError, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.demo.imapd import ImapServer

LITERAL_LIMIT = 64 << 20
"""Bytes of a literal, unless APPENDLIMIT says otherwise (RFC 7889)."""
SMALL_LITERAL = 4096
"""Bytes of a literal that LITERAL- takes unasked (RFC 7888 section 5)."""

_COMMAND = re.compile(rb"([!#-'*,-\[\]^-z|}~]+) ((?:UID )?[A-Za-z]+)(.*)", re.DOTALL | re.IGNORECASE)
_LITERAL = re.compile(rb"\{(\d{1,10})(\+?)\}\Z")


@dataclass(frozen=True, slots=True)
class Verb:
    """How a command is executed; `needs` is its extension, and `removals` says whether messages may leave meanwhile."""

    run: Callable[[SessionState, list[Value]], Reply]
    needs: str = "IMAP4rev1"
    removals: bool = True


def _noop(_: SessionState, arguments: list[Value]) -> Reply:
    check_count(arguments, 0)
    return Reply("done")


def _enable(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute ENABLE (RFC 5161)."""
    state.user_mailbox()
    asked = [word(one) for one in arguments]
    known = [name for name in asked if name in {"CONDSTORE", "QRESYNC"} and state.offers(name)]
    state.enabled.update(known)
    return Reply("enabled", [" ".join(["* ENABLED", *known]).encode() + b"\r\n"])


def _identify(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute ID (RFC 2971)."""
    check_count(arguments, 1)
    return Reply("done", [b'* ID ("name" "%b")\r\n' % state.kind.name.encode()])


def _compress(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute COMPRESS (RFC 4978); the connection compresses behind the answer."""
    state.user_mailbox()
    if [word(one) for one in arguments] != ["DEFLATE"]:
        raise Bad("only DEFLATE")
    if state.compressed:
        raise No("[COMPRESSIONACTIVE] it is compressed already")
    state.compressed = True
    return Reply("compressing")


_ALWAYS = {"NOOP": Verb(_noop), "ID": Verb(_identify, "ID")}
_VERBS = {
    "COMPRESS": Verb(_compress, "COMPRESS=DEFLATE"),
    "ENABLE": Verb(_enable, "ENABLE"),
    "SELECT": Verb(imapd_messages.select),
    "EXAMINE": Verb(imapd_messages.examine),
    "CREATE": Verb(imapd_folders.create),
    "DELETE": Verb(imapd_folders.delete),
    "RENAME": Verb(imapd_folders.rename),
    "SUBSCRIBE": Verb(imapd_folders.subscribe),
    "UNSUBSCRIBE": Verb(imapd_folders.unsubscribe),
    "LIST": Verb(imapd_folders.list_folders),
    "LSUB": Verb(imapd_folders.list_subscribed),
    "NOTIFY": Verb(imapd_notify.notify, "NOTIFY"),
    "NAMESPACE": Verb(imapd_folders.namespace, "NAMESPACE"),
    "STATUS": Verb(imapd_folders.status),
    "APPEND": Verb(imapd_messages.append),
    "CHECK": Verb(imapd_messages.check),
    "CLOSE": Verb(imapd_messages.close),
    "UNSELECT": Verb(imapd_messages.unselect, "UNSELECT"),
    "EXPUNGE": Verb(imapd_messages.expunge),
    "UID EXPUNGE": Verb(partial(imapd_messages.expunge, uid=True), "UIDPLUS"),
    "FETCH": Verb(imapd_messages.fetch, removals=False),
    "STORE": Verb(imapd_messages.store, removals=False),
    "SEARCH": Verb(imapd_messages.search_messages, removals=False),
    "COPY": Verb(imapd_messages.copy),
    "MOVE": Verb(imapd_messages.move, "MOVE"),
    "UID FETCH": Verb(partial(imapd_messages.fetch, uid=True)),
    "UID STORE": Verb(partial(imapd_messages.store, uid=True)),
    "UID SEARCH": Verb(partial(imapd_messages.search_messages, uid=True)),
    "UID COPY": Verb(partial(imapd_messages.copy, uid=True)),
    "UID MOVE": Verb(partial(imapd_messages.move, uid=True), "MOVE"),
}


class ImapServing:
    """One connection; `run` returns when it is over."""

    def __init__(self, server: ImapServer, wire: Wire, number: int) -> None:
        self.server = server
        self.wire = wire
        self.number = number
        self.changed = asyncio.Event()
        self.state = SessionState(lambda: server.personality, lambda: self.manners.without, self.changed.set)

    @property
    def manners(self) -> Manners:
        """The faults as they are now."""
        return self.server.manners

    async def run(self) -> None:
        """Greet, and execute commands until the client leaves or is sent away."""
        state = self.state
        try:
            if not await self.wire.heed("CONNECT", ("CONNECT",)):
                greeting = f"* OK {self._capability_code()}{state.kind.name} ready\r\n".encode()
                await self.wire.send(self.manners.greeting or greeting)
                state.over = (self.manners.greeting or b"").startswith(b"* BYE")
            while not state.over and (line := await self.wire.line()) is not None:
                await self._hear(line)
        except LineTooLongError:
            await self.wire.send(b"* BYE line too long\r\n")
        finally:
            state.close_view()
            state.stop_notifying()

    # -- read

    async def _hear(self, line: bytes) -> None:
        """Read a command whose first line is given, and execute it."""
        found = _COMMAND.fullmatch(line)
        if found is None:
            self.server.note(self.number, line.decode("latin-1"), tls=self.wire.tls)
            word_before = re.match(rb"[^ ]+ ", line)
            await self.wire.send((word_before[0] if word_before else b"* ") + b"BAD no command\r\n")
            return
        tag, verb, rest = found.groups()
        parts, refused = await self._parts(rest)
        if parts is None:
            return
        command = CommandLine(tag, verb.decode().upper(), parts)
        self.server.commands += 1
        self.server.note(self.number, command.text, tls=self.wire.tls)
        self.state.tag = tag
        if refused:
            await self.wire.send(tag + b" " + refused)
        else:
            await self._obey(command)
        self.server.wake()

    async def _parts(self, line: bytes) -> tuple[list[bytes] | None, bytes]:
        """Return text, literal, text, ..., text of a command, and the refusal of a literal that is too large.

        The parts are None if the connection ends. Without LITERAL+ or LITERAL- a `{n+}` is no literal.
        """
        parts: list[bytes] = []
        unasked = self.state.offers("LITERAL+", "LITERAL-")
        while (found := _LITERAL.search(line)) is not None and (unasked or not found[2]):
            size, plus = int(found[1]), bool(found[2])
            parts.append(line[: found.start()])
            refused = self._literal_refusal(size, plus=plus)
            if refused and not plus:
                return parts, refused
            if not plus:
                await self.wire.send(b"+ go on\r\n")
            literal = await self.wire.take(size)
            following = await self.wire.line()
            if following is None:
                return None, b""
            if refused:
                return parts, refused
            parts.append(literal)
            line = following
        return [*parts, line], b""

    def _literal_refusal(self, size: int, *, plus: bool) -> bytes:
        """Return why a literal is not taken, or b""."""
        if size > (self.state.limit("APPENDLIMIT") or LITERAL_LIMIT):
            return b"NO [TOOBIG] the message is too large\r\n"
        if plus and size > SMALL_LITERAL and not self.state.offers("LITERAL+"):
            return b"BAD a literal of that size must wait\r\n"
        return b""

    # -- execute

    async def _obey(self, command: CommandLine) -> None:
        keys = (command.text, command.verb, f"#{self.server.commands}")
        line = f"{command.tag.decode('latin-1')} {command.text}"
        if self.manners is not GOOD and await self.wire.heed(line, keys):
            return
        state = self.state
        removals = True
        try:
            if state.view is not None and state.view.lost:
                state.over = True
                await self.wire.send(b"* BYE the folder that was open is gone\r\n")
                return
            reply, removals = await self._execute(command)
            status = f"OK {reply.text}"
        except No as refusal:
            reply = Reply("")
            status = f"{'BAD' if isinstance(refusal, Bad) else 'NO'} {refusal.text}"
        await self._answer(command, reply, status, keys, removals=removals)

    async def _execute(self, command: CommandLine) -> tuple[Reply, bool]:
        """Execute a command; return the reply and whether messages may leave. Raises No or Bad."""
        arguments = command.arguments()
        match command.verb:
            case "CAPABILITY":
                check_count(arguments, 0)
                names = " ".join(self._capabilities()).encode()
                return Reply("done", [b"* CAPABILITY %b\r\n" % names]), True
            case "LOGOUT":
                self.state.over = True
                return Reply("bye", [b"* BYE bye\r\n"]), True
            case "STARTTLS":
                return await self._start_tls(command), True
            case "LOGIN":
                return self._log_in_by_password(arguments), True
            case "AUTHENTICATE":
                return await self._authenticate(arguments), True
            case "IDLE":
                return await self._idle(arguments), True
        verb = _ALWAYS.get(command.verb) or (_VERBS.get(command.verb) if self.state.mailbox else None)
        if verb is None or not self.state.offers(verb.needs):
            raise Bad("unknown command" if self.state.mailbox else "log in first")
        return verb.run(self.state, arguments), verb.removals

    async def _answer(
        self, command: CommandLine, reply: Reply, status: str, keys: tuple[str, ...], *, removals: bool
    ) -> None:
        """Send the untagged responses, the news of the open folder and the tagged response; faults cut it short."""
        wire, manners, state = self.wire, self.manners, self.state
        if not manners.lose_answer_to.isdisjoint(keys):
            await wire.answer(b"", keys)
        rows = reply.rows if manners.rows is None else manners.rows(command.verb, list(reply.rows))
        for row in rows:
            await wire.send(row)
        if state.view is not None and not state.view.lost:
            await wire.send(b"".join(state.news(removals=removals)))
        if not manners.lose_end_of.isdisjoint(keys):
            await wire.flush()
            await wire.hang_up()
        if command.verb != "STARTTLS" or status[:2] != "OK":
            await wire.answer(b"%b %b\r\n" % (command.tag, status.encode()), keys)
        if command.verb == "COMPRESS" and status[:2] == "OK":
            await wire.compress()

    async def _idle(self, arguments: list[Value]) -> Reply:
        """Execute IDLE (RFC 2177): tell news until the client says DONE, or BYE if the open folder is gone."""
        self.state.user_mailbox()
        self.state.need("IDLE")
        check_count(arguments, 0)
        await self.wire.send(b"+ idling\r\n")
        await self.wire.flush()
        reading = asyncio.ensure_future(self.wire.line())
        try:
            while not reading.done():
                self.changed.clear()
                await self._tell_while_idling()
                waking = asyncio.ensure_future(self.changed.wait())
                await asyncio.wait({reading, waking}, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
            line = reading.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if line is None:
            raise ConnectionAbortedError
        self.server.note(self.number, line.decode("latin-1"), tls=self.wire.tls)
        if line.upper() != b"DONE":
            raise Bad("DONE was expected")
        return Reply("idled")

    async def _tell_while_idling(self) -> None:
        view = self.state.view
        if view is None or not self.state.kind.idle_pushes:
            return
        if view.lost:
            await self.wire.send(b"* BYE the folder that was open is gone\r\n")
            await self.wire.flush()
            await self.wire.hang_up()
        await self.wire.send(b"".join(self.state.news()))
        await self.wire.flush()

    # -- capabilities and login

    def _may_log_in(self) -> bool:
        return self.server.cleartext or self.wire.tls

    def _capabilities(self) -> list[str]:
        """Return what is offered now."""
        offered = self.state.offered
        if self.state.mailbox is not None:
            return [name for name in offered if not name.startswith("AUTH=")]
        names = [name for name in offered if name in BEFORE_LOGIN]
        if self.server.tls is not None and not self.wire.tls and "STARTTLS" not in self.manners.without:
            names.append("STARTTLS")
        if not self._may_log_in():
            return [*names, "LOGINDISABLED"]
        return [*names, *(name for name in offered if name.startswith("AUTH="))]

    def _capability_code(self) -> str:
        names = " ".join(self._capabilities())
        return f"[CAPABILITY {names}] " if self.state.kind.tells_capabilities else ""

    async def _start_tls(self, command: CommandLine) -> Reply:
        """Execute STARTTLS (RFC 3501 section 6.2.1); its answer is sent here, before TLS begins."""
        if self.server.tls is None or self.wire.tls or self.state.mailbox is not None:
            raise Bad("no TLS here")
        await self.wire.send(command.tag + b" OK begin TLS\r\n")
        await self.wire.start_tls(self.server.tls)
        return Reply("")

    def _log_in_by_password(self, arguments: list[Value]) -> Reply:
        """Execute LOGIN."""
        check_count(arguments, 2)
        name, password = map(text, arguments)
        user = name.decode("utf-8", "replace")
        known = self.server.users.get(user)
        right = known is not None and hmac.compare_digest(known.password.encode(), password)
        return self._log_in(user if right else None)

    def _log_in(self, user: str | None) -> Reply:
        """Open the mailbox of a user whose login is right; None is a login that is wrong. Raises No or Bad."""
        if self.state.mailbox is not None:
            raise Bad("someone is logged in already")
        if not self._may_log_in():
            raise No("[PRIVACYREQUIRED] use TLS before you log in")
        if self.manners.login is not None:
            condition, _, words = self.manners.login.decode().strip().partition(" ")
            raise Bad(words) if condition == "BAD" else No(words)
        if user is None:
            raise No("[AUTHENTICATIONFAILED] wrong user name or password")
        self.state.mailbox = self.server.users[user]
        return Reply(f"{self._capability_code()}logged in")

    async def _authenticate(self, arguments: list[Value]) -> Reply:
        """Execute AUTHENTICATE, with or without an initial response (RFC 3501 section 6.2.2, RFC 4959)."""
        check_count(arguments, 1, 2)
        name = word(arguments[0])
        start = server_sasl.MECHANISMS.get(name)
        if start is None or not self.state.offers(f"AUTH={name}") or not self._may_log_in():
            raise No("[CANNOT] no such mechanism")
        exchange = start({user: mailbox.password for user, mailbox in self.server.users.items()})
        try:
            challenge = next(exchange)
            if len(arguments) == 2:
                self.state.need("SASL-IR")
                response = server_sasl.decode(text(arguments[1]))
            else:
                response = await self._challenge(challenge)
            while response is not None:
                response = await self._challenge(exchange.send(response))
        except StopIteration as end:
            return self._log_in(end.value)
        raise Bad("given up")

    async def _challenge(self, challenge: bytes) -> bytes | None:
        await self.wire.send(b"+ " + base64.b64encode(challenge) + b"\r\n")
        line = await self.wire.line()
        if line is None:
            raise ConnectionAbortedError
        self.server.note(self.number, line.decode("latin-1"), tls=self.wire.tls)
        return server_sasl.decode(line)
