"""Worker threads that never keep the program from ending, and work that can be stopped in the middle."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

MOST = 8
"""Threads of the pool."""

LAST_MOMENT = 0.5
"""Seconds that running work gets to finish when the pool is shut down: enough to write a file."""


class OutOfTimeError(Exception):
    """The work was stopped: its time is over, or its result is not wanted."""


class DaemonPool(ThreadPoolExecutor):
    """A loop's default executor, with daemon threads: at exit nothing waits for them longer than LAST_MOMENT.

    The threads of the standard pool are joined at exit, so one slow call keeps a program alive for as long as it runs.
    """

    def __init__(self) -> None:
        super().__init__(MOST)
        self._calls: SimpleQueue[tuple[Future[object], Callable[[], object]] | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._workers: list[threading.Thread] = []
        self._free = 0
        self._over = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` in a daemon thread. Raises RuntimeError after `shutdown`."""
        future: Future[T] = Future()
        with self._guard:
            if self._over:
                raise RuntimeError("cannot schedule new work after shutdown")
            self._calls.put((future, partial(fn, *args, **kwargs)))  # type: ignore[arg-type]  # a Future[T] is one of object
            if self._free:
                self._free -= 1
            elif len(self._workers) < MOST:
                worker = threading.Thread(target=self._work, name=f"worker-{len(self._workers)}", daemon=True)
                self._workers.append(worker)
                worker.start()
        return future

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function = call
            if future.set_running_or_notify_cancel():
                try:
                    result = function()
                except BaseException as error:  # noqa: BLE001 - the caller gets every exception
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del future, function, call
            with self._guard:
                self._free += 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - the signature of Executor
        """Take no more work; with `wait`, give what runs a last moment."""
        with self._guard:
            self._over = True
            workers = list(self._workers)
        for _ in workers:
            self._calls.put(None)
        end = time.monotonic() + LAST_MOMENT
        for worker in workers if wait else ():
            worker.join(max(0.0, end - time.monotonic()))


async def run_stoppable(function: Callable[[Callable[[], None]], T], *, seconds: float | None = None) -> T:
    """Run `function(check)` in a thread of its own, for at most `seconds`.

    The function calls `check` after each bounded piece of its work. Once the time is over or the caller is cancelled,
    nobody waits for the function, and the next `check` ends it by an exception. Raises OutOfTimeError, and what the
    function raises.
    """
    over = threading.Event()

    def check() -> None:
        if over.is_set():
            raise OutOfTimeError

    thread = DaemonPool()
    try:
        async with asyncio.timeout(seconds) as limit:
            return await asyncio.get_running_loop().run_in_executor(thread, function, check)
    except TimeoutError:
        if not limit.expired():
            raise  # the function raised it
        raise OutOfTimeError from None
    finally:
        over.set()
        thread.shutdown(wait=False)
