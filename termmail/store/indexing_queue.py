"""Which messages wait to be indexed, storing what was read of them, and how much of the mail search covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import DISCARDED, Coverage
from termmail.store import conversations, derived, folders, raw_bytes, search_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.store.derived import Derived
    from termmail.store.store import Store

_PENDING = "indexed < 1 + downloaded"
_PAGE_BYTES = 8 << 20
WORN_FROM, WORN_TIMES = 10_000, 3
"""Stale documents from which on the index is made anew: so many, and so many times those of messages."""


def count(store: Store, limit: int) -> int:
    """Return how many messages wait to be indexed, counting no further than `limit`."""
    ((found,),) = store.read(f"SELECT count(*) FROM (SELECT 1 FROM message WHERE {_PENDING} LIMIT ?)", (limit,))  # noqa: S608 - ours
    return int(found)


def pending(store: Store, limit: int = 100) -> list[tuple[int, bytes, bool]]:
    """Return messages that wait to be indexed, newest first: id, bytes, and whether they are the whole message.

    At most `limit` messages and about 8 MB.
    """
    rows = store.read(
        f"SELECT id, downloaded FROM message WHERE {_PENDING} ORDER BY id DESC LIMIT ?",  # noqa: S608 - a text of ours
        (limit,),
    )
    found: list[tuple[int, bytes, bool]] = []
    size = 0
    for message_id, downloaded in rows:
        row = store.read_one("SELECT bytes, packed FROM raw WHERE id = ?", (message_id,))
        if row is not None:
            raw = raw_bytes.unpack(*row)
            found.append((message_id, raw, downloaded == 1))
            size += len(raw)
        if size > _PAGE_BYTES:
            break
    return found


def begin_anew_when_worn(store: Store) -> bool:
    """Empty the index where most of it is of messages that are gone or indexed again since; return whether it was so."""
    with store.reading() as db:
        stale, live = search_index.stale(db)
    if stale < WORN_FROM or stale < WORN_TIMES * live:
        return False
    with store.transaction() as db:
        search_index.clear(db)
    return True


def store_indexed(store: Store, page: Sequence[tuple[int, Derived]]) -> None:
    """Store what was derived from messages. One that was erased or downloaded in the meantime is left out.

    Messages without a conversation are grouped too: a termmail of an older version adds such while it has the store open.
    """
    with store.transaction() as db:
        conversations.group(db, [message_id for message_id, _ in page])
        for message_id, one in page:
            row = db.execute("SELECT received, downloaded FROM message WHERE id = ?", (message_id,)).fetchone()
            if row is not None and (one.text is not None or not row[1]):
                derived.write(db, message_id, row[0], one)


def coverage(store: Store, account: str = "", *, discarded: bool = True) -> Coverage:
    """Return how many messages can be found by the words of their body, and how many there are.

    `account` "" means every account. Without `discarded`, messages that lie only in Junk or Trash are not counted.
    """
    return store.remember(("coverage", account, discarded), lambda: _coverage(store, account, discarded=discarded))


def _coverage(store: Store, account: str, *, discarded: bool) -> Coverage:
    of = " AND account = ?" if account else ""
    values = (account,) if account else ()
    ((total,),) = store.read(f"SELECT count(*) FROM message WHERE 1 = 1{of}", values)  # noqa: S608 - texts of ours
    ((header_only,),) = store.read(f"SELECT count(*) FROM message WHERE downloaded = 0{of}", values)  # noqa: S608
    ((waiting, bodies_waiting),) = store.read(
        f"SELECT coalesce(sum(indexed = 0), 0), coalesce(sum(downloaded), 0) FROM message WHERE {_PENDING}{of}",  # noqa: S608
        values,
    )
    bodies = total - header_only - bodies_waiting
    if not discarded:
        away = folders.ids_with_roles(sorted(DISCARDED))
        ((hidden, hidden_bodies),) = store.read(
            "SELECT count(*), coalesce(sum(m.indexed = 2), 0) FROM message m WHERE m.id IN"  # noqa: S608
            f" (SELECT p.message FROM placement p WHERE p.folder IN {away}) AND NOT EXISTS"
            f" (SELECT 1 FROM placement o WHERE o.message = m.id AND o.folder NOT IN {away}){of}",
            values,
        )
        total, bodies = total - hidden, bodies - hidden_bodies
    return Coverage(int(bodies), int(total), int(waiting))
