"""Measure how long the event loop is kept busy, with a server whose work does not count."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping


class Lag:
    """`seconds`: the longest time that the loop's thread computed between two beats."""

    seconds = 0.0


@contextlib.asynccontextmanager
async def loop_lag() -> AsyncIterator[Lag]:
    """Measure the block. Time of this thread is measured, so that other programs on the machine make no difference."""
    lag = Lag()

    async def beat() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            lag.seconds = max(lag.seconds, time.thread_time() - began)

    task = asyncio.ensure_future(beat())
    await asyncio.sleep(0)
    try:
        yield lag
    finally:
        task.cancel()


@contextlib.contextmanager
def pop3_in_a_thread(answers: Mapping[bytes, bytes]) -> Iterator[int]:
    """A POP3 server for one client, in a thread that only waits and sends; its port. Other commands get +OK."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, contextlib.suppress(OSError):
            line, _ = listener.accept()
            with line, line.makefile("rb") as commands:
                line.sendall(b"+OK ready\r\n")
                for command in commands:
                    line.sendall(answers.get(command.split()[0], b"+OK\r\n"))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(5)
        assert not thread.is_alive()


@contextlib.asynccontextmanager
async def smtp_in_a_thread() -> AsyncIterator[tuple[int, list[bytes]]]:
    """An SMTP server for one client, as `pop3_in_a_thread`: its port, and the messages as they were sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def serve() -> None:
        with listener, contextlib.suppress(OSError):
            line, _ = listener.accept()
            with line:
                line.sendall(b"220 ready\r\n")
                while data := line.recv(1000):
                    line.sendall(b"354 go on\r\n" if data.startswith(b"DATA") else b"250 ok\r\n")
                    if data.startswith(b"DATA"):
                        received.append(_until_dot(line))
                        line.sendall(b"250 queued\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], received
    finally:
        await asyncio.to_thread(thread.join, 5)
        assert not thread.is_alive()


def _until_dot(line: socket.socket) -> bytes:
    pieces = [line.recv(1 << 20)]
    while not (pieces[-1] if len(pieces[-1]) > 4 else b"".join(pieces[-3:])).endswith(b"\r\n.\r\n"):
        pieces.append(line.recv(1 << 20))
    return b"".join(pieces).removesuffix(b".\r\n")
