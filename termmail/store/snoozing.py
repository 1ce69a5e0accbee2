"""Snoozed messages and reminders: both come back to the top of a folder at their time.

A snoozed message stays in its folder, here and on the server; the list of the folder leaves it out until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import DISCARDED, Done, Returned, Role, StepKind
from termmail.store import folders, journal, marks, placements
from termmail.store.marks import Mark
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from termmail.mail.model import Placement
    from termmail.store.store import Store


def snooze(store: Store, seen: Iterable[Placement], until: int | None, words: str, now: int) -> Done:
    """Leave messages out of the folder in which the user saw them until a time, which `words` say.

    None lets them be in their folder again. In another folder a message may be snoozed to another time.
    """
    wanted_there = list(seen)
    with store.transaction() as db:
        there, skipped = placements.present(db, wanted_there)
        wanted = {(one.message_id, one.folder_id): until for one in there}
        before = marks.changes(db, Mark.SNOOZE, wanted)
        already = tuple(place[0] for place in wanted if place not in before)
        if not before:
            return Done(None, (), tuple(skipped), already)
        kind = StepKind.UNSNOOZE if until is None else StepKind.SNOOZE
        ids = tuple(dict.fromkeys(message_id for message_id, _ in before))
        step = journal.begin(db, kind, len(ids), now, name=words)
        marks.put(db, step.step_id, Mark.SNOOZE, wanted, before)
    return Done(step, ids, tuple(skipped), already)


def remind(store: Store, message_ids: Iterable[int], until: int | None, words: str, now: int) -> Done:
    """Bring messages back at a time, unless somebody answers them before; None calls that off."""
    with store.transaction() as db:
        wanted = {(message_id, 0): until for message_id in message_ids}
        before = marks.changes(db, Mark.REMINDER, wanted)
        if not before:
            return Done(None, already=tuple(message_id for message_id, _ in wanted))
        kind = StepKind.NO_REMINDER if until is None else StepKind.REMIND
        step = journal.begin(db, kind, len(before), now, name=words)
        marks.put(db, step.step_id, Mark.REMINDER, wanted, before)
    return Done(step, tuple(message_id for message_id, _ in before))


# -- the time has come


def next_due(store: Store) -> int | None:
    """Return when the next message comes back (UTC seconds), or None."""
    row = store.read_one("SELECT min(until) FROM (SELECT until FROM snooze UNION ALL SELECT until FROM reminder)")
    return None if row is None or row[0] is None else int(row[0])


def bring_back(store: Store, now: int) -> list[int]:
    """Let everything that is due come back to the top of its folder, unread as it was; return the messages.

    What was snoozed in Archive comes back to the Inbox, and so does a message that nobody answered, unless it lies only
    in Trash or Junk by now.
    """
    due = next_due(store)
    if due is None or due > now:
        return []
    with store.transaction() as db:
        snoozed = db.execute(
            "SELECT z.message, z.folder, z.until, f.account, f.role FROM snooze z JOIN folder f ON f.id = z.folder"
            " JOIN placement p ON p.message = z.message AND p.folder = z.folder WHERE z.until <= ?",
            (now,),
        ).fetchall()
        reminders = db.execute(
            "SELECT r.message, r.until, m.account FROM reminder r JOIN message m ON m.id = r.message WHERE r.until <= ?"  # noqa: S608
            " AND EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.folder NOT IN"
            f" {folders.ids_with_roles(sorted(DISCARDED))})",
            (now,),
        ).fetchall()
        db.execute("DELETE FROM snooze WHERE until <= ?", (now,))
        db.execute("DELETE FROM reminder WHERE until <= ?", (now,))
        for message_id, folder_id, until, account, role in snoozed:
            target = folder_id
            if role == Role.ARCHIVE:
                target = folders.role_id(db, account, Role.INBOX)
                placements.unplace(db, [(message_id, folder_id)])
            _on_top(db, message_id, target, until, Returned.SNOOZE)
        for message_id, until, account in reminders:
            _on_top(db, message_id, folders.role_id(db, account, Role.INBOX), until, Returned.REMINDER)
    return list(dict.fromkeys([*(row[0] for row in snoozed), *(row[0] for row in reminders)]))


def _on_top(db: sqlite3.Connection, message_id: int, folder_id: int, at: int, why: Returned) -> None:
    placements.place(db, [message_id], folder_id)
    marks.end_snooze(db, [message_id], folder_id)
    db.execute("UPDATE placement SET sort_date = ? WHERE message = ? AND folder = ?", (at, message_id, folder_id))
    db.execute(
        "INSERT OR REPLACE INTO returned (message, folder, why, at) VALUES (?, ?, ?, ?)",
        (message_id, folder_id, why, at),
    )


def call_off_answered(db: sqlite3.Connection, arrived: Sequence[int]) -> None:
    """Forget the reminders of messages that one of these answers, inside the caller's transaction."""
    waiting = dict(
        db.execute("SELECT m.message_id, r.message FROM reminder r CROSS JOIN message m ON m.id = r.message").fetchall()
    )
    if not waiting:
        return
    rows = db.execute(f"SELECT in_reply_to, refs FROM message WHERE id {IN_IDS}", (id_list(arrived),))  # noqa: S608
    answered = {one for in_reply_to, refs in rows for one in (*in_reply_to.split(), *refs.split()) if one}
    found = [message_id for rfc_message_id, message_id in waiting.items() if rfc_message_id in answered]
    if found:
        db.execute(f"DELETE FROM reminder WHERE message {IN_IDS}", (id_list(found),))  # noqa: S608
