"""Messages as a reader sees them: lists, rows, raw bytes."""

from __future__ import annotations

import json
from array import array
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from termmail.mail.model import DISCARDED, Flag, MessageRow, Order, RemoteState, Role
from termmail.store import (
    contacts,
    conversations,
    derived,
    folders,
    marked_ids,
    placements,
    raw_bytes,
    remote_state,
    row_marks,
    search_index,
)
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from termmail.store.derived import Columns, Derived
    from termmail.store.store import Store

_ROWS = (
    "SELECT m.id, m.account, f.id, f.name, f.role, m.sender, m.recipients, m.subject, m.snippet, m.sort_date, m.size,"
    " m.unread, m.starred, m.answered, m.forwarded, m.attachments, m.downloaded, coalesce(r.state,"
    " (SELECT iif(i.uid IS NULL, 'absent', 'kept') FROM imap_message i WHERE i.message = m.id ORDER BY i.id LIMIT 1)),"
    " coalesce(r.uidl, x''), m.message_id, coalesce(r.words, ''), m.thread"
    " FROM message m JOIN placement p ON p.message = m.id JOIN folder f ON f.id = p.folder"
    " LEFT JOIN remote r ON r.message = m.id WHERE m.id IN (%s)"
)
_ROLE, _STATE = 4, 17
_TRUTHS = (11, 12, 13, 14, 16)
_CHUNK = 200

