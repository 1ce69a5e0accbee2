"""What the embedded servers share: accept clients on loopback, and record what they send."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self, TypedDict, Unpack

from termmail.demo.faults import GOOD, Manners
from termmail.demo.wire import FLUSH_AT, IDLE_SECONDS, LineTooLongError, Traffic, Wire

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType


@dataclass(frozen=True, slots=True)
class Heard:
    """One line from a client: its session (1 is the first), its text, and whether it came over TLS."""

    session: int
    line: str
    tls: bool


class Options(TypedDict, total=False):
    """How a server listens."""

    tls: ssl.SSLContext | None
    """Offered by STLS or STARTTLS."""
    implicit: bool
    """Start every connection with TLS instead."""
    cleartext: bool
    """Accept logins outside TLS, which is the default."""
    manners: Manners
    host: str
    port: int
    """0, the default, takes a free one."""


class EmbeddedServer(ABC):
    """Listens on loopback, from `start` to `stop` or for a block, and serves each client in a task of its own.

    `manners` may be changed at any time, and applies to open sessions as well.
    """

    idle_seconds: ClassVar[float] = IDLE_SECONDS

    def __init__(self, **options: Unpack[Options]) -> None:
        context, implicit = options.get("tls"), options.get("implicit", False)
        self.tls = None if implicit else context
        self.cleartext = options.get("cleartext", True)
        self.manners = options.get("manners", GOOD)
        self.host = options.get("host", "127.0.0.1")
        self.port = options.get("port", 0)
        self.log: list[Heard] = []
        """Every line from the clients, in order."""
        self.sessions = 0
        """The number of connections so far."""
        self._implicit_tls = context if implicit else None
        self._traffic = Traffic()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._changed = asyncio.Event()

    @abstractmethod
    async def _serve(self, wire: Wire, number: int) -> None:
        """Talk with the client of the session with this number."""

    # -- from start to stop

    async def start(self) -> Self:
        """Listen; `port` then holds the port. Raises OSError if it is taken."""
        self._server = await asyncio.start_server(
            self._accept, self.host, self.port, ssl=self._implicit_tls, limit=FLUSH_AT
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Disconnect all clients and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for task, writer in list(self._open.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        task = asyncio.get_running_loop().create_task(self._run(reader, writer, self.sessions))
        self._open[task] = writer
        task.add_done_callback(self._ended)

    async def _run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        encrypted, idle_seconds = self._implicit_tls is not None, self.idle_seconds
        wire = Wire(reader, writer, lambda: self.manners, self._traffic, tls=encrypted, idle_seconds=idle_seconds)
        try:
            await self._serve(wire, number)
            await wire.flush()
        except (OSError, LineTooLongError):
            pass  # the client disconnected, or a fault dropped it
        finally:
            await wire.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._open[task]
        self.wake()

    # -- what clients do

    @property
    def open_sessions(self) -> int:
        """The number of open connections."""
        return len(self._open)

    @property
    def at_once(self) -> int:
        """The most lines that a client sent before an answer (1: none pipelined)."""
        return self._traffic.at_once

    @property
    def turns(self) -> int:
        """How often a client sent something after an answer, the greeting included."""
        return self._traffic.turns

    @property
    def sent_bytes(self) -> int:
        """The bytes of all answers."""
        return self._traffic.sent

    def heard(self, verb: str = "") -> list[str]:
        """Return the lines with this verb from all sessions, or all lines."""
        return [one.line for one in self.log if not verb or one.line.split(" ", 1)[0].upper() == verb]

    def note(self, session: int, line: str, *, tls: bool) -> None:
        """Record a line in the log, and wake `until`."""
        self.log.append(Heard(session, line, tls))
        self.wake()

    def wake(self) -> None:
        """Check again what `until` waits for."""
        self._changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until `true()`; it is checked after each line heard, each end of a session and each `wake`."""
        while not true():
            self._changed.clear()
            await self._changed.wait()
