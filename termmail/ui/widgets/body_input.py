"""The field in which the text of a message is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import TextArea

from termmail.ui import typed_text
from termmail.ui.widgets.field import take_in_order

if TYPE_CHECKING:
    from textual import events
    from textual.widgets.text_area import Edit, EditResult


class BodyInput(TextArea):
    """A TextArea whose text holds nothing that a terminal would take for a command."""

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
        """Leave the text on Tab and Shift+Tab, and edit, before the next key is handled."""
        await take_in_order(self, event, {"tab"})

    def on_resize(self) -> None:
        """Keep the cursor in sight when the window shrinks."""
        self.call_after_refresh(self.scroll_cursor_visible)

    def on_unmount(self) -> None:
        """Let go of the text: Textual keeps each TextArea that was ever made as a watcher of the app's theme."""
        watchers = getattr(self.app, "__watchers", {}).get("theme", [])
        watchers[:] = [watcher for watcher in watchers if watcher[0] is not self]

    def edit(self, edit: Edit) -> EditResult:
        """Clean every insertion: typed, pasted or undone."""
        edit.text = typed_text.lines(edit.text)
        return super().edit(edit)

    def load_text(self, text: str) -> None:
        """Replace the whole text; the history of undo starts anew."""
        super().load_text(typed_text.lines(text))
