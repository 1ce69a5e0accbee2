"""Background tasks: one-off tasks that are ended at close, and loops that no failure ends.

A loop is a coroutine function that does what is due and then waits until more is. When it raises, the failure is told
once, the loop waits (longer each time, up to LONGEST_WAIT) and is run again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, TypeVar

from termmail.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

T = TypeVar("T")

log = logging.getLogger("termmail")

FIRST_WAIT = 2.0
"""Seconds before a loop that failed is run again; doubled with each failure in a row."""

LONGEST_WAIT = 240.0
"""Seconds, at most, between two attempts."""


class Tasks:
    """The background tasks of one Engine.

    `on_bug` is called with every exception that is not a UserError, on the loop.
    """

    def __init__(self, on_bug: Callable[[BaseException], None]) -> None:
        self._on_bug = on_bug
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a one-off task. `close` cancels it; an exception in it is logged and told."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep_running(
        self,
        step: Callable[[], Awaitable[None]],
        *,
        wake: asyncio.Event,
        on_failure: Callable[[UserError], None],
    ) -> asyncio.Task[None]:
        """Run `step` again and again until `close`.

        When it raises, wait, then go on: FIRST_WAIT seconds, doubled up to LONGEST_WAIT with each failure in a row;
        setting `wake` ends the wait. `on_failure` is called with a UserError, and again only when its words change or
        after a step succeeded; any other exception is a bug, told the same way to `on_bug`.
        """
        return self.run(self._keep_running(step, wake, on_failure))

    async def _keep_running(
        self, step: Callable[[], Awaitable[None]], wake: asyncio.Event, on_failure: Callable[[UserError], None]
    ) -> None:
        wait, told = FIRST_WAIT, ""
        while True:
            try:
                await step()
            except UserError as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("a background task waits %.0f s: %s", wait, error)
                    on_failure(error)
            except Exception as error:  # noqa: BLE001 - no bug ends a background task
                if repr(error) != told:
                    told = repr(error)
                    self._bug(error)
            else:
                wait, told = FIRST_WAIT, ""
                continue
            wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._bug(error)

    def _bug(self, error: BaseException) -> None:
        log.error("a background task failed", exc_info=error)
        self._on_bug(error)

    async def close(self) -> None:
        """Cancel every task and wait for their end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
