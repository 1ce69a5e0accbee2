"""Compare the whole listing of a maildrop with what is stored, in steps that let other store work get in between."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol

from termmail.store.matching import LIVE
from termmail.store.rows import Plan

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from termmail.store.store import Store

WHEN_MISSING = {"kept": "absent", "trashed": "absent", "skipped": "absent", "due": "gone", "sent": "gone"}
"""The state of a message that the maildrop no longer lists, by its state before."""


_COLUMNS = "id, uidl, number, size, state, due_at, message"


class ListedUidls(Protocol):
    """The UIDLs of a whole listing."""

    def names(self, uidl: bytes) -> bool:
        """Return whether the UIDL names one entry: it is not blank, and listed exactly once."""


class Comparison:
    """Compares one listing of an account with the stored rows and notes what is there and what is not.

    Call `add` with each slice of the listing, then `mark_missing` until it returns False, then `finish`. The headers
    of the messages that the plan names must then be read and passed to `pop3_identity.arrive`, and `settle` called.
    A known UIDL whose size has changed is among the new ones: only its header tells whether it still is that message.
    A process that dies between two steps leaves rows that the next comparison corrects.
    """

    def __init__(self, account: str, uidls: ListedUidls) -> None:
        self._account = account
        self._uidls = uidls
        self._plan = Plan([], [])
        self._again = 0
        self._missing = 0
        self._unclear_sizes: dict[bytes, set[int]] = defaultdict(set)
        self._last_id = 0

    def add(self, store: Store, start: int, listed: Sequence[tuple[int, int, bytes]]) -> None:
        """Compare a slice of the listing, (number, size in bytes, UIDL) each; `start` is the place of its first entry."""
        named = [uidl for _, _, uidl in listed if self._uidls.names(uidl)]
        with store.transaction() as db:
            rows: dict[bytes, list[tuple[Any, ...]]] = defaultdict(list)
            marks = ",".join("?" * len(named))
            query = f"SELECT {_COLUMNS} FROM remote WHERE account = ? AND uidl IN ({marks})"  # noqa: S608 - marks alone
            for row in db.execute(query, (self._account, *named)):
                rows[row[1]].append(row)
            changes: list[tuple[int, str, int]] = []
            for place, (number, size, uidl) in enumerate(listed, start):
                if self._uidls.names(uidl):
                    self._compare(place, number, size, rows.get(uidl, []), changes)
                else:
                    self._plan.unnamed.append(place)
                    self._unclear_sizes[uidl].add(size)
            _change(db, changes)

    def _compare(
        self, place: int, number: int, size: int, known: list[tuple[Any, ...]], changes: list[tuple[int, str, int]]
    ) -> None:
        """Compare one entry with the rows that have its UIDL."""
        if not known:
            self._plan.new.append(place)
            return
        row = _only(known, size)
        if row is None:
            several = sum(row[4] in LIVE for row in known) > 1
            (self._plan.unnamed if several else self._plan.new).append(place)
            # Which of them is listed is told by the header; until then each keeps its state, under no number.
            changes += [(0, row[4], row[0]) for row in known if row[2] != 0]
            return
        state = when_listed(row[4], row[5])
        self._again += state == "due" and row[4] != "due"
        if (number, state) != (row[2], row[4]):
            changes.append((number, state, row[0]))
        known.remove(row)
        for left in known:
            self._miss(left, changes, stays=False)

    def mark_missing(self, store: Store, limit: int) -> bool:
        """Mark up to `limit` stored rows whose UIDL does not name an entry of the listing. Return whether more are left."""
        with store.transaction() as db:
            # The plus sign keeps SQLite from the index on the state, which would sort everything for each slice.
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM remote WHERE +account = ? AND id > ? ORDER BY id LIMIT ?",  # noqa: S608 - ours
                (self._account, self._last_id, limit),
            ).fetchall()
            changes: list[tuple[int, str, int]] = []
            for row in rows:
                if not self._uidls.names(row[1]):
                    # Under a UIDL that does not tell, a row whose size is listed may still be there: `settle` decides.
                    self._miss(row, changes, stays=row[3] in self._unclear_sizes.get(row[1], ()))
            _change(db, changes)
        if rows:
            self._last_id = rows[-1][0]
        return len(rows) == limit

    def _miss(self, row: tuple[Any, ...], changes: list[tuple[int, str, int]], *, stays: bool) -> None:
        state = row[4] if stays else WHEN_MISSING.get(row[4], row[4])
        self._missing += state == "absent" and row[4] != "absent" and row[6] is not None
        if (0, state) != (row[2], row[4]):
            changes.append((0, state, row[0]))

    def finish(self, store: Store) -> Plan:
        """Forget rows of which nothing was ever read and that are no longer listed, and return the plan."""
        with store.transaction() as db:
            forget_unfetched(db, self._account)
        return Plan(self._plan.new, self._plan.unnamed, self._again, self._missing)


def when_listed(state: str, due_at: int | None) -> str:
    """Return the state of a message that the maildrop lists, by its state before."""
    if state == "absent":
        return "kept" if due_at is None else "trashed"
    return "due" if state in ("sent", "gone") else state


def forget_unfetched(db: sqlite3.Connection, account: str) -> None:
    """Delete the rows of which nothing was ever read and that are no longer listed."""
    db.execute(
        "DELETE FROM remote WHERE account = ? AND state = 'absent' AND message IS NULL AND fingerprint = x''",
        (account,),
    )


def _change(db: sqlite3.Connection, changes: list[tuple[int, str, int]]) -> None:
    db.executemany("UPDATE remote SET number = ?, state = ? WHERE id = ?", changes)


def _only(known: list[tuple[Any, ...]], size: int) -> tuple[Any, ...] | None:
    """Return the one row that a UIDL and a size can mean, or None where only the header can tell."""
    live = [row for row in known if row[4] in LIVE]
    rows = live or [row for row in known if row[3] == size]
    if len(rows) != 1:
        return None
    row = rows[0]
    return row if row[3] == size or row[4] == "skipped" else None
