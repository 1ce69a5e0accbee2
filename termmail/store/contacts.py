"""The people one writes to and hears from, learned from the messages themselves."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import astuple

from termmail.mail.message import Address
from termmail.mail.trust import Known

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
_FEW = 1000
_OFTEN = 3  # messages from somebody who is known
_PEOPLE = 5_000  # known people that a stranger is compared with
_RANKED = "ORDER BY written DESC, received DESC, last DESC, email"


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
        self._write(db, _COUNT)

    def at_least(self, db: sqlite3.Connection) -> None:
        """Raise the counts in the store to these where they are lower."""
        self._write(db, _AT_LEAST)

    def _write(self, db: sqlite3.Connection, sql: str) -> None:
        db.executemany(sql, [astuple(one) for one in self._found.values()])
        words = ((word, one.email) for one in self._found.values() for word in _words(one.name, one.email))
        db.executemany("INSERT OR IGNORE INTO contact_word (word, email) VALUES (?, ?)", words)
        self._found = {}


def people(envelope: Envelope, *, written: bool) -> tuple[Address, ...]:
    """Return the people to count: the recipients where the user wrote the message, else its sender."""
    return (*envelope.to, *envelope.cc) if written else envelope.sender


def learn(db: sqlite3.Connection, envelope: Envelope, date: int, *, written: bool) -> None:
    """Count the people of one message of this date (UTC seconds), which the user wrote or received."""
    tally = Tally()
    tally.message(people(envelope, written=written), date, written=written)
    tally.save(db)


def complete(store: Store, prefix: str, limit: int = 8) -> list[Address]:
    """Return the people whose address, or a word of whose name, begins with `prefix`, most written to first."""
    prefix = " ".join(prefix.casefold().split())
    if not prefix:
        return []
    first = prefix.split(" ")[0]
    emails = store.read(
        "SELECT DISTINCT email FROM contact_word WHERE word >= ? AND word < ? LIMIT ?",
        (first, f"{first}\U0010ffff", _FEW),
    )
    few = len(emails) < _FEW
    where = "WHERE email IN (SELECT value FROM json_each(?)) " if few else ""
    values = (json.dumps([email for (email,) in emails]),) if few else ()
    # Where many begin so, the first of the ranking are found soon.
    found = store.iterate(f"SELECT name, email FROM contact {where}{_RANKED}", values)  # noqa: S608 - texts of ours
    matching = (Address(name, email) for name, email in found if f" {prefix}" in f" {name.casefold()} {email}")
    return list(islice(matching, limit))


def known_to_stranger(store: Store, email: str) -> list[Known] | None:
    """Return the people who write often or were written to, most written to first; None for who wrote before.

    A sender with one message, and whom nobody wrote to, is a stranger.
    """
    row = store.read_one("SELECT written, received FROM contact WHERE email = ?", (email.lower(),))
    if row is not None and (row[0] or row[1] > 1):
        return None
    found = store.read(
        f"SELECT email, name FROM contact WHERE written > 0 OR received >= ? {_RANKED} LIMIT ?",  # noqa: S608 - a text of ours
        (_OFTEN, _PEOPLE),
    )
    return [Known(*one) for one in found]


def _words(name: str, email: str) -> set[str]:
    return {email, *name.casefold().split()}
