"""Keeps the search index, snippets and attachment marks up with the store, in steps that are short stays on its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine.events import FolderChanged
from termmail.store import search

if TYPE_CHECKING:
    from termmail.engine.engine import Engine

STEP = 100
"""Messages a step, at most; the store also ends a step after 50 ms."""


async def catch_up(engine: Engine) -> None:
    """Index everything that waits; lists are told when new snippets may be there."""
    if engine.read_only:
        return
    left = await engine.db(search.index_pending, STEP)
    several = left > 0
    while left:
        left = await engine.db(search.index_pending, STEP)
    if several:
        for account in engine.accounts:
            engine.tell(FolderChanged(account, "Inbox"))
