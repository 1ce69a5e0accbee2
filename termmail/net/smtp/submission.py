"""Sending over SMTP submission (RFC 5321, 6409): whatever happens becomes sent, later, refused or unsure."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from termmail.mail.sanitize import clean_bytes
from termmail.net.net_errors import Busy, LoginRefused, NetError, ProtocolError, Refused, TlsFailed
from termmail.net.smtp.seven_bit import to_seven_bit
from termmail.net.stream import explain, plaintext_behind_tls
from termmail.net.trace import Trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    from aiosmtplib import SMTP, SMTPResponse

    from termmail.net.smtp.guard import Wire
    from termmail.net.stream import Server

T = TypeVar("T")

EHLO_NAME = "[127.0.0.1]"  # the same for everyone: a host name would tell the world where the mail was written
SLOWEST_BYTES_PER_SECOND = 16_384
VERDICT_FACTOR = 20  # 30 s become the 10 minutes that RFC 5321 section 4.5.3.2.6 gives the answer after the final dot
LONGEST_ADDRESS = 512
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f<>\u2028\u2029\ud800-\udfff]")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\]|\\.)*"(?=@|\Z)')


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    sent: the server answered 250 and has it, at least for the `accepted` addresses. later: it does not have it, trying
    again is right. refused: it does not want it. unsure: the line died between the final dot and the answer, so it may
    have it; only the user may send again. `words` is one sentence for the reader, with the server's own words in it.
    `refused` says why, by address; those of them in `postponed` were refused only for now (4xx).
    `error` is what was behind a "later" or "refused" that came from the session and not from the message.
    """

    state: Literal["sent", "later", "refused", "unsure"]
    words: str
    server_says: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    accepted: tuple[str, ...] = ()
    postponed: tuple[str, ...] = ()
    error: NetError | None = None


async def send(
    server: Server,
    sender: str,
    recipients: Sequence[str],
    raw: bytes,
    *,
    trace: Trace | None = None,
    whole: asyncio.Event | None = None,
) -> Outcome:
    """Send one message to all recipients in one session; those the server refuses are named in the Outcome.

    `raw` is the message with CRLF line ends; `sender` may be "" (RFC 5321 section 4.5.5). Raises no NetError.
    A cancel drops the connection; where it comes after the final dot, nobody knows whether the message arrived:
    `whole` is set just before that dot leaves.
    """
    unique = tuple(dict.fromkeys(recipients))
    words = _unsendable(sender, unique)
    if words:
        return Outcome("refused", words)
    try:
        async with _open(server, trace) as session:
            return await session.deliver(sender, unique, raw, whole or asyncio.Event())
    except Refused as error:
        return Outcome("refused", str(error), error.server_says, error=error)
    except NetError as error:
        return Outcome("later", str(error), error.server_says, error=error)


async def check(server: Server, trace: Trace | None = None) -> None:
    """Connect, begin TLS, log in and leave. Raises NetError."""
    async with _open(server, trace) as session:
        session.wire.leave()


@contextlib.asynccontextmanager
async def _open(server: Server, trace: Trace | None) -> AsyncIterator[_Session]:
    """A session that is logged in; the connection is dropped at the end, however that comes. Raises NetError."""
    from termmail.net.smtp import guard  # noqa: PLC0415  aiosmtplib takes 57 ms, which only sending needs

    trace = trace or Trace(limit=1)
    trace.secrets.hide_login(server.username, server.password)
    if server.security == "none" and not server.allow_cleartext:
        raise TlsFailed(
            f"{server.place} is set to security none, which sends mail and password in the clear.",
            advice="Choose tls or starttls, or write allow_cleartext = true if you really mean it.",
        )
    session = _Session(server, await guard.connect(server, trace), trace)
    try:
        await session.greet()
        if server.security == "starttls":
            await session.ask_for_tls()
            session = _Session(server, await guard.start_tls(session.wire, server), trace)
            await session.ehlo()
        if server.username:
            await session.login()
        yield session
    finally:
        session.wire.drop()


