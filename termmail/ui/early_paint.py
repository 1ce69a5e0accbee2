"""Draw the inbox with plain control sequences before Textual is loaded; the app's first frame is drawn over it.

What is drawn here is drawn there in the same cells, so that nothing moves when the app takes over: what is blank here
may be filled there, and a text here stays. Where that could not be promised nothing is drawn.
"""

from __future__ import annotations

import os
import signal
import termios
import threading
import time
import tty
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from termmail.engine import early_page
from termmail.mail.views import RoleView
from termmail.ui.colours import NAMES, Depth, Palette, palette
from termmail.ui.humanize import Today
from termmail.ui.kinds import ALL_INBOXES, home
from termmail.ui.widgets.list_row import CARDS_BELOW, CARDS_FROM_HEIGHT, RowStyles, card, fit, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    from termmail.accounts.config import Config, Ui
    from termmail.accounts.paths import Paths
    from termmail.mail.model import Row

INPUT, OUTPUT = 0, 2
"""Textual reads from stdin and draws on stderr."""
BEGIN = b"\x1b[?1049h\x1b[?25l\x1b[?2026h"
END = b"\x1b[?2026l"
RESTORED = b"\x1b[?1049l\x1b[?25h"

FOLDERS = 20
"""Columns of the folder column with its border."""
WIDEST_READER = 93
"""Columns of a reader beside the list, at most, with its frame."""
AROUND = 3
"""Lines that are not of the panes: title, status and keys."""


class Page(NamedTuple):
    """What the inbox is called, its first rows, and the length of the longest account name where they name theirs."""

    name: str
    rows: Sequence[Row]
    accounts: int = 0


def show(paths: Paths, config: Config) -> EarlyScreen | None:
    """Draw the inbox of these accounts, and return what gives the terminal back; None where nothing was drawn."""
    if not config.accounts or not can_paint(config.ui) or not (size := _size()).columns > 0:
        return None
    found = early_page.read(
        paths, partial(home, accounts=config.accounts, threaded=config.ui.conversations), size.lines
    )
    if found is None:
        return None
    inbox = next(
        (one.name for one in found.folders if one.folder_id == getattr(found.view, "folder_id", 0)), ALL_INBOXES
    )
    mixed = len(config.accounts) > 1 and isinstance(found.view, RoleView)
    page = Page(inbox, found.rows, max(map(cell_len, config.accounts)) if mixed else 0)
    drawn = frame(page, size, config.ui, palette(config.ui.theme, depth(os.environ)), time.time())
    if not drawn:
        return None
    screen = EarlyScreen()
    try:
        screen.draw(encoded(drawn, depth(os.environ)))
    except OSError:  # the terminal is gone, or takes nothing now
        screen.restore()
        return None
    return screen


def _size() -> os.terminal_size:
    """Return the size of the terminal as Textual finds it out: of stdout."""
    try:
        return os.get_terminal_size(1)
    except OSError:
        return os.terminal_size((0, 0))


