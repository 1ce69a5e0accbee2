"""Which view the main screen shows: its ids, rows and counts, read from the engine and kept up to date."""

from __future__ import annotations

from array import array
from enum import Flag, auto
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.engine.events import FolderChanged, MailArrived, MessageChanged, SyncProgress
from termmail.engine.views import View
from termmail.errors import UserError
from termmail.store.rows import Count
from termmail.ui.humanize import number
from termmail.ui.roles import NAMES, Listing, Role, listing, tells_place
from termmail.ui.screens import titles
from termmail.ui.workers import behind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event
    from termmail.store.rows import Row
    from termmail.ui.app import First
    from termmail.ui.screens.main import MainScreen

FIRST = 200
"""Ids asked for first: more than a screen holds, and there at once however large the folder is."""


class Stale(Flag):
    """What must be read again."""

    NOTHING = 0
    IDS = auto()
    ROWS = auto()
    COUNTS = auto()


class ListModel:
    """The view of the list, and the counts of the folder column. It reads again what events make stale."""

    def __init__(self, engine: Engine, screen: MainScreen, fail: Callable[[Exception], None]) -> None:
        self.engine = engine
        self.view = View(engine.default_account, NAMES[Role.INBOX])
        self.home = self.view
        """The folder that a search or a filter began in, and goes back to."""
        self.filter = ""
        empty = dict.fromkeys(NAMES.values(), Count(0, 0))
        self.counts: dict[str, dict[str, Count]] = dict.fromkeys(engine.accounts, empty)
        self.leaving: set[int] = set()
        """Messages taken off the list at once, while the store still moves them."""
        self._screen = screen
        self._messages = screen.messages
        self._fail = fail
        self._coverage = ""
        self._cursors: dict[View, int] = {}
        self._stale = Stale.NOTHING
        self._refreshing = False

    # -- the view

    @property
    def listing(self) -> Listing:
        """What kind of thing the rows of the view are."""
        return listing(self.view)

    @property
    def narrowed(self) -> bool:
        """The list shows what a search found or a filter keeps, not all of a folder."""
        return bool(self.filter) or self.view.query is not None

    def open(self, first: First) -> None:
        """Show the top of the inbox, which was read already; the rest of it and the counts follow."""
        self._messages.show(first.ids, rows=first.rows)
        self._messages.empty = self._nothing()
        more = Stale.IDS if len(first.ids) >= FIRST else Stale.NOTHING
        self._screen.call_later(self.stale, Stale.COUNTS | more)

    def go_to(self, view: View) -> None:
        """Show another folder, or the results of a search."""
        self._cursors[self.view] = self._messages.cursor_id
        self.view, self.filter, self._coverage = view, "", ""
        if view.query is None:
            self.home = view
        behind(self._screen, partial(self._load, view), "view", exclusive=True)
        self.stale(Stale.COUNTS)

    async def _load(self, view: View) -> None:
        """Show the first page at once, then all ids; put the cursor where it was left."""
        try:
            first = await self.engine.ids(view, FIRST)
            self._messages.empty = ""
            self._messages.show(first, at=self._cursors.get(view, 0))
            self._messages.empty = self._nothing()
            if len(first) >= FIRST:
                self._messages.update(await self.engine.ids(view), at=self._cursors.get(view, 0))
            if view.query is not None:
                covered, total = await self.engine.coverage(view.account, kept_only=view.kept_only)
                if covered < total:
                    self._coverage = f"bodies of {number(covered)} of {number(total)} messages searched"
        except UserError as error:
            self._fail(error)
        self._screen.retitle()

    def results(self, query: str) -> View:
        """Return the view of a search in all accounts, without Trash: what `d` takes off the list stays away.

        With one account the search is in that one, so that its coverage can be shown.
        """
        accounts = self.engine.accounts
        return View.search(accounts[0] if len(accounts) == 1 else "", query, kept_only=True)

    def keep_only(self, words: str) -> None:
        """Filter the view by these words; "" shows all of it."""
        self.filter = words
        self.stale(Stale.IDS)

    # -- ids and rows

    async def rows(self, ids: Sequence[int]) -> list[Row]:
        """Return the rows of these ids in the view; what cannot be read is told, and missing."""
        try:
            rows = await self.engine.rows(self.view, ids)
        except UserError as error:
            self._fail(error)
            return []
        return rows if self.view.query is None else [_with_place(row) for row in rows]

    async def cursor_row(self) -> Row | None:
        """Return the row at the cursor, read now where the list does not have it yet."""
        if not (row_id := self._messages.cursor_id):
            return None
        if (row := self._messages.row(row_id)) is not None:
            return row
        return next(iter(await self.rows([row_id])), None)

    async def ids(self) -> array[int]:
        """Return the ids of the view, with the filter applied and without what is about to leave."""
        ids = await self.engine.ids(self.view)
        if self.filter:
            hits = await self._hits(ids)
            ids = array("q", (row_id for row_id in ids if row_id in hits))
        if self.leaving:
            ids = array("q", (row_id for row_id in ids if row_id not in self.leaving))
        return ids

    async def _hits(self, ids: array[int]) -> set[int]:
        """Return which of these ids the filter keeps: by the index, or for drafts and outgoing mail by their rows."""
        if self.listing is not Listing.MESSAGES:
            wanted = self.filter.casefold()
            rows = await self.engine.rows(self.view, ids)
            return {row.id for row in rows if wanted in f"{row.recipients} {row.subject} {row.snippet}".casefold()}
        query = View.search(self.view.account, unfinished(self.filter))
        return set(await self.engine.ids(query, max(len(ids), 1)))

    # -- what changes

    def heard(self, event: Event) -> None:
        """Mark what an event of the engine makes stale."""
        match event:
            case MailArrived(account=account):
                self.stale(Stale.COUNTS)
                if self._concerns(account, NAMES[Role.INBOX]):
                    self.stale(Stale.IDS)
            case FolderChanged(account=account, folder=folder):
                self.stale(Stale.COUNTS)
                if self._concerns(account, folder):
                    self.stale(Stale.IDS | Stale.ROWS)
            case MessageChanged(ids=ids):
                self._messages.reread(ids)
                self.stale(Stale.COUNTS)
            case SyncProgress(running=False):
                self._messages.settle()
                behind(self._screen, self._look_elsewhere, "elsewhere")
            case _:
                pass

    async def _look_elsewhere(self) -> None:
        """Read everything again where another termmail has written to the store."""
        try:
            if await self.engine.changed_elsewhere():
                self.stale(Stale.IDS | Stale.ROWS | Stale.COUNTS)
        except UserError as error:
            self._fail(error)

    def _concerns(self, account: str, folder: str) -> bool:
        return self.view.account in {account, ""} and (self.view.folder == folder or self.narrowed)

    def stale(self, what: Stale) -> None:
        """Read this again. Many calls in a row cost one reading."""
        self._stale |= what
        if self._stale and not self._refreshing:
            self._refreshing = True
            behind(self._screen, self._refresh, "refresh")

    async def _refresh(self) -> None:
        try:
            while self._stale:
                what, self._stale = self._stale, Stale.NOTHING
                view = self.view
                if Stale.IDS in what:
                    ids = await self.ids()
                    if view == self.view:
                        self._messages.update(ids)
                        self._messages.empty = self._nothing()
                if Stale.ROWS in what:
                    self._messages.reread()
                if Stale.COUNTS in what:
                    self.counts = {name: await self.engine.counts(name) for name in self.engine.accounts}
                    self._screen.folders.show(self.counts, self.home)
                self._screen.retitle()
        except UserError as error:
            self._fail(error)
        finally:
            self._refreshing = False

    # -- words

    def _nothing(self) -> str:
        """Return what an empty list says."""
        keys = self._screen.termmail.keys
        return titles.nothing(self.view, keys.shown, has_account=bool(self.engine.accounts), filtered=bool(self.filter))

    def place(self, *, typing: bool) -> tuple[str, ...]:
        """Return the words of the title line: the folder or search, and what is in it. `typing`: a search is typed."""
        total = len(self._messages.ids)
        if self.view.query is not None:
            query = self.view.query.removesuffix("*") if typing else self.view.query
            return (f"Search: {query}", f"{number(total)} found", self._coverage)
        held = self.counts.get(self.view.account, {}).get(self.view.folder)
        name = self.view.folder
        if len(self.engine.accounts) > 1:
            name = f"{self.view.account} · {name}"
        return (name, *titles.amounts(total, held, self.filter))

    def waiting(self) -> int:
        """Return how many outgoing messages wait in all accounts."""
        outbox = NAMES[Role.OUTBOX]
        return sum(folders[outbox].total for folders in self.counts.values() if outbox in folders)


def _with_place(row: Row) -> Row:
    """Return a search result that names its folder where that is not obvious."""
    if not tells_place(row):
        return row
    return replace(row, snippet=" · ".join(filter(None, (row.folder, row.snippet))))


def unfinished(text: str) -> str:
    """Return the query for a text that is still being typed: its last word may be the beginning of one."""
    return f"{text}*" if text and text[-1].isalnum() else text
