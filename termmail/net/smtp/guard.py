"""aiosmtplib's protocol with strict checks of what the server sends (RFC 5321 section 4.2).

Each command has exactly one reply. A line that is not a reply, an unsolicited reply, or a byte behind the reply ends the
connection. aiosmtplib alone drops such bytes silently and continues: behind the answer to STARTTLS they may be an
attack, and inside a message they say why the server closes the connection.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import TYPE_CHECKING, cast

from aiosmtplib import SMTPResponse
from aiosmtplib.protocol import SMTPProtocol

from termmail.net.net_errors import TlsFailed
from termmail.net.stream import CONNECT_SECONDS, connected, plaintext_behind_tls
from termmail.net.tls import explain, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from termmail.net.stream import Server
    from termmail.net.trace import Trace

LONGEST_LINE = 8192
MOST_LINES = 100
CHUNK = 65536
SHUTDOWN_SECONDS = 1.0

_REPLY = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]*))?\r?\n")


class Wire(SMTPProtocol):
    """One connection. `broken` says how the server broke the protocol, or is "".

    `early` is an unsolicited reply (421 before the server closes, 552 in the middle of a message).
    """

    def __init__(self, trace: Trace | None, *, greets: bool = True) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.broken = ""
        self.early: SMTPResponse | None = None
        self._trace = trace
        self._owed = 1 if greets else 0
        self._received = bytearray()
        self._code = b""
        self._lines = 0
        self._writable = asyncio.Event()
        self._writable.set()

    def write(self, data: bytes) -> None:
        """Send a command and expect one reply."""
        self._owed += 1
        if self._trace is not None:
            words = data.split(b" ")
            self._trace.add(">", b" ".join([*words[:2], b"[hidden]"]) if words[0] == b"AUTH" else data)
        super().write(data)

    async def write_body(self, raw: bytes) -> None:
        """Send a message without its final dot, no faster than the server reads it.

        Line ends become CRLF and each leading dot is doubled (RFC 5321 section 4.5.2).
        Raises ConnectionError if the connection fails or the server replies before the dot.
        """
        if self._trace is not None:
            self._trace.add(">", f"(the message, {len(raw)} bytes)")
        for piece in stuffed(raw):
            await self._writable_again()
            cast("asyncio.WriteTransport", self.transport).write(piece)
            await asyncio.sleep(0)
        await self._writable_again()

    async def _writable_again(self) -> None:
        """Wait until the send buffer has space. Raises ConnectionResetError if the connection is gone."""
        await self._writable.wait()
        if not self.is_connected:
            raise ConnectionResetError

    def leave(self) -> None:
        """Send QUIT and close without waiting for the answer."""
        if self.transport is not None and not self.transport.is_closing():
            self.write(b"QUIT\r\n")
            self.transport.close()

    def drop(self) -> None:
        """Close now, unless `leave` is already closing. Never raises."""
        if self.transport is not None and not self.transport.is_closing():
            cast("asyncio.WriteTransport", self.transport).abort()

    def pause_writing(self) -> None:
        """Note that the send buffer is full. Called by asyncio."""
        super().pause_writing()
        self._writable.clear()

    def resume_writing(self) -> None:
        """Note that the send buffer has space again. Called by asyncio."""
        super().resume_writing()
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is closed. Called by asyncio."""
        super().connection_lost(exc)
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Pass on complete lines of expected replies; break the connection on anything else."""
        self._received += data
        while not self.broken and (end := self._received.find(b"\n")) >= 0:
            line = bytes(self._received[: end + 1])
            del self._received[: end + 1]
            self._line(line)
        if not self.broken and self._received and not self._owed:
            self._break("spoke out of turn")
        elif not self.broken and len(self._received) > LONGEST_LINE:
            self._break("sent a line without end")

    def _line(self, line: bytes) -> None:
        if self._trace is not None:
            self._trace.add("<", line)
        match = _REPLY.fullmatch(line)
        if match is None or len(line) > LONGEST_LINE:
            self._break("answered with something that is not SMTP")
            return
        code, separator, text = match[1], match[2], match[3] or b""
        self._lines += 1
        if not self._owed:
            self.early = SMTPResponse(int(code), text.decode("utf-8", "surrogateescape"))
            self._break("spoke out of turn")
        elif self._code and code != self._code:
            self._break("gave two answers in one")
        elif self._lines > MOST_LINES:
            self._break("answered without end")
        elif separator == b"-":
            self._code = code
            super().data_received(line)
        else:
            self._owed -= 1
            self._code, self._lines = b"", 0
            super().data_received(line)

    def _break(self, words: str) -> None:
        self.broken = words
        self._received.clear()
        self.drop()


def stuffed(raw: bytes) -> Iterator[bytes]:
    """Yield the message as DATA sends it, in pieces of about CHUNK bytes (RFC 5321 sections 2.3.8 and 4.5.2).

    Every line ends in CRLF, so that no bare CR or LF is left, and each leading dot is doubled.
    """
    start, at_line_start = 0, True
    while start < len(raw):
        end = start + CHUNK
        if raw[end - 1 : end + 1] == b"\r\n":  # do not cut a line end in two
            end += 1
        piece = raw[start:end].replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        dotted = piece.replace(b"\r\n.", b"\r\n..")
        yield b"." + dotted if at_line_start and piece.startswith(b".") else dotted
        start, at_line_start = end, piece.endswith(b"\r\n")
    if not at_line_start:
        yield b"\r\n"


async def connect(server: Server, trace: Trace | None) -> Wire:
    """Connect, over TLS if `security` is "tls". Raises Offline or TlsFailed."""
    tls = server.security == "tls"
    seconds = min(CONNECT_SECONDS, server.timeout_seconds)
    try:
        async with asyncio.timeout(seconds):
            context = await asyncio.to_thread(tls_context, server.tls_ca_file) if tls else None
            wire = await connected(lambda: Wire(trace), server, context, SHUTDOWN_SECONDS)
    except (OSError, ssl.SSLError, UnicodeError) as error:
        raise explain(error, server) from None
    return wire


async def start_tls(wire: Wire, server: Server) -> Wire:
    """Start TLS after the 220 to STARTTLS, and return a new Wire without state from the clear.

    Raises ProtocolError for a byte behind the 220, TlsFailed or Offline.
    """
    seconds = min(CONNECT_SECONDS, server.timeout_seconds)
    secure = Wire(wire._trace, greets=False)  # noqa: SLF001  its own kind
    try:
        async with asyncio.timeout(seconds):
            context = await asyncio.to_thread(tls_context, server.tls_ca_file)
            if wire.broken:
                raise plaintext_behind_tls(server)
            if wire.transport is None or wire.transport.is_closing():
                raise TlsFailed(f"{server.place} dropped the connection where TLS had to begin.")
            transport = await asyncio.get_running_loop().start_tls(
                cast("asyncio.WriteTransport", wire.transport),
                secure,
                context,
                server_hostname=server.host,
                ssl_shutdown_timeout=SHUTDOWN_SECONDS,
            )
    except ConnectionError:
        raise TlsFailed(f"{server.place} dropped the connection while TLS began.") from None
    except (OSError, ssl.SSLError) as error:
        raise explain(error, server) from None
    if transport is None:
        raise TlsFailed(f"{server.place} dropped the connection while TLS began.")
    secure.connection_made(transport)
    return secure
