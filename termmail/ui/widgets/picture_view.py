"""A picture in cells: a half block shows two pixels, one above the other, in any terminal that has colours."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual import events

    from termmail.engine.picture_pixels import Pixels

    Colour = tuple[int, int, int]
    Draw = Callable[[Colour, Colour], Segment]

PAINTED_AT_ONCE = 1500
"""Cells that are painted before other work gets its turn: each may have colours of its own."""


def half_block(above: Colour, below: Colour) -> Segment:
    """Return a cell that shows two pixels, one above the other."""
    return Segment("▀", Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below)))


def blank(above: Colour, below: Colour) -> Segment:
    """Return a cell in the mean of two pixels, for fonts that lack the half block."""
    red, green, blue = ((one + other) // 2 for one, other in zip(above, below, strict=True))
    return Segment(" ", Style(bgcolor=Color.from_rgb(red, green, blue)))


def strips(pixels: Pixels, draw: Draw) -> list[Strip]:
    """Return the lines of cells, each for two rows of pixels; an odd last row is drawn twice as high."""
    stride = pixels.width * 3
    rows = [pixels.rgb[at : at + stride] for at in range(0, len(pixels.rgb), stride)]
    lines = []
    for above, below in zip(rows[::2], [*rows[1::2], rows[-1]], strict=False):
        runs = groupby(zip(_colours(above), _colours(below), strict=True))
        cells = [(draw(*pair), sum(1 for _ in run)) for pair, run in runs]
        lines.append(Strip([Segment(cell.text * count, cell.style) for cell, count in cells], pixels.width))
    return lines


def _colours(row: bytes) -> Iterator[Colour]:
    return zip(row[::3], row[1::3], row[2::3], strict=True)


class PictureView(Widget):
    """Shows the lines of a picture in its middle, a few lines after the other."""

    class RoomChanged(Message):
        """The view has another size: the picture can be scaled to it."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Strip] = []
        self._painted = 0
        """Rows of the view that have been painted, from the top."""

    def show(self, lines: list[Strip]) -> None:
        """Show these lines, or nothing."""
        self._lines, self._painted = lines, 0
        self.refresh()
        self.call_after_refresh(self._paint_more, lines)

    @property
    def complete(self) -> bool:
        """Return whether a picture is shown, down to its last line."""
        return bool(self._lines) and self._painted >= self.size.height

    def on_resize(self, event: events.Resize) -> None:
        """Tell that the picture can be scaled anew."""
        event.stop()
        self.post_message(self.RoomChanged())

    def _paint_more(self, lines: list[Strip]) -> None:
        """Paint the next rows, and go on after other work had its turn."""
        width, height = self.size
        if lines is not self._lines or self._painted >= height or not width:
            return
        begin = self._painted
        self._painted = begin + max(1, PAINTED_AT_ONCE // width)
        self.refresh(Region(0, begin, width, self._painted - begin))
        self.call_after_refresh(self._paint_more, lines)

    def render_line(self, y: int) -> Strip:
        """Return one row, with the picture in its middle."""
        width, height = self.size
        row = y - max(0, height - len(self._lines)) // 2
        if y >= self._painted or not 0 <= row < len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[row]
        left = max(0, width - line.cell_length) // 2
        margin = Strip.blank(left, self.rich_style)
        return Strip.join([margin, line]).adjust_cell_length(width, self.rich_style)
