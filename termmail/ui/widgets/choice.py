"""A choice between a few words on one line, whose state shows without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

GAP = 3
"""Cells between two choices."""


class Choice(Widget, can_focus=True):
    """`(x) one   ( ) another`; the arrows left and right, Space or a click choose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right", "step(1)", show=False),
        Binding("left", "step(-1)", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down,enter", "app.focus_next", show=False),
    ]

    value: reactive[str] = reactive("")

    class Changed(Message):
        """Posted when the user chooses another value; not when the program sets one."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

        @property
        def control(self) -> Choice:
            """Return the widget, for `on`."""
            return self.choice

    def __init__(self, choices: Sequence[tuple[str, str]], *, id: str) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id)
        self._choices = dict(choices)
        self.set_reactive(Choice.value, choices[0][0])

    def render(self) -> Content:
        """Return the choices, each behind its mark."""
        return Content((" " * GAP).join(self._marked(value) for value in self._choices))

    def _marked(self, value: str) -> str:
        return f"({'x' if value == self.value else ' '}) {self._choices[value]}"

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
        """Choose what was clicked."""
        start = 0
        for value in self._choices:
            end = start + len(self._marked(value))
            if start <= event.x < end:
                self.choose(value)
            start = end + GAP
