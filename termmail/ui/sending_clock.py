"""Count down to the next message that goes out, and know which messages can still be stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from termmail.engine.events import OutboxChanged, SendOf
from termmail.errors import UserError
from termmail.mail.model import SendState
from termmail.ui.widgets.status import Problem

if TYPE_CHECKING:
    from textual.timer import Timer

    from termmail.engine.engine import Engine
    from termmail.mail.model import OutgoingRow
    from termmail.ui.screens.main import MainScreen


class SendingClock:
    """The messages that wait for their send time; shows how each of them ends."""

    def __init__(self, engine: Engine, screen: MainScreen) -> None:
        self._engine = engine
        self._screen = screen
        self._due: dict[int, float] = {}
        """Outgoing messages that can still be stopped, with the second of the monotonic clock each of them goes."""
        self._tried: set[int] = set()
        """Those of them that wait for another attempt."""
        self._timer: Timer | None = None

    @property
    def next_id(self) -> int:
        """The message that goes next, or 0."""
        return min(self._due, key=lambda outbox_id: self._due[outbox_id], default=0)

    @property
    def waiting(self) -> int:
        """How many messages count down."""
        return len(self._due)

    async def handle_event(self, event: OutboxChanged) -> None:
        """Follow one outgoing message."""
        self._due.pop(event.outbox_id, None)
        try:
            row: OutgoingRow | None = await self._engine.outbox.row(event.outbox_id)
        except UserError:
            row = None
        left = await self._seconds_left(event) if event.state is SendState.QUEUED and row is not None else 0.0
        (self._tried.add if row is not None and row.attempts else self._tried.discard)(event.outbox_id)
        if left > 0:
            self._due[event.outbox_id] = time.monotonic() + left
        elif event.state is SendState.SENT:
            self._screen.status.announce("Sent: the server has accepted it.")
        elif event.state in {SendState.FAILED, SendState.UNSURE} and row is not None and row.state is event.state:
            self._not_sent(event, row)
        self._tick()

    async def _seconds_left(self, event: OutboxChanged) -> float:
        try:
            return await self._engine.outbox.seconds_left(event.outbox_id)
        except UserError:
            return 0.0

    def _not_sent(self, event: OutboxChanged, row: OutgoingRow) -> None:
        title = "was not sent" if event.state is SendState.FAILED else "may or may not have been sent"
        key = self._screen.termmail.keys.shown("go.outbox")
        advice = f"It is in the Outbox ({key})." if key else "It is in the Outbox."
        problem = Problem(f"“{row.subject}” {title}. {row.words}", advice, event.account, SendOf(event.outbox_id))
        self._screen.problems.add(problem)

    def _tick(self) -> None:
        """Draw the countdown of the message that goes next, each second while there is one."""
        left = [when - time.monotonic() for when in self._due.values()]
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not left:
            self._screen.status.count_down("")
        elif min(left) <= 0:
            self._screen.status.count_down("Sending …")
        else:
            key = self._screen.termmail.keys.shown("mail.stop-sending")
            stops = f" · {key} stops it" if key else ""
            what = "Not sent yet: trying again" if self.next_id in self._tried else "Sending"
            self._screen.status.count_down(f"{what} in {max(1, round(min(left)))} s{stops}")
            self._timer = self._screen.set_timer(min(1.0, max(0.05, min(left) % 1 or 1.0)), self._tick)
