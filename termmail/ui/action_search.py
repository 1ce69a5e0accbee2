"""Finding an action by its name, and doing it as if its key had been pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from termmail.ui.actions import ACTIONS, Place
from termmail.ui.actions.registry import Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.dom import DOMNode
    from textual.screen import Screen

    from termmail.ui.actions import Action

LAST = {Group.MOVING, Group.READING, Group.SELECTING, Group.FOLDER_COLUMN}
"""Groups at the end of the palette: few people look for them by name."""
HIDDEN = {"app.palette", "app.palette-too", "app.help-too"}


def holder(screen: Screen[object], action: Action) -> DOMNode | None:
    """Return who can do this action on a screen: the focus and what is around it first, then anything on the screen."""
    name = f"action_{action.method}" if action.run is None else "action_do"
    around = [*screen.focused.ancestors_with_self] if screen.focused else [screen, screen.app]
    for node in around:
        if hasattr(node, name):
            return node
    return next((node for node in screen.walk_children(Widget) if hasattr(node, name) and node.display), None)


async def perform(screen: Screen[object], action: Action) -> None:
    """Do an action as if its key had been pressed."""
    node = holder(screen, action)
    if node is not None:
        await screen.app.run_action(action.binding, node)


def available(screen: Screen[object]) -> list[Action]:
    """Return every action that can be done on this screen, in the order of the help."""
    found = [action for action in ACTIONS if action.id not in HIDDEN and action.where is not Place.GO]
    return sorted((action for action in found if holder(screen, action)), key=lambda action: action.group in LAST)


def matching(actions: Sequence[Action], text: str) -> list[Action]:
    """Return those whose words (or id) hold every word of the text; those that begin with it first."""
    wanted = text.casefold().split()

    def rank(action: Action) -> tuple[bool, bool]:
        words = action.words.casefold()
        return not words.startswith(" ".join(wanted)), not all(f" {word}" in f" {words}" for word in wanted)

    found = [action for action in actions if all(word in f"{action.words} {action.id}".casefold() for word in wanted)]
    return sorted(found, key=rank)
