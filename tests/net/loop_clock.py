"""The clock of the running event loop, for tests of timeouts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class LoopClock:
    """Stops the clock of the running loop. From then on only `advance` moves it, and timers run when it reaches them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: self._now)

    async def advance(self, seconds: float) -> None:
        """Move the clock on and run the timers that are due, and what they wake."""
        self._now += seconds
        for _ in range(3):
            await asyncio.sleep(0)
