"""Messages as a reader sees them: lists, flags, folders, raw bytes."""

from __future__ import annotations

import json
from array import array
from itertools import chain
from typing import TYPE_CHECKING, Any

from termmail.store import contacts, derived
from termmail.store.rows import Count, Row
from termmail.store.store import id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from termmail.mail.message import Message
    from termmail.store.store import Store

FOLDERS = ("Inbox", "Drafts", "Outbox", "Sent", "Archive", "Spam", "Trash")

_ROWS = (
    "SELECT m.id, m.account, m.folder, m.sender, m.recipients, m.subject, m.snippet, m.sort_date, m.size, m.unread,"
    " m.starred, m.answered, m.forwarded, m.attachments, m.downloaded, coalesce(r.state, ''), coalesce(r.uidl, x''),"
    " m.message_id, coalesce(r.words, '') FROM message m LEFT JOIN remote r ON r.message = m.id WHERE m.id IN (%s)"
)
_TRUTHS = (9, 10, 11, 12, 14)
_CHUNK = 200


_ORDERS = {
    "newest": "sort_date DESC, id DESC",
    "oldest": "sort_date, id",
    "sender": "sender COLLATE NOCASE, sort_date DESC, id DESC",
    "subject": "subject COLLATE NOCASE, sort_date DESC, id DESC",
    "size": "size DESC, id DESC",
}


def ids(store: Store, account: str, folder: str, limit: int | None = None, *, order: str = "newest") -> array[int]:
    """The ids of a folder's messages, at most `limit` of them: newest, oldest, sender, subject or size (largest)
    first."""
    rows = store.read(
        f"SELECT id FROM message WHERE account = ? AND folder = ? ORDER BY {_ORDERS[order]} LIMIT ?",  # noqa: S608 - ours
        (account, folder, -1 if limit is None else limit),
    )
    return array("q", chain.from_iterable(rows))


def all_ids(store: Store) -> array[int]:
    """The ids of every message of every account, in the order they came."""
    return array("q", chain.from_iterable(store.read("SELECT id FROM message ORDER BY id")))


