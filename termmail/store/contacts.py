"""The people one writes to and hears from, learned from the messages themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import astuple

from termmail.mail.message import Address

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from termmail.mail.message import Envelope
    from termmail.store.store import Store

# The name comes from the newest message that tells one, whatever the order in which messages arrive.
_JOIN = (
    "INSERT INTO contact (email, name, named, written, received, last) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (email) DO UPDATE SET"
    " name = CASE WHEN (excluded.named, excluded.name) > (named, name) THEN excluded.name ELSE name END,"
    " named = max(named, excluded.named), last = max(last, excluded.last),"
)
_COUNT = f"{_JOIN} written = written + excluded.written, received = received + excluded.received"
_AT_LEAST = f"{_JOIN} written = max(written, excluded.written), received = max(received, excluded.received)"
# A mass mailing is not an address book.
_MOST = 50


class Sightings(Struct):
    """What some messages tell of one address, in the order of _JOIN."""

    email: str
    name: str = ""
    named: int = 0
    written: int = 0
    received: int = 0
    last: int = 0


class Tally:
    """Counts people over many messages before the store is touched once for each."""

    def __init__(self) -> None:
        self._found: dict[str, Sightings] = {}

    def message(self, addresses: Sequence[Address], date: int, *, written: bool) -> None:
        """Count one message of this date (UTC seconds) to (`written`) or from these addresses, each once."""
        seen: set[str] = set()
        for address in addresses[:_MOST]:
            email = address.email.lower()
            if "@" in email and email not in seen:
                seen.add(email)
                self._add(email, address.name, date, written=written)

    def _add(self, email: str, name: str, date: int, *, written: bool) -> None:
        known = self._found.get(email)
        if known is None:
            known = self._found[email] = Sightings(email)
        if name and (date, name) > (known.named, known.name):
            known.named, known.name = date, name
        known.written += written
        known.received += not written
        known.last = max(known.last, date)

    def save(self, db: sqlite3.Connection) -> None:
        """Add the counts to those in the store."""
        db.executemany(_COUNT, [astuple(one) for one in self._found.values()])
        self._found = {}

    def at_least(self, db: sqlite3.Connection) -> None:
        """Raise the counts in the store to these where they are lower."""
        db.executemany(_AT_LEAST, [astuple(one) for one in self._found.values()])
        self._found = {}


def people(envelope: Envelope, folder: str) -> tuple[Address, ...]:
    """Whom a message tells of: those it went to where the user wrote it, else who wrote it."""
    return (*envelope.to, *envelope.cc) if folder == "Sent" else envelope.sender


def learn(db: sqlite3.Connection, envelope: Envelope, folder: str, date: int) -> None:
    """Count the people of one message that came into this folder."""
    tally = Tally()
    tally.message(people(envelope, folder), date, written=folder == "Sent")
    tally.save(db)


def complete(store: Store, prefix: str, limit: int = 8) -> list[Address]:
    """The people whose address, or a word of whose name, starts with `prefix`: those written to most come first."""
    prefix = prefix.strip().casefold()
    if not prefix:
        return []
    rows = store.read("SELECT name, email FROM contact ORDER BY written DESC, received DESC, last DESC, email")
    found = (Address(name, email) for name, email in rows if f" {prefix}" in f" {name.casefold()} {email}")
    return [address for address, _ in zip(found, range(limit), strict=False)]
