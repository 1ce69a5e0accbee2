"""A body as lines: painted one screenful at a time, quotes dimmed and foldable, marks and addresses of links lit."""

# ruff: noqa: D102 - what an action does stands in the table of keys.py

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from termmail.mail.message import Line, Rendered
from termmail.ui import keys

if TYPE_CHECKING:
    from rich.style import Style
    from textual.selection import Selection

MEASURE = 88
"""Cells of a line that is still good to read."""
FOLDED_FROM = 3
"""Quoted lines in a row that are worth folding."""
LINKS = re.compile(r"https?://[^\s<>\"”)\]]{3,}|\[\d{1,4}\]")


class Body(ScrollView, can_focus=True):
    """Lines of text to read. Nothing in them is markup; all of them were cleaned."""

    BINDINGS = keys.bindings("reader")
    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "body--quote",
        "body--heading",
        "body--signature",
        "body--rule",
        "body--table",
        "body--link",
        "body--fold",
    }

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.rendered = Rendered(())
        self.folded = False
        self._lines: tuple[Line, ...] = ()

    @property
    def measure(self) -> int:
        """Cells a line of text may take here."""
        return max(10, min(MEASURE, self.size.width - 3))

    def show(self, rendered: Rendered, *, keep_place: bool = False) -> None:
        """Other lines; from their start, unless they are the same text again."""
        self.rendered = rendered
        self._fold()
        if not keep_place:
            self.scroll_to(y=0, animate=False)
        self.screen.clear_selection()
        self.refresh()

    def say(self, words: str) -> None:
        """A sentence of termmail's own instead of a body."""
        self.show(Rendered(tuple(Line(line, kind="fold") for line in words.split("\n"))))

    def fold(self) -> None:
        """Fold the quoted text, or show it again."""
        self.folded = not self.folded
        self._fold()
        self.refresh()

    def _fold(self) -> None:
        self._lines = folded(self.rendered.lines) if self.folded else self.rendered.lines
        self.virtual_size = Size(self.size.width, len(self._lines) + 1)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._lines) + 1)

    @property
    def at_end(self) -> bool:
        """The last line is on screen."""
        return self.scroll_offset.y + self.size.height >= len(self._lines)

    def page(self) -> bool:
        """One page on, with a line of the last one left; False at the end."""
        if self.at_end:
            return False
        self._by(self.size.height - 1)
        return True

    def _by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_reader_down(self) -> None:
        self._by(1)

    def action_reader_up(self) -> None:
        self._by(-1)

    def action_reader_page_down(self) -> None:
        self._by(self.size.height - 1)

    def action_reader_page_up(self) -> None:
        self._by(1 - self.size.height)

    def action_reader_half_down(self) -> None:
        self._by(max(1, self.size.height // 2))

    def action_reader_half_up(self) -> None:
        self._by(-max(1, self.size.height // 2))

    def action_reader_top(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_reader_bottom(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)

    # -- drawing

    def render_line(self, y: int) -> Strip:
        width, place = self.size.width, y + self.scroll_offset.y
        if place >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[place]
        style = self._style(line)
        text = Text(line.text, no_wrap=True, end="")
        text.stylize(style)
        if line.kind != "fold":
            link = self.get_component_rich_style("body--link")
            for found in LINKS.finditer(line.text):
                text.stylize(link, *found.span())
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(place)) is not None:
            start, end = span
            chosen = self.screen.get_component_rich_style("screen--selection")
            text.stylize(chosen, start, len(line.text) if end == -1 else end)
        strip = Strip(text.render(self.app.console)).apply_offsets(0, place)
        return Strip([Segment(" ", self.rich_style), *strip]).adjust_cell_length(width, self.rich_style)

    def _style(self, line: Line) -> Style:
        kind = line.kind or ("quote" if line.quote else "")
        return self.get_component_rich_style(f"body--{kind}") if kind else self.rich_style

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract("\n".join(line.text for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - Textual's signature
        self.refresh()


def folded(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines with each long run of quoted ones as a single line that says how many there are."""
    found: list[Line] = []
    run: list[Line] = []
    for line in (*lines, Line("")):
        if line.quote:
            run.append(line)
            continue
        if len(run) >= FOLDED_FROM:
            found.append(Line(f"… {len(run)} quoted lines · Q shows them", kind="fold"))
        else:
            found += run
        run = []
        found.append(line)
    return tuple(found[:-1])
