"""Run work in the background of a screen: it keeps no key waiting, and an error in it is reported, not fatal."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual.worker import Worker, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.app import App
    from textual.dom import DOMNode

VERBS = "verbs"
"""The group of the workers that store what the user did."""

# By default only the widget that started a worker gets its state, and the app would not learn of a bug.
Worker.StateChanged.bubble = True


def start_worker(
    node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = False
) -> None:
    """Start `work` as a worker of `node`, which ends with it; `exclusive` cancels what runs in its group.

    The coroutine is created when the worker starts, so a worker that is cancelled before leaves nothing unawaited.
    """
    node.run_worker(work, group=group, exclusive=exclusive, exit_on_error=False)  # type: ignore[arg-type]  # its type knows no None


async def unfinished(app: App[Any], group: str, patience: float) -> int:
    """Wait for the workers of a group, at most `patience` seconds; return how many are not done by then."""

    async def done(worker: Worker[Any]) -> None:
        with suppress(WorkerError):
            await worker.wait()

    waiting = {asyncio.ensure_future(done(worker)) for worker in app.workers if worker.group == group}
    if not waiting:
        return 0
    _, late = await asyncio.wait(waiting, timeout=patience)
    return len(late)


def no_eager_tasks() -> None:
    """Let every new task wait for the next turn of the loop, as it does before Python 3.12.

    From 3.12 on Textual makes tasks eager, though only outside its test mode. A worker then runs before the line that
    starts it has returned, and a screen is mounted before its style sheet is read.
    """
    asyncio.get_running_loop().set_task_factory(None)
