"""SMTP servers for the tests: the embedded one, told to answer as a test wants, and aiosmtpd."""

from __future__ import annotations

import asyncio
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP as Aiosmtpd
from aiosmtpd.smtp import AuthResult, LoginPassword

from termmail.credential import Password
from termmail.demo.faults import Manners
from termmail.demo.smtpd import SmtpServer
from termmail.net.smtp import submission
from termmail.net.stream import Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping

    from aiosmtpd.smtp import Envelope, Session

    from termmail.demo.scripted import ScriptedServer
    from termmail.net.smtp.submission import Outcome

USER, PASSWORD = "ada", "sécret word"
RAW = b"From: ada@example.org\r\nTo: bob@example.org\r\nSubject: hi\r\n\r\nHello\r\n.\r\n..two\r\n.end\r\n"
EXTENSIONS = ("SIZE 1000000", "8BITMIME", "AUTH PLAIN LOGIN")
EHLO = b"250-mail.example.org\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"


@asynccontextmanager
async def smtp(
    extensions: tuple[str, ...] = EXTENSIONS, *, passwords: Mapping[str, str] | None = None, **faults: Any
) -> AsyncIterator[SmtpServer]:
    """A server for USER that offers exactly `extensions`; `faults` are fields of Manners.

    The end of the block waits until all clients have hung up, so that `heard()` then has all that they said.
    """

    def offered(_verb: str, rows: list[bytes]) -> list[bytes]:
        return [rows[0], *(row.encode() for row in extensions)]

    known = {USER: PASSWORD} if passwords is None else passwords
    async with SmtpServer(known, manners=Manners(rows=offered, **faults)) as server:
        yield server
        async with asyncio.timeout(10):
            await server.until(lambda: server.open_sessions == 0)


def where(server: SmtpServer | ScriptedServer | int, *, password: str = PASSWORD, **keys: Any) -> Server:
    """Where a server, or a port, is for the client: in the clear unless told otherwise."""
    port = server if isinstance(server, int) else server.port
    options = {"username": USER, "allow_cleartext": True, "timeout_seconds": 5, **keys}
    security = options.pop("security", "none")
    return Server("smtp", "127.0.0.1", port, security, credential=Password(password), **options)


async def send(
    server: Server, *recipients: str, raw: bytes = RAW, sender: str = "ada@example.org", **keys: Any
) -> Outcome:
    return await submission.send(server, sender, recipients or ("bob@example.org",), raw, **keys)


class Postbox:
    """A handler for aiosmtpd that keeps what arrives, as (sender, recipients, bytes)."""

    def __init__(self) -> None:
        self.mail: list[tuple[str, list[str], bytes]] = []
        self.port = 0

    async def handle_DATA(self, _server: Aiosmtpd, _session: Session, envelope: Envelope) -> str:
        self.mail.append((envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content or b""))
        return "250 2.0.0 kept"


@asynccontextmanager
async def aiosmtpd(
    password: str, *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, **options: object
) -> AsyncIterator[Postbox]:
    """aiosmtpd on loopback, with a login that takes only `password` (any user)."""
    postbox = Postbox()

    def judge(_server: object, _session: object, _envelope: object, _mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data.password == password.encode())

    def protocol() -> Aiosmtpd:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it does not see that the socket itself is TLS
            return Aiosmtpd(
                postbox,
                hostname="mail.example.org",
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=judge,
                auth_require_tls=starttls is not None,
                loop=asyncio.get_running_loop(),
                **options,
            )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls)
    postbox.port = server.sockets[0].getsockname()[1]
    try:
        yield postbox
    finally:
        server.close()
