"""Folders of accounts: the standard ones by role, and those that people make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.errors import Gone, UserError
from termmail.mail import sanitize
from termmail.mail.model import DRAFTS_NAME, OUTBOX_NAME, ROLE_NAMES, Count, Folder, Role
from termmail.store import free_names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from termmail.store.store import Store

_ZWNJ = "\u200c"

LONGEST_NAME = 200
"""Characters of a folder's name, at most."""

_COLUMNS = "id, account, name, role"


class FolderError(UserError):
    """A folder cannot be made, renamed or removed as asked."""

    advice = "Choose another name."


class FolderGone(Gone):
    """The folder does not exist any more."""


def ensure(store: Store, account: str) -> None:
    """Create the standard folders of an account that are missing. Writes nothing where all are there."""
    found = {role for (role,) in store.read("SELECT role FROM folder WHERE account = ?", (account,))}
    if missing := [role for role in ROLE_NAMES if role not in found]:
        with store.transaction() as db:
            for role in missing:
                _create_role(db, account, role)


def listing(store: Store) -> list[Folder]:
    """Return the folders of every account: the standard ones in their order, then the others by name.

    The Drafts of a server is not among them: it holds no messages but drafts (`imap_drafts`).
    """
    order = {role: place for place, role in enumerate(ROLE_NAMES)}
    rows = store.read(f"SELECT {_COLUMNS} FROM folder WHERE removed = 0 AND role <> 'drafts'")  # noqa: S608 - ours
    found = [_folder(row) for row in rows]
    return sorted(found, key=lambda one: (order.get(one.role, len(order)), one.name.casefold(), one.folder_id))


def get(store: Store, folder_id: int) -> Folder:
    """Return a folder. Raises FolderGone where it was removed."""
    row = store.read_one(f"SELECT {_COLUMNS} FROM folder WHERE id = ? AND removed = 0", (folder_id,))  # noqa: S608
    if row is None:
        raise FolderGone("This folder was removed.")
    return _folder(row)


def by_role(store: Store, account: str, role: Role) -> Folder:
    """Return an account's folder of this role, which is created where it is missing."""
    row = store.read_one(f"SELECT {_COLUMNS} FROM folder WHERE account = ? AND role = ?", (account, role))  # noqa: S608
    if row is None:
        with store.transaction() as db:
            return Folder(role_id(db, account, role), account, ROLE_NAMES[role], role)
    return _folder(row)


def by_name(store: Store, account: str, name: str) -> Folder | None:
    """Return an account's folder of this name; where none has exactly that, the one that differs only in case."""
    found = [one for one in listing(store) if one.account == account and one.name.casefold() == name.casefold()]
    return next((one for one in found if one.name == name), found[0] if found else None)


def role_id(db: sqlite3.Connection, account: str, role: Role) -> int:
    """Return the id of an account's folder of this role inside a transaction, creating it where it is missing."""
    row = db.execute("SELECT id FROM folder WHERE account = ? AND role = ?", (account, role)).fetchone()
    return int(row[0]) if row else _create_role(db, account, role)


def counts(store: Store) -> dict[int, Count]:
    """Return folder id -> how many messages it holds and how many of them are unread; empty folders have no entry."""
    return store.remember("folder counts", lambda: _counts(store))


def _counts(store: Store) -> dict[int, Count]:
    unread = dict(store.read("SELECT folder, count(*) FROM placement WHERE unread = 1 GROUP BY folder"))
    total = dict(store.read("SELECT folder, count(*) FROM placement GROUP BY folder"))
    for folder_id, snoozed, unread_of_them in store.read(_SNOOZED):
        total[folder_id] -= snoozed
        unread[folder_id] = unread.get(folder_id, 0) - unread_of_them
    return {folder_id: Count(held, unread.get(folder_id, 0)) for folder_id, held in total.items() if held}


_SNOOZED = (
    "SELECT z.folder, count(*), sum(p.unread) FROM snooze z CROSS JOIN placement p ON p.message = z.message"
    " AND p.folder = z.folder GROUP BY z.folder"
)
"""How many messages, and unread ones, the list of each folder leaves out."""


def checked_name(name: str) -> str:
    """Return the name as it is stored, without surrounding blanks. Raises FolderError for one that cannot be used.

    That is one that is empty, too long, taken by Drafts or Outbox, or would not be shown as it is stored.
    """
    parts = [part.strip() for part in name.strip().split("/")]
    if not all(parts):
        raise FolderError("A folder needs a name, also between two slashes.")
    name = "/".join(parts)
    if len(name) > LONGEST_NAME:
        raise FolderError(f"A folder name may have {LONGEST_NAME} characters at most.")
    written = name.replace(_ZWNJ, "")  # part of the spelling of Persian and others
    if sanitize.clean(written) != written or not all(map(_shown, parts)):
        raise FolderError("A folder name may hold no control characters and no invisible ones.")
    for taken in (DRAFTS_NAME, OUTBOX_NAME):
        if _shown(name) == _shown(taken):
            raise FolderError(f"There is a list called {taken} already.")
    return name


def _shown(name: str) -> str:
    """Return what two names that look the same have in common."""
    return sanitize.clean_words(name).casefold()


def find_name(db: sqlite3.Connection, account: str, name: str) -> int | None:
    """Return the id of the folder of this name inside a transaction, or None."""
    row = db.execute("SELECT id FROM folder WHERE account = ? AND name = ? AND removed = 0", (account, name)).fetchone()
    return None if row is None else int(row[0])


def check_free(db: sqlite3.Connection, account: str, name: str, folder_id: int = 0) -> None:
    """Raise FolderError where another folder than `folder_id` has a name that looks the same, in any case."""
    others = "SELECT name FROM folder WHERE account = ? AND removed = 0 AND id <> ?"
    for (other,) in db.execute(others, (account, folder_id)):
        if _shown(other) == _shown(name):
            raise FolderError(f"There is a folder “{other}” already.")


def free_name(db: sqlite3.Connection, account: str, name: str) -> str:
    """Return this name, with a number behind it where a folder of the account has it."""
    return free_names.free_name(name, lambda one: find_name(db, account, one) is not None)


def with_role(store: Store, role: Role) -> list[Folder]:
    """Return every account's folder of this role."""
    return [one for one in listing(store) if one.role is role]


def ids_with_roles(roles: Iterable[Role]) -> str:
    """Return a SQL subquery for the ids of all folders with one of these roles."""
    names = ", ".join([f"'{role.value}'" for role in roles])
    return f"(SELECT id FROM folder WHERE role IN ({names}))"  # noqa: S608 - the values of an enum


def _create_role(db: sqlite3.Connection, account: str, role: Role) -> int:
    name = ROLE_NAMES[role]
    # A folder of the user's own may have this name already; it keeps its messages under a new one.
    own = find_name(db, account, name)
    if own is not None:
        db.execute("UPDATE folder SET name = ? WHERE id = ?", (free_name(db, account, name), own))
    cursor = db.execute("INSERT INTO folder (account, name, role) VALUES (?, ?, ?)", (account, name, role))
    return cursor.lastrowid or 0


def _folder(row: tuple[int, str, str, str]) -> Folder:
    folder_id, account, name, role = row
    return Folder(folder_id, account, name, Role(role))
