"""HTML mail as readable lines. Nothing is ever loaded or run.

The parser's tokenizer is used and not its tree: a tree may hold the square of what a mail holds (unclosed <font> before
many <p>), a list of tokens never does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from turbohtml import TokenType, tokenize

from termmail.mail.check import no_check
from termmail.mail.flowed import quote_prefix
from termmail.mail.html.grid import draw
from termmail.mail.html.inline import STRUCK
from termmail.mail.html.layout import Page
from termmail.mail.html.links import host, warnings
from termmail.mail.message import Line, Link, Rendered
from termmail.mail.sanitize import domain_warning
from termmail.mail.width import cells
from termmail.mail.wrap import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from turbohtml import Token

    from termmail.mail.check import Check
    from termmail.mail.html.tables import Block

LIMIT = 1_000_000
"""Characters of HTML that are rendered."""
_MIN_TEXT = 10  # cells of text that stay beside quote marks and list indents
_DOMAIN_WARNINGS = 5
_NO_ATTRIBUTES: dict[str, str] = {}
_TEXT, _START, _END = TokenType.TEXT, TokenType.START_TAG, TokenType.END_TAG  # read faster than members of an Enum
_STRUCK_OUT = re.compile(rf"((?:[^\s{STRUCK}]{STRUCK})+(?: +(?:[^\s{STRUCK}]{STRUCK})+)*)")


def _tokens(html: str) -> Iterator[Token]:
    """Yield the tokens of a mail, with the content of noscript as markup, for scripts never run."""
    unscripted = False
    for token in tokenize(html):
        if unscripted and token.type is _TEXT:
            yield from tokenize(token.data or "")
        else:
            yield token
        unscripted = token.type is _START and token.tag == "noscript"


def _read(html: str, numbers: dict[str, int], check: Check, *, reveal: bool = False) -> Page:
    page = Page(numbers, reveal=reveal)
    for token in _tokens(html):
        check()
        if token.type is _TEXT:
            page.text(token.data or "")
        elif token.type is _START:
            attributes = {name: value or "" for name, value in token.attrs} if token.attrs else _NO_ATTRIBUTES
            page.start(token.tag or "", attributes)
        elif token.type is _END:
            page.end(token.tag or "")
    page.close()
    return page


def _texts(block: Block, width: int, check: Check) -> Iterator[str]:
    """Yield the lines of one block, each at most `width` cells."""
    if block.kind == "rule":
        yield "─" * width
    elif block.grid is None:
        for number, line in enumerate(block.text.split("\n")):
            check()
            yield from fold(line, width) if line or not number else [""]
    else:
        yield from draw(block.grid, width, check)


def _lines(blocks: Iterable[Block], width: int, check: Check) -> list[Line]:
    """Return the blocks wrapped at `width` cells, with a blank line before each that is spaced."""
    lines: list[Line] = []
    quote = 0
    for block in blocks:
        check()
        prefix = quote_prefix(block.quote)[: max(width - _MIN_TEXT, 0)]
        indent = min(block.indent, max(width - len(prefix) - _MIN_TEXT, 0))
        if lines and (block.spaced or block.quote != quote):
            shared = min(block.quote, quote)
            lines.append(Line(quote_prefix(shared).rstrip(" "), shared))
        lead = (" " * max(indent - cells(block.marker), 0) + block.marker) if block.marker else " " * indent
        lead = lead if cells(lead) <= indent else " " * indent
        for text in _texts(block, width - len(prefix) - indent, check):
            lines.append(_line((prefix + lead + text).rstrip(" "), block))
            lead = " " * indent
        quote = block.quote
    return lines


def _line(text: str, block: Block) -> Line:
    """Return a line of a block with the ranges that are struck out."""
    if STRUCK not in text:
        return Line(text, block.quote, block.kind)
    whole, spans = "", []
    for place, piece in enumerate(_STRUCK_OUT.split(text)):
        piece = piece.replace(STRUCK, "")
        if place % 2:
            spans.append((len(whole), len(whole) + len(piece)))
        whole += piece
    return Line(whole, block.quote, block.kind, tuple(spans))


def _links(page: Page, known: int, check: Check) -> list[Link]:
    """Return the links above the number `known`, in order; the first that has a number gives its text."""
    found: list[Link] = []
    for anchor in page.anchors:
        check()
        if anchor.number > known + len(found):
            found.append(Link(anchor.text(), anchor.url, anchor.number))
    return found


def _count(number: int, one: str, many: str) -> list[str]:
    return [one if number == 1 else many.format(number)] if number else []


def _warnings(page: Page, links: list[Link]) -> tuple[str, ...]:
    domains = (domain_warning(f"@{host(link.url)}") for link in links)
    return (*warnings(page.anchors), *[words for words in dict.fromkeys(domains) if words][:_DOMAIN_WARNINGS])


def _notes(page: Page, html: str, *, revealed: bool) -> Iterator[str]:
    yield from _count(page.remote, "1 remote picture not loaded.", "{} remote pictures not loaded.")
    yield from _count(page.trackers, "1 tracking pixel dropped.", "{} tracking pixels dropped.")
    if page.forms:
        yield "This message holds a form. It does nothing here."
    if len(html) > LIMIT:
        yield "This message is very long. Only its start is shown."
    if revealed:
        yield "This message hides all of its text. It is shown here anyway."
    elif not page.blocks and html.strip():
        yield "This message has no text to show."


def render(html: str, width: int = 88, *, numbers: dict[str, int] | None = None, check: Check = no_check) -> Rendered:
    """Return HTML as lines of at most `width` cells with numbered links, and notes on what is not shown.

    `numbers` has the numbers of the URLs in the parts before this one: they go on from there, and new ones are added. The
    list of links is made by `links.list_lines`, once for all parts. Links other than http, https and mailto stay text. A link whose text names another host than its target is noted.
    A message that hides all of its text is shown with that text, and a note says so. Reads the first million
    characters, in time proportional to them. `check` is called for each tag and line and may raise to stop.
    """
    width = max(width, _MIN_TEXT)
    numbers = {} if numbers is None else numbers
    known = len(numbers)
    page = _read(html[:LIMIT], numbers, check)
    revealed = False
    if not page.blocks:
        hidden = _read(html[:LIMIT], numbers, check, reveal=True)
        revealed = bool(hidden.blocks)
        page = hidden if revealed else page
    links = _links(page, known, check)
    lines = _lines(page.blocks, width, check)
    warned = _warnings(page, links)
    notes = (*warned, *_notes(page, html, revealed=revealed))
    return Rendered(tuple(lines), tuple(links), notes, len(warned))
