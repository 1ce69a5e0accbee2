"""The journal: every step the user took, and how `undo` takes it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from termmail.mail.model import Flag, RemoteState, Step, StepKind, Undone
from termmail.mail.rule import Verb
from termmail.store import (
    conversations,
    folders,
    free_names,
    label_names,
    marks,
    mentions,
    outbox,
    placements,
    remote_state,
)
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from termmail.store.store import Store

KEPT_STEPS = 200
"""How many steps back undo reaches."""

FLAG_COLUMNS = {Flag.UNREAD: "unread", Flag.STARRED: "starred", Flag.ANSWERED: "answered", Flag.FORWARDED: "forwarded"}
FLAG_STEPS = {
    StepKind.READ: Flag.UNREAD,
    StepKind.UNREAD: Flag.UNREAD,
    StepKind.STAR: Flag.STARRED,
    StepKind.UNSTAR: Flag.STARRED,
}
_STEP = "s.id, s.kind, s.messages, s.name, s.created, s.outbox"
MARK_STEPS = frozenset(
    {
        *(StepKind.SNOOZE, StepKind.UNSNOOZE, StepKind.LABEL, StepKind.UNLABEL),
        *(StepKind.REMIND, StepKind.NO_REMINDER, StepKind.MUTE, StepKind.UNMUTE),
    }
)
"""The steps whose changes are kept by `marks`."""


def begin(
    db: sqlite3.Connection, kind: StepKind, count: int, now: int, *, folder_id: int | None = None, name: str = ""
) -> Step:
    """Write a new step, and prune those beyond KEPT_STEPS."""
    cursor = db.execute(
        "INSERT INTO step (kind, created, messages, folder, name) VALUES (?, ?, ?, ?, ?)",
        (kind, now, count, folder_id, name),
    )
    step_id = cursor.lastrowid or 0
    for whose in ("rule = 0", "rule <> 0"):  # what rules do must not push out what the user did
        db.execute(
            f"DELETE FROM step WHERE id IN (SELECT id FROM step WHERE {whose} ORDER BY id DESC LIMIT -1 OFFSET ?)",  # noqa: S608
            (KEPT_STEPS,),
        )
    return Step(step_id, kind, count, name, now)


def record(db: sqlite3.Connection, step: Step, rows: Iterable[tuple[int, int, int, str]]) -> None:
    """Write what a step does to messages: (message, folder before, folder after, server state before) each."""
    db.executemany(
        "INSERT INTO change (step, message, before, after, server_state) VALUES (?, ?, ?, ?, ?)",
        [(step.step_id, *row) for row in rows],
    )


def record_send(db: sqlite3.Connection, outbox_id: int, subject: str, now: int) -> None:
    """Write the step of a message that was queued, inside the caller's transaction."""
    step = begin(db, StepKind.SEND, 1, now, name=subject)
    db.execute("UPDATE step SET outbox = ? WHERE id = ?", (outbox_id, step.step_id))


_THESE = IN_IDS.replace("?", "?2")


def bind(db: sqlite3.Connection, steps: Iterable[Step | None]) -> None:
    """Let steps, with those that are bound to them already, be taken back together, as one. The newest gives the words."""
    ids = [step.step_id for step in steps if step is not None]
    if len(ids) > 1:
        db.execute(
            f"UPDATE step SET batch = ?1 WHERE id {_THESE} OR batch IN (SELECT batch FROM step WHERE id {_THESE}"  # noqa: S608
            " AND batch <> 0)",
            (max(ids), id_list(ids)),
        )


def batch(db: sqlite3.Connection, newest: Step) -> list[Step]:
    """Return a step and those that are bound to it, as far as they are not taken back; the oldest first."""
    return [_step(row) for row in db.execute(f"{_BATCH} ORDER BY s.id", (newest.step_id,))]


def is_done(db: sqlite3.Connection, step: Step) -> bool:
    """Return whether a step is neither taken back nor beyond what undo reaches."""
    return db.execute("SELECT 1 FROM step WHERE id = ? AND state = 'done'", (step.step_id,)).fetchone() is not None


