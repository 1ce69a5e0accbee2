"""What every room's tests may ask for: certificates, and the embedded servers with good or bad manners."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imapd import ImapServer
from termmail.demo.pop3d import Pop3Server
from termmail.demo.server_maildrop import Maildrop
from termmail.demo.smtpd import SmtpServer
from tests.lookup_servers import Domain, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

USER = "ada@example.org"
PASSWORD = "analytical"


@dataclass(frozen=True)
class Certificates:
    """A certificate authority of this test run: `server` for a server context, `ca_file` for who must trust it,
    `other_ca_file` of an authority that did not sign it."""

    server: ssl.SSLContext
    ca_file: str
    other_ca_file: str
    authority: trustme.CA


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("certificates")
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other.pem"))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    return Certificates(server, str(folder / "ca.pem"), str(folder / "other.pem"), authority)


@pytest.fixture
async def domain(certificates: Certificates) -> AsyncIterator[Domain]:
    """A domain that answers over DNS and HTTPS on loopback."""
    async with serving(Domain(certificates.authority, certificates.ca_file)) as served:
        yield served


@pytest.fixture
async def pop3_server() -> AsyncIterator[Callable[..., Awaitable[Pop3Server]]]:
    """`await pop3_server(messages)` starts one for USER with PASSWORD; keywords go to Pop3Server."""
    async with AsyncExitStack() as stack:

        async def start(messages: Any = (), **options: Any) -> Pop3Server:
            users = options.pop("users", None) or {USER: Maildrop(PASSWORD, messages)}
            return await stack.enter_async_context(Pop3Server(users, **options))

        yield start


@pytest.fixture
async def smtp_server() -> AsyncIterator[Callable[..., Awaitable[SmtpServer]]]:
    """`await smtp_server()` starts one for USER with PASSWORD; keywords go to SmtpServer."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> SmtpServer:
            return await stack.enter_async_context(SmtpServer(options.pop("passwords", {USER: PASSWORD}), **options))

        yield start


@pytest.fixture
async def imap_server() -> AsyncIterator[Callable[..., Awaitable[ImapServer]]]:
    """`await imap_server(mailbox)` starts one for USER; keywords go to ImapServer. Without a mailbox INBOX is empty."""
    async with AsyncExitStack() as stack:

        async def start(mailbox: ImapMailbox | None = None, **options: Any) -> ImapServer:
            users = options.pop("users", None) or {USER: mailbox or ImapMailbox(PASSWORD)}
            return await stack.enter_async_context(ImapServer(users, **options))

        yield start
