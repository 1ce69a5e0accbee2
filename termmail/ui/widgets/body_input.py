"""Where the text of a message is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import TextArea

from termmail.ui import typed_text
from termmail.ui.widgets.field import take_in_order

if TYPE_CHECKING:
    from textual import events
    from textual.widgets.text_area import Edit, EditResult


class BodyInput(TextArea):
    """A TextArea in which nothing stands that a terminal would take for a command."""

    def __init__(self, text: str) -> None:
        super().__init__(
            typed_text.lines(text),
            id="body",
            soft_wrap=True,
            compact=True,
            highlight_cursor_line=False,
            placeholder="Write here",
        )

    async def on_key(self, event: events.Key) -> None:
        """Tab and Shift+Tab leave the text at once; what edits does so at once too."""
        await take_in_order(self, event, {"tab"})

    def on_resize(self) -> None:
        """Where one writes stays in sight when the window shrinks."""
        self.call_after_refresh(self.scroll_cursor_visible)

    def edit(self, edit: Edit) -> EditResult:
        """Every insertion comes through here: typed, pasted, undone."""
        edit.text = typed_text.lines(edit.text)
        return super().edit(edit)

    def load_text(self, text: str) -> None:
        """Replace everything; the history of undo starts anew."""
        super().load_text(typed_text.lines(text))
