"""Making everything derived again from the raw bytes: columns, index, contacts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from termmail.store import contacts, conversations, derived, raw_bytes, search_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.store.store import Store

_STEP = 200
PAUSE = 0.01
"""Seconds between two steps, in which others can write to the store."""


def rebuild(store: Store, progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None) -> int:
    """Rebuild every derived column, the search index and the contacts, and return how many messages there are.

    `progress(what, done, total)` is called after every step. Contacts only gain by it: whom one wrote to in Bcc, and
    people whose messages were erased, are in no raw bytes. Each step is a transaction, with a pause behind it in which
    others can write; broken off, it can be begun again.
    """
    ((total,),) = store.read("SELECT count(*) FROM message")
    with store.transaction() as db:
        search_index.clear(db)
    tally = contacts.Tally()
    done = last = 0
    while done < total:
        step = _step(store, last, tally)
        if not step:
            break
        done, last = done + len(step), step[-1]
        progress("messages", done, total)
        time.sleep(PAUSE)
    with store.transaction() as db:
        tally.at_least(db)

    def grouped(done: int, total: int) -> None:
        progress("conversations", done, total)
        time.sleep(PAUSE)

    conversations.group_anew(store, grouped)
    return int(total)


def _step(store: Store, after: int, tally: contacts.Tally) -> list[int]:
    """Rebuild the next messages behind the id `after`; returns their ids."""
    with store.transaction() as db:
        rows = db.execute(
            "SELECT m.id, EXISTS (SELECT 1 FROM placement p JOIN folder f ON f.id = p.folder WHERE p.message = m.id"
            " AND f.role = 'sent'), m.received, r.complete, r.bytes, r.packed FROM message m JOIN raw r ON r.id = m.id"
            " WHERE m.id > ? ORDER BY m.id LIMIT ?",
            (after, _STEP),
        ).fetchall()
        for id_, written, received, complete, data, packed in rows:
            found = derived.from_raw(raw_bytes.unpack(data, packed), complete=complete == 1)
            derived.write(db, id_, received, found)
            envelope = found.envelope
            db.execute("UPDATE message SET downloaded = ? WHERE id = ?", (complete, id_))
            date = derived.sort_date(envelope, received)
            tally.message(contacts.people(envelope, written=written == 1), date, written=written == 1)
    return [row[0] for row in rows]
