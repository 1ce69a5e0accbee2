"""Counting the unread messages of the kept searches that the folder column shows, beside everything else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.errors import UserError
from termmail.mail.views import SavedView
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.ui.list_model import ListModel
    from termmail.ui.screens.main import MainScreen

REST = 2.0
"""Seconds between two counts, at least, however much changes."""


class KeptCounts:
    """Counts again when asked to: many calls in a row cost one count. Searches that nobody sees are not counted."""

    def __init__(self, model: ListModel, screen: MainScreen, fail: Callable[[UserError], None]) -> None:
        self._model = model
        self._screen = screen
        self._fail = fail
        self._wanted = False
        self._running = False

    def count(self) -> None:
        """Count soon: at once, if that was not done lately."""
        self._wanted = True
        if not self._running:
            self._running = True
            start_worker(self._screen, self._count, "kept searches")

    async def _count(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                if not await self._count_seen():
                    break
                await asyncio.sleep(REST)
        except UserError as error:
            self._fail(error)
        finally:
            self._running = False

    async def _count_seen(self) -> bool:
        """Count the searches that are on the screen; return whether there are any."""
        model = self._model
        seen = {view.search_id for view in (*self._screen.folders.seen(), model.view) if isinstance(view, SavedView)}
        searches = [one for one in model.counts.searches if one.search_id in seen]
        if not searches:
            return False
        found = await model.engine.folders.found(searches)
        model.counts = replace(model.counts, found=model.counts.found | found)
        model.show_counts()
        return True
