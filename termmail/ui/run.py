"""The screen, from its first paint to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.ui.app import TermmailApp

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from termmail.engine.engine import Engine


def run(opened: AbstractAsyncContextManager[Engine]) -> int:
    """Show the mail until the user leaves; returns the exit code.

    `opened` is entered while the first screen is painted, and left once the terminal is the shell's again. What it
    raises is raised again here.
    """
    return asyncio.run(_run(opened))


async def _run(opened: AbstractAsyncContextManager[Engine]) -> int:
    ready: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def hold() -> None:
        """Enter and leave in one task, as task groups and timeouts need it."""
        try:
            async with opened as engine:
                ready.set_result(engine)
                await over.wait()
        except Exception as error:  # whatever it is, the app hears of it and `run` raises it
            if ready.done():
                raise
            ready.set_exception(error)

    holding = asyncio.create_task(hold())
    app = TermmailApp(lambda: ready)
    try:
        await app.run_async()
    finally:
        over.set()
        if not ready.done():
            holding.cancel()
        await asyncio.gather(holding, return_exceptions=not ready.done() or ready.exception() is not None)
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0
