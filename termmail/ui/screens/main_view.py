"""The main screen: which view is shown, its ids and counts, and what the engine tells about them."""

from __future__ import annotations

import asyncio
import time
from array import array
from functools import partial
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace
from textual.containers import Container
from textual.screen import Screen

from termmail.accounts.credentials import PasswordError
from termmail.engine.events import FolderChanged, MailArrived, MessageChanged, SyncOf, SyncProgress
from termmail.engine.views import View
from termmail.net.net_errors import NetError
from termmail.store.messages import FOLDERS
from termmail.store.rows import Count
from termmail.store.store_errors import StoreError
from termmail.ui import keys
from termmail.ui.humanize import number
from termmail.ui.screens import titles
from termmail.ui.widgets.folder_column import FolderList
from termmail.ui.widgets.keybar import KeyBar
from termmail.ui.widgets.message_list import MessageList
from termmail.ui.widgets.prompt import Prompt
from termmail.ui.widgets.reader import Reader
from termmail.ui.widgets.status import Problem, Problems, StatusLine, TitleLine
from termmail.ui.workers import behind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event
    from termmail.store.rows import Row
    from termmail.ui.app import First, TermmailApp

ON_A_MESSAGE = {"message.open", "message.reply", "message.reply-all", "message.forward", "message.delete"} | {
    *("message.archive", "message.move", "message.star", "message.read")
}
"""The verbs of a message, which the key bar does not tell of where there is none."""
ON_A_ROW = ON_A_MESSAGE | {"list.select", "reader.page"}
"""What needs a row of any kind."""

UNSENT = {
    "Drafts": {"message.open": "edit", "message.delete": "discard"},
    "Outbox": {"message.open": "options", "message.delete": "take back"},
}
"""The lists of what is not sent yet: its rows are no messages, and the few verbs that do something there have names of
their own."""

WITHOUT_ACCOUNT = {"message.open": "set up", "app.help-too": "keys", "view.quit": "quit"}
"""All that the key bar tells of before there is an account."""

FIRST = 200
"""Ids asked for first: more than a screen holds, and there at once however large the folder is."""


