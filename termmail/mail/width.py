"""How many terminal cells text takes, equal to what Textual draws."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from termmail.mail.cell_table import WIDE, WIDE_AS_EMOJI, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ZWJ = "\u200d"
VS16 = "\ufe0f"


def _ranges(words: str) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of each range of a table, the end exclusive."""
    for word in words.split():
        start, _, more = word.partition("+")
        yield int(start, 16), int(start, 16) + int(more or "0", 16) + 1


@functools.cache
def _table() -> bytes:
    """Return the cells of every code point: 0, 1 or 2. Built on the first text that is not ASCII."""
    table = bytearray(b"\1") * 0x110000
    for width, words in ((0, ZERO), (2, WIDE)):
        for start, end in _ranges(words):
            table[start:end] = bytes([width]) * (end - start)
    return bytes(table)


@functools.cache
def _wide_as_emoji() -> frozenset[str]:
    """Return the narrow characters that a variation selector 16 makes wide."""
    return frozenset(chr(code) for start, end in _ranges(WIDE_AS_EMOJI) for code in range(start, end))


def widths(text: str) -> Iterable[int]:
    """Return the cells that each character adds where it stands.

    What a zero width joiner joins adds nothing; a variation selector 16 adds one where it makes an emoji of a
    narrow character.
    """
    if ZWJ in text or VS16 in text:
        return _sequence_widths(text)
    return map(_table().__getitem__, map(ord, text))


def _sequence_widths(text: str) -> Iterator[int]:
    table, wide_as_emoji = _table(), _wide_as_emoji()
    drawn, joined = "", False
    for char in text:
        if joined:
            joined = False
            yield 0
        elif char == ZWJ:
            joined = True
            yield 0
        elif char == VS16:
            yield 1 if drawn in wide_as_emoji else 0
            drawn = ""
        else:
            width = table[ord(char)]
            drawn = char if width else drawn
            yield width


def cells(text: str) -> int:
    """Return how many terminal cells the text takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(widths(text))


def broken_word(last: str, first: str) -> bool:
    """Return whether a line that was broken between these letters had no space there: both are East Asian."""
    return not (last.isascii() or first.isascii()) and cells(last) == 2 == cells(first)
