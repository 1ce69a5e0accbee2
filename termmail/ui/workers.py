"""Work behind the screen: it never keeps a key waiting, and what goes wrong in it is told, not fatal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.dom import DOMNode

# By itself a worker tells the widget that started it, and nobody else: the app would never hear of a bug.
Worker.StateChanged.bubble = True


def behind(
    node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = False
) -> None:
    """Start `work` as a worker of `node`, which ends with it; `exclusive` ends what runs in its group before.

    The coroutine is made only when the worker starts: one that is called off before that leaves nothing unawaited.
    """
    node.run_worker(work, group=group, exclusive=exclusive, exit_on_error=False)  # type: ignore[arg-type]  # its type knows no None
