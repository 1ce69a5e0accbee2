"""Deliver keys one at a time: each acts before the next one is aimed at a widget.

Textual aims every key at what has the focus when the key is read. Of two keys that arrive in one read, as over a slow
line or from a paste without brackets, the second would still go to a dialog that the first one closes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual import events
from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import App
    from textual.message_pump import MessagePump

ROUNDS = 3
"""Passes through the widgets after a key: one for the key, one for what it was aimed at again, one for the messages
that it caused (a field's `Submitted`, a list's `OptionSelected`)."""

LOST_AFTER = 2.0
"""Seconds after which the next key no longer waits: a widget that was removed never reports back."""

SAME_BURST = 0.03
"""Seconds between two keys that no hand typed one after the other."""

SAME_NAME = 0.3
"""Seconds between two letters of one name."""


class KeyOrder:
    """A queue in front of an app's widgets. `deliver` hands one key to Textual."""

    def __init__(self, app: App[Any], deliver: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app = app
        self._deliver = deliver
        self._waiting: deque[events.Key] = deque()
        self._since: float | None = None
        """When the key that is being handled was delivered; None while there is none."""
        self._delivered = 0
        self._idle = asyncio.Event()
        """Set when the last of the waiting keys has acted."""

    async def take(self, event: events.Key) -> None:
        """Deliver a key, or keep it until the one before it has acted."""
        self._idle.clear()
        self._waiting.append(event)
        if self._since is None or monotonic() - self._since > LOST_AFTER:
            await self._next()

    def put_back(self, keys: Sequence[events.Key]) -> None:
        """Deliver these keys before all that wait."""
        self._waiting.extendleft(reversed(keys))
        if keys:
            self._idle.clear()
        if self._since is None and self._waiting:
            self._app.call_later(self._resume)

    async def all_acted(self, seconds: float) -> None:
        """Wait until every key taken so far has acted, for at most so many seconds."""
        if self._waiting or self._since is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)

    def clear(self) -> None:
        """Drop the keys that wait."""
        self._waiting.clear()

    async def _resume(self) -> None:
        if self._since is None:
            await self._next()

    async def _next(self) -> None:
        self._since = None
        if not self._waiting:
            self._idle.set()
        else:
            self._since = monotonic()
            self._delivered += 1
            await self._deliver(self._waiting.popleft())
            self._follow(self._delivered, ROUNDS)

    def _follow(self, number: int, rounds: int) -> None:
        """Send a callback the way the key goes: through the target's queue, then those of its ancestors."""
        self._step(self._app.focused or self._app.screen, number, rounds)

    def _step(self, node: MessagePump, number: int, rounds: int) -> None:
        if number != self._delivered:
            return
        while node is not self._app and not node.call_later(partial(self._passed, node, number, rounds)):
            node = node._parent or self._app  # noqa: SLF001 - a widget that is closing has no public parent any more
        if node is self._app:
            self._app.call_later(self._round_ended, number, rounds)

    def _passed(self, node: MessagePump, number: int, rounds: int) -> None:
        self._step(node._parent or self._app, number, rounds)  # noqa: SLF001 - as above

    async def _round_ended(self, number: int, rounds: int) -> None:
        if number != self._delivered:
            return
        if rounds > 1:
            self._follow(number, rounds - 1)
        else:
            await self._next()


def escape_first(event: events.Key) -> list[events.Key]:
    """Return Escape and a key for a key that the terminal sent as both: Alt+key, or two keys in quick succession.

    The list is empty for any other key, also for Alt keys that are control sequences of their own.
    """
    alt, plus, name = event.key.partition("+")
    if alt != "alt" or not plus or event.character is None:
        return []
    keys = [
        events.Key("escape", "\x1b"),
        events.Key(event.character if event.character.isalnum() else name, event.character),
    ]
    for key in keys:
        key.time = event.time
    return keys


class ShortcutUsed(Message):
    """A letter chose one of several names at once; the rest of a typed name may follow it."""

    def __init__(self, letter: str, names: Sequence[str], time: float) -> None:
        super().__init__()
        self.letter = letter
        self.names = names
        self.time = time
        """When the letter was pressed, on the clock of Textual's events."""


class NameTail:
    """Recognizes the keys that follow a shortcut as the rest of a name, so that they do not act as commands."""

    def __init__(self, used: ShortcutUsed) -> None:
        self._typed = used.letter.casefold()
        self._names = [name.casefold() for name in used.names]
        self._last = used.time
        self._certain = False
        """One key was the rest of a name: those that follow it are too, mistyped or not."""

    def holds(self, event: events.Key) -> bool:
        """Return whether the key continues the name. The first one that does not ends it for good."""
        gap = event.time - self._last
        letter = (event.character or "").casefold() if event.is_printable else ""
        if letter:
            self._typed += letter
            named = gap <= SAME_NAME and any(name.startswith(self._typed) for name in self._names)
            self._certain = gap <= SAME_BURST or named or (self._certain and gap <= SAME_NAME)
        else:
            self._certain = self._certain and gap <= SAME_NAME and event.key in {"enter", "backspace"}
        self._last = event.time
        return self._certain
