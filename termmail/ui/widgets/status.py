"""The lines around the mail: title and server state, what just happened, and the problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from termmail.mail.counting import number

if TYPE_CHECKING:
    from textual.geometry import Size

    from termmail.engine.events import Subject, SyncProgress

PROBLEMS_SHOWN = 3
PADDING = 2
"""Cells left and right of the problems."""

LINES = 3
"""Lines, at most, that the status takes."""

LEAST_BESIDE = 24
"""Cells that a text beside the selection needs; where they are not there, the selection is below it."""


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
        """Draw both ends of the line; where there is no room, the right end is left out first, then the last facts."""
        place, *facts = self._left or ("termmail",)
        rest = [words for words in facts if words]
        while True:
            left = Content.assemble((f" {place}", "bold"), *((f"  {words}", "$bar-quiet") for words in rest))
            if not rest or left.cell_length <= self.size.width:
                break
            rest.pop()
        room = self.size.width - left.cell_length - 2
        right = self._right if len(self._right) <= room else ""
        return Content.assemble(left, " " * max(0, room - len(right) + 1), (right, "$bar-quiet"))


class StatusLine(Widget):
    """What just happened or is going on, the countdown of a send, and at the right the selection.

    A text that does not fit takes more lines, and gives them back.
    """

    def __init__(self) -> None:
        super().__init__(id="status")
        self._said = ""
        self._about = 0
        self._is_news = False
        self._reports: dict[str, str] = {}
        self._timer_serial = 0
        self._countdown = ""
        self._progress: SyncProgress | None = None
        self._right = ""

    def say(self, words: str, seconds: float = 8.0, *, about: int = 0) -> None:
        """Show the answer to a key for so many seconds, or until the next action.

        `about` is the message that it is true of: with another one it goes.
        """
        self._show(words, seconds)
        self._about = about

    def announce(self, words: str, seconds: float = 8.0) -> None:
        """Show news that no key asked for, for so many seconds, whatever is done meanwhile."""
        self._show(words, seconds)
        self._is_news = True

    def move_on(self) -> None:
        """Remove what was said of the action before: the user does something else. News stay."""
        if self._said and not self._is_news:
            self.say("")

    def only_about(self, message_id: int) -> None:
        """Remove what was said about another message than this one."""
        if self._about not in {0, message_id}:
            self.say("")

    def report(self, account: str, words: str) -> None:
        """Show what a sync came to, behind what is still shown of the syncs of other accounts.

        It is left out while the answer to a key is still to be read.
        """
        if not self._said or self._reports:
            reports = self._reports | {account: words}
            self.announce(" · ".join(reports.values()))
            self._reports = reports

    def _show(self, words: str, seconds: float) -> None:
        self._said, self._about, self._is_news, self._reports = words, 0, False, {}
        self._timer_serial += 1
        serial = self._timer_serial
        self._again()
        if words:
            self.set_timer(seconds, lambda: self._hush(serial))

    def _hush(self, serial: int) -> None:
        if serial == self._timer_serial:
            self._said, self._reports = "", {}
            self._again()

    def count_down(self, words: str) -> None:
        """Show the countdown of a message about to go out; "" ends it."""
        if words != self._countdown:
            self._countdown = words
            self._again()

    def progress(self, event: SyncProgress | None) -> None:
        """Show how far a sync has come; None, or a sync that has ended, removes the bar."""
        self._progress = event if event is not None and event.running else None
        self._again()

    def right(self, words: str) -> None:
        """Show words at the right end: how many messages are selected."""
        if words != self._right:
            self._right = words
            self._again()

    def _again(self) -> None:
        """Paint again; lay out again only where the text needs another number of lines."""
        self.refresh(layout=bool(self.size.width) and len(self._lines(self.size.width)) != self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        """Return the lines that the text needs."""
        return len(self._lines(width))

    def render(self) -> Content:
        """Draw what was said or else the progress, the countdown, and at the right the selection."""
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        """Return what is shown, in lines of this width; the selection always, of the rest what there is room for."""
        right = Content.styled(self._right, "$text-accent")
        below = bool(right) and right.cell_length > width - LEAST_BESIDE
        reserved = right.cell_length + 2 if right and not below else 0
        room = max(1, width - 2 - reserved)
        most = LINES - below
        lines = self._left(room)
        if len(lines) > most:
            lines = [*lines[: most - 1], Content.assemble(lines[most - 1].truncate(max(1, room - 1)).rstrip(), "…")]
        lines = [Content.assemble(" ", line) for line in lines]
        if reserved:
            lines[0] = Content.assemble(lines[0], " " * (width - 1 - lines[0].cell_length - right.cell_length), right)
        return [*lines, Content.assemble(" ", right)] if below else lines

    def _left(self, room: int) -> list[Content]:
        """Return what was said or else the progress, and the countdown behind it, or below it where both do not fit."""
        countdown = Content.styled(self._countdown, "$text-accent bold")
        left = Content(self._said) if self._said else self._bar(self._progress, room) if self._progress else Content("")
        if left and countdown:
            both = Content.assemble(left, "   ", countdown)
            return [both] if both.cell_length <= room else [*left.wrap(room), *countdown.wrap(room)]
        return (left or countdown).wrap(room) or [Content("")]

    def _bar(self, event: SyncProgress, room: int) -> Content:
        what = f"Receiving: {event.what} "
        if not event.total:
            return Content.assemble((f"{what}…", "$quiet"))
        counts = f" {number(event.done)} of {number(event.total)}"
        cells = max(4, min(30, room - len(what) - len(counts)))
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
