"""The labels: rename one, give it another colour, take it away from all messages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.mail.counting import count
from termmail.mail.step_words import done_words, renamed_label_words, undone_words
from termmail.ui.screens import dialog
from termmail.ui.screens.ask_name import AskNameScreen
from termmail.ui.screens.label_picker import LABEL_STYLES
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from termmail.engine.message_marks import Marks
    from termmail.engine.undo import Journal
    from termmail.mail.model import Label, Step

KEYS = "Enter renames · c colour · z undo\nd removes it everywhere · Esc back"

NO_LABELS = "No labels yet. {key} on a message makes one."


class LabelListScreen(dialog.Dialog[None]):
    """Lists the labels with how many messages each has. What is done here is done at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("enter,r", "rename", "Rename"),
        Binding("c,tab", "color", "Next colour", priority=True),
        Binding("d,delete", "remove", "Remove"),
        Binding("z", "take_back", "Take back"),
    ]

    def __init__(self, marks: Marks, journal: Journal, key: str) -> None:
        super().__init__()
        self._marks = marks
        self._journal = journal
        self._key = key
        self._labels: list[Label] = []
        self._step: Step | None = None
        """What was done here last, as long as it can be taken back."""

    def compose(self) -> ComposeResult:
        """Yield the list and the keys."""
        with dialog.Frame(classes="dialog dialog-editable"):
            yield dialog.title("Labels")
            yield OptionList(classes="dialog-list", markup=False)
            yield dialog.Trouble()
            yield Static(KEYS, classes="dialog-quiet", markup=False)

    def on_mount(self) -> None:
        """Read the labels."""
        self.query_one(OptionList).focus()
        self._do(self._nothing)

    async def _nothing(self) -> str:
        return ""

    def _do(self, work: Callable[[], Awaitable[str]]) -> None:
        start_worker(self, partial(self._done, work), "labels")

    async def _done(self, work: Callable[[], Awaitable[str]]) -> None:
        said = self.query_one(dialog.Trouble)
        try:
            words = await work()
            await self._read()
        except UserError as error:
            said.say(f"{error} {error.advice}")
        else:
            said.say_done(words)

    async def _read(self) -> None:
        sizes, labels = await self._marks.label_sizes(), await self._marks.labels()
        chosen = self._chosen
        self._labels = labels
        shown = self.query_one(OptionList)
        place = shown.highlighted or 0
        lines = [Option(self._line(one, sizes.get(one.label_id, 0))) for one in self._labels]
        if not lines:
            lines.append(Option(Content(NO_LABELS.format(key=self._key)).stylize("$text-muted"), disabled=True))
        shown.clear_options()
        shown.add_options(lines)
        ids = [one.label_id for one in self._labels]
        if chosen is not None and chosen.label_id in ids:
            place = ids.index(chosen.label_id)
        shown.highlighted = min(place, len(self._labels) - 1) if self._labels else None

    @staticmethod
    def _line(label: Label, held: int) -> Content:
        name = (f"‹{sanitize.clean(label.name)}›", LABEL_STYLES[label.color])
        return Content.assemble(name, (f"  {count(held, 'message')}", "$quiet"))

    @property
    def _chosen(self) -> Label | None:
        place = self.query_one(OptionList).highlighted
        return self._labels[place] if place is not None and place < len(self._labels) else None

    def on_option_list_option_selected(self) -> None:
        """Rename a label with Enter or a click."""
        self.action_rename()

    def action_rename(self) -> None:
        """Ask for another name of the highlighted label."""
        if (label := self._chosen) is None:
            return

        def answered(name: str | None) -> None:
            if name:
                self._do(partial(self._rename, label, name))

        self.app.push_screen(AskNameScreen(f"Rename {label.name}", label.name, "Enter accepts the name"), answered)

    async def _rename(self, label: Label, name: str) -> str:
        done, keyword = await self._marks.rename_label(label.label_id, name)
        if done.step is None:
            return ""
        self._step = done.step
        return renamed_label_words(label.name, done.step, keyword)

    def action_color(self) -> None:
        """Give the highlighted label its next colour."""
        if (label := self._chosen) is not None:
            self._do(partial(self._recolor, label))

    async def _recolor(self, label: Label) -> str:
        await self._marks.recolor(label.label_id, label.color + 1)
        return ""

    def action_remove(self) -> None:
        """Take the highlighted label away from all messages."""
        if (label := self._chosen) is not None:
            self._do(partial(self._remove, label))

    async def _remove(self, label: Label) -> str:
        done = await self._marks.remove_label(label.label_id)
        self._step = done.step
        return f"{done_words(done)} · z brings it back" if done.step is not None else ""

    def action_take_back(self) -> None:
        """Take back what was done here last."""
        if self._step is not None:
            self._do(partial(self._take_back, self._step))

    async def _take_back(self, step: Step) -> str:
        self._step = None
        undone = await self._journal.undo_step(step)
        return "That cannot be taken back any more." if undone is None else undone_words(undone)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)
