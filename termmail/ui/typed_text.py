"""What the user types or pastes, made safe to draw.

A pasted text may hold a stranger's escape sequences (SAFETY M1), so no control character and no bidi override stays.
Unlike `mail.sanitize` it leaves the joiners that Persian or Hindi words are written with: this is the user's own text.
Each character becomes one character, so that a cursor keeps its place.
"""

from __future__ import annotations

_SHOWN_AS = "\N{REPLACEMENT CHARACTER}"
_UNSAFE = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), _SHOWN_AS)
_ONE_LINE = {**_UNSAFE, **dict.fromkeys(map(ord, "\t\n\r\v\f\x85\u2028\u2029"), " ")}
_LINES = {**_UNSAFE, ord("\t"): "\t", ord("\n"): "\n", **dict.fromkeys(map(ord, "\r\v\f\x85\u2028\u2029"), "\n")}


def line(text: str) -> str:
    """The text on one line."""
    return _whole(text).translate(_ONE_LINE)


def lines(text: str) -> str:
    """The text with its line ends as LF; CRLF is one line end."""
    return _whole(text.replace("\r\n", "\n")).translate(_LINES)


def _whole(text: str) -> str:
    """Lone surrogates, which no terminal and no message can carry, as replacement characters."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
