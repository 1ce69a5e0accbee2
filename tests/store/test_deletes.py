"""The way of a delete from the list to the server, and back."""

from __future__ import annotations

import pytest

from termmail.store import delete_queue, messages, pop3_identity
from termmail.store.rows import New
from tests.store.parts import (
    NOW,
    counted,
    download,
    erase,
    header,
    ids_in,
    known,
    move,
    new,
    session,
    states,
    trash,
    undo,
    whole,
)

DAY = 86_400


@pytest.fixture
def ids(store):
    """Three messages, bodies here, newest first."""
    session(store, [new(1), new(2), new(3)])
    found = list(ids_in(store))
    for id_, n in zip(found, (3, 2, 1), strict=True):
        download(store, id_, whole(n))
    return found


def test_a_delete_waits_until_it_is_due(store, ids):
    trash(store, ids[:1], NOW + 60)
    assert messages.row(store, ids[0]).folder == "Trash"
    assert pop3_identity.due(store, "work", NOW + 59) == []
    assert [known.message for known in pop3_identity.due(store, "work", NOW + 60)] == ids[:1]
    assert states(store) == ["kept", "kept", "due"]


def test_never_means_never(store, ids):
    trash(store, ids, None)
    assert pop3_identity.due(store, "work", NOW + 10**9) == []
    erase(store, ids)
    assert pop3_identity.due(store, "work", NOW + 10**9) == []
    assert session(store, [new(1), new(2), new(3)]).ids == [], "a tombstone keeps them from being shown as new"


def test_without_its_body_a_message_is_not_deleted_but_fetched_first(store):
    session(store, [new(1)])
    (id_,) = ids_in(store)
    trash(store, [id_], NOW)
    assert pop3_identity.due(store, "work", NOW) == []
    assert [known.message for known in pop3_identity.need_body(store, "work", NOW)] == [id_]
    download(store, id_, whole(1))
    assert pop3_identity.need_body(store, "work", NOW) == []
    assert [known.message for known in pop3_identity.due(store, "work", NOW)] == [id_]


def test_undo_in_time_calls_the_delete_off(store, ids):
    trash(store, ids, NOW + 60)
    assert set(undo(store).message_ids) == set(ids)
    assert pop3_identity.due(store, "work", NOW + 100) == []
    assert states(store) == ["kept"] * 3
    assert list(ids_in(store)) == ids


def test_undo_when_it_is_due_but_not_sent_is_still_in_time(store, ids):
    trash(store, ids, NOW)
    assert len(pop3_identity.due(store, "work", NOW)) == 3
    assert set(undo(store).message_ids) == set(ids)
    assert states(store) == ["kept"] * 3


def test_undo_too_late_gives_the_message_back_as_being_only_here(store, ids):
    trash(store, ids[:2], NOW)
    (one, other) = pop3_identity.due(store, "work", NOW)
    pop3_identity.set_state(store, [one.remote_id, other.remote_id], "sent")
    pop3_identity.set_state(store, [one.remote_id], "gone")
    assert set(undo(store).message_ids) == set(ids[:2])
    assert list(ids_in(store)) == ids
    assert [messages.row(store, id_).state for id_ in ids[:2]] == ["absent", "absent"]
    # Should the server have them still, they are wanted there.
    session(store, [new(1), new(2), new(3)])
    assert states(store) == ["kept"] * 3


def test_what_was_called_off_while_a_session_ran_is_not_marked_as_sent_or_due(store, ids):
    trash(store, ids[1:], NOW)
    trash(store, ids[:1], NOW)
    wanted = [known.remote_id for known in pop3_identity.due(store, "work", NOW)]
    undo(store)
    assert len(pop3_identity.set_state(store, wanted, "sent")) == 2
    assert len(pop3_identity.set_state(store, wanted, "due")) == 2
    assert messages.row(store, ids[0]).state == "kept"


def test_a_delete_that_was_put_off_waits(store, ids):
    trash(store, ids[:1], NOW)
    (known,) = pop3_identity.due(store, "work", NOW)
    pop3_identity.set_state(store, [known.remote_id], "due", due_at=NOW + 3600)
    assert pop3_identity.due(store, "work", NOW + 3599) == []
    assert delete_queue.next_due(store, "work", NOW) == NOW + 3600
    assert len(pop3_identity.due(store, "work", NOW + 3600)) == 1


def test_the_whole_way_to_gone_and_never_back_into_the_list(store, ids):
    trash(store, ids, NOW)
    wanted = [known.remote_id for known in pop3_identity.due(store, "work", NOW)]
    pop3_identity.set_state(store, wanted, "sent")
    assert pop3_identity.due(store, "work", NOW) == []
    pop3_identity.set_state(store, wanted, "gone")
    session(store, [])
    assert states(store) == ["gone"] * 3
    arrived = session(store, [new(1), new(2), new(3)])
    assert arrived.ids == []
    assert states(store) == ["due"] * 3


def test_erasing_makes_the_delete_due_at_once_with_no_need_of_a_body(store):
    session(store, [new(1), new(2)])
    ids = ids_in(store)
    trash(store, ids[:1], NOW + 60)
    erase(store, ids)
    assert [(known.message, known.state) for known in pop3_identity.due(store, "work", NOW)] == [(None, "due")] * 2
    assert pop3_identity.need_body(store, "work", NOW) == []
    assert messages.all_ids(store).tolist() == []
    assert store.read("SELECT * FROM raw") == store.read("SELECT doc FROM search_doc WHERE message IS NOT NULL") == []


@pytest.mark.parametrize("state", ["sent", "gone", "absent"])
def test_erasing_what_the_server_no_longer_has_deletes_nothing_there(store, ids, state):
    with store.transaction() as db:
        db.execute("UPDATE remote SET state = ?", (state,))
    erase(store, ids)
    assert states(store) == [state] * 3


