"""One setting on a line: its name and its value, which the arrows change."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

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


class Stepper(Widget, can_focus=True):
    """`> Name   ‹ value ›   2 of 4`; the arrows left and right, Space or a click choose, up and down move on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right,l", "step(1)", show=False),
        Binding("left,h", "step(-1)", show=False),
        Binding("up,k", "app.focus_previous", show=False),
        Binding("down,j", "app.focus_next", show=False),
    ]

    value: reactive[str] = reactive("")

    class Changed(Message):
        """Posted when the user chooses another value."""

        def __init__(self, stepper: Stepper) -> None:
            super().__init__()
            self.stepper = stepper

        @property
        def control(self) -> Stepper:
            """Return the widget, for `on`."""
            return self.stepper

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], value: str, *, id: str) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id, classes="stepper")
        self._name_shown = name
        self._choices = dict(choices)
        if value not in self._choices:
            self._choices[value] = value
        self.set_reactive(Stepper.value, value)

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

    def choose(self, value: str) -> None:
        """Choose as the user does."""
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self))

    def action_step(self, step: int) -> None:
        """Choose the next value, or the one before; behind the last comes the first."""
        values = list(self._choices)
        self.choose(values[(values.index(self.value) + step) % len(values)])

    def on_click(self, event: events.Click) -> None:
        """Choose the value before with a click left of the value, else the next one."""
        self.action_step(-1 if event.x < self._name_cells + 4 else 1)
