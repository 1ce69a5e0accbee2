"""Conversion of an HTML token stream into blocks of text.

Every tag and every character is processed a bounded number of times and nothing recurses: the open elements are a list,
an end tag without an open element is ignored, and an element opened outside a table cell is not closed inside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from termmail.mail.html.css import UNKNOWN, declarations, number
from termmail.mail.html.elements import (
    BLOCK_DISPLAYS,
    BLOCKS,
    CELLS,
    FOREIGN_ENDS,
    HEADINGS,
    LISTS,
    ROWS,
    SKIPPED,
    SPACED,
    TABLE_PARTS,
    TERMS,
    VOID,
)
from termmail.mail.html.inline import InlineText
from termmail.mail.html.links import is_remote, target
from termmail.mail.html.replaced import PICTURE, bracketed, field_words
from termmail.mail.html.tables import Block, Content, Table, flattened
from termmail.mail.html.visibility import Look, is_tracking_pixel, look

_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_BULLETS = ("• ", "◦ ", "▪ ")
_SCAN_LIMIT = 32  # inline elements searched for the start tag of an end tag


@dataclass(slots=True)
class _Open:
    """An open element, and the indent and quote depth of its lines. `items` counts the items of a list."""

    tag: str
    look: Look
    indent: int = 0
    quote: int = 0
    kind: str = ""
    breaks: bool = True
    items: int = 0
    item_open: bool = False


@dataclass(slots=True)
class _Scope:
    """A part of the open elements that end tags inside it cannot close: the page, a table, a cell."""

    tag: str
    start: int
    counts: dict[str, int] = field(default_factory=dict)
    table: Table | None = None


class Page:
    """Convert an HTML token stream into text blocks. Feed it with `start`, `end` and `text`, then `close` it.

    `numbers` are those of the URLs in the parts before this one; new ones are added. After that `blocks` has the visible text in order and `anchors` the links; `trackers`, `remote` and `forms` count
    what was left out. With `reveal`, hidden text is kept.
    """

    def __init__(self, numbers: dict[str, int], *, reveal: bool = False) -> None:
        self.blocks: list[Block] = []
        self.trackers = 0
        self.remote = 0
        self.forms = 0
        self._reveal = reveal
        self._sheet = False
        self._open = [_Open("", Look())]
        self._scopes = [_Scope("", 0)]
        self._lists: list[_Open] = []
        self._content: Content = []
        self._cells: list[Table] = []
        self._text = InlineText(numbers)
        self.anchors = self._text.anchors
        self._skipping = ""
        self._skip_depth = 0
        self._drawn = False

    def text(self, data: str) -> None:
        """Add the characters between two tags. Of a drawing, only its texts are read."""
        if self._skipping:
            if self._skipping == "style":
                self._read_sheet(data.lower())
            if not self._drawn:
                return
            data = f" {data} "
        style = self._inherited()
        if style.removed or not data:
            return
        if style.hides_text():
            self._write(" ")
        else:
            self._write(data if style.preserved else _BREAKS.sub(" ", data))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element, or add a void element."""
        if self._skipping and not self._skip_start(tag):
            return
        if tag in SKIPPED and (not tag.startswith("annotation") or self._scopes[-1].counts.get("math")):
            self._skipping, self._skip_depth = tag, 1
        elif tag in VOID:
            self._void(tag, attributes)
        elif tag in BLOCKS:
            self._start_block(tag, attributes)
        else:
            self._start_inline(tag, attributes)

    def end(self, tag: str) -> None:
        """Close the element that an end tag belongs to."""
        if self._skipping and not self._skip_end(tag):
            return
        if tag == "a":
            self._text.end_link()
        if tag == "br":
            self._void(tag, {})
        elif tag not in BLOCKS:
            self._end_inline(tag)
        elif tag in CELLS or tag in ROWS or tag in ("table", "caption"):
            self._end_table_part(tag)
        elif self._scopes[-1].counts.get(tag):
            self._pop_to(tag)

    def _read_sheet(self, text: str) -> None:
        """Note whether a style sheet has colors. One with backgrounds makes that of the page unknown."""
        self._sheet = self._sheet or "color" in text or "background" in text
        if "background" in text:
            page = self._open[0].look.background
            for element in self._open[:_SCAN_LIMIT]:
                if element.look.background == page:
                    element.look = replace(element.look, background=UNKNOWN)

    def close(self) -> None:
        """End all that is open and fill `blocks`."""
        self._skipping = ""
        while len(self._scopes) > 1:
            self._end_scope()
        self._text.end_link()
        self._flush()
        self.blocks = list(flattened(self._content))

    def _skip_start(self, tag: str) -> bool:
        """Return whether a start tag ends the skipped content, as HTML elements end an svg; count nested ones."""
        if tag == self._skipping:
            self._skip_depth += 1
        elif self._skipping == "svg" and tag in FOREIGN_ENDS:
            self._skipping = ""
        self._drawn = self._skipping == "svg" and (self._drawn or tag == "text")
        return not self._skipping

    def _skip_end(self, tag: str) -> bool:
        """Return whether an end tag closes an element around the skipped content; count the ends of the latter."""
        if tag == self._skipping:
            self._skip_depth -= 1
            self._skipping = tag if self._skip_depth else ""
            self._drawn = False
            return False
        self._drawn = self._drawn and tag != "text"
        around = self._skipping not in ("script", "style", "template") and tag in BLOCKS
        if around and (tag in TABLE_PARTS or tag == "table" or self._scopes[-1].counts.get(tag)):
            self._skipping, self._drawn = "", False
        return not self._skipping

    def _child(self, tag: str, attributes: dict[str, str]) -> _Open:
        """Return a new element inside the innermost open one."""
        top = self._open[-1]
        return _Open(tag, self._look(tag, attributes), top.indent, top.quote, top.kind)

    def _inherited(self) -> Look:
        """Return the style that text inherits here.

        What stands in a table and outside of its cells is moved in front of it (HTML Standard, section 13.2.6.1).
        """
        top, scope = self._open[-1], self._scopes[-1]
        outside = scope.table is not None and (top.tag == "table" or top.tag in TABLE_PARTS)
        return self._open[scope.start - 1].look if outside else top.look

    def _look(self, tag: str, attributes: dict[str, str]) -> Look:
        parent = self._open[-1].look if tag in TABLE_PARTS else self._inherited()
        return parent if self._reveal else look(tag, attributes, parent, sheet=self._sheet)

    def _start_inline(self, tag: str, attributes: dict[str, str]) -> None:
        display = declarations(attributes.get("style", "")).get("display", "") if "style" in attributes else ""
        if tag == "a" and self._scopes[-1].counts.get("a"):
            self._end_inline("a")  # links do not nest: a hidden one that is never closed must not hide the rest
        element = self._child(tag, attributes)
        element.breaks = display in BLOCK_DISPLAYS
        if element.breaks:
            self._flush()
        elif display == "inline-block" and tag == "a":
            self._write(" ")
        self._push(element)
        if tag == "a":
            self._text.start_link(target(attributes.get("href", "")))

    def _push(self, element: _Open) -> None:
        self._open.append(element)
        counts = self._scopes[-1].counts
        counts[element.tag] = counts.get(element.tag, 0) + 1

    def _pop(self) -> _Open:
        element = self._open[-1]
        if element.breaks:
            self._flush()
        self._open.pop()
        self._scopes[-1].counts[element.tag] -= 1
        if element.tag in LISTS:
            self._lists.pop()
            self._text.spaced = self._text.spaced or not self._lists
        elif element.tag in SPACED:
            self._text.spaced = True
        elif element.tag == "li" and self._lists:
            self._lists[-1].item_open = False
            self._text.marker = ""
        return element

    def _pop_to(self, tag: str) -> None:
        """Close all elements up to the last open `tag`, which must be in the current scope."""
        while self._pop().tag != tag:
            pass

    def _end_inline(self, tag: str) -> None:
        """Close an inline element, unless a block was opened inside it: then it ends with that block."""
        for place in range(len(self._open) - 1, max(len(self._open) - _SCAN_LIMIT, self._scopes[-1].start), -1):
            if self._open[place].tag == tag:
                while len(self._open) > place:
                    self._pop()
                return
            if self._open[place].tag in BLOCKS:
                return

    def _start_block(self, tag: str, attributes: dict[str, str]) -> None:
        self._flush()
        if tag in CELLS or tag in ROWS or tag == "caption":
            self._start_table_part(tag, attributes)
            return
        counts = self._scopes[-1].counts
        if counts.get("p"):
            self._pop_to("p")
        for term in TERMS if tag in TERMS else ():
            if counts.get(term):
                self._pop_to(term)
        if tag == "li" and counts.get("li") and (not self._lists or self._lists[-1].item_open):
            self._pop_to("li")
        element = self._child(tag, attributes)
        self._text.spaced = self._text.spaced or tag in SPACED or (tag in LISTS and not self._lists)
        if tag in HEADINGS:
            element.kind = "heading"
        elif tag == "blockquote":
            element.quote += 1
        elif tag == "dd":
            element.indent += 2
        elif tag in LISTS:
            element.items = (number(attributes.get("start", "")) or 1) - 1 if tag == "ol" else 0
            self._lists.append(element)
        elif tag == "li":
            self._start_item(element)
        elif tag == "form":
            self.forms += 1
        self._push(element)
        if tag == "table":
            self._start_table(attributes, element)

    def _start_item(self, element: _Open) -> None:
        self._text.marker = _BULLETS[0]
        if self._lists:
            owner = self._lists[-1]
            owner.items += 1
            owner.item_open = True
            bullet = _BULLETS[min(len(self._lists), len(_BULLETS)) - 1]
            self._text.marker = f"{owner.items}. " if owner.tag == "ol" else bullet
        element.indent += len(self._text.marker)

    def _start_table(self, attributes: dict[str, str], element: _Open) -> None:
        """Open the scope of a table. The table element itself belongs to the scope around it."""
        marked = (number(attributes.get("border", "")) or 0) > 0
        table = Table(element.indent, element.quote, marked=marked)
        self._scopes.append(_Scope("table", len(self._open) - 1, table=table))

    def _start_table_part(self, tag: str, attributes: dict[str, str]) -> None:
        if self._scopes[-1].tag in CELLS or self._scopes[-1].tag == "caption":
            self._end_scope()
        scope = self._scopes[-1]
        if scope.counts.get("tr") and tag in ROWS:
            self._pop_to("tr")
        if scope.table is None:
            self._push(self._child(tag, {}))
            return
        self._push(self._child(tag, attributes))
        if tag == "tr":
            scope.table.start_row()
        elif tag in CELLS:
            columns, rows = (_span(attributes, name) for name in ("colspan", "rowspan")) if attributes else (1, 1)
            scope.table.start_cell(columns, rows, header=tag == "th")
            self._scopes.append(_Scope(tag, len(self._open) - 1))
            self._cells.append(scope.table)
        elif tag == "caption":
            scope.table.marked = True
            self._scopes.append(_Scope(tag, len(self._open) - 1))

    def _end_table_part(self, tag: str) -> None:
        scope = self._scopes[-1]
        if scope.tag in CELLS or scope.tag == "caption":
            if tag in CELLS or tag == "caption":
                if tag == scope.tag or tag in CELLS:
                    self._end_scope()
                return
            self._end_scope()
            scope = self._scopes[-1]
        if tag == "table" and scope.tag == "table":
            self._end_scope()
        elif scope.counts.get(tag):
            self._pop_to(tag)

    def _end_scope(self) -> None:
        """Close the innermost table or cell and everything in it."""
        scope = self._scopes[-1]
        self._text.end_link()
        while len(self._open) > scope.start + 1:
            self._pop()
        self._flush()
        self._scopes.pop()
        if scope.tag in CELLS:
            self._cells.pop()
        elif scope.table and self._cells:
            self._cells[-1].add_table(scope.table.finished())
        elif scope.table:
            self._content.append(scope.table.finished())
        self._pop()

    def _flush(self) -> None:
        """End the block of text that is being collected and add it."""
        top = self._open[-1]
        block = self._text.take(top.indent, top.quote, top.kind, preserved=top.look.preserved)
        if block:
            self._add(block)

    def _add(self, block: Block) -> None:
        """Add a block to the innermost open cell, or to the page."""
        if self._cells:
            self._cells[-1].add(block)
        else:
            self._content.append(block)

    def _void(self, tag: str, attributes: dict[str, str]) -> None:
        """Add an element without content."""
        top = self._open[-1]
        if tag == "img":
            self._picture(attributes)
        elif self._inherited().removed:
            return
        elif tag == "br":
            self._text.break_line()
        elif tag == "hr":
            self._flush()
            self._add(Block("", top.indent, top.quote, "rule"))
        elif tag == "input":
            self.forms += 1
            self._write(field_words(attributes))
        elif tag == "area":
            self._text.start_link(target(attributes.get("href", "")))
            self._write(bracketed(attributes.get("alt", "")) or PICTURE)
            self._text.end_link()

    def _picture(self, attributes: dict[str, str]) -> None:
        """Add the alternative text of a picture. Nothing is ever loaded."""
        remote = is_remote(attributes.get("src", ""))
        style = self._look("img", attributes)
        tiny = is_tracking_pixel(attributes) or (style.removed and not self._inherited().removed)
        self.trackers += tiny and remote
        self.remote += remote and not tiny
        if tiny or style.removed or style.invisible:
            return
        alt = bracketed(attributes.get("alt", ""))
        if alt or self._text.in_link or "alt" not in attributes:
            self._write(f" {alt or PICTURE} ")

    def _write(self, text: str) -> None:
        self._text.write(text, struck=self._open[-1].look.struck)


def _span(attributes: dict[str, str], name: str) -> int:
    return number(attributes.get(name, "")) or 1
