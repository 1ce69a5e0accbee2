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

GRACE = 0.25
"""Seconds that abandoned work gets to end by itself, and between two attempts to stop it."""

LAST_MOMENT = 0.5
"""Seconds that running work gets to finish when the pool is shut down: enough to write a file."""


class OutOfTimeError(Exception):
    """The work was stopped because its time was over."""


class _Stopped(SystemExit):
    """Raised inside a thread whose result is not needed. A thread that ends by SystemExit prints nothing."""


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


async def run_stoppable(function: Callable[[], T], *, seconds: float | None = None) -> T:
    """Run a pure function in a thread of its own, and stop it when it takes too long or the caller is cancelled.

    Only for work without side effects: it is stopped between any two instructions. Raises OutOfTimeError after
    `seconds`, and what the function raises. When the caller is cancelled, the work stops too.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def deliver(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # there is a result where there is no error

    def work() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = (function(), None)
        except _Stopped:
            return
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            outcome = (None, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, *outcome)

    thread = threading.Thread(target=work, name="stoppable", daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError:
        if answer.done() and not answer.cancelled():
            raise  # the function raised it
        raise OutOfTimeError from None
    finally:
        if not answer.done() or answer.cancelled():
            loop.call_later(GRACE, _stop, thread, loop)


def _stop(thread: threading.Thread, loop: asyncio.AbstractEventLoop) -> None:
    """Raise _Stopped in a running thread, at its next Python instruction (CPython's PyThreadState_SetAsyncExc).

    Where that instruction is in a destructor, Python drops the exception, so it is raised until the thread has ended.
    """
    import ctypes  # noqa: PLC0415 - needed only when something is stopped

    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Stopped))
        loop.call_later(GRACE, _stop, thread, loop)
