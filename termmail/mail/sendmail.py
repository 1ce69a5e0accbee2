"""A message that another program wrote, made fit for the wire: what `sendmail` is handed by git, mutt or cron."""

from __future__ import annotations

import quopri
import re
from email import message_from_bytes
from email.policy import compat32
from typing import TYPE_CHECKING

from termmail.mail.message import Address, Outgoing
from termmail.mail.outgoing import address_field, crlf, date_text, goes_as_it_is, new_message_id, text_field, unique
from termmail.mail.recipients import ComposeError, ascii_domain, parse_addresses, wire_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from email.message import Message as Mime

    from termmail.mail.message import Identity

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_ADDRESS_FIELDS = frozenset(("from", "sender", "reply-to", "to", "cc", "resent-from", "resent-to", "resent-cc"))
_NEVER_SENT = frozenset(("bcc", "resent-bcc", "return-path", "status", "x-status", "x-mozilla-status"))
_DEPTH = 50
_AS_IT_IS = compat32.clone(max_line_length=0, linesep="\n", mangle_from_=False)
_ID = re.compile(r"<([!-;=?-~]+)>")


def _split(raw: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """The header fields (name, whole field with its line ends) and the body of CRLF bytes; no header: all is body."""
    fields: list[tuple[str, bytes]] = []
    place = 0
    if raw.startswith(b"From "):  # the divider line of an mbox
        place = raw.find(b"\r\n") + 2
    while place < len(raw):
        end = raw.find(b"\r\n", place)
        end = len(raw) if end < 0 else end + 2
        line = raw[place:end]
        if line == b"\r\n":
            return fields, raw[end:]
        match = _FIELD.match(line)
        if match:
            fields.append((match.group(1).decode("ascii").lower(), line))
        elif fields and line[:1] in (b" ", b"\t"):
            fields[-1] = (fields[-1][0], fields[-1][1] + line)
        else:
            return fields, raw[place:]
        place = end
    return fields, b""


def _value(field: bytes) -> str:
    """The unfolded text of a field."""
    data = b" ".join(field.partition(b":")[2].split(b"\r\n")).strip()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _people(fields: Sequence[tuple[str, bytes]], *names: str) -> list[Address]:
    return [one for name, field in fields if name in names for one in parse_addresses(_value(field))]


def _field_for_wire(name: str, field: bytes) -> bytes:
    """The field as it is where it is ASCII in lines of legal length, else written anew."""
    if goes_as_it_is(field):
        return field if field.endswith(b"\r\n") else field + b"\r\n"
    title = field.partition(b":")[0].decode("ascii").strip()
    if name in _ADDRESS_FIELDS:
        return address_field(title, parse_addresses(_value(field))).encode("ascii")
    return text_field(title, " ".join(_value(field).split())).encode("ascii")


def _quote_leaf(part: Mime) -> None:
    """Write a part that 7-bit SMTP cannot carry as quoted-printable (RFC 2045 section 6.7)."""
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    if encoding not in ("7bit", "8bit", "binary", ""):
        return
    del part["Content-Transfer-Encoding"]
    if part.is_multipart():
        part["Content-Transfer-Encoding"] = "7bit"
        return
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    quoted = quopri.encodestring(crlf(data).replace(b"\r\n", b"\n"))
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(quoted.decode("ascii"))


def _seven_bits(fields: list[tuple[str, bytes]], body: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """The message with its body in 7 bits and lines of legal length, so that it needs no 8BITMIME (RFC 6152).

    Raises ComposeError where that cannot be done.
    """
    if goes_as_it_is(body):
        return fields, body
    if body.count(b"boundary") > _DEPTH:
        raise ComposeError("This message nests too many parts to be made fit for sending.")
    entity = b"".join(field for name, field in fields if name.startswith("content-"))
    if b"charset" not in entity.lower() and b"multipart/" not in entity.lower():
        entity += b"" if b"content-type" in entity.lower() else _content_type(body)
    whole = message_from_bytes(entity + b"\r\n" + body)
    for part in list(whole.walk()):
        _quote_leaf(part)
    header, _, quoted = crlf(whole.as_bytes(policy=_AS_IT_IS)).partition(b"\r\n\r\n")
    if not quoted.isascii():
        raise ComposeError("This message holds 8-bit text outside its parts and cannot be sent.")
    kept = [(name, field) for name, field in fields if not name.startswith("content-")]
    if all(name != "mime-version" for name, _ in kept):
        kept.append(("mime-version", b"MIME-Version: 1.0\r\n"))
    return [*kept, ("content", header + b"\r\n")], quoted


def _content_type(body: bytes) -> bytes:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return b"Content-Type: text/plain; charset=iso-8859-1\r\n"
    return b"Content-Type: text/plain; charset=utf-8\r\n"


def from_raw(
    raw: bytes,
    *,
    sender: str | None,
    recipients: Sequence[str],
    identity: Identity,
    read_recipients: bool,
    now: datetime,
) -> Outgoing:
    """Make a finished message fit for the wire, as sendmail does.

    Line ends become CRLF, Bcc goes from the header, a missing From, Date or Message-ID is added, 8-bit parts become
    quoted-printable. `sender` (-f) is the envelope sender, else From, else the identity. With `read_recipients` (-t)
    the people of To, Cc and Bcc are added to `recipients`. Raises ComposeError in plain words: no recipients, a bad
    address.
    """
    fields, body = _seven_bits(*_split(crlf(raw.replace(b"\0", b""))))
    asked = [one for text in recipients for one in parse_addresses(text)]
    if read_recipients:
        asked += _people(fields, "to", "cc", "bcc")
    people = unique(wire_address(one.email) for one in asked)
    if not people:
        raise ComposeError(
            "There is no one to send this to. Name a recipient, or use -t to read them from the message."
        )
    written = {name for name, _ in fields}
    author = _people(fields, "sender") or _people(fields, "from")
    envelope = wire_address(sender or (author[0].email if author else identity.address))
    found = [match.group(1) for name, field in fields if name == "message-id" for match in _ID.finditer(_value(field))]
    message_id = found[0] if found else new_message_id(ascii_domain(envelope.rpartition("@")[2]))
    head = [_field_for_wire(name, field) for name, field in fields if name not in _NEVER_SENT]
    if "from" not in written:
        head.insert(0, address_field("From", [Address(identity.name, identity.address)]).encode("ascii"))
    if "date" not in written:
        head.append(f"Date: {date_text(now)}\r\n".encode("ascii"))
    if not found:
        head = [field for field in head if not field.lower().startswith(b"message-id")]
        head.append(f"Message-ID: <{message_id}>\r\n".encode("ascii"))
    return Outgoing(b"".join(head) + b"\r\n" + body, envelope, people, message_id)
