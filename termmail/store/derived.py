"""The columns and index entries that are derived from the raw bytes.

Whatever writes them and `rebuild` use this module, so they agree. `from_message` and `from_envelope` do the work and
belong in a worker thread; `write` only stores what they return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from termmail.mail import sanitize
from termmail.store import search_index

if TYPE_CHECKING:
    import sqlite3

    from termmail.mail.message import Address, Envelope, Message
    from termmail.mail.query import Content

# A header may name thousands; a list shows a few, and a reply reads the raw bytes.
_SHOWN = 20
_KEPT = 200
_SUBJECT = 1000

_UPDATE = (
    "UPDATE message SET sort_date = ?, sender = ?, recipients = ?, subject = ?, message_id = ?, in_reply_to = ?,"
    " refs = ?, attachments = ?, snippet = ? WHERE id = ?"
)


class Columns(NamedTuple):
    """What the list shows of a message, in the order of the message table."""

    sort_date: int
    sender: str
    recipients: str
    subject: str
    rfc_message_id: str
    in_reply_to: str
    references: str
    attachments: int


class Derived(Struct, frozen=True):
    """Everything derived from a message.

    `text` is what search looks through in the body; None while only the header is here. `files` are the names of the
    attachments, those of attached messages too; `contents` says what search finds by `has:`.
    """

    envelope: Envelope
    attachments: int
    snippet: str = ""
    text: str | None = None
    files: str = ""
    contents: tuple[Content, ...] = ()


def from_envelope(envelope: Envelope) -> Derived:
    """Return what is derived from a header block alone."""
    return Derived(envelope, int(envelope.attachments))


def from_message(message: Message) -> Derived:
    """Return what is derived from a whole message."""
    from termmail.mail import parse, search_text  # noqa: PLC0415 - a list needs no parser, and lists come first

    attachments = sum(1 for part in message.parts if not part.inline)
    found = search_text.read(message)
    return Derived(message.envelope, attachments, parse.snippet(message), found.text, found.files, found.contents)


def from_raw(raw: bytes, *, complete: bool) -> Derived:
    """Return what is derived from the bytes of a whole message, or of its header block."""
    from termmail.mail import parse  # noqa: PLC0415

    return from_message(parse.parse_unshown(raw)) if complete else from_envelope(parse.envelope(raw))


def columns(envelope: Envelope, received: int, attachments: int | None = None) -> Columns:
    """Return the derived columns of a message that came at `received` (UTC seconds)."""
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
    """Return the date a list sorts by.

    That is the message's own date, or when it came where that is missing or lies more than a day after it.
    """
    date = envelope.date
    return received if date is None or date > received + 86_400 else date


def write(db: sqlite3.Connection, message_id: int, received: int, derived: Derived) -> None:
    """Store the derived columns and the index entry of a message, inside the caller's transaction."""
    found = columns(derived.envelope, received, derived.attachments)
    db.execute(_UPDATE, (*found, derived.snippet, message_id))
    search_index.put(db, message_id, derived)


def _shown(addresses: tuple[Address, ...]) -> str:
    return ", ".join([sanitize.sender_text(address) for address in addresses[:_SHOWN]])
