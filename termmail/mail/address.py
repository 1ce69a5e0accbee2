"""Address headers to mailboxes (RFC 5322 section 3.4), tolerant of what is really sent.

Encoded-words are decoded in names and comments only, after the address was found (Mailsploit). An address is never a
part picked out of something malformed: what cannot be told apart is shown whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from termmail.mail.header import FIELD_LIMIT, decode_words
from termmail.mail.message import Address
from termmail.mail.sanitize import clean_address, clean_words

_ADDRESSES_MOST = 5000
_NAME_MOST = 500
_CACHED_LENGTH = 200
# One well-formed mailbox and the comma behind it: nearly every address of real mail.
_PLAIN = re.compile(
    r'\s*+(?:(?:"([^"\\<>]*+)"\s*+|([^"<>()\[\],;:@\\]*+))<([^\s<>()\[\],;:"\\@]++@[^\s<>()\[\],;:"\\@]++)>'
    r'|([^\s<>()\[\],;:"\\@]++@[^\s<>()\[\],;:"\\@]++))\s*+(?:,|$)'
)


def addresses(value: str) -> tuple[Address, ...]:
    """Return the mailboxes of an address field, members of groups included (at most 5 000), all cleaned.

    A word without "@" (`MAILER-DAEMON`) is an Address whose `email` is that word.
    """
    return _cached(value) if len(value) < _CACHED_LENGTH else _addresses(value)


def _addresses(value: str) -> tuple[Address, ...]:
    value = value[:FIELD_LIMIT]
    found: list[Address] = []
    position, end = 0, len(value)
    while position < end and len(found) < _ADDRESSES_MOST:
        match = _PLAIN.match(value, position)
        if match is None:
            found += _scan(value[position:])
            break
        quoted, phrase, angle, bare = match.groups()
        found.append(Address(_name(quoted or phrase or ""), clean_address(angle or bare)))
        position = match.end()
    return tuple(found[:_ADDRESSES_MOST])


_cached = lru_cache(maxsize=1024)(_addresses)
"""Most mail is between the same people, so that short fields repeat."""


def _name(text: str) -> str:
    if "=?" in text:
        text = decode_words(text)
    return clean_words(text)[:_NAME_MOST]


_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)"|[(),;:<>"\\]|[^"(),;:<>\\]++', re.DOTALL)
_TOKEN_NO_QUOTES = re.compile(r"\\.|[(),;:<>\\]|[^(),;:<>\\]++", re.DOTALL)  # also inside comments
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ROUTE = re.compile(r"@[^:]*+:")
_AROUND = re.compile(r" ?([@.]) ?")


@dataclass(slots=True)
class _Item:
    """One mailbox while it is read: `raw` keeps quotes, `name` does not."""

    raw: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    comment: list[str] = field(default_factory=list)
    angle: list[str] | None = None
    at: bool = False

    def add(self, raw: str, name: str) -> None:
        self.raw.append(raw)
        self.name.append(name)
        self.at = self.at or "@" in raw

    def only_words(self) -> bool:
        return self.angle is None and not self.at

    def address(self) -> Address | None:
        comment = _name("".join(self.comment))
        if self.angle is not None:
            email = _spec(_ROUTE.sub("", "".join(self.angle).strip(), count=1))
            name = _name("".join(self.name))
            if comment:
                name = f"{name} ({comment})" if name else comment
            return Address(name, email) if name or email else None
        email = _spec("".join(self.raw))
        return Address(comment, email) if email else None


def _spec(text: str) -> str:
    return _AROUND.sub(r"\1", " ".join(clean_address(text).split()))


def _scan(text: str) -> list[Address]:
    """Read mailboxes with comments, quotes, groups and mistakes in one pass without recursion."""
    found: list[Address] = []
    item = _Item()
    depth = 0
    in_angle = False
    pattern, position = _TOKEN, 0
    while position < len(text) and len(found) < _ADDRESSES_MOST:
        match = (_TOKEN_NO_QUOTES if depth else pattern).match(text, position)
        if match is None:
            break
        piece = match[0]
        position = match.end()
        if piece == '"':  # no closing quote follows: from here on a quote is a letter like others
            pattern = _TOKEN_NO_QUOTES
        if depth:
            depth += (piece == "(") - (piece == ")")
            if depth:
                item.comment.append(piece)
        elif in_angle:
            in_angle = piece != ">"
            if in_angle and item.angle is not None:
                item.angle.append(piece)
        elif piece == "(":
            depth = 1
        elif piece == "<":
            if item.angle is not None:  # a second address: the first becomes part of the name, where it is seen
                item.add("", f" <{''.join(item.angle)}>")
            item.angle, in_angle = [], True
        elif piece in ",;":
            item = _end(item, piece, text, position, found)
        elif piece == ":" and item.only_words():
            item = _Item()  # what stood before is the name of a group
        else:
            item.add(piece, _ESCAPED.sub(r"\1", match[1]) if pattern is _TOKEN and match[1] is not None else piece)
    _end(item, "", text, position, found)
    return found


_NAME_THEN_ANGLE = re.compile(r'[^<>,;:@"]*+<')


def _end(item: _Item, separator: str, text: str, position: int, found: list[Address]) -> _Item:
    """Close a mailbox and start the next. `Lovelace, Ada <ada@example.org>` without quotes is one mailbox."""
    if separator == "," and item.only_words() and "".join(item.raw).strip():
        following = _NAME_THEN_ANGLE.match(text, position)
        if following and following[0].strip(" \t\r\n<"):
            item.add(separator, separator)
            return item
    if address := item.address():
        found.append(address)
    return _Item()
