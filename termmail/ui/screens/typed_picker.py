"""A list that follows what is typed: what all pickers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from termmail.ui import typed_text
from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

LONGEST = 60
"""Characters that can be typed."""


class TypedPicker(dialog.Dialog[Any]):
    """Lists `options` of the typed text; Enter or a click takes one, Esc goes back.

    A picker says what it lists (`options`), what the last line says (`hint`), and what is done with a choice (`take`).
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("backspace", "shorten", show=False),
        Binding("ctrl+u", "clear", show=False),
        Binding("enter", "choose", "Take"),
    ]
    NOTHING = "Nothing matches"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.typed = ""
        self._found: list[Any] = []

    def compose(self) -> ComposeResult:
        """Yield the title, the list, and the line that says how to choose."""
        with dialog.Frame(classes="dialog places"):
            yield dialog.title(self._title)
            yield OptionList(classes="dialog-list", markup=False)
            yield Static("", classes="dialog-quiet places-typed", markup=False)

    @property
    def choices(self) -> OptionList:
        """The list."""
        return self.query_one(OptionList)

    @property
    def highlighted(self) -> Any:
        """What the highlighted line stands for, or None."""
        place = self.choices.highlighted
        return self._found[place] if place is not None and place < len(self._found) else None

    def on_mount(self) -> None:
        """List everything."""
        self.narrow("")
        self.choices.focus()

    # -- what each picker says itself

    def options(self, text: str) -> list[tuple[Content, Any]]:
        """Return the lines for what is typed, each with the value it stands for."""
        raise NotImplementedError

    def hint(self) -> str:
        """Return what the last line says."""
        raise NotImplementedError

    def take(self, value: Any) -> None:
        """Use a choice."""
        self.dismiss(value)

    # -- typing

    def on_key(self, event: events.Key) -> None:
        """Add a letter to the text."""
        if event.is_printable and event.character is not None:
            event.stop()
            self.narrow(self.typed + typed_text.line(event.character))

    def on_paste(self, event: events.Paste) -> None:
        """Add a pasted text."""
        event.stop()
        self.narrow(self.typed + typed_text.line(event.text))

    def narrow(self, text: str, *, at: int = 0) -> None:
        """List what there is for the text, and highlight one of the lines."""
        self.typed = text[:LONGEST]
        shown = self.options(self.typed)
        self._found = [value for _, value in shown]
        lines = [Option(line) for line, _ in shown]
        if not lines:
            lines.append(Option(Content(self.NOTHING).stylize("$text-muted"), disabled=True))
        self.choices.clear_options()
        self.choices.add_options(lines)
        self.choices.highlighted = min(at, len(shown) - 1) if shown else None
        self.query_one(".places-typed", Static).update(Content(self.hint()))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take a line with Enter or a click."""
        if event.option_index < len(self._found):
            self.take(self._found[event.option_index])

    def action_shorten(self) -> None:
        """Delete the last letter."""
        self.narrow(self.typed[:-1])

    def action_clear(self) -> None:
        """Delete the text."""
        self.narrow("")

    def action_choose(self) -> None:
        """Do nothing on Enter where the list has nothing to take."""

    def action_leave(self) -> None:
        """Go back without a choice."""
        self.dismiss(None)
