"""Any action by its name: the palette reads the table of keys and runs what is chosen where it belongs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widget import Widget

from termmail.ui.keymap import Keymap
from termmail.ui.keys import ACTIONS, Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.dom import DOMNode
    from textual.screen import Screen

LAST = {"Moving", "Reading", "Selecting", "Folder column"}
"""What nobody looks for by name comes last."""
COLUMN = 40
HIDDEN = {"app.palette", "app.palette-too", "app.help-too"}


def holder(screen: Screen[object], action: Action) -> DOMNode | None:
    """Who can do this action on a screen: the focus and what is around it first, then anything on the screen."""
    name = f"action_{action.method}"
    around = [*screen.focused.ancestors_with_self] if screen.focused else [screen, screen.app]
    for node in around:
        if hasattr(node, name):
            return node
    return next((node for node in screen.walk_children(Widget) if hasattr(node, name) and node.display), None)


async def perform(screen: Screen[object], action: Action) -> None:
    """Do an action as if its key had been pressed."""
    node = holder(screen, action)
    if node is not None:
        await screen.app.run_action(action.method, node)


class ActionProvider(Provider):
    """Every action that can be done on this screen, with its key."""

    def _available(self) -> Iterator[Action]:
        for action in sorted(ACTIONS, key=lambda action: action.group in LAST):
            if action.id not in HIDDEN and action.where != "go" and holder(self.screen, action) is not None:
                yield action

    def _hint(self, action: Action) -> str:
        keymap = getattr(self.app, "keys", None)
        return keymap.all_shown(action.id) if isinstance(keymap, Keymap) else ""

    async def discover(self) -> Hits:
        """All of them, in the order of the table."""
        for action in self._available():
            yield DiscoveryHit(self._line(action), partial(perform, self.screen, action), text=action.words)

    async def search(self, query: str) -> Hits:
        """Those whose words or id match."""
        matcher = self.matcher(query)
        for action in self._available():
            score = max(matcher.match(action.words), matcher.match(action.id) * 0.8)
            if score > 0:
                yield Hit(score, self._line(action), partial(perform, self.screen, action), text=action.words)

    def _line(self, action: Action) -> Content:
        return Content.assemble(f"{action.words:<{COLUMN}}", (self._hint(action), "$foreground 60%"))
