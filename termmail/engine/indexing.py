"""Update the search index, snippets and attachment marks in small steps, so that other store work gets in between."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from termmail.engine.events import FolderChanged
from termmail.store import indexing_queue
from termmail.store.store_errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.context import Context
    from termmail.store.derived import Derived

log = logging.getLogger("termmail")

STEP = 50
"""Messages in one step, at most; `indexing_queue.pending` also bounds their bytes."""

AT_ONCE = 500
"""Messages that wait, at most, for which a search waits; more are indexed beside it."""


async def catch_up(context: Context) -> None:
    """Index every message that waits, and tell the lists when there may be new snippets. Raises StoreError."""
    if context.read_only:
        return
    async with context.indexing:
        steps = 0
        while page := await context.db(indexing_queue.pending, STEP):
            found = await asyncio.to_thread(_derived, page)
            await context.db(indexing_queue.store_indexed, found)
            steps += 1
    if steps > 1:
        context.tell(FolderChanged())


async def before_search(context: Context) -> None:
    """Index what came lately; where much waits, as after an update, begin with it in the background. Raises StoreError."""
    if context.read_only or context.indexing.locked():
        return
    if await context.db(indexing_queue.count, AT_ONCE + 1) <= AT_ONCE:
        await catch_up(context)
    else:
        begin(context)


def begin(context: Context) -> None:
    """Index in the background what waits, unless that goes on already."""
    if not context.indexing.locked():
        context.tasks.run(_quietly(context))


async def _quietly(context: Context) -> None:
    try:
        await catch_up(context)
    except StoreError as error:
        log.warning("indexing stopped: %s", error)


def _derived(page: Sequence[tuple[int, bytes, bool]]) -> list[tuple[int, Derived]]:
    from termmail.store import derived  # noqa: PLC0415

    return [(message_id, derived.from_raw(raw, complete=complete)) for message_id, raw, complete in page]
