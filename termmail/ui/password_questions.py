"""Ask for a password on the screen when the engine needs one."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from termmail.ui.app import TermmailApp

LOOK_AGAIN = 0.2
"""Seconds after which a question that would interrupt typing is tried again."""


class PasswordQuestions:
    """Asks one question after the other."""

    def __init__(self, app: TermmailApp) -> None:
        self._app = app
        self._one = asyncio.Lock()

    async def ask(self, words: str) -> str | None:
        """Return the password that the user types, None where the user cancels; called from the engine's tasks.

        The question waits until the main screen is on top: what is typed elsewhere is not meant for it.
        """
        from termmail.ui.screens.ask_password import AskPasswordScreen  # noqa: PLC0415 - rarely needed

        async with self._one:
            answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
            screen = AskPasswordScreen(words)

            def answered(password: str | None) -> None:
                if not answer.done():
                    answer.set_result(password)

            def show(*, told: bool = False) -> None:
                app = self._app
                if answer.done():
                    return
                if app.screen is app.main_screen and not app.main_screen.asking and not app.held_keys.holding:
                    app.push_screen(screen, answered)
                    return
                if not told:
                    app.notify("A password is needed. You are asked when you are done here.", markup=False)
                app.set_timer(LOOK_AGAIN, partial(show, told=True))

            self._app.call_later(show)
            try:
                return await answer
            except asyncio.CancelledError:
                if screen.is_current:
                    screen.action_cancel()  # the password is not needed any more
                raise
