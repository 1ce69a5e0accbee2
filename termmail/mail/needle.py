"""Find words in the lines of a text: without case and accents, over line breaks, in East Asian text too."""

from __future__ import annotations

import functools
import re
import unicodedata
from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from termmail.mail import equal_letters
from termmail.mail.check import no_check
from termmail.mail.width import broken_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.mail.check import Check

HITS_LIMIT = 10_000
"""Hits that are returned at most."""

_MARGIN = re.compile(r"[ >]*")
_VOICED = ("\u3099", "\u309a")  # marks that make another letter of a kana, and no accent of one
_ONE = 1
_BREAK = "\n"  # no needle holds it: words are not found across it


class Stretch(NamedTuple):
    """A part of a hit within one line: characters `start` to `end` of it."""

    line: int
    start: int
    end: int


Hit = tuple[Stretch, ...]
"""The parts of one hit, in the order of the lines."""


class Haystack(NamedTuple):
    """Lines made ready to be searched.

    `text` holds them all, folded, each from `starts` to `ends`. `places` has for each line the character that each
    folded one comes from; None where they are the same, behind a margin of `margins` characters.
    """

    text: str
    starts: list[int]
    ends: list[int]
    margins: list[int]
    places: list[array[int] | None]
    lengths: list[int]


@functools.lru_cache(maxsize=1 << 16)
def fold(char: str) -> str:
    """Return a character as `equal_letters.fold` has it, in lower case: none for an accent alone, several for a ligature.

    The mark that makes another letter of a kana stands apart: half-width text has it so.
    """
    if char.isspace():
        return " "
    if "\uac00" <= char <= "\ud7a3":  # Hangul stays composed: a syllable is not found by its first letters
        return char
    return unicodedata.normalize("NFD", equal_letters.fold(char).strip(" ")).lower()


def folded(text: str) -> str:
    """Return words as `index` has them: without case and accents, every run of white space one space."""
    return " ".join("".join(map(fold, text)).split())


def index(lines: Sequence[str], check: Check = no_check) -> Haystack:
    """Return lines made ready to be searched. Linear in their length.

    Words are found over a line break, unless an empty line or another depth of quoting lies between. `check` is called
    for each line and may raise to stop.
    """
    found = Haystack("", [], [], [], [], [])
    pieces: list[str] = []
    length = 0
    depth, last = -1, ""
    for line in lines:
        check()
        margin = _MARGIN.match(line)
        start = margin.end() if margin else 0
        text, places = _folded_line(line.rstrip(), start)
        marks = line.count(">", 0, start)
        joint = _BREAK if marks != depth or not (text and last) else "" if broken_word(last, line[start]) else " "
        pieces += [joint, text]
        length += len(joint)
        found.starts.append(length)
        length += len(text)
        found.ends.append(length)
        found.margins.append(start)
        found.places.append(places)
        found.lengths.append(len(line))
        depth, last = marks, line.rstrip()[-1:] if text else ""
    return found._replace(text="".join(pieces))


def _folded_line(line: str, start: int) -> tuple[str, array[int] | None]:
    """Return a line from `start` on, folded, and where each of its characters comes from."""
    if line.isascii() and "  " not in line:
        return line[start:].lower(), None
    plain = list(map(fold, line[start:]))
    whole = "".join(plain)
    if "  " not in whole and all(map(_ONE.__eq__, map(len, plain))):
        return whole, None
    text: list[str] = []
    places = array("l")
    spaced = False
    for place, one in enumerate(plain, start):
        if one == " " and spaced:
            continue
        spaced = one == " "
        text.append(one)
        places.extend([place] * len(one))
    return "".join(text), places


def find(haystack: Haystack, needle: str, limit: int = HITS_LIMIT) -> list[Hit]:
    """Return where the words of `needle` are, in order, at most `limit`; none where it is empty."""
    wanted = folded(needle)
    hits: list[Hit] = []
    place = haystack.text.find(wanted) if wanted else -1
    while place >= 0 and len(hits) < limit:
        end = place + len(wanted)
        if not haystack.text.startswith(_VOICED, end) and (hit := _hit(haystack, place, end)):
            hits.append(hit)
        place = haystack.text.find(wanted, end)
    return hits


def _hit(haystack: Haystack, start: int, end: int) -> Hit:
    """Return the stretches of the lines that the folded characters `start` to `end` come from."""
    stretches = []
    line = bisect_right(haystack.starts, start) - 1
    while line < len(haystack.starts) and haystack.starts[line] < end:
        first, last = max(start, haystack.starts[line]), min(end, haystack.ends[line])
        if first < last:
            begin, over = _place(haystack, line, first), _place(haystack, line, last)
            stretches.append(Stretch(line, begin, max(over, begin + 1)))
        line += 1
    return tuple(stretches)


def _place(haystack: Haystack, line: int, at: int) -> int:
    """Return the character of a line that a folded character comes from; at the end of the line its length."""
    offset, places = at - haystack.starts[line], haystack.places[line]
    if places is None:
        return haystack.margins[line] + offset
    return places[offset] if offset < len(places) else haystack.lengths[line]
