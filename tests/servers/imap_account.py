"""A mailbox on the IMAP server of the tests, and IMAPClient as the second client that looks into it and changes it."""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
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

    def server(self, security: str = "", password: str = daemons.PASSWORD, **options) -> Server:
        security = security or self.security
        port = self.host.imaps if security == "tls" else self.host.imap
        settings = {"tls_ca_file": self.host.ca_file, "timeout_seconds": 30} | options
        if security == "none" == self.security:
            settings["allow_cleartext"] = True
        return Server("imap", self.host.host, port, security, self.name, Password(password), **settings)

    @property
    def security(self) -> str:
        return "tls" if self.host.imaps else "none"

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
        with self._connected() as client:
            client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # it writes a literal in pieces
            client.login(self.name, daemons.PASSWORD)
            yield client

    def _connected(self):
        if not self.host.imaps:
            return imapclient.IMAPClient(self.host.host, self.host.imap, ssl=False)
        context = ssl.create_default_context(cafile=self.host.ca_file)
        return imapclient.IMAPClient(self.host.host, self.host.imaps, ssl_context=context)

    def wire(self, name: str) -> str:
        """The server's name of a folder that is shown as `name`."""
        return name if name == "INBOX" else self.host.prefix + name.replace("/", self.host.delimiter)

    def put(self, count: int, folder: str = "INBOX", first: int = 1) -> None:
        with self.other() as client:
            for number in range(first, first + count):  # IMAPClient's MULTIAPPEND is not understood by Cyrus
                client.append(
                    self.wire(folder), mail(number), msg_time=datetime.fromtimestamp(1_700_000_000 + 60 * number, UTC)
                )


def move_there(client, uids, target):
    """Moves messages as a client does that knows MOVE, or one that does not."""
    if client.has_capability("MOVE"):
        client.move(uids, target)
    else:
        client.copy(uids, target)
        client.delete_messages(uids)
        client.expunge(uids)
