"""SMTP servers for the tests: a scripted one that can misbehave at any byte, and aiosmtpd, which cannot."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP as Aiosmtpd
from aiosmtpd.smtp import AuthResult, LoginPassword

from termmail.credential import Password
from termmail.net.smtp import submission
from termmail.net.stream import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiosmtpd.smtp import Envelope, Session

    from termmail.net.smtp.submission import Outcome

PASSWORD = "sécret word"
RAW = b"From: ada@example.org\r\nTo: bob@example.org\r\nSubject: hi\r\n\r\nHello\r\n.\r\n..two\r\n.end\r\n"
EHLO = b"250-mail.example.org\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"


def plain(served: Served | int, *, password: str = PASSWORD, **keys: Any) -> Server:
    """A served script or a port as a Server that may be talked to in the clear."""
    port = served if isinstance(served, int) else served.port
    options = {"username": "ada", "allow_cleartext": True, "timeout_seconds": 5, **keys}
    security = options.pop("security", "none")
    return Server("smtp", "127.0.0.1", port, security, credential=Password(password), **options)


async def send(
    server: Server, *recipients: str, raw: bytes = RAW, sender: str = "ada@example.org", **keys: Any
) -> Outcome:
    return await submission.send(server, sender, recipients or ("bob@example.org",), raw, **keys)


class HungUp(Exception):
    """The client closed the connection."""


class Talk:
    """The server's side of one conversation; `said` is every line the client sent, `body` the message as it came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.said: list[bytes] = []
        self.body = bytearray()

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> bytes:
        line = await self.reader.readline()
        if not line.endswith(b"\n"):
            raise HungUp
        self.said.append(line.rstrip(b"\r\n"))
        return self.said[-1]

    async def hear_body(self) -> None:
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise HungUp
            self.body += line

    async def rest(self) -> bytes:
        """All that the client still sends, until it hangs up."""
        return await self.reader.read()

    def drop(self) -> None:
        self.writer.transport.abort()
        raise HungUp

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self.writer.start_tls(context)


async def polite(talk: Talk, *, answers: dict[bytes, bytes] | None = None) -> None:
    """A whole conversation; `answers` replaces the reply to a verb, b"greeting" or b"." (the end of the message)."""
    replies = {
        b"greeting": b"220 mail.example.org\r\n",
        b"EHLO": EHLO,
        b"AUTH": b"235 welcome\r\n",
        b"MAIL": b"250 ok\r\n",
        b"RCPT": b"250 ok\r\n",
        b"DATA": b"354 go on\r\n",
        b".": b"250 queued as 42\r\n",
        b"QUIT": b"221 bye\r\n",
        **(answers or {}),
    }
    await talk.say(replies[b"greeting"])
    while True:
        line = await talk.hear()
        verb = line.split(b" ")[0].upper()
        address = line.partition(b":<")[2].partition(b">")[0]
        reply = replies.get(address) or replies[verb]
        await talk.say(reply)
        if verb == b"DATA" and reply.startswith(b"354"):
            await talk.hear_body()
            await talk.say(replies[b"."])
        if verb == b"QUIT":
            return


class Served:
    """A running server: where it is, and the conversations it had."""

    def __init__(self) -> None:
        self.port = 0
        self.talks: list[Talk] = []

    @property
    def said(self) -> list[bytes]:
        return [line for talk in self.talks for line in talk.said]


@asynccontextmanager
async def serve(script: Callable[[Talk], Awaitable[None]], tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """Run `script` for each connection. What goes wrong in it, other than the client hanging up, fails the test."""
    served, tasks = Served(), []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        talk = Talk(reader, writer)
        served.talks.append(talk)
        try:
            await script(talk)
        except (HungUp, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks)


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
