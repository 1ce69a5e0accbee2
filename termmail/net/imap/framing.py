"""Split what an IMAP server sends into responses: lines ended by CRLF, with the literals in them (RFC 3501 section 4.3).

A literal is announced at the end of a line: {n}, {n+} or ~{n}. How the bytes are split into reads makes no difference.
"""

from __future__ import annotations

import io
import re
from enum import Enum

from termmail.net.net_errors import ProtocolError, TooLarge

LINE_LIMIT = 64 << 10
"""Bytes of a response outside its literals."""
LONG_LINE_LIMIT = 4 << 20
"""The same for a list of numbers, whatever the number of messages."""
LITERAL_LIMIT = 64 << 10
"""Bytes of the literals of a response that no outstanding command has asked for, such as folder names."""
DRAIN_LIMIT = 64 << 20
"""Bytes that are read and discarded beyond a limit, so that one message too large does not end the session."""
LITERALS = 1000
"""Literals of one response."""

_LITERAL = re.compile(rb"~?\{(\d{1,20})\+?\}\Z")
_STATUS = re.compile(rb"\* (?:OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE)
_LONG = re.compile(rb"\* (?:SEARCH|ESEARCH|VANISHED)\b", re.IGNORECASE)


class Missing(Enum):
    """Stands for bytes that were not kept."""

    TOO_LARGE = "too large"


Part = bytes | Missing
Frame = list[Part]
"""One response: text, literal, text, ..., text. The texts are without the {n} that announced the literal behind them."""


class Framing:
    """Collects one response after the other. After an error it must not be used again."""

    def __init__(self) -> None:
        self.literal_limit = LITERAL_LIMIT
        """Bytes of literals kept of one response; literals beyond it become Missing.TOO_LARGE."""
        self.long_line_limit = LONG_LINE_LIMIT
        """Bytes of a line that lists numbers: SEARCH, ESEARCH and VANISHED."""
        self._buffer = bytearray()
        self._at = 0
        self._searched = 0
        self._frame: Frame = []
        self._text_bytes = 0
        self._literal_bytes = 0
        self._literal: _Literal | None = None

    @property
    def pending_bytes(self) -> int:
        """The bytes received of an incomplete response."""
        return len(self._buffer) - self._at + self._text_bytes + self._literal_bytes - self._literal_left

    @property
    def _literal_left(self) -> int:
        return self._literal.left if self._literal else 0

    @property
    def unread(self) -> bytes:
        """What was received and not yet returned, for a log, cut."""
        return b"".join(part for part in self._frame if isinstance(part, bytes))[:500] + self._buffer[self._at :][:500]

    def take_unread(self) -> bytes:
        """Return what is behind the last response, and forget it."""
        rest = bytes(self._buffer[self._at :])
        self._buffer.clear()
        self._at = self._searched = 0
        return rest

    def receive(self, data: bytes) -> None:
        """Take received bytes."""
        if self._at:
            del self._buffer[: self._at]
            self._searched = max(0, self._searched - self._at)
            self._at = 0
        self._buffer += data

    def next_frame(self) -> Frame | None:
        """Return the next response, or None until it is complete.

        Raises ProtocolError or TooLarge beyond a limit; client and server are then out of step.
        """
        while self._literal is None or self._take_literal(self._literal):
            line = self._line()
            if line is None:
                return None
            announced = _LITERAL.search(line) if line.endswith(b"}") and self._may_hold_literals(line) else None
            if announced is None:
                self._frame.append(line)
                frame, self._frame = self._frame, []
                self._text_bytes = self._literal_bytes = 0
                return frame
            self._frame.append(line[: announced.start()])
            self._begin_literal(int(announced[1]))
        return None

    def _may_hold_literals(self, line: bytes) -> bool:
        """Return whether {n} at the end of a line announces a literal: the free text of a status response may end so."""
        return bool(self._frame) or (line.startswith(b"* ") and not _STATUS.match(line))

    def _line(self) -> bytes | None:
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\r\n", max(at, self._searched - 1))
        length = (len(buffer) if end < 0 else end) - at
        if self._text_bytes + length > LINE_LIMIT and self._text_bytes + length > self._line_limit():
            raise ProtocolError("The server sent a line without an end.")
        if end < 0:
            self._searched = len(buffer)
            return None
        with memoryview(buffer) as view:
            line = bytes(view[at:end])
        self._at = self._searched = end + 2
        self._text_bytes += length
        return line

    def _line_limit(self) -> int:
        begin = self._frame[0] if self._frame else bytes(self._buffer[self._at : self._at + 12])
        return self.long_line_limit if isinstance(begin, bytes) and _LONG.match(begin) else LINE_LIMIT

    def _begin_literal(self, size: int) -> None:
        self._literal_bytes += size
        if self._literal_bytes > self.literal_limit + DRAIN_LIMIT:
            raise TooLarge("The server sent more than termmail accepts.")
        if len(self._frame) > 2 * LITERALS:
            raise ProtocolError("The server sent a response that does not end.")
        self._literal = _Literal(size, keep=self._literal_bytes <= self.literal_limit)

    def _take_literal(self, literal: _Literal) -> bool:
        """Move what arrived of the literal; return whether it is complete."""
        with memoryview(self._buffer) as view:
            self._at += literal.take(view[self._at : self._at + literal.left])
        if literal.left:
            return False
        self._searched = self._at
        self._frame.append(literal.value())
        self._literal = None
        return True


class _Literal:
    """Collects one literal. Memory grows with what arrives, never with what was announced."""

    def __init__(self, size: int, *, keep: bool) -> None:
        self.left = size
        self._kept = io.BytesIO() if keep else None

    def take(self, data: memoryview) -> int:
        if self._kept is not None:
            self._kept.write(data)
        self.left -= len(data)
        return len(data)

    def value(self) -> Part:
        return Missing.TOO_LARGE if self._kept is None else self._kept.getvalue()
