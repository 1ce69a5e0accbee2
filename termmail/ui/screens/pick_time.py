"""Asks for a time to come: one of those offered, or one that is typed, with what was understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from termmail.mail import when
from termmail.ui.screens.typed_picker import TypedPicker

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_TIME = 0
"""What the screen dismisses for the choice that takes a time away."""


class PickTimeScreen(TypedPicker):
    """Dismisses a time (UTC seconds), NO_TIME for the line `without`, or None."""

    NOTHING = "That is not a time. Try: tomorrow 9, mon, in 2 hours, 3 dec, next week"

    def __init__(self, title: str, now: float, *, without: str = "") -> None:
        super().__init__(title)
        self._now = now
        self._offered: Sequence[when.Choice] = when.choices(now)
        self._without = without

    def options(self, text: str) -> list[tuple[Content, Any]]:
        """Return what was understood of the text, then the offered times whose name begins so."""
        wanted = text.casefold().strip()
        found: list[tuple[Content, Any]] = []
        if wanted and (typed := when.parse(wanted, self._now)) is not None:
            found.append((_line(text.strip(), when.words(typed, self._now)), typed))
        for name, at in self._offered:
            if name.casefold().startswith(wanted) and at not in {value for _, value in found}:
                found.append((_line(name, when.words(at, self._now)), at))
        if self._without and self._without.casefold().startswith(wanted):
            found.append((_line(self._without, ""), NO_TIME))
        return found

    def hint(self) -> str:
        """Return how to choose."""
        if self.typed:
            return f"Time: {self.typed}▏\nEnter chooses · Esc back"
        return "Or type a time, as in: tomorrow 9\nEnter chooses · Esc back"


def _line(name: str, shown: str) -> Content:
    return Content.assemble(f" {name:<18} ", (shown, "$quiet"))
