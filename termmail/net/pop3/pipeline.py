"""Pipelining: request many messages ahead and return the answers in the order of the requests."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from termmail.net.net_errors import NetError, Offline

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from termmail.net.pop3.connection import Pop3Connection
    from termmail.net.pop3.protocol import Answer, Command
    from termmail.net.window import Window

Item = TypeVar("Item")

HELD_HIGH, HELD_LOW = 4 << 20, 1 << 20
"""Bytes of unread answers: reading from the server stops above the first and continues below the second."""


class Bulk(Generic[Item]):
    """Sends one command for each of many messages and returns their answers in order.

    `ask` returns the command for one item and its weight in the window; `progress` is called with the bytes received.
    """

    def __init__(
        self,
        connection: Pop3Connection,
        listed: Sequence[Item],
        ask: Callable[[Item], tuple[Command, int]],
        window: Window,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._connection = connection
        self._listed = listed
        self._ask = ask
        self._window = window
        self._progress = progress
        self._asked = 0
        self._outstanding: deque[int] = deque()
        self._weight = 0
        self._ready: deque[Answer] = deque()
        self._held = 0
        self._holding = False
        self._received = 0
        self._error: NetError | None = None
        self._given_up = False
        self._waiter: asyncio.Future[None] | None = None
        self._clock = asyncio.get_running_loop().time

    async def answers(self) -> AsyncGenerator[Answer, None]:
        """Yield the answers, a -ERR included. Raises NetError after yielding what was received before the failure.

        A caller that stops early loses only the answers in flight. A cancel closes the connection.
        """
        self._connection.feeders.append(self)
        try:
            self.feed()
            for taken in range(len(self._listed)):
                while not self._ready:
                    await self._more()
                if taken % 64 == 63:
                    await asyncio.sleep(0)  # answers that are already here must not occupy the event loop
                answer = self._ready.popleft()
                self._hold(-_bytes(answer))
                yield answer
        finally:
            self._given_up = True
            self._ready.clear()
            self._hold(-self._held)
            self._connection.feeders.remove(self)

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self._connection.fail(Offline("The connection was closed in the middle of an answer."))
            raise
        finally:
            self._waiter = None

    def feed(self) -> None:
        """Request more if the window has space, no caller waits for a single answer and the answers are being read."""
        connection, left = self._connection, len(self._listed) - self._asked
        if not left or connection.urgent or self._holding or self._given_up or self._error is not None:
            return
        if connection.pipelining:
            if not self._weight:
                self._window.idle()
            room = self._window.room(self._weight, connection.round_trip)
        else:
            room = 0 if self._weight else 1
        while room > 0 and self._asked < len(self._listed):
            command, weight = self._ask(self._listed[self._asked])
            self._asked += 1
            self._outstanding.append(weight)
            self._weight += weight
            room -= weight
            connection.queue(command, self)

    def answered(self, answer: Answer) -> None:
        """Take the next answer. Called by the connection."""
        weight, size = self._outstanding.popleft(), _bytes(answer)
        self._weight -= weight
        self._window.answered(weight, self._clock())
        self._received += size
        if self._given_up:
            return
        self._ready.append(answer)
        self._hold(size)
        self._wake()
        if self._progress is not None:
            self._progress(self._received)

    def progressed(self, received: int) -> None:
        """Report progress. Called by the connection while an answer arrives."""
        if received:
            self._window.arriving(self._clock())
        if self._progress is not None and received and not self._given_up:
            self._progress(self._received + received)

    def failed(self, error: NetError) -> None:
        """Remember the error for `answers`. Called by the connection when the connection failed."""
        self._error = error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _hold(self, change: int) -> None:
        self._held += change
        if self._holding and self._held <= HELD_LOW:
            self._holding = False
            self._connection.resume(self)
            self.feed()
        elif not self._holding and self._held > HELD_HIGH:
            self._holding = True
            self._connection.pause(self)


def _bytes(answer: Answer) -> int:
    return len(answer.body) if answer.body is not None else 0
