"""Keep the keys that are typed for a screen while it is being made, and drop those that are for none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.timer import Timer

    from termmail.ui.key_order import KeyOrder

LONGEST_HOLD = 30.0
"""Seconds that typed keys wait for the screen they are meant for."""

QUIET = 0.5
"""Seconds without a key after which keys that were dropped act again."""


class HeldKeys:
    """The keys typed since `hold`. They go on into `order` with `release`."""

    def __init__(self, app: App[Any], order: KeyOrder) -> None:
        self._app = app
        self._order = order
        self._keys: list[events.Key] | None = None
        self._dropping = False
        self._limit: Timer | None = None

    @property
    def keeping(self) -> bool:
        """Whether keys are kept for a screen that is being made."""
        return self._keys is not None

    @property
    def holding(self) -> bool:
        """Whether keys are kept or dropped now."""
        return self._dropping or self.keeping

    def keeps(self, event: events.Key) -> bool:
        """Keep this key, or drop it, where that is to be done now. Return whether it was."""
        if self._dropping:
            self.drop()
            return True
        if self._keys is None:
            return False
        again = events.Key(event.key, event.character)
        again.time = event.time
        self._keys.append(again)
        return True

    def hold(self) -> None:
        """Keep the next keys for a screen that is being made."""
        if not self.holding:
            self._keys = []
            self._until(LONGEST_HOLD, self.drop)

    def release(self) -> None:
        """Deliver what was typed while the screen was being made."""
        if self._dropping:
            return
        keys, self._keys = self._keys or [], None
        if self._limit is not None:
            self._limit.stop()
        self._order.put_back(keys)

    def drop(self) -> None:
        """Drop what was typed, and what is typed before there is a pause of QUIET seconds.

        A screen that is typed for does not come or takes too long, or one comes that nobody typed for: the keys must
        not act on the screen that is there now. The pause tells that the user has seen it.
        """
        self._keys, self._dropping = None, True
        self._order.clear()
        self._until(QUIET, self._listen_again)

    def _until(self, seconds: float, then: Callable[[], None]) -> None:
        if self._limit is not None:
            self._limit.stop()
        self._limit = self._app.set_timer(seconds, then)

    def _listen_again(self) -> None:
        self._dropping = False
