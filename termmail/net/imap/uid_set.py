"""Sets of unique ids as ranges, as the protocol writes them: 3,7:12 (RFC 3501 section 9, sequence-set)."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_NUMBER = 2**32 - 1
"""The largest number, unique id or message number (RFC 3501 section 9)."""

_RANGES = re.compile(rb"\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*")

Range = tuple[int, int]
"""First and last, both included."""


class UidSet:
    """Unique ids, ascending and without doubles. A server's 1:4294967295 costs no more than one number."""

    __slots__ = ("_firsts", "ranges")

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        merged: list[Range] = []
        begin = end = 0
        for first, last in sorted(ranges):
            if first > end + 1 or not begin:
                if begin:
                    merged.append((begin, end))
                begin, end = first, last
            elif last > end:
                end = last
        if begin:
            merged.append((begin, end))
        self.ranges = tuple(merged)
        """Ascending, none touching the next."""
        self._firsts = [first for first, _ in merged]

    @classmethod
    def of(cls, uids: Iterable[int]) -> UidSet:
        """Return the set of these unique ids, numbers from 1 up."""
        return cls((uid, uid) for uid in set(uids))

    @classmethod
    def parse(cls, text: bytes) -> UidSet:
        """Return the set that a server wrote. Raises ValueError for anything else, "*" included."""
        return cls(parse_ranges(text))

    def encode(self) -> bytes:
        """Return the set as a command has it, b"" if it is empty."""
        return b",".join(b"%d" % first if first == last else b"%d:%d" % (first, last) for first, last in self.ranges)

    def split(self, octets: int, most: int | None = None) -> list[UidSet]:
        """Return sets that together hold the same, each of at most `octets` bytes and, if told, `most` numbers."""
        ranges: list[Range] = []
        for first, last in self.ranges:
            step = most or last
            ranges += [(low, min(low + step - 1, last)) for low in range(first, last + 1, step)]
        parts: list[UidSet] = []
        part: list[Range] = []
        length = count = 0
        for one in ranges:
            size, numbers = len(UidSet([one]).encode()) + 1, one[1] - one[0] + 1
            if part and (length + size - 1 > octets or (most and count + numbers > most)):
                parts.append(UidSet(part))
                part, length, count = [], 0, 0
            part.append(one)
            length, count = length + size, count + numbers
        return [*parts, UidSet(part)] if part else parts

    def among(self, uids: Iterable[int]) -> list[int]:
        """Return those of `uids` that are in the set, in their order."""
        return [uid for uid in uids if uid in self]

    def __contains__(self, uid: int) -> bool:
        at = bisect_right(self._firsts, uid) - 1
        return at >= 0 and uid <= self.ranges[at][1]

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UidSet) and self.ranges == other.ranges

    def __hash__(self) -> int:
        return hash(self.ranges)

    def __repr__(self) -> str:
        return f"UidSet({self.encode().decode()!r})"


def parse_ranges(text: bytes) -> list[Range]:
    """Return the ranges in the order a server wrote them. Raises ValueError for what is no set of numbers from 1 up."""
    if not _RANGES.fullmatch(text):
        raise ValueError("not a set of numbers")
    ranges: list[Range] = []
    for part in text.split(b","):
        if b":" in part:
            first, last = map(int, part.split(b":"))
            ranges.append((first, last) if first <= last else (last, first))
        else:
            number = int(part)
            ranges.append((number, number))
    if min(ranges)[0] < 1 or max(last for _, last in ranges) > MAX_NUMBER:
        raise ValueError("a number out of range")
    return ranges


def batches(uids: Iterable[int], octets: int, most: int) -> Iterator[list[int]]:
    """Split unique ids, in their order, into lists of at most `most` whose sets take at most `octets` bytes."""
    batch: list[int] = []
    for uid in uids:
        batch.append(uid)
        # Eleven bytes hold any number and its comma, so a set is measured only where it may be too long.
        if len(batch) > most or (len(batch) * 11 > octets and len(UidSet.of(batch).encode()) > octets):
            batch.pop()
            yield batch
            batch = [uid]
    if batch:
        yield batch
