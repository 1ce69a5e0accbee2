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


QUIET_STEP = 20
"""Messages in one step while the user does something else."""

QUIET_START = 5.0
"""Seconds before indexing begins unasked: first the mail is shown."""


async def catch_up(context: Context) -> None:
    """Index every message that waits, and tell the lists when there may be new snippets. Raises StoreError."""
    await _index(context, STEP, rest=0)


async def _index(context: Context, at_once: int, *, rest: float) -> None:
    """Index what waits, so many messages in one step; after each step rest for `rest` times as long as it took."""
    if context.read_only:
        return
    loop = asyncio.get_running_loop()
    async with context.indexing:
        steps, start = 0, loop.time()
        while page := await context.db(indexing_queue.pending, at_once):
            found = await asyncio.to_thread(_derived, page)
            await context.db(indexing_queue.store_indexed, found)
            steps += 1
            await asyncio.sleep(rest * (loop.time() - start))
            start = loop.time()
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


def begin(context: Context, *, after: float = 0) -> None:
    """Index in the background what waits, in `after` seconds, unless that goes on already."""
    context.tasks.run(_quietly(context, after))


async def _quietly(context: Context, after: float) -> None:
    await asyncio.sleep(after)
    if context.indexing.locked():
        return
    try:
        if not context.read_only:
            await context.db(indexing_queue.begin_anew_when_worn)
        await _index(context, QUIET_STEP, rest=1)
    except StoreError as error:
        log.warning("indexing stopped: %s", error)


def _derived(page: Sequence[tuple[int, bytes, bool]]) -> list[tuple[int, Derived]]:
    from termmail.store import derived  # noqa: PLC0415

    return [(message_id, derived.from_raw(raw, complete=complete)) for message_id, raw, complete in page]
