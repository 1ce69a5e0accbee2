"""The journal behind `z`: what was done last, and how to take it back."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KEPT = 100
"""How many steps back `z` reaches."""


class Journal:
    """The steps of this run, newest last. It is not kept on disk: what it undoes is."""

    def __init__(self) -> None:
        self._steps: deque[Callable[[], Awaitable[str | None]]] = deque(maxlen=KEPT)

    def add(self, takes_back: Callable[[], Awaitable[str | None]]) -> None:
        """Remember one thing done. `takes_back` undoes it and returns the words for the reader, or None when it is too
        late."""
        self._steps.append(takes_back)

    async def undo(self) -> str | None:
        """Take back the newest step that still can be; None when there is nothing left."""
        while self._steps:
            words = await self._steps.pop()()
            if words is not None:
                return words
        return None
