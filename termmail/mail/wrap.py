"""Break a line of text where it is full: at spaces, between East Asian letters, never inside what is drawn as one."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from termmail.mail.width import VS16, ZWJ, widths

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAG_LETTERS = ("\U0001f1e6", "\U0001f1ff")
# Characters that must not start a line, and those that must not end one (JIS X 4051, the common ones).
_NOT_FIRST = frozenset("、。，．・：；？！）］｝」』】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ％")
_NOT_LAST = frozenset("（［｛「『【〈《〔")


def fold(text: str, width: int, *, first: int | None = None) -> list[str]:
    """Break one line of cleaned text into lines of at most `width` cells (the first: at most `first` cells).

    Breaks at spaces and between East Asian letters; a word that fits on a line of its own is never cut (a long URL),
    a longer one is cut where the line is full. Runs of spaces inside a line are kept, those at a break are dropped.
    Linear in the length of the text. Always at least one line, which may be empty.
    """
    width = max(width, 2)
    room = width if first is None else max(first, 2)
    if text.isascii():
        return [text] if len(text) <= room else _fold(text, range(1, len(text) + 1), width, room, wide=False)
    sizes = bytes(widths(text))
    ends = range(1, len(text) + 1) if sizes.count(1) == len(sizes) else list(accumulate(sizes))
    return [text] if ends[-1] <= room else _fold(text, ends, width, room, wide=2 in sizes)


def _fold(text: str, ends: Sequence[int], width: int, room: int, *, wide: bool) -> list[str]:
    """Break a text that needs several lines. `ends` has the cells up to and with each character, from the start."""
    lines: list[str] = []
    start, length = 0, len(text)
    while start < length:
        full = bisect_right(ends, (ends[start - 1] if start else 0) + room, start)
        end = length if full == length else _break(text, ends, start, full, wide=wide)
        if line := text[start:end].rstrip(" "):
            lines.append(line)
            room = width
        start = end
        while text.startswith(" ", start):
            start += 1
    return lines or [""]


def _break(text: str, ends: Sequence[int], start: int, full: int, *, wide: bool) -> int:
    """Return where the line from `start` ends, when the characters before `full` fit and more follow."""
    space = full if text[full] == " " else text.rfind(" ", start, full) + 1
    if wide:
        for end in range(full, max(space, start), -1):
            if _breaks(text, ends, end):
                return end
    if space > start:
        return space
    for end in range(full, start, -1):
        if _divides(text, ends, start, end):
            return end
    return full


def _starts_cluster(text: str, ends: Sequence[int], place: int) -> bool:
    """Return whether the character at `place` (not 0) is drawn apart from the one before it."""
    return ends[place] > ends[place - 1] and text[place] != VS16 and text[place - 1] != ZWJ


def _breaks(text: str, ends: Sequence[int], end: int) -> bool:
    """Return whether a line may end before `end` because one of its neighbours is a wide letter or emoji."""
    if not _starts_cluster(text, ends, end) or text[end] in _NOT_FIRST:
        return False
    base = end - 1
    while base and not _starts_cluster(text, ends, base):
        base -= 1
    after = 2 if text.startswith(VS16, end + 1) else 1
    last = min(end + after, len(ends)) - 1
    before = ends[end - 1] - (ends[base - 1] if base else 0)
    return (before == 2 or ends[last] - ends[end - 1] == 2) and text[base] not in _NOT_LAST


def _divides(text: str, ends: Sequence[int], start: int, end: int) -> bool:
    """Return whether a word may be cut before `end`: not inside a letter with its marks, an emoji or a flag."""
    if not _starts_cluster(text, ends, end):
        return False
    flag = end
    while flag >= start and _FLAG_LETTERS[0] <= text[flag] <= _FLAG_LETTERS[1]:
        flag -= 1
    return (end - flag) % 2 == 1 or flag == end
