"""A long text to read, such as the source of a message, with every control character replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from termmail.mail import sanitize
from termmail.ui.screens.dismiss_once import DismissOnce

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

MOST = 2_000_000
"""Characters that are shown; `termmail show --raw` prints the rest."""


def fold(text: str, width: int) -> list[str]:
    """Return the lines of a cleaned text; lines wider than `width` cells continue on the next one."""
    folded: list[str] = []
    for line in text.split("\n"):
        if (len(line) if line.isascii() else cell_len(line)) <= width:
            folded.append(line)
        else:
            folded.extend(chop_cells(line, width))
    return folded


class PlainText(ScrollView, can_focus=True):
    """Paints lines of text, folded to its width."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("space", "page_down", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._cleaned: str | None = None
        self._lines: list[str] = []

    def on_resize(self, event: events.Resize) -> None:
        """Fold to the new width, in a thread."""
        if event.size.width > 3:
            self._fold(event.size.width - 3)  # a blank on each side, and the scroll bar

    @work(exclusive=True, exit_on_error=False)
    async def _fold(self, width: int) -> None:
        self._lines = await asyncio.to_thread(self._folded, width)
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def _folded(self, width: int) -> list[str]:
        if self._cleaned is None:
            self._cleaned = sanitize.clean_lines(self._text[:MOST])
            if len(self._text) > MOST:
                self._cleaned += "\n\n… and more. `termmail show --raw` gives all of it."
        return fold(self._cleaned, width)

    def render_line(self, y: int) -> Strip:
        """Return one line, as wide as the widget."""
        row = self.scroll_offset.y + y
        text = self._lines[row] if row < len(self._lines) else ""
        return Strip([Segment(f" {text}")]).adjust_cell_length(self.size.width).apply_style(self.rich_style)


class SourceScreen(DismissOnce[None]):
    """Shows `text` under `title`."""

    CSS_PATH = "source.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,left,V", "leave", "Back", show=False),
        Binding("space,pagedown", "page", "Page down", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Yield the title line, the text and the keys."""
        yield Static(Content(sanitize.clean(self._title)), classes="source-title")
        yield PlainText(self._text)
        yield Static("↑ ↓ PgUp PgDn scroll · Esc back", classes="source-keys")

    def on_mount(self) -> None:
        """Focus the text."""
        self.query_one(PlainText).focus()

    def action_page(self) -> None:
        """Scroll one page down."""
        self.query_one(PlainText).action_page_down()

    def action_leave(self) -> None:
        """Go back to the message."""
        self.dismiss(None)
