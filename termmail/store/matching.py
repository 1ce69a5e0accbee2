"""Match messages in a server listing to stored rows.

A message is identified by its UIDL, with the size from LIST and the hash of its header block as evidence. A UIDL alone
proves nothing: servers reuse, double, omit and renew them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from termmail.mail.model import RemoteState
from termmail.store.remote_state import LIVE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Container, Iterable

    from termmail.store.rows import New

COLUMNS = "id, message, uidl, nth, number, size, fingerprint, state, due_at"
# The store has no statistics: without a hint SQLite takes an index by account alone, and goes through all its rows.
_BY_FINGERPRINT = f"SELECT {COLUMNS} FROM remote INDEXED BY remote_by_fingerprint WHERE fingerprint = ? AND account = ?"  # noqa: S608 - columns of ours
_BY_UIDL = f"SELECT {COLUMNS} FROM remote WHERE account = ? AND uidl = ?"  # noqa: S608 - columns of ours


class Held(NamedTuple):
    """A row of `remote`, with the columns that tell which message it is."""

    id: int
    message: int | None
    uidl: bytes
    nth: int
    number: int
    size: int
    fingerprint: bytes
    state: RemoteState
    due_at: int | None


def held(row: tuple[Any, ...]) -> Held:
    """Return the row of `remote` of which these are the COLUMNS."""
    *others, state, due_at = row
    return Held._make((*others, RemoteState(state), due_at))


class Match(NamedTuple):
    """The result of matching one message.

    `held` is its row, or None for a message never seen; `rebound` tells that it has a new UIDL. `replaced` are rows
    whose UIDL now names this message, while their own message is not in the maildrop.
    """

    held: Held | None
    rebound: bool = False
    replaced: tuple[Held, ...] = ()


class Matcher:
    """Finds, within one transaction, the stored rows of messages that an account's maildrop lists.

    `page` are the messages that will be looked up, with their fingerprints: those that no row resembles, nearly all
    mail of a first sync, are found by two queries for the whole page. `listed` contains the UIDLs of the whole listing.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        account: str,
        page: Iterable[tuple[New, bytes]],
        listed: Container[bytes],
    ) -> None:
        self._db = db
        self._account = account
        self._listed = listed
        pairs = list(page)
        self._fingerprints = self._of_these("fingerprint", {fingerprint for _, fingerprint in pairs})
        self._uidls = self._of_these("uidl", {new.uidl for new, _ in pairs})

    def _of_these(self, column: str, values: Collection[bytes]) -> set[bytes]:
        """Return those of the values that a row of the account has."""
        marks = ",".join("?" * len(values))
        query = f"SELECT {column} FROM remote INDEXED BY remote_by_{column} WHERE account = ? AND {column} IN ({marks})"  # noqa: S608 - marks alone
        return {value for (value,) in self._db.execute(query, (self._account, *values))}

    def is_stranger(self, new: New, fingerprint: bytes) -> bool:
        """Return whether no row, and no message looked up before, has its fingerprint or its UIDL."""
        stranger = fingerprint not in self._fingerprints and new.uidl not in self._uidls
        self._fingerprints.add(fingerprint)
        self._uidls.add(new.uidl)
        return stranger

    def match(self, new: New, fingerprint: bytes) -> Match:
        """Return the row of a message that is no stranger, by its UIDL, its size and its fingerprint."""
        same = [held(row) for row in self._db.execute(_BY_FINGERPRINT, (fingerprint, self._account))]
        if same:
            mine = _under_its_uidl(new, same)
            if mine is not None:
                return Match(mine)
        replaced: tuple[Held, ...] = ()
        if new.uidl:
            others = [held(row) for row in self._db.execute(_BY_UIDL, (self._account, new.uidl))]
            if others:
                # Number 0: not found in this listing; the same number: only the UIDL said that it was this one.
                others = [one for one in others if one.fingerprint != fingerprint and one.number in (0, new.number)]
                for one in others:
                    if one.state is RemoteState.SKIPPED and not one.fingerprint and one.message is None:
                        return Match(one)
                replaced = tuple(one for one in others if one.state in LIVE)
        # The size must agree too: two messages may have one header block.
        moved = [one for one in same if one.uidl != new.uidl and one.size == new.size]
        moved = [one for one in moved if one.uidl not in self._listed]
        if moved:
            return Match(moved[0], rebound=True, replaced=replaced)
        return Match(None, replaced=replaced)


def _under_its_uidl(new: New, same: list[Held]) -> Held | None:
    """Return the row with this UIDL and this header, or None.

    Where the UIDL does not tell messages apart, equal ones are told apart by their number in this listing: a row that
    another number has claimed is another copy. There a deleted message is recognised only when its size agrees too,
    because what is recognised is deleted again.
    """
    several = not new.uidl or new.nth > 0
    mine = [one for one in same if one.uidl == new.uidl]
    if several:
        mine = [one for one in mine if one.size == new.size or not _dead(one)]
    if not mine:
        return None
    mine.sort(key=lambda one: (one.number != new.number, one.number != 0, one.size != new.size, _dead(one)))
    best = mine[0]
    if best.number in (0, new.number) or _dead(best):
        return best
    return None if several else best


def _dead(one: Held) -> bool:
    return one.state not in LIVE
