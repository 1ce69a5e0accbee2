"""The list of a maildrop, from the answers to LIST and UIDL, in arrays: a million messages take about 60 MB.

Rows are read in slices between which the event loop runs.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from msgspec import Struct

from termmail.net.pop3.protocol import LIST_ROWS, ROW_SLACK
from termmail.net.pop3.responses import parse_size_row, parse_uidl_row

if TYPE_CHECKING:
    from collections.abc import Iterator

SLICE = 32 << 10
"""Bytes of rows that are read between two turns of the event loop: a few milliseconds."""

_MISSING = -1


class Listed(Struct, frozen=True):
    """One message of a maildrop in this session: number, bytes, and the UIDL as received (b"" where there is none).

    `size` is 0 where the server gave no size that can be believed.
    """

    number: int
    size: int
    uidl: bytes = b""


class Listing(Sequence[Listed]):
    """The messages of a maildrop by number, each made into a Listed when it is looked at.

    `odd_rows` counts the rows that were left out: no number, a number seen before or out of range, or in one of the two
    lists alone. `odd_sizes` counts the messages that are listed without a size that can be believed.
    """

    def __init__(self, rows: _Rows, odd_rows: int, odd_sizes: int) -> None:
        self._rows = rows
        self.odd_rows = odd_rows
        self.odd_sizes = odd_sizes

    def __len__(self) -> int:
        return len(self._rows.numbers)

    @overload
    def __getitem__(self, index: int) -> Listed: ...

    @overload
    def __getitem__(self, index: slice) -> list[Listed]: ...

    def __getitem__(self, index: int | slice) -> Listed | list[Listed]:
        if isinstance(index, slice):
            return [self._listed(number) for number in self._rows.numbers[index]]
        return self._listed(self._rows.numbers[index])

    def __iter__(self) -> Iterator[Listed]:
        return map(self._listed, self._rows.numbers)

    def _listed(self, number: int) -> Listed:
        return Listed(number, self._rows.sizes[number], self._rows.uidl(number))


class _Rows:
    """The arrays behind a Listing, indexed by message number up to `highest`."""

    def __init__(self, highest: int) -> None:
        self.numbers = array("I")
        self.sizes = array("q", [_MISSING]) * (highest + 1)
        self._uidls = b""
        self._starts = array("I", [0]) * (highest + 1)
        self._lengths = array("i", [_MISSING]) * (highest + 1)
        self._has_uidls = False

    def uidl(self, number: int) -> bytes:
        if not self._has_uidls:
            return b""
        start = self._starts[number]
        return self._uidls[start : start + self._lengths[number]]

    async def read_sizes(self, body: bytes) -> tuple[int, int, int]:
        """Read the rows of LIST. Return how many were left out, how many have no size, and how many were read."""
        odd_rows = odd_sizes = read = 0
        for _, rows in _slices(body):
            for row in rows:
                parsed = parse_size_row(row)
                if parsed is None or parsed[0] >= len(self.sizes) or self.sizes[parsed[0]] != _MISSING:
                    odd_rows += 1
                    continue
                number, size = parsed
                read += 1
                odd_sizes += size is None
                self.sizes[number] = size or 0
            await asyncio.sleep(0)
        return odd_rows, odd_sizes, read

    async def read_uidls(self, body: bytes) -> int:
        """Read the rows of UIDL. Return how many were left out."""
        odd_rows = 0
        self._uidls, self._has_uidls = body, True
        for start, rows in _slices(body):
            at = start
            for row in rows:
                at += len(row) + 2
                parsed = parse_uidl_row(row)
                if parsed is None or parsed[0] >= len(self.sizes) or self._lengths[parsed[0]] != _MISSING:
                    odd_rows += 1
                    continue
                number, uidl = parsed
                self._starts[number], self._lengths[number] = at - 2 - len(uidl), len(uidl)
            await asyncio.sleep(0)
        return odd_rows

    async def agree(self, highest: int) -> int:
        """Keep the numbers up to `highest` that both lists (or LIST, without UIDL) have. Return how many were left out."""
        left_out = 0
        for start in range(0, len(self.sizes), SLICE):
            for number in range(start, min(start + SLICE, len(self.sizes))):
                sized = self.sizes[number] != _MISSING
                named = self._lengths[number] != _MISSING if self._has_uidls else sized
                if sized and named and number <= highest:
                    self.numbers.append(number)
                else:
                    left_out += sized or named
            await asyncio.sleep(0)
        return left_out


async def read_listing(count: int, sizes: bytes, uidls: bytes | None) -> Listing:
    """Return every message that LIST and (where there is UIDL) UIDL agree on.

    `count` is what STAT said; `sizes` and `uidls` are the two bodies, `uidls` None where there is no UIDL. A message whose size is no number is kept, with size 0.
    """
    rows = _Rows(min(count + ROW_SLACK, LIST_ROWS))
    odd_rows, odd_sizes, sized = await rows.read_sizes(sizes)
    highest = max(count, sized)
    if uidls is not None:
        odd_rows += await rows.read_uidls(uidls)
    odd_rows += await rows.agree(highest)
    return Listing(rows, odd_rows, odd_sizes)


def _slices(body: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the rows of a listing, without their CRLF, in slices, each with its position in the body."""
    start = 0
    while start < len(body):
        end = body.rfind(b"\r\n", start, start + SLICE) + 2
        if end < start + 2:  # one row longer than a slice
            end = body.find(b"\r\n", start) + 2
        yield start, body[start : end - 2].split(b"\r\n")
        start = end
