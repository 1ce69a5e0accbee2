"""The key bar on the last line, or two: the most important keys where the focus is; the help lists the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from termmail.ui.actions import BY_ID
from termmail.ui.keymap import Keymap, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.screen import Screen

    from termmail.ui.actions import Action


def _offer(action: Action) -> str:
    """Return the word of an action on a screen without a main list."""
    return action.short_word(None)


HELP = "app.help-too"
"""The action that lists all keys: the bar always keeps room for it."""


class KeyBar(Widget):
    """Draws the active bindings that have a rank in the registry, most important first."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._spans: list[tuple[int, int, int, str]] = []
        """Line, start, end and action of each key."""
        self._shown: list[tuple[str, str, str]] = []

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed(self.screen)

    def again(self) -> None:
        """Draw the bar again: what the keys do has changed, though the focus has not."""
        self._changed(self.screen)

    def _changed(self, screen: Screen[object]) -> None:
        ranked = self._hints(screen) or self._ranked(screen)
        if ranked != self._shown:
            self._shown = ranked
            self.refresh()

    def _hints(self, screen: Screen[object]) -> list[tuple[str, str, str]]:
        """Return the hints of a text field, whose letter keys are not actions."""
        around = screen.focused.ancestors if screen.focused else ()
        return [(key, words, "") for node in around for key, words in getattr(node, "HINTS", ())]

    def _ranked(self, screen: Screen[object]) -> list[tuple[str, str, str]]:
        """Return key, word and id of the actions whose keys work now, in the order of their rank."""
        offers: Callable[[Action], str] = getattr(screen, "offers", _offer)
        keymap = getattr(self.app, "keys", None)
        found: dict[str, tuple[str, str, str]] = {}
        for key, active in screen.active_bindings.items():
            action = BY_ID.get(active.binding.id or "")
            if action is not None and action.rank and action.id not in found and (word := offers(action)):
                first = keymap.shown(action.id) if isinstance(keymap, Keymap) else shown(key)
                found[action.id] = (first, word, action.id)
        leading = {one: place for place, one in enumerate(getattr(screen, "leading", ()))}
        return sorted(found.values(), key=lambda entry: (leading.get(entry[2], len(leading)), BY_ID[entry[2]].rank))

    def render(self) -> Content:
        """Draw as many keys as fit completely, with a blank at each end of a line."""
        lines: list[list[Content]] = [[]]
        self._spans = []
        x = 1
        gap = 2 if self.size.width < 60 else 3
        reserved = next((len(key) + len(words) + 1 + gap for key, words, id_ in self._shown if id_ == HELP), 0)
        for key, words, action_id in self._shown:
            part = Content.assemble((key, "bold $bar-key"), " ", (words, "$bar-quiet"))
            is_last = len(lines) >= self.size.height
            after = 0 if action_id == HELP or not is_last else reserved
            if x + part.cell_length + after >= self.size.width:
                if not is_last:
                    lines.append([])
                    x = 1
                elif after:
                    continue
                else:
                    break
            reserved = 0 if action_id == HELP else reserved
            self._spans.append((len(lines) - 1, x, x + part.cell_length, action_id))
            lines[-1].append(part)
            x += part.cell_length + gap
        return Content("\n").join(Content.assemble(" ", Content(" " * gap).join(parts)) for parts in lines)

    async def on_click(self, event: events.Click) -> None:
        """Do the action that is clicked."""
        for line, start, end, action_id in self._spans:
            if action_id and line == event.y and start <= event.x < end:
                from termmail.ui.action_search import perform  # noqa: PLC0415 - the palette is built on use

                await perform(self.screen, BY_ID[action_id])
