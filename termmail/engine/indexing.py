"""Keeps the search index up with the store: in small steps, bodies read in a thread, the store thread never long busy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.store import search

if TYPE_CHECKING:
    from termmail.engine.engine import Engine

STEP = 100
"""Messages a step: each is one short stay on the store thread."""


async def catch_up(engine: Engine) -> None:
    """Index everything that waits."""
    if engine.read_only:
        return
    while await engine.db(search.index_pending, STEP):
        await asyncio.sleep(0)
