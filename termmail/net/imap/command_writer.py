"""Write IMAP commands: atoms, quoted strings, literals, and the limit of a line (RFC 3501 section 4.3, RFC 7888)."""

from __future__ import annotations

import re
from enum import Enum

from msgspec import Struct

from termmail.net.imap.framing import LITERAL_LIMIT

LINE_OCTETS = 8000
"""Bytes of a command outside its literals (RFC 7162 section 4)."""
SHORT_LINE_OCTETS = 1000
"""The same for servers that take no more."""

_QUOTED_OCTETS = 1000
_SMALL_LITERAL = 4096
"""Bytes of a literal that LITERAL- sends without waiting (RFC 7888 section 5)."""

_ATOM = re.compile(rb"[!#$&'+\-./0-9:;<=>?@A-Z\[^_`a-z|~,]+")
_QUOTABLE = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Literal(Struct, frozen=True):
    """Bytes that are sent by their length. Any bytes may stand in them."""

    data: bytes

    def __repr__(self) -> str:
        return f"Literal({len(self.data)} bytes)"


Argument = bytes | Literal
"""Text to be sent as it is, or a literal."""


class LiteralMode(Enum):
    """When a literal may be sent without waiting for the server's "+" (RFC 7888)."""

    WAIT = "never"
    MINUS = "up to 4096 bytes"
    PLUS = "always"

    def waits(self, size: int) -> bool:
        """Return whether a literal of so many bytes has to wait."""
        return self is LiteralMode.WAIT or (self is LiteralMode.MINUS and size > _SMALL_LITERAL)


class Command(Struct, frozen=True):
    """One command, ready to send; create it with `command`. Its repr shows no secret.

    `literal_limit` is the number of bytes kept of the literals of each response while it is outstanding. `secret` says
    that a log must not show the arguments behind the first `shown_arguments`.
    """

    verb: str
    arguments: tuple[Argument, ...]
    literal_limit: int = LITERAL_LIMIT
    shown_arguments: int | None = None

    def __repr__(self) -> str:
        return f"Command({self.shown!r})"

    @property
    def shown(self) -> str:
        """The command without secrets and without the contents of its literals, for a log."""
        arguments = self.arguments[: self.shown_arguments]
        hidden = [b"[hidden]"] if len(arguments) < len(self.arguments) else []
        words = [b"{%d}" % len(one.data) if isinstance(one, Literal) else one for one in arguments]
        return b" ".join([self.verb.encode(), *words, *hidden]).decode("utf-8", "replace")

    @property
    def octets(self) -> int:
        """How many bytes are to be sent, about."""
        return sum(len(one.data) if isinstance(one, Literal) else len(one) for one in self.arguments)

    def pieces(self, tag: bytes, mode: LiteralMode) -> list[bytes]:
        """Return what to send: all but the first piece wait for the server's "+"."""
        pieces, text = [], tag + b" " + self.verb.encode()
        for argument in self.arguments:
            if isinstance(argument, bytes):
                text += b" " + argument
                continue
            size = len(argument.data)
            if mode.waits(size):
                pieces.append(text + b" {%d}\r\n" % size)
                text = argument.data
            else:
                text += b" {%d+}\r\n" % size + argument.data
        return [*pieces, text + b"\r\n"]


def command(
    verb: str,
    *arguments: Argument | int,
    literal_limit: int = LITERAL_LIMIT,
    shown_arguments: int | None = None,
) -> Command:
    """Return a command. Raises ValueError for a control character outside literals, or a line that is too long."""
    words = tuple(b"%d" % one if isinstance(one, int) else one for one in arguments)
    texts = [one for one in words if isinstance(one, bytes)]
    if any(_CONTROL.search(text) for text in texts):
        raise ValueError(f"a control character in an argument of {verb}")
    if sum(map(len, texts)) > LINE_OCTETS + 500:
        raise ValueError(f"{verb} is too long for a line")
    return Command(verb, words, literal_limit, shown_arguments)


def astring(data: bytes) -> Argument:
    """Return any string as an atom, a quoted string, or a literal where it holds CR, LF, NUL or 8-bit bytes."""
    if _ATOM.fullmatch(data) and data.upper() != b"NIL" and len(data) <= _QUOTED_OCTETS:
        return data
    if len(data) <= _QUOTED_OCTETS and not _CONTROL.search(data) and _QUOTABLE.fullmatch(data):
        return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return Literal(data)


def parenthesized(*words: bytes | str) -> bytes:
    """Return a list of atoms: (a b)."""
    return b"(" + b" ".join(word.encode() if isinstance(word, str) else word for word in words) + b")"
