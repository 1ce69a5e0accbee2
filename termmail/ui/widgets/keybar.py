"""The keys that matter where the focus is, on the last line; what does not fit stands in the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from termmail.ui.keymap import Keymap
from termmail.ui.keys import BY_ID, shown

if TYPE_CHECKING:
    from textual import events
    from textual.screen import Screen


class KeyBar(Widget):
    """Reads the bindings that are active now and draws those the table ranks, most important first."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._spans: list[tuple[int, int, str]] = []
        self._shown: list[tuple[str, str, str]] = []

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed(self.screen)

    def _changed(self, screen: Screen[object]) -> None:
        found: dict[str, tuple[str, str, str]] = {}
        for key, active in screen.active_bindings.items():
            action = BY_ID.get(active.binding.id or "")
            if action is not None and action.bar:
                keys = getattr(self.app, "keys", None)
                first = keys.shown(action.id) if isinstance(keys, Keymap) else shown(key)
                found.setdefault(action.id, (first, action.short or action.words, action.id))
        ranked = sorted(found.values(), key=lambda entry: BY_ID[entry[2]].bar)
        if ranked != self._shown:
            self._shown = ranked
            self.refresh()

    def render(self) -> Content:
        """As many as fit, whole."""
        parts: list[Content] = []
        self._spans = []
        x = 1
        for key, words, action_id in self._shown:
            part = Content.assemble((key, "bold $text-accent"), " ", (words, "$foreground 60%"))
            if x + part.cell_length > self.size.width:
                break
            self._spans.append((x, x + part.cell_length, action_id))
            parts.append(part)
            x += part.cell_length + 3
        return Content.assemble(" ", Content("   ").join(parts))

    async def on_click(self, event: events.Click) -> None:
        """A key can be clicked as well."""
        for start, end, action_id in self._spans:
            if start <= event.x < end:
                from termmail.ui.palette import perform  # noqa: PLC0415 - the palette is built on use

                await perform(self.screen, BY_ID[action_id])
