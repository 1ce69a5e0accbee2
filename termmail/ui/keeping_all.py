"""Save what is open before the program is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.ui.screens.dismiss_once import DismissOnce
from termmail.ui.workers import VERBS, unfinished

if TYPE_CHECKING:
    from textual.app import App

KEEP_PATIENCE = 1.5
"""Seconds that saving may take when the program is left."""


async def keep_all(app: App[None]) -> list[str]:
    """Save the text on every open screen, and wait for verbs; return what could not be saved, a sentence each."""
    troubles = []
    for screen in app.screen_stack:
        if isinstance(screen, DismissOnce):
            try:
                async with asyncio.timeout(KEEP_PATIENCE):
                    trouble = await screen.keep()
            except TimeoutError:
                trouble = "The mail store does not answer."
            troubles += [trouble] if trouble else []
    if late := await unfinished(app, VERBS, KEEP_PATIENCE):
        words = "The last change is" if late == 1 else f"The last {late} changes are"
        troubles.append(f"{words} not in the mail store yet: another program is using it.")
    return troubles
