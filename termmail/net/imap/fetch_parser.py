"""Parse the FETCH response: flags, dates, sizes and the parts of a message (RFC 3501 section 7.4.2)."""

from __future__ import annotations

import calendar
import contextlib
import functools
import re
from typing import TYPE_CHECKING

from termmail.net.imap.framing import Missing
from termmail.net.imap.tokens import MAX_LONG, Unparsable, list_of, number_of, text_of
from termmail.net.imap.untagged import Fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.net.imap.tokens import Value

_FLAG_ROW = re.compile(
    rb"\* (\d{1,10}) FETCH \((?: ?(?:UID (\d{1,10})|FLAGS \(([^()\"{]*)\)|MODSEQ \((\d{1,19})\)))+\)"
)
"""A row of flags alone: a hundred thousand of them may come at once."""

_DATE = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = {
    name: 1 + number
    for number, name in enumerate(
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"]
    )
}
_CANONICAL = {
    name.lower(): name
    for name in (r"\Seen", r"\Answered", r"\Flagged", r"\Deleted", r"\Draft", r"\Recent", "$Forwarded", "$MDNSent")
}
"""Flags are compared without regard to case (RFC 3501 section 9); these are written in one way."""


def parse_flag_row(line: bytes) -> Fetch | None:
    """Return a row that holds unique id, flags and mod-sequence only; None for every other line."""
    row = _FLAG_ROW.fullmatch(line)
    if row is None:
        return None
    number, uid, flags, modseq = row.groups()
    return Fetch(
        int(number),
        int(uid) if uid else None,
        _flags_of(flags) if flags is not None else None,
        modseq=int(modseq) if modseq and int(modseq) <= MAX_LONG else None,
    )


def read_flags(words: tuple[bytes, ...]) -> frozenset[str]:
    """Return flags as text; bytes outside UTF-8 become surrogates, so that nothing is lost."""
    return _flags_of(b" ".join(words))


@functools.lru_cache(maxsize=4096)
def _flags_of(text: bytes) -> frozenset[str]:
    words = text.decode("utf-8", "surrogateescape").split(" ")
    return frozenset(_CANONICAL.get(word.lower(), word) for word in words if word)


def parse_fetch(number: int, values: list[Value]) -> Fetch:
    """Return the row of one message. An item that termmail does not know is left out. Raises Unparsable."""
    if len(values) != 1:
        raise Unparsable("no list of items")
    items = list_of(values[0])
    if len(items) % 2:
        raise Unparsable("an item without a value")
    found: dict[str, object] = {}
    sections: dict[bytes, bytes | Missing] = {}
    for name, value in zip(items[::2], items[1::2], strict=True):
        item = text_of(name).upper()
        if item.startswith((b"BODY[", b"BINARY[")):
            if value is not None:
                sections[item] = value if isinstance(value, Missing) else text_of(value)
        elif reader := _READERS.get(item):
            key, read = reader
            with contextlib.suppress(Unparsable):  # a senseless size does not hide a message
                found[key] = read(value)
    return Fetch(number, sections=sections or None, **found)  # type: ignore[arg-type]


def _flags(value: Value) -> frozenset[str]:
    return read_flags(tuple(map(text_of, list_of(value))))


def _in_list(value: Value) -> Value:
    inner = list_of(value)
    if len(inner) != 1:
        raise Unparsable("no single value")
    return inner[0]


def _date(value: Value) -> int | None:
    """Return seconds UTC, or None for a date that is none."""
    date = _DATE.fullmatch(text_of(value))
    month = _MONTHS.get(date[2].lower()) if date else None
    if date is None or month is None:
        return None
    day, year, hour, minute, second = (int(date[group]) for group in (1, 3, 4, 5, 6))
    if not (1 <= day <= 31 and year >= 1 and hour < 24 and minute < 60 and second <= 60):
        return None
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    east = (int(date[8]) * 60 + int(date[9])) * 60
    return seconds - (east if date[7] == b"+" else -east)


_READERS: dict[bytes, tuple[str, Callable[[Value], object]]] = {
    b"UID": ("uid", number_of),
    b"FLAGS": ("flags", _flags),
    b"INTERNALDATE": ("internal_date", _date),
    b"RFC822.SIZE": ("size", number_of),
    b"MODSEQ": ("modseq", lambda value: number_of(_in_list(value), 19)),
    b"EMAILID": ("email_id", lambda value: text_of(_in_list(value))),
    b"X-GM-MSGID": ("gmail_id", lambda value: number_of(value, 20, 2**64 - 1)),
}
