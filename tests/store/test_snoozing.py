"""Snoozed messages and reminders: left out of their list, back at their time, each step taken back."""

from __future__ import annotations

import pytest

from termmail.mail.model import Count, Order, Placement, Returned, Role, StepKind
from termmail.mail.views import Ready
from termmail.store import changes, folders, marked_ids, messages, snoozing
from termmail.store.store import Store
from tests.store.parts import NOW, add_local, folder, ids_in, move, new, seen, session, undo, whole

LATER = NOW + 3600


@pytest.fixture
def ids(store):
    """Three messages, newest first."""
    session(store, [new(1), new(2), new(3)])
    return list(ids_in(store))


def snooze(store, message_ids, until=LATER):
    return snoozing.snooze(store, seen(store, message_ids), until, "later", NOW)


def inbox_ids(store, order=Order.NEWEST):
    return list(messages.ids(store, [folder(store, "Inbox").folder_id], order=order))


def snoozed(store):
    return list(marked_ids.ready_ids(store, Ready.SNOOZED))


def test_a_snoozed_message_is_in_no_list_but_that_of_the_snoozed_ones(store, ids):
    done = snooze(store, ids[1:2])
    assert (done.step.kind, done.message_ids) == (StepKind.SNOOZE, (ids[1],))
    assert inbox_ids(store) == [ids[0], ids[2]]
    assert inbox_ids(store, Order.SENDER) == [ids[0], ids[2]]
    assert list(messages.ids(store, [folder(store, "Inbox").folder_id], 1)) == [ids[0]]
    assert snoozed(store) == [ids[1]]
    assert messages.row(store, ids[1]).snoozed_until == LATER


def test_a_snoozed_message_does_not_count_in_its_folder(store, ids):
    inbox = folder(store, "Inbox").folder_id
    snooze(store, ids[:1])
    assert folders.counts(store)[inbox] == Count(2, 2)
    snooze(store, ids)
    assert inbox not in folders.counts(store)


def test_undo_of_a_snooze_brings_it_back_also_after_a_restart(path):
    with Store.open(path) as store:
        session(store, [new(1), new(2)])
        ids = list(ids_in(store))
        snooze(store, ids[:1])
        snooze(store, ids[:1], LATER + 60)
    with Store.open(path) as store:
        undo(store)
        assert messages.row(store, ids[0]).snoozed_until == LATER
        assert undo(store).message_ids == (ids[0],)
        assert inbox_ids(store) == ids


def test_at_its_time_a_message_is_on_top_unread_as_it_was(store, ids):
    snooze(store, ids[2:])
    assert snoozing.bring_back(store, LATER - 1) == []
    assert snoozing.next_due(store) == LATER
    assert snoozing.bring_back(store, LATER) == [ids[2]]
    assert inbox_ids(store) == [ids[2], ids[0], ids[1]]
    row = messages.row(store, ids[2])
    assert (row.unread, row.returned, row.snoozed_until) == (True, Returned.SNOOZE, 0)
    assert snoozing.bring_back(store, LATER) == []
    assert undo(store) is None  # it is back: nothing is left to take back


def test_what_came_back_stays_on_top_when_it_is_read_and_not_when_it_was_moved(store, ids):
    snooze(store, ids[2:])
    snoozing.bring_back(store, LATER)
    with store.transaction() as db:
        db.execute("UPDATE message SET unread = 0 WHERE id = ?", (ids[2],))
    assert inbox_ids(store)[0] == ids[2]
    move(store, ids[2:], "Archive")
    assert messages.row(store, ids[2]).returned is None


def test_a_message_of_the_archive_comes_back_to_the_inbox(store, ids):
    archive = folder(store, "Archive").folder_id
    move(store, ids[:1], "Archive")
    snooze(store, ids[:1])
    assert list(messages.ids(store, [archive])) == []
    snoozing.bring_back(store, LATER)
    assert messages.row(store, ids[0]).role is Role.INBOX
    assert list(messages.ids(store, [archive])) == []


def test_moving_a_snoozed_message_away_and_undo_keep_it_snoozed(store, ids):
    snooze(store, ids[:1])
    move(store, ids[:1], "Archive")
    assert snoozed(store) == []
    undo(store)
    assert snoozed(store) == ids[:1]


def test_a_snoozed_message_that_the_user_moves_into_the_folder_is_there(store, ids):
    snooze(store, ids[:1])
    move(store, ids[:1], "Archive")
    move(store, ids[:1], "Inbox")
    assert ids[0] in inbox_ids(store)


def test_a_message_that_moved_meanwhile_is_not_snoozed(store, ids):
    placements = seen(store, ids[:1])
    move(store, ids[:1], "Archive")
    done = snoozing.snooze(store, placements, LATER, "later", NOW)
    assert (done.step, done.skipped) == (None, (ids[0],))


def test_a_snooze_ends_before_its_time_and_that_is_taken_back_too(store, ids):
    snooze(store, ids[:1])
    done = snoozing.snooze(store, seen(store, ids[:1]), None, "", NOW)
    assert done.step.kind is StepKind.UNSNOOZE
    assert inbox_ids(store) == ids
    undo(store)
    assert snoozed(store) == ids[:1]


