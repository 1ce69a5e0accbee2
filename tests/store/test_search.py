"""Search, its index, and making everything derived again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from termmail.mail.model import Coverage, StepKind
from termmail.mail.query_parser import parse_typed
from termmail.store import derived, indexing_queue, messages, pop3_identity, rebuild, search
from termmail.store.rows import New
from tests.store.parts import (
    NOW,
    add_local,
    download,
    erase,
    header,
    ids_in,
    index_all,
    mark,
    move,
    new,
    picture,
    query,
    session,
    trash,
    whole,
)

if TYPE_CHECKING:
    from termmail.store.store import Store


@pytest.fixture
def ids(store):
    """Newest first: "Café au lait", "Ärger im Büro", "Plain words", each with a body."""
    subjects = {1: "Plain words", 2: "=?utf-8?q?=C3=84rger_im_B=C3=BCro?=", 3: "=?utf-8?q?Caf=C3=A9_au_lait?="}
    news = [New(b"u%d" % n, n, 10, header(n, subject)) for n, subject in subjects.items()]
    pop3_identity.arrive(store, "work", news, received=NOW, listed=[])
    found = list(ids_in(store))
    bodies = {3: "The engine weaves patterns", 2: "Nothing at all weaves here", 1: "Only\r\nthe engine"}
    for id_, n in zip(found, (3, 2, 1), strict=True):
        download(store, id_, whole(n, bodies[n], subjects[n]))
    index_all(store)
    return found


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("engine", [0, 2]),
        ("ENGINE weaves", [0]),
        ("weav*", [0, 1]),
        ("weav", []),
        ('"the engine"', [0, 2]),
        ('"engine the"', []),
        ("cafe", [0]),
        ("CAFÉ", [0]),
        ("arger buro", [1]),
        ("subject:plain", [2]),
        ("subject:engine", []),
        ("from:ada engine", [0, 2]),
        ("from:bob", []),
        ("to:bob plain", [2]),
        ("to:carol@example.com", [0, 1, 2]),
        ('from:"ada lovelace" cafe', [0]),
        ("FROM:lovel*", [0, 1, 2]),
        ("", []),
        ("   ", []),
        ("!!! ---", []),
        ("engine !!!", [0, 2]),
        ("from:", []),
        ("a AND b OR NOT c NEAR(", []),
        ("engine -weaves", [2]),
        ("-engine", [1]),
        ("cafe OR buro", [0, 1]),
        ("-cafe -buro", [2]),
        ("cafe OR -engine", [0, 1]),
        ('"the engine', [0, 2]),
    ],
)
def test_queries_find_what_they_say(store, ids, text, places):
    assert list(search.search(store, query(text))) == [ids[place] for place in places]


def test_a_search_may_be_of_one_account_and_of_so_many(store, ids):
    assert list(search.search(store, query("engine"), account="home")) == []
    assert list(search.search(store, query("engine"), account="work", limit=1)) == ids[:1]


def test_a_search_may_leave_out_what_was_thrown_away(store, ids):
    move(store, ids[:1], "Spam")
    trash(store, ids[1:2], None)
    assert list(search.search(store, query("lovelace"))) == ids
    assert list(search.search(store, query("lovelace"), discarded=False)) == ids[2:]
    assert indexing_queue.coverage(store, "", discarded=False) == Coverage(1, 1)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("c", [0]),
        ("ca", [0]),
        ("ar", [1]),
        ("from:l", [0, 1, 2]),
        ("from:c", []),
        ("subject:p", [2]),
        ("w", [2]),
        ("en", []),
    ],
)
def test_a_word_that_is_just_being_typed_is_found_in_subject_and_sender(store, ids, text, places):
    query = parse_typed(text, NOW).query
    assert list(search.search(store, query)) == [ids[place] for place in places]


def test_an_index_that_is_mostly_of_messages_that_are_gone_is_made_anew(store, ids, monkeypatch):
    assert not indexing_queue.begin_anew_when_worn(store)
    monkeypatch.setattr(indexing_queue, "WORN_FROM", 2)
    monkeypatch.setattr(indexing_queue, "WORN_TIMES", 2)
    assert not indexing_queue.begin_anew_when_worn(store)
    erase(store, ids[:2])
    assert indexing_queue.begin_anew_when_worn(store)
    assert store.read("SELECT * FROM search_doc") == []
    index_all(store)
    assert list(search.search(store, query("engine"))) == ids[2:]
    assert not indexing_queue.begin_anew_when_worn(store)


def test_erased_messages_are_not_found(store, ids):
    erase(store, ids[:1])
    assert list(search.search(store, query("engine"))) == [ids[2]]


def test_indexing_goes_in_steps_headers_first_then_bodies(store):
    session(store, [new(n, size=100) for n in range(1, 8)])
    assert list(search.search(store, query("part"))) == []
    page = indexing_queue.pending(store, 3)
    assert [message_id for message_id, _, _ in page] == list(ids_in(store))[:3]
    indexing_queue.store_indexed(
        store, [(one, derived.from_raw(raw, complete=complete)) for one, raw, complete in page]
    )
    assert len(search.search(store, query("part"))) == 3
    index_all(store)
    assert indexing_queue.pending(store) == []
    assert len(search.search(store, query("part"))) == 7
    assert indexing_queue.coverage(store, "work") == Coverage(0, 7)
    ids = ids_in(store)
    messages.add_raws(store, [(ids[0], whole(7))])
    index_all(store)
    assert list(search.search(store, query("weaves"))) == [ids[0]]
    assert messages.row(store, ids[0]).snippet == "The engine weaves."
    assert indexing_queue.coverage(store, "work") == Coverage(1, 7)


def test_a_page_to_index_holds_at_most_a_hundred(store):
    session(store, [new(n) for n in range(1, 103)])
    assert len(indexing_queue.pending(store)) == 100


def test_coverage_tells_bodies_that_wait_from_those_that_are_indexed(store):
    session(store, [new(n) for n in range(1, 6)])
    ids = ids_in(store)
    messages.add_raws(store, [(ids[0], whole(5)), (ids[1], whole(4))])
    assert indexing_queue.coverage(store) == Coverage(0, 5, waiting=5)
    index_all(store)
    messages.add_raws(store, [(ids[2], whole(3))])
    assert indexing_queue.coverage(store) == indexing_queue.coverage(store, "work") == Coverage(2, 5)
    assert indexing_queue.coverage(store, "home") == Coverage(0, 0)
    move(store, ids[1:2], "Spam")
    move(store, ids[4:], "Trash")
    assert (
        indexing_queue.coverage(store, discarded=False)
        == indexing_queue.coverage(store, "work", discarded=False)
        == Coverage(1, 3)
    )


def test_messages_are_told_apart_by_a_query(store, ids):
    assert search.matching(store, query("engine"), ids[:2]) == set(ids[:1])
    assert search.matching(store, query("-engine"), ids) == set(ids[1:2])
    assert search.matching(store, query(""), ids[:2]) == set(ids[:2])


def test_a_page_to_index_holds_few_bytes(store):
    session(store, [new(n) for n in range(1, 4)])
    ids = ids_in(store)
    messages.add_raws(store, [(one, whole(n, "x" * 9_000_000)) for one, n in zip(ids, (3, 2, 1), strict=True)])
    assert [message_id for message_id, _, _ in indexing_queue.pending(store)] == [ids[0]]


def test_a_message_that_was_downloaded_or_erased_meanwhile_is_not_indexed_by_its_header(store):
    session(store, [new(1), new(2)])
    page = indexing_queue.pending(store)
    ids = ids_in(store)
    download(store, ids[0], whole(2))
    erase(store, ids[1:])
    indexing_queue.store_indexed(
        store, [(one, derived.from_raw(raw, complete=complete)) for one, raw, complete in page]
    )
    assert list(search.search(store, query("weaves"))) == [ids[0]]
    assert store.read("SELECT count(message) FROM search_doc") == [(1,)]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=40),
        st.text(alphabet="\"*:()-+^{}, \x00\\abfromtoANDORNEAR'", max_size=40),
        st.text(alphabet=st.characters(), max_size=20),
    )
)
def test_nothing_one_can_type_is_an_error(store, text):
    add_local(store, "Inbox", whole(1), received=NOW)
    assert len(search.search(store, query(text), limit=1)) <= 1


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b", "\ud800", '"' * 5000, "x " * 5000, "from:" * 3000, "*", '"*"', "a" * 10**6]
)
def test_nor_is_anything_endless_or_broken(store, text):
    add_local(store, "Inbox", whole(1), received=NOW)
    search.search(store, query(text))


# -- rebuild


def _lived_in(store: Store) -> None:
    """A store with headers, bodies, Sent copies and odd mail."""
    session(store, [new(n) for n in range(1, 30)])
    ids = ids_in(store)
    for id_, n in zip(ids[:10], range(29, 19, -1), strict=True):
        download(store, id_, whole(n))
    odd = [b"", b"\r\n", b"From:\r\n\r\nx", b"\xff\xfe\x00", b"Date: Mon, 2 Mar 2099 09:00:00 +0000\r\n\r\n"]
    for raw in [whole(50), *odd]:
        add_local(store, "Inbox", raw, received=NOW)
    add_local(store, "Sent", whole(51), received=NOW)
    mark(store, ids[:5], StepKind.READ)
    mark(store, ids[:5], StepKind.STAR)
    move(store, ids[5:8], "Archive")
    trash(store, ids[8:9], NOW)
    index_all(store)


def test_rebuilding_changes_nothing_that_was_right(store):
    _lived_in(store)
    before = picture(store)
    said: list[tuple[str, int, int]] = []
    assert rebuild.rebuild(store, lambda what, done, total: said.append((what, done, total))) == 36
    assert picture(store) == before
    assert ("messages", 36, 36) in said
    what, done, total = said[-1]
    assert (what, done) == ("conversations", total)


def test_rebuilding_makes_everything_derived_again_byte_for_byte(store):
    _lived_in(store)
    before = picture(store)
    with store.transaction() as db:
        db.execute(
            "UPDATE message SET sort_date = 0, sender = 'x', recipients = 'x', subject = 'x', message_id = 'x',"
            " in_reply_to = 'x', refs = 'x', attachments = 99, snippet = 'x', indexed = 2"
        )
        db.execute("DELETE FROM contact")
        db.execute("INSERT INTO search (rowid, body) SELECT doc, 'wrong' FROM search_doc")
    assert picture(store) != before
    rebuild.rebuild(store)
    assert picture(store) == before
    assert list(search.search(store, query("wrong"))) == []


def test_rebuilding_an_empty_store_is_nothing(store):
    assert rebuild.rebuild(store) == 0


def test_rebuilding_ends_where_bytes_are_missing(store):
    session(store, [new(1), new(2)])
    store.db.execute("DELETE FROM raw WHERE id = 2")
    steps = []
    assert rebuild.rebuild(store, lambda what, done, total: steps.append((what, done, total))) == 2
    assert steps == [("messages", 1, 2), ("conversations", 2, 2)]


@pytest.mark.parametrize("core", ["a", "is:unread", "a is:unread", "-a"])
@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("-(", ")"),
        ("-(a OR ", ")"),
        ("-(is:unread ", ")"),
        ("-(b OR a c ", ")"),
        ("-(a is:unread OR -b -(", ") in:x)"),
        ("from:(a OR -(", "))"),
    ],
)
def test_a_query_may_be_nested_as_deep_as_it_can_be_read(store, opened, closed, core):
    for depth in range(1, 31):
        wanted = query(opened * depth + core + closed * depth)
        search.search(store, wanted, account="work", discarded=False)
        search.matching(store, wanted, [1])
