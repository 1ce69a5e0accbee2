"""Choose the character set that a text is read in, where what the message names is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from termmail.mail.charset import CHOICES
from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult

COLUMN = 14
"""Cells of the names."""


class CharsetScreen(dialog.Dialog["str | None"]):
    """Dismisses the label that was chosen, "" for what the message names, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,E", "leave", "Back"),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
    ]

    def __init__(self, now: str) -> None:
        super().__init__()
        self._labels = ["", *CHOICES]
        self._now = now

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with dialog.Frame(classes="dialog"):
            yield dialog.title("Read this message in")
            yield OptionList(*map(self._shown, self._labels), classes="dialog-list", markup=False)
            yield dialog.quiet("Enter choose · Esc back")

    def _shown(self, label: str) -> Option:
        what = CHOICES.get(label, "the set that the message names")
        here = "  ← now" if label == self._now else ""
        return Option(Content.assemble(f"{label or 'as sent':<{COLUMN}}", (what, "$quiet"), here))

    def on_mount(self) -> None:
        """Put the cursor on the set that is in use."""
        listed = self.query_one(OptionList)
        listed.focus()
        listed.highlighted = self._labels.index(self._now)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose with Enter or a click."""
        self.dismiss(self._labels[event.option_index])

    def action_move(self, rows: int) -> None:
        """Move the cursor up or down."""
        listed = self.query_one(OptionList)
        if rows > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    def action_leave(self) -> None:
        """Go back without a choice."""
        self.dismiss(None)