def merge(db: sqlite3.Connection, earlier: Step, newest: Step) -> Step:
    """Make a step, and those bound to it, part of a newer one that did the same to other messages; return the newer one.

    Of the steps bound to them, those of the same kind and name become one. The two are not among these: they change
    nothing themselves.
    """
    known = {(one.kind, one.name): one for one in batch(db, earlier) if one.step_id != earlier.step_id}
    for one in batch(db, newest):
        same = None if one.step_id == newest.step_id else known.get((one.kind, one.name))
        if same is None:
            continue
        for table in ("change", "mark_change"):
            db.execute(f"UPDATE {table} SET step = ? WHERE step = ?", (same.step_id, one.step_id))  # noqa: S608
        db.execute("UPDATE step SET messages = messages + ? WHERE id = ?", (one.count, same.step_id))
        db.execute("DELETE FROM step WHERE id = ?", (one.step_id,))
    db.execute("UPDATE step SET messages = messages + ? WHERE id = ?", (earlier.count, newest.step_id))
    bind(db, [*known.values(), *batch(db, newest)])
    db.execute("DELETE FROM step WHERE id = ?", (earlier.step_id,))
    return batch(db, newest)[-1]


def attribute(db: sqlite3.Connection, newest: Step, rule_id: int) -> None:
    """Note that a rule has taken a step, and those bound to it, by itself: `undo` passes over them. 0 is the user."""
    db.execute(
        "UPDATE step SET rule = ?1 WHERE id = ?2 OR batch <> 0 AND batch = (SELECT batch FROM step WHERE id = ?2)",
        (rule_id, newest.step_id),
    )


def next_step(store: Store) -> Step | None:
    """Return the step that `undo` takes back next, or None. A send can be taken back while it waits and nobody has it."""
    row = store.read_one(_NEXT)
    return None if row is None else _step(row)


_NEXT = (
    f"SELECT {_STEP} FROM step s LEFT JOIN outbox o ON o.id = s.outbox WHERE s.state = 'done' AND s.rule = 0"  # noqa: S608
    " AND (s.outbox = 0 OR o.state = 'queued' AND o.accepted = '[]') ORDER BY s.id DESC LIMIT 1"
)


def undo(store: Store, due: Mapping[str, int | None]) -> Undone | None:
    """Take back the newest step that still can be; None where there is none. On the disk on return.

    Only messages that still are as the step left them change. A step of which nothing is left to take back is passed
    over. A folder whose old name is taken by another one now gets a number behind it. `due` says when the DELE of what
    goes back to Trash falls due, by account.
    """
    with store.transaction(durable=True) as db:
        while (row := db.execute(_NEXT).fetchone()) is not None:
            if (undone := _take_back_batch(store, db, _step(row), due)) is not None:
                return undone
    return None


def undo_step(store: Store, step_id: int, due: Mapping[str, int | None]) -> Undone | None:
    """Take back one step, and those bound to it, wherever it is in the journal; None where nothing of it is left."""
    with store.transaction(durable=True) as db:
        row = db.execute(f"SELECT {_STEP} FROM step s WHERE s.id = ? AND s.state = 'done'", (step_id,)).fetchone()  # noqa: S608
        return None if row is None else _take_back_batch(store, db, _step(row), due)


_BATCH = (
    f"SELECT {_STEP} FROM step s WHERE s.state = 'done' AND (s.id = ?1 OR s.batch <> 0 AND s.batch ="  # noqa: S608
    " (SELECT batch FROM step WHERE id = ?1))"
)


def _take_back_batch(
    store: Store, db: sqlite3.Connection, newest: Step, due: Mapping[str, int | None]
) -> Undone | None:
    """Take back a step and those that belong to it, the newest first; None where nothing of them is left."""
    back: list[Undone] = []
    for step in reversed(batch(db, newest)):
        undone = _take_back(store, db, step, due)
        db.execute("UPDATE step SET state = ? WHERE id = ?", ("final" if undone is None else "undone", step.step_id))
        back += [] if undone is None else [undone]
    if len(back) < 2:
        return replace(back[0], step=newest) if back else None
    changed = dict.fromkeys(one for undone in back for one in undone.message_ids)
    skipped = dict.fromkeys(one for undone in back for one in undone.skipped)
    return Undone(newest, tuple(changed), tuple(skipped))


