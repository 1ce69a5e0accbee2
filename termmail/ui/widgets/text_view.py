"""A scrolling text below a fixed block, painted line by line, with quotes that fold and links that stand out."""

# ruff: noqa: D102 - what an action does is in the registry of actions

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from termmail.mail.message import CARD_LABEL, Line, Rendered
from termmail.mail.query_hits import hits
from termmail.ui.actions import Place, bindings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.selection import Selection

    from termmail.mail.link_marks import Numbered
    from termmail.mail.link_marks import Place as LinkPlace
    from termmail.mail.message import Link
    from termmail.mail.needle import Hit
    from termmail.mail.query import Query
    from termmail.ui.widgets.message_header import HeadLine

MEASURE = 88
"""Cells of a line of text at most: longer ones are hard to read."""
ROOMY = 8
"""Lines of a reader that has room for an empty one below the block."""
FOLDED_FROM = 3
"""Quoted lines in a row that are worth folding."""
CARD = "│"
"""Stands in the margin before each line of a calendar event, where no text of a message can."""
CURRENT = "▸"
"""Stands in the margin before a line of the current hit."""
STRUCK = Style(strike=True)
SELECTED = Style(reverse=True)
"""Selected text: the theme's own colours may be the same for text and background."""
LINKS = re.compile(r"https?://[^\s<>\"”)\[\]]{3,}|\[\d{1,4}\]")


