"""Let the reader follow the cursor of the list, and mark an opened message as read once its text is on screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.mail.model import MessageRow, RemoteState
from termmail.ui.reading_text import is_same
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from textual.timer import Timer

    from termmail.engine.engine import Engine
    from termmail.mail.message import Message
    from termmail.mail.model import Row
    from termmail.ui.list_model import ListModel
    from termmail.ui.screens.main import MainScreen

REST = 0.15
"""Seconds of rest after which the reading pane follows the cursor; until then a move repaints two rows only."""
REST_TYPING = 0.45
"""The same while words are typed, for which the list changes with every key."""
REST_FETCH = 0.45
"""Further seconds after which a text that is not stored is fetched from the server."""


class Previewing:
    """Shows the message at the cursor in the reader: a preview of it, or the message itself where it was opened."""

    def __init__(
        self, engine: Engine, screen: MainScreen, model: ListModel, fail: Callable[[UserError, str], None]
    ) -> None:
        self._engine = engine
        self._screen = screen
        self._list = model
        self._fail = fail
        self._resting: Timer | None = None
        self._opened = 0
        """The message the user opened: it counts as read once its text is on screen."""
        self._page = 0
        """The message whose conversation is read, though its row in the list stands for it alone; 0 for none."""

    @property
    def is_opened(self) -> bool:
        """The message at the cursor was opened, not only previewed."""
        return self._opened == self._screen.messages.cursor_id

    def moved(self, *, anew: bool = False) -> None:
        """Follow the cursor once it rests; nothing else is painted for a move. `anew`: the list shows another view."""
        reader, screen = self._screen.reader, self._screen
        if self._resting is not None:
            self._resting.stop()
        if anew or not self.is_opened:  # what `]` opens may be open before the list tells that the cursor moved
            self._opened = 0
        if anew and reader.row is not None and not self._at_cursor(reader.row):
            reader.clear()
        if screen.whole:
            self.read()
        elif reader.display:
            self._resting = screen.set_timer(REST_TYPING if screen.asking else REST, self.follow)
        elif reader.row is not None:
            reader.clear()  # hidden: when it appears again it must not show the previous message

    def read_page(self, row: MessageRow) -> None:
        """Show this conversation on the whole screen; the way back leads to the message at the cursor."""
        self._opened = self._page = row.message_id
        self._screen.set_whole(on=True)
        self._screen.reader.show(row, fetch=True)

    def left_page(self) -> None:
        """Show the message at the cursor again, where its conversation was read."""
        if self._page:
            self._page = 0
            self.moved()

    def renewed(self) -> None:
        """Show the row at the cursor anew where it is a conversation by now, or a single message again."""
        reader, messages = self._screen.reader, self._screen.messages
        row = messages.row(messages.cursor_id)
        if row is None or reader.row is None or reader.row.key != row.key or row.key == self._page:
            return
        if is_same(reader.row, row):
            return
        if self._screen.whole:
            self.read()
        elif reader.display:
            self.follow()
        else:
            reader.clear()

    def _at_cursor(self, row: Row | None) -> bool:
        """Return whether this is the row at the cursor: of the same kind, for drafts have ids of their own."""
        shown = self._screen.messages.row(self._screen.messages.cursor_id)
        return row is not None and row.key == self._screen.messages.cursor_id and type(row) is type(shown)

    def follow(self) -> None:
        """Show a preview now, and fetch the text a little later where it is not here."""
        start_worker(self._screen, self._show, "open", exclusive=True)
        self._resting = self._screen.set_timer(REST_FETCH, self._follow_fetching)

    def _follow_fetching(self) -> None:
        reader = self._screen.reader
        if reader.row is not None and reader.message is None and not _was_skipped(reader.row):
            start_worker(self._screen, partial(self._show, fetch=True), "open", exclusive=True)

    def read(self) -> None:
        """Show the message at the cursor, fetch it where needed, and count it as read once its text is there."""
        start_worker(self._screen, self._read, "open", exclusive=True)

    async def _read(self) -> None:
        self._opened = self._screen.messages.cursor_id
        await self._show(fetch=True)
        reader = self._screen.reader
        if reader.row is not None and reader.message is not None and reader.row.key == self._opened:
            self._mark_opened()

    async def _show(self, *, fetch: bool = False) -> None:
        row = await self._list.cursor_row()
        if row is not None and row.key == self._page:
            return
        self._page = 0
        if row is None:
            self._screen.reader.clear()
            if self._screen.whole:
                self._screen.set_whole(on=False)
        else:
            self._screen.reader.show(row, fetch=fetch)

    def changed(self, message_ids: Collection[int]) -> None:
        """Show the marks of the message again, if it is among those that have changed."""
        row = self._screen.reader.row
        if isinstance(row, MessageRow) and not {row.message_id, *(one.message_id for one in row.placements)}.isdisjoint(
            message_ids
        ):
            start_worker(self._screen, partial(self._show_again, row), "marks", exclusive=True)

    async def _show_again(self, row: MessageRow) -> None:
        reader = self._screen.reader
        for now in await self._list.rows([row.message_id]):
            if reader.message is not None and is_same(reader.row, now):
                reader.show(now)

    def shown(self, message_id: int) -> None:
        """Mark this message as read, if it was opened: its text is on screen."""
        if message_id == self._opened:
            self._mark_opened()

    def _mark_opened(self) -> None:
        reader = self._screen.reader
        row, page = reader.row, reader.conversation
        if isinstance(row, MessageRow) and row.unread and not self._engine.context.read_only:
            shown = [row.message_id] if page is None else list(page.opened)
            if page is None or not page.missing:
                self._screen.messages.change([row.message_id], unread=False)
            start_worker(self._screen, partial(self._mark_read, row, shown), "mark")

    async def _mark_read(self, row: MessageRow, shown: Sequence[int]) -> None:
        try:
            await self._engine.messages.seen(shown)
        except UserError as error:
            self._screen.messages.put_back([row])
            self._fail(error, "")

    async def message(self) -> tuple[MessageRow, Message] | None:
        """Return the message at the cursor with its row, fetched where needed.

        Returns None where there is no message, and after a failure, which is shown.
        """
        row = await self._list.cursor_row()
        if not isinstance(row, MessageRow):
            return None
        reader = self._screen.reader
        if reader.message is not None and reader.row is not None and reader.row.key == row.message_id:
            return row, reader.message
        try:
            return row, await self._engine.reader.read(row.message_id)
        except UserError as error:
            self._fail(error, row.account)
        return None


def _was_skipped(row: Row) -> bool:
    return isinstance(row, MessageRow) and row.state is RemoteState.SKIPPED
