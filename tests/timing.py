"""How much processor time a call takes, and how that grows with the size of what it is given."""

import gc
import time
from collections.abc import Callable

ATTEMPTS = 8


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the CPU seconds of one call in this thread.

    A collection in it does not go through the objects that all the tests before left: they can be millions.
    """
    gc.freeze()
    try:
        start = time.thread_time()
        call()
        return time.thread_time() - start
    finally:
        gc.unfreeze()


def assert_soon(call: Callable[[], object], seconds: float) -> None:
    """Fail unless the call takes less than so many CPU seconds."""
    spent = cpu_seconds(call)
    assert spent < seconds, f"it took {spent:.2f} seconds"


def assert_grows_less(
    small: Callable[[], object], large: Callable[[], object], times: float, least: float = 0.003
) -> None:
    """Fail unless the large call takes less than `times` the CPU time of the small one, which counts as `least` at least.

    A machine that is busy makes one of the two slow at random, so they are measured again before it is a failure.
    """
    ratios: list[float] = []
    while len(ratios) < ATTEMPTS:
        ratios.append(cpu_seconds(large) / max(cpu_seconds(small), least))
        if ratios[-1] < times:
            return
    raise AssertionError(f"the time grew {min(ratios):.1f} times")
