"""Tables of an HTML mail while they are read; when one ends it becomes aligned columns or its content in order.

Many mails use tables for the layout of the page, and tables inside tables for a line of text. A table of data is drawn
as columns; in a layout table the rows that read as one line (a menu, an item and its price) stay together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from termmail.mail.html.grid import Cell, Grid
from termmail.mail.width import cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_SPAN = 50
_MAX_BLOCKS = 4  # in a cell of a grid
_LINE = 60  # cells: a layout row of short texts (a menu, a line of buttons) stays one line
_SHORT_LINE = 40
_SHORT_LINES = 4
_PAIR_WIDTH = 80
_LONG_TEXT = 400  # characters of a text that stays beside its amount
_AMOUNT = 16  # characters: "1,044.50 EUR"


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


Content: TypeAlias = "list[Block | Content]"
"""Blocks in reading order. What a nested table holds may be one list, so that no block is copied at each level."""


def flattened(content: Content) -> Iterator[Block]:
    """Yield the blocks of nested lists in order, without recursion."""
    waiting: list[Iterator[Block | Content]] = [iter(content)]
    while waiting:
        for item in waiting[-1]:
            if isinstance(item, list):
                waiting.append(iter(item))
                break
            yield item
        else:
            waiting.pop()


@dataclass(slots=True)
class _Box:
    """A cell and its content. It is simple where that is a few blocks of plain text."""

    columns: int
    rows: int
    header: bool
    content: Content = field(default_factory=list)
    nested: bool = False

    def blocks(self) -> list[Block] | None:
        """Return the blocks of a simple cell, else None. A long text of a nested table is not joined at each level."""
        if len(self.content) > _MAX_BLOCKS:
            return None
        blocks = [item for item in self.content if isinstance(item, Block) and not item.grid and item.kind != "rule"]
        long = self.nested and sum(len(block.text) for block in blocks) > _LONG_TEXT
        return blocks if len(blocks) == len(self.content) and not long else None


def _text(blocks: Iterable[Block]) -> str:
    return "\n".join(block.marker + block.text for block in blocks)


class Table:
    """The rows of a table that were read so far. `marked` is true where the HTML says that it is data."""

    def __init__(self, indent: int, quote: int, *, marked: bool) -> None:
        self.marked = marked
        self._indent = indent
        self._quote = quote
        self._rows: list[list[_Box]] = []

    def start_row(self) -> None:
        """Begin a row."""
        self._rows.append([])

    def start_cell(self, columns: int, rows: int, *, header: bool) -> None:
        """Begin a cell that spans so many columns and rows."""
        if not self._rows:
            self._rows.append([])
        self._rows[-1].append(_Box(min(max(columns, 1), _MAX_SPAN), min(max(rows, 1), _MAX_SPAN), header))

    def add(self, block: Block) -> None:
        """Add a block to the cell that began last."""
        self._rows[-1][-1].content.append(block)

    def add_table(self, content: Content) -> None:
        """Add the content of a table that was nested in the cell that began last."""
        box = self._rows[-1][-1]
        box.nested = True
        if len(content) > _MAX_BLOCKS:
            box.content.append(content)
        else:
            box.content += content

    def finished(self) -> Content:
        """Return the content of the table: one grid where it is data, else its rows in reading order."""
        grid = self._data()
        return self._layout() if grid is None else [self._grid_block(grid)]

    def _grid_block(self, grid: Grid) -> Block:
        return Block("", self._indent, self._quote, "table", spaced=True, grid=grid)

    def _data(self) -> Grid | None:
        """Return the table as a grid with its spans filled up, or None where it is a layout."""
        if max((sum(box.columns for box in row) for row in self._rows), default=0) < 2:
            return None
        grid = Grid(marked=self.marked)
        spans: dict[int, int] = {}
        for row in self._rows:
            texts = [None if (blocks := box.blocks()) is None else _text(blocks) for box in row]
            if None in texts or sum(box.columns for box in row) > _MAX_SPAN:
                return None
            for box, text in zip(row, texts, strict=True):
                grid.marked = grid.marked or (box.header and not box.nested and bool(text))
            placed = list(_placed(row, texts, spans))
            if any(cell.text for cell in placed):
                grid.rows.append(placed)
        return grid if grid.is_data() else None

    def _layout(self) -> Content:
        """Return the rows of a layout; neighboring rows of short texts and amounts become one grid."""
        content: Content = []
        run: list[list[Cell]] = []
        spaced = False
        for row in self._rows:
            full = [box for box in row if box.content]
            line = _line_cells(row) if len(full) > 1 else None
            if line:
                spaced = spaced if run else _starts_spaced(full)
                run.append(line)
            elif full:
                content += self._run_blocks(run, spaced=spaced)
                run = []
                content += _stacked(full)
        content += self._run_blocks(run, spaced=spaced)
        return content

    def _run_blocks(self, run: list[list[Cell]], *, spaced: bool) -> list[Block]:
        """Return neighboring rows that read as lines: one line for a single short row, else a grid."""
        if not run:
            return []
        if len(run) == 1:
            texts = [cell.text for cell in run[0] if cell.text]
            if not any("\n" in text for text in texts) and sum(cells(text) + 2 for text in texts) <= _LINE:
                return [Block("  ".join(texts), self._indent, self._quote, spaced=spaced)]
        return [self._grid_block(Grid(run))]


def _starts_spaced(full: list[_Box]) -> bool:
    """Return whether a blank line precedes a row."""
    return any(isinstance(box.content[0], Block) and box.content[0].spaced for box in full)


def _stacked(full: list[_Box]) -> Content:
    """Return the content of the cells of a row one after the other, with blank lines where they hold more than a line."""
    content = [item for box in full for item in box.content]
    if sum(len(item.text) if isinstance(item, Block) else _LINE for item in content) > _LINE:
        for box in full:
            first = box.content[0]
            if isinstance(first, Block):
                first.spaced = True
    return content


def _line_cells(row: list[_Box]) -> list[Cell] | None:
    """Return the cells of a layout row that reads as one line of columns, else None.

    That is a row of short texts, or of texts beside an amount.
    """
    if sum(box.columns for box in row) > _MAX_SPAN:
        return None
    line: list[Cell] = []
    widths: list[int] = []
    amount = False
    for box in row:
        blocks = box.blocks()
        if blocks is None or sum(len(block.text) for block in blocks) > _LONG_TEXT:
            return None
        text = _text(blocks)
        lines = text.split("\n")
        short = len(lines) <= _SHORT_LINES and all(len(part) <= _SHORT_LINE for part in lines)
        widths.append(max(map(len, lines)) if short else _LONG_TEXT)
        amount = amount or (len(text) <= _AMOUNT and any(map(str.isdigit, text)))
        line.append(Cell(text, box.columns))
    return line if amount or sum(widths) <= _PAIR_WIDTH else None


def _placed(row: list[_Box], texts: list[str | None], spans: dict[int, int]) -> Iterator[Cell]:
    """Yield the cells of a row, with an empty one where a cell of an earlier row reaches down."""
    column = 0
    for box, text in zip(row, texts, strict=True):
        while spans.get(column):
            spans[column] -= 1
            column += 1
            yield Cell("")
        for reached in range(column, column + box.columns) if box.rows > 1 else ():
            spans[reached] = box.rows - 1
        column += box.columns
        yield Cell(text or "", box.columns, box.header)
    for reached in list(spans):
        if reached >= column and spans[reached]:
            spans[reached] -= 1
