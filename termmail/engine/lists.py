"""Lists: the ids of a view, the rows that a screen or a command shows of them, and what search covers."""

from __future__ import annotations

import asyncio
from array import array
from typing import TYPE_CHECKING, NamedTuple

from termmail.engine import indexing, queries
from termmail.mail.model import MessageRow
from termmail.mail.query import EVERYTHING
from termmail.mail.query import folders as folders_of
from termmail.mail.query_words import MOST, Known
from termmail.mail.views import (
    DraftsView,
    FolderView,
    LabelView,
    OutboxView,
    Outline,
    Ready,
    ReadyView,
    RoleView,
    SavedView,
    SearchView,
    Unfolded,
)
from termmail.store import (
    contacts,
    drafts,
    folders,
    indexing_queue,
    label_names,
    marked_ids,
    messages,
    outbox,
    outlines,
    saved_searches,
    search,
    search_spelling,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from termmail.engine.context import Context
    from termmail.mail.model import Coverage, Placement, Row
    from termmail.mail.query import Query
    from termmail.mail.views import View
    from termmail.store.search_plan import Hit
    from termmail.store.store import Store


class Matches(NamedTuple):
    """Rows of a list, and how many messages they stand for."""

    rows: set[int]
    messages: int


class Lists:
    """Reads lists from the store. Every method may raise StoreError."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def ids(self, view: View, limit: int | None = None) -> array[int]:
        """Return the ids of a view in its order: message ids, draft ids or outbox ids.

        What came lately is indexed before a search.
        """
        if isinstance(view, SearchView | SavedView):
            return await self._found(view, limit)
        return await self.context.db(_ids, view, limit)

    async def query(self, view: View) -> Query | None:
        """Return the query whose hits a view shows; None where it shows something else, or its search was removed."""
        if isinstance(view, SavedView):
            words = await self.context.db(saved_searches.words, view.search_id)
            return queries.parsed(self.context, words).query if words else None
        return view.query if isinstance(view, SearchView) else None

    async def _found(self, view: SearchView | SavedView, limit: int | None) -> array[int]:
        """Return what a search finds, at most `limit`; all of it is read in parts, so that the store does other work too."""
        await indexing.before_search(self.context)
        query = await self.query(view) or EVERYTHING
        account, discarded = (view.account, view.discarded) if isinstance(view, SearchView) else ("", False)
        db = self.context.db
        if limit is not None:
            return await db(search.search, query, account=account, limit=limit, discarded=discarded, order=view.order)
        found: dict[int, None] = {}
        for one in search.queries(query, view.order):
            hits: list[Hit] = []
            start: search.Start | None = search.Start()
            while start is not None:
                part = await db(search.part, one, start, account=account, discarded=discarded)
                hits += part.hits
                start = part.following
            found |= dict.fromkeys(await asyncio.to_thread(search.ordered, hits))
        return array("q", found)

    async def outline(self, view: View, unfolded: Unfolded, limit: int | None = None) -> Outline:
        """Return the rows of a view: of a threaded one its conversations, those in `unfolded` message by message.

        At most `limit` conversations or, of another view, ids.
        """
        if isinstance(view, FolderView | RoleView) and view.threaded:
            return await self.context.db(_outline, view, unfolded, limit)
        return Outline.flat(await self.ids(view, limit))

    async def rows(self, view: View, ids: Sequence[int], unfolded: Collection[int] = ()) -> list[Row]:
        """Return what a list shows of these ids of the view, in their order; what is gone is left out.

        In a threaded view a message stands for its conversation, unless it is among the `unfolded`.
        """
        return await self.context.db(_rows, view, ids, frozenset(unfolded))

    async def members(self, view: View, ids: Sequence[int]) -> list[Placement]:
        """Return where the messages of a view are that these ids stand for: in a threaded view whole conversations."""
        return await self.context.db(_members, view, ids)

    async def conversation(self, message_id: int) -> list[MessageRow]:
        """Return the messages of the conversation of a message, in the order of its tree."""
        return await self.context.db(_conversation, message_id)

    async def conversation_row(self, message_id: int) -> MessageRow | None:
        """Return the row of a message, with its conversation unless it is alone; None where the message is gone."""
        return await self.context.db(_conversation_row, message_id)

    async def row(self, message_id: int) -> MessageRow | None:
        """Return the row of one message, or None where it is gone."""
        return await self.context.db(messages.row, message_id)

    async def matching(self, view: View, text: str, ids: Sequence[int]) -> set[int]:
        """Return those ids of the view that a filter matches.

        A filter of messages is in the search language; Drafts and Outbox are filtered by the words of their rows.
        """
        if isinstance(view, DraftsView | OutboxView):
            return await self.context.db(_matching_rows, view, text, ids)
        query = queries.parsed_typed(self.context, text).query
        return (
            set(ids)
            if query == EVERYTHING
            else set(ids).intersection(await self.ids(SearchView(query, discarded=True)))
        )

    async def rows_with(self, view: View, text: str, outline: Outline) -> Matches:
        """Return the rows that hold a message which the filter matches, and how many messages these rows stand for."""
        if not isinstance(view, FolderView | RoleView) or not view.threaded:
            found = await self.matching(view, text, outline.ids)
            return Matches(found, len(found))
        whole = await self.outline(view, Unfolded(every=True))
        hits = await self.matching(view, text, whole.ids)
        return await asyncio.to_thread(_matches, outline, whole, hits)

    async def coverage(self, view: SearchView) -> Coverage:
        """Return how many messages a search finds by the words of their body, of how many it looks through."""
        account = view.account if len(self.context.accounts) > 1 else ""
        discarded = view.discarded or bool(folders_of(view.query))
        return await self.context.db(indexing_queue.coverage, account, discarded=discarded)

    async def spellings(self, view: SearchView) -> list[tuple[str, str]]:
        """Return the words of a search that no message has, each with one that was perhaps meant."""
        return await self.context.db(search_spelling.spellings, view.query)

    async def known(self, person: str = "") -> Known:
        """Return the names that a query may hold; people whose address or name begins with `person`."""
        return await self.context.db(_known, self.context.accounts, person)

    async def index(self) -> None:
        """Bring the search index, snippets and attachment marks up to date, in small steps."""
        await indexing.catch_up(self.context)

    async def changed_elsewhere(self) -> bool:
        """Return whether another program has written to the store since this was last asked."""
        return await self.context.db(lambda store: store.changed_elsewhere())


def _matches(outline: Outline, whole: Outline, hits: Collection[int]) -> Matches:
    """Return the rows of `outline` that hold one of the hits. `whole` has every message with its conversation."""
    threads = {thread for one, thread in zip(whole.ids, whole.threads, strict=True) if one in hits}
    rows = {
        one
        for one, thread in zip(outline.ids, outline.threads, strict=True)
        if (one in hits if one in outline.depths else thread in threads)
    }
    folded = {
        thread
        for one, thread in zip(outline.ids, outline.threads, strict=True)
        if one in rows and one not in outline.depths
    }
    alone = sum(one in outline.depths for one in rows)
    return Matches(rows, alone + sum(thread in folded for thread in whole.threads))


def _ids(store: Store, view: View, limit: int | None) -> array[int]:
    match view:
        case FolderView() | RoleView():
            return messages.ids(store, _folder_ids(store, view), limit, order=view.order)
        case ReadyView(ready=ready):
            return marked_ids.ready_ids(store, ready, limit)
        case LabelView(label_id=label_id):
            return marked_ids.labelled_ids(store, label_id, limit)
        case DraftsView(account=account):
            return drafts.ids(store, account)[:limit]
        case OutboxView(account=account):
            return outbox.ids(store, account)[:limit]
    raise AssertionError(view)  # searches are read in parts


def _known(store: Store, accounts: Sequence[str], person: str) -> Known:
    names = dict.fromkeys(one.name for one in folders.listing(store))
    people = contacts.complete(store, person, MOST) if person else []
    labels = tuple(one.name for one in label_names.listing(store))
    return Known(tuple(names), tuple(accounts), tuple(people), labels)


def _folder_ids(store: Store, view: FolderView | RoleView) -> list[int]:
    return [view.folder_id] if isinstance(view, FolderView) else messages.role_folder_ids(store, view.role)


def _outline(store: Store, view: FolderView | RoleView, unfolded: Unfolded, limit: int | None) -> Outline:
    return outlines.outline(store, _folder_ids(store, view), unfolded, order=view.order, limit=limit)


def _rows(store: Store, view: View, ids: Sequence[int], unfolded: Collection[int]) -> list[Row]:
    match view:
        case DraftsView():
            return [*drafts.rows(store, ids)]
        case OutboxView():
            return [*outbox.rows(store, ids)]
        case ReadyView(ready=Ready.SNOOZED):
            return [*messages.rows(store, ids, places=marked_ids.snoozed_folders(store))]
        case SearchView() | SavedView() | ReadyView() | LabelView():
            return [*messages.rows(store, ids)]
    folder_ids = _folder_ids(store, view)
    found = messages.rows(store, ids, folder_ids)
    if not view.threaded:
        return [*found]
    heads = [row for row in found if row.message_id not in unfolded]
    folded = {row.message_id: row for row in outlines.fold(store, heads, folder_ids)}
    return [folded.get(row.message_id, row) for row in found]


def _members(store: Store, view: View, ids: Sequence[int]) -> list[Placement]:
    if isinstance(view, FolderView | RoleView) and view.threaded:
        return outlines.members(store, ids, _folder_ids(store, view))
    return [row.placement for row in _rows(store, view, ids, ()) if isinstance(row, MessageRow)]


def _conversation(store: Store, message_id: int) -> list[MessageRow]:
    return messages.rows(store, [one.message_id for one in outlines.tree(store, message_id)])


def _conversation_row(store: Store, message_id: int) -> MessageRow | None:
    row = messages.row(store, message_id)
    if row is None:
        return None
    return next(iter(outlines.fold(store, [row], [one.folder_id for one in folders.listing(store)])), None)


def _matching_rows(store: Store, view: DraftsView | OutboxView, text: str, ids: Sequence[int]) -> set[int]:
    wanted = text.casefold().strip("* ")
    found = set()
    for row in drafts.rows(store, ids):
        if isinstance(view, DraftsView) and wanted in f"{row.recipients} {row.subject} {row.snippet}".casefold():
            found.add(row.draft_id)
    for one in outbox.rows(store, ids):
        if isinstance(view, OutboxView) and wanted in f"{' '.join(one.recipients)} {one.subject}".casefold():
            found.add(one.outbox_id)
    return found
