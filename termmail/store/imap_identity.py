"""Which messages the folders of an IMAP server hold, and what each is here.

A row of `imap_message` is a message in a folder of the server, as the server last said: its UID under the UIDVALIDITY
of the folder, and its flags. What the user wants is in the flags and placements of the message; `imap_pending` finds
the differences. A message that has left a folder keeps its row without a UID until every folder was looked at: if it
turns up in another one it was moved, and if not it is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.mail.model import Flag
from termmail.store import imap_folders, messages, placements
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from termmail.store.store import Store

_FLAGS = (Flag.UNREAD, Flag.STARRED, Flag.ANSWERED, Flag.FORWARDED)


STEP = 2000
"""Messages that one call decides about: other work of the store gets in between."""


class OnServer(Struct, frozen=True):
    """Where a server has a message: what FETCH needs, and what proves that it is the same one."""

    folder_id: int
    uid: int
    size: int
    fingerprint: bytes


# -- what a folder has


def uids(store: Store, folder_id: int) -> list[int]:
    """Return the UIDs that are known of a folder, ascending."""
    rows = store.read("SELECT uid FROM imap_message WHERE folder = ? AND uid IS NOT NULL ORDER BY uid", (folder_id,))
    return [uid for (uid,) in rows]


def count(store: Store, folder_id: int) -> int:
    """Return how many messages of a folder are known."""
    ((found,),) = store.read("SELECT count(*) FROM imap_message WHERE folder = ? AND uid IS NOT NULL", (folder_id,))
    return int(found)


def counts(store: Store, folder_id: int) -> tuple[int, int]:
    """Return how many messages of a folder are known, and how many of them are unread on the server."""
    rows = store.read(
        "SELECT count(*), coalesce(sum(flags & 1), 0) FROM imap_message WHERE folder = ? AND uid IS NOT NULL",
        (folder_id,),
    )
    return int(rows[0][0]), int(rows[0][1])


def set_flags(store: Store, folder_id: int, rows: Sequence[tuple[int, int]], kept: int) -> list[int]:
    """Store the flags that the server tells, (UID, mask) each, and return the messages that this changed here.

    A flag that the user changed here stays as it is; every other one becomes what the server says. `kept` is the mask
    of the flags that the folder keeps: of others its word means nothing.
    """
    with store.transaction() as db:
        return set_known_flags(db, folder_id, rows, kept)


def set_known_flags(db: sqlite3.Connection, folder_id: int, rows: Sequence[tuple[int, int]], kept: int) -> list[int]:
    """Do what `set_flags` does inside the caller's transaction."""
    told = dict(rows)
    changed: list[int] = []
    for row_id, uid, message_id, flags in db.execute(
        f"SELECT id, uid, message, flags FROM imap_message WHERE folder = ? AND uid {IN_IDS}",  # noqa: S608
        (folder_id, id_list(told)),
    ).fetchall():
        now = (told[uid] & kept) | (flags & ~kept)
        if flags == now:
            continue
        db.execute("UPDATE imap_message SET flags = ? WHERE id = ?", (now, row_id))
        if message_id is not None and take_flags(db, message_id, flags, now):
            changed.append(message_id)
    return changed


def _mask(db: sqlite3.Connection, message_id: int) -> int:
    ((unread, starred, answered, forwarded),) = db.execute(
        "SELECT unread, starred, answered, forwarded FROM message WHERE id = ?", (message_id,)
    ).fetchall()
    return int(unread + 2 * starred + 4 * answered + 8 * forwarded)


def take_flags(db: sqlite3.Connection, message_id: int, base: int, told: int) -> bool:
    """Give a message those flags that changed on the server from `base` to `told`, unless the user changed them too.

    The row has the new flags already, so that what is equal then does not become pending.
    """
    here = _mask(db, message_id)
    wanted = (here & (here ^ base)) | (told & ~(here ^ base))
    if wanted == here:
        return False
    db.execute(
        "UPDATE message SET unread = ?, starred = ?, answered = ?, forwarded = ? WHERE id = ?",
        (*(int(bool(wanted & flag)) for flag in _FLAGS), message_id),
    )
    return True


