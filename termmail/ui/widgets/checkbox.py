"""A box to tick that can be told on from off without colour."""

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
"""Cells of the box and the blank behind it."""


class Tick(Widget, can_focus=True):
    """`[x] words`; Space, Enter or a click turns it round."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "turn", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    value = reactive(False)

    class Changed(Message):
        """It was turned round."""

        def __init__(self, tick: Tick) -> None:
            super().__init__()
            self.tick = tick

        @property
        def control(self) -> Tick:
            """The box, for `on`."""
            return self.tick

    def __init__(self, words: str, *, id: str) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id)
        self._words = words

    def render(self) -> Content:
        """The box, then what it is for, all of it."""
        return Content(("[x] " if self.value else "[ ] ") + f"\n{' ' * BOX}".join(self._lines(self.size.width)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  as Textual calls it
        """As many lines as the words need."""
        return len(self._lines(width))

    def _lines(self, width: int) -> list[str]:
        return wrap(self._words, max(1, width - BOX))

    def watch_value(self) -> None:
        """Tell whoever asked."""
        if self.is_mounted:
            self.post_message(self.Changed(self))

    def action_turn(self) -> None:
        """On to off, off to on."""
        self.value = not self.value

    def on_click(self) -> None:
        """The mouse does the same."""
        self.action_turn()
