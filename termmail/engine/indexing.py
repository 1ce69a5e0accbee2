"""Update the search index, snippets and attachment marks in small steps, so that other store work gets in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.engine.events import FolderChanged
from termmail.store import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.context import Context
    from termmail.store.derived import Derived

STEP = 50
"""Messages in one step, at most; `search.pending` also bounds their bytes."""


async def catch_up(context: Context) -> None:
    """Index every message that waits, and tell the lists when there may be new snippets. Raises StoreError."""
    if context.read_only:
        return
    steps = 0
    while page := await context.db(search.pending, STEP):
        found = await asyncio.to_thread(_derived, page)
        await context.db(search.store_indexed, found)
        steps += 1
    if steps > 1:
        context.tell(FolderChanged())


def _derived(page: Sequence[tuple[int, bytes, bool]]) -> list[tuple[int, Derived]]:
    from termmail.store import derived  # noqa: PLC0415

    return [(message_id, derived.from_raw(raw, complete=complete)) for message_id, raw, complete in page]
