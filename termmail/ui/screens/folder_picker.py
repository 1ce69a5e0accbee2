"""A list of folders to choose from: by a letter, by typing a part of the name, or with the arrows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.content import Content

from termmail.ui.key_order import ShortcutUsed
from termmail.ui.screens.typed_picker import TypedPicker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events


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


class FolderPickerScreen(TypedPicker):
    """Dismisses the value of the row that was chosen, or None.

    A letter that stands before a line chooses it at once, as the first key only. Any other letter, or `/`, starts a
    name: from then on letters narrow the list, and Enter chooses. With `new`, a name that is not listed can be made
    and is dismissed as text; then no letter acts by itself, for a slip would move mail.
    """

    NOTHING = "No matching folder"

    def __init__(self, title: str, rows: Sequence[PickerRow], *, new: str = "") -> None:
        super().__init__(title)
        self._rows = rows
        self._new = new
        self._shortcuts = {} if new else {row.letter: row for row in rows if row.letter}
        self._typing = bool(new)

    def on_key(self, event: events.Key) -> None:
        """Choose by a shortcut, or add a letter to the name."""
        if not event.is_printable or event.character is None:
            return
        if not self._typing:
            self._typing = True
            if (row := self._shortcuts.get(event.character)) is not None:
                event.stop()
                event.prevent_default()
                self.app.post_message(ShortcutUsed(event.character, self._names(), event.time))
                self.dismiss(row.chosen())
            elif event.character == "/":
                event.stop()
                event.prevent_default()
                self.narrow("")

    def on_paste(self, event: events.Paste) -> None:  # noqa: ARG002 - Textual calls the method of the class below too
        """Take a pasted text as a name."""
        self._typing = True

    def _names(self) -> list[str]:
        """Return every word that a typed name may begin with."""
        return [part for row in self._rows for part in (row.name, *row.name.split())]

    def options(self, text: str) -> list[tuple[Content, Any]]:
        """Return the rows whose name holds the text; those that begin with it come first."""
        wanted = text.casefold().strip()
        hits = [row for row in self._rows if wanted in row.name.casefold()]
        hits.sort(key=lambda row: not row.name.casefold().startswith(wanted) if wanted else False)
        found = [(self._line(row), row.chosen()) for row in hits]
        if self._new and wanted and wanted not in {row.name.casefold() for row in self._rows}:
            line = Content.assemble((f"{self._new} ", "$quiet"), f"“{text.strip()}”")
            found.append((line, text.strip()))
        return found

    def hint(self) -> str:
        """Return how to choose."""
        if not self._typing:
            return "A letter at the left goes there at once · / or any other letter finds by name"
        if self.typed:
            return f"Name: {self.typed}▏ Enter chooses"
        return "Type a name · Enter chooses"

    def _line(self, row: PickerRow) -> Content:
        letter = "" if self._typing else row.letter
        return Content.assemble((f"{letter or ' '} ", "bold $text-accent"), f" {row.name}  ", (row.detail, "$quiet"))
