"""Breaking conversations apart and joining them by hand. Each verb is one transaction, with the step that undoes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.conversation import key
from termmail.mail.model import Done, StepKind
from termmail.store import conversations, journal
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from termmail.mail.model import Step
    from termmail.store.store import Store


def break_off(store: Store, message_ids: Iterable[int], now: int) -> Done:
    """Make each of these messages, with the answers to it, a conversation of its own, and end what was joined to it.

    One without a Message-ID, or that answers nothing and was joined to nothing, is left alone.
    """
    with store.transaction() as db:
        keys = _keys(db, message_ids)
        step = journal.begin(db, StepKind.BREAK_OFF, len(keys), now)
        db.executemany(
            "INSERT OR IGNORE INTO thread_cut (id_key, step) VALUES (?, ?)",
            [(one, step.step_id) for one in keys.values()],
        )
        return _regrouped(db, step, list(keys))


def join(store: Store, message_ids: Iterable[int], now: int) -> Done:
    """Make the conversations of these messages one. Messages without a Message-ID are left alone."""
    with store.transaction() as db:
        keys = _keys(db, message_ids)
        step = journal.begin(db, StepKind.JOIN, len(keys), now)
        first, *others = list(keys.values()) or [0]
        db.executemany(
            "INSERT OR IGNORE INTO thread_join (id_key, other_key, step) VALUES (?, ?, ?)",
            [(first, other, step.step_id) for other in others],
        )
        return _regrouped(db, step, list(keys))


def _keys(db: sqlite3.Connection, message_ids: Iterable[int]) -> dict[int, int]:
    """Return message -> the key of its Message-ID; without messages that have none."""
    rows = db.execute(
        f"SELECT id, message_id FROM message WHERE id {IN_IDS} AND message_id <> '' ORDER BY id",  # noqa: S608
        (id_list(message_ids),),
    )
    return {message_id: key(rfc_message_id) for message_id, rfc_message_id in rows}


def _regrouped(db: sqlite3.Connection, step: Step, message_ids: Sequence[int]) -> Done:
    """Group the conversations of these messages anew, and record what that changed."""
    threads = set(conversations.threads(db, message_ids).values())
    rows = db.execute(f"SELECT id, thread FROM message WHERE thread {IN_IDS}", (id_list(threads),)).fetchall()  # noqa: S608
    before = dict(rows)
    conversations.regroup(db, threads)
    after = conversations.threads(db, list(before))
    if _sets(before) == _sets(after):  # their numbers may differ all the same
        db.execute("DELETE FROM step WHERE id = ?", (step.step_id,))
        conversations.regroup(db, conversations.forget(db, step.step_id))
        return Done(None, already=tuple(message_ids))
    journal.record(db, step, [(one, thread, after[one], "") for one, thread in before.items() if after[one] != thread])
    return Done(step, tuple(message_ids))


def _sets(threads: Mapping[int, int]) -> set[frozenset[int]]:
    """Return the messages of each conversation."""
    found: dict[int, set[int]] = {}
    for message_id, thread in threads.items():
        found.setdefault(thread, set()).add(message_id)
    return set(map(frozenset, found.values()))
