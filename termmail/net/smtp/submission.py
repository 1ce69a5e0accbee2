"""Send a message over SMTP submission (RFC 5321, RFC 6409), and say what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from termmail.mail.sanitize import clean_bytes
from termmail.net.net_errors import Busy, LoginRefused, NetError, ProtocolError, Refused, TlsFailed
from termmail.net.stream import plaintext_behind_tls
from termmail.net.tls import explain
from termmail.net.trace import Trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    from aiosmtplib import SMTP, SMTPResponse

    from termmail.net.smtp.guard import Wire
    from termmail.net.stream import Server

T = TypeVar("T")

EHLO_NAME = "[127.0.0.1]"
"""The same for everyone: a host name would disclose where the mail was written."""
SLOWEST_BYTES_PER_SECOND = 16_384
VERDICT_FACTOR = 20
"""30 s become the 10 minutes that RFC 5321 section 4.5.3.2.6 allows for the answer after the final dot."""
LONGEST_ADDRESS = 512
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f<>\u2028\u2029\ud800-\udfff]")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\]|\\.)*"(?=@|\Z)')


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    sent: the server answered 250 and has it, at least for the `accepted` addresses. later: it does not have it; send it
    again later. refused: it does not want it. unsure: the connection failed between the final dot and the answer, so it
    may have it; only the user may send it again. `words` is one sentence for the user with the server's own words.
    `refused` maps each refused address to the server's words; those in `postponed` were refused only for now (4xx).
    `error` is the NetError behind "later", "refused" or "unsure", if the session and not a recipient caused it.
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
    """Send one message to all recipients in one session. The Outcome names those that the server refuses.

    `raw` is the message with CRLF line ends; it is re-encoded if it has 8-bit text and the server no 8BITMIME. `sender`
    may be "" (RFC 5321 section 4.5.5). Raises no NetError. A cancel drops the connection; after the final dot it is
    unknown whether the message arrived: `whole` is set just before that dot is sent.
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
    """Connect, start TLS, log in and quit. Raises NetError."""
    async with _open(server, trace) as session:
        session.wire.leave()


