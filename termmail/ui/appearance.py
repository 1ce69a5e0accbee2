"""Put the settings of the screen in force: theme, keys, marks, and the layout of the panes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.filter import Monochrome, NoColor

from termmail.ui import keymap
from termmail.ui.ascii_marks import AsciiMarks
from termmail.ui.colours import NAMES
from termmail.ui.widgets.status import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.filter import LineFilter

    from termmail.accounts.config import Ui
    from termmail.ui.app import TermmailApp


class Appearance:
    """How the app looks and which keys it has, by the settings that were applied last."""

    def __init__(self, app: TermmailApp) -> None:
        self._app = app
        self.keys = keymap.build()
        self._applied: Ui | None = None
        self._ascii = AsciiMarks(enabled=False)
        self._no_colour = NoColor()

    def filters(self, textuals: Sequence[LineFilter]) -> Sequence[LineFilter]:
        """Return the filters for every line that is drawn.

        For NO_COLOR Textual makes greys, black on black where the colours are the terminal's own: those are left out.
        """
        if self._app.native_ansi_color:
            textuals = [self._no_colour if isinstance(one, Monochrome) else one for one in textuals]
        return [*textuals, self._ascii] if self._ascii.enabled else textuals

    def themes(self) -> list[str]:
        """Return the names of all themes, termmail's own first."""
        return [*NAMES, *sorted(name for name in self._app.available_themes if name not in NAMES)]

    def apply(self, ui: Ui) -> list[Problem]:
        """Put these settings in force, and return what is wrong with them."""
        app, problems = self._app, []
        if ui.theme in app.available_themes:
            app.theme = ui.theme
        else:
            problems.append(Problem(f"There is no theme “{ui.theme}”.", f"Choose one of {', '.join(self.themes())}."))
        before, self._applied = self._applied, ui
        if before is None or (before.keymap, before.keys) != (ui.keymap, ui.keys):
            self.keys = keymap.build(ui.keymap, ui.keys)
            problems += [Problem(words) for words in self.keys.problems]
            if before is not None or self.keys.changed():
                app.set_keymap(self.keys.changed())
        app.main_screen.take(ui, before)
        if self._ascii.enabled != ui.ascii:
            self._ascii.enabled = ui.ascii
            self._paint_all()
        return problems

    def _paint_all(self) -> None:
        """Paint every line again: Textual keeps those that are drawn, filters and all."""
        for screen in self._app.screen_stack if self._app.is_running else ():
            for node in (screen, *screen.query("*")):
                node.notify_style_update()
                node.refresh()
            screen.refresh(layout=True)
