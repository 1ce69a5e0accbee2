"""The main screen: moving between list, reading pane and whole-screen reader."""

# ruff: noqa: D102 - what an action does stands in the table of keys.py

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.engine.events import SyncOf
from termmail.engine.views import ORDERS
from termmail.store.store_errors import StoreError
from termmail.ui.screens.main_view import ViewScreen
from termmail.ui.widgets.keybar import KeyBar
from termmail.ui.widgets.message_list import MessageList
from termmail.ui.workers import behind

if TYPE_CHECKING:
    from textual.timer import Timer

    from termmail.store.rows import Row
    from termmail.ui.widgets.folder_column import FolderList
    from termmail.ui.widgets.reader import Reader

REST = 0.15
"""Seconds the cursor rests before the reading pane follows; moving on costs two rows of paint until then."""
REST_FETCH = 0.45
"""Seconds more before a text that is not here is fetched from the server."""
LOOKED_THROUGH = 500
"""Rows read at a time in the search for the next unread message."""


class ReadingScreen(ViewScreen):
    """What is read, and how."""

    def __init__(self) -> None:
        super().__init__()
        self._resting: Timer | None = None
        self._opened = 0
        """The message the reader asked for: it counts as read once its text is on screen."""

    # -- list, pane, whole screen

    @property
    def whole(self) -> bool:
        """The reader has the whole screen."""
        return self.has_class("-reading")

    def _whole(self, *, on: bool) -> None:
        self.set_class(on, "-reading")
        self.set_focus(self.reader if on else self.messages)
        self.query_one(KeyBar).again()

    def offers(self, action_id: str, short: str, *, fits: bool) -> str:
        """The whole screen is offered to a message that does not have it."""
        return super().offers(action_id, short, fits=fits and not (action_id == "reader.whole" and self.whole))

    def on_message_list_moved(self) -> None:
        """The reading pane follows when the cursor rests; nothing else is painted for a move."""
        if self._resting is not None:
            self._resting.stop()
        self._opened = 0
        if self.whole:
            behind(self, self._read_cursor, "open", exclusive=True)
        elif self.reader.display:
            self._resting = self.set_timer(REST, self._preview)
        elif self.reader.row is not None:
            self.reader.clear()  # out of sight: when it comes back it must not show what the cursor has left

    def on_reader_appeared(self) -> None:
        """The pane is there again, on a larger terminal: it shows the message under the cursor, no other."""
        if not self.whole:
            self.on_message_list_moved()

    def _preview(self) -> None:
        behind(self, self._show_cursor, "open", exclusive=True)
        self._resting = self.set_timer(REST_FETCH, self._preview_fetched)

    def _preview_fetched(self) -> None:
        if self.reader.row is not None and self.reader.message is None and self.reader.row.state != "skipped":
            behind(self, partial(self._show_cursor, fetch=True), "open", exclusive=True)

    async def cursor_row(self) -> Row | None:
        """The row under the cursor, read now where the list does not have it yet."""
        if not (id_ := self.messages.cursor_id):
            return None
        if (row := self.messages.row(id_)) is not None:
            return row
        return next(iter(await self._rows([id_])), None)

    async def _show_cursor(self, *, fetch: bool = False) -> None:
        row = await self.cursor_row()
        if row is None:
            self.reader.clear()
            if self.whole:
                self._whole(on=False)
        else:
            self.reader.show(row, fetch=fetch)

    async def _read_cursor(self) -> None:
        """Show the message under the cursor, fetch it where needed, and count it as read when it is there."""
        self._opened = self.messages.cursor_id
        await self._show_cursor(fetch=True)
        if self.reader.row is not None and self.reader.message is not None and self.reader.row.id == self._opened:
            self._mark_opened()

    def on_reader_fetched(self, event: Reader.Fetched) -> None:
        """The server answers: what was told of it before is so no longer."""
        self.problems.settle(SyncOf(event.account))

    def on_reader_shown(self, event: Reader.Shown) -> None:
        """The text is on screen: if it was asked for, it is read now."""
        if event.id == self._opened:
            self._mark_opened()

    def _mark_opened(self) -> None:
        row = self.reader.row
        if row is not None and row.unread and row.folder not in {"Drafts", "Outbox"}:
            self.messages.change([row.id], unread=False)
            behind(self, partial(self._mark_read, row.id), "mark")

    async def _mark_read(self, id_: int) -> None:
        if self.engine is not None and not self.engine.read_only:
            try:
                await self.engine.mark_read([id_])
            except StoreError as error:
                self.fail(error)

    def read_here(self) -> None:
        """Open the message under the cursor: in the pane where it stands beside the list, else on the whole screen."""
        if self.reader.display and self.has_class("-wide") and not self.whole:
            self.set_focus(self.reader)
        elif not self.whole:
            self._whole(on=True)
        behind(self, self._read_cursor, "open", exclusive=True)

    def on_reader_whole_asked(self) -> None:
        """Enter in the reader."""
        self._whole(on=not self.whole)
        if self.whole:
            behind(self, self._read_cursor, "open", exclusive=True)

    def action_view_sort(self) -> None:
        if self.view.query is not None or self.view.folder in {"Drafts", "Outbox"}:
            self.status.say("Only folders of messages can be sorted.", 3)
            return
        orders = list(ORDERS)
        order = orders[(orders.index(self.view.order) + 1) % len(orders)]
        self.go_to(self.view._replace(order=order))
        self.status.say(f"{self.view.folder}, {ORDERS[order]}", 5)

    def action_view_pane(self) -> None:
        self.toggle_class("-pane-off")
        self.status.say("Reading pane off" if self.has_class("-pane-off") else "Reading pane on", 3)
        if self.focused is not None and not self.focused.display:
            self.set_focus(self.messages)
        if not self.has_class("-pane-off"):
            self.call_after_refresh(self._preview)

    def action_view_back(self) -> None:
        if not self.problems.dismiss() and not self.step_back() and self.messages.selected:
            self.messages.selected.clear()
            self.messages.refresh()
            self.status.right("")

    def step_back(self) -> bool:
        """One level back; False at the root."""
        if self.whole:
            self._whole(on=False)
        elif self.focused is not self.messages:
            self.set_focus(self.messages)
        elif self.filter or self.view.query is not None:
            self.go_to(self.home)
        else:
            return False
        return True

    # -- which message

    def action_message_next(self) -> None:
        self._step(1)

    def action_message_previous(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        before = self.messages.cursor
        self.messages.go(before + by)
        if self.messages.cursor == before:
            self.status.say("This is the last message." if by > 0 else "This is the first message.", 3)
        elif self.reader.display and not self.whole:
            self.call_after_refresh(behind, self, self._read_cursor, "open", exclusive=True)

    def action_reader_page(self) -> None:
        if not self.reader.display:
            if self.messages.cursor_id:
                self.post_message(MessageList.Opened(self.messages.cursor_id))
        elif self._opened != self.messages.cursor_id:
            behind(self, self._read_cursor, "open", exclusive=True)
        elif not self.reader.page():
            self._step(1)

    def action_list_next_unread(self) -> None:
        behind(self, partial(self._seek_unread, 1), "seek", exclusive=True)

    def action_list_previous_unread(self) -> None:
        behind(self, partial(self._seek_unread, -1), "seek", exclusive=True)

    async def _seek_unread(self, by: int) -> None:
        """Look through the rows in one direction, some hundred at a time."""
        ids, place = self.messages.ids, self.messages.cursor + by
        while 0 <= place < len(ids):
            chunk = (
                ids[place : place + LOOKED_THROUGH] if by > 0 else ids[max(0, place - LOOKED_THROUGH + 1) : place + 1]
            )
            rows = {row.id: row for row in await self._rows(chunk)}
            ordered = chunk if by > 0 else reversed(chunk)
            for offset, id_ in enumerate(ordered):
                seen = self.messages.row(id_) or rows.get(id_)
                if seen is not None and seen.unread:
                    if self.messages.ids is ids:
                        self.messages.go(place + by * offset)
                    return
            place += by * LOOKED_THROUGH
        self.status.say("No unread message further down." if by > 0 else "No unread message further up.", 3)

    def on_folder_list_chosen(self, event: FolderList.Chosen) -> None:
        """A folder of the column."""
        if self.whole:
            self._whole(on=False)
        self.go_to(event.view)
        self.set_focus(self.messages)