@contextlib.asynccontextmanager
async def _open(server: Server, trace: Trace | None) -> AsyncIterator[_Session]:
    """Open a session and log in; the connection is closed at the end in any case. Raises NetError."""
    from termmail.net.smtp import guard  # noqa: PLC0415  aiosmtplib takes 57 ms, which only sending needs

    trace = trace or Trace(limit=1)
    trace.secrets.hide_login(server.username, server.credential.secret)
    if server.security == "none" and not server.allow_cleartext:
        raise TlsFailed(
            f"{server.place} has security = none, which would send mail and password in the clear.",
            advice="Set security to tls or starttls, or allow_cleartext = true (--allow-cleartext with termmail account add) if you accept that.",
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
    """One SMTP session: aiosmtplib's client over a Wire, with its errors as NetErrors."""

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
        """Read the greeting and send EHLO."""
        reply = await self.say(self.wire.read_response(self.server.timeout_seconds))
        if reply.code != 220:
            raise self.refusal(reply, f"{self.server.host} accepts no connection")
        await self.ehlo()

    async def ehlo(self) -> None:
        """Send EHLO to learn the extensions of the server."""
        await self.say(self.client.ehlo(), f"{self.server.host} accepts no connection")

    async def ask_for_tls(self) -> None:
        """Send STARTTLS and read its 220 (RFC 3207). Raises NetError; nothing else is sent in the clear."""
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
            raise TlsFailed(f"{self.server.place} refused to start TLS. Nothing secret was sent.", server_says=says)

    async def login(self) -> None:
        """Log in by AUTH PLAIN, or LOGIN if PLAIN is not offered or not understood (RFC 4954). Raises NetError."""
        host = self.server.host
        offered = self.client.server_auth_methods
        usable = [method for method in ("plain", "login") if method in offered]
        if not usable:
            advice = 'Set username = "" under smtp if this server needs no login; else ask your provider.'
            raise LoginRefused(f"{host} offers no login method that termmail supports (PLAIN, LOGIN).", advice=advice)
        if _CONTROLS.search(self.server.username + self.server.credential.secret):
            raise LoginRefused("The user name or the password holds a control character, which no mail server takes.")
        for method in usable:
            verb = self.client.auth_plain if method == "plain" else self.client.auth_login
            code, says = await self.auth(verb(self.server.username, self.server.credential.secret))
            if code == 235:
                return
            if code in range(500, 505) and method != usable[-1]:
                continue  # the mechanism was not understood, the password not checked
            if code // 100 == 4:
                raise Busy(f"{host} cannot check the password now{_quoted(says)}.", server_says=says)
            if code // 100 == 5:
                raise LoginRefused(f"{host} refused the user name or the password{_quoted(says)}.", server_says=says)
            raise ProtocolError(f"{host} did not finish the login.", server_says=says)

    async def auth(self, attempt: Awaitable[SMTPResponse]) -> tuple[int, str]:
        """Return the code and the words of the final reply to one AUTH."""
        from aiosmtplib import SMTPAuthenticationError  # noqa: PLC0415

        try:
            reply = await self.say(attempt, pass_on=SMTPAuthenticationError)
        except SMTPAuthenticationError as error:
            return error.code, self.words(error.message)
        return reply.code, ""

    async def deliver(self, sender: str, recipients: tuple[str, ...], raw: bytes, whole: asyncio.Event) -> Outcome:
        """Send MAIL, RCPT for each recipient, DATA and the message. Raises NetError for failures before the final dot."""
        if "8bitmime" not in self.client.esmtp_extensions and not raw.isascii():
            raw = await asyncio.to_thread(_seven_bit, raw)
        options, utf8 = self.mail_options(sender, recipients, raw)
        reply = await self.command(b"MAIL", b"FROM:<" + _encoded(sender, utf8=utf8) + b">", *options)
        if reply.code // 100 != 2:
            raise self.refusal(reply, f"{self.server.host} does not accept mail from {sender or 'the empty sender'}")
        refused: dict[str, str] = {}
        postponed: list[str] = []
        for recipient in recipients:
            reply = await self.command(b"RCPT", b"TO:<" + _encoded(recipient, utf8=utf8) + b">")
            if reply.code // 100 == 2:
                continue
            if reply.code == 421 or reply.code // 100 == 3:
                raise self.refusal(reply, f"{self.server.host} ended the session")
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
        """Send DATA, the message and its final dot. Raises NetError before the dot; afterwards the Outcome tells."""
        host, seconds = self.server.host, self.server.timeout_seconds
        reply = await self.command(b"DATA")
        if reply.code != 354:
            raise self.refusal(reply, f"{host} does not accept the message")
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
            words = f"{host} did not answer after the whole message was sent: it may have arrived or not."
            return Outcome("unsure", words, error=self.trouble(error))
        says = self.text(reply)
        if reply.code // 100 == 2:
            self.wire.leave()
            return Outcome("sent", "Sent.", says)
        if reply.code // 100 == 3:
            return Outcome("unsure", f"{host} gave an unclear answer after the message.", says)
        raise self.refusal(reply, f"{host} does not accept the message")

    def mail_options(self, sender: str, recipients: Sequence[str], raw: bytes) -> tuple[list[bytes], bool]:
        """Return the parameters of MAIL for this message, and whether addresses are sent as UTF-8. Raises Refused."""
        host, offers = self.server.host, self.client.esmtp_extensions
        options = []
        if "size" in offers:
            limit = offers["size"].strip()
            if limit.isascii() and limit.isdigit() and 0 < int(limit[:20]) < len(raw):
                most = _megabytes(int(limit[:20]))
                raise Refused(
                    f"The message has {_megabytes(len(raw))}; {host} accepts at most {most}.",
                    advice="Send fewer or smaller attachments.",
                )
            options.append(b"SIZE=%d" % len(raw))
        utf8 = not all(_is_plain(address) for address in (sender, *recipients)) or _has_utf8_header(raw)
        if utf8 and "smtputf8" not in offers:
            raise Refused(
                f"An address has letters that {host} does not support (it does not offer SMTPUTF8).",
                advice="Use an address of ASCII letters.",
            )
        if not raw.isascii():
            options.append(b"BODY=8BITMIME")
        return [*options, b"SMTPUTF8"] if utf8 else options, utf8

    async def command(self, *words: bytes) -> SMTPResponse:
        """Send one command and return its reply, whatever its code. Raises NetError."""
        return await self.say(self.wire.execute_command(*words, timeout=self.server.timeout_seconds))

    async def say(self, turn: Awaitable[T], refusal: str = "", *, pass_on: type[Exception] | tuple[()] = ()) -> T:
        """Await one exchange. Errors of aiosmtplib and of the wire become a NetError, except those of `pass_on`."""
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
        """Return the error for a session that ended early."""
        place = self.server.place
        if self.wire.early is not None:
            return self.refusal(self.wire.early, f"{place} ended the session")
        if self.wire.broken:
            return ProtocolError(f"{place} {self.wire.broken}, so termmail closed the connection.")
        if isinstance(error, TimeoutError):
            return explain(TimeoutError(), self.server)
        if isinstance(error, ConnectionError):
            return explain(ConnectionResetError(), self.server)
        return ProtocolError(f"{place} answered with something that is not SMTP, so termmail closed the connection.")

    def refusal(self, reply: SMTPResponse, what: str) -> NetError:
        """Return the error for a negative reply: 4xx for now, 5xx for good, anything else breaks the protocol."""
        says = self.text(reply)
        words = f"{what}{_quoted(says)}."
        if reply.code // 100 == 4:
            return Busy(words, server_says=says)
        if reply.code // 100 == 5:
            return Refused(words, server_says=says)
        return ProtocolError(f"{self.server.place} gave an answer that is not valid here.", server_says=says)

    def text(self, reply: SMTPResponse) -> str:
        """Return the server's words, sanitized, cut, and without secrets."""
        return self.words(reply.message)

    def words(self, message: str) -> str:
        """Return a server's text, sanitized, cut, and without secrets."""
        return clean_bytes(self.trace.secrets.redact(message.encode("utf-8", "surrogateescape")))


def _unsendable(sender: str, recipients: Sequence[str]) -> str:
    """Return why these addresses cannot be sent in a command, or ""."""
    if not recipients:
        return "The message has no recipient."
    for address in ([sender] if sender else []) + list(recipients):
        bare = _QUOTED_LOCAL.sub("", address, count=1)
        if not address or _UNSAFE.search(address) or " " in bare or len(address) > LONGEST_ADDRESS:
            shown = clean_bytes(address.encode("utf-8", "replace"), 60)
            return f"The address “{shown}” has characters that an address cannot have."
    return ""


def _nobody(refused: dict[str, str], postponed: tuple[str, ...]) -> Outcome:
    """Return the Outcome if no recipient was accepted: later if one may be accepted later."""
    first = postponed[0] if postponed else next(iter(refused))
    others = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    says = refused[first]
    verb = "accepts no mail now for" if postponed else "refused"
    words = f"The server {verb} {first}{others}{_quoted(says)}."
    error = Busy(words, server_says=says) if postponed else Refused(words, server_says=says)
    return Outcome("later" if postponed else "refused", words, says, refused, (), postponed, error)


def _is_plain(address: str) -> bool:
    """Return whether an address needs no SMTPUTF8: its local part is ASCII, and its domain can be written in ASCII."""
    return address.rpartition("@")[0].isascii() and (address.isascii() or _ascii_domain(address) is not None)


def _ascii_domain(address: str) -> bytes | None:
    local, at, domain = address.rpartition("@")
    try:
        return local.encode("ascii") + at.encode() + domain.encode("idna")
    except UnicodeError:
        return None


def _encoded(address: str, *, utf8: bool) -> bytes:
    """Return an address as it is sent in MAIL or RCPT (RFC 5321, RFC 6531)."""
    if utf8 or address.isascii():
        return address.encode()
    return _ascii_domain(address) or address.encode()


def _seven_bit(raw: bytes) -> bytes:
    """Return the message for a server without 8BITMIME (RFC 6152 section 3). Raises Refused if that is impossible."""
    from termmail.mail.recipients import ComposeError  # noqa: PLC0415  hardly any server needs it
    from termmail.mail.sendmail import to_seven_bit  # noqa: PLC0415

    try:
        return to_seven_bit(raw)
    except ComposeError as error:
        raise Refused(str(error), advice=error.advice) from None


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
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(1, round(size / 1000))} KB"
