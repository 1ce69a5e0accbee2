"""Search, its index, and making everything derived again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from termmail.store import messages, pop3_identity, rebuild, search
from termmail.store.rows import New
from tests.store.parts import NOW, download, header, new, picture, session, whole

if TYPE_CHECKING:
    from termmail.store.store import Store


def _all_indexed(store: Store) -> None:
    while search.index_pending(store):
        pass


@pytest.fixture
def ids(store):
    """Newest first: "Café au lait", "Ärger im Büro", "Plain words", each with a body."""
    subjects = {1: "Plain words", 2: "=?utf-8?q?=C3=84rger_im_B=C3=BCro?=", 3: "=?utf-8?q?Caf=C3=A9_au_lait?="}
    news = [New(b"u%d" % n, n, 10, header(n, subject)) for n, subject in subjects.items()]
    pop3_identity.arrive(store, "work", news, received=NOW, listed=[])
    found = list(messages.ids(store, "work", "Inbox"))
    bodies = {3: "The engine weaves patterns", 2: "Nothing at all weaves here", 1: "Only\r\nthe engine"}
    for id_, n in zip(found, (3, 2, 1), strict=True):
        download(store, id_, whole(n, bodies[n], subjects[n]))
    _all_indexed(store)
    return found


@pytest.mark.parametrize(
    ("query", "places"),
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
        ('"the engine', [0, 2]),
    ],
)
def test_queries_find_what_they_say(store, ids, query, places):
    assert list(search.search(store, query)) == [ids[place] for place in places]


def test_a_search_may_be_of_one_account_and_of_so_many(store, ids):
    assert list(search.search(store, "engine", account="home")) == []
    assert list(search.search(store, "engine", account="work", limit=1)) == ids[:1]


def test_a_search_may_leave_out_what_was_thrown_away(store, ids):
    messages.move(store, ids[:1], "Spam")
    pop3_identity.trash(store, ids[1:2], None)
    assert list(search.search(store, "lovelace")) == ids
    assert list(search.search(store, "lovelace", kept_only=True)) == ids[2:]
    assert search.coverage(store, "", kept_only=True) == (1, 1)


def test_erased_messages_are_not_found(store, ids):
    messages.erase(store, ids[:1])
    assert list(search.search(store, "engine")) == [ids[2]]


def test_indexing_goes_in_steps_headers_first_then_bodies(store):
    session(store, [new(n, size=100) for n in range(1, 8)])
    assert list(search.search(store, "part")) == []
    assert search.index_pending(store, 3) == 4
    assert search.index_pending(store, 10) == 0
    assert len(search.search(store, "part")) == 7
    assert search.coverage(store, "work") == (0, 7)
    ids = messages.ids(store, "work", "Inbox")
    messages.add_raws(store, [(ids[0], whole(7))])
    assert search.index_pending(store) == 0
    assert list(search.search(store, "weaves")) == [ids[0]]
    assert messages.row(store, ids[0]).snippet == "The engine weaves."
    assert search.coverage(store, "work") == (1, 7)


def test_indexing_gives_the_store_back_when_its_time_is_up(store):
    session(store, [new(n) for n in range(1, 8)])
    assert search.index_pending(store, 100, seconds=0) == 6


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=40),
        st.text(alphabet="\"*:()-+^{}, \x00\\abfromtoANDORNEAR'", max_size=40),
        st.text(alphabet=st.characters(), max_size=20),
    )
)
def test_nothing_one_can_type_is_an_error(store, query):
    messages.add_local(store, "work", "Inbox", whole(1), received=NOW)
    assert len(search.search(store, query, limit=1)) <= 1


@pytest.mark.parametrize(
    "query", ["\x00", "a\x00b", "\ud800", '"' * 5000, "x " * 5000, "from:" * 3000, "*", '"*"', "a" * 10**6]
)
def test_nor_is_anything_endless_or_broken(store, query):
    messages.add_local(store, "work", "Inbox", whole(1), received=NOW)
    search.search(store, query)


# -- rebuild


def _lived_in(store: Store) -> None:
    """A store with headers, bodies, Sent copies and odd mail."""
    session(store, [new(n) for n in range(1, 30)])
    ids = messages.ids(store, "work", "Inbox")
    for id_, n in zip(ids[:10], range(29, 19, -1), strict=True):
        download(store, id_, whole(n))
    odd = [b"", b"\r\n", b"From:\r\n\r\nx", b"\xff\xfe\x00", b"Date: Mon, 2 Mar 2099 09:00:00 +0000\r\n\r\n"]
    for raw in [whole(50), *odd]:
        messages.add_local(store, "work", "Inbox", raw, received=NOW)
    messages.add_local(store, "work", "Sent", whole(51), received=NOW)
    messages.set_flags(store, ids[:5], unread=False, starred=True)
    messages.move(store, ids[5:8], "Archive")
    pop3_identity.trash(store, ids[8:9], NOW)
    _all_indexed(store)


def test_rebuilding_changes_nothing_that_was_right(store):
    _lived_in(store)
    before = picture(store)
    said: list[tuple[int, int]] = []
    assert rebuild.rebuild(store, lambda done, total: said.append((done, total))) == 36
    assert picture(store) == before
    assert said[-1] == (36, 36)


def test_rebuilding_makes_everything_derived_again_byte_for_byte(store):
    _lived_in(store)
    before = picture(store)
    with store.transaction() as db:
        db.execute(
            "UPDATE message SET sort_date = 0, sender = 'x', recipients = 'x', subject = 'x', message_id = 'x',"
            " in_reply_to = 'x', refs = 'x', attachments = 99, snippet = 'x', indexed = 2"
        )
        db.execute("DELETE FROM contact")
        db.execute("UPDATE search SET body = 'wrong', subject = 'wrong'")
    assert picture(store) != before
    rebuild.rebuild(store)
    assert picture(store) == before
    assert list(search.search(store, "wrong")) == []


def test_rebuilding_an_empty_store_is_nothing(store):
    assert rebuild.rebuild(store) == 0
