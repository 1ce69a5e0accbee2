"""A TCP proxy that adds a round trip's delay and counts turns: how often a client waited for the server.

In process: `async with Proxy(host, port, rtt=0.05) as proxy:` then connect to `proxy.host`, `proxy.port`.
By itself: `python -m tests.proxy --rtt 50 --target 127.0.0.1:110` (milliseconds).

Order and concurrency are kept, so what is written together travels together. A greeting arrives two round trips
after connect(), as on a real line. Slow start, loss and bandwidth are not modelled.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Line:
    """What passed over one connection. `turns` counts how often the client spoke after the server had (or first)."""

    turns: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    open: bool = True
    client_spoke_last: bool = False

    def up(self, data: bytes) -> None:
        self.turns += not self.client_spoke_last
        self.client_spoke_last = True
        self.bytes_up += len(data)

    def down(self, data: bytes) -> None:
        self.client_spoke_last = False
        self.bytes_down += len(data)


class Proxy:
    """Listens on `host` and `port` (0: a free one) and passes on to the target, each way `rtt / 2` seconds late."""

    def __init__(
        self, target_host: str, target_port: int, *, rtt: float = 0.0, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.target = (target_host, target_port)
        self.rtt = rtt
        self.host = host
        self.port = port
        self.lines: list[Line] = []
        self.ended: Callable[[Line], Any] = lambda line: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def turns(self) -> int:
        """The turns of all connections so far."""
        return sum(line.turns for line in self.lines)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, self.port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def serve_forever(self) -> None:
        await self._server.serve_forever()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line()
        self.lines.append(line)
        writers = [writer]
        try:
            # The simulated latency: SYN, SYN-ACK, ACK, then the server sees the connection.
            await asyncio.sleep(1.5 * self.rtt)
            far_reader, far_writer = await asyncio.open_connection(*self.target, limit=1 << 20)
            writers.append(far_writer)
            for one in writers:
                one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._one_way(reader, far_writer, line.up))
                both.create_task(self._one_way(far_reader, writer, line.down))
        except (OSError, ExceptionGroup):
            pass  # one side reset the line, so the other side's is dropped below
        finally:
            line.open = False
            for one in writers:
                one.transport.abort() if sys.exc_info()[0] else one.close()
            for one in writers:
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await one.wait_closed()
            self.ended(line)

    async def _one_way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None]
    ) -> None:
        """Reads on while chunks wait for their time; b"" stands for the end of the stream."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        now = asyncio.get_running_loop().time

        async def write() -> None:
            while True:
                due, data = await waiting.get()
                if (seconds := due - now()) > 0:
                    await asyncio.sleep(seconds)  # the simulated latency
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()

        async with asyncio.TaskGroup() as both:
            both.create_task(write())
            data = b"-"
            while data:
                data = await reader.read(1 << 18)
                if data:
                    note(data)
                waiting.put_nowait((now() + self.rtt / 2, data))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rtt", type=float, default=0, help="round trip in milliseconds")
    parser.add_argument("--target", required=True, help="HOST:PORT to pass on to")
    parser.add_argument("--listen", default="127.0.0.1:0", help="HOST:PORT to listen on")
    options = parser.parse_args()
    target_host, target_port = options.target.rsplit(":", 1)
    host, port = options.listen.rsplit(":", 1)
    async with Proxy(target_host, int(target_port), rtt=options.rtt / 1000, host=host, port=int(port)) as proxy:
        proxy.ended = lambda line: print(f"turns {line.turns} up {line.bytes_up} down {line.bytes_down}", flush=True)
        print(f"listening {proxy.host} {proxy.port}", flush=True)
        await proxy.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
