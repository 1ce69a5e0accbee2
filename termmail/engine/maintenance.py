"""Looking after the store: its integrity, and making what is derived from the raw bytes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.store import rebuild
from termmail.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.engine.context import Context


class Maintenance:
    """Checks and rebuilds the store. Every method may raise StoreError."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def check(self) -> list[str]:
        """Return what is wrong inside the store, in SQLite's words; [] where it is sound."""
        return await self.context.db(Store.check)

    async def rebuild(self, progress: Callable[[str, int, int], None]) -> int:
        """Make lists, search index and contacts again from the raw bytes; return the number of messages.

        `progress(what, done, total)` is called on the store thread.
        """
        return await self.context.db(rebuild.rebuild, progress)
