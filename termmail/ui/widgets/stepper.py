"""One setting on a line: its name and its value, which the arrows change."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from termmail.ui.widgets.choice import Choice
from termmail.ui.widgets.list_row import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

NAME = 18
"""Cells of the name."""
LONGEST = 20
"""Cells of a value, where there is room."""
LEAST = 14
"""Cells of a value in a narrow dialog."""


class Stepper(Choice):
    """`> Name   ‹ value ›   2 of 4`: a choice of which one value is shown. Also `h` and `l` choose, `j` and `k` move on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "step(1)", show=False),
        Binding("h", "step(-1)", show=False),
        Binding("k", "app.focus_previous", show=False),
        Binding("j", "app.focus_next", show=False),
    ]

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], value: str, *, id: str) -> None:  # noqa: A002  Textual's word
        known = value in dict(choices)
        super().__init__(choices if known else [*choices, (value, value)], id=id)
        self.add_class("stepper")
        self._name_shown = name
        self.set_reactive(Choice.value, value)

    def render(self) -> Content:
        """Return the mark of the focus, the name, and the value between its arrows."""
        values = list(self._choices)
        left, right = ("‹", "›") if len(values) > 1 else (" ", " ")
        place = f"  {values.index(self.value) + 1} of {len(values)}"
        words = [
            "▌" if self.has_focus else " ",
            f" {fit(self._name_shown, self._name_cells)} ",
            (left, "$text-accent"),
            f" {fit(self._choices[self.value], self._value_cells)} ",
            (right, "$text-accent"),
        ]
        shown = Content.assemble(*words)
        with_place = Content.assemble(shown, (place, "$quiet"))
        return with_place if with_place.cell_length <= self.size.width else shown

    @property
    def _name_cells(self) -> int:
        return min(NAME, max(6, self.size.width - self._value_cells - 7))

    @property
    def _value_cells(self) -> int:
        return LONGEST if self.size.width >= NAME + LONGEST + 8 else LEAST

    def on_click(self, event: events.Click) -> None:
        """Choose the value before with a click left of the value, else the next one."""
        self.action_step(-1 if event.x < self._name_cells + 4 else 1)
