"""The folders of an IMAP account: what the server lists, and what the user changed since.

`server_name` is the name on the wire, `listed_as` the name that was shown for it. A folder whose name differs from that
was renamed here, one that is removed here and still has a `server_name` is to be removed there, and one that has
neither was made here.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from termmail.mail import sanitize
from termmail.mail.model import DRAFTS_NAME, OUTBOX_NAME, ROLE_NAMES, Role
from termmail.store import folders, imap_drafts, mentions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from termmail.store.store import Store

_COLUMNS = "id, name, role, server_name, listed_as, uidvalidity, uidnext, highestmodseq, removed"


class ServerFolder(Struct, frozen=True):
    """A folder as the server lists it.

    `server_name` is as on the wire, `name` the same for people with "/" between levels. `uidvalidity` and `uidnext` are
    None where STATUS did not tell them.
    """

    server_name: bytes
    name: str
    role: Role
    uidvalidity: int | None = None
    uidnext: int | None = None


class ImapFolder(Struct, frozen=True):
    """A folder of the store with the state of its last synchronization; the numbers are None before the first one."""

    folder_id: int
    name: str
    role: Role
    server_name: bytes | None
    listed_as: str | None
    uidvalidity: int | None
    uidnext: int | None
    highestmodseq: int | None
    removed: bool


def begin(store: Store, account: str) -> None:
    """Note that an account is received by IMAP, and create its standard folders."""
    if store.read_one("SELECT 1 FROM imap_account WHERE account = ?", (account,)) is None:
        with store.transaction() as db:
            db.execute("INSERT OR IGNORE INTO imap_account (account) VALUES (?)", (account,))
    folders.ensure(store, account)


def last_sync(store: Store, account: str) -> int | None:
    """Return when the last synchronization ended (UTC seconds), or None."""
    found = store.read_one("SELECT last_sync FROM imap_account WHERE account = ?", (account,))
    return found[0] if found else None


def synced(store: Store, account: str, now: int) -> None:
    """Note that a synchronization ended."""
    with store.transaction() as db:
        db.execute("UPDATE imap_account SET last_sync = ? WHERE account = ?", (now, account))


def all_folders(store: Store, account: str) -> list[ImapFolder]:
    """Return the folders of an account, also those that were removed here and not yet on the server."""
    rows = store.read(
        f"SELECT {_COLUMNS} FROM folder WHERE account = ? AND (removed = 0 OR server_name IS NOT NULL)",  # noqa: S608
        (account,),
    )
    return [_folder(row) for row in rows]


def get(store: Store, folder_id: int) -> ImapFolder:
    """Return one folder. Raises KeyError."""
    row = store.read_one(f"SELECT {_COLUMNS} FROM folder WHERE id = ?", (folder_id,))  # noqa: S608 - a text of ours
    if row is None:
        raise KeyError(folder_id)
    return _folder(row)


def _folder(row: tuple[Any, ...]) -> ImapFolder:
    folder_id, name, role, server_name, listed_as, uidvalidity, uidnext, highestmodseq, removed = row
    return ImapFolder(
        folder_id, name, Role(role), server_name, listed_as, uidvalidity, uidnext, highestmodseq, removed == 1
    )


def take_listing(store: Store, account: str, listing: Sequence[ServerFolder]) -> bool:
    """Store which folders the server has, and return whether that changed any.

    A folder that is listed under another name was renamed there if it has the UIDVALIDITY of one that is not listed any
    more, and of no other folder, and no lower UIDNEXT. One that is no longer listed loses its `server_name`; its messages
    may turn up in another folder.
    """
    with store.transaction() as db:
        before = db.total_changes
        known = {one.server_name: one for one in all_folders(store, account) if one.server_name is not None}
        listed = {one.server_name for one in listing}
        lost = [one for name, one in known.items() if name not in listed]
        validities = Counter(one.uidvalidity for one in known.values())
        for one in listing:
            old = known.get(one.server_name) or _renamed_from(one, lost, validities)
            if old is None:
                _add(db, account, one)
                continue
            if old in lost:
                lost.remove(old)
            _update(db, account, one, old)
        for gone in lost:
            _lose(db, gone)
        return db.total_changes > before


def add(store: Store, account: str, one: ServerFolder) -> ImapFolder:
    """Store a folder that was made on the server, and return it."""
    with store.transaction() as db:
        _add(db, account, one)
    ((folder_id,),) = store.read(
        "SELECT id FROM folder WHERE account = ? AND server_name = ?", (account, one.server_name)
    )
    return get(store, folder_id)


def _renamed_from(
    one: ServerFolder, lost: Iterable[ImapFolder], validities: Mapping[int | None, int]
) -> ImapFolder | None:
    """Return the folder that was called otherwise before, or None. `validities` counts the folders by UIDVALIDITY."""
    found = [
        old
        for old in lost
        if old.uidvalidity is not None
        and validities[old.uidvalidity] == 1
        and (old.uidvalidity, old.role) == (one.uidvalidity, one.role)
        and (one.uidnext or 0) >= (old.uidnext or 0) > 1
    ]
    return found[0] if len(found) == 1 else None


def _add(db: sqlite3.Connection, account: str, one: ServerFolder) -> None:
    """Bind a local folder of this role or name to one of the server, or create it."""
    if one.role is not Role.NONE:
        row = db.execute(
            "SELECT id, server_name FROM folder WHERE account = ? AND role = ?", (account, one.role)
        ).fetchone()
    else:
        row = db.execute(
            "SELECT id, server_name FROM folder WHERE account = ? AND name = ? AND removed = 0 AND role = 'none'",
            (account, one.name),
        ).fetchone()
    if row is not None and row[1] is None:
        db.execute(
            "UPDATE folder SET server_name = ?, listed_as = name, uidvalidity = NULL, uidnext = NULL,"
            " highestmodseq = NULL WHERE id = ?",
            (one.server_name, row[0]),
        )
        return
    role = Role.NONE if row is not None else one.role  # the role is taken: the server gave it to two folders
    name = _shown_name(db, account, one, role)
    db.execute(
        "INSERT INTO folder (account, name, role, server_name, listed_as) VALUES (?, ?, ?, ?, ?)",
        (account, name, role, one.server_name, name),
    )


def _update(db: sqlite3.Connection, account: str, one: ServerFolder, old: ImapFolder) -> None:
    if one.role not in {old.role, Role.NONE} and old.role is not Role.INBOX:
        _give_role(db, account, one.role, old.folder_id)
    if one.server_name == old.server_name:
        return
    db.execute("UPDATE folder SET server_name = ? WHERE id = ?", (one.server_name, old.folder_id))
    if old.role is Role.NONE and old.name == old.listed_as:  # a name that the user gave here stays
        name = _shown_name(db, account, one, old.role)
        db.execute("UPDATE folder SET name = ?, listed_as = ? WHERE id = ?", (name, name, old.folder_id))
        mentions.follow_folder(db, old.name, name)


def _give_role(db: sqlite3.Connection, account: str, role: Role, folder_id: int) -> None:
    """Give a folder another role, as config.toml or the server says now. A local folder that had it goes if it is empty."""
    before = db.execute("SELECT id, server_name FROM folder WHERE account = ? AND role = ?", (account, role)).fetchone()
    if before is not None:
        empty = db.execute("SELECT 1 FROM placement WHERE folder = ?", (before[0],)).fetchone() is None
        gone = before[1] is None and empty
        db.execute("UPDATE folder SET role = 'none', removed = ? WHERE id = ?", (gone, before[0]))
    ((old_role,),) = db.execute("SELECT role FROM folder WHERE id = ?", (folder_id,)).fetchall()
    if role is Role.DRAFTS:
        if before is not None:
            imap_drafts.end_folder(db, before[0])
        imap_drafts.begin_folder(db, account, folder_id)
    elif old_role == Role.DRAFTS:
        imap_drafts.end_folder(db, folder_id)
    db.execute("UPDATE folder SET role = ? WHERE id = ?", (role, folder_id))


def _shown_name(db: sqlite3.Connection, account: str, one: ServerFolder, role: Role) -> str:
    """Return a name that no folder has and no list: the server's, cleaned and cut."""
    if role in ROLE_NAMES:
        return folders.free_name(db, account, ROLE_NAMES[role])
    levels = (sanitize.clean_words(level) for level in one.name.split("/"))
    name = "/".join(level for level in levels if level)[: folders.LONGEST_NAME] or "Folder"
    if name.casefold() in {DRAFTS_NAME.casefold(), OUTBOX_NAME.casefold()}:
        name = f"{name} on the server"
    return folders.free_name(db, account, name)


