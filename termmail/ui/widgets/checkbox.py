"""A check box whose state shows without colour, which is all that Textual's Checkbox has."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.geometry import Size

BOX = 4
"""Cells of the box and the blank after it."""


class Checkbox(Widget, can_focus=True):
    """`[x] words`; Space, Enter or a click toggles it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "toggle_button", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    value = reactive(False)

    class Changed(Message):
        """Posted when the box is toggled."""

        def __init__(self, checkbox: Checkbox) -> None:
            super().__init__()
            self.checkbox = checkbox

        @property
        def control(self) -> Checkbox:
            """Return the box, for `on`."""
            return self.checkbox

    def __init__(self, words: str, *, id: str) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id)
        self._words = words

    def render(self) -> Content:
        """Return the box and its words, wrapped."""
        return Content(("[x] " if self.value else "[ ] ") + f"\n{' ' * BOX}".join(self._lines(self.size.width)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  as Textual calls it
        """Return as many lines as the words need."""
        return len(self._lines(width))

    def _lines(self, width: int) -> list[str]:
        return wrap(self._words, max(1, width - BOX))

    def watch_value(self) -> None:
        """Report the change."""
        if self.is_mounted:
            self.post_message(self.Changed(self))

    def action_toggle_button(self) -> None:
        """Toggle the box."""
        self.value = not self.value

    def on_click(self) -> None:
        """Toggle the box."""
        self.action_toggle_button()
