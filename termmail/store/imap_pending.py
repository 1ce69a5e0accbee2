"""What the user changed and an IMAP server does not know yet.

Nothing is queued: what waits is the difference between a message as it is here (its flags, the folders it is in) and its
rows in `imap_message`, which are what the server last said. So a change that is undone before it was pushed leaves
nothing to do, and one that is undone later is pushed as the opposite change. `imap_pending` lists the messages in which
there may be a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.store import imap_labels, placements
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.store.store import Store

# EXISTS here and CROSS JOIN below: from the few that wait to their messages. Without statistics SQLite goes through all.
_OF = "EXISTS (SELECT 1 FROM message o WHERE o.id = imap_pending.message AND o.account = ?)"
_MASK = "m.unread + 2 * m.starred + 4 * m.answered + 8 * m.forwarded"


STEP = 1000
"""Messages that are looked at in one call: other work of the store gets in between."""


class FlagPush(Struct, frozen=True):
    """A message of a folder whose flags differ: `flags` as they should be, `base` as the server last said (masks)."""

    message_id: int
    folder_id: int
    uid: int
    flags: int
    base: int


class PlacePush(Struct, frozen=True):
    """A message whose folders differ.

    `there` are folder and UID of each copy that the server has, `gone` those of `there` that should not be, and `new`
    the folders that lack it. `complete` tells whether the whole message is here.
    """

    message_id: int
    there: tuple[tuple[int, int], ...]
    gone: tuple[tuple[int, int], ...]
    new: tuple[int, ...]
    complete: bool


class Erased(Struct, frozen=True):
    """A message that was deleted for good here, and that the server still has."""

    folder_id: int
    uid: int
    fingerprint: bytes


def next_due(store: Store, account: str, due_at: int) -> int | None:
    """Return when the next change is to be pushed (UTC seconds, 0 for at once), or None where nothing waits.

    What was changed since the last call falls due at `due_at`.
    """
    if store.read_one("SELECT 1 FROM imap_pending WHERE due_at IS NULL LIMIT 1"):
        with store.transaction() as db:
            db.execute(
                f"UPDATE imap_pending SET due_at = ? WHERE due_at IS NULL AND {_OF}",  # noqa: S608
                (due_at, account),
            )
            # A message that was erased meanwhile has nothing to push but its removal.
            db.execute(
                "DELETE FROM imap_pending WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = imap_pending.message)"
            )
    if erased(store, account):
        return 0
    ((found,),) = store.read(f"SELECT min(due_at) FROM imap_pending WHERE {_OF}", (account,))  # noqa: S608
    return None if found is None else int(found)


def make_due(store: Store, account: str, now: int, *, only: Iterable[int] | None = None) -> None:
    """Let what waits be pushed now: all of it, or that of some messages."""
    with store.transaction() as db:
        due = f"UPDATE imap_pending SET due_at = ? WHERE {_OF}"  # noqa: S608 - texts of ours
        if only is None:
            db.execute(due, (now, account))
        else:
            db.execute(f"{due} AND message {IN_IDS}", (now, account, id_list(only)))


def waiting(store: Store, account: str) -> int:
    """Return how many messages have a change that the server does not know yet."""
    ((found,),) = store.read(f"SELECT count(*) FROM imap_pending WHERE {_OF}", (account,))  # noqa: S608
    return int(found) + len(erased(store, account))


def flags(store: Store, account: str, now: int) -> list[FlagPush]:
    """Return the flags that are due to be pushed."""
    rows = store.read(
        f"SELECT m.id, i.folder, i.uid, {_MASK}, i.flags FROM imap_pending w CROSS JOIN message m ON m.id = w.message"  # noqa: S608
        f" CROSS JOIN imap_message i ON i.message = m.id WHERE m.account = ? AND w.due_at <= ? AND i.uid IS NOT NULL"
        f" AND i.flags <> {_MASK} ORDER BY i.folder, i.uid",
        (account, now),
    )
    return [FlagPush(*row) for row in rows]


def places(store: Store, account: str, now: int, after: int) -> tuple[list[PlacePush], int]:
    """Return the next messages whose folders are due to be pushed, and up to which id was looked; 0: there are no more.

    `after` is the id up to which the call before looked. A message that has just left a folder of the server is left out
    until `forget_gone` has decided about it.
    """
    due = store.read(
        "SELECT m.id, m.downloaded FROM imap_pending w CROSS JOIN message m ON m.id = w.message"
        " WHERE m.account = ? AND w.due_at <= ? AND w.message > ? ORDER BY w.message LIMIT ?",
        (account, now, after, STEP),
    )
    found: list[PlacePush] = []
    for message_id, downloaded in due:
        rows = store.read("SELECT folder, uid FROM imap_message WHERE message = ? ORDER BY id", (message_id,))
        wanted = [folder for (folder,) in store.read("SELECT folder FROM placement WHERE message = ?", (message_id,))]
        if any(uid is None for _, uid in rows) or not wanted:  # what is in no folder here was not deleted by anybody
            continue
        held = {folder for folder, _ in rows}
        gone = tuple(row for row in rows if row[0] not in wanted)
        new = tuple(sorted(folder for folder in wanted if folder not in held))
        if gone or new:
            found.append(PlacePush(message_id, tuple(rows), gone, new, downloaded == 1))
    return found, due[-1][0] if due else 0


def erased(store: Store, account: str) -> list[Erased]:
    """Return the messages to expunge."""
    rows = store.read(
        "SELECT i.folder, i.uid, i.fingerprint FROM imap_message i JOIN folder f ON f.id = i.folder"
        " WHERE i.message IS NULL AND i.uid IS NOT NULL AND f.account = ? ORDER BY i.folder, i.uid",
        (account,),
    )
    return [Erased(*row) for row in rows]


def settle(store: Store, account: str, now: int) -> None:
    """Take those messages from the list of what was due that are as their server has them."""
    with store.transaction() as db:
        db.execute(
            f"DELETE FROM imap_pending WHERE due_at <= ? AND {_OF}"  # noqa: S608 - texts of ours
            " AND NOT EXISTS (SELECT 1 FROM message m JOIN imap_message i ON i.message = m.id WHERE m.id ="
            f" imap_pending.message AND (i.uid IS NULL OR i.flags <> {_MASK} OR {imap_labels.DIFFER} OR NOT EXISTS (SELECT 1 FROM placement p"
            "   WHERE p.message = m.id AND p.folder = i.folder)))"
            " AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = imap_pending.message AND NOT EXISTS"
            "   (SELECT 1 FROM imap_message i WHERE i.message = p.message AND i.folder = p.folder))",
            (now, account),
        )


def take_flags_back(store: Store, rows: Iterable[FlagPush]) -> None:
    """Give messages the flags that their server has for them: it refused the change."""
    with store.transaction(durable=True) as db:
        db.executemany(
            "UPDATE message SET unread = ?, starred = ?, answered = ?, forwarded = ? WHERE id = ?",
            [(*(one.base >> bit & 1 for bit in range(4)), one.message_id) for one in rows],
        )


def take_back(store: Store, message_ids: Iterable[int]) -> None:
    """Put messages into the folders in which their server has them: it refused to move them.

    One that the server has in no folder stays as it is.
    """
    with store.transaction(durable=True) as db:
        for message_id in message_ids:
            rows = db.execute("SELECT folder FROM imap_message WHERE message = ? AND uid IS NOT NULL", (message_id,))
            wanted = [folder for (folder,) in rows]
            if not wanted:
                continue
            for folder_id in wanted:
                placements.place_as_on_server(db, [message_id], folder_id)
            db.execute(
                f"DELETE FROM placement WHERE message = ? AND folder NOT {IN_IDS}",  # noqa: S608
                (message_id, id_list(wanted)),
            )


def put_off(store: Store, message_ids: Iterable[int], due_at: int) -> None:
    """Let the changes of these messages wait until `due_at`."""
    with store.transaction() as db:
        db.execute(f"UPDATE imap_pending SET due_at = ? WHERE message {IN_IDS}", (due_at, id_list(message_ids)))  # noqa: S608


# -- what the server has done


def mark_deleted(store: Store, folder_id: int, uids: Iterable[int]) -> None:
    r"""Note that messages are about to be marked as \Deleted on the server, before that is sent."""
    with store.transaction(durable=True) as db:
        db.execute(
            f"UPDATE imap_message SET deleted = 1 WHERE folder = ? AND uid {IN_IDS}",  # noqa: S608
            (folder_id, id_list(uids)),
        )


def unmark_deleted(store: Store, folder_id: int, uids: Iterable[int]) -> None:
    r"""Note that messages are no longer marked as \Deleted on the server."""
    with store.transaction() as db:
        db.execute(
            f"UPDATE imap_message SET deleted = 0 WHERE folder = ? AND uid {IN_IDS}",  # noqa: S608
            (folder_id, id_list(uids)),
        )


def wrongly_deleted(store: Store, account: str) -> dict[int, list[int]]:
    r"""Return the UIDs, by folder, that were marked as \Deleted for us, and that the user keeps in that folder after all."""
    found: dict[int, list[int]] = {}
    for folder_id, uid in store.read(
        "SELECT i.folder, i.uid FROM imap_message i JOIN placement p ON p.message = i.message AND p.folder = i.folder"
        " JOIN folder f ON f.id = i.folder WHERE i.deleted = 1 AND i.uid IS NOT NULL AND f.account = ?",
        (account,),
    ):
        found.setdefault(folder_id, []).append(uid)
    return found


def flags_stored(store: Store, rows: Iterable[FlagPush]) -> None:
    """Note that the server has the new flags, or that its folder keeps no such ones."""
    with store.transaction(durable=True) as db:
        db.executemany(
            "UPDATE imap_message SET flags = ? WHERE folder = ? AND uid = ?",
            [(one.flags, one.folder_id, one.uid) for one in rows],
        )


def moved(store: Store, folder_id: int, target: int, pairs: dict[int, int], asked: Iterable[int]) -> None:
    """Note that messages were moved. `pairs` has the new UIDs by the old ones.

    Those of `asked` that it leaves out have left the folder: their headers will be found in the target.
    """
    with store.transaction(durable=True) as db:
        db.executemany(
            "UPDATE OR REPLACE imap_message SET folder = ?, uid = ? WHERE folder = ? AND uid = ?",
            [(target, new, folder_id, old) for old, new in pairs.items()],
        )
        db.executemany(
            "UPDATE imap_message SET uid = NULL WHERE folder = ? AND uid = ?",
            [(folder_id, uid) for uid in asked if uid not in pairs],
        )


def copied(store: Store, folder_id: int, target: int, pairs: dict[int, int]) -> None:
    """Note that messages were copied; `pairs` has the new UIDs by the old ones."""
    with store.transaction(durable=True) as db:
        db.executemany(
            "INSERT OR IGNORE INTO imap_message (folder, uid, message, size, fingerprint, flags, lasting_id)"
            " SELECT ?, ?, message, size, fingerprint, flags, lasting_id FROM imap_message WHERE folder = ? AND uid = ?",
            [(target, new, folder_id, old) for old, new in pairs.items()],
        )


def expunged(store: Store, folder_id: int, uids: Iterable[int]) -> None:
    """Note that messages were removed from a folder of the server."""
    with store.transaction(durable=True) as db:
        db.execute(f"DELETE FROM imap_message WHERE folder = ? AND uid {IN_IDS}", (folder_id, id_list(uids)))  # noqa: S608


def appended(  # noqa: PLR0917 - what APPENDUID tells, and the witnesses
    store: Store, message_id: int, folder_id: int, uid: int, size: int, fingerprint: bytes, flags: int
) -> None:
    """Note that the server has stored a message that was only here."""
    with store.transaction(durable=True) as db:
        db.execute(
            "INSERT OR IGNORE INTO imap_message (folder, uid, message, size, fingerprint, flags) VALUES (?, ?, ?, ?, ?, ?)",
            (folder_id, uid, message_id, size, fingerprint, flags),
        )
