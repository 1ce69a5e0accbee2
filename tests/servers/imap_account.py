"""A mailbox on the IMAP server of the tests, and IMAPClient as the second client that looks into it and changes it."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imapclient

from termmail.credential import Password
from termmail.net.imap.imap_session import ImapSession
from termmail.net.stream import Server
from tests.servers import daemons

if TYPE_CHECKING:
    from termmail.net.trace import Trace
    from tests.servers.imap_daemon import ImapHost


def mail(number: int, size: int = 0) -> bytes:
    head = f"From: Ada <ada@example.org>\r\nSubject: Number {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n"
    return head.encode() + b"Dear Bob,\r\n.dot\r\n" + b"x" * size + b"\r\n"


@dataclass(frozen=True)
class ImapAccount:
    """A user of the server whose mailbox nobody else touches."""

    host: ImapHost
    name: str

    def server(self, security: str = "tls", password: str = daemons.PASSWORD, **options) -> Server:
        port = self.host.imaps if security == "tls" else self.host.imap
        settings = {"tls_ca_file": self.host.ca_file, "timeout_seconds": 30} | options
        return Server("imap", self.host.host, port, security, self.name, Password(password), **settings)

    @contextlib.asynccontextmanager
    async def session(self, trace: Trace | None = None, **options):
        session = await ImapSession.open(self.server(**options), trace)
        try:
            yield session
        finally:
            await session.logout()

    @contextlib.contextmanager
    def other(self):
        """The second client."""
        context = ssl.create_default_context(cafile=self.host.ca_file)
        with imapclient.IMAPClient(self.host.host, self.host.imaps, ssl_context=context) as client:
            client.login(self.name, daemons.PASSWORD)
            yield client

    def put(self, count: int, folder: str = "INBOX", first: int = 1) -> None:
        with self.other() as client:
            client.multiappend(folder, [mail(number) for number in range(first, first + count)])
