"""A visible list of places: a letter goes there at once, any other letter finds one by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from termmail.ui import typed_text
from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the list: what it is called, the letter that goes there ("" for none), what stands at its right."""

    name: str
    letter: str = ""
    detail: str = ""


class PlacesScreen(dialog.Dialog[str | None]):
    """Dismisses the name of the place that was chosen, or None. With `new` a name that is not there can be made."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("backspace", "shorten", show=False),
        Binding("enter", "choose", "Go"),
    ]

    def __init__(self, title: str, places: Sequence[Place], *, new: str = "") -> None:
        super().__init__()
        self._title = title
        self._places = places
        self._new = new
        self._typed = ""
        self._found: list[str] = []

    def compose(self) -> ComposeResult:
        """The list, and how to choose."""
        with dialog.Frame(classes="dialog places"):
            yield dialog.title(self._title)
            yield OptionList(classes="dialog-list", markup=False)
            yield Static("", classes="dialog-quiet places-typed", markup=False)

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    def on_mount(self) -> None:
        """Everything is listed."""
        self._narrow("")
        self._list.focus()

    def on_key(self, event: events.Key) -> None:
        """A letter of the list goes there; others are part of a name."""
        if not event.is_printable or event.character is None:
            return
        event.stop()
        if not self._typed:
            for place in self._places:
                if place.letter == event.character:
                    self.dismiss(place.name)
                    return
            if event.character == "/":
                self._narrow("", asked=True)
                return
        self._narrow(self._typed + typed_text.line(event.character))

    def _narrow(self, text: str, *, asked: bool = False) -> None:
        """Only the places whose name holds what was typed; those that begin with it first."""
        self._typed = text[:LONGEST_NAME]
        wanted = self._typed.casefold().strip()
        hits = [place for place in self._places if wanted in place.name.casefold()]
        hits.sort(key=lambda place: not place.name.casefold().startswith(wanted) if wanted else False)
        options = [Option(_shown(place, letters=not wanted)) for place in hits]
        self._found = [place.name for place in hits]
        if self._new and wanted and wanted not in {place.name.casefold() for place in self._places}:
            options.append(Option(Content.assemble((f"{self._new} ", "$foreground 60%"), f"“{self._typed.strip()}”")))
            self._found.append(self._typed.strip())
        self._list.clear_options()
        self._list.add_options(options)
        self._list.highlighted = 0 if options else None
        typing = self._typed or asked
        hint = f"Name: {self._typed}▏" if typing else "A letter goes there · any other letter finds by name"
        self.query_one(".places-typed", Static).update(Content(hint))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click."""
        self.dismiss(self._found[event.option_index])

    def action_shorten(self) -> None:
        """One letter back."""
        self._narrow(self._typed[:-1])

    def action_choose(self) -> None:
        """Enter where the list has nothing to choose."""

    def action_leave(self) -> None:
        """Back, without going anywhere."""
        self.dismiss(None)


def _shown(place: Place, *, letters: bool) -> Content:
    letter = place.letter if letters else ""
    return Content.assemble(
        (f"{letter or ' '} ", "bold $text-accent"), f" {place.name}  ", (place.detail, "$foreground 60%")
    )
