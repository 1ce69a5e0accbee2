"""A page in the making: takes the tags and text of an HTML mail one by one and lays them out as blocks.

The law it keeps: whatever comes, each tag and each character is looked at a bounded number of times, and nothing
recurses. Elements are a list; an end tag that matches nothing open is ignored; an element that was opened outside a
table cell is not closed inside it. At most one table at a time waits for its end to be judged data or layout: a table
inside a table makes the outer one layout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from termmail.mail.html.css import Seen, declarations, is_hidden, is_remote, is_tiny, number, seen, target
from termmail.mail.html.tables import Block, Table
from termmail.mail.sanitize import clean, clean_lines

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "param", "source", "wbr")
)
_INLINE_WORDS = (
    "a abbr acronym b bdi bdo big button cite code data del dfn em font i ins kbd label mark nobr o:p q s "
    "samp small span strike strong sub sup time tt u var"
)
_INLINE = frozenset(_INLINE_WORDS.split())
_SKIPPED_WORDS = "script style title template iframe svg math select textarea datalist noframes noembed xml"
_SKIPPED = frozenset(_SKIPPED_WORDS.split())
_FOREIGN = frozenset(("svg", "math"))
_SPACED_WORDS = "p blockquote table pre h1 h2 h3 h4 h5 h6 dl figure fieldset"
_SPACED = frozenset(_SPACED_WORDS.split())
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_CELLS = frozenset(("td", "th"))
_ROWS = frozenset(("tr", "tbody", "thead", "tfoot"))
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_TERMS = frozenset(("dt", "dd"))
STRUCK = "\u0336"
"""Behind each letter that is struck out, until lines are made of the blocks: it has no width of its own."""
_LETTER = re.compile(r"(\S)")
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_BULLETS = ("• ", "◦ ", "▪ ")
_SCAN = 32  # inline elements looked through for the start of an end tag
_LINK_TEXT = 300
_ALT = 200
_PICTURE = "[picture]"


@dataclass(slots=True)
class _Open:
    """An element that is open, and what stands before its lines. `items` counts those of a list."""

    tag: str
    look: Seen
    indent: int = 0
    quote: int = 0
    kind: str = ""
    items: int = 0
    item_open: bool = False


@dataclass(slots=True)
class _Scope:
    """A stretch of the open elements that end tags do not reach out of: the page, a table, a cell."""

    tag: str
    start: int
    counts: dict[str, int] = field(default_factory=dict)
    table: Table | None = None


@dataclass(slots=True)
class Anchor:
    """A link that was seen: its number, its target, the words of it that show."""

    number: int
    url: str
    words: list[str] = field(default_factory=list)
    length: int = 0
    waiting: bool = False

    def text(self) -> str:
        """The words of the link that show."""
        return " ".join(clean("".join(self.words)).split())[:_LINK_TEXT]


class Page:
    """What has been read of a mail so far. Feed it with `start`, `end` and `text`, then `close` it.

    `blocks` is what shows, in order; `anchors` the links; `trackers`, `remote` and `forms` count what was left out.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.anchors: list[Anchor] = []
        self.trackers = 0
        self.remote = 0
        self.forms = 0
        self._open = [_Open("", Seen(hidden=False, ground="ffffff", preserved=False))]
        self._scopes = [_Scope("", 0)]
        self._lists: list[_Open] = []
        self._table: Table | None = None
        self._numbers: dict[str, int] = {}
        self._link: Anchor | None = None
        self._pieces: list[str] = []
        self._marker = ""
        self._spaced = False
        self._skipping = ""
        self._skip_depth = 0

    def text(self, data: str) -> None:
        """Characters between tags."""
        look = self._open[-1].look
        if self._skipping or look.hidden or not data:
            return
        self._write(data if look.preserved else _BREAKS.sub(" ", data))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A start tag with its attributes."""
        if self._skipping and not self._skip_start(tag):
            return
        if tag in _SKIPPED:
            self._skipping, self._skip_depth = tag, 1
        elif tag in _VOID:
            self._void(tag, attributes)
        elif tag in _INLINE:
            self._push(_Open(tag, *self._inherited(tag, attributes)))
            if tag == "a":
                self._start_link(attributes)
        else:
            self._start_block(tag, attributes)

    def end(self, tag: str) -> None:
        """An end tag."""
        if self._skipping:
            if tag == self._skipping:
                self._skip_depth -= 1
                self._skipping = tag if self._skip_depth else ""
            return
        if tag == "a":
            self._end_link()
        if tag == "br":
            self._void(tag, {})
        elif tag in _INLINE:
            self._end_inline(tag)
        elif tag in _CELLS or tag in _ROWS or tag in ("table", "caption"):
            self._end_table_part(tag)
        elif self._scopes[-1].counts.get(tag):
            self._pop_to(tag)

    def close(self) -> None:
        """The mail is over: everything open ends here."""
        self._skipping = ""
        while len(self._scopes) > 1:
            self._end_scope()
        self._end_link()
        self._flush()

    def _skip_start(self, tag: str) -> bool:
        """A start tag inside what is not shown. Whether showing begins again: HTML breaks out of svg and math."""
        if tag == self._skipping:
            self._skip_depth += 1
        elif self._skipping in _FOREIGN and (tag in _SPACED or tag in _CELLS or tag in ("div", "span", "img", "br")):
            self._skipping = ""
            return True
        return False

    def _inherited(self, tag: str, attributes: dict[str, str]) -> tuple[Seen, int, int, str]:
        top = self._open[-1]
        return seen(tag, attributes, top.look), top.indent, top.quote, top.kind

    def _push(self, element: _Open) -> None:
        self._open.append(element)
        counts = self._scopes[-1].counts
        counts[element.tag] = counts.get(element.tag, 0) + 1

    def _pop(self) -> _Open:
        element = self._open[-1]
        if element.tag not in _INLINE:
            self._flush()
        self._open.pop()
        self._scopes[-1].counts[element.tag] -= 1
        if element.tag in _LISTS:
            self._lists.pop()
            self._spaced = self._spaced or not self._lists
        elif element.tag in _SPACED:
            self._spaced = True
        elif element.tag == "li" and self._lists:
            self._lists[-1].item_open = False
            self._marker = ""
        return element

    def _pop_to(self, tag: str) -> None:
        """Close everything up to the last open `tag`, which the scope holds."""
        while self._pop().tag != tag:
            pass

    def _end_inline(self, tag: str) -> None:
        """Close an inline element, unless a block was opened inside it: then it ends with that block."""
        for place in range(len(self._open) - 1, max(len(self._open) - _SCAN, self._scopes[-1].start), -1):
            if self._open[place].tag == tag:
                while len(self._open) > place:
                    self._pop()
                return
            if self._open[place].tag not in _INLINE:
                return

    def _start_block(self, tag: str, attributes: dict[str, str]) -> None:
        self._flush()
        if tag in _CELLS or tag in _ROWS or tag == "caption":
            self._start_table_part(tag, attributes)
            return
        counts = self._scopes[-1].counts
        if counts.get("p"):
            self._pop_to("p")
        for term in _TERMS if tag in _TERMS else ():
            if counts.get(term):
                self._pop_to(term)
        if tag == "li" and counts.get("li") and self._lists and self._lists[-1].item_open:
            self._pop_to("li")
        element = _Open(tag, *self._inherited(tag, attributes))
        self._spaced = self._spaced or tag in _SPACED or (tag in _LISTS and not self._lists)
        if tag in _HEADINGS:
            element.kind = "heading"
        elif tag == "blockquote":
            element.quote += 1
        elif tag == "dd":
            element.indent += 2
        elif tag in _LISTS:
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
        self._marker = _BULLETS[0]
        if self._lists:
            owner = self._lists[-1]
            owner.items += 1
            owner.item_open = True
            bullet = _BULLETS[min(len(self._lists), len(_BULLETS)) - 1]
            self._marker = f"{owner.items}. " if owner.tag == "ol" else bullet
        element.indent += len(self._marker)

    def _start_table(self, attributes: dict[str, str], element: _Open) -> None:
        """A new table. One around it that still waits turns out to be a layout."""
        if self._table:
            self.blocks += self._table.flattened()
        marked = (number(attributes.get("border", "")) or 0) > 0
        self._table = Table(element.indent, element.quote, marked=marked)
        self._scopes.append(_Scope("table", len(self._open) - 1, table=self._table))
        # The element itself belongs to the scope around it; its scope starts behind it.

    def _start_table_part(self, tag: str, attributes: dict[str, str]) -> None:
        if self._scopes[-1].tag in _CELLS or self._scopes[-1].tag == "caption":
            self._end_scope()
        scope = self._scopes[-1]
        if scope.counts.get("tr") and tag in _ROWS:
            self._pop_to("tr")
        waiting = self._table if scope.table is self._table else None
        self._push(_Open(tag, *self._inherited(tag, attributes)))
        if tag == "tr" and waiting:
            waiting.start_row()
        elif tag not in _ROWS and scope.tag == "table":
            self._scopes.append(_Scope(tag, len(self._open) - 1))
            if waiting and tag == "caption":
                waiting.marked = True
            elif waiting:
                spans = (number(attributes.get(name, "")) or 1 for name in ("colspan", "rowspan"))
                waiting.start_cell(*spans, header=tag == "th")
            elif tag in _CELLS:
                self._spaced = True

    def _end_table_part(self, tag: str) -> None:
        scope = self._scopes[-1]
        if scope.tag in _CELLS or scope.tag == "caption":
            if tag in _CELLS or tag == "caption":
                if tag == scope.tag or tag in _CELLS:
                    self._end_scope()
                return
            self._end_scope()
            scope = self._scopes[-1]
        if tag == "table" and scope.tag == "table":
            self._end_scope()
        elif scope.counts.get(tag):
            self._pop_to(tag)

    def _end_scope(self) -> None:
        """Close everything in the innermost table or cell, and it."""
        scope = self._scopes[-1]
        self._end_link()
        while len(self._open) > scope.start + 1:
            self._pop()
        self._flush()
        self._scopes.pop()
        if scope.tag == "table" and scope.table is self._table and self._table:
            self.blocks += self._table.finished()
            self._table = None
        elif self._table:
            self._table.end_cell()
        self._pop()

    def _flush(self) -> None:
        """End the block of text that is being collected."""
        if self._link and self._link.words:
            self._mark_link()
            self._link.words.append(" ")
        if not self._pieces:
            return
        raw = clean_lines("".join(self._pieces))
        self._pieces = []
        top = self._open[-1]
        if top.look.preserved:
            lines = [line.rstrip() for line in raw.split("\n")]
        else:
            lines = [" ".join(line.split()) for line in raw.split("\n")]
        last = len(lines)
        while last and not lines[last - 1]:
            last -= 1
        if not last:
            self._spaced = self._spaced or "\n" in raw
            return
        first = next(place for place, line in enumerate(lines) if line)
        kept = [line for place, line in enumerate(lines[first:last], first) if line or lines[place - 1]]
        spaced = self._spaced or bool(first)
        self._add(Block("\n".join(kept), top.indent, top.quote, top.kind, self._marker, spaced=spaced))
        self._marker = ""
        self._spaced = len(lines) - last > 1

    def _add(self, block: Block) -> None:
        """Put a block where it belongs: into the cell that is open, else onto the page."""
        if self._table and self._table.cell_open:
            self._table.add(block)
        else:
            self.blocks.append(block)

    def _void(self, tag: str, attributes: dict[str, str]) -> None:
        """An element without content."""
        look = self._open[-1].look
        if tag == "br" and not look.hidden:
            self._pieces.append("\n")
        elif tag == "hr" and not look.hidden:
            self._flush()
            self._add(Block("", self._open[-1].indent, self._open[-1].quote, "rule"))
        elif tag == "img":
            self._picture(attributes)
        elif tag == "input" and not look.hidden:
            self._input(attributes)
        elif tag == "area" and not look.hidden:
            self._start_link(attributes)
            self._write(_bracketed(attributes.get("alt", "")) or _PICTURE)
            self._end_link()

    def _picture(self, attributes: dict[str, str]) -> None:
        """A picture as its alternative text. Nothing is ever loaded."""
        style = declarations(attributes.get("style", ""))
        remote = is_remote(attributes.get("src", ""))
        tiny = is_tiny(style, attributes) or is_hidden(style) or "hidden" in attributes
        self.trackers += tiny and remote
        self.remote += remote and not tiny
        if tiny or self._open[-1].look.hidden:
            return
        alt = _bracketed(attributes.get("alt", ""))
        if alt or self._link or "alt" not in attributes:
            self._write(f" {alt or _PICTURE} ")

    def _input(self, attributes: dict[str, str]) -> None:
        """A field of a form, which does nothing here."""
        self.forms += 1
        kind = attributes.get("type", "text").lower()
        if kind in ("submit", "button", "reset", "image"):
            self._write(_bracketed(attributes.get("value") or attributes.get("alt") or "button"))
        elif kind in ("checkbox", "radio"):
            self._write("[x] " if "checked" in attributes else "[ ] ")
        elif kind != "hidden":
            self._write("[____]")

    def _write(self, text: str) -> None:
        self._pieces.append(_LETTER.sub(rf"\1{STRUCK}", text) if self._open[-1].look.struck else text)
        link = self._link
        if link and not text.isspace():
            link.waiting = link.waiting or not link.words
            if link.length < _LINK_TEXT:
                link.words.append(text[:_LINK_TEXT])
                link.length += len(text)

    def _start_link(self, attributes: dict[str, str]) -> None:
        self._end_link()
        url = target(attributes.get("href", ""))
        if url and not self._open[-1].look.hidden:
            self._link = Anchor(0, url)

    def _mark_link(self) -> None:
        """Write the number of the open link right behind its first words."""
        link = self._link
        if link and link.waiting:
            link.waiting = False
            link.number = self._numbers.setdefault(link.url, len(self._numbers) + 1)
            self.anchors.append(link)
            blanks = []
            while self._pieces and not (words := self._pieces[-1].rstrip()):
                blanks.append(self._pieces.pop())
            if self._pieces:
                blanks.append(self._pieces.pop()[len(words) :])
                self._pieces.append(words)
            self._pieces += [f"[{link.number}]", *reversed(blanks)]

    def _end_link(self) -> None:
        self._mark_link()
        self._link = None


def _bracketed(alt: str) -> str:
    """Alternative text in brackets; a lone emoji stays as it is."""
    alt = " ".join(clean(alt[: _ALT * 2]).split())[:_ALT]
    if not alt or (len(alt) <= 2 and not alt.isascii()):
        return alt
    return f"[{alt}]"
