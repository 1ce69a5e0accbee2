"""Puts labels on messages and takes them away: several at once, new ones by typing, each with its colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct
from textual.binding import Binding, BindingType
from textual.content import Content

from termmail.mail import sanitize
from termmail.mail.model import LABEL_COLORS
from termmail.ui.screens.typed_picker import TypedPicker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from termmail.mail.model import Label

LABEL_STYLES = tuple(f"$label-{number}" for number in range(1, LABEL_COLORS + 1))
"""The colours of labels in dialogs; the list has the same ones as `list--label-0` and so on."""


class Labelling(Struct, frozen=True):
    """What the user wants: names of labels to put on, ids of labels to take away, and labels with another colour."""

    add: tuple[str, ...] = ()
    take: tuple[int, ...] = ()
    colors: dict[int, int] = {}


class Manage(Struct, frozen=True):
    """The user wants to change the labels themselves."""


class LabelPickerScreen(TypedPicker):
    """Dismisses a Labelling, Manage, or None.

    `present` says how many of the `total` messages have each label. Space marks and unmarks a label and stays, Enter
    sets what is marked; with nothing marked it takes the highlighted label. Tab gives a label its next colour.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "color", "Next colour", priority=True),
        Binding("f2", "manage", "Rename or remove"),
    ]
    NOTHING = "No label yet: type a name"

    def __init__(self, title: str, labels: Sequence[Label], present: Mapping[int, int], total: int) -> None:
        super().__init__(title)
        self._labels = labels
        self._present = present
        self._total = total
        self._wanted: dict[str, bool] = {}
        """What was marked or unmarked here, by the name of the label."""
        self._colors: dict[int, int] = {}
        self._new: list[str] = []

    def options(self, text: str) -> list[tuple[Content, Any]]:
        """Return the labels whose name holds the text, and a new one of this name."""
        wanted = " ".join(text.split())
        names = [*(one.name for one in self._labels), *self._new]
        found: list[tuple[Content, Any]] = [
            (self._line(one.name, self._colors.get(one.label_id, one.color)), one.name)
            for one in self._labels
            if wanted.casefold() in one.name.casefold()
        ]
        found += [(self._line(name, None), name) for name in self._new if wanted.casefold() in name.casefold()]
        if wanted and wanted.casefold() not in {name.casefold() for name in names}:
            found.append((Content.assemble(("    New label ", "$quiet"), f"“{wanted}”"), wanted))
        return found

    def _line(self, name: str, color: int | None) -> Content:
        style = "" if color is None else LABEL_STYLES[color % LABEL_COLORS]
        return Content.assemble(f"{self._mark(name)} ", (f"‹{sanitize.clean(name)}›", style))

    def _mark(self, name: str) -> str:
        if name in self._wanted:
            return "[x]" if self._wanted[name] else "[ ]"
        has = next((self._present.get(one.label_id, 0) for one in self._labels if one.name == name), 0)
        return "[ ]" if not has else "[x]" if has == self._total else "[-]"

    def hint(self) -> str:
        """Return how to choose."""
        if self.typed:
            return f"Name: {self.typed}▏\nEnter sets it · Esc back"
        if not self._labels:
            return "Type a name · Enter makes the label\nEsc back"
        return "Type a name · Space marks several\nEnter sets · Tab colour · F2 change"

    def on_key(self, event: Any) -> None:
        """Mark the highlighted label with a space, where no name is being typed."""
        if event.character == " " and not self.typed:
            event.stop()
            event.prevent_default()
            self._toggle(self.highlighted)

    def _toggle(self, name: str | None) -> None:
        if name is None:
            return
        if name not in {*(one.name for one in self._labels), *self._new}:
            self._new.append(name)
        self._wanted[name] = self._mark(name) != "[x]"
        self.narrow(self.typed, at=self.choices.highlighted or 0)

    def action_color(self) -> None:
        """Give the highlighted label its next colour."""
        label = next((one for one in self._labels if one.name == self.highlighted), None)
        if label is not None:
            now = self._colors.get(label.label_id, label.color)
            self._colors[label.label_id] = (now + 1) % LABEL_COLORS
            self.narrow(self.typed, at=self.choices.highlighted or 0)

    def action_manage(self) -> None:
        """Go to the list in which labels are renamed and removed."""
        self.dismiss(Manage())

    def take(self, value: Any) -> None:
        """Set what is marked; where nothing is, or a name was typed, the chosen label too."""
        if self.typed or not (self._wanted or self._colors):
            self._toggle(value)
        ids = {one.name: one.label_id for one in self._labels}
        add = tuple(name for name, on in self._wanted.items() if on)
        away = tuple(ids[name] for name, on in self._wanted.items() if not on and name in ids)
        self.dismiss(Labelling(add, away, self._colors))
