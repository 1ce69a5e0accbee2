"""A table of a mail while it is read, until its end tells whether it is data (columns) or layout (flattened)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from termmail.mail.html.grid import Cell, Grid
from termmail.mail.sanitize import cells

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_SPAN = 50
_SHORT_ROW = 60  # cells: a layout row of short texts (a menu, a line of buttons) stays one line
_BLOCKS_IN_CELL = 4


@dataclass(slots=True)
class Block:
    """Text that is laid out together: cleaned, its lines divided by line feeds, not yet wrapped. Or a grid."""

    text: str
    indent: int = 0
    quote: int = 0
    kind: str = ""
    marker: str = ""
    spaced: bool = False
    grid: Grid | None = None


@dataclass(slots=True)
class _Box:
    """A cell and the blocks in it."""

    columns: int
    rows: int
    header: bool
    blocks: list[Block] = field(default_factory=list)

    def text(self) -> str:
        return "\n".join(block.marker + block.text for block in self.blocks)


class Table:
    """The rows read so far. `marked` where the HTML says that it is data (th, caption, border)."""

    def __init__(self, indent: int, quote: int, *, marked: bool) -> None:
        self.marked = marked
        self.cell_open = False
        self._indent = indent
        self._quote = quote
        self._rows: list[list[_Box]] = []

    def start_row(self) -> None:
        """A row begins."""
        self._rows.append([])

    def start_cell(self, columns: int, rows: int, *, header: bool) -> None:
        """A cell begins that reaches over so many columns and rows."""
        if not self._rows:
            self._rows.append([])
        self._rows[-1].append(_Box(min(max(columns, 1), _MOST_SPAN), min(max(rows, 1), _MOST_SPAN), header))
        self.marked = self.marked or header
        self.cell_open = True

    def end_cell(self) -> None:
        """The cell is over; what comes now stands outside the table."""
        self.cell_open = False

    def add(self, block: Block) -> None:
        """A block of the cell that is open."""
        self._rows[-1][-1].blocks.append(block)

    def finished(self) -> list[Block]:
        """The table as blocks: one grid where it is data, else its content in reading order."""
        grid = self._grid()
        if grid and grid.is_data():
            return [Block("", self._indent, self._quote, "table", spaced=True, grid=grid)]
        return list(chain.from_iterable(map(self._row_blocks, self._rows)))

    def flattened(self) -> list[Block]:
        """The content in reading order, each block as it is: the table holds another one."""
        return [block for row in self._rows for box in row for block in box.blocks]

    def _grid(self) -> Grid | None:
        """The cells as a grid, rows that span filled up; None where a cell holds more than a few plain blocks."""
        grid = Grid(marked=self.marked)
        spans: dict[int, int] = {}
        for row in self._rows:
            if any(len(box.blocks) > _BLOCKS_IN_CELL or any(b.kind == "rule" for b in box.blocks) for box in row):
                return None
            if sum(box.columns for box in row) > _MOST_SPAN:
                return None
            placed = list(_placed(row, spans))
            if any(cell.text for cell in placed):
                grid.rows.append(placed)
        return grid

    @staticmethod
    def _row_blocks(row: list[_Box]) -> list[Block]:
        """A row of a layout: one line where its cells are a few short words each, else cell after cell."""
        full = [box for box in row if box.blocks]
        firsts = [box.blocks[0] for box in full if len(box.blocks) == 1]
        texts = [block.text for block in firsts if not block.marker and not block.kind and "\n" not in block.text]
        if 1 < len(full) == len(texts) and sum(len(text) + 2 for text in texts) <= _SHORT_ROW:
            first = firsts[0]
            return [Block("  ".join(texts), first.indent, first.quote, spaced=any(one.spaced for one in firsts))]
        blocks = [block for box in full for block in box.blocks]
        if sum(cells(block.text) for block in blocks) > _SHORT_ROW:
            blocks[0].spaced = True
        return blocks


def _placed(row: list[_Box], spans: dict[int, int]) -> Iterator[Cell]:
    """The cells of a row, with an empty one where a cell of an earlier row reaches down."""
    column = 0
    for box in row:
        while spans.get(column):
            spans[column] -= 1
            column += 1
            yield Cell("")
        for reached in range(column, column + box.columns) if box.rows > 1 else ():
            spans[reached] = box.rows - 1
        column += box.columns
        yield Cell(box.text(), box.columns, box.header)
    for reached in list(spans):
        if reached >= column and spans[reached]:
            spans[reached] -= 1
