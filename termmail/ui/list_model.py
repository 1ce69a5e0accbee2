"""Which view the main screen shows: its ids, rows and counts, read from the engine and kept up to date."""

from __future__ import annotations

import asyncio
from array import array
from enum import Flag, auto
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from termmail.engine import queries
from termmail.engine.events import (
    DraftsChanged,
    FolderChanged,
    MailArrived,
    MessageChanged,
    OutboxChanged,
    SyncProgress,
)
from termmail.engine.folder_list import Counts
from termmail.errors import UserError
from termmail.mail.model import Count, MessageRow, Placement, Role
from termmail.mail.query import needs_bodies
from termmail.mail.views import (
    NOWHERE,
    DraftsView,
    FolderView,
    LabelView,
    OutboxView,
    Outline,
    ReadyView,
    RoleView,
    SavedView,
    SearchView,
    Unfolded,
)
from termmail.ui import titles
from termmail.ui.kept_counts import KeptCounts
from termmail.ui.kinds import Listing, listing, view_account, view_name, view_role
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event
    from termmail.mail.model import Row
    from termmail.mail.query import Query
    from termmail.mail.query_parser import Parsed
    from termmail.mail.views import Spot, View
    from termmail.ui.first_page import First
    from termmail.ui.screens.main import MainScreen

FIRST = 200
"""Ids asked for first: more than a screen holds, and there at once however large the folder is."""


PAUSE = 0.3
"""Seconds without a key after which all hits of a search that is typed are read; its first page is there at once."""


class Stale(Flag):
    """What must be read again."""

    NOTHING = 0
    IDS = auto()
    ROWS = auto()
    COUNTS = auto()


class Seen(Struct, frozen=True):
    """The messages of some rows, and where the user saw them; rows that were not loaded are not in `placements`.

    `alone` are the rows of unfolded conversations: each stands for one message.
    """

    view: View
    placements: dict[int, tuple[Placement, ...]]
    alone: frozenset[int] = frozenset()