def test_moving_out_of_trash_calls_the_delete_off(store, ids):
    trash(store, ids, NOW)
    assert move(store, ids[:1], "Archive").message_ids == (ids[0],)
    assert len(pop3_identity.due(store, "work", NOW)) == 2
    assert messages.row(store, ids[0]).state == "kept"


def test_trash_that_went_absent_is_due_when_it_comes_back(store, ids):
    trash(store, ids[:1], NOW)
    session(store, [new(1), new(2)])
    assert pop3_identity.due(store, "work", NOW) == []
    session(store, [new(1), new(2), new(3)])
    assert [known.message for known in pop3_identity.due(store, "work", NOW)] == ids[:1]


@pytest.mark.parametrize(
    ("rule", "after", "count"),
    [
        ("with-me", 10**6 * DAY, 0),
        ("never", 10**6 * DAY, 0),
        ("after 30 days", 30 * DAY - 1, 0),
        ("after 30 days", 30 * DAY, 3),
        ("after 1 day", DAY, 3),
        ("after 0 days", 0, 3),
        ("after-download", 0, 2),
        ("after -1 days", 10**6 * DAY, 0),
    ],
)
def test_the_rule_of_an_account_makes_due_what_it_no_longer_leaves(store, rule, after, count):
    session(store, [new(1), new(2), new(3)])
    ids = list(ids_in(store))
    for id_, n in zip(ids[:2], (3, 2), strict=True):
        download(store, id_, whole(n))
    assert pop3_identity.expire(store, "work", rule, NOW + after) == count
    assert states(store).count("due") == count
    assert list(ids_in(store)) == ids, "the local messages stay where they are"
    assert len(pop3_identity.due(store, "work", NOW + after)) == min(count, 2), "none without its body"


def test_states_are_told_for_one_account_alone(store, ids):
    assert pop3_identity.expire(store, "home", "after 0 days", NOW) == 0
    trash(store, ids, NOW)
    assert pop3_identity.due(store, "home", NOW) == []
    assert delete_queue.next_due(store, "home", NOW) is None


def test_leaving_makes_due_what_waits_for_its_minute_and_nothing_else(store, ids):
    trash(store, ids[:1], NOW + 60)
    trash(store, ids[1:2], None)
    assert delete_queue.make_due(store, "work", NOW) == 1
    assert [known.message for known in pop3_identity.due(store, "work", NOW)] == ids[:1]


def test_the_next_delete_is_told_and_a_time_of_a_clock_that_was_ahead_is_corrected(store, ids):
    assert delete_queue.next_due(store, "work", NOW) is None
    trash(store, ids[:1], NOW + 3600)
    trash(store, ids[1:2], NOW + 3601)
    assert delete_queue.next_due(store, "home", NOW) is None
    assert delete_queue.next_due(store, "work", NOW) == NOW + 3600
    assert delete_queue.next_due(store, "work", NOW - 1) == NOW - 1 + 60
    assert sorted(one.due_at for one in known(store, "work") if one.due_at) == [NOW + 59, NOW + 59]


def test_a_delete_that_is_never_due_gets_no_time_by_a_correction(store, ids):
    trash(store, ids[:1], None)
    trash(store, ids[1:2], NOW + 3601)
    trash(store, ids[2:], NOW + 9000)
    delete_queue.make_due(store, "work", NOW + 9000, only=ids[2:])
    assert delete_queue.next_due(store, "work", NOW) == NOW + 60
    assert [one.due_at for one in known(store, "work")] == [NOW + 60, NOW + 60, None]


def test_a_delete_is_held_back_where_the_server_sent_less_than_it_announced(store, ids):
    assert delete_queue.hold_back(store, "work") == 0
    remote_ids = [one.remote_id for one in known(store, "work")]
    short = len(whole(1)) + 2048
    with store.transaction() as db:
        db.executemany(
            "UPDATE remote SET size = ? WHERE id = ?", zip((short * 10 // 9 + 9, short, 10), remote_ids, strict=True)
        )
        db.execute("UPDATE remote SET state = 'due'")
    assert delete_queue.hold_back(store, "home") == 0
    assert delete_queue.hold_back(store, "work") == 1
    assert states(store) == ["kept", "due", "due"]
    assert "sent less" in messages.row(store, ids[2]).note
    assert pop3_identity.expire(store, "work", "after-download", NOW) == 0, "it stays held back"


def test_only_the_messages_that_are_named_are_made_due(store, ids):
    trash(store, ids[:2], NOW + 60)
    assert delete_queue.make_due(store, "work", NOW, only=ids[1:]) == 1
    assert states(store) == ["kept", "due", "trashed"]
    assert delete_queue.make_due(store, "work", NOW) == 2


def test_marking_a_delete_is_on_the_disk_before_it_returns(store, ids):
    said: list[str] = []
    store.db.set_trace_callback(said.append)
    pop3_identity.set_state(store, [1], "gone")
    store.db.set_trace_callback(None)
    full, begin, commit = (said.index(words) for words in ("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE", "COMMIT"))
    assert full < begin < commit
    assert said.index("PRAGMA synchronous = NORMAL") > commit


def test_messages_of_one_header_are_found_without_going_through_all_of_the_account(store):
    session(store, [*(New(f"u{n}".encode(), n, 1000, header(1)) for n in (1, 2)), *(new(n) for n in range(3, 1001))])
    twin, alone = (store.read_one("SELECT id, message FROM remote WHERE uidl = ?", (uidl,)) for uidl in (b"u1", b"u3"))
    with counted(store.db) as found:
        assert delete_queue.with_twins(store, [twin[0], alone[0]]) == dict([twin])
    assert found["steps"] < 1000
