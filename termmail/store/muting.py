"""Muted conversations: what comes to them goes to the Archive and is never announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import Done, Role, StepKind
from termmail.store import changes, folders, journal, marks, placements
from termmail.store.marks import Mark
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from termmail.mail.model import Placement
    from termmail.store.store import Store


def mute(store: Store, seen: Sequence[Placement], now: int, due: Mapping[str, int | None]) -> Done:
    """Mute the conversations of messages, and archive those that the user saw in an inbox, as one step.

    The step counts all messages of the conversations, wherever they are.
    """
    with store.transaction() as db:
        threads = _threads(db, [one.message_id for one in seen])
        wanted: dict[marks.Place, int | None] = {(thread, 0): 1 for thread in threads}
        before = marks.changes(db, Mark.MUTE, wanted)
        inboxes = {folder.folder_id for folder in folders.with_role(store, Role.INBOX)}
        there = [one for one in seen if one.folder_id in inboxes]
        archived = changes.move_to_role(store, there, StepKind.ARCHIVE, now, due)
        if not before and archived.step is None:
            return Done(None, already=tuple(one.message_id for one in seen))
        whole = marks.messages(db, Mark.MUTE, [thread for thread, _ in before], now)
        ids = tuple(dict.fromkeys([*whole, *archived.message_ids]))
        step = journal.begin(db, StepKind.MUTE, len(ids), now)
        marks.put(db, step.step_id, Mark.MUTE, wanted, before)
        journal.bind(db, [archived.step, step])
    return Done(step, ids, archived.skipped)


def unmute(store: Store, message_ids: Sequence[int], now: int) -> Done:
    """Let what comes to the conversations of messages stay in the Inbox again."""
    with store.transaction() as db:
        wanted: dict[marks.Place, int | None] = {(thread, 0): None for thread in _threads(db, message_ids)}
        before = marks.changes(db, Mark.MUTE, wanted)
        if not before:
            return Done(None, already=tuple(message_ids))
        ids = tuple(marks.messages(db, Mark.MUTE, [thread for thread, _ in before], now))
        step = journal.begin(db, StepKind.UNMUTE, len(ids), now)
        marks.put(db, step.step_id, Mark.MUTE, wanted, before)
    return Done(step, ids)


def archive_arrived(db: sqlite3.Connection, account: str, inbox: int, message_ids: Sequence[int]) -> list[int]:
    """Move what has come to muted conversations from the inbox to the Archive; return those messages."""
    rows = db.execute(
        f"SELECT m.id FROM message m JOIN muted_thread t ON t.thread = m.thread WHERE m.id {IN_IDS}",  # noqa: S608
        (id_list(message_ids),),
    ).fetchall()
    muted = [message_id for (message_id,) in rows]
    if muted:
        placements.unplace(db, [(one, inbox) for one in muted])
        placements.place(db, muted, folders.role_id(db, account, Role.ARCHIVE))
    return muted


def _threads(db: sqlite3.Connection, message_ids: Sequence[int]) -> list[int]:
    rows = db.execute(f"SELECT DISTINCT thread FROM message WHERE id {IN_IDS}", (id_list(message_ids),))  # noqa: S608
    return [thread for (thread,) in rows]
