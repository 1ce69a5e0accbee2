"""The connection to a server: connect, TLS, STARTTLS, compression. Knows no mail protocol.

Bytes received in the clear are never read as if they had come through TLS. asyncio's own streams keep their buffer
across `start_tls`; here bytes are passed on as they arrive, an unread byte when TLS begins ends the connection, and the
receiver of the encrypted bytes is a new object.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from termmail.credential import NO_CREDENTIAL, Credential, ServerKind
from termmail.net.deflate import PIECE, Deflate
from termmail.net.net_errors import ProtocolError, TlsFailed, plaintext_before_tls
from termmail.net.tls import explain, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

READ_SIZE = 64 << 10
"""Bytes that are read and handled at once."""

CONNECT_SECONDS = 30.0
"""The limit for name lookup, TCP and TLS together, whatever `timeout_seconds` is."""

P = TypeVar("P", bound=asyncio.BaseProtocol)

NEXT_ADDRESS_SECONDS = 0.25
"""The delay after which the next address of a host is tried as well (RFC 8305)."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and how to log in there."""

    kind: ServerKind
    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    username: str = ""
    credential: Credential = NO_CREDENTIAL
    allow_cleartext: bool = False
    timeout_seconds: float = 30.0
    tls_ca_file: str | None = None

    @property
    def place(self) -> str:
        """Host and port, as in pop.example.org:995."""
        return f"{self.host}:{self.port}"


async def connected(
    make: Callable[[], P], server: Server, context: ssl.SSLContext | None, shutdown_seconds: float | None = None
) -> P:
    """Connect a protocol to the server, over TLS if there is a context. Raises OSError, ssl.SSLError or UnicodeError."""
    line = await dial(server.host, server.port)
    try:
        _, protocol = await asyncio.get_running_loop().create_connection(
            make,
            sock=line,
            ssl=context,
            server_hostname=server.host if context else None,
            ssl_shutdown_timeout=shutdown_seconds if context else None,
        )
    except BaseException:
        line.close()
        raise
    return protocol


async def dial(host: str, port: int) -> socket.socket:
    """Open a TCP connection to a host. Raises OSError, or UnicodeError for an invalid host name."""
    return await first_to_answer(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM))


async def first_to_answer(found: Sequence[tuple[int, int, int, str, tuple[Any, ...]]]) -> socket.socket:
    """Open a TCP connection to the first address that answers (RFC 8305). `found` is the result of getaddrinfo.

    Another address is tried every NEXT_ADDRESS_SECONDS. Raises the OSError of the first address that failed.

    asyncio has this too, but before 3.12.9 and 3.13.2 it fails under the eager tasks that Textual sets (gh-124309).
    """
    families = {family: [info for info in found if info[0] == family] for family, *_ in found}
    addresses = [info for turn in zip_longest(*families.values()) for info in turn if info is not None]
    errors: list[BaseException] = []
    waiting: set[asyncio.Task[socket.socket]] = set()
    try:
        while addresses or waiting:
            if addresses:
                waiting.add(asyncio.create_task(_dial(*addresses.pop(0))))
            patience = NEXT_ADDRESS_SECONDS if addresses else None
            done, _ = await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                if (error := attempt.exception()) is None:
                    waiting.remove(attempt)
                    return attempt.result()
                waiting.remove(attempt)
                errors.append(error)
    finally:
        for attempt in waiting:
            attempt.cancel()
        for late in await asyncio.gather(*waiting, return_exceptions=True):
            if isinstance(late, socket.socket):
                late.close()
    raise errors[0]


async def _dial(family: int, kind: int, protocol: int, _name: str, address: tuple[Any, ...]) -> socket.socket:
    line = socket.socket(family, kind, protocol)
    try:
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, address)
    except BaseException:
        line.close()
        raise
    return line


