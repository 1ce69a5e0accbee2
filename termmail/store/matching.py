"""Which known message is it? The rules by which a message in a listing is told from those already stored.

The UIDL names a message, LIST's size and the hash of its header block are the witnesses. A UIDL alone proves nothing:
servers reuse, double, omit and renew them (SAFETY P6-P10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from termmail.store.rows import New

# Where the server is believed to hold the message still.
LIVE = ("kept", "trashed", "due", "sent", "skipped")

_COLUMNS = "id, message, uidl, nth, number, size, fingerprint, state, due_at"
_BY_FINGERPRINT = f"SELECT {_COLUMNS} FROM remote WHERE fingerprint = ? AND account = ?"  # noqa: S608 - columns of ours
_BY_UIDL = f"SELECT {_COLUMNS} FROM remote WHERE account = ? AND uidl = ?"  # noqa: S608 - columns of ours


class Held(NamedTuple):
    """A row of `remote`, as these rules need it."""

    id: int
    message: int | None
    uidl: bytes
    nth: int
    number: int
    size: int
    fingerprint: bytes
    state: str
    due_at: int | None


class Match(NamedTuple):
    """`held` is the row of this very message, or None for a message never seen. `rebound`: it has a new UIDL.
    `replaced` are rows whose UIDL now names this message, while theirs is not in the maildrop."""

    held: Held | None
    rebound: bool = False
    replaced: tuple[Held, ...] = ()


class Witnesses:
    """Finds, in one transaction, the rows of messages that an account's maildrop lists.

    `page` are the messages that will be asked for, with their fingerprints: what no row resembles, nearly all mail of
    a first sync, is told by two queries for the whole page. `listed` are the UIDLs of the whole listing.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        account: str,
        page: Iterable[tuple[New, bytes]],
        listed: Collection[bytes],
    ) -> None:
        self._db = db
        self._account = account
        self._listed = listed
        pairs = list(page)
        self._fingerprints = self._of_these("fingerprint", {fingerprint for _, fingerprint in pairs})
        self._uidls = self._of_these("uidl", {new.uidl for new, _ in pairs})

    def _of_these(self, column: str, values: Collection[bytes]) -> set[bytes]:
        """Which of the values a row of the account has."""
        marks = ",".join("?" * len(values))
        query = f"SELECT {column} FROM remote WHERE account = ? AND {column} IN ({marks})"  # noqa: S608 - marks alone
        return {value for (value,) in self._db.execute(query, (self._account, *values))}

    def is_stranger(self, new: New, fingerprint: bytes) -> bool:
        """Whether no row, and no other message that this was asked for, resembles it: then there is none to find."""
        stranger = fingerprint not in self._fingerprints and new.uidl not in self._uidls
        self._fingerprints.add(fingerprint)
        self._uidls.add(new.uidl)
        return stranger

    def match(self, new: New, fingerprint: bytes) -> Match:
        """The row of a message that is no stranger, by its UIDL and its witnesses."""
        same = [Held(*row) for row in self._db.execute(_BY_FINGERPRINT, (fingerprint, self._account))]
        if same:
            held = _under_its_uidl(new, same)
            if held is not None:
                return Match(held)
        replaced: tuple[Held, ...] = ()
        if new.uidl:
            others = [Held(*row) for row in self._db.execute(_BY_UIDL, (self._account, new.uidl))]
            if others:
                # Number 0: not found in this listing; the same number: only the UIDL said that it was this one.
                others = [held for held in others if held.fingerprint != fingerprint and held.number in (0, new.number)]
                for held in others:
                    if held.state == "skipped" and not held.fingerprint and held.message is None:
                        return Match(held)
                replaced = tuple(held for held in others if held.state in LIVE)
        # The size too must bear witness: two messages may have one header block.
        moved = [held for held in same if held.uidl != new.uidl and held.size == new.size]
        moved = [held for held in moved if held.uidl not in self._listed]
        if moved:
            return Match(moved[0], rebound=True, replaced=replaced)
        return Match(None, replaced=replaced)


def _under_its_uidl(new: New, same: list[Held]) -> Held | None:
    """The row with this UIDL and this header, or None. Where the UIDL tells nothing apart, equal messages are told
    apart by their number in this listing: a row that another number has claimed is another copy. There a message that
    was deleted is known again only by its size too, for what is known so is deleted again."""
    several = not new.uidl or new.nth > 0
    mine = [held for held in same if held.uidl == new.uidl]
    if several:
        mine = [held for held in mine if held.size == new.size or not _dead(held)]
    if not mine:
        return None
    mine.sort(key=lambda held: (held.number != new.number, held.number != 0, held.size != new.size, _dead(held)))
    best = mine[0]
    if best.number in (0, new.number) or _dead(best):
        return best
    return None if several else best


def _dead(held: Held) -> bool:
    return held.state not in LIVE
