"""Placements: which message lies in which folder.

Everything here runs inside the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from termmail.store import folders
from termmail.store.folders import FolderGone
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from termmail.mail.model import Placement


def place(db: sqlite3.Connection, message_ids: Iterable[int], folder_id: int) -> None:
    """Put messages into a folder; those that are in it already stay as they are. Raises FolderGone."""
    if db.execute("SELECT 1 FROM folder WHERE id = ? AND removed = 0", (folder_id,)).fetchone() is None:
        raise FolderGone("This folder was removed.")
    db.execute(
        "INSERT OR IGNORE INTO placement (folder, sort_date, message, unread, thread)"  # noqa: S608
        f" SELECT ?, sort_date, id, unread, thread FROM message WHERE id {IN_IDS}",
        (folder_id, id_list(message_ids)),
    )


def place_as_on_server(db: sqlite3.Connection, message_ids: Iterable[int], folder_id: int) -> None:
    """Put messages into a folder in which their server has them. One that was removed here is back: it is in use."""
    account, name, removed = db.execute(
        "SELECT account, name, removed FROM folder WHERE id = ?", (folder_id,)
    ).fetchone()
    if removed:
        free = folders.free_name(db, account, name)
        db.execute("UPDATE folder SET removed = 0, name = ? WHERE id = ?", (free, folder_id))
    place(db, message_ids, folder_id)


def unplace(db: sqlite3.Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Take messages out of folders: (message, folder) each."""
    groups: dict[int, list[int]] = {}
    for message_id, folder_id in pairs:
        groups.setdefault(folder_id, []).append(message_id)
    for folder_id, ids in groups.items():
        db.execute(f"DELETE FROM placement WHERE message {IN_IDS} AND folder = ?", (id_list(ids), folder_id))  # noqa: S608


def absent(db: sqlite3.Connection, message_ids: Sequence[int], folder_id: int) -> list[int]:
    """Return those of the messages that do not lie in the folder yet."""
    rows = db.execute(
        f"SELECT message FROM placement WHERE message {IN_IDS} AND folder = ?",  # noqa: S608
        (id_list(message_ids), folder_id),
    )
    there = {message_id for (message_id,) in rows}
    return [message_id for message_id in message_ids if message_id not in there]


def trash_ids(db: sqlite3.Connection) -> set[int]:
    """Return the ids of every account's Trash."""
    return {folder_id for (folder_id,) in db.execute("SELECT id FROM folder WHERE role = 'trash'")}


class Seen(NamedTuple):
    """A message that lies where the user saw it, and where the POP3 server stands with it."""

    message_id: int
    folder_id: int
    account: str
    server_state: str


def present(db: sqlite3.Connection, seen: Sequence[Placement]) -> tuple[list[Seen], list[int]]:
    """Split placements into those that still hold, in their order, and the ids of the messages that are elsewhere."""
    groups: dict[int, list[int]] = {}
    for message_id, folder_id in seen:
        groups.setdefault(folder_id, []).append(message_id)
    found: dict[tuple[int, int], Seen] = {}
    for folder_id, ids in groups.items():
        for row in db.execute(
            "SELECT p.message, p.folder, m.account, coalesce(r.state, '') FROM placement p"  # noqa: S608
            f" JOIN message m ON m.id = p.message LEFT JOIN remote r ON r.message = m.id WHERE p.message {IN_IDS}"
            " AND p.folder = ?",
            (id_list(ids), folder_id),
        ):
            found[row[0], row[1]] = Seen(*row)
    unique = dict.fromkeys((message_id, folder_id) for message_id, folder_id in seen)
    return [found[one] for one in unique if one in found], [one[0] for one in unique if one not in found]