class EarlyScreen:
    """What is on the terminal before the app: `restore` gives the terminal back, until the app has taken it over."""

    def __init__(self) -> None:
        self.before: list[Any] = termios.tcgetattr(INPUT)
        """The settings of the terminal as the shell had them."""
        self.taken = False
        raw = termios.tcgetattr(INPUT)
        raw[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        raw[tty.IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
        raw[tty.CC][termios.VMIN] = 1
        termios.tcsetattr(INPUT, termios.TCSANOW, raw)  # what is typed from now on waits for the app, without an echo
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._end)

    def draw(self, frame: bytes) -> None:
        """Write the frame; the terminal shows it at once, where it can."""
        data = BEGIN + frame + END
        while data:
            data = data[os.write(OUTPUT, data) :]

    def restore(self) -> None:
        """Give the terminal back, unless the app has it."""
        if not self.taken:
            self.taken = True
            with suppress(OSError, termios.error):
                termios.tcsetattr(INPUT, termios.TCSANOW, self.before)
                os.write(OUTPUT, RESTORED)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        """End as a program that a signal has ended, also where the terminal takes nothing."""
        last = threading.Thread(target=self.restore, daemon=True)
        last.start()
        last.join(0.2)
        os._exit(128 + number)


def depth(environment: Mapping[str, str]) -> Depth:
    """Return how many colours the terminal has, as Rich finds out."""
    if environment.get("COLORTERM", "").strip().lower() in {"truecolor", "24bit"}:
        return Depth.TRUE
    _, _, colours = environment.get("TERM", "").strip().lower().rpartition("-")
    return Depth.INDEXED if colours in {"256color", "kitty"} else Depth.NAMED


def can_paint(ui: Ui, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the first frame of the app is known before it: in termmail's own colours and places."""
    plain = ui.pane in {"auto", "off"} and ui.density != "comfortable" and not ui.ascii
    odd = {
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "TEXTUAL_COLOR_SYSTEM",
        "TEXTUAL_THEME",
        "TEXTUAL_DRIVER",
    } & environment.keys()
    return plain and not odd and ui.theme in NAMES and depth(environment) is not Depth.NAMED


class _Panes(NamedTuple):
    """Where the panes are: columns of the folders (0: none), of the list, and of a reader at its right (0: none).

    `list_lines` are those of the list where the reader is below it, else of all panes. `framed`: each has a frame.
    """

    folders: int
    list_columns: int
    reader_columns: int
    list_lines: int
    framed: bool


def _panes(columns: int, lines: int, ui: Ui) -> _Panes:
    """Return the places that main.tcss gives the panes; `lines` are those of all panes."""
    off = ui.pane == "off"
    if columns >= 160:
        room = columns - FOLDERS
        reader = 0 if off else min(WIDEST_READER, room - room * 3 // 7)
        return _Panes(FOLDERS, room - reader, reader, lines, framed=True)
    folders = FOLDERS if columns >= 120 else 0
    below = columns >= 80 and lines + AROUND >= 20 and not off
    return _Panes(folders, columns - folders, 0, lines * 2 // 5 if below else lines, framed=False)


def frame(page: Page, size: os.terminal_size, ui: Ui, colours: Palette, now: float) -> list[list[Segment]]:
    """Return every line of the first frame, from the title to the keys; nothing where there is no room for it."""
    columns, lines = size
    if columns < 20 or lines < 8 or not page.rows:
        return []
    bar = Style(color=colours.foreground, bgcolor=colours.bar)
    ground = Style(color=colours.foreground, bgcolor=colours.background)
    height = lines - AROUND
    panes = _panes(columns, height, ui)
    edge = Style(color=colours.frame, bgcolor=colours.background)
    focused = Style(color=colours.primary, bgcolor=colours.background)
    rows = iter(_rows(page, panes, ui, colours, now))
    drawn = [[Segment(fit(f" {page.name}", columns), bar + Style(bold=True))]]
    for place in range(height):
        if panes.framed:
            drawn.append(
                [
                    *_boxed(place, height, panes.folders, edge=edge, ground=ground),
                    *_boxed(place, height, panes.list_columns, edge=focused, ground=ground, rows=rows),
                    *_boxed(place, height, panes.reader_columns, edge=edge, ground=ground),
                ]
            )
            continue
        left = [Segment(" " * (panes.folders - 1), ground), Segment("│", edge)] if panes.folders else []
        blank = [Segment(" " * panes.list_columns, ground)]
        if place < panes.list_lines:
            drawn.append([*left, *next(rows, blank)])
        else:
            drawn.append([*left, *([Segment("─" * panes.list_columns, edge)] if place == panes.list_lines else blank)])
    return [*drawn, [Segment(" " * columns, ground)], [Segment(" " * columns, bar)]]


def _boxed(
    place: int, height: int, width: int, *, edge: Style, ground: Style, rows: Iterator[list[Segment]] | None = None
) -> list[Segment]:
    """Return one line of a framed pane: of its rows, else blank."""
    if not width:
        return []
    if place in {0, height - 1}:
        first, last = "╭╮" if place == 0 else "╰╯"
        return [Segment(first + "─" * (width - 2) + last, edge)]
    blank = [Segment(" " * (width - 2), ground)]
    return [Segment("│", edge), *(next(rows, blank) if rows is not None else blank), Segment("│", edge)]


def _rows(page: Page, panes: _Panes, ui: Ui, colours: Palette, now: float) -> Iterator[list[Segment]]:
    """Yield the lines of the list, each with the cell of its scroll bar."""
    width = panes.list_columns - (2 if panes.framed else 0) - 1
    height = panes.list_lines - (2 if panes.framed else 0)
    cards = ui.density == "auto" and width < CARDS_BELOW and height >= CARDS_FROM_HEIGHT
    today, bar = Today.at(now), Segment(" ", Style(bgcolor=colours.background))
    for number, row in enumerate(page.rows[: height // 2 + 1 if cards else height]):
        cursor = number == 0
        styles = _row_styles(colours, cursor=cursor)
        for second in (False, True) if cards else ():
            drawn = card(
                row, width, styles, today, second=second, cursor=cursor, selected=False, accounts=page.accounts
            )
            yield [*drawn, bar]
        if not cards:
            yield [*line(row, width, styles, today, cursor=cursor, selected=False, accounts=page.accounts), bar]


def encoded(drawn: list[list[Segment]], colours: Depth) -> bytes:
    """Return the lines as a terminal of this depth takes them."""
    system = ColorSystem.TRUECOLOR if colours is Depth.TRUE else ColorSystem.EIGHT_BIT
    texts = [
        f"\x1b[{number};1H" + "".join((style or Style()).render(text, color_system=system) for text, style, _ in row)
        for number, row in enumerate(drawn, 1)
    ]
    return "".join(texts).encode("utf-8", "replace")


def _row_styles(colours: Palette, *, cursor: bool) -> RowStyles:
    """Return the styles that main.tcss gives a row."""
    ground = colours.cursor if cursor else colours.background

    def style(colour: str, *, bold: bool = False) -> Style:
        return Style(color=colour, bgcolor=ground, bold=bold)

    if cursor:
        text = style(colours.cursor_text)
        return RowStyles(
            text,
            text + Style(bold=True),
            style(colours.cursor_quiet),
            style(colours.accent, bold=True),
            text,
            (text,) * len(colours.labels),
        )
    return RowStyles(
        style(colours.read),
        style(colours.unread, bold=True),
        style(colours.quiet),
        style(colours.primary, bold=True),
        style(colours.star),
        tuple(map(style, colours.labels)),
    )