class _Session:
    """One conversation: aiosmtplib's client over our guarded wire, its errors made ours."""

    def __init__(self, server: Server, wire: Wire, trace: Trace) -> None:
        from aiosmtplib import SMTP  # noqa: PLC0415

        self.server = server
        self.wire = wire
        self.trace = trace
        self.client: SMTP = SMTP(
            hostname=server.host, local_hostname=EHLO_NAME, start_tls=False, timeout=server.timeout_seconds
        )
        self.client.protocol, self.client.transport = wire, wire.transport

    async def greet(self) -> None:
        """Read the greeting and say EHLO."""
        reply = await self.say(self.wire.read_response(self.server.timeout_seconds))
        if reply.code != 220:
            raise self.refusal(reply, f"{self.server.host} does not want to talk")
        await self.ehlo()

    async def ehlo(self) -> None:
        """Ask what the server can do."""
        await self.say(self.client.ehlo(), f"{self.server.host} does not want to talk")

    async def ask_for_tls(self) -> None:
        """Get the 220 to STARTTLS (RFC 3207), or raise: nothing else is said in the clear."""
        if not self.client.supports_extension("starttls"):
            raise TlsFailed(f"{self.server.place} does not offer STARTTLS. Nothing secret was sent.")
        try:
            reply = await self.command(b"STARTTLS")
        except NetError:
            if self.wire.broken:
                raise plaintext_behind_tls(self.server) from None
            raise
        if reply.code != 220:
            says = self.text(reply)
            raise TlsFailed(f"{self.server.place} would not begin TLS. Nothing secret was sent.", server_says=says)

    async def login(self) -> None:
        """AUTH PLAIN, or LOGIN where PLAIN is not offered or not understood (RFC 4954). One password, tried once."""
        host = self.server.host
        offered = self.client.server_auth_methods
        usable = [method for method in ("plain", "login") if method in offered]
        if not usable:
            advice = 'Write username = "" under smtp if this server wants no login; else ask your provider.'
            raise LoginRefused(f"{host} offers no way to log in that termmail knows (PLAIN, LOGIN).", advice=advice)
        if _CONTROLS.search(self.server.username + self.server.password):
            raise LoginRefused("The user name or the password holds a control character, which no mail server takes.")
        for method in usable:
            verb = self.client.auth_plain if method == "plain" else self.client.auth_login
            code, says = await self.auth(verb(self.server.username, self.server.password))
            if code == 235:
                return
            if code in range(500, 505) and method != usable[-1]:
                continue  # the mechanism was not understood; the password was not judged
            if code // 100 == 4:
                raise Busy(f"{host} cannot check the password now{_quoted(says)}.", server_says=says)
            if code // 100 == 5:
                raise LoginRefused(f"{host} refused the user name or the password{_quoted(says)}.", server_says=says)
            raise ProtocolError(f"{host} did not finish the login.", server_says=says)

    async def auth(self, attempt: Awaitable[SMTPResponse]) -> tuple[int, str]:
        """The code and the words that one AUTH ended in."""
        from aiosmtplib import SMTPAuthenticationError  # noqa: PLC0415

        try:
            reply = await self.say(attempt, pass_on=SMTPAuthenticationError)
        except SMTPAuthenticationError as error:
            return error.code, self.words(error.message)
        return reply.code, ""

    async def deliver(self, sender: str, recipients: tuple[str, ...], raw: bytes, whole: asyncio.Event) -> Outcome:
        """MAIL, RCPT for each, DATA, the message, and the server's verdict."""
        if "8bitmime" not in self.client.esmtp_extensions and not raw.isascii():
            raw = await asyncio.to_thread(to_seven_bit, raw)
        options, utf8 = self.mail_options(sender, recipients, raw)
        reply = await self.command(b"MAIL", b"FROM:<" + _encoded(sender, utf8=utf8) + b">", *options)
        if reply.code // 100 != 2:
            raise self.refusal(reply, f"{self.server.host} does not take mail from {sender or 'nobody'}")
        refused: dict[str, str] = {}
        postponed: list[str] = []
        for recipient in recipients:
            reply = await self.command(b"RCPT", b"TO:<" + _encoded(recipient, utf8=utf8) + b">")
            if reply.code // 100 == 2:
                continue
            if reply.code == 421 or reply.code // 100 == 3:
                raise self.refusal(reply, f"{self.server.host} broke off")
            refused[recipient] = self.text(reply)
            if reply.code // 100 == 4:
                postponed.append(recipient)
        accepted = tuple(address for address in recipients if address not in refused)
        if not accepted:
            self.wire.leave()
            return _nobody(refused, tuple(postponed))
        verdict = await self.transfer(raw, whole)
        if verdict.state != "sent":
            return verdict
        words = f"Sent, but not to {', '.join(map(_with_words, refused.items()))}." if refused else "Sent."
        return Outcome("sent", words, verdict.server_says, refused, accepted, tuple(postponed))

    async def transfer(self, raw: bytes, whole: asyncio.Event) -> Outcome:
        """DATA to the answer after the final dot. Only that answer, or its absence, is more than a NetError."""
        host, seconds = self.server.host, self.server.timeout_seconds
        reply = await self.command(b"DATA")
        if reply.code != 354:
            raise self.refusal(reply, f"{host} does not take the message")
        try:
            async with asyncio.timeout(seconds + len(raw) / SLOWEST_BYTES_PER_SECOND):
                await self.wire.write_body(raw)
        except OSError as error:  # a TimeoutError too
            raise self.trouble(error) from None
        whole.set()
        try:
            reply = await self.wire.execute_command(b".", timeout=seconds * VERDICT_FACTOR)
        except Exception as error:
            from aiosmtplib import SMTPException  # noqa: PLC0415

            if not isinstance(error, (SMTPException, OSError)):
                raise
            words = f"{host} did not answer after the whole message was sent, so it may or may not have arrived."
            return Outcome("unsure", words, error=self.trouble(error))
        says = self.text(reply)
        if reply.code // 100 == 2:
            self.wire.leave()
            return Outcome("sent", "Sent.", says)
        if reply.code // 100 == 3:
            return Outcome("unsure", f"{host} gave an answer after the message that says neither yes nor no.", says)
        raise self.refusal(reply, f"{host} does not take the message")

    def mail_options(self, sender: str, recipients: Sequence[str], raw: bytes) -> tuple[list[bytes], bool]:
        """The parameters of MAIL for this message, and whether addresses go as UTF-8. Raises Refused."""
        host, offers = self.server.host, self.client.esmtp_extensions
        options = []
        if "size" in offers:
            limit = offers["size"].strip()
            if limit.isascii() and limit.isdigit() and 0 < int(limit[:20]) < len(raw):
                most = _megabytes(int(limit[:20]))
                raise Refused(
                    f"The message has {_megabytes(len(raw))}; {host} takes at most {most}.",
                    advice="Send fewer or smaller attachments.",
                )
            options.append(b"SIZE=%d" % len(raw))
        utf8 = not all(_is_plain(address) for address in (sender, *recipients)) or _has_utf8_header(raw)
        if utf8 and "smtputf8" not in offers:
            raise Refused(
                f"An address has letters that {host} cannot carry (it does not offer SMTPUTF8).",
                advice="Use an address of plain letters.",
            )
        if not raw.isascii():
            options.append(b"BODY=8BITMIME")
        return [*options, b"SMTPUTF8"] if utf8 else options, utf8

    async def command(self, *words: bytes) -> SMTPResponse:
        """One command and its reply, whatever its code. Raises NetError."""
        return await self.say(self.wire.execute_command(*words, timeout=self.server.timeout_seconds))

    async def say(self, turn: Awaitable[T], refusal: str = "", *, pass_on: type[Exception] | tuple[()] = ()) -> T:
        """Await a turn of the conversation; what aiosmtplib or the wire has against it becomes a NetError."""
        from aiosmtplib import SMTPException, SMTPResponse, SMTPResponseException  # noqa: PLC0415

        try:
            answer = await turn
        except (SMTPException, OSError) as error:
            if self.wire.broken or not isinstance(error, SMTPResponseException) or error.code < 0:
                raise self.trouble(error) from None
            if pass_on and isinstance(error, pass_on):
                raise
            raise self.refusal(SMTPResponse(error.code, error.message), refusal) from None
        if self.wire.broken:
            raise self.trouble(None)
        return answer

    def trouble(self, error: Exception | None) -> NetError:
        """Why the conversation ended before its end."""
        place = self.server.place
        if self.wire.early is not None:
            return self.refusal(self.wire.early, f"{place} broke off")
        if self.wire.broken:
            return ProtocolError(f"{place} {self.wire.broken}, so termmail hung up.")
        if isinstance(error, TimeoutError):
            return explain(TimeoutError(), self.server)
        if isinstance(error, ConnectionError):
            return explain(ConnectionResetError(), self.server)
        return ProtocolError(f"{place} answered with something that is not SMTP, so termmail hung up.")

    def refusal(self, reply: SMTPResponse, what: str) -> NetError:
        """A reply that says no, as an error: 4xx not now, 5xx never, anything else makes no sense."""
        says = self.text(reply)
        words = f"{what}{_quoted(says)}."
        if reply.code // 100 == 4:
            return Busy(words, server_says=says)
        if reply.code // 100 == 5:
            return Refused(words, server_says=says)
        return ProtocolError(f"{self.server.place} gave an answer that makes no sense here.", server_says=says)

    def text(self, reply: SMTPResponse) -> str:
        """The server's words, cleaned and cut, without our password should it echo that."""
        return self.words(reply.message)

    def words(self, message: str) -> str:
        return clean_bytes(self.trace.secrets.redact(message.encode("utf-8", "surrogateescape")))


