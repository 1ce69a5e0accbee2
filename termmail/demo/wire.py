"""One connection of an embedded server: read lines, send answers, start TLS, and apply the faults."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from termmail.demo.faults import Answer, Manners

LINE_LIMIT = 16_384
"""Longest line that a client may send, in bytes; SASL responses are longer than commands (RFC 2449 section 4)."""
FLUSH_AT = 262_144
IDLE_SECONDS = 600
"""An idle client is disconnected after ten minutes unless told otherwise (RFC 1939 section 3)."""

LINGER_SECONDS = 5
"""Seconds for which a dropped connection still reads and discards what the client sends."""


class LineTooLongError(Exception):
    """The client sent more than LINE_LIMIT bytes without a line end."""


@dataclass(slots=True)
class Traffic:
    """How clients send: `turns` counts the waits for an answer, `at_once` is the most commands sent before one.

    `sent` counts the bytes of all answers.
    """

    turns: int = 0
    at_once: int = 0
    sent: int = 0


class Wire:
    """Reads lines and collects answers, which are sent when no command is left to execute or 256 KB are waiting."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        manners: Callable[[], Manners],
        traffic: Traffic,
        *,
        tls: bool,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._manners = manners
        self._traffic = traffic
        self.tls = tls
        self._idle_seconds = idle_seconds
        self._buffer = bytearray()
        self._at = 0
        self._out: list[bytes] = []
        self._out_size = 0
        self._sent = 0
        self._lingers = False
        self._heard_since_flush = 0
        self._answered = False
        self._deflate: zlib._Compress | None = None
        self._inflate: zlib._Decompress | None = None

    async def line(self) -> bytes | None:
        """Return the next line without its CRLF, or None at the end of the connection. A lone LF ends no line."""
        while (end := self._buffer.find(b"\r\n", self._at)) < 0:
            if len(self._buffer) - self._at > LINE_LIMIT:
                raise LineTooLongError
            if not await self._more():
                return None
        line = bytes(self._buffer[self._at : end])
        self._at = end + 2
        self._heard_since_flush += 1
        self._traffic.at_once = max(self._traffic.at_once, self._heard_since_flush)
        return line

    async def take(self, count: int) -> bytes:
        """Return the next `count` bytes, or fewer at the end of the connection."""
        while len(self._buffer) - self._at < count and await self._more():
            pass
        start, self._at = self._at, min(self._at + count, len(self._buffer))
        return bytes(self._buffer[start : self._at])

    async def rest(self) -> bytes:
        """Return everything that the client sends until it disconnects."""
        with suppress(OSError):
            while await self._more():
                pass
        return await self.take(len(self._buffer))

    async def data(self, limit: int) -> bytes | None:
        """Return the lines up to CRLF.CRLF, unstuffed (RFC 5321 section 4.5.2), or None if the connection ends before.

        Of a message longer than `limit` bytes the rest is read and discarded; the result is then longer than `limit`.
        """
        self._buffer[: self._at] = b"\r\n"  # so that a dot on the very first line is found as well
        self._at = 0
        kept = bytearray()
        while (end := self._buffer.find(b"\r\n.\r\n")) < 0:
            if len(kept) <= limit:
                kept += self._buffer[:-4]
            del self._buffer[:-4]
            if not await self._more():
                return None
        if len(kept) <= limit:
            kept += self._buffer[: end + 2]
        self._at = end + 5
        return bytes(kept).replace(b"\r\n.", b"\r\n")[2:]

    async def _more(self) -> bool:
        del self._buffer[: self._at]
        self._at = 0
        await self.flush()
        try:
            async with asyncio.timeout(self._idle_seconds):
                data = await self._reader.read(FLUSH_AT)
        except TimeoutError:
            return False
        if data and self._inflate is not None:
            data = self._inflate.decompress(data)
        self._buffer += data
        self._traffic.turns += bool(data) and self._answered
        self._answered = False
        return bool(data)

    async def send(self, data: bytes) -> None:
        """Queue an answer."""
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size >= FLUSH_AT:
            await self.flush()

    async def send_all(self, answer: Answer) -> None:
        """Send bytes, or each chunk at once."""
        if isinstance(answer, bytes):
            await self.send(answer)
            return
        for chunk in answer:
            await self.send(chunk)
            await self.flush()
            await asyncio.sleep(0)

    async def flush(self) -> None:
        """Write the queued answers; drop the connection if a fault says so."""
        self._heard_since_flush = 0
        if not self._out:
            if self._manners().drop_after_bytes == self._sent:
                await self.hang_up()
            return
        data = b"".join(self._out)
        if self._deflate is not None:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._out.clear()
        self._out_size = 0
        manners = self._manners()
        dies = manners.drop_after_bytes is not None and self._sent + len(data) >= manners.drop_after_bytes
        if dies and manners.drop_after_bytes is not None:
            data = data[: manners.drop_after_bytes - self._sent]
        self._sent += len(data)
        self._traffic.sent += len(data)
        self._answered = bool(data)
        if manners.bytes_per_second is None:
            self._writer.write(data)
        else:
            await self._drip(data, manners.bytes_per_second)
        await self._writer.drain()
        if dies:
            await self.hang_up()

    async def _drip(self, data: bytes, bytes_per_second: int) -> None:
        step = max(1, bytes_per_second // 50)
        for start in range(0, len(data), step):
            if start:
                await asyncio.sleep(step / bytes_per_second)
            self._writer.write(data[start : start + step])
            await self._writer.drain()

    async def hang_up(self) -> NoReturn:
        """Drop the connection and end the session.

        Everything that was flushed still arrives: closing while commands are unread would reset the connection and lose
        the last answers, so `close` reads them.
        """
        if self._writer.can_write_eof():
            self._writer.write_eof()
            self._lingers = True
        raise ConnectionAbortedError

    async def stall(self) -> NoReturn:
        """Answer nothing more, and wait until the client disconnects."""
        await self.flush()
        while await self._reader.read(FLUSH_AT):
            pass
        raise ConnectionAbortedError

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Send the queued answers and start TLS. What the client sent in the clear behind its command is discarded."""
        if injection := self._manners().tls_injection:
            await self.send(injection)
        await self.flush()
        self._buffer.clear()
        self._at = 0
        await self._writer.start_tls(context)
        self.tls = True

    async def compress(self) -> None:
        """Send the queued answers, and compress both directions from then on (RFC 4978)."""
        await self.flush()
        self._deflate, self._inflate = (
            zlib.compressobj(wbits=-zlib.MAX_WBITS),
            zlib.decompressobj(wbits=-zlib.MAX_WBITS),
        )

    async def heed(self, line: str, keys: tuple[str, ...]) -> bool:
        """Apply the faults before a command is executed. Return True if they answered it."""
        manners = self._manners()
        delay = manners.delay_seconds
        seconds = delay if isinstance(delay, (int, float)) else max(delay.get(key, 0.0) for key in keys)
        if seconds:
            await self.flush()
            await asyncio.sleep(seconds)
        for key in keys:
            if key in manners.stall_at:
                await self.stall()
            if key in manners.drop_at:
                await self.flush()
                await self.hang_up()
            answer = manners.answers.get(key)
            if callable(answer):
                answer = answer(line)
            if answer is not None:
                await self.send_all(answer)
                await self._drop_after(keys)
                return True
        return False

    async def answer(self, answer: bytes, keys: tuple[str, ...]) -> None:
        """Send the answer of an executed command, unless a fault loses it."""
        manners = self._manners()
        if not manners.lose_answer_to.isdisjoint(keys):
            await self.flush()
            await self.hang_up()
        await self.send(answer)
        await self._drop_after(keys)

    async def _drop_after(self, keys: tuple[str, ...]) -> None:
        if not self._manners().drop_after.isdisjoint(keys):
            await self.flush()
            await self.hang_up()

    def abort(self) -> NoReturn:
        """Drop the connection at once and end the session. What the client sends meanwhile resets the connection."""
        self._writer.transport.abort()
        raise ConnectionAbortedError

    async def close(self) -> None:
        """Close the connection. Never raises for a client that is gone."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while self._lingers and await self._reader.read(FLUSH_AT):
                    pass
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