class Stream:
    """An open connection; create it with `connect`. `on_bytes` is called with received bytes, and once with b"" at the end.

    Up to 64 KiB received before the owner sets `on_bytes` are kept for it.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.encrypted = False
        self._transport: asyncio.Transport | None = None
        self._early = bytearray()
        self._on_bytes: Callable[[bytes], None] | None = None
        self._ended = False
        self._deflate: Deflate | None = None
        self._inflating = False
        self._outgoing: deque[bytes] = deque()
        self._gone = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(cls, server: Server) -> Stream:
        """Connect, over TLS if `security` is "tls", within `timeout_seconds` (at most 30 s) in all.

        Raises Offline or TlsFailed.
        """
        stream = cls(server)
        tls = server.security == "tls"
        try:
            async with asyncio.timeout(min(CONNECT_SECONDS, server.timeout_seconds)):
                context = await asyncio.to_thread(tls_context, server.tls_ca_file) if tls else None
                await connected(stream._receiver, server, context)
        except BaseException as error:
            stream.close()
            if isinstance(error, (OSError, ssl.SSLError, UnicodeError)):
                raise (_tls_dropped(server) if tls and _is_drop(error) else explain(error, server)) from error
            raise
        stream.encrypted = tls
        return stream

    async def start_tls(self) -> None:
        """Start TLS on the open connection, after the answer to STLS or STARTTLS. Raises TlsFailed or Offline.

        A byte behind that answer is an attack: a reply injected in the clear. The connection is closed. The owner checks
        the bytes that it was given; bytes that were not passed on yet are checked here.
        """
        server = self.server
        try:
            async with asyncio.timeout(min(CONNECT_SECONDS, server.timeout_seconds)):
                context = await asyncio.to_thread(tls_context, server.tls_ca_file)
                self._transport = await self._handshake(context)
        except BaseException as error:
            self.close()
            if isinstance(error, (OSError, ssl.SSLError)):
                raise (_tls_dropped(server) if _is_drop(error) else explain(error, server)) from error
            raise
        self.encrypted = True

    async def _handshake(self, context: ssl.SSLContext) -> asyncio.Transport:
        """Check for early bytes and start TLS; nothing can arrive in between."""
        if self._early:
            raise plaintext_behind_tls(self.server)
        old, loop = self._transport, asyncio.get_running_loop()
        if old is None or old.is_closing() or self._ended:
            raise _tls_dropped(self.server)
        new = await loop.start_tls(old, self._receiver(), context, server_hostname=self.server.host)
        if new is None:  # the server closed in the middle
            raise _tls_dropped(self.server)
        return new

    def _receiver(self) -> _Receiver:
        return _Receiver(self._connected, self._received, self._lost)

    @property
    def on_bytes(self) -> Callable[[bytes], None] | None:
        """The callback for received bytes. What was received before it was set is passed to it first."""
        return self._on_bytes

    @on_bytes.setter
    def on_bytes(self, take: Callable[[bytes], None] | None) -> None:
        self._on_bytes = take
        if take is None:
            return
        if self._early:
            early, self._early = bytes(self._early), bytearray()
            take(early)
        if self._ended:
            take(b"")

    def write(self, data: bytes) -> None:
        """Send without waiting: reading continues, so that two full buffers cannot deadlock."""
        if self._deflate is None:
            self._write(data)
            return
        was_deflating = bool(self._outgoing)
        self._outgoing += (data[start : start + PIECE] for start in range(0, len(data), PIECE))
        if not was_deflating:
            self._compress_piece()

    def _compress_piece(self) -> None:
        """Send a piece of what waits, and the next one in the next turn of the loop: compressing takes time."""
        if self._deflate is None or not self._outgoing:
            return
        self._write(self._deflate.compress(self._outgoing.popleft()))
        if self._outgoing:
            asyncio.get_running_loop().call_soon(self._compress_piece)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def start_compression(self, early: bytes) -> None:
        """Compress what is sent from now on, and decompress what comes, beginning with `early`, which has come already."""
        self._deflate = Deflate()
        self._deflate.receive(early)
        asyncio.get_running_loop().call_soon(self._inflate)

    def pause(self) -> None:
        """Stop reading; the server has to wait when the buffers are full."""
        if self._transport is not None and not self._ended:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Continue reading."""
        if self._transport is not None and not self._ended:
            self._transport.resume_reading()

    def close(self) -> None:
        """Drop the connection now and pass nothing on any more. Never raises."""
        self._on_bytes = None
        self._early.clear()
        self._deflate = None
        self._outgoing.clear()
        if self._transport is None:
            if not self._gone.done():
                self._gone.set_result(None)
        else:
            self._transport.abort()

    async def closed(self) -> None:
        """Wait, at most a second, until the socket is closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.shield(self._gone)

    def _connected(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def _received(self, data: bytes) -> None:
        if self._deflate is not None:
            self._deflate.receive(data)
            if not self._inflating:
                self._inflate()
        else:
            self._pass_on(data)

    def _inflate(self) -> None:
        """Pass on a piece of what was received; the next one in the next turn of the loop, and the end behind the last."""
        if self._deflate is None:
            return
        try:
            piece = self._deflate.piece()
        except ValueError:
            self._inflating = False
            self._end()
            self.close()
            return
        if piece:
            self._pass_on(piece)
        was_inflating, self._inflating = self._inflating, len(piece) == PIECE
        if self._inflating:
            self.pause()
            asyncio.get_running_loop().call_soon(self._inflate)
        elif was_inflating:
            self.resume()
            if self._ended:
                self._end()

    def _pass_on(self, data: bytes) -> None:
        if self._on_bytes is None:
            if len(self._early) < 65536:
                self._early += data
        else:
            self._on_bytes(data)

    def _lost(self) -> None:
        if not self._ended:
            self._ended = True
            if not self._inflating:
                self._end()
        if not self._gone.done():
            self._gone.set_result(None)

    def _end(self) -> None:
        if self._on_bytes is not None:
            self._on_bytes(b"")


class _Receiver(asyncio.BufferedProtocol):
    """The protocol that asyncio calls. TLS gets a new one, so that no state passes from the clear into TLS.

    What comes at once is handled at once, so its size bounds how long that holds up the loop.
    """

    def __init__(
        self,
        connected: Callable[[asyncio.Transport], None],
        received: Callable[[bytes], None],
        lost: Callable[[], None],
    ) -> None:
        self._connected = connected
        self._lost = lost
        self._received = received
        self._buffer = memoryview(bytearray(READ_SIZE))  # a view: asyncio fills slices of it under TLS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connected(cast("asyncio.Transport", transport))

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._received(bytes(self._buffer[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # a reset and an end are treated alike
        self._lost()


def plaintext_behind_tls(server: Server) -> ProtocolError:
    """Return the error for bytes that `server` sent in the clear behind its answer to STLS or STARTTLS."""
    return plaintext_before_tls(server.place)


def _is_drop(error: BaseException) -> bool:
    return isinstance(error, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError))


def _tls_dropped(server: Server) -> TlsFailed:
    return TlsFailed(f"{server.place} dropped the connection while TLS began.")
