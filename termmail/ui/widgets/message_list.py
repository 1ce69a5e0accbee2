"""The message list: holds the ids of any number of messages, and draws the rows of those in the window."""

# ruff: noqa: D102 - what an action does is in the registry of actions

from __future__ import annotations

import time
from array import array
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from termmail.mail.model import LABEL_COLORS, MessageRow, Placement
from termmail.mail.views import NOWHERE, Outline, Spot
from termmail.ui.actions import Place, bindings
from termmail.ui.humanize import Today
from termmail.ui.widgets.found_words import marked
from termmail.ui.widgets.list_row import (
    CARDS_BELOW,
    CARDS_FROM_HEIGHT,
    CHOSEN_CARDS_FROM_HEIGHT,
    CURSOR,
    RowStyles,
    card,
    line,
)
from termmail.ui.widgets.row_cache import RowCache
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

    from textual import events

    from termmail.mail.model import Row
    from termmail.mail.query import Query

LABEL_CLASSES = tuple(f"list--label-{color}" for color in range(LABEL_COLORS))


EMPTY = Outline.flat(array("q"))


class MessageList(ScrollView, can_focus=True):
    """Messages by id. `source` fetches rows; a row that is not loaded yet is drawn as … and requested.

    The cursor stays on its message, not on its index, when the ids change.
    """

    BINDINGS = bindings(Place.LIST)
    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "list--text",
        "list--unread",
        "list--dim",
        "list--mark",
        "list--star",
        "list--cursor",
        "list--cursor-dim",
        "list--cursor-mark",
        "list--cursor-blurred",
        "list--selected",
        *LABEL_CLASSES,
    }

    empty: var[str] = var("", init=False)
    """What the list says when it is empty."""

    class Moved(Message):
        """The cursor is on another message, or on none; `anew` where the list shows another view."""

        def __init__(self, *, anew: bool = False) -> None:
            super().__init__()
            self.anew = anew

    class Renewed(Message):
        """The row of the cursor is another than before: loaded, or changed."""

    class Opened(Message):
        """The user opens what the cursor is on."""

    def __init__(
        self,
        source: Callable[[Sequence[int]], Awaitable[list[Row]]],
        *,
        clock: Callable[[], float] = time.time,
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(id=id)
        self.outline = EMPTY
        self.cursor = 0
        self.searched: Query | None = None
        """The search or filter whose words are marked in the rows."""
        self.selected: set[int] = set()
        self._range: tuple[int, set[int]] | None = None
        """Where a range began, and what was selected before."""
        self.clock = clock
        self.accounts = 0
        """The length of the longest account name where the rows name theirs, else 0."""
        self._density = "auto"
        self._rows = RowCache(source, self._row_changed)
        self._filling = False
        """The list was empty when it was shown: until the user moves, the cursor stays on the first message."""
        self._row_styles: dict[str, RowStyles] = {}

    # -- what is in it

    @property
    def ids(self) -> array[int]:
        """The ids of the rows."""
        return self.outline.ids

    def show(self, outline: Outline, *, at: Spot = NOWHERE, rows: Iterable[Row] = ()) -> None:
        """Show another view: the cursor at `at`, else on the first row; nothing selected.

        `rows` are the rows of the first page where they are known already; then nothing is painted twice.
        """
        self.selected.clear()
        self._rows.show(rows)
        self.outline = outline
        self._filling = not outline.ids
        self.cursor = self._find(at, near=0)
        self._resized()
        self.scroll_to(y=0, animate=False)
        self._reveal()
        self.refresh()
        self.post_message(self.Moved(anew=True))

    def update(self, outline: Outline, *, at: Spot = NOWHERE) -> None:
        """Show other rows of the same view: the cursor keeps its message, and that message its line.

        The cursor goes to `at` instead, if it was not moved yet.
        """
        before, old, spot = self.cursor_id, self.cursor, self.spot
        refolded = self.outline.depths.keys() ^ outline.depths.keys()
        switched = bool(self.outline.threads) != bool(outline.threads)  # between conversations and single messages
        self.outline = outline
        self.selected &= set(outline.ids) if self.selected else set()
        if not self._filling:
            self.cursor = self._find(at if at.row_id and not old else spot, near=old)
        if switched or refolded:
            self.reread(None if switched else refolded)
        self._resized()
        if moved := (self.cursor - old) * self.row_height:
            if self.scroll_offset.y > 0:
                self.scroll_to(y=max(0, self.scroll_offset.y + moved), animate=False)
            self._reveal()
        self.refresh()
        if self.cursor_id != before:
            self.post_message(self.Moved())

    def take_out(self, gone: Collection[int]) -> None:
        """Remove messages at once; the cursor goes to the next one that stays."""
        self._filling = False
        gone = set(gone)
        after = next((i for i in self.ids[self.cursor :] if i not in gone), None)
        self.outline = self.outline.without(gone)
        self.selected -= gone
        self.cursor = max(0, len(self.ids) - 1) if after is None else self.ids.index(after)
        self._resized()
        self._reveal()
        self.refresh()
        self.post_message(self.Moved())

    def settle(self) -> None:
        """End the first filling: from now on the cursor keeps its message."""
        self._filling = False

    def change(self, ids: Iterable[int], **fields: Any) -> None:
        """Show other flags on these messages at once, before they are stored."""
        self._rows.change(ids, **fields)

    def put_back(self, rows: Iterable[Row]) -> None:
        """Show these rows again as they were: what `change` showed could not be stored."""
        self._rows.put_back(rows)

    def reread(self, ids: Iterable[int] | None = None) -> None:
        """Fetch these rows again (None: all loaded ones); until then they are drawn as they are."""
        if self._rows.stale(ids) and not self._rows.fetching:
            self._fetch()

    def row(self, id_: int) -> Row | None:
        """Return the row of a message, if it is loaded."""
        return self._rows.get(id_)

    @property
    def cursor_id(self) -> int:
        """The message under the cursor, or 0."""
        return self.ids[self.cursor] if 0 <= self.cursor < len(self.ids) else 0

    @property
    def spot(self) -> Spot:
        """Where the cursor is."""
        threads = self.outline.threads
        return Spot(self.cursor_id, threads[self.cursor] if self.cursor < len(threads) else 0)

    def placements(self, id_: int) -> tuple[Placement, ...]:
        """Return the messages that a row stands for, where the user sees them; none where it is not loaded."""
        row = self._rows.get(id_)
        if not isinstance(row, MessageRow):
            return ()
        return (row.placement,) if id_ in self.outline.depths else row.placements

    def _find(self, at: Spot, near: int) -> int:
        """Return the index of a row, trying `near` first, else that of its conversation; `near` where neither is there."""
        ids, threads = self.outline.ids, self.outline.threads
        if near < len(ids) and ids[near] == at.row_id:
            return near
        try:
            return ids.index(at.row_id)
        except ValueError:
            pass
        try:
            return threads.index(at.thread)
        except ValueError:
            return max(0, min(near, len(ids) - 1))

    # -- moving

    def go(self, index: int) -> None:
        """Put the cursor on an index of the list. Within the window only two rows are painted."""
        self._filling = False
        index = max(0, min(index, len(self.ids) - 1))
        if index == self.cursor or not self.ids:
            return
        before, self.cursor = self.cursor, index
        self._refresh_place(before)
        self._refresh_place(index)
        self._reveal()
        self.post_message(self.Moved())

    def _reveal(self) -> None:
        """Scroll the cursor into view by at least half a page, so that most moves paint two rows, not all."""
        height, top = self.row_height, self.scroll_offset.y
        first, last = self.cursor * height, (self.cursor + 1) * height
        window = self.size.height
        if first < top or last > top + window:
            middle = first - window // 2
            self.scroll_to(y=max(0, middle - middle % height), animate=False)

    @property
    def cells(self) -> int:
        """The width of a row, without the scrollbar."""
        return self.scrollable_content_region.width

    @property
    def row_height(self) -> int:
        """The lines of one message: as the density says, and else two in a list that is narrow and high enough."""
        if self._density == "auto":
            return 2 if self.cells < CARDS_BELOW and self.size.height >= CARDS_FROM_HEIGHT else 1
        return 2 if self._density == "comfortable" and self.size.height >= CHOSEN_CARDS_FROM_HEIGHT else 1

    @property
    def page(self) -> int:
        """The number of messages in the window."""
        return max(1, self.size.height // self.row_height)

    def action_list_next(self) -> None:
        self.go(self.cursor + 1)

    def action_list_previous(self) -> None:
        self.go(self.cursor - 1)

    def action_list_page_down(self) -> None:
        self.go(self.cursor + self.page)

    def action_list_page_up(self) -> None:
        self.go(self.cursor - self.page)

    def action_list_half_down(self) -> None:
        self.go(self.cursor + self.page // 2)

    def action_list_half_up(self) -> None:
        self.go(self.cursor - self.page // 2)

    def action_list_top(self) -> None:
        self.go(0)

    def action_list_bottom(self) -> None:
        self.go(len(self.ids) - 1)

    def action_message_open(self) -> None:
        self._filling = False
        self.post_message(self.Opened())

    # -- selecting

    def select(self, id_: int) -> None:
        """Select a message, or deselect it."""
        self._filling = False
        self._range = None
        self.selected ^= {id_}
        self._refresh_id(id_)

    def extend(self, index: int) -> None:
        """Move the cursor, and select what lies between the message on which the range began and the cursor."""
        if self._range is None or self._range[0] not in self.ids or not self.selected:
            self._range = self.cursor_id, set(self.selected)
        start, before = self._range
        self.go(index)
        first, last = sorted((self._find(Spot(start), near=0), self.cursor))
        self.selected = before | set(self.ids[first : last + 1])
        self.refresh()

    def select_these(self, ids: Collection[int]) -> None:
        """Select these messages and no others."""
        self._range = None
        self.selected = set(ids).intersection(self.ids)
        self.refresh()

    def select_none(self) -> None:
        """Deselect everything."""
        self._range = None
        if self.selected:
            self.selected.clear()
            self.refresh()

    def select_all(self) -> None:
        """Select everything, or nothing where everything was selected."""
        self._range = None
        self.selected = set() if len(self.selected) == len(self.ids) else set(self.ids)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row that is clicked; open it with a double click."""
        place = event.get_content_offset(self)
        if place is None:
            return  # the border or the scroll bar
        index = (place.y + self.scroll_offset.y) // self.row_height
        if index < len(self.ids):
            self.go(index)
            if event.chain >= 2:
                self.action_message_open()

    # -- drawing

    def on_resize(self) -> None:
        self._resized()
        self._reveal()
        self.refresh()  # Textual would paint its cached lines of the old size with the next cursor move

    def _resized(self) -> None:
        size = Size(self.cells, len(self.ids) * self.row_height)
        if size.height <= self.size.height or not self.show_vertical_scrollbar:
            self.virtual_size = size
            return
        # The bar is there and stays: no layout, which would cost more than the rows.
        self.set_reactive(MessageList.virtual_size, size)
        self.vertical_scrollbar.window_virtual_size = size.height
        if self.scroll_offset.y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False)

    def set_density(self, density: str) -> None:
        """Draw messages on one line (compact), on two (comfortable), or by the width (auto)."""
        if density != self._density:
            self._density = density
            self._resized()
            self._reveal()
            self.refresh()

    def watch_empty(self) -> None:
        if not self.ids:
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._row_styles.clear()

    def on_focus(self) -> None:
        self._refresh_place(self.cursor)

    def on_blur(self) -> None:
        self._refresh_place(self.cursor)

    def _row_changed(self, id_: int) -> None:
        self._refresh_id(id_)
        if id_ == self.cursor_id:
            self.post_message(self.Renewed())

    def _refresh_id(self, id_: int) -> None:
        first = self.scroll_offset.y // self.row_height
        for index in range(first, min(first + self.page + 1, len(self.ids))):
            if self.ids[index] == id_:
                self._refresh_place(index)
                return

    def _refresh_place(self, index: int) -> None:
        y = index * self.row_height - self.scroll_offset.y
        if -self.row_height < y < self.size.height:
            self.refresh(Region(0, max(y, 0), self.cells, min(y + self.row_height, self.size.height) - max(y, 0)))

    def render_line(self, y: int) -> Strip:
        width = self.cells
        if not self.ids:
            return self._empty_line(y)
        index, second = divmod(y + self.scroll_offset.y, self.row_height)
        if index >= len(self.ids):
            return Strip.blank(width, self.rich_style)
        id_ = self.ids[index]
        on_cursor, selected = index == self.cursor, id_ in self.selected
        styles = self._styles_of("cursor" if on_cursor else "selected" if selected else "")
        row = self._rows.get(id_)
        if row is None:
            if not self._rows.fetching:
                self._fetch()
            text = ("" if second else (CURSOR if on_cursor else " ") + "    …").ljust(width)
            return Strip([Segment(text, styles.dim)], width)
        today = Today.at(self.clock())
        if self.row_height == 2:
            segments = card(
                row,
                width,
                styles,
                today,
                second=bool(second),
                cursor=on_cursor,
                selected=selected,
                accounts=self.accounts,
                depth=self.outline.depths.get(id_),
            )
        else:
            segments = line(
                row,
                width,
                styles,
                today,
                cursor=on_cursor,
                selected=selected,
                accounts=self.accounts,
                depth=self.outline.depths.get(id_),
            )
        return Strip(marked(segments, self.searched)).adjust_cell_length(width, styles.text)

    def _empty_line(self, y: int) -> Strip:
        width = self.cells
        lines = self.empty.split("\n")
        offset = y - max(0, (self.size.height - len(lines)) // 3)
        text = lines[offset] if 0 <= offset < len(lines) else ""
        styles = self._styles_of("")
        return Strip([Segment(text.center(width)[:width], styles.dim)], width)

    def _styles_of(self, state: str) -> RowStyles:
        """Return the styles of a row that is at the cursor, selected, or neither ("")."""
        if state == "cursor" and not self.has_focus:
            state = "cursor-blurred"
        if state not in self._row_styles:
            ground = self.get_component_rich_style(f"list--{state}") if state else self.rich_style
            back = Style(bgcolor=ground.bgcolor)
            one = state == "cursor"

            def style(name: str) -> Style:
                own = self.get_component_rich_style(f"list--{name}")
                colour = ground.color if one or (state == "selected" and name == "mark") else own.color
                if one and name in {"dim", "mark"}:
                    colour = self.get_component_rich_style(f"list--cursor-{name}").color
                return back + Style(
                    color=colour, bold=own.bold, dim=own.dim, reverse=ground.reverse, underline=ground.underline
                )

            self._row_styles[state] = RowStyles(
                style("text"),
                style("unread"),
                style("dim"),
                style("mark"),
                style("star"),
                tuple(style(name.removeprefix("list--")) for name in LABEL_CLASSES),
            )
        return self._row_styles[state]

    # -- rows, as they are needed

    def _fetch(self) -> None:
        """Fetch the rows around the window that are stale or not loaded."""
        self._rows.fetching = True
        start_worker(self, partial(self._rows.fetch, self._window), "rows")

    def _window(self) -> tuple[Sequence[int], Sequence[int]]:
        """Return the ids on and near the window (a page before, a page behind), and those in it."""
        first = self.scroll_offset.y // self.row_height
        near = self.ids[max(0, first - self.page) : first + 2 * self.page + 1]
        return near, self.ids[first : first + self.page + 1]
