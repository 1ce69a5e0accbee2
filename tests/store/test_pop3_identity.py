"""Every way a message on a server can go, and how it is told from others."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from termmail.accounts.config import EVER
from termmail.mail import parse
from termmail.store import messages, pop3_identity
from termmail.store.comparison import Comparison
from termmail.store.rows import New, Plan
from termmail.store.store import Store
from tests.store.parts import (
    NOW,
    ListedUidls,
    download,
    erase,
    header,
    ids_in,
    inbox,
    known,
    move,
    new,
    reconcile,
    session,
    states,
    trash,
    whole,
)

LISTED = [(1, 1000, b"u1")]
MISSING: list[tuple[int, int, bytes]] = []


def _stand(store: Store, state: str, due_at: int | None) -> None:
    """Bring the one message there is into a state, whatever the way."""
    with store.transaction() as db:
        db.execute("UPDATE remote SET state = ?, due_at = ?", (state, due_at))


@pytest.mark.parametrize(
    ("state", "due_at", "listed", "then"),
    [
        ("kept", None, LISTED, "kept"),
        ("kept", None, MISSING, "absent"),
        ("trashed", NOW, LISTED, "trashed"),
        ("trashed", NOW, MISSING, "absent"),
        ("trashed", None, MISSING, "absent"),
        ("due", NOW, LISTED, "due"),
        ("due", NOW, MISSING, "gone"),
        ("sent", NOW, LISTED, "due"),
        ("sent", NOW, MISSING, "gone"),
        ("gone", NOW, LISTED, "due"),
        ("gone", NOW, MISSING, "gone"),
        ("absent", None, LISTED, "kept"),
        ("absent", NOW, LISTED, "trashed"),
        ("absent", None, MISSING, "absent"),
        ("skipped", None, LISTED, "skipped"),
        ("skipped", None, MISSING, "absent"),
    ],
)
def test_what_a_listing_makes_of_each_state(store, state, due_at, listed, then):
    session(store, [new(1)])
    _stand(store, state, due_at)
    plan = reconcile(store, listed)
    assert states(store) == [then]
    assert plan.new == plan.unnamed == []
    assert plan.again == (state in {"sent", "gone"} and listed == LISTED)
    assert plan.missing == (then == "absent" and state != "absent")
    assert inbox(store) == ["Engine part 1"], "the local copy stays, whatever a server says"


@pytest.mark.parametrize("state", ["kept", "trashed", "due", "skipped", "absent"])
def test_a_header_seen_again_is_no_second_message(store, state):
    session(store, [new(1)])
    _stand(store, state, None)
    arrived = pop3_identity.arrive(store, "work", [new(1)], received=NOW, listed=[b"u1"])
    assert (arrived.ids, arrived.rebound) == ([], 0)
    assert inbox(store) == ["Engine part 1"]


@pytest.mark.parametrize("state", ["sent", "gone"])
def test_a_deleted_message_that_comes_back_is_deleted_again_and_never_shown_as_new(store, state):
    session(store, [new(1)])
    erase(store, ids_in(store))
    _stand(store, state, None)
    arrived = pop3_identity.arrive(store, "work", [new(1)], received=NOW, listed=[b"u1"])
    assert arrived.ids == []
    assert states(store) == ["due"]
    assert [known.message for known in pop3_identity.due(store, "work", NOW)] == [None]


def test_newest_first_and_the_later_number_wins_where_dates_are_equal(store):
    same = [New(b"a", 1, 10, header(1)), New(b"b", 2, 10, header(1) + b"X-Other: 1\r\n")]
    arrived = pop3_identity.arrive(store, "work", same[::-1], received=NOW, listed=[b"a", b"b"])
    assert arrived.ids == list(ids_in(store))
    assert [row.uidl for row in messages.rows(store, arrived.ids)] == [b"b", b"a"]


def test_a_date_in_the_future_or_without_sense_sorts_by_arrival(store):
    for n, date in enumerate([b"Mon, 2 Mar 2099 09:00:00 +0000", b"yesterday", b"Fri, 99 Foo 99999 99:99:99 +9999"]):
        block = b"From: x@example.org\r\nSubject: %d\r\nDate: %s\r\n" % (n, date)
        pop3_identity.arrive(store, "work", [New(b"%d" % n, n + 1, 10, block)], received=NOW, listed=[])
    assert [row.date for row in messages.rows(store, ids_in(store))] == [NOW] * 3


# -- identity


def test_changed_uidls_with_matching_witnesses_are_bound_again_not_downloaded_again(store):
    session(store, [new(n) for n in range(1, 21)])
    before = ids_in(store)
    download(store, before[0], whole(20))
    renamed = [new(n, b"other-%d" % n) for n in range(1, 21)]
    arrived = session(store, renamed)
    assert (arrived.ids, arrived.rebound) == ([], 20)
    assert ids_in(store) == before
    assert set(states(store)) == {"kept"}
    assert pop3_identity.by_message(store, before[0]).uidl == b"other-20"
    assert messages.raw(store, before[0]) == (whole(20), True)
    assert reconcile(store, [(n, 1000, b"other-%d" % n) for n in range(1, 21)]) == Plan([], [])


def test_a_renamed_message_that_was_deleted_stays_deleted(store):
    session(store, [new(1)])
    erase(store, ids_in(store))
    pop3_identity.set_state(store, [1], "sent")
    arrived = session(store, [new(1, b"other")])
    assert (arrived.ids, arrived.rebound) == ([], 1)
    assert [(one.uidl, one.state) for one in known(store, "work")] == [(b"other", "due")]
    assert inbox(store) == []


def test_another_size_is_another_message_for_the_header_alone_is_no_proof(store):
    session(store, [new(1)])
    arrived = session(store, [new(1, b"other", size=5000)])
    assert len(arrived.ids) == 1
    assert states(store) == ["absent", "kept"]


def test_a_copy_under_another_uidl_is_a_message_of_its_own(store):
    session(store, [new(1)])
    arrived = session(store, [new(1), new(1, b"copy", number=2)])
    assert (len(arrived.ids), arrived.rebound) == (1, 0)
    assert states(store) == ["kept", "kept"]


@pytest.mark.parametrize("size", [1000, 2000])
def test_a_reused_uidl_with_other_content_is_a_new_message_and_the_old_one_stays(store, size):
    session(store, [new(1)])
    again = New(b"u1", 1, size, header(2))
    reconcile(store, [(1, size, b"u1")])
    arrived = pop3_identity.arrive(store, "work", [again], received=NOW, listed=[b"u1"])
    assert len(arrived.ids) == 1
    assert states(store) == ["absent", "kept"]
    assert inbox(store) == ["Engine part 1", "Engine part 2"]
    assert reconcile(store, [(1, size, b"u1")]) == Plan([], [])
    assert states(store) == ["absent", "kept"]


def test_a_reused_uidl_never_makes_a_delete_hit_the_new_message(store):
    session(store, [new(1)])
    (old,) = ids_in(store)
    download(store, old, whole(1))
    trash(store, [old], NOW)
    session(store, [New(b"u1", 1, 2000, header(2))])
    assert pop3_identity.due(store, "work", NOW + 100) == []
    assert inbox(store) == ["Engine part 2"]


@pytest.mark.parametrize(("state", "then"), [("gone", "gone"), ("skipped", "absent")])
def test_a_message_under_the_uidl_of_one_that_was_deleted_or_not_fetched_is_new(store, state, then):
    session(store, [new(1)])
    if state == "gone":
        erase(store, ids_in(store))
    before = inbox(store)
    _stand(store, state, None)
    session(store, [])
    session(store, [New(b"u1", 1, 2000, header(2))])
    assert inbox(store) == [*before, "Engine part 2"]
    assert states(store) == [then, "kept"]
    assert pop3_identity.due(store, "work", NOW) == []


def test_a_size_that_wavers_is_still_the_same_message(store):
    session(store, [new(1)])
    arrived = session(store, [new(1, size=1017)])
    assert arrived.ids == []
    assert [(one.state, one.size) for one in known(store, "work")] == [("kept", 1017)]


def test_doubled_uidls_are_told_apart_by_their_headers(store):
    doubled = [new(1, b"same"), new(2, b"same", nth=1), new(3, b"same", nth=2), new(4)]
    assert len(session(store, doubled).ids) == 4
    for _ in range(3):
        assert session(store, doubled).ids == []
    assert states(store) == ["kept"] * 4
    # The first is deleted elsewhere: the others move up, and none is taken for another.
    rest = [new(2, b"same", number=1), new(3, b"same", number=2, nth=1), new(4, number=3)]
    assert session(store, rest).ids == []
    assert states(store) == ["absent", "kept", "kept", "kept"]
    assert [one.number for one in known(store, "work")] == [0, 1, 2, 3]
    # Then only one is left, and the UIDL names it alone.
    assert session(store, [new(3, b"same", number=1)]).ids == []
    assert states(store) == ["absent", "absent", "kept", "absent"]


def test_blank_uidls_are_told_apart_by_their_headers(store):
    blank = [new(n, b"") for n in range(1, 6)]
    assert len(session(store, blank).ids) == 5
    assert session(store, blank).ids == []
    rest = [new(n, b"", number=place) for place, n in enumerate((1, 3, 5), 1)]
    assert session(store, rest).ids == []
    assert states(store) == ["kept", "absent", "kept", "absent", "kept"]
    assert len(session(store, [*rest, new(6, b"", number=4)]).ids) == 1


def test_equal_messages_without_uidls_are_as_many_as_the_server_lists(store):
    twins = [New(b"", 1, 1000, header(1)), New(b"", 2, 1000, header(1))]
    assert len(session(store, twins).ids) == 2
    assert session(store, twins).ids == []
    assert session(store, twins[:1]).ids == []
    assert sorted(states(store)) == ["absent", "kept"]
    assert session(store, twins).ids == []
    assert states(store) == ["kept", "kept"]


def test_a_server_that_learns_uidl_or_forgets_it_shows_nothing_twice(store):
    blank = [new(n, b"") for n in range(1, 4)]
    named = [new(n) for n in range(1, 4)]
    session(store, blank)
    assert (session(store, named).rebound, session(store, blank).rebound) == (3, 3)
    assert len(inbox(store)) == 3


def test_a_uidl_of_5_kb_with_nul_and_escape_is_only_bytes(store):
    odd = b"../\x00\x1b[2J'; DROP TABLE remote; --\xff" + b"x" * 5000
    session(store, [new(1, odd)])
    assert session(store, [new(1, odd)]).ids == []
    assert known(store, "work")[0].uidl == odd
    assert messages.rows(store, ids_in(store))[0].uidl == odd
    other = odd + b"y"
    assert len(session(store, [new(1, odd), new(2, other)]).ids) == 1


def test_absent_keeps_the_local_copy_and_its_place(store):
    session(store, [new(1), new(2)])
    ids = ids_in(store)
    download(store, ids[1], whole(1))
    move(store, ids, "Archive")
    session(store, [])
    assert ids_in(store, "Archive") == ids
    assert messages.raw(store, ids[1]) == (whole(1), True)
    assert [row.state for row in messages.rows(store, ids)] == ["absent", "absent"]
    assert session(store, [new(1), new(2)]).ids == []
    assert states(store) == ["kept", "kept"]


def test_numbers_are_hints_of_the_last_listing(store):
    session(store, [new(n) for n in range(1, 5)])
    session(store, [new(2, number=1), new(4, number=2)])
    assert [one.number for one in known(store, "work")] == [0, 1, 0, 2]


def test_a_header_that_could_not_be_read_is_asked_for_again(store):
    listed = [(1, 1000, b"u1"), (2, 1000, b"u2")]
    plan = reconcile(store, listed)
    pop3_identity.arrive(store, "work", [new(1)], received=NOW, listed=[b"u1", b"u2"])
    assert plan.new == [0, 1]
    assert reconcile(store, listed).new == [1]


def test_what_was_skipped_is_not_asked_for_again_until_it_is_gone(store):
    pop3_identity.skip(store, "work", b"big", 1, 10**9, None, "This message is larger than termmail takes.")
    assert reconcile(store, [(1, 10**9, b"big")]) == Plan([], [])
    assert pop3_identity.to_download(store, "work", EVER) == []
    assert reconcile(store, []).missing == 0
    assert known(store, "work") == []


def test_a_skipped_message_says_why_and_is_kept_once_it_was_fetched(store):
    session(store, [new(1)])
    pop3_identity.skip(store, "work", b"u1", 1, 1000, None, "It is too large.")
    (id_,) = ids_in(store)
    row = messages.row(store, id_)
    assert (row.state, row.note) == ("skipped", "It is too large.")
    assert pop3_identity.to_download(store, "work", EVER) == []
    download(store, id_, whole(1))
    row = messages.row(store, id_)
    assert (row.state, row.note) == ("kept", "")


def test_the_header_of_a_skipped_message_makes_it_a_message(store):
    pop3_identity.skip(store, "work", b"u1", 1, 1000, None, "It is too large.")
    arrived = pop3_identity.arrive(store, "work", [new(1)], received=NOW, listed=[b"u1"])
    assert inbox(store) == ["Engine part 1"]
    assert [one.message for one in known(store, "work")] == arrived.ids


def test_accounts_do_not_see_each_other(store):
    pop3_identity.arrive(store, "work", [new(1)], received=NOW, listed=[b"u1"])
    pop3_identity.arrive(store, "home", [new(1)], received=NOW, listed=[b"u1"])
    reconcile(store, [], "home")
    assert [one.state for one in known(store, "home")] == ["absent"]
    assert states(store) == ["kept"]
    assert len(ids_in(store, account="home")) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 5), st.sampled_from([b"", b"a", b"b", b"c", b"d"])), max_size=6), max_size=5
    )
)
def test_whatever_a_server_lists_each_session_ends_with_exactly_that_on_it(tmp_path_factory, listings):
    with Store.open(tmp_path_factory.mktemp("any") / "mail.db") as store:
        for listing in listings:
            seen: dict[bytes, int] = {}
            news = []
            for number, (n, uidl) in enumerate(listing, 1):
                news.append(new(n, uidl, number=number, nth=seen.get(uidl, 0)))
                seen[uidl] = seen.get(uidl, 0) + 1
            session(store, news)
            here = [one for one in known(store, "work") if one.state == "kept"]
            # A lone UIDL is believed while its size agrees; that its header changed shows when the message is fetched.
            sure = [one for one in news if not one.uidl or seen[one.uidl] > 1]
            assert sorted(known.number for known in here) == [one.number for one in news]
            for one in sure:
                (kept,) = [kept for kept in here if kept.number == one.number]
                assert (kept.uidl, kept.fingerprint) == (one.uidl, parse.fingerprint(one.header))
            assert store.check() == []


def test_equal_messages_under_one_uidl_stay_two_in_whatever_order_they_come(store):
    first, second = (New(b"u", number, 10, header(1), nth=number) for number in (1, 2))
    for page in ([second], [first]):
        pop3_identity.arrive(store, "work", page, received=NOW, listed={b"u"})
    assert len(ids_in(store)) == 2


@pytest.mark.parametrize("steps", range(6))
def test_a_comparison_that_broke_off_between_two_steps_is_corrected_by_the_next(store, steps):
    session(store, [new(n) for n in range(1, 8)])
    listed = [(1, 1000, b"u2"), (2, 1000, b"u4"), (3, 1000, b"u6"), (4, 1000, b"u8")]
    broken = Comparison("work", ListedUidls(listed))
    for step in range(steps):
        if step < 2:
            broken.add(store, step * 2, listed[step * 2 : step * 2 + 2])
        else:
            broken.mark_missing(store, 2)
    session(store, [new(n, number=n) for n in range(1, 8)])
    assert [(one.number, one.state) for one in known(store, "work")] == [(n, "kept") for n in range(1, 8)]
    assert reconcile(store, listed) == Plan([3], [], missing=4)
