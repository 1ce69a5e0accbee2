"""Read the arguments of IMAP commands, and write the values of responses (RFC 3501 sections 4 and 9)."""

from __future__ import annotations

import calendar
import re
import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Value = Union[bytes, "list[Value]"]
"""An atom or string, or a list."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TOKEN = re.compile(
    rb"((?:BODY(?:\.PEEK)?\[[^\]]*\](?:<\d+\.\d+>)?)|[^\x00-\x20\x7f-\xff(){\"]+)"
    rb"|\"((?:[^\x00\r\n\"\\\x80-\xff]|\\[\"\\])*)\"",
    re.IGNORECASE,
)
_ATOM = re.compile(rb"[!#$&'+\-./0-9:;<=>?@A-Z\[^_`a-z|~,]+")
_SET = re.compile(rb"(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?(?:,(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?)*")
_DATE = re.compile(
    rb"(?P<day>[ \d]?\d)-(?P<month>[A-Za-z]{3})-(?P<year>\d{4})"
    rb"(?: (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d) (?P<zone>[+-]\d{4}))?"
)


class No(Exception):
    """The command is refused; `text` goes behind NO, response code included."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Bad(No):
    """The command is not understood."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One command. `parts` are its text, literal, text, ..., text behind the tag."""

    tag: bytes
    verb: str
    parts: list[bytes]

    @property
    def text(self) -> str:
        """The command without tag and literals, for the log and as the key of faults."""
        return f"{self.verb}{b'{}'.join(self.parts[::2]).decode('latin-1')}"

    def arguments(self) -> list[Value]:
        """Return the arguments. Raises Bad unless exactly one blank separates them."""
        return _Reader(self.parts).read()


class _Reader:
    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts
        self.index = 0
        self.at = 0

    def read(self) -> list[Value]:
        values: list[Value] = []
        while not self._ended():
            self._expect(b" ")
            values.append(self._value())
        return values

    def _ended(self) -> bool:
        return self.index == len(self.parts) - 1 and self.at == len(self.parts[-1])

    def _peek(self) -> bytes:
        return self.parts[self.index][self.at : self.at + 1]

    def _expect(self, mark: bytes) -> None:
        if self._peek() != mark:
            raise Bad("syntax error")
        self.at += 1

    def _value(self) -> Value:
        text = self.parts[self.index]
        if self.at == len(text) and self.index + 2 < len(self.parts):
            literal = self.parts[self.index + 1]
            self.index, self.at = self.index + 2, 0
            return literal
        if self._peek() == b"(":
            return self._list()
        token = _TOKEN.match(text, self.at)
        if token is None:
            raise Bad("syntax error")
        self.at = token.end()
        return token[1] if token[1] is not None else re.sub(rb"\\(.)", rb"\1", token[2])

    def _list(self) -> Value:
        self._expect(b"(")
        values: list[Value] = []
        while self._peek() != b")":
            if values:
                self._expect(b" ")
            values.append(self._value())
        self._expect(b")")
        return values


def text(value: Value) -> bytes:
    """Return a value that must be an atom or a string. Raises Bad."""
    if not isinstance(value, bytes):
        raise Bad("a string is missing")
    return value


def word(value: Value) -> str:
    """Return a keyword of the protocol in capitals. Raises Bad."""
    return text(value).decode("latin-1").upper()


def words(value: Value) -> list[str]:
    """Return the keywords of a list in capitals. Raises Bad."""
    return [word(one) for one in items(value)]


def items(value: Value) -> list[Value]:
    """Return a value that must be a list. Raises Bad."""
    if not isinstance(value, list):
        raise Bad("a list is missing")
    return value


def number(value: Value) -> int:
    """Return a value that must be a number. Raises Bad."""
    digits = text(value)
    if not digits.isdigit() or len(digits) > 19:
        raise Bad("a number is missing")
    return int(digits)


def flags_of(value: Value) -> list[str]:
    r"""Return the flags of a list. Raises Bad for one that begins with a backslash and is no system flag."""
    flags = [text(one).decode("latin-1") for one in items(value)]
    known = {"\\answered", "\\flagged", "\\deleted", "\\seen", "\\draft"}
    if any(flag.startswith("\\") and flag.lower() not in known for flag in flags):
        raise Bad("unknown system flag")
    return flags


def chosen(value: Value, among: Sequence[int]) -> list[int]:
    """Return those of `among`, which is ascending, that a set such as 1,4:* names. Raises Bad."""
    found: list[int] = []
    for low, high in ranges(value, among[-1] if among else 0):
        found += among[bisect_left(among, low) : bisect_right(among, high)]
    return sorted(set(found))


def ranges(value: Value, last: int) -> list[tuple[int, int]]:
    """Return the ranges of a set, in which `*` is `last`. Raises Bad."""
    written = text(value)
    if not _SET.fullmatch(written):
        raise Bad("not a set of numbers")
    found = []
    for part in written.split(b","):
        ends = [last if end == b"*" else int(end) for end in part.split(b":")]
        found.append((min(ends), max(ends)))
        if b"0" in part.split(b":"):
            raise Bad("numbers begin at 1")
    return found


def compact(uids: Iterable[int]) -> bytes:
    """Return numbers, in their order, as a set: 1:3,7."""
    parts: list[list[int]] = []
    for uid in uids:
        if parts and uid == parts[-1][1] + 1:
            parts[-1][1] = uid
        else:
            parts.append([uid, uid])
    return b",".join(b"%d" % first if first == last else b"%d:%d" % (first, last) for first, last in parts)


def date_of(written: bytes) -> int:
    """Return the seconds UTC of a date, with or without a time. Raises Bad."""
    found = _DATE.fullmatch(written)
    month = found["month"].decode().capitalize() if found else ""
    if found is None or month not in MONTHS:
        raise Bad("not a date")
    clock = [int(found[name] or 0) for name in ("hour", "minute", "second")]
    zone = int(found["zone"] or 0)
    east = (abs(zone) // 100 * 60 + abs(zone) % 100) * (60 if zone >= 0 else -60)
    return calendar.timegm((int(found["year"]), MONTHS.index(month) + 1, int(found["day"]), *clock)) - east


def date_text(seconds: int) -> bytes:
    """Return seconds UTC as a quoted date-time."""
    at = time.gmtime(seconds)
    clock = (at.tm_mday, MONTHS[at.tm_mon - 1].encode(), at.tm_year, at.tm_hour, at.tm_min, at.tm_sec)
    return b'"%02d-%b-%04d %02d:%02d:%02d +0000"' % clock


def astring(data: bytes) -> bytes:
    """Return a string as an atom, a quoted string or a literal."""
    if _ATOM.fullmatch(data) and data.upper() != b"NIL":
        return data
    return string(data)


def string(data: bytes) -> bytes:
    """Return a string as a quoted string or a literal."""
    if re.search(rb"[\x00\r\n\x80-\xff]", data):
        return literal(data)
    return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def literal(data: bytes) -> bytes:
    """Return a string as a literal."""
    return b"{%d}\r\n%b" % (len(data), data)
