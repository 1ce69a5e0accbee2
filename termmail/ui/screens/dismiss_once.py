"""A screen that can be dismissed from several places at once: by a key, a click and a task that ends."""

from __future__ import annotations

from typing import Generic

from textual.await_complete import AwaitComplete
from textual.screen import Screen, ScreenResultType


class DismissOnce(Screen[ScreenResultType], Generic[ScreenResultType]):
    """Act on the first `dismiss` only. Textual would take another screen off the stack for the second one.

    A screen that another one covers is dismissed when it is uncovered: only the top of the stack can be taken off.
    """

    _dismissed = False
    _uncovered_result: tuple[ScreenResultType | None] | None = None

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close the screen with this result, unless that was done before."""
        if self._dismissed:
            return AwaitComplete()
        if self.app.screen is not self:
            self._uncovered_result = (result,)
            return AwaitComplete()
        self._dismissed = True
        return super().dismiss(result)

    def on_screen_resume(self) -> None:
        """Close now, where that was asked for while another screen lay above."""
        if self._uncovered_result is not None and self.app.screen is self:
            self.dismiss(*self._uncovered_result)

    async def keep(self) -> str:
        """Save what was typed here, before the program ends; return why that failed, or ""."""
        return ""
