"""Measure how long the event loop is kept busy, beside a server whose work does not count."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from termmail.demo.pop3d import Pop3Server
    from termmail.demo.smtpd import SmtpServer


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
def in_a_thread(server: Pop3Server | SmtpServer) -> Iterator[None]:
    """Run the server on an event loop in a thread of its own, so that its work is not measured."""
    started: Future[asyncio.AbstractEventLoop] = Future()
    done = asyncio.Event()

    async def serve() -> None:
        async with server:
            started.set_result(asyncio.get_running_loop())
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop = started.result(timeout=5)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
