"""A list of folders to choose from: by a letter, by typing a part of the name, or with the arrows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from termmail.ui import typed_text
from termmail.ui.key_order import ShortcutUsed
from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class PickerRow:
    """One line of the list.

    `name` is shown and searched, `letter` chooses the line at once ("" for none), `detail` stands at its right.
    `value` is what the screen dismisses; None stands for the name.
    """

    name: str
    letter: str = ""
    detail: str = ""
    value: Any = None

    def chosen(self) -> Any:
        """Return what choosing this line means."""
        return self.name if self.value is None else self.value


class FolderPickerScreen(dialog.Dialog[Any]):
    """Dismisses the value of the row that was chosen, or None.

    A letter that stands before a line chooses it at once, as the first key only. Any other letter, or `/`, starts a
    name: from then on letters narrow the list, and Enter chooses. With `new`, a name that is not listed can be made
    and is dismissed as text; then no letter acts by itself, for a slip would move mail.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("backspace", "shorten", show=False),
        Binding("ctrl+u", "clear", show=False),
        Binding("enter", "choose", "Go"),
    ]

    def __init__(self, title: str, rows: Sequence[PickerRow], *, new: str = "") -> None:
        super().__init__()
        self._title = title
        self._rows = rows
        self._new = new
        self._shortcuts = {} if new else {row.letter: row for row in rows if row.letter}
        self._typing = bool(new)
        self._typed = ""
        self._found: list[Any] = []

    def compose(self) -> ComposeResult:
        """Yield the title, the list, and the line that says how to choose."""
        with dialog.Frame(classes="dialog places"):
            yield dialog.title(self._title)
            yield OptionList(classes="dialog-list", markup=False)
            yield Static("", classes="dialog-quiet places-typed", markup=False)

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    def on_mount(self) -> None:
        """List all rows."""
        self._narrow("")
        self._list.focus()

    def on_key(self, event: events.Key) -> None:
        """Choose by a shortcut, or add a letter to the name."""
        if not event.is_printable or event.character is None:
            return
        event.stop()
        if not self._typing:
            self._typing = True
            if (row := self._shortcuts.get(event.character)) is not None:
                self.app.post_message(ShortcutUsed(event.character, self._names(), event.time))
                self.dismiss(row.chosen())
                return
            if event.character == "/":
                self._narrow("")
                return
        self._narrow(self._typed + typed_text.line(event.character))

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted text as a name."""
        event.stop()
        self._typing = True
        self._narrow(self._typed + typed_text.line(event.text))

    def _names(self) -> list[str]:
        """Return every word that a typed name may begin with."""
        return [part for row in self._rows for part in (row.name, *row.name.split())]

    def _narrow(self, text: str) -> None:
        """List the rows whose name holds the text; those that begin with it come first."""
        self._typed = text[:LONGEST_NAME]
        wanted = self._typed.casefold().strip()
        hits = [row for row in self._rows if wanted in row.name.casefold()]
        hits.sort(key=lambda row: not row.name.casefold().startswith(wanted) if wanted else False)
        options = [Option(self._line(row)) for row in hits]
        self._found = [row.chosen() for row in hits]
        if self._new and wanted and wanted not in {row.name.casefold() for row in self._rows}:
            options.append(Option(Content.assemble((f"{self._new} ", "$quiet"), f"“{self._typed.strip()}”")))
            self._found.append(self._typed.strip())
        if not options:
            options.append(Option(Content("No matching folder").stylize("$quiet"), disabled=True))
        self._list.clear_options()
        self._list.add_options(options)
        self._list.highlighted = 0 if self._found else None
        self.query_one(".places-typed", Static).update(Content(self._hint()))

    def _hint(self) -> str:
        if not self._typing:
            return "A letter at the left goes there at once · / or any other letter finds by name"
        if self._typed:
            return f"Name: {self._typed}▏ Enter chooses"
        return "Type a name · Enter chooses"

    def _line(self, row: PickerRow) -> Content:
        letter = "" if self._typing else row.letter
        return Content.assemble((f"{letter or ' '} ", "bold $text-accent"), f" {row.name}  ", (row.detail, "$quiet"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose with Enter or a click."""
        if event.option_index < len(self._found):
            self.dismiss(self._found[event.option_index])

    def action_shorten(self) -> None:
        """Delete the last letter."""
        self._narrow(self._typed[:-1])

    def action_clear(self) -> None:
        """Delete the name."""
        self._narrow("")

    def action_choose(self) -> None:
        """Do nothing on Enter where the list has nothing to choose."""

    def action_leave(self) -> None:
        """Go back without choosing."""
        self.dismiss(None)
