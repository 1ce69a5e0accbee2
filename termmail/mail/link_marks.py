"""The numbers of links: those that stand in the text of an HTML part, and those of addresses that are written out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from termmail.mail import flowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from termmail.mail.message import Link

_MARK = re.compile(r"\[(\d{1,4})\]")


class Place(NamedTuple):
    """Where the number of a link, in brackets, stands in a line or is drawn over it: from `start` to `end`."""

    start: int
    end: int
    number: int


class Numbered(Struct, frozen=True):
    """The links of a text, each with a number, and which of the numbers stand in the text as marks like [1]."""

    links: tuple[Link, ...] = ()
    marked: frozenset[int] = frozenset()


def numbered(links: Sequence[Link]) -> Numbered:
    """Give each link a number: those without one count on behind the highest, in their order."""
    highest = max((link.number for link in links), default=0)
    found = []
    for link in links:
        highest += not link.number
        found.append(link if link.number else replace(link, number=highest))
    return Numbered(tuple(found), frozenset(link.number for link in links if link.number))


def places(line: str, numbers: Numbered) -> Iterator[Place]:
    """Yield the marks of links in a line, and where numbers are drawn over the start of addresses written out in it.

    An address may begin in the line and go on in the next one.
    """
    here = set()
    for mark in _MARK.finditer(line) if numbers.marked else ():
        if int(mark[1]) in numbers.marked:
            here.add(int(mark[1]))
            yield Place(*mark.span(), int(mark[1]))
    for start, shown in flowed.addresses(line):
        end = start + len(shown)
        exact = next((link for link in numbers.links if link.text == shown), None)
        begun = (link for link in numbers.links if end == len(line) and link.text.startswith(shown))
        link = exact or next(begun, None)
        if link is not None and link.number not in here and start + len(f"[{link.number}]") <= end:
            yield Place(start, start + len(f"[{link.number}]"), link.number)
