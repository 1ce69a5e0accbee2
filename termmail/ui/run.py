"""Run the screen, from its first paint to the end of the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import termios
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from termmail.engine.threads import DaemonPool
from termmail.ui.app import TermmailApp

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from termmail.engine.engine import Engine
    from termmail.ui.early_paint import EarlyScreen

log = logging.getLogger("termmail")

LONGEST_END = 2.7
"""Seconds from the decision to quit to the end of the process, whatever hangs."""

RESTORED = b"\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
"""What gives a terminal back as a shell needs it."""


def run(opened: AbstractAsyncContextManager[Engine], theme: str, early: EarlyScreen | None = None) -> int:
    """Show the mail until the user leaves; return the exit code. `early` is what is on the terminal already.

    `opened` is entered while the first screen is painted, and left once the terminal is the shell's again. What it
    raises is raised again here. The process ends at most LONGEST_END seconds after the app was told to.
    """
    watchdog = _Watchdog(None if early is None else early.before)
    sys.unraisablehook = _log_unraisable  # Python would write it over the screen
    try:
        return asyncio.run(_run(opened, watchdog, theme, early))
    finally:
        watchdog.stop()
        sys.unraisablehook = sys.__unraisablehook__


def _log_unraisable(what: sys.UnraisableHookArgs) -> None:
    """Log an exception that cannot be raised, such as one in a destructor."""
    log.warning("an exception was ignored: %s", what.exc_type.__name__)


async def _run(
    opened: AbstractAsyncContextManager[Engine], watchdog: _Watchdog, theme: str, early: EarlyScreen | None
) -> int:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonPool())
    ready: asyncio.Future[Engine] = loop.create_future()
    over = asyncio.Event()

    async def hold() -> None:
        """Enter and leave in one task, as task groups and timeouts need it."""
        try:
            async with opened as engine:
                ready.set_result(engine)
                await over.wait()
        except Exception as error:  # whatever it is, the app gets it and `run` raises it
            if ready.done():
                raise
            ready.set_exception(error)

    holding = asyncio.create_task(hold())
    app = TermmailApp(lambda: ready, watchdog.start, early, theme)
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, app.end_by_signal, number)
    try:
        await app.run_async()
    finally:
        watchdog.start(app.return_code or 0)
        over.set()
        if not ready.done():
            holding.cancel()
        opened_well = ready.done() and not ready.cancelled() and ready.exception() is None
        await asyncio.gather(holding, return_exceptions=not opened_well)
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0


class _Watchdog:
    """Ends the process when something keeps it from ending: nothing that termmail promises needs an orderly end."""

    def __init__(self, before: list[Any] | None) -> None:
        self._timer: threading.Timer | None = None
        self._before = before
        with contextlib.suppress(termios.error, OSError):
            self._before = before or termios.tcgetattr(0)

    def start(self, code: int) -> None:
        """Begin to count. `code` is the exit code."""
        if self._timer is None:
            self._timer = threading.Timer(LONGEST_END, self._end, (code,))
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """Everything has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _end(self, code: int) -> None:
        last = threading.Thread(target=partial(_last_acts, self._before), daemon=True)
        last.start()
        last.join(0.2)  # a terminal that takes nothing must not keep us: what is logged may go there too
        os._exit(code)


def _last_acts(before: list[Any] | None) -> None:
    _restore(before)
    log.warning("something kept termmail from ending; it was ended")


def _restore(before: list[Any] | None) -> None:
    """Give the terminal back. Textual has usually done that before."""
    with contextlib.suppress(termios.error, OSError):
        if before is not None:
            termios.tcsetattr(0, termios.TCSANOW, before)
        os.write(2, RESTORED)
