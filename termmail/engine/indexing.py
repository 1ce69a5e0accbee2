"""Update the search index, snippets and attachment marks in small steps, so that other store work gets in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine.events import FolderChanged
from termmail.store import search

if TYPE_CHECKING:
    from termmail.engine.context import Context

STEP = 100
"""Messages in one step, at most; the store also ends a step after 50 ms."""


async def catch_up(context: Context) -> None:
    """Index every message that waits, and tell the lists when there may be new snippets. Raises StoreError."""
    if context.read_only:
        return
    left = await context.db(search.index_pending, STEP)
    several = left > 0
    while left:
        left = await context.db(search.index_pending, STEP)
    if several:
        for account in context.accounts:
            context.tell(FolderChanged(account, "Inbox"))
