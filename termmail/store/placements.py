"""Placements: which message lies in which folder, and what that means for a POP3 server.

Everything here runs inside the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.store.folders import FolderGone
from termmail.store.store import id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

_IN = "IN (SELECT value FROM json_each(?))"


def place(db: sqlite3.Connection, message_ids: Iterable[int], folder_id: int) -> None:
    """Put messages into a folder; those that are in it already stay as they are. Raises FolderGone."""
    if db.execute("SELECT 1 FROM folder WHERE id = ? AND removed = 0", (folder_id,)).fetchone() is None:
        raise FolderGone("This folder was removed.")
    db.execute(
        "INSERT OR IGNORE INTO placement (folder, sort_date, message, unread)"  # noqa: S608
        f" SELECT ?, sort_date, id, unread FROM message WHERE id {_IN}",
        (folder_id, id_list(message_ids)),
    )


def unplace(db: sqlite3.Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Take messages out of folders: (message, folder) each."""
    groups: dict[int, list[int]] = {}
    for message_id, folder_id in pairs:
        groups.setdefault(folder_id, []).append(message_id)
    for folder_id, ids in groups.items():
        db.execute(f"DELETE FROM placement WHERE message {_IN} AND folder = ?", (id_list(ids), folder_id))  # noqa: S608


def absent(db: sqlite3.Connection, message_ids: Sequence[int], folder_id: int) -> list[int]:
    """Return those of the messages that do not lie in the folder yet."""
    rows = db.execute(
        f"SELECT message FROM placement WHERE message {_IN} AND folder = ?",  # noqa: S608
        (id_list(message_ids), folder_id),
    )
    there = {message_id for (message_id,) in rows}
    return [message_id for message_id in message_ids if message_id not in there]


def trash_ids(db: sqlite3.Connection) -> set[int]:
    """Return the ids of every account's Trash."""
    return {folder_id for (folder_id,) in db.execute("SELECT id FROM folder WHERE role = 'trash'")}


def schedule_delete(db: sqlite3.Connection, message_ids: Iterable[int], due_at: int | None) -> None:
    """Schedule the DELE of those messages that lie in Trash alone."""
    db.execute(
        f"UPDATE remote SET due_at = ?, state = iif(state = 'absent', state, 'trashed') WHERE message {_IN}"  # noqa: S608
        " AND state IN ('kept', 'skipped', 'trashed', 'absent') AND NOT EXISTS (SELECT 1 FROM placement p"
        " JOIN folder f ON f.id = p.folder WHERE p.message = remote.message AND f.role <> 'trash')",
        (due_at, id_list(message_ids)),
    )


def call_off_delete(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Call off the DELE of messages.

    One for which DELE went out already counts as absent: should the server still have it, it is kept there.
    """
    wanted = id_list(message_ids)
    db.execute(f"UPDATE remote SET due_at = NULL WHERE state = 'absent' AND message {_IN}", (wanted,))  # noqa: S608
    db.execute(
        "UPDATE remote SET due_at = NULL, state = CASE WHEN state IN ('trashed', 'due') THEN 'kept' ELSE 'absent' END"  # noqa: S608
        f" WHERE message {_IN} AND state IN ('trashed', 'due', 'sent', 'gone')",
        (wanted,),
    )