def rows(store: Store, ids: Sequence[int]) -> list[Row]:
    """The list lines of these messages, in their order; messages that are no longer there are left out."""
    found: dict[int, Row] = {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        for row in store.read(_ROWS % ",".join("?" * len(chunk)), chunk):
            found[row[0]] = _row(row)
    return [found[id_] for id_ in ids if id_ in found]


def row(store: Store, id_: int) -> Row | None:
    """One list line, or None where the message is not there."""
    found = rows(store, (id_,))
    return found[0] if found else None


def _row(values: tuple[Any, ...]) -> Row:
    told: list[Any] = [*values]
    for place in _TRUTHS:
        told[place] = told[place] == 1
    return Row(*told)


def counts(store: Store, account: str) -> dict[str, Count]:
    """How much lies in each folder: those of FOLDERS first, then the user's own by name. Drafts and Outbox count
    what `drafts.ids` and `outbox.ids` list; nothing in them is unread."""
    totals = dict(store.read("SELECT folder, count(*) FROM message WHERE account = ? GROUP BY folder", (account,)))
    unread = dict(
        store.read("SELECT folder, count(*) FROM message WHERE account = ? AND unread = 1 GROUP BY folder", (account,))
    )
    ((waiting,),) = store.read("SELECT count(*) FROM draft WHERE account = ? AND outbox IS NULL", (account,))
    totals["Drafts"] = totals.get("Drafts", 0) + waiting
    ((waiting,),) = store.read(
        "SELECT count(*) FROM outbox WHERE account = ? AND state NOT IN ('sent', 'cancelled')", (account,)
    )
    totals["Outbox"] = totals.get("Outbox", 0) + waiting
    names = (*FOLDERS, *sorted(totals.keys() - set(FOLDERS)))
    return {name: Count(totals.get(name, 0), unread.get(name, 0)) for name in names}


def raw(store: Store, id_: int) -> tuple[bytes, bool]:
    """The bytes as received, and whether they are the whole message (else its header block). Raises KeyError."""
    found = store.read_one("SELECT bytes, complete FROM raw WHERE id = ?", (id_,))
    if found is None:
        raise KeyError(id_)
    return found[0], found[1] == 1


def add_raw(store: Store, id_: int, raw: bytes, message: Message) -> None:
    """Keep the whole message: `raw` byte for byte, `message` what `parse` made of it. On the disk when this returns.

    A message that was erased in the meantime stays erased. Joins a durable transaction that is open, so that a
    download may keep many at once.
    """
    with store.transaction(durable=True) as db:
        keep_raw(db, id_, raw, message)


def keep_raw(db: sqlite3.Connection, id_: int, raw: bytes, message: Message) -> None:
    """What `add_raw` does, inside a transaction of the caller's."""
    found = db.execute("SELECT received FROM message WHERE id = ?", (id_,)).fetchone()
    if found is None:
        return
    _put_bytes(db, id_, raw)
    derived.body_columns(db, id_, message, found[0])


def add_raws(store: Store, page: Iterable[tuple[int, bytes]]) -> list[int]:
    """Keep many whole messages, (id, bytes) each, in one transaction, on the disk when this returns. What is made
    from their bodies follows with `search.index_pending`. Returns the ids of those that do not have the header block
    they were listed with: they are not kept."""
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    others = []
    read = [(id_, raw, parse.fingerprint(parse.split_header(raw))) for id_, raw in page]
    with store.transaction(durable=True) as db:
        for id_, raw, fingerprint in read:
            listed = db.execute("SELECT fingerprint FROM remote WHERE message = ?", (id_,)).fetchone()
            if listed == (fingerprint,):
                _put_bytes(db, id_, raw)
            elif listed is not None:
                others.append(id_)
    return others


def _put_bytes(db: sqlite3.Connection, id_: int, raw: bytes) -> None:
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    db.execute("UPDATE raw SET bytes = ?, complete = 1 WHERE id = ?", (raw, id_))
    # What was indexed so far is the header.
    db.execute("UPDATE message SET downloaded = 1, size = ?, indexed = min(indexed, 1) WHERE id = ?", (len(raw), id_))
    if db.execute("SELECT 1 FROM remote WHERE message = ? AND state = 'skipped'", (id_,)).fetchone():
        # Its header was not to be had until now.
        fingerprint = parse.fingerprint(parse.split_header(raw))
        db.execute(
            "UPDATE remote SET state = 'kept', words = '', fingerprint = ? WHERE message = ?", (fingerprint, id_)
        )


def add_local(
    store: Store,
    account: str,
    folder: str,
    raw: bytes,
    *,
    unread: bool = False,
    received: int,
    message: Message | None = None,
) -> int:
    """Put a whole message into a folder that no server knows of (import, Sent copy) and return its id. `received` is
    when it came, UTC seconds. `message` is what `parse` made of `raw`; without it the store parses."""
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    message = message or parse.parse(raw)
    with store.transaction(durable=True) as db:
        columns = derived.whole(message, received)
        cursor = db.execute(
            "INSERT INTO message (account, folder, received, size, unread, downloaded, sort_date, sender, recipients,"
            " subject, message_id, in_reply_to, refs, attachments, snippet)"
            " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (account, folder, received, len(raw), unread, *columns, parse.snippet(message)),
        )
        id_ = cursor.lastrowid or 0
        db.execute("INSERT INTO raw (id, complete, bytes) VALUES (?, 1, ?)", (id_, raw))
        derived.index(db, id_, message.envelope, parse.search_text(message))
        contacts.learn(db, message.envelope, folder, columns.sort_date)
    return id_


def set_flags(
    store: Store,
    ids: Iterable[int],
    *,
    unread: bool | None = None,
    starred: bool | None = None,
    answered: bool | None = None,
    forwarded: bool | None = None,
) -> None:
    """Set the flags that are not None on these messages."""
    flags = {"unread": unread, "starred": starred, "answered": answered, "forwarded": forwarded}
    wanted = {name: value for name, value in flags.items() if value is not None}
    if not wanted:
        return
    sets = ", ".join(f"{name} = ?" for name in wanted)
    with store.transaction() as db:
        db.execute(
            f"UPDATE message SET {sets} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608 - names of ours
            (*wanted.values(), id_list(ids)),
        )


def move(store: Store, ids: Iterable[int], folder: str) -> dict[int, str]:
    """Put messages into another folder; returns where each was. What leaves Trash is no longer deleted from the
    server."""
    wanted = id_list(ids)
    with store.transaction() as db:
        old: dict[int, str] = dict(
            db.execute(
                "SELECT id, folder FROM message WHERE id IN (SELECT value FROM json_each(?)) AND folder <> ?",
                (wanted, folder),
            ).fetchall()
        )
        db.execute("UPDATE message SET folder = ? WHERE id IN (SELECT value FROM json_each(?))", (folder, id_list(old)))
        call_off(db, [id_ for id_, was in old.items() if was == "Trash"])
    return old


def call_off(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Take back the wish to delete messages from the server. One for which DELE went out is taken for absent: should
    the server still have it, it is kept there."""
    db.execute(
        "UPDATE remote SET due_at = NULL, state = CASE WHEN state IN ('trashed', 'due') THEN 'kept' ELSE 'absent' END"
        " WHERE message IN (SELECT value FROM json_each(?)) AND state IN ('trashed', 'due', 'sent', 'gone')",
        (id_list(ids),),
    )


def erase(store: Store, ids: Iterable[int], *, from_server: bool = True) -> None:
    """Delete messages for good: bytes, list line, index. On the disk when this returns.

    What the server still has becomes due to be deleted there, except where `from_server` is False or where it was
    trashed never to be deleted there; a tombstone stays, so that it is not shown as new again.
    """
    wanted = id_list(ids)
    with store.transaction(durable=True) as db:
        if from_server:
            db.execute(
                "UPDATE remote SET state = 'due', due_at = NULL WHERE message IN (SELECT value FROM json_each(?))"
                " AND (state IN ('kept', 'skipped') OR state = 'trashed' AND due_at IS NOT NULL)",
                (wanted,),
            )
        db.execute("DELETE FROM search WHERE rowid IN (SELECT value FROM json_each(?))", (wanted,))
        db.execute("DELETE FROM message WHERE id IN (SELECT value FROM json_each(?))", (wanted,))


def find(store: Store, account: str, message_ids: Iterable[str]) -> dict[str, list[int]]:
    """Message-ID (without brackets) -> the ids of the messages that have it, oldest first, for all of these in one
    look at the whole store."""
    found: dict[str, list[int]] = {}
    for id_, message_id in store.read(
        "SELECT id, message_id FROM message WHERE account = ? AND message_id IN (SELECT value FROM json_each(?))"
        " ORDER BY id",
        (account, json.dumps(list(message_ids))),
    ):
        found.setdefault(message_id, []).append(id_)
    return found