class ListModel:
    """The view of the list, and the counts of the folder column. It reads again what events make stale."""

    def __init__(self, first: First, screen: MainScreen, fail: Callable[[UserError], None]) -> None:
        self.engine: Engine = first.engine
        self.threaded = first.engine.context.config.ui.conversations
        """Lists of folders show conversations."""
        self.unfolded = Unfolded()
        self.view: View = first.view
        self.home: View = first.view
        """The folder that a search or a filter began in, and goes back to."""
        self.filter = ""
        self.words = ""
        """What was typed for the search that is shown."""
        self.counts = Counts(first.folders, {}, {}, {})
        self.leaving: set[int] = set()
        """Messages taken off the list at once, while the store still moves them."""
        self._screen = screen
        self._messages = screen.messages
        self._fail = fail
        self._coverage = ""
        self._meant: list[str] = []
        """Words that are like those of a search that found nothing."""
        self._searched: Query | None = None
        """The query whose hits the list shows."""
        self._whole = True
        """The list has all that the view shows, not only its first page."""
        self._cursors: dict[View, Spot] = {}
        self._kept = KeptCounts(self, screen, fail)
        self._stale = Stale.NOTHING
        self._refreshing = False

    # -- the view

    @property
    def listing(self) -> Listing:
        """What kind of thing the rows of the view are."""
        return listing(self.view)

    @property
    def role(self) -> Role:
        """The role of the folder that the view shows; NONE where it shows no folder."""
        return view_role(self.view, self.counts)

    @property
    def name(self) -> str:
        """What the view is called, without its account."""
        return view_name(self.view, self.counts)

    @property
    def account(self) -> str:
        """The account of the view, or of the folder that its search began in; the default one where it shows several."""
        shown = view_account(self.view, self.counts) or view_account(self.home, self.counts)
        return shown or self.engine.accounts.default

    @property
    def searching(self) -> bool:
        """The list shows what a search found."""
        return isinstance(self.view, SearchView)

    @property
    def narrowed(self) -> bool:
        """The list shows what a search found or a filter keeps, not all of a folder."""
        return bool(self.filter) or self.searching

    @property
    def mixed(self) -> bool:
        """The list shows messages of several accounts."""
        return len(self.engine.accounts.names) > 1 and not view_account(self.view, self.counts)

    def _account_cells(self) -> int:
        return max(map(cell_len, self.engine.accounts.names)) if self.mixed else 0

    def target_account(self) -> str:
        """Return the account of the message at the cursor, whose folders it can be moved to; else that of the view."""
        row = self._messages.row(self._messages.cursor_id)
        return row.account if row is not None else self.account

    def open(self, first: First) -> None:
        """Show the top of the inbox, which was read already; the rest of it and the counts follow."""
        self._messages.accounts = self._account_cells()
        self._messages.show(first.outline, rows=[self._shown(row) for row in first.rows])
        self._messages.empty = self._nothing()
        more = Stale.IDS if len(first.outline.ids) >= FIRST else Stale.NOTHING
        self._screen.call_later(self.stale, Stale.COUNTS | more)

    def go_to(self, view: View, words: str = "", *, shown: Callable[[], None] = lambda: None) -> None:
        """Show another folder, or the results of a search for these words; `shown` is called when the list has them."""
        self._cursors[self.view] = self._messages.spot
        view = _threaded(view, on=self.threaded)
        if _is_same_folder(view, self.view):
            self._cursors[view] = self._messages.spot
        self.view, self.filter, self.words, self._coverage = view, "", words, ""
        self.unfolded, self._meant = Unfolded(), []
        if not self.searching:
            self.home = view
        start_worker(self._screen, partial(self._load, view, shown), "view", exclusive=True)
        if not self.searching:  # a search leaves the folder column as it is
            self.stale(Stale.COUNTS)

    def search(self, words: str, *, typing: bool = False) -> None:
        """Show the messages of all accounts that match, without Spam and Trash: what `d` takes off the list stays away.

        While one is `typing`, the last word may be the beginning of one; it stays so when the search is kept.
        """
        if not typing:
            words = queries.words_as_typed(self.engine.context, words)
        self.go_to(SearchView(self.parsed(words, typing=typing).query), words)

    @property
    def looks_in_many(self) -> bool:
        """The list shows messages from anywhere: what a search finds, now or each time, a ready view, a label."""
        return isinstance(self.view, SearchView | SavedView | ReadyView | LabelView)

    def parsed(self, words: str, *, typing: bool) -> Parsed:
        """Return the query that these words stand for now."""
        read = queries.parsed_typed if typing else queries.parsed
        return read(self.engine.context, words)

    def _mark(self, query: Query | None) -> None:
        """Mark what this query looks for in the rows and in the text of the message; nothing for None."""
        for widget in (self._screen.messages, self._screen.reader):
            if widget.searched != query:
                widget.searched = query
                widget.refresh()

    async def _load(self, view: View, shown: Callable[[], None]) -> None:
        """Show the first page at once, then all ids; put the cursor where it was left.

        While words are typed, all ids are read only when no key came for PAUSE.
        """
        try:
            try:
                first = await self.engine.lists.outline(view, self.unfolded, FIRST)
                rows = await self.rows(first.ids[: self._messages.page]) if self.looks_in_many else []
                self._messages.empty = ""
                self._searched = await self.engine.lists.query(view)
                self._mark(self._searched)
                self._whole = len(first.ids) < FIRST
                self._messages.accounts = self._account_cells()
                self._messages.show(first, at=self._cursors.get(view, NOWHERE), rows=rows)
                self._messages.empty = self._nothing()
                self._screen.retitle()
            finally:
                shown()
            if not self._whole:
                if self._screen.asking:
                    await asyncio.sleep(PAUSE)  # the next key ends this worker
                whole = await self.outline()
                if view == self.view:  # else the list shows or hides conversations by now, and is read again
                    self._update(whole, at=self._cursors.get(view, NOWHERE))
            if isinstance(view, SearchView) and not self._screen.asking:
                await self._searched_for(view)
        except UserError as error:
            self._fail(error)
        self._screen.retitle()

    async def _searched_for(self, view: SearchView) -> None:
        """Ask about mistyped words where nothing was found, and tell how many bodies were not looked through."""
        if not self._messages.ids:
            self._meant = [word for _, word in await self.engine.lists.spellings(view)]
            self._messages.empty = self._nothing()
        if needs_bodies(view.query):
            covered = await self.engine.lists.coverage(view)
            self._coverage = titles.coverage(covered)
            if covered.bodies < covered.total and not covered.waiting:
                key = self._screen.termmail.keys.shown("mail.fetch-bodies")
                self._screen.status.say(f"{key} fetches the messages that are only on the server".strip(), 8)

    def keep_only(self, words: str) -> None:
        """Filter the view by these words; "" shows all of it."""
        self.filter = words
        self._mark(self.parsed(words, typing=True).query if words else self._searched)
        self.stale(Stale.IDS)

    # -- ids and rows

    async def rows(self, ids: Sequence[int]) -> list[Row]:
        """Return the rows of these ids in the view; a failure is shown, and its rows are missing."""
        try:
            rows = await self.engine.lists.rows(self.listed, ids, self._messages.outline.depths)
        except UserError as error:
            self._fail(error)
            return []
        return [self._shown(row) for row in rows]

    def _shown(self, row: Row) -> Row:
        """Return a row that names its folder, if it is a search result."""
        if not isinstance(row, MessageRow) or not self.looks_in_many:
            return row
        return replace(row, snippet=" · ".join(filter(None, (row.folder, row.snippet))))

    async def cursor_row(self) -> Row | None:
        """Return the row at the cursor, read now where the list does not have it yet."""
        if not (row_id := self._messages.cursor_id):
            return None
        if (row := self._messages.row(row_id)) is not None:
            return row
        return next(iter(await self.rows([row_id])), None)

    def seen(self, row_ids: Sequence[int]) -> Seen:
        """Return which messages the user sees in these rows, and where; without those of rows that are not loaded."""
        listed, unfolded = self.listed, self._messages.outline.depths
        if isinstance(listed, FolderView) and not listed.threaded:
            return Seen(listed, {one: (Placement(one, listed.folder_id),) for one in row_ids})
        found = {one: self._messages.placements(one) for one in row_ids}
        alone = frozenset(one for one in row_ids if one in unfolded)
        return Seen(listed, {one: placements for one, placements in found.items() if placements}, alone)

    async def placements(self, row_ids: Sequence[int], seen: Seen) -> list[Placement]:
        """Return `seen` in the order of the list, and for rows that were not loaded where their messages are now."""
        found = [placement for one in row_ids for placement in seen.placements.get(one, ())]
        missing = [one for one in row_ids if one not in seen.placements]
        for view, ids in (
            (seen.view, [one for one in missing if one not in seen.alone]),
            (_threaded(seen.view, on=False), [one for one in missing if one in seen.alone]),
        ):
            if ids:
                found += await self.engine.lists.members(view, ids)
        return found

    async def outline(self) -> Outline:
        """Return the rows of the view, with the filter applied and without what is about to leave."""
        outline = await self.engine.lists.outline(self.listed, self.unfolded)
        if self.filter:
            hits = await self.engine.lists.matching(self.view, self.filter, outline.ids)
            outline = Outline.flat(array("q", (row_id for row_id in outline.ids if row_id in hits)))
        return outline.without(self.leaving)

    def _update(self, outline: Outline, at: Spot = NOWHERE) -> None:
        """Show all ids of the view as they are now."""
        self._whole = True
        self._messages.update(outline, at=at)

    @property
    def listed(self) -> View:
        """The view as it is listed: what a filter keeps is single messages."""
        return _threaded(self.view, on=False) if self.filter else self.view

    # -- conversations

    def thread(self, *, on: bool, shown: Callable[[], None] = lambda: None) -> None:
        """List the conversations of folders, or single messages; the cursor stays on its message.

        `shown` is called when the list has them.
        """
        self.threaded = on
        self.view, self.home = _threaded(self.view, on=on), _threaded(self.home, on=on)
        self.unfold(Unfolded(), shown=shown)

    def unfold(self, unfolded: Unfolded, *, shown: Callable[[], None]) -> None:
        """Show these conversations unfolded, and the others folded; `shown` is called when the list does so."""
        self.unfolded = unfolded
        start_worker(self._screen, partial(self._refold, shown), "fold", exclusive=True)

    async def _refold(self, shown: Callable[[], None]) -> None:
        view = self.view
        try:
            outline = await self.outline()
            if view == self.view:
                self._update(outline)
                self._messages.reread()
        except UserError as error:
            self._fail(error)
        finally:
            shown()
        self._screen.retitle()

    # -- what changes

    def handle_event(self, event: Event) -> None:
        """Mark what an event of the engine makes stale."""
        match event:
            case MailArrived(account=account):
                self.stale(Stale.COUNTS)
                if (self.role is Role.INBOX and self._concerns(account)) or self.looks_in_many:
                    self.stale(Stale.IDS)
            case FolderChanged(account=account):
                self.stale(Stale.COUNTS)
                if self.listing is Listing.MESSAGES and self._concerns(account):
                    self.stale(Stale.IDS | Stale.ROWS)
            case DraftsChanged() | OutboxChanged():
                self.stale(Stale.COUNTS)
                if self.listing is not Listing.MESSAGES:
                    self.stale(Stale.IDS | Stale.ROWS)
            case MessageChanged(ids=ids):
                self._screen.mail.preview.changed(ids)
                self._messages.reread(None if self._messages.outline.threads else ids)
                self.stale(Stale.COUNTS)
            case SyncProgress(running=running):
                self._messages.empty = self._nothing()
                if not running:
                    self._messages.settle()
            case _:
                pass

    def _concerns(self, account: str) -> bool:
        shown = view_account(self.view, self.counts)
        return not account or not shown or account == shown

    def stale(self, what: Stale) -> None:
        """Read this again. Many calls in a row cost one reading."""
        self._stale |= what
        if self._stale and not self._refreshing:
            self._refreshing = True
            start_worker(self._screen, self._refresh, "refresh")

    async def _refresh(self) -> None:
        try:
            while self._stale:
                what, self._stale = self._stale, Stale.NOTHING
                view, unfolded = self.view, self.unfolded
                if Stale.IDS in what:
                    outline = await self.outline()
                    if view == self.view and unfolded == self.unfolded:
                        self._update(outline)
                        self._messages.empty = self._nothing()
                    else:
                        self._stale |= Stale.IDS
                if Stale.ROWS in what:
                    self._messages.reread()
                    if self.listing is not Listing.MESSAGES:  # of a message the text never changes
                        self._screen.mail.preview.moved()
                if Stale.COUNTS in what:
                    self.counts = replace(await self.engine.folders.counts(), found=self.counts.found)
                    self._kept.count()
                self.show_counts()
        except UserError as error:
            self._fail(error)
        finally:
            self._refreshing = False

    def show_counts(self) -> None:
        """Show the counts in the folder column and in the title."""
        self._screen.folders.show(self.counts, self.engine.accounts.names, self.home)
        self._screen.retitle()

    def count_kept(self) -> None:
        """Count the kept searches that are on the screen."""
        self._kept.count()

    # -- words

    def _nothing(self) -> str:
        """Return what an empty list says."""
        key = self._screen.termmail.keys.shown
        if not self.engine.accounts.names:
            return titles.no_account(key)
        if self.narrowed:
            return titles.nothing_found(key, self._meant, filtered=bool(self.filter))
        if isinstance(self.view, ReadyView):
            return titles.nothing_ready(self.view.ready, key)
        syncing = any(self.engine.accounts.status(name).syncing for name in self.engine.accounts.names)
        return titles.nothing(self.listing, self.role, self.name, key, syncing=syncing)

    def held(self) -> Count:
        """Return how much is in what the view shows, a filter aside."""
        match self.view:
            case DraftsView(account=account):
                return Count(_sum(self.counts.drafts, account))
            case OutboxView(account=account):
                return Count(_sum(self.counts.outbox, account))
            case FolderView(folder_id=folder_id):
                return self.counts.messages.get(folder_id, Count(0))
            case SavedView(search_id=search_id):
                unread = self.counts.found.get(search_id, Count(0)).unread
                return Count(len(self._messages.ids), unread)
            case ReadyView() | LabelView():
                return Count(len(self._messages.ids))
        wanted = [one.folder_id for one in self.counts.folders if one.role is self.role]
        found = [self.counts.messages[one] for one in wanted if one in self.counts.messages]
        return Count(sum(one.total for one in found), sum(one.unread for one in found))

    def place(self, *, typing: bool) -> tuple[str, ...]:
        """Return the words of the title line: the folder or search, and what is in it. `typing`: a search is typed."""
        total = len(self._messages.ids)
        if self.searching:
            found = titles.found(total, whole=self._whole)
            return (f"Search: {self.words}", *self._arranged(), found, "" if typing else self._coverage)
        held = self.held()
        whole = self._whole or held.total > total
        if self._messages.outline.threads or not self._whole:
            total = held.total
        account = view_account(self.view, self.counts)
        name = f"{account} · {self.name}" if account and len(self.engine.accounts.names) > 1 else self.name
        noun = "draft" if self.listing is Listing.DRAFTS else "message"
        return (name, *self._arranged(), *titles.amounts(total, held, self.filter, noun, whole=whole))

    def _arranged(self) -> tuple[str, ...]:
        return titles.arranged(self.view, threaded=self.engine.context.config.ui.conversations)

    def waiting(self) -> int:
        """Return how many outgoing messages wait in all accounts."""
        return sum(self.counts.outbox.values())


def _threaded(view: View, *, on: bool) -> View:
    """Return the view with conversations, or without; a view that lists no folders has none."""
    return replace(view, threaded=on) if isinstance(view, FolderView | RoleView) else view


def _is_same_folder(view: View, other: View) -> bool:
    """Return whether two views list the same folders, in whatever order."""
    if not isinstance(view, FolderView | RoleView) or not isinstance(other, FolderView | RoleView):
        return False
    return replace(view, order=other.order) == other


def _sum(counts: dict[str, int], account: str) -> int:
    return counts.get(account, 0) if account else sum(counts.values())
