"""Count down to the next message that goes out, and know which messages can still be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine.events import OutboxChanged, SendOf
from termmail.errors import UserError
from termmail.ui.widgets.status import Problem

if TYPE_CHECKING:
    from textual.timer import Timer

    from termmail.engine.engine import Engine
    from termmail.store.rows import OutboxRow
    from termmail.ui.screens.main import MainScreen


class SendingClock:
    """The messages that wait for their send time; shows how each of them ends."""

    def __init__(self, engine: Engine, screen: MainScreen) -> None:
        self._engine = engine
        self._screen = screen
        self._due: dict[int, int] = {}
        """Outgoing messages that can still be stopped, with the UTC second each of them goes."""
        self._timer: Timer | None = None

    @property
    def next_id(self) -> int:
        """The message that goes next, or 0."""
        return min(self._due, key=lambda outbox_id: self._due[outbox_id], default=0)

    @property
    def waiting(self) -> int:
        """How many messages count down."""
        return len(self._due)

    async def heard(self, event: OutboxChanged) -> None:
        """Follow one outgoing message."""
        self._due.pop(event.id, None)
        try:
            row: OutboxRow | None = await self._engine.outbox_row(event.id)
        except (KeyError, UserError):
            row = None
        if event.state == "queued" and row is not None and row.not_before > self._screen.clock():
            self._due[event.id] = row.not_before
        elif event.state == "sent":
            self._screen.status.say("Sent: the server has taken it.")
        elif event.state in {"failed", "unsure"} and row is not None and row.state == event.state:
            self._not_sent(event, row)
        self._tick()

    def _not_sent(self, event: OutboxChanged, row: OutboxRow) -> None:
        title = "was not sent" if event.state == "failed" else "may or may not have been sent"
        key = self._screen.termmail.keys.shown("go.outbox")
        advice = f"It is in the Outbox ({key})." if key else "It is in the Outbox."
        problem = Problem(f"“{row.subject}” {title}. {row.words}", advice, event.account, SendOf(event.id))
        self._screen.problems.add(problem)

    def _tick(self) -> None:
        """Draw the countdown of the message that goes next, each second while there is one."""
        left = [when - self._screen.clock() for when in self._due.values()]
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
            self._screen.status.count_down(f"Sending in {max(1, round(min(left)))} s{stops}")
            self._timer = self._screen.set_timer(min(1.0, max(0.05, min(left) % 1 or 1.0)), self._tick)
