"""HTML mail as readable lines, and as a file that is safe to open in a browser. Nothing is ever loaded or run.

The only file that knows the HTML parser. Its tokenizer is used and not its tree: a tree may hold the square of what a
mail holds (unclosed <font> before many <p>), a list of tokens never does.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from turbohtml import TokenType, tokenize

from termmail.mail.flowed import quote_prefix
from termmail.mail.html.allowlist import CONTENT_DROPPED, attributes_kept, is_harmless_sheet, keeps
from termmail.mail.html.css import host, warnings
from termmail.mail.html.grid import draw
from termmail.mail.html.layout import STRUCK, Page
from termmail.mail.message import Line, Link, Rendered
from termmail.mail.sanitize import cells, clean_lines, domain_warning
from termmail.mail.wrap import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from turbohtml import Token

    from termmail.mail.html.tables import Block

LIMIT = 1_000_000  # characters of HTML that are read
_NARROWEST = 10  # cells of text that stay beside quote marks and list indents
_LINK_LINES = 3
_WARNINGS = 5
_STRUCK_OUT = re.compile(rf"((?:[^\s{STRUCK}]{STRUCK})+(?: +(?:[^\s{STRUCK}]{STRUCK})+)*)")


def _tokens(html: str) -> Iterator[Token]:
    """The tokens of a mail. What stands in noscript shows, for scripts never run."""
    unscripted = False
    for token in tokenize(html[:LIMIT]):
        if unscripted and token.type is TokenType.TEXT:
            yield from tokenize(token.data or "")
        else:
            yield token
        unscripted = token.type is TokenType.START_TAG and token.tag == "noscript"


def _read(html: str) -> Page:
    page = Page()
    for token in _tokens(html):
        if token.type is TokenType.TEXT:
            page.text(token.data or "")
        elif token.type is TokenType.START_TAG:
            page.start(token.tag or "", {name: value or "" for name, value in token.attrs or ()})
        elif token.type is TokenType.END_TAG:
            page.end(token.tag or "")
    page.close()
    return page


def _texts(block: Block, room: int) -> Iterator[str]:
    """The lines of one block, each at most `room` cells."""
    if block.kind == "rule":
        yield "─" * room
    elif block.grid is None:
        for number, line in enumerate(block.text.split("\n")):
            yield from fold(line, room) if line or not number else [""]
    else:
        drawn = draw(block.grid, room)
        rows = (
            ["  ".join(cell.text for cell in row if cell.text) for row in block.grid.rows] if drawn is None else drawn
        )
        for row in rows:
            for line in row.split("\n"):
                yield from fold(line, room)


def _lines(blocks: list[Block], width: int) -> list[Line]:
    """The blocks wrapped at `width` cells, a blank line where one asks for it."""
    lines: list[Line] = []
    quote = 0
    for block in blocks:
        prefix = quote_prefix(block.quote)[: max(width - _NARROWEST, 0)]
        indent = min(block.indent, max(width - len(prefix) - _NARROWEST, 0))
        if lines and (block.spaced or block.quote != quote):
            shared = min(block.quote, quote)
            lines.append(Line(quote_prefix(shared).rstrip(" "), shared))
        lead = (" " * max(indent - cells(block.marker), 0) + block.marker) if block.marker else " " * indent
        lead = lead if cells(lead) <= indent else " " * indent
        for text in _texts(block, width - len(prefix) - indent):
            lines.append(_line((prefix + lead + text).rstrip(" "), block))
            lead = " " * indent
        quote = block.quote
    return lines


def _line(text: str, block: Block) -> Line:
    """A line of a block; what is struck out in it is told apart from its text."""
    if STRUCK not in text:
        return Line(text, block.quote, block.kind)
    whole, spans = "", []
    for place, piece in enumerate(_STRUCK_OUT.split(text)):
        piece = piece.replace(STRUCK, "")
        if place % 2:
            spans.append((len(whole), len(whole) + len(piece)))
        whole += piece
    return Line(whole, block.quote, block.kind, tuple(spans))


def _links(page: Page) -> list[Link]:
    """The links in the order of their numbers; the first that carries a number gives its words."""
    found: dict[int, Link] = {}
    for anchor in page.anchors:
        if anchor.number not in found:
            found[anchor.number] = Link(anchor.text(), anchor.url)
    return list(found.values())


def _link_lines(links: list[Link], width: int) -> list[Line]:
    """The list of links at the end, each at most three lines long."""
    lines = [Line("", 0), Line("─" * min(width, 20), 0, "rule")] if links else []
    for number, link in enumerate(links, 1):
        folded = fold(f"[{number}] {link.url}", width)
        if len(folded) > _LINK_LINES:
            folded = [*folded[: _LINK_LINES - 1], f"{folded[_LINK_LINES - 1][: width - 1]}…"]
        lines += [Line(text, 0, "link") for text in folded]
    return lines


def _count(number: int, one: str, many: str) -> list[str]:
    return [one if number == 1 else many.format(number)] if number else []


def _warnings(page: Page, links: list[Link]) -> tuple[str, ...]:
    domains = (domain_warning(f"@{host(link.url)}") for link in links)
    return (
        *warnings((anchor.number, anchor.text(), anchor.url) for anchor in page.anchors),
        *[words for words in dict.fromkeys(domains) if words][:_WARNINGS],
    )


def _notes(page: Page, *, cut: bool) -> tuple[str, ...]:
    return (
        *_count(page.remote, "1 remote picture not loaded.", "{} remote pictures not loaded."),
        *_count(page.trackers, "1 tracking pixel dropped.", "{} tracking pixels dropped."),
        *(["This message holds a form. It does nothing here."] if page.forms else []),
        *(["This message is very long. Only its start is shown."] if cut else []),
    )


def render(html: str, width: int = 88) -> Rendered:
    """HTML as lines of at most `width` cells with numbered links, and notes on what is not shown.

    Links other than http, https and mailto stay text. A link whose text names another host than its target is noted.
    Reads the first million characters; takes time in proportion to them, however they nest, and never raises.
    """
    width = max(width, _NARROWEST)
    page = _read(html)
    links = _links(page)
    lines = [*_lines(page.blocks, width), *_link_lines(links, width)]
    warned = _warnings(page, links)
    return Rendered(tuple(lines), tuple(links), (*warned, *_notes(page, cut=len(html) > LIMIT)), len(warned))


_HEAD = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8">\n'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; base-uri 'none'\">\n"
    '<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">\n'
    "<title>Message</title></head>\n<body>\n"
)


def sanitised(html: str) -> str:
    """The mail as a whole HTML document for a browser: no script, no form, no frame, nothing loaded from anywhere.

    Only known tags and attributes are written, all of them anew; a Content-Security-Policy stands in front of them.
    """
    written = [_HEAD]
    dropping, sheet = "", False
    for token in _tokens(html):
        tag = token.tag or ""
        if token.type is TokenType.TEXT and sheet:
            if is_harmless_sheet(token.data or ""):
                written.append(f"<style>{clean_lines(token.data or '')}</style>")
        elif dropping:
            dropping = "" if token.type is TokenType.END_TAG and tag == dropping else dropping
        elif token.type is TokenType.TEXT:
            written.append(escape(clean_lines(token.data or "")))
        elif token.type is TokenType.START_TAG and tag in CONTENT_DROPPED:
            dropping = tag
        elif token.type is TokenType.START_TAG and keeps(tag):
            attributes = attributes_kept(tag, token.attrs or ())
            written.append(f"<{tag}" + "".join(f' {name}="{escape(value)}"' for name, value in attributes) + ">")
        elif token.type is TokenType.END_TAG and keeps(tag):
            written.append(f"</{tag}>")
        sheet = token.type is TokenType.START_TAG and tag == "style"
    written.append("\n</body></html>\n")
    return "".join(written)
