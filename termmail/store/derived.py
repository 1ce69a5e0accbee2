"""The columns that are made from the raw bytes, in one place: whatever writes them, and `rebuild`, agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from termmail.mail import sanitize

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from termmail.mail.message import Address, Envelope, Message

# A header may name thousands; a list shows a few, and a reply reads the raw bytes.
_SHOWN = 20
_KEPT = 200
_SUBJECT = 1000

UPDATE = (
    "UPDATE message SET sort_date = ?, sender = ?, recipients = ?, subject = ?, message_id = ?, in_reply_to = ?,"
    " refs = ?, attachments = ? WHERE id = ?"
)


class Columns(NamedTuple):
    """What an envelope gives, in the order of UPDATE."""

    sort_date: int
    sender: str
    recipients: str
    subject: str
    message_id: str
    in_reply_to: str
    refs: str
    attachments: int


def columns(envelope: Envelope, received: int, attachments: int | None = None) -> Columns:
    """The derived columns of a message that came at `received` (UTC seconds). `attachments` is their number where the
    body is here."""
    return Columns(
        sort_date(envelope, received),
        _shown(envelope.sender),
        _shown(envelope.to),
        envelope.subject[:_SUBJECT],
        envelope.message_id,
        envelope.in_reply_to,
        " ".join(envelope.references[-_KEPT:]),
        int(envelope.attachments) if attachments is None else attachments,
    )


def sort_date(envelope: Envelope, received: int) -> int:
    """The date a list sorts by: the message's own, or when it came where that is missing or lies more than a day
    after it (SAFETY M18)."""
    date = envelope.date
    return received if date is None or date > received + 86_400 else date


def whole(message: Message, received: int) -> Columns:
    """The derived columns of a message whose body is here."""
    return columns(message.envelope, received, sum(1 for part in message.parts if not part.inline))


def index(db: sqlite3.Connection, id_: int, envelope: Envelope, body: str | None) -> None:
    """Put a message into the search index; `body` is None while only the header is here."""
    db.execute("DELETE FROM search WHERE rowid = ?", (id_,))
    db.execute(
        "INSERT INTO search (rowid, subject, sender, recipients, body) VALUES (?, ?, ?, ?, ?)",
        (id_, envelope.subject[:_SUBJECT], _words(envelope.sender), _words((*envelope.to, *envelope.cc)), body or ""),
    )
    db.execute("UPDATE message SET indexed = ? WHERE id = ?", (1 if body is None else 2, id_))


def body_columns(db: sqlite3.Connection, id_: int, message: Message, received: int) -> None:
    """Everything that is made from a whole message: its columns, its snippet and its place in the index."""
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    db.execute(UPDATE, (*whole(message, received), id_))
    db.execute("UPDATE message SET snippet = ? WHERE id = ?", (parse.snippet(message), id_))
    index(db, id_, message.envelope, parse.search_text(message))


def _shown(addresses: tuple[Address, ...]) -> str:
    return ", ".join([sanitize.sender_text(address) for address in addresses[:_SHOWN]])


def _words(addresses: Iterable[Address]) -> str:
    return " ".join(f"{address.name} {address.email}" for address in list(addresses)[:_KEPT])
