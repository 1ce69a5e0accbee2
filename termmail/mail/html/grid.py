"""Tables of a mail that hold data, drawn as aligned columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from termmail.mail.sanitize import cells
from termmail.mail.wrap import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = 2
_NARROWEST = 6
_MOST_COLUMNS = 16
_LONG = 60  # cells: a table whose cells hold more than this is a page layout
_NUMBER = frozenset("0123456789.,+-%()$€£¥ \u2212\u00a0\u0336")


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
        """How many columns the widest row has."""
        return max((sum(cell.span for cell in row) for row in self.rows), default=0)

    def is_data(self) -> bool:
        """Whether columns help the reader: at least two rows and two columns of short cells, or the HTML says so."""
        columns = self.columns()
        if not 2 <= columns <= _MOST_COLUMNS:
            return False
        full = [row for row in self.rows if sum(bool(cell.text) for cell in row) > 1]
        if self.marked:
            return bool(full)
        if len(full) < 2 or len(full) * 2 < len(self.rows):
            return False
        return all(len(cell.text) <= _LONG and "\n" not in cell.text for row in self.rows for cell in row)


def _placed(row: Sequence[Cell]) -> list[tuple[int, Cell]]:
    """The cells of a row with the column each starts in."""
    found, column = [], 0
    for cell in row:
        found.append((column, cell))
        column += cell.span
    return found


def _wanted(grid: Grid, columns: int) -> list[int]:
    """The width each column would like, from its cells that span one column."""
    widths = [1] * columns
    for row in grid.rows:
        for column, cell in _placed(row):
            if cell.span == 1:
                widths[column] = max(widths[column], *map(cells, cell.text.split("\n")))
    return widths


def _fitted(widths: list[int], room: int) -> list[int]:
    """The widths cut down to `room` cells: the widest columns give first."""
    order = sorted(range(len(widths)), key=widths.__getitem__)
    fitted = list(widths)
    left = room
    for place, column in enumerate(order):
        fitted[column] = min(widths[column], left // (len(order) - place))
        left -= fitted[column]
    return fitted


def _is_number(text: str) -> bool:
    return any(map(str.isdigit, text)) and _NUMBER.issuperset(text)


def _numeric(grid: Grid, columns: int) -> list[bool]:
    """Which columns hold numbers in every cell that is not a header: they are aligned to the right."""
    seen, fits = [False] * columns, [True] * columns
    for row in grid.rows:
        for column, cell in _placed(row):
            if cell.header or cell.span > 1 or not cell.text:
                continue
            seen[column] = True
            fits[column] = fits[column] and _is_number(cell.text)
    return [some and fit for some, fit in zip(seen, fits, strict=True)]


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * max(width - cells(text), 0)
    return space + text if right else text + space


def _row_lines(row: Sequence[Cell], widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    """One row as lines; a cell too long for its column goes on below."""
    folded: list[tuple[int, int, list[str], bool]] = []
    for column, cell in _placed(row):
        spanned = widths[column : column + cell.span]
        width = sum(spanned) + _GAP * (len(spanned) - 1)
        lines = [part for line in cell.text.split("\n") for part in fold(line, width)]
        folded.append((column, width, lines, cell.span == 1 and numeric[column]))
    drawn = []
    for number in range(max(len(lines) for _, _, lines, _ in folded)):
        parts = [_padded(lines[number] if number < len(lines) else "", width, right=r) for _, width, lines, r in folded]
        drawn.append((" " * _GAP).join(parts).rstrip(" "))
    return drawn


def draw(grid: Grid, width: int) -> list[str] | None:
    """The table as lines of at most `width` cells, its header row ruled off; None where it does not fit."""
    columns = grid.columns()
    room = width - _GAP * (columns - 1)
    wanted = _wanted(grid, columns)
    if room < sum(min(one, _NARROWEST) for one in wanted):
        return None
    widths = wanted if sum(wanted) <= room else _fitted(wanted, room)
    if min(widths) < 2 and sum(wanted) > room:
        return None
    numeric = _numeric(grid, columns)
    lines: list[str] = []
    for number, row in enumerate(grid.rows):
        lines += _row_lines(row, widths, numeric)
        if not number and len(grid.rows) > 1 and all(cell.header for cell in row):
            lines.append((" " * _GAP).join("─" * one for one in widths))
    return lines
