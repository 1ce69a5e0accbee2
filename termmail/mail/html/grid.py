"""Tables of an HTML mail that are drawn as aligned columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from termmail.mail.width import cells
from termmail.mail.wrap import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from termmail.mail.check import Check

_GAP = 2
_MIN_WIDTH = 6
_MAX_COLUMNS = 16
_LONG = 60  # characters: a table whose cells hold more than this is a page layout
_AMOUNT = frozenset("0123456789.,+-%()$€£¥ \u2212\u00a0\u0336")


@dataclass(slots=True)
class Cell:
    """One cell: its text (lines divided by line feeds), how many columns it spans, whether it is a header."""

    text: str
    span: int = 1
    header: bool = False


@dataclass(slots=True)
class Grid:
    """The rows of one table. `marked` is true where its HTML says that it is data (th, caption, border)."""

    rows: list[list[Cell]] = field(default_factory=list)
    marked: bool = False

    def columns(self) -> int:
        """Return how many columns the widest row has."""
        return max((sum(cell.span for cell in row) for row in self.rows), default=0)

    def is_data(self) -> bool:
        """Return whether columns help the reader.

        That is where the HTML marks the table as data, or at least two rows have two columns or more, and all cells
        are short.
        """
        if not 2 <= self.columns() <= _MAX_COLUMNS:
            return False
        full = sum(sum(bool(cell.text) for cell in row) > 1 for row in self.rows)
        if self.marked:
            return full > 0
        if full < 2 or full * 2 < len(self.rows):
            return False
        return all(len(cell.text) <= _LONG and "\n" not in cell.text for row in self.rows for cell in row)


def _placed(row: Sequence[Cell]) -> Iterator[tuple[int, Cell]]:
    """Yield the cells of a row with the column each starts in."""
    column = 0
    for cell in row:
        yield column, cell
        column += cell.span


def _widest(text: str) -> int:
    return max(map(cells, text.split("\n")))


def _wanted(grid: Grid, columns: int) -> list[int]:
    """Return the width of each column without folding.

    It comes from the cells that span one column; where there is none, from the cells whose last column it is.
    """
    single, last = [0] * columns, [0] * columns
    for row in grid.rows:
        for column, cell in _placed(row):
            if cell.span == 1:
                single[column] = max(single[column], _widest(cell.text), 1)
            else:
                end = column + cell.span - 1
                room = sum(single[column:end]) + _GAP * (cell.span - 1)
                last[end] = max(last[end], _widest(cell.text) - room)
    return [one or max(other, 1) for one, other in zip(single, last, strict=True)]


def _fitted(widths: list[int], room: int) -> list[int]:
    """Return the widths reduced to `room` cells in total: the widest columns are reduced first."""
    order = sorted(range(len(widths)), key=widths.__getitem__)
    fitted = list(widths)
    left = room
    for place, column in enumerate(order):
        fitted[column] = min(widths[column], left // (len(order) - place))
        left -= fitted[column]
    return fitted


def _is_amount(text: str) -> bool:
    return _AMOUNT.issuperset(text) and any(map(str.isdigit, text))


def _numeric(grid: Grid, columns: int) -> list[bool]:
    """Return which columns hold amounts in every cell that is not a header: they are aligned to the right."""
    found, fits = [False] * columns, [True] * columns
    for row in grid.rows:
        for column, cell in _placed(row):
            if cell.header or cell.span > 1 or not cell.text:
                continue
            found[column] = True
            fits[column] = fits[column] and _is_amount(cell.text)
    return [some and fit for some, fit in zip(found, fits, strict=True)]


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cells(text))
    return space + text if right else text + space


def _row_lines(row: Sequence[Cell], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    """Yield one row as lines; a cell too long for its column continues below."""
    folded: list[tuple[int, bool, list[str]]] = []
    height = 0
    for column, cell in _placed(row):
        spanned = widths[column : column + cell.span]
        width = sum(spanned) + _GAP * (len(spanned) - 1)
        lines = [part for line in cell.text.split("\n") for part in fold(line, width)]
        folded.append((width, cell.span == 1 and numeric[column], lines))
        height = max(height, len(lines))
    for number in range(height):
        parts = [_padded(lines[number] if number < len(lines) else "", width, right=r) for width, r, lines in folded]
        yield (" " * _GAP).join(parts).rstrip(" ")


def _stacked(grid: Grid, width: int, check: Check) -> Iterator[str]:
    """Yield the rows of a grid that has no room for its columns: cells on one line, or below one another."""
    for row in grid.rows:
        check()
        texts = [cell.text for cell in row if cell.text]
        lines = "\n".join(texts).split("\n") if any("\n" in text for text in texts) else ["  ".join(texts)]
        for line in lines:
            yield from fold(line, width)


def draw(grid: Grid, width: int, check: Check) -> Iterator[str]:
    """Yield the table as lines of at most `width` cells, its header row ruled off.

    Where the columns have no room, the cells of a row follow one another. `check` is called for each row and may raise
    to stop.
    """
    columns = grid.columns()
    room = width - _GAP * (columns - 1)
    wanted = _wanted(grid, columns)
    widths = wanted if sum(wanted) <= room else _fitted(wanted, room)
    if room < sum(min(one, _MIN_WIDTH) for one in wanted) or (widths is not wanted and min(widths) < 2):
        yield from _stacked(grid, width, check)
        return
    numeric = _numeric(grid, columns)
    for number, row in enumerate(grid.rows):
        check()
        yield from _row_lines(row, widths, numeric)
        if not number and len(grid.rows) > 1 and all(cell.header for cell in row):
            yield (" " * _GAP).join("─" * one for one in widths)
