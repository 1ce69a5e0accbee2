"""Make typed and pasted text safe to draw.

A pasted text may hold escape sequences, so control characters and bidi overrides are replaced. Unlike `mail.sanitize`
this keeps the joiners of Persian and Hindi words, for the text is the user's own. Each character becomes one character,
so that a cursor keeps its place.
"""

from __future__ import annotations

_SHOWN_AS = "\N{REPLACEMENT CHARACTER}"
_UNSAFE = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), _SHOWN_AS)
_ONE_LINE = {**_UNSAFE, **dict.fromkeys(map(ord, "\t\n\r\v\f\x85\u2028\u2029"), " ")}
_LINES = {**_UNSAFE, ord("\t"): "\t", ord("\n"): "\n", **dict.fromkeys(map(ord, "\r\v\f\x85\u2028\u2029"), "\n")}


def line(text: str) -> str:
    """Return the text on one line."""
    return _whole(text).translate(_ONE_LINE)


def lines(text: str) -> str:
    """Return the text with its line ends as LF; CRLF is one line end."""
    return _whole(text.replace("\r\n", "\n")).translate(_LINES)


def _whole(text: str) -> str:
    """Replace lone surrogates, which no terminal and no message can carry."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
