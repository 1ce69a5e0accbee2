"""Searches that are kept as folders: named, ordered, looked at anew each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import Count, Done, SavedSearch, StepKind
from termmail.mail.query import EVERYTHING, And, Is, Mark
from termmail.store import journal, list_order, search
from termmail.store.folders import FolderError, FolderGone, checked_name

if TYPE_CHECKING:
    from termmail.mail.query import Query
    from termmail.store.store import Store

MOST = 200
"""Searches that can be kept."""
COUNTED = 1000
"""Unread messages that are counted in one of them, at most."""
LONGEST_WORDS = 2000


def listing(store: Store) -> list[SavedSearch]:
    """Return the searches in the order of the folder column."""
    return [SavedSearch(*row) for row in store.read("SELECT id, name, words FROM saved_search ORDER BY place, id")]


def get(store: Store, search_id: int) -> SavedSearch:
    """Return one search. Raises FolderGone."""
    row = store.read_one("SELECT id, name, words FROM saved_search WHERE id = ?", (search_id,))
    if row is None:
        raise FolderGone("This search was removed.")
    return SavedSearch(*row)


def words(store: Store, search_id: int) -> str:
    """Return what was typed for a search, "" where it was removed."""
    return next((one.words for one in listing(store) if one.search_id == search_id), "")


def unread(store: Store, query: Query) -> Count:
    """Return how many unread messages a kept search finds, counted up to COUNTED."""
    return store.remember(("unread of a search", query), lambda: _unread(store, query))


def _unread(store: Store, query: Query) -> Count:
    wanted = EVERYTHING if query == EVERYTHING else And((query, Is(Mark.UNREAD)))
    count = len(search.search(store, wanted, limit=COUNTED, discarded=False))
    return Count(count, count)


def save(store: Store, name: str, typed: str) -> SavedSearch:
    """Keep a search under a name. Raises FolderError for a name that cannot be used or is taken."""
    name, typed = checked_name(name), typed[:LONGEST_WORDS]
    with store.transaction() as db:
        if len(known := listing(store)) >= MOST:
            raise FolderError(f"More than {MOST} searches cannot be kept.", advice="Remove one first.")
        _check_free(known, name)
        place = db.execute("SELECT coalesce(max(place), 0) + 1 FROM saved_search").fetchone()[0]
        cursor = db.execute("INSERT INTO saved_search (name, words, place) VALUES (?, ?, ?)", (name, typed, place))
    return SavedSearch(cursor.lastrowid or 0, name, typed)


def rename(store: Store, search_id: int, name: str) -> SavedSearch:
    """Give a search another name. Raises FolderError or FolderGone."""
    name = checked_name(name)
    with store.transaction() as db:
        found = get(store, search_id)
        _check_free([one for one in listing(store) if one.search_id != search_id], name)
        db.execute("UPDATE saved_search SET name = ? WHERE id = ?", (name, search_id))
    return SavedSearch(search_id, name, found.words)


def move(store: Store, search_id: int, places: int) -> None:
    """Move a search so many places down, or up where `places` is negative. Raises FolderGone."""
    with store.transaction() as db:
        get(store, search_id)
        list_order.shift(db, "saved_search", search_id, places)


def remove(store: Store, search_id: int, now: int) -> Done:
    """Remove a search, as a step; its messages stay where they are. Raises FolderGone."""
    with store.transaction() as db:
        found = get(store, search_id)
        db.execute("DELETE FROM saved_search WHERE id = ?", (search_id,))
        step = journal.begin(db, StepKind.REMOVE_SEARCH, 0, now, name=found.name)
        db.execute("UPDATE step SET old_name = ? WHERE id = ?", (found.words, step.step_id))
    return Done(step)


def _check_free(known: list[SavedSearch], name: str) -> None:
    for one in known:
        if one.name.casefold() == name.casefold():
            raise FolderError(f"There is a search “{one.name}” already.")