def _take_back(store: Store, db: sqlite3.Connection, step: Step, due: Mapping[str, int | None]) -> Undone | None:
    if step.kind is StepKind.SEND:
        draft = outbox.cancel(store, step.outbox_id)
        return Undone(step, draft_id=draft.id if draft is not None else 0)
    if step.kind is StepKind.RULE:
        return None  # its changes are those of the steps bound to it
    if step.kind in FLAG_STEPS:
        return _unmark(db, step)
    if step.kind in MARK_STEPS:
        back, skipped = marks.take_back(db, step.step_id)
        return Undone(step, back, skipped) if back else None
    if step.kind in {StepKind.BREAK_OFF, StepKind.JOIN}:
        return _ungroup(db, step)
    if step.kind is StepKind.MAKE_FOLDER:
        return _unmake_folder(db, step)
    if step.kind is StepKind.RENAME_FOLDER:
        return _rename_back(db, step)
    if step.kind is StepKind.REMOVE_SEARCH:
        return _bring_search_back(db, step)
    if step.kind is StepKind.RENAME_LABEL:
        return _rename_label_back(db, step)
    if step.kind is StepKind.MAKE_RULE:
        return _unmake_rule(db, step)
    if step.kind in {StepKind.EDIT_RULE, StepKind.REMOVE_RULE}:
        return _bring_rule_back(db, step)
    if step.kind is StepKind.REMOVE_FOLDER:
        _bring_folder_back(db, step)
    undone = _move_back(db, step, due)
    return Undone(step) if undone is None and step.kind is StepKind.REMOVE_FOLDER else undone


def _unmark(db: sqlite3.Connection, step: Step) -> Undone | None:
    flag = FLAG_STEPS[step.kind]
    column = FLAG_COLUMNS[flag]
    rows = db.execute(
        f"SELECT c.message, c.before <> 0, m.{column} = (c.after <> 0) FROM change c LEFT JOIN message m"  # noqa: S608
        " ON m.id = c.message WHERE c.step = ?",
        (step.step_id,),
    ).fetchall()
    back = [message_id for message_id, _, same in rows if same]
    if not back:
        return None
    on = rows[0][1]
    db.execute(f"UPDATE message SET {column} = ? WHERE id {IN_IDS}", (on, id_list(back)))  # noqa: S608
    return Undone(step, tuple(back), tuple(message_id for message_id, _, same in rows if not same))


def _ungroup(db: sqlite3.Connection, step: Step) -> Undone | None:
    """Undo what broke a conversation apart, or joined some."""
    rows = db.execute("SELECT message, before FROM change WHERE step = ?", (step.step_id,)).fetchall()
    now = conversations.threads(db, [message_id for message_id, _ in rows])
    if not now:
        return None
    touched = conversations.forget(db, step.step_id)
    conversations.regroup(db, {*now.values(), *(thread for _, thread in rows), *touched})
    return Undone(step, tuple(now))


class _Moved(NamedTuple):
    """What a step did to one message: the folders before and after (0: none), and the server's state before.

    `account` is None where the message is gone; `there` tells whether it lies where the step put it.
    """

    message_id: int
    before: int
    after: int
    server_state: str
    account: str | None
    there: bool

    @property
    def can_go_back(self) -> bool:
        return self.account is not None and (self.there or not self.after)


def _move_back(db: sqlite3.Connection, step: Step, due: Mapping[str, int | None]) -> Undone | None:
    """Undo a move or a copy: what lies where the step put it goes back to where it was."""
    rows = db.execute(
        "SELECT c.message, c.before, c.after, c.server_state, m.account, EXISTS (SELECT 1 FROM placement p"
        " WHERE p.message = c.message AND p.folder = c.after) FROM change c LEFT JOIN message m ON m.id = c.message"
        " WHERE c.step = ?",
        (step.step_id,),
    )
    moved = [_Moved(*row) for row in rows]
    removed = {folder_id for (folder_id,) in db.execute("SELECT id FROM folder WHERE removed = 1")}
    back = [one for one in moved if one.can_go_back and one.before not in removed]
    skipped = tuple({one.message_id for one in moved} - {one.message_id for one in back})
    if step.kind is StepKind.COPY:
        back = [one for one in back if _lies_elsewhere(db, one.message_id, one.after)]
    if not back:
        return None
    placements.unplace(db, [(one.message_id, one.after) for one in back if one.after])
    for folder_id in {one.before for one in back if one.before}:
        placements.place(db, [one.message_id for one in back if one.before == folder_id], folder_id)
    trash = placements.trash_ids(db)
    into_trash = [one for one in back if one.after in trash or step.kind is StepKind.DELETE]
    left_trash = [one for one in into_trash if one.before not in trash]
    remote_state.keep_if_listed_again(db, [one.message_id for one in left_trash])
    remote_state.call_off(db, [one.message_id for one in left_trash if one.server_state not in _DUE_BEFORE])
    for account in {one.account for one in back if one.account is not None}:
        to_trash = [one for one in back if one.account == account and (one.before in trash or not one.before)]
        remote_state.trash(db, [one.message_id for one in to_trash], due.get(account))
    return Undone(step, tuple(one.message_id for one in back), skipped)


