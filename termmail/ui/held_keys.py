"""Keep the keys that are typed for a screen while it is being made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.timer import Timer

    from termmail.ui.key_order import KeyOrder

LONGEST_HOLD = 30.0
"""Seconds that typed keys wait for the screen they are meant for."""

STARTLED = 1.0
"""Seconds in which keys do nothing after a screen they were typed for did not come."""


class HeldKeys:
    """The keys typed since `hold`. They go on into `order` with `release`."""

    def __init__(self, app: App[Any], order: KeyOrder) -> None:
        self._app = app
        self._order = order
        self._keys: list[events.Key] | None = None
        self._limit: Timer | None = None

    @property
    def holding(self) -> bool:
        """Whether keys are kept now."""
        return self._keys is not None

    def keeps(self, event: events.Key) -> bool:
        """Keep this key where keys are kept now. Return whether it was."""
        if self._keys is None:
            return False
        again = events.Key(event.key, event.character)
        again.time = event.time
        self._keys.append(again)
        return True

    def hold(self) -> None:
        """Keep the next keys for a screen that is being made."""
        if self._keys is None:
            self._keys = []
            self._limit = self._app.set_timer(LONGEST_HOLD, self.drop)

    def release(self) -> None:
        """Deliver what was typed while the screen was being made."""
        keys, self._keys = self._keys or [], None
        if self._limit is not None:
            self._limit.stop()
        self._order.put_back(keys)

    def drop(self) -> None:
        """Drop what was typed for a screen that does not come or takes too long: it must not act on the one below.

        Keys are dropped for STARTLED seconds more, until the user has seen that.
        """
        self._keys = []
        self._order.clear()
        if self._limit is not None:
            self._limit.stop()
        self._limit = self._app.set_timer(STARTLED, self._listen_again)

    def _listen_again(self) -> None:
        self._keys = None
