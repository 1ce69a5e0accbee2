"""Worker threads that can be stopped, and that keep no program alive."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from termmail.engine.threads import LAST_MOMENT, MOST, DaemonPool, OutOfTimeError, run_stoppable

if TYPE_CHECKING:
    from collections.abc import Callable


class Spinning:
    """Work that ends only when it is stopped."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    def __call__(self, check: Callable[[], None]) -> None:
        self.begun.set()
        try:
            while True:
                check()
        finally:
            self.ended.set()


async def test_work_gives_its_result():
    assert await run_stoppable(lambda _check: 7, seconds=5) == 7


@pytest.mark.parametrize("error", [ValueError, TimeoutError])
async def test_work_raises_what_it_raises(error: type[Exception]):
    def fail(_check: Callable[[], None]) -> None:
        raise error("no")

    with pytest.raises(error, match="no"):
        await run_stoppable(fail, seconds=5)


async def test_work_that_takes_too_long_is_stopped():
    work = Spinning()
    with pytest.raises(OutOfTimeError):
        await run_stoppable(work, seconds=0.05)
    assert await asyncio.to_thread(work.ended.wait, 20)


async def test_work_whose_caller_is_cancelled_is_stopped():
    work = Spinning()
    waiting = asyncio.create_task(run_stoppable(work))
    assert await asyncio.to_thread(work.begun.wait, 20)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.to_thread(work.ended.wait, 20)


async def test_nobody_waits_for_work_that_does_not_check():
    released = threading.Event()
    begun = time.monotonic()
    with pytest.raises(OutOfTimeError):
        await run_stoppable(lambda _check: released.wait(20), seconds=0.05)
    assert time.monotonic() - begun < 10
    released.set()


async def test_the_pool_runs_many_calls_and_hands_errors_on():
    asyncio.get_running_loop().set_default_executor(DaemonPool())
    assert await asyncio.gather(*(asyncio.to_thread(pow, number, 2) for number in range(100))) == [
        number**2 for number in range(100)
    ]
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(divmod, 1, 0)


def test_a_pool_with_a_call_that_never_ends_lets_the_process_end():
    program = (
        "import asyncio, threading\n"
        "from termmail.engine.threads import DaemonPool\n"
        "async def main():\n"
        "    loop = asyncio.get_running_loop()\n"
        "    loop.set_default_executor(DaemonPool())\n"
        "    loop.run_in_executor(None, threading.Event().wait)\n"
        "    await asyncio.to_thread(print, 'done')\n"
        "asyncio.run(main())\n"
    )
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert time.monotonic() - begun < 5


async def test_a_pool_has_few_threads_uses_them_again_and_takes_nothing_after_its_end():
    pool = DaemonPool()
    gate = threading.Event()
    calls = [pool.submit(lambda: (gate.wait(), threading.current_thread())[1]) for _ in range(MOST + 3)]
    gate.set()
    used = {call.result(10) for call in calls}
    assert len(used) == MOST
    assert all(thread.daemon for thread in used)
    one = DaemonPool()
    first = one.submit(threading.current_thread).result(10)
    while not one._free:
        await asyncio.sleep(0)
    assert one.submit(threading.current_thread).result(10) is first
    for each in (pool, one):
        each.shutdown()
    assert not first.is_alive()
    with pytest.raises(RuntimeError, match="after shutdown"):
        one.submit(print)


async def test_a_call_that_was_cancelled_before_it_began_is_not_made():
    pool, gate, made = DaemonPool(), threading.Event(), []
    calls = [pool.submit(gate.wait) for _ in range(MOST)]
    waits = pool.submit(made.append, 1)
    last = pool.submit(made.append, 2)
    assert waits.cancel()
    gate.set()
    last.result(10)
    assert [call.result(10) for call in calls] == [True] * MOST
    pool.shutdown()
    assert made == [2]


def test_what_runs_gets_a_moment_to_end_but_no_longer():
    pool, gate = DaemonPool(), threading.Event()
    hangs = pool.submit(gate.wait)
    begun = time.monotonic()
    pool.shutdown(wait=False)
    assert time.monotonic() - begun < LAST_MOMENT / 2
    pool.shutdown()
    assert LAST_MOMENT / 2 < time.monotonic() - begun < LAST_MOMENT * 4
    gate.set()
    assert hangs.result(10)


async def test_a_timeout_that_the_function_raises_is_not_taken_for_its_own():
    def late(_check: Callable[[], None]) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await run_stoppable(late, seconds=10)