_DUE_BEFORE = frozenset({RemoteState.DUE, RemoteState.SENT, RemoteState.GONE})
"""The states before a delete in which the account's own rule deletes the message: undo leaves it due."""


def _lies_elsewhere(db: sqlite3.Connection, message_id: int, folder_id: int) -> bool:
    found = db.execute("SELECT 1 FROM placement WHERE message = ? AND folder <> ?", (message_id, folder_id)).fetchone()
    return found is not None


def _unmake_folder(db: sqlite3.Connection, step: Step) -> Undone | None:
    removed = db.execute(
        "UPDATE folder SET removed = 1 WHERE removed = 0 AND id = (SELECT folder FROM step WHERE id = ?)"
        " AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.folder = folder.id)",
        (step.step_id,),
    )
    return Undone(step) if removed.rowcount else None


def _rename_back(db: sqlite3.Connection, step: Step) -> Undone | None:
    folder_id, account, old = db.execute(
        "SELECT f.id, f.account, s.old_name FROM step s JOIN folder f ON f.id = s.folder WHERE s.id = ?",
        (step.step_id,),
    ).fetchone()
    name = folders.free_name(db, account, old)
    renamed = db.execute(
        "UPDATE folder SET name = ? WHERE id = ? AND removed = 0 AND name = ?", (name, folder_id, step.name)
    )
    if not renamed.rowcount:
        return None
    mentions.follow_folder(db, step.name, name)
    return Undone(step)


def _bring_search_back(db: sqlite3.Connection, step: Step) -> Undone:
    """Keep a removed search again, as the last one; where another search has its name now, with a number behind it."""
    taken = {name.casefold() for (name,) in db.execute("SELECT name FROM saved_search")}
    name = free_names.free_name(step.name, lambda one: one.casefold() in taken)
    db.execute(
        "INSERT INTO saved_search (name, words, place) SELECT ?, old_name, (SELECT coalesce(max(place), 0) + 1"
        " FROM saved_search) FROM step WHERE id = ?",
        (name, step.step_id),
    )
    return Undone(step)


def _rename_label_back(db: sqlite3.Connection, step: Step) -> Undone | None:
    """Give a label its old name, with a number behind it where another label has it by now."""
    (old,) = db.execute("SELECT old_name FROM step WHERE id = ?", (step.step_id,)).fetchone()
    row = db.execute("SELECT id FROM label WHERE name = ?", (step.name,)).fetchone()
    if row is None:
        return None
    name = label_names.free_name(db, old, row[0])
    db.execute("UPDATE label SET name = ? WHERE id = ?", (name, row[0]))
    mentions.follow(db, Verb.LABEL, step.name, name)
    return Undone(step)


def record_rule(db: sqlite3.Connection, step: Step, values: Mapping[str, int | str]) -> None:
    """Write what a rule was before a step, by the columns of its table; of a new rule its id."""
    db.execute("UPDATE step SET old_name = ? WHERE id = ?", (json.dumps(values), step.step_id))


def _unmake_rule(db: sqlite3.Connection, step: Step) -> Undone | None:
    """Remove a rule that was just made; what it did stays."""
    (made,) = db.execute("SELECT old_name FROM step WHERE id = ?", (step.step_id,)).fetchone()
    removed = db.execute("DELETE FROM rule WHERE id = :id", json.loads(made))
    return Undone(step) if removed.rowcount else None


def _bring_rule_back(db: sqlite3.Connection, step: Step) -> Undone:
    """Let a rule be as it was before it was changed or removed."""
    (old,) = db.execute("SELECT old_name FROM step WHERE id = ?", (step.step_id,)).fetchone()
    db.execute(
        "INSERT INTO rule (id, name, query, verbs, active, created, place) VALUES (:id, :name, :query, :verbs, :active,"
        " :created, :place) ON CONFLICT (id) DO UPDATE SET name = excluded.name, query = excluded.query,"
        " verbs = excluded.verbs",
        json.loads(old),
    )
    return Undone(step)


def _bring_folder_back(db: sqlite3.Connection, step: Step) -> None:
    folder_id, account = db.execute(
        "SELECT f.id, f.account FROM step s JOIN folder f ON f.id = s.folder WHERE s.id = ?", (step.step_id,)
    ).fetchone()
    name = folders.free_name(db, account, step.name)
    db.execute("UPDATE folder SET removed = 0, name = ? WHERE id = ?", (name, folder_id))


def _step(row: tuple[int, str, int, str, int, int]) -> Step:
    step_id, kind, count, name, created, outbox_id = row
    return Step(step_id, StepKind(kind), count, name, created, outbox_id)