def _unsendable(sender: str, recipients: Sequence[str]) -> str:
    """Why these addresses must not go near a command line, or ""."""
    if not recipients:
        return "The message has no recipient."
    for address in ([sender] if sender else []) + list(recipients):
        bare = _QUOTED_LOCAL.sub("", address, count=1)
        if not address or _UNSAFE.search(address) or " " in bare or len(address) > LONGEST_ADDRESS:
            shown = clean_bytes(address.encode("utf-8", "replace"), 60)
            return f"The address “{shown}” holds something that an address cannot hold."
    return ""


def _nobody(refused: dict[str, str], postponed: tuple[str, ...]) -> Outcome:
    """No recipient was accepted: later where one may be accepted later."""
    first = postponed[0] if postponed else next(iter(refused))
    others = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    says = refused[first]
    verb = "will not take mail now for" if postponed else "refused"
    words = f"The server {verb} {first}{others}{_quoted(says)}."
    error = Busy(words, server_says=says) if postponed else Refused(words, server_says=says)
    return Outcome("later" if postponed else "refused", words, says, refused, (), postponed, error)


def _is_plain(address: str) -> bool:
    """Whether an address goes without SMTPUTF8: an ASCII local part; a domain can always be written in ASCII."""
    return address.rpartition("@")[0].isascii() and (address.isascii() or _ascii_domain(address) is not None)


def _ascii_domain(address: str) -> bytes | None:
    local, at, domain = address.rpartition("@")
    try:
        return local.encode("ascii") + at.encode() + domain.encode("idna")
    except UnicodeError:
        return None


def _encoded(address: str, *, utf8: bool) -> bytes:
    """An address for MAIL or RCPT (RFC 5321, RFC 6531)."""
    if utf8 or address.isascii():
        return address.encode()
    return _ascii_domain(address) or address.encode()


def _has_utf8_header(raw: bytes) -> bool:
    end = raw.find(b"\r\n\r\n")
    return not (raw if end < 0 else raw[:end]).isascii()


def _with_words(refusal: tuple[str, str]) -> str:
    """Return a refused address with the server's words."""
    address, says = refusal
    return f"{address} (“{says}”)" if says else address


def _quoted(says: str) -> str:
    return f": “{says}”" if says else ""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(1, round(size / 1000))} kB"
