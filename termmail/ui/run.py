"""The screen, from its first paint to its end."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from termmail.ui.app import TermmailApp

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from termmail.engine.engine import Engine


def run(opened: AbstractAsyncContextManager[Engine]) -> int:
    """Show the mail until the user leaves; returns the exit code.

    `opened` is entered while the first screen is painted; what it raises is raised again once the terminal is
    the shell's again. It is left, and with it the engine closed, after the last screen.
    """
    return asyncio.run(_run(opened))


async def _run(opened: AbstractAsyncContextManager[Engine]) -> int:
    stack = AsyncExitStack()
    opening = asyncio.ensure_future(stack.enter_async_context(opened))
    app = TermmailApp(lambda: opening)
    try:
        await app.run_async()
    finally:
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await stack.aclose()
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0