class TextView(ScrollView, can_focus=True):
    """Lines of text that scroll below a block that does not. They were cleaned, and are not markup.

    The block, the card of a calendar event, and the lines above the messages of a conversation have a background that no
    other line of a body has. A card has an edge in the margin too, for terminals with few colours.
    """

    BINDINGS = bindings(Place.READER)
    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "body--quote",
        "body--heading",
        "body--signature",
        "body--rule",
        "body--table",
        "body--link",
        "body--fold",
        "body--from",
        "body--closed",
        "body--warning",
        "body--hit",
        "body--current",
        "body--number",
        "body--card-title",
        "body--card",
        "body--card-label",
        "body--card-answer",
        "head--title",
        "head--label",
        "head--text",
        "head--warning",
    }

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.rendered = Rendered(())
        self.folded = False
        self._head: list[HeadLine] = []
        self._lines: tuple[Line, ...] = ()
        self._painted: list[Strip] = []
        self.searched: Query | None = None
        """The search that led here: its words are marked."""
        self._hits: dict[int, list[tuple[int, int]]] = {}
        """The marked characters of each line that holds a hit."""
        self._current: dict[int, tuple[int, int]] = {}
        """Those of the hit that the user is at."""
        self.links_shown: Numbered | None = None
        """The links of which the numbers stand out, also before addresses that are written out."""
        self._link_chosen: Link | None = None

    @property
    def cells(self) -> int:
        """Return the width of a line in cells, without the scroll bar."""
        return self.scrollable_content_region.width

    @property
    def measure(self) -> int:
        """Return how many cells a line of text may take."""
        return max(10, min(MEASURE, self.cells - 2))

    def paint(self, head: list[HeadLine], rendered: Rendered, *, keep_place: bool = False) -> None:
        """Show another text, from its start unless `keep_place`. Only lines that differ are painted."""
        if rendered is not self.rendered:
            self._hits, self._current = {}, {}
        if rendered.links != self.rendered.links:
            self.links_shown, self._link_chosen = None, None
        self.rendered = rendered
        self._head = head
        if not keep_place:
            self.scroll_to(y=0, animate=False)
        if self.text_selection is not None:
            self.screen.clear_selection()
        self._changed()

    def unfold(self) -> bool:
        """Show lines that this text does not hold yet; return whether there were any. They are found in the new one."""
        return False

    def fold(self) -> None:
        """Fold the quoted text, or show it again."""
        self.folded = not self.folded
        self._changed()

    def mark(self, found: Sequence[Hit], current: Hit | None) -> None:
        """Mark what was found, and bring the current hit into view, also from folded quotes."""
        self._hits = {}
        for line, start, end in (stretch for hit in found for stretch in hit):
            self._hits.setdefault(line, []).append((start, end))
        self._current = {line: (start, end) for line, start, end in current or ()}
        self.folded = self.folded and current is None
        self._changed()
        if current is not None:
            self._reveal(current[0].line, current[-1].line)

    def show_links(self, links: Numbered | None, chosen: Link | None = None) -> None:
        """Let the numbers of these links stand out in the text, that of the `chosen` one most; None ends it."""
        self.links_shown, self._link_chosen = links, chosen
        self._changed()

    def _reveal(self, first: int, last: int) -> None:
        """Scroll so that these lines are in the middle, unless all of them are in the window."""
        top = self.scroll_offset.y
        if not (top <= first and last < top + self.page_height):
            self.scroll_to(y=max(0, first - self.page_height // 2), animate=False)

    def _changed(self) -> None:
        self._lines = folded(self.rendered.lines) if self.folded else self.rendered.lines
        self._set_length()
        painted = [self._strip(y) for y in range(self.size.height)]
        if len(painted) != len(self._painted):
            self.refresh()
        else:
            for y, (new, old) in enumerate(zip(painted, self._painted, strict=True)):
                if new != old:
                    self.refresh(Region(0, y, self.cells, 1))
        self._painted = painted

    def _set_length(self) -> None:
        """Set the length of the scroll bar without the layout that setting `virtual_size` would cause."""
        height = self._top + len(self._lines)
        self.set_reactive(TextView.virtual_size, Size(self.cells, height))
        self.vertical_scrollbar.window_virtual_size = height
        self.vertical_scrollbar.window_size = self.size.height
        if self.scroll_offset.y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False)

    @property
    def _top(self) -> int:
        """Return the lines of the block, with the empty one below it where there is room."""
        return len(self._head) + (self.size.height >= ROOMY) if self._head else 0

    @property
    def page_height(self) -> int:
        """Return the lines of text in the window."""
        return max(1, self.size.height - self._top)

    @property
    def at_end(self) -> bool:
        """Return whether the last line is visible."""
        return self.scroll_offset.y + self.page_height >= len(self._lines)

    def page(self) -> bool:
        """Scroll one page down, keeping one line; return False at the end."""
        if self.at_end:
            return False
        self.by_page(1)
        return True

    def _by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_reader_down(self) -> None:
        self._by(1)

    def action_reader_up(self) -> None:
        self._by(-1)

    def by_page(self, pages: int) -> None:
        """Scroll by so many pages, keeping one line of each."""
        self._by(pages * max(1, self.page_height - 1))

    def action_reader_page_down(self) -> None:
        self.by_page(1)

    def action_reader_page_up(self) -> None:
        self.by_page(-1)

    def action_reader_half_down(self) -> None:
        self._by(max(1, self.page_height // 2))

    def action_reader_half_up(self) -> None:
        self._by(-max(1, self.page_height // 2))

    def action_reader_top(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_reader_bottom(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)

    # -- drawing

    def render_line(self, y: int) -> Strip:
        strip = self._strip(y)
        if y < len(self._painted):
            self._painted[y] = strip
        return strip

    def _strip(self, y: int) -> Strip:
        width, place = self.cells, y - self._top + self.scroll_offset.y
        if y < len(self._head):
            return self._head_strip(self._head[y], width)
        if y < self._top or place >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[place]
        style = self._style(line)
        numbers = self._numbers(line)
        text = Text(with_numbers(line.text, numbers), no_wrap=True, end="")
        text.stylize(style)
        if line.kind == "card":
            text.stylize(self.get_component_rich_style("body--card-label"), 0, CARD_LABEL)
        if line.kind != "fold":
            link = self.get_component_rich_style("body--link")
            for found in LINKS.finditer(line.text):
                text.stylize(link, *found.span())
        for stretch in line.struck:
            text.stylize(STRUCK, *stretch)
        if self.searched is not None:
            for stretch in hits(self.searched, line.text):
                text.stylize(self.get_component_rich_style("body--hit"), *stretch)
        if not self.folded:
            self._mark_hits(text, place)
        for one in numbers:
            chosen = self._link_chosen is not None and one.number == self._link_chosen.number
            name = "body--current" if chosen else "body--number"
            text.stylize(self.get_component_rich_style(name), one.start, one.end)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(place)) is not None:
            start, end = span
            text.stylize(SELECTED, start, len(line.text) if end == -1 else end)
        strip = Strip(text.render(self.app.console)).apply_offsets(0, place)
        margin = CURRENT if place in self._current and not self.folded else " "
        if line.kind in {"from", "closed"}:
            return Strip([Segment(margin, style), *strip]).adjust_cell_length(width, style)
        if line.kind.startswith("card"):
            edge = Segment(CARD if margin == " " else margin, self.get_component_rich_style("body--card-label"))
            card = Strip([edge, *strip]).adjust_cell_length(min(width, self.measure + 2), style)
            return card.adjust_cell_length(width, self.rich_style)
        return Strip([Segment(margin, self.rich_style), *strip]).adjust_cell_length(width, self.rich_style)

    def _numbers(self, line: Line) -> Sequence[LinkPlace]:
        """Return where the numbers of links stand out in a line."""
        if self.links_shown is None:
            return ()
        from termmail.mail import link_marks  # noqa: PLC0415 - not needed for the first screen

        return tuple(link_marks.places(line.text, self.links_shown))

    def _mark_hits(self, text: Text, place: int) -> None:
        """Underline what was found in a line, and reverse the current hit."""
        for start, end in self._hits.get(place, ()):
            text.stylize(self.get_component_rich_style("body--hit"), start, end)
        if place in self._current:
            text.stylize(self.get_component_rich_style("body--current"), *self._current[place])

    def _head_strip(self, line: HeadLine, width: int) -> Strip:
        ground = self.get_component_rich_style("head--text")
        segments = [Segment(text, self.get_component_rich_style(f"head--{name}")) for text, name in line]
        return Strip([Segment(" ", ground), *segments]).adjust_cell_length(width, ground)

    def _style(self, line: Line) -> Style:
        kind = line.kind or ("quote" if line.quote else "")
        return self.get_component_rich_style(f"body--{kind}") if kind else self.rich_style

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract("\n".join(line.text for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - Textual's signature
        self.refresh()


def with_numbers(text: str, numbers: Sequence[LinkPlace]) -> str:
    """Return a line with the numbers of links in their places; its length stays."""
    for one in numbers:
        text = text[: one.start] + f"[{one.number}]" + text[one.end :]
    return text


def folded(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return the lines with each long run of quoted ones replaced by a line that says how many there are."""
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
