"""Wait for the server to say that something is new (IDLE, RFC 2177)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from termmail.net.net_errors import Offline

if TYPE_CHECKING:
    from termmail.net.imap.imap_dialogue import ImapDialogue
    from termmail.net.imap.waiter import Waiter

DONE_SECONDS = 10.0
"""How long the server may take to answer DONE; after that the connection is taken for dead."""


class Idle:
    """An IDLE that the server has agreed to. It only says that it is time to look."""

    def __init__(self, dialogue: ImapDialogue, waiter: Waiter) -> None:
        self._dialogue = dialogue
        self._waiter = waiter
        self._news = asyncio.Event()
        waiter.future.add_done_callback(lambda _: self._news.set())

    @property
    def ended(self) -> bool:
        """Whether the server has ended IDLE by itself."""
        return self._waiter.future.done()

    def look(self) -> None:
        """Say that something is new."""
        self._news.set()

    async def wait(self, seconds: float) -> bool:
        """Return True when there is something new, False after so many seconds. Raises NetError.

        Servers end a session that idles for 29 minutes: end and begin again sooner. If the server ends IDLE by itself, the
        answer is True.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        if self._dialogue.error is not None:
            raise self._dialogue.error
        if not self._waiter.future.done():
            self._news.clear()
        return True

    def end(self) -> None:
        """Say DONE. The next commands need not wait for its answer; without one in DONE_SECONDS the session ends."""
        if self._waiter.future.done():
            return
        waiter = self._dialogue.respond(self._waiter, b"DONE", shown=b"DONE")
        silent = partial(self._dialogue.fail, Offline("The server no longer answers."))
        late = asyncio.get_running_loop().call_later(DONE_SECONDS, silent)
        waiter.future.add_done_callback(lambda _: late.cancel())
