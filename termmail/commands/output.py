"""Output of commands: one JSON object a line, or text. Data goes to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from termmail.mail import sanitize, width
from termmail.mail.model import DRAFTS_NAME, OUTBOX_NAME, DraftRow, MessageRow, OutgoingRow, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.mail.message import Address, Envelope, Message
    from termmail.mail.model import Count, Row


def say(words: str) -> None:
    """Print a sentence for the user on stderr, sanitized, since it may hold names from a message or a server.

    Where stderr cannot be written, nothing more is said: the exit code still tells how the command ended.
    """
    try:
        print(sanitize.clean_lines(words), file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def line(data: dict[str, Any]) -> None:
    """Print one JSON object on one line."""
    print(json.dumps(data, ensure_ascii=False))


def iso(date: int | None) -> str | None:
    """Format UTC seconds as ISO 8601, or None."""
    return None if date is None else datetime.fromtimestamp(date, UTC).isoformat().replace("+00:00", "Z")


def people(addresses: Iterable[Address]) -> str:
    """Format addresses as the reader shows them."""
    return ", ".join(sanitize.address_text(address) for address in addresses)


def message_row_data(row: MessageRow, envelope: Envelope) -> dict[str, Any]:
    """Return the JSON object of a message in `list` and `search`."""
    flags = ("unread", "starred", "answered", "forwarded")
    return {
        "id": row.message_id,
        "account": row.account,
        "folder": row.folder,
        "uidl": sanitize.clean_bytes(row.uidl, limit=10_000),
        "message_id": row.rfc_message_id,
        "from": people(envelope.sender),
        "to": people(envelope.to),
        "subject": row.subject,
        "date": iso(row.date),
        "size": row.size,
        "flags": [flag for flag in flags if getattr(row, flag)],
        "attachments": row.attachments,
        "downloaded": row.downloaded,
        "snippet": row.snippet,
        "thread": row.thread,
    }


def draft_row_data(row: DraftRow) -> dict[str, Any]:
    """Return the JSON object of a draft in `list`, with the keys of a message."""
    data = _unreceived(row, DRAFTS_NAME)
    return data | {"flags": ["draft"], "attachments": row.attachments, "snippet": row.snippet}


def outgoing_row_data(row: OutgoingRow) -> dict[str, Any]:
    """Return the JSON object of an outgoing message in `list`, with the keys of a message."""
    return _unreceived(row, OUTBOX_NAME) | {"message_id": row.rfc_message_id, "snippet": row.words}


def _unreceived(row: DraftRow | OutgoingRow, folder: str) -> dict[str, Any]:
    return {
        "id": row.key,
        "account": row.account,
        "folder": folder,
        "uidl": "",
        "message_id": "",
        "from": "",
        "to": recipients(row),
        "subject": row.subject,
        "date": iso(row.date),
        "size": row.size,
        "flags": [],
        "attachments": 0,
        "downloaded": True,
        "snippet": "",
        "thread": 0,
    }


def recipients(row: MessageRow | DraftRow | OutgoingRow) -> str:
    """Return who a message goes to, as one line."""
    return sanitize.clean(", ".join(row.recipients)) if isinstance(row, OutgoingRow) else row.recipients


def message_data(message_id: int | None, message: Message) -> dict[str, Any]:
    """Return the JSON object of `show`."""
    from termmail.mail import flowed  # noqa: PLC0415 - the HTML parser is needed by `show` alone

    envelope = message.envelope
    body = flowed.body(message)
    return {
        "id": message_id,
        "headers": [list(header) for header in message.headers],
        "from": people(envelope.sender),
        "to": people(envelope.to),
        "cc": people(envelope.cc),
        "subject": envelope.subject,
        "date": iso(envelope.date),
        "body": flowed.plain(message),
        "attachments": [{"name": p.name, "type": p.content_type, "size": p.size} for p in message.parts],
        "links": [{"text": link.text, "url": link.url} for link in body.links],
        "warnings": [*message.warnings, *body.notes, *(f"{p.name}: {p.warning}" for p in message.parts if p.warning)],
    }


def print_message(message: Message) -> None:
    """Print a message as text: the main headers, warnings, body and attachments."""
    from termmail.mail import flowed  # noqa: PLC0415

    envelope = message.envelope
    for name, value in (
        ("From", people(envelope.sender)),
        ("To", people(envelope.to)),
        ("Cc", people(envelope.cc)),
        ("Reply-To", people(envelope.reply_to) if envelope.reply_to != envelope.sender else ""),
        ("Date", local(envelope.date)),
        ("Subject", envelope.subject),
    ):
        if value:
            print(f"{name + ':':10}{value}")
    body = flowed.body(message, width=min(88, _columns()))
    for note in (*message.warnings, *body.notes):
        print(f"{'Note:':10}{note}")
    print()
    for row in body.lines:
        print(row.text)
    if message.parts:
        print()
        for part in message.parts:
            warning = f"  {part.warning}" if part.warning else ""
            print(f"Attachment: {part.name}  {part.content_type}, {size(part.size)}{warning}")


def print_row(row: Row, *, with_account: bool) -> None:
    """Print a row of a list, cut to the width of the terminal: id, account if wanted, marks, date, sender, subject."""
    account = f" {_fit(row.account, 12)}" if with_account else ""
    marks, person = "   ", f"To: {recipients(row)}"
    if isinstance(row, MessageRow):
        marks = ("●" if row.unread else " ") + ("★" if row.starred else " ") + ("@" if row.attachments else " ")
        if row.role is not Role.SENT:
            person = row.sender
    head = f"{row.key:>6}{account} {marks} {local(row.date):16}  {_fit(person, 24)}  "
    print(head + sanitize.cut(row.subject or "(no subject)", max(_columns() - len(head), 20)))


def print_folder_heading(*, with_account: bool) -> None:
    """Name the columns of `print_folder` for a person; a program that reads them gets the folders alone."""
    if sys.stdout.isatty():
        print(f"{_fit('Account', 12) + ' ' if with_account else ''}  Total  Unread  Folder")


def print_folder(account: str, name: str, count: Count) -> None:
    """Print a folder with how many messages it holds and how many are unread, the account first if it is given."""
    prefix = f"{_fit(account, 12)} " if account else ""
    print(f"{prefix}{count.total:>7} {count.unread:>7}  {sanitize.clean(name)}")


def _fit(text: str, cells: int) -> str:
    """Cut or pad text to exactly `cells` terminal cells."""
    text = sanitize.cut_sender(text, cells)
    return text + " " * (cells - width.cells(text))


def local(date: int | None) -> str:
    """Format UTC seconds in the local time zone, to the minute; "" for None."""
    return "" if date is None else f"{datetime.fromtimestamp(date, UTC).astimezone():%Y-%m-%d %H:%M}"


def size(count: int) -> str:
    """Format a number of bytes with a unit: 1.2 MB, 3.4 KB, 5 bytes."""
    for unit, scale in (("MB", 1_000_000), ("KB", 1000)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"


def _columns() -> int:
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 200
