"""A server whose every byte a test decides: a script plays the server's side of each conversation."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from termmail.demo.embedded_server import EmbeddedServer
from termmail.demo.wire import LineTooLongError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from termmail.demo.wire import Wire

END_SECONDS = 5
"""Seconds for which clients may stay connected when the block of a ScriptedServer ends."""


class Talk:
    """The server's side of one conversation. A script ends without an error when the client is gone."""

    def __init__(self, wire: Wire, note: Callable[[str], None]) -> None:
        self._wire = wire
        self._note = note

    async def say(self, data: bytes) -> None:
        """Send bytes at once."""
        await self._wire.send(data)
        await self._wire.flush()

    async def hear(self, expected: str = "") -> str:
        """Return the client's next line. Raises AssertionError if it does not start with `expected`."""
        data = await self._wire.line()
        if data is None:
            if expected:
                raise AssertionError(f"the client hung up instead of sending {expected!r}")
            raise ConnectionAbortedError
        line = data.decode("utf-8", "replace")
        self._note(line)
        if not line.startswith(expected):
            raise AssertionError(f"the client sent {line!r} instead of {expected!r}")
        return line

    async def message(self) -> bytes:
        """Return the lines up to the one with a dot alone, unstuffed."""
        data = await self._wire.data(sys.maxsize)
        if data is None:
            raise ConnectionAbortedError
        return data

    async def take(self, count: int) -> bytes:
        """Return the next `count` bytes as they are, or fewer if the client hung up."""
        return await self._wire.take(count)

    async def rest(self) -> bytes:
        """Return everything that the client still sends until it hangs up."""
        return await self._wire.rest()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Start TLS as the server."""
        await self._wire.start_tls(context)

    def drop(self) -> None:
        """Drop the connection and end the script."""
        self._wire.abort()


class ScriptedServer(EmbeddedServer):
    """Runs `script` with each client on loopback, then reads until the client hangs up.

    `left` is what clients sent after the end of their script; `tls` starts each connection with TLS. The end of the
    block waits until all clients have hung up. It raises what a script raised, and TimeoutError if a client stays.
    """

    def __init__(self, script: Callable[[Talk], Awaitable[None]], *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls, implicit=tls is not None)
        self._script = script
        self._failures: list[Exception] = []
        self.left = b""

    async def _serve(self, wire: Wire, number: int) -> None:
        talk = Talk(wire, lambda line: self.note(number, line, tls=wire.tls))
        try:
            await self._script(talk)
        except (OSError, LineTooLongError):
            raise
        except Exception as failure:
            self._failures.append(failure)
            raise
        self.left += await talk.rest()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                async with asyncio.timeout(END_SECONDS):
                    await self.until(lambda: self.open_sessions == 0)
        finally:
            await self.stop()
            if self._failures:
                raise self._failures[0]
