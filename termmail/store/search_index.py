"""The full-text index (SQLite FTS5): putting messages into it, and taking all of it away.

The index keeps no text, so what is in it cannot be changed: a message that is indexed again gets a new document, and
the old one stays without a message. Everything here runs inside the caller's transaction.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from termmail.mail.equal_letters import fold
from termmail.mail.query import Content, Field

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from termmail.mail.message import Address
    from termmail.store.derived import Derived

COLUMNS = ("subject", "sender", "recipients", "cc", "list", "files", "marks", "body")
LATEST_AFTER = 1 << 22
"""Seconds that the number of a document may lie after the date of its message, for every second is given once."""
EVERY = "\ue000"
"""The mark of every document. Marks begin with letters that `equal_letters.fold` takes out of texts."""
CONTENT_MARKS = {Content.ATTACHMENT: "\ue001a", Content.INVITE: "\ue001i", Content.LINK: "\ue001l"}
_STEPS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000)
START_MARKS = {Field.SUBJECT: "\ue004", Field.FROM: "\ue005"}
"""Before the first letter, and the first two, of every word of this field: to find a word that is just being typed."""
NOBODY = "\ue006"
"""A mark that no document has."""
_WORD = re.compile(r"[^\W_]+")
_SMALL = (1000, 2000, 4000)
_KEPT_ADDRESSES = 200
_SUBJECT = 1000
_INSERT = f"INSERT INTO search (rowid, {', '.join(COLUMNS)}) VALUES (?{', ?' * len(COLUMNS)})"  # noqa: S608 - ours


def account_mark(account: str) -> str:
    """Return the mark of the messages of an account."""
    return f"\ue002{zlib.crc32(account.encode()):08x}"


def size_mark(step: int) -> str:
    """Return the mark of the messages whose size reaches this step of `size_step`."""
    return f"\ue003{step}"


def size_step(size: int) -> int:
    """Return how many of the sizes by which messages are told apart this size (in bytes) reaches."""
    return sum(size >= step for step in _STEPS)


def below_mark(size: int) -> str:
    """Return the mark of the messages among which are all that are smaller than this size (in bytes)."""
    return next((f"\ue003b{step}" for step in _SMALL if size <= step), EVERY)


def put(db: sqlite3.Connection, message_id: int, derived: Derived) -> None:
    """Index a message that is in the store, in place of what was indexed of it before."""
    account, size, date = db.execute(
        "SELECT account, size, sort_date FROM message WHERE id = ?", (message_id,)
    ).fetchone()
    db.execute("UPDATE search_doc SET message = NULL WHERE message = ?", (message_id,))
    add(db, message_id, account, size, date, derived)
    db.execute("UPDATE message SET indexed = ? WHERE id = ?", (1 if derived.text is None else 2, message_id))


def add(db: sqlite3.Connection, message_id: int, account: str, size: int, date: int, derived: Derived) -> None:  # noqa: PLR0917 - what a document is made of
    """Add the document of a message of which nothing is indexed; `size` is in bytes, `date` that of its list row."""
    doc = _free_number(db, date, message_id)
    db.execute("INSERT INTO search_doc (doc, message) VALUES (?, ?)", (doc, message_id))
    envelope = derived.envelope
    contents = derived.contents if derived.text is not None else ((Content.ATTACHMENT,) if envelope.attachments else ())
    marks = [EVERY, account_mark(account), *(CONTENT_MARKS[one] for one in contents)]
    marks += [size_mark(step) for step in range(1, size_step(size) + 1)]
    marks += [f"\ue003b{step}" for step in _SMALL if size < step]
    subject, sender = fold(envelope.subject[:_SUBJECT]), fold(_words(envelope.sender))
    marks += _starts(START_MARKS[Field.SUBJECT], subject)
    marks += _starts(START_MARKS[Field.FROM], sender)
    db.execute(
        _INSERT,
        (
            doc,
            subject,
            sender,
            fold(_words(envelope.to)),
            fold(_words(envelope.cc)),
            fold(f"{envelope.list_id} {envelope.list_post}"),
            fold(derived.files),
            " ".join(marks),
            fold(derived.text or ""),
        ),
    )


def clear(db: sqlite3.Connection) -> None:
    """Take everything out of the index."""
    db.execute("INSERT INTO search (search) VALUES ('delete-all')")
    db.execute("DELETE FROM search_doc")
    db.execute("UPDATE message SET indexed = 0")


def stale(db: sqlite3.Connection) -> tuple[int, int]:
    """Return how many documents have no message any more, and how many have one."""
    documents, messages = db.execute("SELECT count(*), count(message) FROM search_doc").fetchone()
    return documents - messages, messages


def _free_number(db: sqlite3.Connection, date: int, message_id: int) -> int:
    """Return the first free number from a date on where few messages have that date, else one soon after."""
    number = max(date, 1)
    window = 8
    while db.execute("SELECT 1 FROM search_doc WHERE doc = ?", (number,)).fetchone() is not None:
        if number < date + 8:
            number += 1
        else:
            message_id = (message_id * 2_654_435_761 + 1) % (1 << 32)
            number = max(date, 1) + message_id % window
            window = min(window * 2, LATEST_AFTER)
    return number


def _starts(mark: str, text: str) -> set[str]:
    """Return the marks for the beginnings of the words of a folded text."""
    words = set(_WORD.findall(text.lower()))
    return {mark + word[:1] for word in words} | {mark + word[:2] for word in words if len(word) > 1}


def _words(addresses: Iterable[Address]) -> str:
    return " ".join([f"{address.name} {address.email}" for address in list(addresses)[:_KEPT_ADDRESSES]])
