"""Folders that people make, rename and remove, each as a step of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import Done, Folder, Role, StepKind
from termmail.store import journal, mentions, placements
from termmail.store.folders import FolderError, check_free, checked_name, get, role_id

if TYPE_CHECKING:
    from termmail.store.store import Store


def make(store: Store, account: str, name: str, now: int) -> Folder:
    """Create a folder, as a step. Raises FolderError."""
    name = checked_name(name)
    with store.transaction() as db:
        check_free(db, account, name)
        cursor = db.execute("INSERT INTO folder (account, name, role) VALUES (?, ?, 'none')", (account, name))
        folder_id = cursor.lastrowid or 0
        journal.begin(db, StepKind.MAKE_FOLDER, 0, now, folder_id=folder_id, name=name)
    return Folder(folder_id, account, name, Role.NONE)


def rename(store: Store, folder_id: int, name: str, now: int) -> Folder:
    """Rename a folder of the user's own, as a step. Rules and kept searches that name it follow.

    Raises FolderError or FolderGone.
    """
    name = checked_name(name)
    with store.transaction() as db:
        folder = _own(store, folder_id)
        check_free(db, folder.account, name, folder_id)
        db.execute("UPDATE folder SET name = ? WHERE id = ?", (name, folder_id))
        mentions.follow_folder(db, folder.name, name)
        step = journal.begin(db, StepKind.RENAME_FOLDER, 0, now, folder_id=folder_id, name=name)
        db.execute("UPDATE step SET old_name = ? WHERE id = ?", (folder.name, step.step_id))
    return Folder(folder_id, folder.account, name, folder.role)


def remove(store: Store, folder_id: int, now: int) -> Done:
    """Remove a folder of the user's own, as a step; its messages go to Archive. Raises FolderError or FolderGone."""
    with store.transaction() as db:
        folder = _own(store, folder_id)
        archive = role_id(db, folder.account, Role.ARCHIVE)
        rows = db.execute("SELECT message FROM placement WHERE folder = ?", (folder_id,)).fetchall()
        ids = [message_id for (message_id,) in rows]
        step = journal.begin(db, StepKind.REMOVE_FOLDER, len(ids), now, folder_id=folder_id, name=folder.name)
        new = set(placements.absent(db, ids, archive))
        journal.record(db, step, [(one, folder_id, archive if one in new else 0, "") for one in ids])
        db.execute("DELETE FROM placement WHERE folder = ?", (folder_id,))
        placements.place(db, new, archive)
        db.execute("UPDATE folder SET removed = 1 WHERE id = ?", (folder_id,))
    return Done(step, tuple(ids))


def _own(store: Store, folder_id: int) -> Folder:
    folder = get(store, folder_id)
    if folder.role is not Role.NONE:
        raise FolderError(f"{folder.name} is needed by termmail.", advice="Only folders of your own can be changed.")
    return folder