_INSERT = (
    "INSERT INTO message (account, received, size, unread, starred, answered, forwarded, downloaded, indexed, snippet,"
    " sort_date, sender, recipients, subject, message_id, in_reply_to, refs, attachments)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

_ORDERS = {
    Order.SENDER: "m.sender COLLATE NOCASE, m.sort_date DESC, m.id DESC",
    Order.SUBJECT: "m.subject COLLATE NOCASE, m.sort_date DESC, m.id DESC",
    Order.SIZE: "m.size DESC, m.id DESC",
}


def ids(
    store: Store, folder_ids: Sequence[int], limit: int | None = None, *, order: Order = Order.NEWEST
) -> array[int]:
    """Return the ids of the messages in these folders, sorted, at most `limit` of them; without those that are snoozed."""
    return array("q", dict.fromkeys(row[0] for row in _in_order(store, folder_ids, limit, order)))


def threads(store: Store, folder_ids: Sequence[int], *, order: Order = Order.NEWEST) -> Iterator[tuple[int, int]]:
    """Yield the messages in these folders with their conversations, (id, thread) each, as `ids` sorts them."""
    return ((row[0], row[1]) for row in _in_order(store, folder_ids, None, order))


def _in_order(store: Store, folder_ids: Sequence[int], limit: int | None, order: Order) -> Iterator[tuple[int, ...]]:
    """Yield rows of message, thread and maybe more; a message in several of the folders has several."""
    snoozed = marked_ids.hidden(store, folder_ids)
    found = _placed(store, folder_ids, -1 if limit is None else limit + len(snoozed), order)
    return islice((row for row in found if row[0] not in snoozed), limit) if snoozed else found


def _placed(store: Store, folder_ids: Sequence[int], most: int, order: Order) -> Iterator[tuple[int, ...]]:
    """Yield at most `most` such rows (-1: all), also of messages that are snoozed."""
    if order in _ORDERS:
        marks = ",".join("?" * len(folder_ids))
        return store.iterate(
            "SELECT DISTINCT m.id, m.thread FROM placement p JOIN message m ON m.id = p.message"  # noqa: S608 - texts of ours
            f" WHERE p.folder IN ({marks}) ORDER BY {_ORDERS[order]} LIMIT ?",
            (*folder_ids, most),
        )
    down = "" if order is Order.OLDEST else " DESC"
    if len(folder_ids) == 1:
        return store.iterate(
            f"SELECT message, thread FROM placement WHERE folder = ? ORDER BY sort_date{down}, message{down} LIMIT ?",  # noqa: S608
            (folder_ids[0], most),
        )
    # SQLite merges the sorted scans of a compound SELECT; an IN (...) would sort everything.
    one = "SELECT message, thread, sort_date FROM placement WHERE folder = ?"
    parts = " UNION ALL ".join([one] * len(folder_ids))
    values = (*folder_ids, most)
    return store.iterate(f"{parts} ORDER BY 3{down}, 1{down} LIMIT ?", values) if folder_ids else iter(())


def placements_of(store: Store, threads: Iterable[int], folder_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return where messages of these conversations are in these folders, (message, folder) each, newest first."""
    rows = store.read(  # CROSS: SQLite would go through the whole folder
        "SELECT p.message, p.folder FROM message m CROSS JOIN placement p ON p.message = m.id"  # noqa: S608 - texts of ours
        f" WHERE m.thread {IN_IDS} AND p.folder {IN_IDS} AND NOT EXISTS (SELECT 1 FROM snooze z"
        " WHERE z.message = p.message AND z.folder = p.folder) ORDER BY m.sort_date DESC, m.id DESC",
        (id_list(threads), id_list(folder_ids)),
    )
    return [(row[0], row[1]) for row in rows]


class Arrival(Struct, frozen=True):
    """What is said of a new message: its account, and sender and subject as a list shows them."""

    account: str
    sender: str
    subject: str


def arrivals(store: Store, ids: Sequence[int], since: int) -> list[Arrival]:
    """Return those of the messages that are news: unread, in an inbox, not older than `since`, of no muted conversation."""
    found = store.read(
        "SELECT m.account, m.sender, m.subject FROM message m"  # noqa: S608 - a text of ours
        f" WHERE m.id {IN_IDS} AND m.unread = 1 AND m.sort_date >= ? AND EXISTS (SELECT 1 FROM placement p"
        " JOIN folder f ON f.id = p.folder WHERE p.message = m.id AND f.role = 'inbox')"
        " AND m.thread NOT IN (SELECT thread FROM muted_thread) ORDER BY m.sort_date DESC, m.id DESC",
        (id_list(ids), since),
    )
    return [Arrival(*row) for row in found]


def all_ids(store: Store) -> array[int]:
    """Return the ids of every message of every account, in the order they came."""
    return array("q", chain.from_iterable(store.read("SELECT id FROM message ORDER BY id")))


def without_body(store: Store, account: str, since: int, *, largest: int, limit: int) -> list[int]:
    """Return messages of an account of which only the header is here, newest first.

    They are not older than `since`, not larger than `largest` bytes, and neither in Trash nor in Junk.
    """
    away = folders.ids_with_roles(sorted(DISCARDED))
    rows = store.read(
        "SELECT m.id FROM message m WHERE m.account = ? AND m.downloaded = 0 AND m.sort_date >= ? AND m.size <= ?"  # noqa: S608
        f" AND EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.folder NOT IN {away})"
        " ORDER BY m.sort_date DESC LIMIT ?",
        (account, since, largest, limit),
    )
    return [message_id for (message_id,) in rows]


def rows(
    store: Store, ids: Sequence[int], folder_ids: Sequence[int] = (), places: Mapping[int, int] | None = None
) -> list[MessageRow]:
    """Return the list lines of these messages in their order; messages that are gone are left out.

    A message that lies in several folders is shown in the one that `places` has for it, in the first of `folder_ids` it
    lies in, or else in one that is neither Junk nor Trash.
    """
    found: dict[int, tuple[tuple[int, int, int], tuple[Any, ...]]] = {}
    wanted = set(folder_ids)
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        for row in store.read(_ROWS % ",".join("?" * len(chunk)), chunk):
            is_wanted = places[row[0]] == row[2] if places and row[0] in places else row[2] in wanted
            rank = (not is_wanted, row[_ROLE] in DISCARDED, row[2])
            if row[0] not in found or rank < found[row[0]][0]:
                found[row[0]] = rank, row
    return row_marks.added(store, [_row(found[message_id][1]) for message_id in ids if message_id in found])


def row(store: Store, message_id: int) -> MessageRow | None:
    """Return one list line, or None where the message is gone."""
    found = rows(store, (message_id,))
    return found[0] if found else None


def _row(values: tuple[Any, ...]) -> MessageRow:
    told: list[Any] = [*values]
    told[_ROLE] = Role(told[_ROLE])
    told[_STATE] = RemoteState(told[_STATE]) if told[_STATE] else None
    for place in _TRUTHS:
        told[place] = told[place] == 1
    return MessageRow(*told)


def raw(store: Store, message_id: int) -> tuple[bytes, bool]:
    """Return the bytes as received, and whether they are the whole message (else its header block). Raises KeyError."""
    found = store.read_one("SELECT bytes, packed, complete FROM raw WHERE id = ?", (message_id,))
    if found is None:
        raise KeyError(message_id)
    return raw_bytes.unpack(found[0], found[1]), found[2] == 1


def add_raw(store: Store, message_id: int, raw: bytes, found: Derived) -> None:
    """Store a whole message: `raw` byte for byte, and what was derived from it. On the disk on return.

    A message that was erased in the meantime stays erased. Joins an open durable transaction.
    """
    with store.transaction(durable=True) as db:
        keep_raw(db, message_id, raw, found)


def keep_raw(db: sqlite3.Connection, message_id: int, raw: bytes, found: Derived) -> None:
    """Do what `add_raw` does inside the caller's transaction."""
    row = db.execute("SELECT received FROM message WHERE id = ?", (message_id,)).fetchone()
    if row is not None:
        _put_bytes(db, message_id, raw)
        derived.write(db, message_id, row[0], found)


def add_raws(store: Store, page: Iterable[tuple[int, bytes]]) -> None:
    """Store many whole messages, (id, bytes) each, in one transaction. On the disk on return.

    The caller has checked that each begins with the header block it was listed with. A message that was erased in the
    meantime stays erased. What is derived from the bodies follows with `search.store_indexed`.
    """
    with store.transaction(durable=True) as db:
        for message_id, raw in page:
            _put_bytes(db, message_id, raw)


def _put_bytes(db: sqlite3.Connection, message_id: int, raw: bytes) -> None:
    db.execute("UPDATE raw SET bytes = ?, packed = ?, complete = 1 WHERE id = ?", (*raw_bytes.pack(raw), message_id))
    # What was indexed so far is the header.
    db.execute(
        "UPDATE message SET downloaded = 1, size = ?, indexed = min(indexed, 1) WHERE id = ?", (len(raw), message_id)
    )
    remote_state.fetched(db, message_id, raw)


def add_local(
    store: Store,
    account: str,
    folder_id: int,
    raw: bytes,
    found: Derived,
    *,
    unread: bool = False,
    received: int,
    written: bool = False,
) -> int:
    """Add a whole message that no server knows of (an import, a Sent copy) to a folder, and return its id.

    `found` is what was derived from `raw`, `received` when it came, `written` whether the user wrote it: then the
    people it went to are counted as contacts, not its sender. On the disk on return.
    """
    (message_id,) = add_locals(
        store, account, folder_id, [(raw, found)], unread=unread, received=received, written=written
    )
    return message_id


def add_locals(
    store: Store,
    account: str,
    folder_id: int,
    mail: Sequence[tuple[bytes, Derived]],
    *,
    unread: bool = False,
    received: int,
    written: bool = False,
) -> list[int]:
    """Add many messages, bytes and what was derived from them each, as `add_local` adds one; return their ids."""
    ids: list[int] = []
    people = contacts.Tally()
    with store.transaction(durable=True) as db:
        for raw, found in mail:
            columns = derived.columns(found.envelope, received, found.attachments)
            flags = Flag.UNREAD if unread else 0
            message_id = insert(
                db, account, received, len(raw), columns, flags=flags, whole=True, snippet=found.snippet
            )
            packed = raw_bytes.pack(raw)
            db.execute("INSERT INTO raw (id, complete, bytes, packed) VALUES (?, 1, ?, ?)", (message_id, *packed))
            search_index.add(db, message_id, account, len(raw), columns.sort_date, found)
            people.message(contacts.people(found.envelope, written=written), columns.sort_date, written=written)
            ids.append(message_id)
        conversations.group(db, ids)
        placements.place(db, ids, folder_id)
        people.save(db)
    return ids


def insert(
    db: sqlite3.Connection,
    account: str,
    received: int,
    size: int,
    columns: Columns,
    *,
    flags: int = Flag.UNREAD,
    whole: bool = False,
    snippet: str = "",
) -> int:
    """Add the row of a message that is in no folder yet, inside the caller's transaction, and return its id.

    `flags` is a mask of Flag. One that is here as a `whole` is indexed by the caller.
    """
    truths = (flags & 1, flags >> 1 & 1, flags >> 2 & 1, flags >> 3 & 1, int(whole), 2 if whole else 0)
    return db.execute(_INSERT, (account, received, size, *truths, snippet, *columns)).lastrowid or 0


def delete(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Delete messages for good, with their bytes, placements and index entries, inside the caller's transaction."""
    wanted = list(message_ids)
    gone = id_list(wanted)
    conversations.forget_subjects(db, wanted)
    db.execute(f"DELETE FROM message WHERE id {IN_IDS}", (gone,))  # noqa: S608 - a text of ours


def find(store: Store, account: str, rfc_message_ids: Iterable[str]) -> dict[str, list[int]]:
    """Return Message-ID (without brackets) -> the ids of the account's messages that have it, oldest first."""
    found: dict[str, list[int]] = {}
    for message_id, rfc_message_id in store.read(
        "SELECT id, message_id FROM message WHERE message_id IN (SELECT value FROM json_each(?)) AND account = ?"
        " ORDER BY id",
        (json.dumps(list(rfc_message_ids)), account),
    ):
        found.setdefault(rfc_message_id, []).append(message_id)
    return found


def role_folder_ids(store: Store, role: Role) -> list[int]:
    """Return the ids of every account's folder of this role."""
    return [one.folder_id for one in folders.with_role(store, role)]
