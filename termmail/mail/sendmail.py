"""Make a message that another program wrote (git, mutt, cron) fit for SMTP."""

from __future__ import annotations

import base64
import quopri
import re
from typing import TYPE_CHECKING

from termmail.mail import header, mime
from termmail.mail.message import Address, Outgoing
from termmail.mail.outgoing import address_field, crlf, date_text, goes_as_it_is, new_message_id, text_field, unique
from termmail.mail.recipients import ComposeError, ascii_domain, parse_addresses, wire_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from termmail.mail.message import Identity

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_ADDRESS_FIELDS = frozenset(("from", "sender", "reply-to", "to", "cc", "resent-from", "resent-to", "resent-cc"))
_NEVER_SENT = frozenset(("bcc", "resent-bcc", "return-path", "status", "x-status", "x-mozilla-status"))
_LONGEST = 998  # bytes of a line (RFC 5322 section 2.1.1)
_DEPTH = 20  # messages inside messages
_NESTED = "This message nests too many parts to be made fit for sending."
_EIGHT_BIT = ("8bit", "binary")
_ENCODING_FIELD = re.compile(
    rb"^content-transfer-encoding[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE
)
_ID = re.compile(r"<([!-;=?-~]+)>")


def _split(raw: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """Return the header fields (name, whole field with line ends) and the body of a message with CRLF line ends."""
    fields: list[tuple[str, bytes]] = []
    place = 0
    if raw.startswith(b"From "):  # the separator line of an mbox
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
    """Return the unfolded text of a field."""
    data = b" ".join(field.partition(b":")[2].split(b"\r\n")).strip()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _people(fields: Sequence[tuple[str, bytes]], *names: str) -> list[Address]:
    return [one for name, field in fields if name in names for one in parse_addresses(_value(field))]


def _field_for_wire(name: str, field: bytes) -> bytes:
    """Return the field unchanged where it is ASCII in lines of legal length, else encoded."""
    if goes_as_it_is(field):
        return field if field.endswith(b"\r\n") else field + b"\r\n"
    title = field.partition(b":")[0].decode("ascii").strip()
    if name in _ADDRESS_FIELDS:
        return address_field(title, parse_addresses(_value(field))).encode("ascii")
    return text_field(title, " ".join(_value(field).split())).encode("ascii")


def to_seven_bit(raw: bytes) -> bytes:
    """Return a message without 8-bit bytes or overlong lines, for a server without 8BITMIME (RFC 6152 section 3).

    Header fields are encoded (RFC 2047); 8-bit parts become quoted-printable or base64, whichever is shorter. A
    message that is fit already comes back unchanged. Raises SignedError where encoding would break a signature
    (multipart/signed, RFC 1847), and ComposeError where parts nest too deep, and where 8-bit text stands between the parts.
    """
    return _to_seven_bit(raw, 0)


def _to_seven_bit(raw: bytes, depth: int) -> bytes:
    if goes_as_it_is(raw):
        return raw
    if depth > _DEPTH:
        raise ComposeError(_NESTED)
    fields, body = _seven_bits(*_split(crlf(raw.replace(b"\0", b""))), depth)
    return b"".join(_field_for_wire(name, field) for name, field in fields) + b"\r\n" + body


class SignedError(ComposeError):
    """A signed message that cannot be encoded anew without breaking its signature."""


def _seven_bits(fields: list[tuple[str, bytes]], body: bytes, depth: int = 0) -> tuple[list[tuple[str, bytes]], bytes]:
    """Return the message with its body in 7 bits and lines of legal length. Raises ComposeError like `to_seven_bit`.

    `depth` counts the messages around this one.
    """
    if goes_as_it_is(body):
        return fields, body
    entity = b"".join(field for name, field in fields if name.startswith("content-"))
    if b"content-type" not in entity.lower():
        entity += _content_type(body)
    raw = entity + b"\r\n" + body
    try:
        root = mime.tree(raw, header.fields(entity), len(entity) + 2)
    except mime.TooMuchError:
        raise ComposeError(_NESTED) from None
    pieces: list[bytes] = []
    done = 0
    for start, end, new in _edits(raw, root, depth):
        pieces += (raw[done:start], new)
        done = end
    encoded_header, _, encoded = b"".join((*pieces, raw[done:])).partition(b"\r\n\r\n")
    if not goes_as_it_is(encoded):
        raise ComposeError("This message holds 8-bit text outside its parts and cannot be sent.")
    kept = [(name, field) for name, field in fields if not name.startswith("content-")]
    if all(name != "mime-version" for name, _ in kept):
        kept.append(("mime-version", b"MIME-Version: 1.0\r\n"))
    return [*kept, ("content", encoded_header + b"\r\n")], encoded


def _edits(raw: bytes, root: mime.Node, depth: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield what to replace so that every part is in 7 bits: (start, end, new bytes) in order.

    All other bytes stay as they are, so that signatures of other parts hold.
    """
    pending = [root]
    while pending:
        node = pending.pop()
        data = raw[node.start : node.end]
        if goes_as_it_is(data) and node.encoding not in _EIGHT_BIT:
            continue
        if node.kind == "multipart/signed" and not goes_as_it_is(data):
            raise SignedError(
                "This message is signed and holds 8-bit text or overlong lines. Encoding it would break the signature: "
                "sign it again as quoted-printable or base64."
            )
        if node.children:
            if node.encoding in _EIGHT_BIT:
                yield _encoding_edit(raw, node, b"7bit")
            pending += reversed(node.children)
        elif node.kind == "message/rfc822":  # must not be encoded itself (RFC 2046 section 5.2.1)
            if node.encoding in _EIGHT_BIT:
                yield _encoding_edit(raw, node, b"7bit")
            yield node.start, node.end, _to_seven_bit(data, depth + 1)
        elif goes_as_it_is(data):
            yield _encoding_edit(raw, node, b"7bit")
        elif node.encoding in ("", "7bit", *_EIGHT_BIT):
            encoding, encoded = _encoded(data, node.kind)
            yield _encoding_edit(raw, node, encoding)
            yield node.start, node.end, encoded


def _encoded(data: bytes, kind: str) -> tuple[bytes, bytes]:
    """Encode a body as quoted-printable or base64 (RFC 2045 sections 6.7 and 6.8), whichever is shorter."""
    base64_text = crlf(base64.encodebytes(data).rstrip(b"\n"))
    quoted = crlf(quopri.encodestring(data.replace(b"\r\n", b"\n")))
    if kind.startswith("text/") and len(quoted) <= len(base64_text):
        return b"quoted-printable", quoted
    return b"base64", base64_text


def _encoding_edit(raw: bytes, node: mime.Node, encoding: bytes) -> tuple[int, int, bytes]:
    """Return the edit that sets the transfer encoding in the header of a part."""
    field = b"Content-Transfer-Encoding: " + encoding + b"\r\n"
    if match := _ENCODING_FIELD.search(raw, node.header, node.start):
        return match.start(), match.end(), field
    if node.start == node.header:  # a part without header and without the empty line
        field += b"\r\n"
    return node.header, node.header, field


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
    quoted-printable or base64 unless they are signed. `sender` (-f) is the envelope sender, else From, else the identity. With `read_recipients` (-t)
    the people of To, Cc and Bcc are added to `recipients`. Raises ComposeError where there are no recipients or a
    bad address.
    """
    fields, body = _split(crlf(raw.replace(b"\0", b"")))
    try:
        fields, body = _seven_bits(fields, body)
    except SignedError:
        if max(map(len, body.split(b"\r\n"))) > _LONGEST:
            raise  # no server takes such lines; 8-bit text goes to the servers that take it
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
