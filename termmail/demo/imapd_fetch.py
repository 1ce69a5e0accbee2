"""The items of FETCH: what is asked of a message, and the row that answers (RFC 3501 section 6.4.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from termmail.demo.imapd_syntax import Bad, Value, date_text, literal, text
from termmail.demo.imapd_view import flags_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from termmail.demo.imap_mailbox import StoredMessage

_SECTION = re.compile(rb"BODY(\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)
_FIELDS = re.compile(rb"HEADER\.FIELDS(\.NOT)? \(([^()]+)\)", re.IGNORECASE)
_HEADER_LINES = re.compile(rb"[^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n")

_SIMPLE: dict[bytes, Callable[[StoredMessage], bytes]] = {
    b"UID": lambda message: b"UID %d" % message.uid,
    b"FLAGS": lambda message: b"FLAGS (%b)" % flags_text(message.flags),
    b"INTERNALDATE": lambda message: b"INTERNALDATE %b" % date_text(message.internal_date),
    b"RFC822.SIZE": lambda message: b"RFC822.SIZE %d" % len(message.raw),
    b"MODSEQ": lambda message: b"MODSEQ (%d)" % message.modseq,
    b"EMAILID": lambda message: b"EMAILID (%b)" % message.email_id.encode(),
    b"X-GM-MSGID": lambda message: b"X-GM-MSGID %d" % int(message.email_id[1:16], 16),
    b"RFC822": lambda message: b"RFC822 %b" % literal(message.raw),
    b"RFC822.HEADER": lambda message: b"RFC822.HEADER %b" % literal(message.raw[: message.header_size]),
    b"RFC822.TEXT": lambda message: b"RFC822.TEXT %b" % literal(message.raw[message.header_size :]),
}
_READS = {b"RFC822", b"RFC822.TEXT"}


@dataclass(frozen=True, slots=True)
class Fetching:
    r"""What a FETCH asks for. `names` are in capitals; `reads` says that it marks messages as \Seen."""

    names: tuple[bytes, ...]
    readers: tuple[Callable[[StoredMessage], bytes], ...]
    reads: bool

    def row(self, number: int, message: StoredMessage) -> bytes:
        """Return the untagged response for one message."""
        return b"* %d FETCH (%b)\r\n" % (number, b" ".join([read(message) for read in self.readers]))


def fetching(asked: Value, also: Iterable[bytes] = ()) -> Fetching:
    """Return what the argument of FETCH asks for, with the items `also`. Raises Bad for an item that is unknown."""
    names = [text(one) for one in asked] if isinstance(asked, list) else [asked]
    if names == [b"FAST"]:
        names = [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"]
    names = [name if name.upper().startswith(b"BODY") else name.upper() for name in names]
    names = [*(name for name in also if name not in names), *names]
    if not names:
        raise Bad("nothing to fetch")
    readers = tuple(_SIMPLE.get(name) or _section(name) for name in names)
    reads = any(name in _READS or name.upper().startswith(b"BODY[") for name in names)
    return Fetching(tuple(names), readers, reads)


def _section(name: bytes) -> Callable[[StoredMessage], bytes]:
    """Return the reader of BODY[...]: the message, its header, some fields of it, or its text, or bytes of these."""
    asked = _SECTION.fullmatch(name)
    if asked is None:
        raise Bad(f"unknown item {name.decode('latin-1')}")
    section = asked[2]
    part = _part(section)
    begin, length = (int(asked[3]), int(asked[4])) if asked[3] is not None else (0, None)
    origin = b"" if length is None else b"<%d>" % begin
    title = b"BODY[%b]%b " % (section.upper(), origin)

    def read(message: StoredMessage) -> bytes:
        data = part(message)
        return title + literal(data if length is None else data[begin : begin + length])

    return read


def _part(section: bytes) -> Callable[[StoredMessage], bytes]:
    match section.upper():
        case b"":
            return lambda message: message.raw
        case b"HEADER":
            return lambda message: message.raw[: message.header_size]
        case b"TEXT":
            return lambda message: message.raw[message.header_size :]
    fields = _FIELDS.fullmatch(section)
    if fields is None:
        raise Bad(f"unknown section {section.decode('latin-1')}")
    wanted = {field.strip(b'"').lower() for field in fields[2].split()}
    keeps = fields[1] is None
    return lambda message: b"".join(
        line
        for line in header_lines(message)
        if line == b"\r\n" or (line.partition(b":")[0].strip().lower() in wanted) is keeps
    )


def header_lines(message: StoredMessage) -> list[bytes]:
    """Return the fields of the header, folded lines together, and the empty line that ends it."""
    return _HEADER_LINES.findall(message.raw[: message.header_size])


def header_values(message: StoredMessage, field: bytes) -> list[bytes]:
    """Return the values of a header field, unfolded."""
    pairs = (line.partition(b":") for line in header_lines(message))
    return [
        re.sub(rb"\r\n(?=[ \t])", b"", value).strip()
        for name, _, value in pairs
        if name.strip().lower() == field.lower()
    ]