def _lose(db: sqlite3.Connection, gone: ImapFolder) -> None:
    """Note that the server no longer has a folder. A folder of the user's own leaves the list when it is empty."""
    db.execute(
        "UPDATE folder SET server_name = NULL, uidvalidity = NULL, uidnext = NULL, highestmodseq = NULL WHERE id = ?",
        (gone.folder_id,),
    )
    for table in ("imap_message", "imap_draft"):
        db.execute(f"UPDATE {table} SET uid = NULL WHERE folder = ?", (gone.folder_id,))  # noqa: S608 - a name of ours


def forget_lost(db: sqlite3.Connection, account: str) -> None:
    """Let the folders that the server no longer has leave the list; one with messages of its own is made there again."""
    lost = "account = ? AND role = 'none' AND server_name IS NULL AND listed_as IS NOT NULL"
    empty = "NOT EXISTS (SELECT 1 FROM placement p WHERE p.folder = folder.id)"
    db.execute(f"UPDATE folder SET removed = 1 WHERE {lost} AND {empty}", (account,))  # noqa: S608 - texts of ours
    db.execute(f"UPDATE folder SET listed_as = NULL WHERE {lost} AND NOT {empty}", (account,))  # noqa: S608


def opened(store: Store, folder_id: int, uidvalidity: int, uidnext: int | None, highestmodseq: int | None) -> None:
    """Store up to where a folder is synchronized."""
    with store.transaction() as db:
        db.execute(
            "UPDATE folder SET uidvalidity = ?, uidnext = ?, highestmodseq = ? WHERE id = ?",
            (uidvalidity, uidnext, highestmodseq, folder_id),
        )


