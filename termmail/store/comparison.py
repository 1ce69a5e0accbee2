"""Compare the whole listing of a maildrop with what is stored, in steps that let other store work get in between."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from termmail.mail.model import RemoteState
from termmail.store import remote_state
from termmail.store.matching import COLUMNS, Held, held
from termmail.store.remote_state import LIVE, when_listed, when_missing
from termmail.store.rows import Plan

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from termmail.store.store import Store

_Change = tuple[int, RemoteState, int]
"""The number and the state that a row gets, and its id."""


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
            rows: dict[bytes, list[Held]] = defaultdict(list)
            marks = ",".join("?" * len(named))
            query = f"SELECT {COLUMNS} FROM remote WHERE account = ? AND uidl IN ({marks})"  # noqa: S608 - marks alone
            for row in db.execute(query, (self._account, *named)):
                one = held(row)
                rows[one.uidl].append(one)
            changes: list[_Change] = []
            for place, (number, size, uidl) in enumerate(listed, start):
                if self._uidls.names(uidl):
                    self._compare(place, number, size, rows.get(uidl, []), changes)
                else:
                    self._plan.unnamed.append(place)
                    self._unclear_sizes[uidl].add(size)
            _change(db, changes)

    def _compare(self, place: int, number: int, size: int, known: list[Held], changes: list[_Change]) -> None:
        """Compare one entry with the rows that have its UIDL."""
        if not known:
            self._plan.new.append(place)
            return
        row = _only(known, size)
        if row is None:
            several = sum(one.state in LIVE for one in known) > 1
            (self._plan.unnamed if several else self._plan.new).append(place)
            # Which of them is listed is told by the header; until then each keeps its state, under no number.
            changes += [(0, one.state, one.id) for one in known if one.number != 0]
            return
        state = when_listed(row.state, row.due_at)
        self._again += state is RemoteState.DUE and row.state is not RemoteState.DUE
        if (number, state) != (row.number, row.state):
            changes.append((number, state, row.id))
        known.remove(row)
        for left in known:
            self._miss(left, changes, stays=False)

    def mark_missing(self, store: Store, limit: int) -> bool:
        """Mark up to `limit` stored rows whose UIDL does not name an entry of the listing. Return whether more are left."""
        with store.transaction() as db:
            # The plus sign keeps SQLite from the index on the state, which would sort everything for each slice.
            found = db.execute(
                f"SELECT {COLUMNS} FROM remote WHERE +account = ? AND id > ? ORDER BY id LIMIT ?",  # noqa: S608 - ours
                (self._account, self._last_id, limit),
            )
            rows = [held(row) for row in found]
            changes: list[_Change] = []
            for row in rows:
                if not self._uidls.names(row.uidl):
                    # Under a UIDL that does not tell, a row whose size is listed may still be there: `settle` decides.
                    self._miss(row, changes, stays=row.size in self._unclear_sizes.get(row.uidl, ()))
            _change(db, changes)
        if rows:
            self._last_id = rows[-1].id
        return len(rows) == limit

    def _miss(self, row: Held, changes: list[_Change], *, stays: bool) -> None:
        state = row.state if stays else when_missing(row.state)
        absent = state is RemoteState.ABSENT and row.state is not RemoteState.ABSENT
        self._missing += absent and row.message is not None
        if (0, state) != (row.number, row.state):
            changes.append((0, state, row.id))

    def finish(self, store: Store) -> Plan:
        """Forget rows of which nothing was ever read and that are no longer listed, and return the plan."""
        with store.transaction() as db:
            remote_state.forget_unfetched(db, self._account)
        return Plan(self._plan.new, self._plan.unnamed, self._again, self._missing)


def _change(db: sqlite3.Connection, changes: list[_Change]) -> None:
    db.executemany("UPDATE remote SET number = ?, state = ? WHERE id = ?", changes)


def _only(known: list[Held], size: int) -> Held | None:
    """Return the one row that a UIDL and a size can mean, or None where only the header can tell."""
    live = [row for row in known if row.state in LIVE]
    rows = live or [row for row in known if row.size == size]
    if len(rows) != 1:
        return None
    row = rows[0]
    return row if row.size == size or row.state is RemoteState.SKIPPED else None
