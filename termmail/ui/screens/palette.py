"""The palette: find any action by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from termmail.ui import typed_text
from termmail.ui.action_search import elsewhere, matching
from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from termmail.ui.actions import Action
    from termmail.ui.keymap import Keymap

LONGEST = 60
COLUMN = 38
ROOM = 60
"""Columns a terminal needs for the keys to be aligned."""


class FindActionScreen(dialog.Dialog["Action | None"]):
    """Dismisses the action that was chosen, or None.

    Enter takes the marked line. Nothing is marked while nothing is typed or nothing matches: then Enter does nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("backspace", "shorten", show=False),
        Binding("ctrl+u", "clear", show=False),
    ]

    def __init__(self, actions: Sequence[Action], keys: Keymap) -> None:
        super().__init__()
        self._actions = actions
        self._keys = keys
        self._typed = ""
        self._found: list[Action] = []

    def compose(self) -> ComposeResult:
        """Yield what was typed and the list below it."""
        with dialog.Frame(classes="dialog find-action"):
            yield Static("", classes="find-action-typed", markup=False)
            yield OptionList(classes="dialog-list", markup=False)
            yield dialog.quiet("Enter does it · Esc back")

    def on_mount(self) -> None:
        """List all actions."""
        self._narrow("")
        self.query_one(OptionList).focus()

    def on_key(self, event: events.Key) -> None:
        """Narrow the list by a letter."""
        if event.is_printable and event.character is not None:
            event.stop()
            self._narrow(self._typed + typed_text.line(event.character))

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted text as typed."""
        event.stop()
        self._narrow(self._typed + typed_text.line(event.text))

    def _narrow(self, text: str) -> None:
        self._typed = text[:LONGEST].lstrip()
        self._found = matching(self._actions, self._typed)
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options([Option(self._line(action)) for action in self._found])
        if not self._found:
            words = elsewhere(self._typed) or "No matching action"
            shown.add_option(Option(Content(words).stylize("$quiet"), disabled=True))
        shown.highlighted = 0 if self._found and self._typed else None
        line = Content(f"{self._typed}▏") if self._typed else Content.assemble("▏", ("Find an action", "$quiet"))
        self.query_one(".find-action-typed", Static).update(line)

    def _line(self, action: Action) -> Content:
        column = COLUMN if self.app.size.width >= ROOM else 0
        return Content.assemble(
            f"{action.name:<{column}}  ", (self._keys.all_shown(action.id) if action.id else "", "$quiet")
        )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose with Enter or a click. The list may have changed since."""
        if event.option_index < len(self._found):
            self.dismiss(self._found[event.option_index])

    def action_shorten(self) -> None:
        """Delete the last letter."""
        self._narrow(self._typed[:-1])

    def action_clear(self) -> None:
        """Delete all letters."""
        self._narrow("")

    def action_leave(self) -> None:
        """Go back without a choice."""
        self.dismiss(None)
