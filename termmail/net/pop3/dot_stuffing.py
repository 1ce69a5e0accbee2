"""The body of a multi-line POP3 answer, processed as it arrives (RFC 1939 section 3).

Each piece is unstuffed and checked against the limits once, when it comes in, so that the end of a 100 MB message costs
the event loop no more than any other piece. BytesIO hands out what was written to it without a copy.
"""

from __future__ import annotations

import io

from termmail.net.net_errors import ProtocolError, TooLarge

ROW_LIMIT = 8192
"""Bytes of a row of CAPA, LIST or UIDL."""
DRAIN_LIMIT = 64 << 20
"""Bytes that are read and discarded beyond a limit, so that one message too large does not end the session."""

_CRLF = b"\r\n"
_END = b"\r\n.\r\n"


class Body:
    """Collect one body. `limit` is the number of bytes that are kept; of a listing `rows` is the number of rows.

    A body longer than `limit` is read to its end and thrown away; a listing beyond its limits raises ProtocolError.
    """

    def __init__(self, limit: int, rows: int | None = None) -> None:
        self.received = 0
        """Bytes taken from the buffer, stuffing included."""
        self.complete = False
        self._limit = limit
        self._rows = rows
        self._kept = io.BytesIO()
        self._row_length = 0

    @property
    def too_large(self) -> bool:
        """Whether the body is larger than its limit."""
        return self.received - len(_CRLF) > self._limit

    def take(self, buffer: bytearray, at: int) -> int:
        """Take what certainly belongs to the body; return the position behind it, or behind the final dot.

        At the first call `at` is the position of the CRLF that ends the status line. That CRLF may be the first half
        of the end of an empty body. Raises ProtocolError or TooLarge.
        """
        end = buffer.find(_END, at)
        stop = end + len(_CRLF) if end >= 0 else _last_sure(buffer, at)
        first = not self.received
        self.received += stop - at
        if self.too_large:
            self._overflow()
        elif stop > at:
            with memoryview(buffer) as view:
                self._keep(bytes(view[at:stop]).replace(b"\r\n..", b"\r\n.")[len(_CRLF) if first else 0 :])
        if end < 0:
            return stop
        self.complete = True
        return end + len(_END)

    def start(self, limit: int) -> bytes:
        """Return the first bytes received so far, less their stuffing."""
        with self._kept.getbuffer() as kept:
            return bytes(kept[:limit])

    def value(self) -> bytes | None:
        """Return the body as received less its stuffing, or None if it is too large."""
        return None if self.too_large else self._kept.getvalue()

    def _overflow(self) -> None:
        if self._rows is not None:
            raise ProtocolError("The server's list is longer than a list can be.")
        if self.received - len(_CRLF) > self._limit + DRAIN_LIMIT:
            raise TooLarge("A message has no end, or is larger than termmail accepts.")
        self._kept = io.BytesIO()

    def _keep(self, piece: bytes) -> None:
        if self._rows is not None:
            self._check_rows(piece)
        self._kept.write(piece)

    def _check_rows(self, piece: bytes) -> None:
        """Count the rows and measure each. No piece ends inside a CRLF."""
        assert self._rows is not None
        self._rows -= piece.count(_CRLF)
        if self._rows < 0:
            raise ProtocolError("The server's list is longer than what it counted.")
        row = -self._row_length
        while (behind := piece.rfind(_CRLF, max(row, 0), row + ROW_LIMIT + len(_CRLF))) >= 0:
            row = behind + len(_CRLF)
        self._row_length = len(piece) - row
        if self._row_length > ROW_LIMIT:
            raise ProtocolError("The server sent a line without an end.")


def _last_sure(buffer: bytearray, at: int) -> int:
    """Return how far the buffer holds neither the beginning of the end nor half of a stuffed dot."""
    stop = max(at, len(buffer) - len(_END) + 1)
    for half in (b"\r\n.", _CRLF, b"\r"):
        if buffer.endswith(half, at, stop):
            return stop - len(half)
    return stop
