"""Where a line of text breaks: at spaces, between East Asian letters, never inside what is drawn as one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from termmail.mail.sanitize import cells

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZWJ = "\u200d"
_SKIN_TONES = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
# Characters that must not start a line, and those that must not end one (JIS X 4051, the common ones).
_NOT_FIRST = frozenset("、。，．・：；？！）］｝」』】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ％")
_NOT_LAST = frozenset("（［｛「『【〈《〔")
_WORDS = re.compile(" +|[^ ]+")


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """The pieces that no line break may divide, each with its cells: a letter with its marks, an emoji sequence."""
    start = 0
    for place in range(1, len(text)):
        character = text[place]
        if character in _SKIN_TONES or text[place - 1] == _ZWJ or not cells(character):
            continue
        yield text[start:place], cells(text[start:place])
        start = place
    if text:
        yield text[start:], cells(text[start:])


def _chunks(word: str) -> Iterator[tuple[str, int]]:
    """A word without spaces as the chunks between which a line may break: one for Latin, about one per ideograph."""
    if word.isascii():
        yield word, len(word)
        return
    chunk: list[str] = []
    width = 0
    last, wide = "", False
    for piece, piece_width in _clusters(word):
        breaks = wide or piece_width == 2
        if chunk and breaks and piece[0] not in _NOT_FIRST and last[0] not in _NOT_LAST:
            yield "".join(chunk), width
            chunk, width = [], 0
        chunk.append(piece)
        width += piece_width
        last, wide = piece, piece_width == 2
    if chunk:
        yield "".join(chunk), width


def _hard_pieces(chunk: str, width: int) -> Iterator[tuple[str, int]]:
    """A chunk that is longer than any line, cut where the line is full."""
    if chunk.isascii():
        for start in range(0, len(chunk), width):
            piece = chunk[start : start + width]
            yield piece, len(piece)
        return
    held: list[str] = []
    used = 0
    for piece, piece_width in _clusters(chunk):
        if held and used + piece_width > width:
            yield "".join(held), used
            held, used = [], 0
        held.append(piece)
        used += piece_width
    if held:
        yield "".join(held), used


def fold(text: str, width: int, *, first: int | None = None) -> list[str]:
    """Break one line of cleaned text into lines of at most `width` cells (the first: at most `first` cells).

    Breaks at spaces and between East Asian letters; a word that fits on a line of its own is never cut (a long URL),
    a longer one is cut where the line is full. Runs of spaces inside a line are kept, those at a break are dropped.
    Linear in the length of the text. Always at least one line, which may be empty.
    """
    width = max(width, 2)
    room = width if first is None else max(first, 2)
    if text.isascii() and len(text) <= room:
        return [text]
    lines: list[str] = []
    line: list[str] = []
    used = 0
    gap = ""
    for run in _WORDS.findall(text):
        if run[0] == " ":
            gap = run if line or not lines else ""
            continue
        for chunk, chunk_width in _chunks(run):
            if used + len(gap) + chunk_width <= room:
                line += (gap, chunk)
                used += len(gap) + chunk_width
                gap = ""
                continue
            if line:
                lines.append("".join(line))
                room = width
            line, used, gap = [], 0, ""
            for piece, piece_width in _hard_pieces(chunk, room) if chunk_width > room else ((chunk, chunk_width),):
                if line:
                    lines.append("".join(line))
                    room = width
                line, used = [piece], piece_width
    if line or not lines:
        lines.append("".join(line))
    return lines
