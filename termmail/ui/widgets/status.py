"""The lines around the mail: title and server state, what just happened, and the problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from termmail.mail.counting import number

if TYPE_CHECKING:
    from termmail.engine.events import Subject, SyncProgress

PROBLEMS_SHOWN = 3
PADDING = 2
"""Cells left and right of the problems."""


class TitleLine(Widget):
    """Account and folder at the left, the state of the server at the right."""

    def __init__(self) -> None:
        super().__init__(id="title")
        self._left: tuple[str, ...] = ()
        self._right = ""

    def show(self, left: tuple[str, ...], right: str) -> None:
        """Show the place and its facts (`left`) and the server state. Nothing is painted where nothing changed."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render(self) -> Content:
        """Draw both ends of the line; where there is no room, the right end is left out first."""
        place, *rest = self._left or ("termmail",)
        left = Content.assemble((f" {place}", "bold"), *((f"  {words}", "$bar-quiet") for words in rest if words))
        room = self.size.width - left.cell_length - 2
        right = self._right if len(self._right) <= room else ""
        if not right and rest and left.cell_length > self.size.width:
            left = Content.assemble((f" {place}", "bold"))
        return Content.assemble(left, " " * max(0, room - len(right) + 1), (right, "$bar-quiet"))


class StatusLine(Widget):
    """What just happened or is going on, the countdown of a send, and at the right the selection."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._said = ""
        self._reports: dict[str, str] = {}
        self._timer_serial = 0
        self._countdown = ""
        self._progress: SyncProgress | None = None
        self._right = ""

    def say(self, words: str, seconds: float = 8.0) -> None:
        """Show words for so many seconds."""
        self._said, self._reports = words, {}
        self._timer_serial += 1
        serial = self._timer_serial
        self.refresh()
        if words:
            self.set_timer(seconds, lambda: self._hush(serial))

    def move_on(self) -> None:
        """Remove what was said of the action before: the user does something else. Reports of a sync stay."""
        if self._said and not self._reports:
            self.say("")

    def report(self, account: str, words: str) -> None:
        """Show what a sync came to, behind what is still shown of the syncs of other accounts.

        It is left out while the answer to a key is still to be read.
        """
        if not self._said or self._reports:
            reports = self._reports | {account: words}
            self.say(" · ".join(reports.values()))
            self._reports = reports

    def _hush(self, serial: int) -> None:
        if serial == self._timer_serial:
            self._said, self._reports = "", {}
            self.refresh()

    def count_down(self, words: str) -> None:
        """Show the countdown of a message about to go out; "" ends it."""
        if words != self._countdown:
            self._countdown = words
            self.refresh()

    def progress(self, event: SyncProgress | None) -> None:
        """Show how far a sync has come; None, or a sync that has ended, removes the bar."""
        self._progress = event if event is not None and event.running else None
        self.refresh()

    def right(self, words: str) -> None:
        """Show words at the right end: how many messages are selected."""
        if words != self._right:
            self._right = words
            self.refresh()

    def render(self) -> Content:
        """Draw what was said or else the progress, and the countdown behind it; alone where there is no room for both."""
        countdown = Content.assemble((f" {self._countdown}", "$text-accent bold")) if self._countdown else Content("")
        left = Content(f" {self._said}") if self._said else self._bar(self._progress) if self._progress else Content("")
        if left and countdown:
            both = Content.assemble(left, "  ", countdown)
            left = both if both.cell_length < self.size.width else countdown
        elif countdown:
            left = countdown
        room = self.size.width - left.cell_length - 2
        right = self._right if len(self._right) <= room else ""
        return Content.assemble(left, " " * max(0, room - len(right) + 1), (right, "$text-accent"))

    def _bar(self, event: SyncProgress) -> Content:
        what = f" Receiving: {event.what} "
        if not event.total:
            return Content.assemble((f"{what}…", "$quiet"))
        counts = f" {number(event.done)} of {number(event.total)}"
        cells = max(4, min(30, self.size.width - len(what) - len(counts) - 2))
        done = round(cells * min(event.done, event.total) / event.total)
        return Content.assemble(
            (what, "$quiet"), ("━" * done, "$primary"), ("─" * (cells - done), "$frame"), (counts, "")
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong: one sentence, what to do next, and the account concerned ("" for none).

    Of several problems with the same `about` only the newest is kept.
    """

    words: str
    advice: str = ""
    account: str = ""
    about: Subject | None = field(default=None, compare=False)


class Problems(Static):
    """The problems that were not read yet; `dismiss` removes the newest."""

    def __init__(self) -> None:
        super().__init__("", id="problems", markup=False)
        self.all: list[Problem] = []
        self.dismiss_key = "Esc"
        self._read: set[Problem] = set()

    def add(self, problem: Problem) -> None:
        """Add a problem. The same one is shown once; after it was read, not again until `forget`."""
        self.settle(problem.about)
        if problem in self._read and problem.account:
            return
        self.all = [*(known for known in self.all if known != problem), problem]
        self._show()

    def settle(self, about: Subject | None) -> None:
        """Remove the problem about this subject: it no longer applies."""
        left = [known for known in self.all if about is None or known.about != about]
        if left != self.all:
            self.all = left
            self._show()

    def forget(self, account: str) -> None:
        """Show the next problem of this account, even one that was read: its server answers or is asked again."""
        self._read = {problem for problem in self._read if problem.account != account}

    def dismiss(self) -> bool:
        """Remove the newest problem; return False where there is none."""
        if not self.all:
            return False
        self._read.add(self.all.pop())
        self._show()
        return True

    def _show(self) -> None:
        self.set_class(bool(self.all), "-shown")
        lines = [_problem(problem) for problem in reversed(self.all[-PROBLEMS_SHOWN:])]
        if len(self.all) > PROBLEMS_SHOWN:
            lines.append(Content(f"and {len(self.all) - PROBLEMS_SHOWN} more"))
        hint = Content.assemble((f"{self.dismiss_key} hides this.", "$alert-text"))
        if len(lines) == 1 and lines[0].cell_length + 2 + hint.cell_length <= self.app.size.width - PADDING:
            lines = [Content.assemble(lines[0], "  ", hint)]
        else:
            lines.append(hint)
        self.update(Content("\n").join(lines))


def _problem(problem: Problem) -> Content:
    account = f"{problem.account}: " if problem.account else ""
    return Content.assemble(("! ", "bold $alert-text"), (f"{account}{problem.words}", "bold"), f" {problem.advice}")