def vanish(store: Store, folder_id: int, gone: Iterable[int]) -> int:
    """Note that UIDs are no longer in a folder, and return how many of them were known.

    What they name may turn up in another folder; `forget_gone` removes what did not.
    """
    with store.transaction() as db:
        wanted = id_list(gone)
        db.execute(
            f"DELETE FROM imap_message WHERE folder = ? AND message IS NULL AND uid {IN_IDS}",  # noqa: S608
            (folder_id, wanted),
        )
        left = db.execute(
            f"UPDATE imap_message SET uid = NULL WHERE folder = ? AND uid {IN_IDS}",  # noqa: S608
            (folder_id, wanted),
        )
    return left.rowcount


def renumber(store: Store, folder_id: int) -> int:
    """Note that the UIDs of a folder are no longer valid (a new UIDVALIDITY), and return how many there were.

    Every message is recognized when its header is fetched again.
    """
    with store.transaction() as db:
        db.execute("DELETE FROM imap_message WHERE folder = ? AND message IS NULL", (folder_id,))
        left = db.execute("UPDATE imap_message SET uid = NULL WHERE folder = ?", (folder_id,))
        db.execute(
            "UPDATE folder SET uidvalidity = NULL, uidnext = NULL, highestmodseq = NULL WHERE id = ?", (folder_id,)
        )
    return left.rowcount


def last_id(store: Store) -> int:
    """Return the id of the message that was added last."""
    ((found,),) = store.read("SELECT coalesce(max(id), 0) FROM message")
    return int(found)


class Settled(Struct, frozen=True):
    """How many messages were removed, and found again elsewhere; whether there are more to decide about."""

    gone: int
    found: int
    more: bool


def forget_gone(store: Store, account: str, newer_than: int) -> Settled:
    """Remove the messages that the server has in no folder any more. Call it after a look at every folder, until no `more`.

    What was taken for new in this look, by its id after `newer_than`, and is a message that has left another folder,
    becomes that one again: its body and its changes are kept. One that the user has changed here is looked for once more
    (`look_again`): it may have been moved between the looks at two folders. One that the user has put into another folder
    stays there if all of it is here: it is then stored on the server anew. On the disk on return.
    """
    with store.transaction(durable=True) as db:
        rows = db.execute(
            "SELECT i.id, i.folder, i.message FROM imap_message i JOIN folder f ON f.id = i.folder"
            " WHERE f.account = ? AND i.uid IS NULL AND (i.looked_for = 1 OR NOT EXISTS"
            " (SELECT 1 FROM imap_pending w WHERE w.message = i.message)) LIMIT ?",
            (account, STEP),
        ).fetchall()
        found = 0
        for row_id, folder_id, message_id in rows:
            if message_id is not None and _found_as_new(db, row_id, newer_than):
                found += 1
                continue
            db.execute("DELETE FROM imap_message WHERE id = ?", (row_id,))
            if message_id is not None:
                db.execute("DELETE FROM placement WHERE message = ? AND folder = ?", (message_id, folder_id))
        left = {message_id for _, _, message_id in rows if message_id is not None}
        _place_where_the_server_has_them(db, left)
        gone = _without_place(db, left)
        messages.delete(db, gone)
        imap_folders.forget_lost(db, account)
    return Settled(len(gone), found, len(rows) == STEP)


def look_again(store: Store, account: str, newer_than: int) -> int:
    """Give one more look to what has not turned up yet, now that every folder was looked at.

    What was taken for new in this look, by its id after `newer_than`, is recognized now; return how many.
    """
    left = "uid IS NULL AND looked_for = 0 AND folder IN (SELECT id FROM folder WHERE account = ?)"
    rows = store.read(f"SELECT id FROM imap_message WHERE {left} AND message IS NOT NULL", (account,))  # noqa: S608 - ours
    found = 0
    if rows:
        with store.transaction(durable=True) as db:
            found = sum(_found_as_new(db, row_id, newer_than) for (row_id,) in rows)
            db.execute(f"UPDATE imap_message SET looked_for = 1 WHERE {left}", (account,))  # noqa: S608 - a text of ours
    return found


