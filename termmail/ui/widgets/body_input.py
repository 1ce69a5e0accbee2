"""The field in which the text of a message is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip
from textual.widgets import TextArea

from termmail.ui import typed_text
from termmail.ui.widgets.field import take_in_order

if TYPE_CHECKING:
    from textual import events
    from textual.widgets.text_area import Edit, EditResult


EDITED = 60_000
"""Bytes of text (as UTF-8) that can be edited here: a TextArea wraps all of its text at once, on the loop."""


class BodyInput(TextArea):
    """A TextArea whose text holds nothing that a terminal would take for a command.

    Of a very long text, such as a forwarded one, it shows the start and keeps the rest: `whole` is all of it.
    """

    def __init__(self, text: str) -> None:
        start = text[:EDITED].encode("utf-8", "replace")[:EDITED].decode("utf-8", "ignore")
        end = start.rfind("\n") + 1 or len(start) if len(start) < len(text) else len(text)
        self.rest = text[end:]
        super().__init__(
            typed_text.lines(text[:end]),
            id="body",
            soft_wrap=True,
            compact=True,
            highlight_cursor_line=False,
            placeholder="Write here",
        )

    @property
    def whole(self) -> str:
        """The text with what is not shown of it."""
        return self.text + self.rest if self.rest else self.text

    async def on_key(self, event: events.Key) -> None:
        """Leave the text on Tab and Shift+Tab, and edit, before the next key is handled."""
        await take_in_order(self, event, {"tab"})

    def on_resize(self) -> None:
        """Keep the cursor in sight when the window shrinks."""
        self.call_after_refresh(self.scroll_cursor_visible)

    def render_line(self, y: int) -> Strip:
        """Render one line; a window of a few columns has no room to wrap the placeholder in."""
        if self.content_size.width < 1:
            return Strip.blank(self.size.width)
        return super().render_line(y)

    def on_unmount(self) -> None:
        """Let go of the text: Textual keeps each TextArea that was ever made as a watcher of the app's theme."""
        watchers = getattr(self.app, "__watchers", {}).get("theme", [])
        watchers[:] = [watcher for watcher in watchers if watcher[0] is not self]

    def edit(self, edit: Edit) -> EditResult:
        """Clean every insertion: typed, pasted or undone."""
        edit.text = typed_text.lines(edit.text)
        return super().edit(edit)

    def load_text(self, text: str) -> None:
        """Replace the whole text; the undo history is cleared."""
        super().load_text(typed_text.lines(text))