# -- in two folders


def copy(store, message_ids, name):
    return changes.copy(store, seen(store, message_ids), folder(store, name).folder_id, NOW)


def snooze_in(store, message_id, name, until):
    place = Placement(message_id, folder(store, name).folder_id)
    return snoozing.snooze(store, [place], until, "later", NOW)


def test_a_message_in_two_folders_is_snoozed_in_each_to_its_own_time(store, ids):
    copy(store, ids[:1], "Lists")
    lists = folder(store, "Lists").folder_id
    snooze_in(store, ids[0], "Inbox", LATER + 60)
    snooze_in(store, ids[0], "Lists", LATER)
    assert inbox_ids(store) == ids[1:]
    assert list(messages.ids(store, [lists])) == []
    assert snoozed(store) == ids[:1]
    assert marked_ids.snoozed_folders(store) == {ids[0]: lists}
    assert [row.snoozed_until for row in messages.rows(store, ids[:1], [lists])] == [LATER]
    assert snoozing.bring_back(store, LATER) == ids[:1]
    assert list(messages.ids(store, [lists])) == ids[:1]
    assert inbox_ids(store) == ids[1:]
    (row,) = messages.rows(store, ids[:1], [lists])
    assert (row.returned, row.snoozed_until) == (Returned.SNOOZE, 0)
    assert snoozed(store) == ids[:1]
    assert snoozing.bring_back(store, LATER + 60) == ids[:1]
    assert inbox_ids(store) == ids
    assert messages.row(store, ids[0]).returned is Returned.SNOOZE


def test_undo_of_a_snooze_in_one_folder_keeps_that_in_the_other_also_after_a_kill(path):
    with Store.open(path) as store:
        session(store, [new(1), new(2)])
        ids = list(ids_in(store))
        copy(store, ids[:1], "Lists")
        snooze_in(store, ids[0], "Inbox", LATER)
        snooze_in(store, ids[0], "Lists", LATER + 60)
    with Store.open(path) as store:
        assert undo(store).message_ids == (ids[0],)
        assert inbox_ids(store) == ids[1:]
        assert list(ids_in(store, "Lists")) == ids[:1]
        undo(store)
        assert inbox_ids(store) == ids


def test_a_message_seen_in_two_folders_counts_once(store, ids):
    copy(store, ids[:1], "Lists")
    both = [Placement(ids[0], folder(store, name).folder_id) for name in ("Inbox", "Lists")]
    done = snoozing.snooze(store, both, LATER, "later", NOW)
    assert (done.step.count, done.message_ids) == (1, (ids[0],))
    assert len(undo(store).message_ids) == 1


def test_what_comes_back_to_the_inbox_ends_a_longer_snooze_there(store, ids):
    copy(store, ids[:1], "Archive")
    snooze_in(store, ids[0], "Inbox", LATER + 60)
    snooze_in(store, ids[0], "Archive", LATER)
    snoozing.bring_back(store, LATER)
    assert inbox_ids(store) == ids
    assert snoozing.next_due(store) is None


# -- reminders


@pytest.fixture
def sent(store):
    """A message that was sent."""
    return add_local(store, "Sent", whole(90))


def remind(store, message_id, until=LATER):
    return snoozing.remind(store, [message_id], until, "later", NOW)


def test_what_nobody_answers_comes_back_to_the_inbox(store, ids, sent):
    assert remind(store, sent).step.kind is StepKind.REMIND
    assert messages.row(store, sent).remind_at == LATER
    assert snoozing.bring_back(store, LATER) == [sent]
    assert inbox_ids(store)[0] == sent
    assert messages.row(store, sent).returned is Returned.REMINDER


def test_an_answer_calls_a_reminder_off(store, ids, sent):
    remind(store, sent)
    answer = add_local(store, "Inbox", b"In-Reply-To: <m90@example.org>\r\nFrom: x@example.com\r\n\r\nYes.\r\n")
    with store.transaction() as db:
        snoozing.call_off_answered(db, [ids[0]])
        assert snoozing.next_due(store) == LATER
        snoozing.call_off_answered(db, [answer])
    assert snoozing.next_due(store) is None
    assert snoozing.bring_back(store, LATER) == []


@pytest.mark.parametrize("name", ["Trash", "Spam"])
def test_a_message_that_was_discarded_is_not_brought_back_by_its_reminder(store, ids, name):
    remind(store, ids[0])
    move(store, ids[:1], name)
    assert snoozing.bring_back(store, LATER) == []
    assert list(ids_in(store, name)) == ids[:1]
    assert inbox_ids(store) == ids[1:]
    assert snoozing.next_due(store) is None


def test_a_reminder_is_taken_back(store, sent):
    remind(store, sent)
    remind(store, sent, None)
    undo(store)
    assert messages.row(store, sent).remind_at == LATER
    undo(store)
    assert messages.row(store, sent).remind_at == 0
