"""The window of pipelined requests: how much may be in flight at the measured rate of the connection.

Neither POP3 nor IMAP can cancel a command, so everything in flight delays what the user asks for next. The window is
therefore no larger than what the connection delivers in a round trip plus a fifth of a second. It is filled in few
large writes, because each write in between is another round trip.
"""

from __future__ import annotations

PATIENCE = 0.2
"""Seconds that the answers in flight may take beyond a round trip."""

_BURST = 0.002
"""The shortest time, in seconds, over which a rate is measured."""

_SPAN = 0.2
"""Seconds after which a new measurement starts, so that the rate follows the connection."""

_GROWTH = 40
"""The window is at most this many times what was answered so far: a short burst proves little."""


class Window:
    """How much may be in flight, in commands or bytes. Without I/O: the caller passes the time."""

    def __init__(self, first: int, floor: int, ceiling: int) -> None:
        self._first = first
        self._floor = floor
        self._ceiling = ceiling
        self._answered = 0
        self._rate = 0.0
        self._span_began: float | None = None
        self._span_amount = 0

    def answered(self, amount: int, now: float) -> None:
        """Record that `amount` was answered at `now` (seconds of a monotonic clock)."""
        self._answered += amount
        if self._span_began is None:
            self._span_began = now  # the wait for the first answer is the round trip, not the rate
            return
        self._span_amount += amount
        elapsed = now - self._span_began
        self._rate = self._span_amount / max(elapsed, _BURST)
        if elapsed > _SPAN:
            self._span_began, self._span_amount = now, 0

    def arriving(self, now: float) -> None:
        """Record the first bytes of an answer: a large answer is measured from its start."""
        if self._span_began is None:
            self._span_began = now

    def idle(self) -> None:
        """Record that nothing is in flight: the next answer starts a new measurement."""
        self._span_began, self._span_amount = None, 0

    def room(self, outstanding: int, round_trip: float) -> int:
        """Return how much may be requested now; 0 while more than half of the window is in flight."""
        if self._answered < self._first:  # the first page goes alone
            return 0 if outstanding else self._first
        size = max(self._floor, int(self._rate * (round_trip + PATIENCE)))
        size = min(size, self._answered * _GROWTH, self._ceiling)
        return 0 if outstanding * 2 > size else size - outstanding