# -- what the user changed


def waiting(store: Store, account: str) -> list[int]:
    """Return the ids of the folders that were made, renamed or removed here, and that the server does not know so yet."""
    found = [*to_create(store, account), *to_rename(store, account), *to_remove(store, account)]
    return [one.folder_id for one in found]


def to_create(store: Store, account: str) -> list[ImapFolder]:
    """Return the folders that were made here and that the server does not have yet."""
    return [
        one
        for one in all_folders(store, account)
        if one.role is Role.NONE and one.server_name is None and one.listed_as is None and not one.removed
    ]


def to_rename(store: Store, account: str) -> list[ImapFolder]:
    """Return the folders that have another name here than on the server."""
    return [
        one
        for one in all_folders(store, account)
        if one.role is Role.NONE and one.server_name is not None and one.name != one.listed_as and not one.removed
    ]


def to_remove(store: Store, account: str) -> list[ImapFolder]:
    """Return the folders that were removed here, and of which the server has no message any more that is known here."""
    return [
        one
        for one in all_folders(store, account)
        if one.removed
        and store.read_one("SELECT 1 FROM imap_message WHERE folder = ? LIMIT 1", (one.folder_id,)) is None
    ]


def bound(store: Store, folder_id: int, server_name: bytes) -> None:
    """Store the name under which the server has a folder now, as it is called here."""
    with store.transaction() as db:
        db.execute("UPDATE folder SET server_name = ?, listed_as = name WHERE id = ?", (server_name, folder_id))


def renamed(store: Store, folder_id: int, server_name: bytes, delimiter: bytes) -> None:
    """Store that the server has renamed a folder as it is called here, and with it those below it."""
    one = get(store, folder_id)
    with store.transaction() as db:
        bound(store, folder_id, server_name)
        (account,) = db.execute("SELECT account FROM folder WHERE id = ?", (folder_id,)).fetchone()
        above = (one.server_name or b"") + delimiter
        for child in all_folders(store, account):
            if child.server_name is not None and child.server_name.startswith(above) and delimiter:
                _follow(db, account, child, server_name + child.server_name[len(above) - len(delimiter) :], one)


def _follow(db: sqlite3.Connection, account: str, child: ImapFolder, server_name: bytes, above: ImapFolder) -> None:
    """Store the new name of a folder below one that the server has renamed. A name that the user gave it here stays."""
    db.execute("UPDATE folder SET server_name = ? WHERE id = ?", (server_name, child.folder_id))
    shown_above = f"{above.listed_as}/"
    if child.listed_as and child.listed_as.startswith(shown_above) and child.role is Role.NONE:
        shown = f"{above.name}/{child.listed_as[len(shown_above) :]}"
        if child.name != child.listed_as:
            db.execute("UPDATE folder SET listed_as = ? WHERE id = ?", (shown, child.folder_id))
        elif child.name != shown:
            free = folders.free_name(db, account, shown)
            db.execute("UPDATE folder SET name = ?, listed_as = ? WHERE id = ?", (free, free, child.folder_id))
            mentions.follow_folder(db, child.name, free)


def named(store: Store, folder_id: int, server_name: bytes) -> None:
    """Store what the server calls a folder, which is still to get the name that it has here."""
    with store.transaction() as db:
        db.execute("UPDATE folder SET server_name = ? WHERE id = ?", (server_name, folder_id))


def unbound(store: Store, folder_id: int) -> None:
    """Note that the server has removed a folder that was removed here."""
    with store.transaction() as db:
        db.execute("UPDATE folder SET server_name = NULL, listed_as = NULL WHERE id = ?", (folder_id,))


def refused(store: Store, folder_id: int) -> None:
    """Take back a new name that the server refused, or the removal."""
    with store.transaction() as db:
        account, listed_as, name = db.execute(
            "SELECT account, listed_as, name FROM folder WHERE id = ?", (folder_id,)
        ).fetchone()
        db.execute("UPDATE folder SET name = '' WHERE id = ?", (folder_id,))  # so that its own name is free
        back = folders.free_name(db, account, listed_as or name)
        db.execute("UPDATE folder SET removed = 0, name = ?, listed_as = ? WHERE id = ?", (back, back, folder_id))
