"""HTML mail as a file that is safe to open in a browser: nothing in it loads or runs anything."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from turbohtml import TokenType, tokenize

from termmail.mail.html.allowlist import CONTENT_DROPPED, attributes_kept, is_harmless_sheet, keeps
from termmail.mail.sanitize import clean_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from turbohtml import Token

LIMIT = 1_000_000


def _tokens(html: str) -> Iterator[Token]:
    """Yield the tokens of a mail, with the content of noscript as markup, for scripts never run."""
    unscripted = False
    for token in tokenize(html[:LIMIT]):
        if unscripted and token.type is TokenType.TEXT:
            yield from tokenize(token.data or "")
        else:
            yield token
        unscripted = token.type is TokenType.START_TAG and token.tag == "noscript"


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
