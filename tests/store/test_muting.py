"""Muted conversations: archived now and when more of them arrives."""

from __future__ import annotations

import pytest

from termmail.mail.model import StepKind
from termmail.store import messages, muting
from termmail.store.rows import New
from tests.store.parts import NOW, header, ids_in, move, new, seen, session, undo


def answer(n: int, to: int) -> New:
    """A reply to message `to`, just listed."""
    raw = header(n, f"Re: Engine part {to}") + f"In-Reply-To: <m{to}@example.org>\r\n".encode()
    return New(f"u{n}".encode(), n, 1000, raw)


@pytest.fixture
def ids(store):
    """Three messages, newest first."""
    session(store, [new(1), new(2), new(3)])
    return list(ids_in(store))


def mute(store, message_ids):
    return muting.mute(store, seen(store, message_ids), NOW, {})


def test_a_muted_conversation_and_what_comes_to_it_is_in_the_archive(store, ids):
    done = mute(store, ids[:1])
    assert (done.step.kind, done.message_ids) == (StepKind.MUTE, (ids[0],))
    assert list(ids_in(store)) == ids[1:]
    session(store, [new(1), new(2), new(3), answer(4, 3), answer(5, 2)])
    assert len(ids_in(store, "Archive")) == 2
    assert len(ids_in(store)) == 3
    assert messages.row(store, ids_in(store, "Archive")[0]).unread
    assert messages.row(store, ids[0]).muted


def test_undo_of_a_mute_is_one_step_that_brings_all_of_it_back(store, ids):
    mute(store, ids[:2])
    undone = undo(store)
    assert (undone.step.kind, set(undone.message_ids)) == (StepKind.MUTE, set(ids[:2]))
    assert list(ids_in(store)) == ids
    assert undo(store) is None
    session(store, [new(1), new(2), new(3), answer(4, 3)])
    assert len(ids_in(store)) == 4


def test_undo_of_a_mute_reaches_the_conversation_also_where_it_became_part_of_another_one(store, ids):
    mute(store, ids[:1])
    both = b"In-Reply-To: <m3@example.org>\r\nReferences: <m2@example.org> <m3@example.org>\r\n"
    session(store, [new(1), new(2), new(3), New(b"u4", 4, 1000, header(4, "Of both") + both)])
    assert undo(store).step.kind is StepKind.MUTE
    assert not any(messages.row(store, one).muted for one in ids)


def test_the_end_of_a_mute_leaves_what_is_archived_and_is_taken_back_too(store, ids):
    mute(store, ids[:1])
    assert muting.unmute(store, ids[:1], NOW).step.kind is StepKind.UNMUTE
    assert muting.unmute(store, ids[:1], NOW).step is None
    session(store, [new(1), new(2), new(3), answer(4, 3)])
    assert len(ids_in(store)) == 3
    undo(store)
    assert messages.row(store, ids[0]).muted


def test_a_conversation_that_is_muted_already_is_no_step(store, ids):
    mute(store, ids[:1])
    assert mute(store, ids[:1]).step is None


def test_a_mute_and_its_undo_count_the_same_messages(store, ids):
    session(store, [new(1), new(2), new(3), answer(4, 3)])
    four = next(one for one in ids_in(store) if one not in ids)
    move(store, [four], "Archive")
    done = mute(store, ids[:1])
    assert (done.step.count, set(done.message_ids)) == (2, {ids[0], four})
    session(store, [new(1), new(2), new(3), answer(4, 3), answer(5, 3)], at=NOW + 60)
    assert set(undo(store).message_ids) == {ids[0], four}
    done = mute(store, ids[:1])
    assert muting.unmute(store, ids[:1], NOW + 60).step.count == 3
