"""Everything a key can do. Each module registers a group of actions; importing the package registers them all.

To add a verb, write one function in the module of its group and decorate it with `verb`.
"""

from __future__ import annotations

from termmail.ui.actions import (
    composing,
    finding,
    folder_verbs,
    inviting,
    linking,
    looking,
    marking,
    moving,
    printing,
    program,
    reading,
    searching,
    triage,
    unfolding,
    writing,
)
from termmail.ui.actions.registry import BY_ID, HEARD_TOGETHER, Action, Group, Place, bindings, split

_ORDER = list(Group)
ACTIONS = tuple(
    sorted(BY_ID.values(), key=lambda action: (_ORDER.index(action.group), action.where is not Place.READER))
)
"""Every action, group by group in the order of the help; what moves in the message comes before what is done to it."""

__all__ = [
    "ACTIONS",
    "BY_ID",
    "HEARD_TOGETHER",
    "Action",
    "Group",
    "Place",
    "bindings",
    "composing",
    "finding",
    "folder_verbs",
    "inviting",
    "linking",
    "looking",
    "marking",
    "moving",
    "printing",
    "program",
    "reading",
    "searching",
    "split",
    "triage",
    "unfolding",
    "writing",
]
