"""A screen that can be dismissed from several places at once: by a key, a click and a task that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from textual.await_complete import AwaitComplete
from textual.screen import Screen, ScreenResultType

if TYPE_CHECKING:
    from textual import events


class DismissOnce(Screen[ScreenResultType], Generic[ScreenResultType]):
    """Act on the first `dismiss` only. Textual would take another screen off the stack for the second one.

    A screen that another one covers is dismissed when it is uncovered: only the top of the stack can be taken off.
    """

    _shown_before = False
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

    def on_compose(self) -> None:
        """Set the classes of the terminal's size before anything is styled; Textual would do all of that again."""
        for steps, cells in (
            (self.HORIZONTAL_BREAKPOINTS, self.app.size.width),
            (self.VERTICAL_BREAKPOINTS, self.app.size.height),
        ):
            self.add_class(*[max(step for step in steps if step[0] <= cells)[1]] if steps else [])

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Close now, where that was asked for while another screen was above.

        The first time, keep Textual from styling again what was styled a moment ago.
        """
        if not self._shown_before:
            self._shown_before = True
            event.refresh_styles = False
        if self._uncovered_result is not None and self.app.screen is self:
            self.dismiss(*self._uncovered_result)

    async def keep(self) -> str:
        """Save what was typed here, before the program ends; return why that failed, or ""."""
        return ""