def _found_as_new(db: sqlite3.Connection, row_id: int, newer_than: int) -> bool:
    """Give a message that has left a folder the place of its copy that was taken for new; return whether there is one."""
    folder_id, message_id, flags, fingerprint, size = db.execute(
        "SELECT folder, message, flags, fingerprint, size FROM imap_message WHERE id = ?", (row_id,)
    ).fetchone()
    found = db.execute(
        "SELECT i.id, i.folder, i.message, i.flags FROM imap_message i JOIN message n ON n.id = i.message"
        " JOIN message m ON m.id = ? WHERE i.message > ? AND i.fingerprint = ? AND i.size = ? AND i.uid IS NOT NULL"
        " AND n.account = m.account AND NOT EXISTS (SELECT 1 FROM imap_pending w WHERE w.message = n.id) LIMIT 1",
        (message_id, newer_than, fingerprint, size),
    ).fetchone()
    if found is None:
        return False
    new_row, new_folder, copy_id, told = found
    db.execute("DELETE FROM imap_message WHERE id = ?", (row_id,))
    db.execute("UPDATE imap_message SET message = ? WHERE id = ?", (message_id, new_row))
    if db.execute("DELETE FROM placement WHERE message = ? AND folder = ?", (message_id, folder_id)).rowcount:
        placements.place_as_on_server(db, [message_id], new_folder)
    take_flags(db, message_id, flags, told)
    messages.delete(db, [copy_id])
    return True


def _place_where_the_server_has_them(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Put messages that are in no folder here into those in which the server has them: nobody deleted them."""
    rows = db.execute(
        f"SELECT message, folder FROM imap_message i WHERE message {IN_IDS} AND uid IS NOT NULL"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = i.message)",
        (id_list(message_ids),),
    ).fetchall()
    for message_id, folder_id in rows:
        placements.place_as_on_server(db, [message_id], folder_id)


def _without_place(db: sqlite3.Connection, message_ids: Iterable[int]) -> list[int]:
    """Return those messages that are in no folder, here or there, or of which only the header is here."""
    rows = db.execute(
        f"SELECT id FROM message m WHERE id {IN_IDS}"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = m.id)"
        " AND (downloaded = 0 OR NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id))",
        (id_list(message_ids),),
    )
    return [message_id for (message_id,) in rows]


# -- bodies


def on_server(store: Store, message_id: int) -> OnServer | None:
    """Return where the server has a message, or None where it has not."""
    found = store.read_one(
        "SELECT folder, uid, size, fingerprint FROM imap_message WHERE message = ? AND uid IS NOT NULL ORDER BY id LIMIT 1",
        (message_id,),
    )
    return OnServer(*found) if found else None


def where_on_server(store: Store, message_ids: Iterable[int]) -> list[tuple[int, OnServer]]:
    """Return those of the messages that the server has, and where, in their order."""
    found = ((message_id, on_server(store, message_id)) for message_id in message_ids)
    return [(message_id, where) for message_id, where in found if where is not None]


def count_to_download(store: Store, account: str, since: int) -> int:
    """Return of how many messages not older than `since` the bodies are only on the server."""
    ((found,),) = store.read(
        "SELECT count(*) FROM message m WHERE account = ? AND downloaded = 0 AND sort_date >= ?"
        " AND EXISTS (SELECT 1 FROM imap_message i WHERE i.message = m.id AND i.uid IS NOT NULL)",
        (account, since),
    )
    return int(found)


def to_download(store: Store, folder_id: int, since: int, limit: int) -> list[tuple[int, OnServer]]:
    """Return messages of a folder not older than `since` whose bodies are only on the server, newest first."""
    rows = store.read(
        "SELECT m.id, i.folder, i.uid, i.size, i.fingerprint FROM placement p JOIN message m ON m.id = p.message"
        " JOIN imap_message i ON i.message = m.id AND i.folder = p.folder"
        " WHERE p.folder = ? AND p.sort_date >= ? AND m.downloaded = 0 AND i.uid IS NOT NULL"
        " ORDER BY p.sort_date DESC, p.message DESC LIMIT ?",
        (folder_id, since, limit),
    )
    return [(message_id, OnServer(*where)) for message_id, *where in rows]
