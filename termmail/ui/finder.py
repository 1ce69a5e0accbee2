"""Find words in the shown text, off the loop: mark every hit, and go from one to the next."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from termmail.engine.threads import OutOfTimeError, run_stoppable
from termmail.mail import needle
from termmail.mail.counting import number
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from termmail.mail.check import Check
    from termmail.mail.message import Rendered
    from termmail.mail.needle import Haystack, Hit
    from termmail.ui.widgets.text_view import TextView

FIND_LIMIT = 5.0
"""Seconds that making a text ready to be searched may take."""

WAITING = "…"
NOT_FOUND = "not found"


class Finder:
    """What was looked for in a text view, and the hits in the text that it shows now."""

    def __init__(self, view: TextView, tell: Callable[[str], object]) -> None:
        self._view = view
        self._tell = tell
        """Called with the words for where the user is: "3 of 17"."""
        self.words = ""
        """What was looked for last. It stays when the marks go."""
        self.marks = False
        """Hits are marked, or would be if there were any."""
        self._hits: list[Hit] = []
        self._at = 0
        self._from = 0
        """The line from which the first hit is looked for."""
        self._ready: tuple[Rendered, Haystack] | None = None
        self._turn = asyncio.Lock()

    @property
    def found(self) -> bool:
        """Whether the words are in the text."""
        return bool(self._hits)

    def begin(self) -> None:
        """Look for the first hit from the top of the window on."""
        self._from = self._view.scroll_offset.y

    def look_for(self, words: str) -> None:
        """Mark these words in the text, and go to the first of them behind the line where the search began."""
        self.words, self.marks = words, True
        self._start(partial(self._look, None))

    def other_text(self, *, keep: bool) -> None:
        """Start from the first hit again, for another text is shown; with `keep` its hits are marked."""
        self._at = self._from = 0
        self._hits = []
        self.marks = self.marks and keep

    def look_again(self) -> None:
        """Mark the same words in the text that is shown by now: another message, or the same at another width."""
        if self.marks:
            self._start(partial(self._look, self._at))

    def step(self, by: int) -> None:
        """Go to the next hit (1) or the previous one (-1), around the end."""
        if not self.words:
            return
        start_worker(self._view, partial(self._step, by), "find-step")

    def clear(self) -> None:
        """Remove the marks. The words stay for the next time."""
        self._view.workers.cancel_group(self._view, "find")
        self._hits, self.marks = [], False
        self._view.mark((), None)
        self._tell("")

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        start_worker(self._view, work, "find", exclusive=True)

    async def _look(self, at: int | None) -> None:
        async with self._turn:
            await self._find(at)

    async def _step(self, by: int) -> None:
        async with self._turn:
            if not self.marks:
                self.marks = True
                await self._find(self._at)
            elif self._hits:
                self._at = (self._at + by) % len(self._hits)
                self._show()

    async def _find(self, at: int | None) -> None:
        """Find the words again, and go to the hit of this number, else to the first one from the first line on."""
        rendered, words = self._view.rendered, self.words
        if self._ready is None or self._ready[0] is not rendered:
            self._tell(WAITING)
            try:
                self._ready = (rendered, await run_stoppable(partial(_index, rendered), seconds=FIND_LIMIT))
            except OutOfTimeError:
                self._tell("this text is too long to look through")
                return
        self._hits = await asyncio.to_thread(needle.find, self._ready[1], words)
        if self._view.rendered is not rendered or self.words != words:
            return  # another look follows
        if not self._hits and words.strip() and self._view.unfold():
            return  # likewise
        if at is None:
            at = next((place for place, hit in enumerate(self._hits) if hit[0].line >= self._from), 0)
        self._at = min(at, max(0, len(self._hits) - 1))
        self._show()

    def _show(self) -> None:
        self._view.mark(self._hits, self._hits[self._at] if self._hits else None)
        self._tell(self._told())

    def _told(self) -> str:
        if not self.words.strip():
            return ""
        if not self._hits:
            return NOT_FOUND
        more = "+" if len(self._hits) == needle.HITS_LIMIT else ""
        return f"{number(self._at + 1)} of {number(len(self._hits))}{more}"


def _index(rendered: Rendered, check: Check) -> Haystack:
    return needle.index([line.text for line in rendered.lines], check)
