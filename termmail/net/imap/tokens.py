"""Read the values of an IMAP response: atoms, strings, literals, NIL and lists (RFC 3501 section 4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Union

from termmail.net.imap.framing import Missing

if TYPE_CHECKING:
    from termmail.net.imap.framing import Frame

NESTING = 50
"""Lists inside lists."""

Value = Union[bytes, Missing, None, "list[Value]"]
"""An atom, string or literal as bytes; NIL; a list; or a literal that was too large to keep."""

_TOKEN = re.compile(
    rb" *(?:"
    rb"((?:BODY|BINARY)\[[^\]]*\](?:<\d+>)?|[^ ()\"]+)"  # an atom; the name of a section may hold spaces
    rb"|\"([^\"\\]*(?:\\.[^\"\\]*)*)\""
    rb"|([()])"
    rb"|([^ ]))",
    re.IGNORECASE | re.DOTALL,
)
_ATOM, _STRING, _PARENTHESIS = 1, 2, 3
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


class Unparsable(ValueError):
    """A response is not as the protocol has it."""


def read_values(frame: Frame, at: int) -> list[Value]:
    """Return the values of a response from byte `at` of its first text on. Raises Unparsable."""
    values: list[Value] = []
    outer: list[list[Value]] = []
    for index, part in enumerate(frame):
        if index % 2:
            values.append(part)
            continue
        assert isinstance(part, bytes)
        for token in _TOKEN.finditer(part, at if index == 0 else 0):
            kind = token.lastindex
            if kind == _ATOM:
                atom = token[1]
                values.append(None if len(atom) == 3 and atom.upper() == b"NIL" else atom)
            elif kind == _STRING:
                string = token[2]
                values.append(_ESCAPED.sub(rb"\1", string) if b"\\" in string else string)
            elif kind != _PARENTHESIS:
                raise Unparsable("a string does not end")
            elif token[3] == b"(":
                outer.append(values)
                if len(outer) > NESTING:
                    raise Unparsable("lists too deep")
                values = []
            else:
                if not outer:
                    raise Unparsable("a list ends that did not begin")
                ended, values = values, outer.pop()
                values.append(ended)
    if outer:
        raise Unparsable("a list does not end")
    return values


def text_of(value: Value) -> bytes:
    """Return a value that must be an atom, string or literal. Raises Unparsable."""
    if not isinstance(value, bytes):
        raise Unparsable("a string is missing")
    return value


def list_of(value: Value) -> list[Value]:
    """Return a value that must be a list. Raises Unparsable."""
    if not isinstance(value, list):
        raise Unparsable("a list is missing")
    return value


MAX_LONG = 2**63 - 1
"""The largest mod-sequence (RFC 7162 section 3.1.1)."""


def number_of(value: Value, digits: int = 10, most: int = MAX_LONG) -> int:
    """Return a value that must be a number of at most so many digits, and not above `most`. Raises Unparsable."""
    if not isinstance(value, bytes) or not value.isdigit() or len(value) > digits or int(value) > most:
        raise Unparsable("a number is missing")
    return int(value)
