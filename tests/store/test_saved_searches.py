"""Searches that are kept."""

from __future__ import annotations

import pytest

from termmail.mail.model import Count, SavedSearch, StepKind
from termmail.store import journal, saved_searches
from termmail.store.folders import FolderError, FolderGone
from tests.store.parts import NOW, add_local, mark, query, trash, undo, whole


def names(store) -> list[str]:
    return [one.name for one in saved_searches.listing(store)]


def test_searches_have_names_and_an_order(store):
    one, two, three = (saved_searches.save(store, f" {name} ", f"from:{name}") for name in ("Ada", "Bob", "Cy"))
    assert one == SavedSearch(1, "Ada", "from:Ada")
    assert names(store) == ["Ada", "Bob", "Cy"]
    saved_searches.move(store, three.search_id, -1)
    assert names(store) == ["Ada", "Cy", "Bob"]
    saved_searches.move(store, one.search_id, 9)
    assert names(store) == ["Cy", "Bob", "Ada"]
    assert saved_searches.rename(store, two.search_id, "Robert").words == "from:Bob"
    assert names(store) == ["Cy", "Robert", "Ada"]


def test_a_name_is_given_once(store):
    saved_searches.save(store, "Ada", "x")
    other = saved_searches.save(store, "Bob", "x")
    for bad in ("ada", "", "Drafts", "a\x00b"):
        with pytest.raises(FolderError):
            saved_searches.save(store, bad, "x")
        with pytest.raises(FolderError):
            saved_searches.rename(store, other.search_id, bad)
    assert names(store) == ["Ada", "Bob"]


def test_undo_brings_a_removed_search_back(store):
    kept = saved_searches.save(store, "Ada", "from:ada")
    done = saved_searches.remove(store, kept.search_id, NOW)
    assert done.step is not None
    assert done.step.kind is StepKind.REMOVE_SEARCH
    assert names(store) == []
    assert journal.next_step(store) == done.step
    assert undo(store) is not None
    assert [(one.name, one.words) for one in saved_searches.listing(store)] == [("Ada", "from:ada")]
    for change in (saved_searches.get, lambda store, gone: saved_searches.remove(store, gone, NOW)):
        with pytest.raises(FolderGone):
            change(store, kept.search_id)


def test_undo_of_a_removal_gives_no_name_twice(store):
    for name in ("Ada", "Ada (2)"):
        saved_searches.save(store, name, "x")
    saved_searches.remove(store, 1, NOW)
    saved_searches.save(store, "ada", "y")
    undo(store)
    assert names(store) == ["Ada (2)", "ada", "Ada (3)"]


def test_unread_messages_that_it_finds_are_counted(store):
    ids = [add_local(store, "Inbox", whole(n), unread=True) for n in range(1, 5)]
    mark(store, ids[:1])
    trash(store, ids[1:2], None)
    assert saved_searches.unread(store, query("from:ada OR zzz")) == Count(2, 2)
    assert saved_searches.unread(store, query("from:nobody")) == saved_searches.unread(store, query("")) == Count(0, 0)
