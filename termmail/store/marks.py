"""What the user attaches to messages beside flags and folders: snooze, reminder, labels, mute; and how it is taken back.

Each kind of mark is a table in which a subject (a message, a conversation), and for some an object (a folder, a label), has a value. A
step keeps the value of each before and after: undo writes the one before where the one after is still there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from termmail.store import conversations
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

Place = tuple[int, int]
"""Subject and object of a mark; the object is 0 where the kind has none."""


class Mark(StrEnum):
    """The kinds of marks."""

    SNOOZE = "snooze"
    """Of a message in a folder: the time until which the list of the folder leaves it out."""
    REMINDER = "reminder"
    """Of a message: the time at which it comes back, if nobody answers it."""
    LABEL = "label"
    """Of a message and a label: 1."""
    MUTE = "mute"
    """Of a conversation: 1."""


class _Table(NamedTuple):
    """The statements of a kind: all values of subjects, deleting those with an object, and writing one value of them."""

    read: str
    delete: str
    write: str


_IDS = IN_IDS.replace("?", ":ids")
"""IN_IDS where the values have names."""

_TABLES = {
    Mark.SNOOZE: _Table(
        f"SELECT message, folder, until FROM snooze WHERE message {IN_IDS}",  # noqa: S608 - texts of ours
        f"DELETE FROM snooze WHERE message {IN_IDS} AND folder = ?",  # noqa: S608
        f"INSERT OR REPLACE INTO snooze (message, folder, until) SELECT id, :object, :value FROM message WHERE id {_IDS}",  # noqa: S608
    ),
    Mark.REMINDER: _Table(
        f"SELECT message, 0, until FROM reminder WHERE message {IN_IDS}",  # noqa: S608
        f"DELETE FROM reminder WHERE message {IN_IDS} AND ? = 0",  # noqa: S608
        f"INSERT OR REPLACE INTO reminder (message, until) SELECT id, :value FROM message WHERE id {_IDS}",  # noqa: S608
    ),
    Mark.LABEL: _Table(
        f"SELECT message, label, 1 FROM message_label WHERE message {IN_IDS}",  # noqa: S608
        f"DELETE FROM message_label WHERE message {IN_IDS} AND label = ?",  # noqa: S608
        "INSERT OR IGNORE INTO message_label (message, label)"  # noqa: S608
        f" SELECT m.id, l.id FROM message m JOIN label l ON l.id = :object WHERE m.id {_IDS}",
    ),
    Mark.MUTE: _Table(
        f"SELECT thread, 0, 1 FROM muted_thread WHERE thread {IN_IDS}",  # noqa: S608
        f"DELETE FROM muted_thread WHERE thread {IN_IDS} AND ? = 0",  # noqa: S608
        "INSERT OR IGNORE INTO muted_thread (thread) SELECT value FROM json_each(:ids)",
    ),
}


def changes(db: sqlite3.Connection, mark: Mark, wanted: Mapping[Place, int | None]) -> dict[Place, int | None]:
    """Return the places whose value is not the wanted one, with the value they have (None: none)."""
    values = _values(db, mark, [subject for subject, _ in wanted])
    return {place: values.get(place) for place, value in wanted.items() if values.get(place) != value}


def put(
    db: sqlite3.Connection,
    step_id: int,
    mark: Mark,
    wanted: Mapping[Place, int | None],
    before: Mapping[Place, int | None],
) -> None:
    """Write the wanted value of the places in `before`, as part of a step. None deletes it."""
    db.executemany(
        "INSERT INTO mark_change (step, mark, subject, object, before, after) VALUES (?, ?, ?, ?, ?, ?)",
        [(step_id, mark, *place, value, wanted[place]) for place, value in before.items()],
    )
    _write(db, mark, {place: wanted[place] for place in before})


def take_back(db: sqlite3.Connection, step_id: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Write what was there before a step; return the messages that are as before, and those that have changed since."""
    rows = db.execute("SELECT mark, subject, object, before, after FROM mark_change WHERE step = ?", (step_id,))
    groups: dict[Mark, list[tuple[Place, int | None, int | None]]] = {}
    (at,) = db.execute("SELECT created FROM step WHERE id = ?", (step_id,)).fetchone()
    changed = rows.fetchall()
    # A conversation has the number of a message that is or was in it, and may be part of another one by now.
    merged = conversations.threads(db, [subject for mark, subject, *_ in changed if mark == Mark.MUTE])
    for mark, subject, other, before, after in changed:
        here = merged.get(subject, subject) if mark == Mark.MUTE else subject
        groups.setdefault(Mark(mark), []).append(((here, other), before, after))
    back: dict[int, None] = {}
    skipped: dict[int, None] = {}
    for mark, group in groups.items():
        now = _values(db, mark, [place[0] for place, _, _ in group])
        same = {place: before for place, before, after in group if now.get(place) == after}
        _write(db, mark, same)
        back |= dict.fromkeys(messages(db, mark, [subject for subject, _ in same], at))
        skipped |= dict.fromkeys(messages(db, mark, [place[0] for place, _, _ in group if place not in same], at))
    return tuple(back), tuple(one for one in skipped if one not in back)


def messages(db: sqlite3.Connection, mark: Mark, subjects: Sequence[int], at: int) -> list[int]:
    """Return the messages that a mark is about: the subjects; of conversations, the messages received until `at`."""
    if mark is not Mark.MUTE:
        return list(subjects)
    rows = db.execute(f"SELECT id FROM message WHERE thread {IN_IDS} AND received <= ?", (id_list(subjects), at))  # noqa: S608
    return [message_id for (message_id,) in rows]


def _values(db: sqlite3.Connection, mark: Mark, subjects: Iterable[int]) -> dict[Place, int]:
    rows = db.execute(_TABLES[mark].read, (id_list(subjects),))
    return {(subject, other): value for subject, other, value in rows}


def _write(db: sqlite3.Connection, mark: Mark, values: Mapping[Place, int | None]) -> None:
    """Write values, those that are equal in one statement: a statement a message takes seconds for a whole mailbox."""
    table = _TABLES[mark]
    groups: dict[tuple[int, int | None], list[int]] = {}
    for (subject, other), value in values.items():
        groups.setdefault((other, value), []).append(subject)
    for (other, value), subjects in groups.items():
        if value is None:
            db.execute(table.delete, (id_list(subjects), other))
        else:
            db.execute(table.write, {"ids": id_list(subjects), "object": other, "value": value})


def end_snooze(db: sqlite3.Connection, message_ids: Iterable[int], folder_id: int) -> None:
    """Forget that messages are snoozed in a folder: they are put there now."""
    db.execute(f"DELETE FROM snooze WHERE message {IN_IDS} AND folder = ?", (id_list(message_ids), folder_id))  # noqa: S608