class ViewScreen(Screen[None]):
    """Folders, list and reader, and the lines around them. Wide: side by side; else one below the other."""

    BINDINGS = keys.bindings("mail")
    AUTO_FOCUS = "#list"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-medium"), (120, "-wide")]  # noqa: RUF012 - Textual's own type
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.ready = asyncio.Event()
        self.clock: Callable[[], float] = time.time
        self.engine: Engine | None = None
        self.view = View("", "Inbox")
        self.home = self.view
        """The folder a search or a filter began in, and goes back to."""
        self.filter = ""
        self.counts: dict[str, dict[str, Count]] = {}
        self.leaving: set[int] = set()
        """Messages taken off the list at once, while the store still moves them."""
        self._coverage = ""
        self._places: dict[View, int] = {}
        self._stale: set[str] = set()
        self._refreshing = False
        self._offered: tuple[object, ...] = ()
        """What the key bar was last drawn for."""

    def compose(self) -> ComposeResult:
        """Title, panes, problems, status, keys."""
        steps = ((self.app.size.width, self.HORIZONTAL_BREAKPOINTS), (self.app.size.height, self.VERTICAL_BREAKPOINTS))
        # Textual would do this after a first layout, and then style, lay out and paint all of it again
        self.add_class(*(max(step for step in known if step[0] <= cells)[1] for cells, known in steps))
        yield TitleLine()
        with Container(id="panes"):
            yield FolderList(id="folders")
            yield MessageList(self._rows, clock=self.clock, id="list")
            yield Reader(id="reader")
        yield Problems()
        yield StatusLine()
        yield Prompt()
        yield KeyBar()

    def on_mount(self) -> None:
        """The list has the focus; the words of time are renewed now and then."""
        self.messages.empty = "Opening your mail …"
        self.set_focus(self.messages)
        if (first := self.termmail.first) is not None:
            self.open(first)
        self.set_interval(20, self.retitle)
        self.ready.set()

    # -- the widgets, by name

    @property
    def messages(self) -> MessageList:
        """The message list."""
        return self.query_one(MessageList)

    @property
    def folders(self) -> FolderList:
        """The folder column."""
        return self.query_one(FolderList)

    @property
    def reader(self) -> Reader:
        """The reading pane, or the whole screen's reader."""
        return self.query_one(Reader)

    @property
    def status(self) -> StatusLine:
        """The line for what just happened."""
        return self.query_one(StatusLine)

    @property
    def problems(self) -> Problems:
        """What went wrong and was not read yet."""
        return self.query_one(Problems)

    @property
    def termmail(self) -> TermmailApp:
        """The app, as ours."""
        return cast("TermmailApp", self.app)

    @property
    def asking(self) -> bool:
        """Words to search for or to filter by are being typed."""
        return self.has_class("-asking")

    # -- a view

    def open(self, first: First) -> None:
        """The store is open: show the top of the inbox; all of it, and the counts, follow behind the first paint."""
        self.engine = self.reader.engine = first.engine
        if first.engine.read_only:
            self.problems.add(
                Problem("The data folder cannot be written.", "Mail can be read; nothing can be changed.")
            )
        self.home = self.view = View(first.engine.default_account, "Inbox")
        empty = dict.fromkeys(FOLDERS, Count(0, 0))
        self.counts = dict.fromkeys(first.engine.accounts, empty)  # until they are counted, behind the first paint
        self.messages.show(first.ids, rows=first.rows)
        self.messages.empty = self._nothing()
        self.call_later(self.stale, "counts", *(["ids"] if len(first.ids) >= FIRST else []))

    def go_to(self, view: View) -> None:
        """Show another folder, or the answers to a search."""
        self._places[self.view] = self.messages.cursor_id
        self.view, self.filter, self._coverage = view, "", ""
        self.status.say("")  # what was done to the view before
        if view.query is None:
            self.home = view
        self.status.right("")
        behind(self, partial(self._load, view), "view", exclusive=True)
        self.stale("counts")

    async def _load(self, view: View) -> None:
        """The first page at once, then all ids; the cursor where it was left."""
        if self.engine is None:
            return
        try:
            first = await self.engine.ids(view, FIRST)
            self.messages.empty = ""
            self.messages.show(first, at=self._places.get(view, 0))
            self.messages.empty = self._nothing()
            if len(first) >= FIRST:
                self.messages.update(await self.engine.ids(view), at=self._places.get(view, 0))
            if view.query is not None:
                covered, total = await self.engine.coverage(view.account, kept_only=view.kept_only)
                if covered < total:
                    self._coverage = f"bodies of {number(covered)} of {number(total)} messages searched"
        except StoreError as error:
            self.fail(error)
        self.retitle()

    async def _rows(self, ids: Sequence[int]) -> list[Row]:
        if self.engine is None:
            return []
        try:
            rows = await self.engine.rows(self.view, ids)
        except StoreError as error:
            self.fail(error)
            return []
        return rows if self.view.query is None else [_with_place(row) for row in rows]

    async def shown_ids(self) -> array[int]:
        """What the view holds now: the filter applied, what is about to leave left out."""
        engine, view = self.engine, self.view
        if engine is None:
            return array("q")
        ids = await engine.ids(view)
        if self.filter:
            hits = await self._hits(engine, ids)
            ids = array("q", (i for i in ids if i in hits))
        if self.leaving:
            ids = array("q", (i for i in ids if i not in self.leaving))
        return ids

    async def _hits(self, engine: Engine, ids: array[int]) -> set[int]:
        """Which of these messages answer the filter: by the index, or for drafts and outgoing mail by their rows."""
        if self.view.folder in {"Drafts", "Outbox"}:
            wanted = self.filter.casefold()
            rows = await engine.rows(self.view, ids)
            return {row.id for row in rows if wanted in f"{row.recipients} {row.subject} {row.snippet}".casefold()}
        return set(await engine.ids(View.search(self.view.account, as_typed(self.filter)), max(len(ids), 1)))

    def _nothing(self) -> str:
        """What an empty list says."""
        has_account = self.engine is not None and bool(self.engine.accounts)
        where = "" if self.filter else self.view.folder
        return titles.nothing(where, self.termmail.keys.shown, has_account=has_account)

    # -- what the engine tells

    def heard(self, event: Event) -> None:
        """One event of the engine: mark what it makes stale; it is read again soon, once."""
        match event:
            case MailArrived(account=account):
                self.stale("counts", *(["ids"] if self._concerns(account, "Inbox") else []))
            case FolderChanged(account=account, folder=folder):
                self.stale("counts", *(["ids", "rows"] if self._concerns(account, folder) else []))
            case MessageChanged(ids=ids):
                self.messages.reread(ids)
                self.stale("counts")
            case SyncProgress():
                self.status.progress(event)
                self.retitle()
                if not event.running:
                    self.messages.settle()
                    behind(self, self._look_elsewhere, "elsewhere")
            case _:
                pass

    async def _look_elsewhere(self) -> None:
        """Another termmail may have moved messages meanwhile."""
        try:
            if self.engine is not None and await self.engine.changed_elsewhere():
                self.stale("ids", "rows", "counts")
        except StoreError as error:
            self.fail(error)

    def _concerns(self, account: str, folder: str) -> bool:
        asked = bool(self.filter) or self.view.query is not None
        return self.view.account in {account, ""} and (self.view.folder == folder or asked)

    def stale(self, *what: str) -> None:
        """Read "ids", "rows" or "counts" again. Many calls in a row cost one reading."""
        self._stale |= set(what)
        if self._stale and not self._refreshing and self.engine is not None:
            self._refreshing = True
            behind(self, self._refresh, "refresh")

    async def _refresh(self) -> None:
        try:
            while self._stale and self.engine is not None:
                what, self._stale = self._stale, set()
                view = self.view
                if "ids" in what:
                    ids = await self.shown_ids()
                    if view == self.view:
                        self.messages.update(ids)
                        self.messages.empty = self._nothing()
                if "rows" in what:
                    self.messages.reread()
                if "counts" in what:
                    self.counts = {name: await self.engine.counts(name) for name in self.engine.accounts}
                    self.folders.show(self.counts, self.home)
                self.retitle()
        except StoreError as error:
            self.fail(error)
        finally:
            self._refreshing = False

    def offers(self, action_id: str, short: str, *, fits: bool) -> str:
        """What the key bar calls an action here and now, "" where it does not tell of it. `fits` and `short` are what
        the table says.
        """
        if self.engine is not None and not self.engine.accounts:
            return WITHOUT_ACCOUNT.get(action_id, "")
        if action_id in {"view.back", "view.quit"} and (self.filter or self.view.query is not None):
            return short if action_id == "view.back" else ""
        if not fits or (action_id in ON_A_ROW and not self.messages.ids):
            return ""
        if self.view.folder in UNSENT and action_id in ON_A_MESSAGE:
            return UNSENT[self.view.folder].get(action_id, "")
        return short

    def fail(self, error: Exception, account: str = "") -> None:
        """An error that carries words: they stay until they are read. `account` is whose server was asked."""
        if not isinstance(error, NetError | PasswordError):
            account = ""
        about = SyncOf(account) if account else None
        self.problems.add(Problem(str(error), getattr(error, "advice", ""), account, about))

    def retitle(self) -> None:
        """The title line, if it has changed."""
        if self.engine is not None:
            self.query_one(TitleLine).show(self._place(), self._server())
            offered = (bool(self.filter), self.view.folder, bool(self.messages.ids), bool(self.engine.accounts))
            if offered != self._offered:
                self._offered = offered
                self.query_one(KeyBar).again()

    def _place(self) -> tuple[str, ...]:
        total = len(self.messages.ids)
        if self.view.query is not None:
            query = self.view.query.removesuffix("*") if self.asking else self.view.query
            return (f"Search: {query}", f"{number(total)} found", self._coverage)
        held = self.counts.get(self.view.account, {}).get(self.view.folder)
        several = self.engine is not None and len(self.engine.accounts) > 1
        name = f"{self.view.account} · {self.view.folder}" if several else self.view.folder
        return (name, *titles.amounts(total, held, self.filter))

    def _server(self) -> str:
        """How the server of this account is, in words."""
        if self.engine is None or not self.engine.accounts:
            return ""
        return titles.server(self.engine.status(self.view.account or self.engine.default_account), self.clock())


def _with_place(row: Row) -> Row:
    """Something found says where it is, unless that is the Inbox, or goes without saying as it goes out."""
    if row.folder in {"Inbox", "Sent"}:
        return row
    return replace(row, snippet=" · ".join(filter(None, (row.folder, row.snippet))))


def as_typed(text: str) -> str:
    """A query that is still being typed: its last word may be the beginning of one."""
    return f"{text}*" if text and text[-1].isalnum() else text
