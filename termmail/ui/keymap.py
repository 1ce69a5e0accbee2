"""Build the user's keymap: a preset, the keys of the config on top, and a sentence for each conflict."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING

from msgspec import Struct
from textual.keys import Keys, format_key, key_to_character

from termmail.ui.actions import ACTIONS, BY_ID, HEARD_TOGETHER, Place, split

if TYPE_CHECKING:
    from collections.abc import Mapping

PRESETS: dict[str, dict[str, str]] = {
    "termmail": {},
    "mutt": {
        "mail.compose": "m",
        "message.reply-all": "g,a",
        "mail.go": "c",
        "mail.filter": "l",
        "message.move": "s",
        "message.star": "F,*",
        "message.forward-attached": "",
        "message.read": "N,w",
        "list.previous-unread": "P",
        "message.print": "%",
        "message.reflow": "W",
        "list.select": "t",
        "list.select-all": "T",
        "list.triage": "",
        "thread.switch": "ctrl+t",
        "message.attachments": "v",
        "message.source": "e",
        "message.archive": "y",
        "message.undo": "u,z",
        "mail.check": "$,f5",
        "message.label": "Y",
    },
    "alpine": {
        "list.next": "n,down",
        "list.previous": "p,up",
        "list.next-unread": "N",
        "list.previous-unread": "P",
        "message.print": "%",
        "message.reflow": "W",
        "list.page-up": "-,pageup",
        "message.open": "enter,right,>",
        "view.back": "escape,left,<",
        "view.pane": "V",
        "message.source": "B",
        "message.browser": "o",
        "thread.fold": "+",
        "message.undo": "u,z",
        "message.read": "K",
        "message.move": "s",
        "message.star": "*",
        "message.attachments": "v,A",
        "mail.search": "w,/",
        "list.select": ";,x",
        "app.palette-too": "",
        "list.select-matching": "",
    },
    "gmail": {
        "message.open": "o,enter,right",
        "thread.fold": ";",
        "view.back": "u,escape,left",
        "message.delete": "#,delete",
        "message.read": "U,I",
        "message.links": "K",
        "list.select": "x",
        "mail.compose": "c",
        "message.archive": "e,y",
        "list.select-matching": "",
    },
}
"""For each preset the keys that differ from the defaults; "" removes the key."""

GO_MENU = "mail.go"
"""The action that opens the go menu."""

_SHOWN = {"escape": "Esc", "enter": "Enter", "space": "Space", "delete": "Del", "home": "Home", "end": "End"}
_SHOWN |= {"pageup": "PgUp", "pagedown": "PgDn", "backspace": "Backspace", "tab": "Tab"}

_NAMED = {key.value for key in Keys} | {"tab"}
_HELD = {"ctrl", "shift", "alt", "super", "meta", "hyper"}


def shown(key: str) -> str:
    """Return a key as people write it: "?" for question_mark, "F5", "ctrl+p", "g i"."""
    if " " in key:
        return " ".join(shown(part) for part in key.split())
    if key in _SHOWN:
        return _SHOWN[key]
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return format_key(key)


class Keymap(Struct, frozen=True):
    """The keys of every action, and the problems found in the config."""

    keys: dict[str, tuple[str, ...]]
    problems: tuple[str, ...] = ()

    def shown(self, action_id: str) -> str:
        """Return the first key of an action as people write it, or "" where it has none."""
        keys = self.keys[action_id]
        return shown(keys[0]) if keys else ""

    def all_shown(self, action_id: str) -> str:
        """Return all keys of an action as people write them; the digits 1 to 9 as a range."""
        keys = self.keys[action_id]
        if keys == tuple("123456789"):
            return "1 … 9"
        return "  ".join(shown(key) for key in keys)

    def places(self) -> dict[str, str]:
        """Return the letters of the go menu with the ids of their actions."""
        letters = {}
        for action in ACTIONS:
            for key in self.keys[action.id]:
                if " " in key:
                    letters[key.split()[1]] = action.id
        return letters

    def changed(self) -> dict[str, str]:
        """Return the argument for Textual's `set_keymap`: the actions whose keys differ from the defaults."""
        return {
            action.id: ",".join(key for key in self.keys[action.id] if " " not in key) or "unbound"
            for action in ACTIONS
            if self.keys[action.id] != action.keys
        }


def build(preset: str = "termmail", own: Mapping[str, str] | None = None) -> Keymap:
    """Return the keymap of a preset with the user's own keys on top.

    A key that the user gives to one action is removed from the others.
    """
    problems: list[str] = []
    changes = PRESETS[preset]
    keys = {action.id: split(changes[action.id]) if action.id in changes else action.keys for action in ACTIONS}
    chosen: dict[str, tuple[str, ...]] = {}
    for action_id, text in (own or {}).items():
        if action_id not in BY_ID:
            problems.append(_unknown(action_id))
            continue
        chosen[action_id] = tuple(key for key in split(text) if _usable(key, action_id, problems))
    for action_id, new in chosen.items():
        for other, had in keys.items():
            left = tuple(key for key in had if key not in new or not _meet(action_id, other))
            if other in chosen or left == had:
                continue
            keys[other] = left
            if not left:
                taken, lost = BY_ID[action_id].words, BY_ID[other].words
                problems.append(f"{shown(had[0])} is now “{taken}”, and “{lost}” ({other}) has no key left.")
        keys[action_id] = new
    problems += _clashes(chosen)
    go = keys[GO_MENU]
    for action in ACTIONS:
        if action.where is Place.GO:  # shown with the key that opens the menu in this keymap
            keys[action.id] = tuple(f"{go[0]} {key.split()[-1]}" for key in keys[action.id] if go)
    return Keymap(keys, tuple(problems))


def _meet(one: str, other: str) -> bool:
    """Return whether both actions can receive the same key press. The list and the reader never do."""
    if one == other:
        return False
    a, b = BY_ID[one].where, BY_ID[other].where
    return b in HEARD_TOGETHER[a] or a in HEARD_TOGETHER[b]


def _clashes(chosen: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return a sentence for each key that the user gave to two actions which receive the same key press."""
    ids = list(chosen)
    return [
        f"{shown(key)} is given to both {one} and {other}: choose another key for one of them."
        for index, one in enumerate(ids)
        for other in ids[index + 1 :]
        for key in chosen[one]
        if key in chosen[other] and _meet(one, other)
    ]


def _unknown(action_id: str) -> str:
    near = difflib.get_close_matches(action_id, BY_ID, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else " F1 lists all actions."
    return f"[ui.keys]: “{action_id}” is not an action.{hint}"


def _usable(key: str, action_id: str, problems: list[str]) -> bool:
    parts = key.split()
    if len(parts) > 1 and BY_ID[action_id].where is not Place.GO:
        problems.append(f"[ui.keys] {action_id}: only places of the go menu can have two keys, not “{key}”.")
        return False
    if len(parts) > 2 or not all(_is_key(part) for part in parts):
        problems.append(f"[ui.keys] {action_id}: “{key}” is not a key. Write it like d, F5, ctrl+x, delete or space.")
        return False
    return True


def _is_key(key: str) -> bool:
    if len(key) == 1:
        return True
    *held, last = key.split("+")
    if not set(held) <= _HELD:
        return False
    if len(last) == 1 or last in _NAMED:
        return True
    try:
        unicodedata.lookup(last.replace("_", " "))
    except KeyError:
        return key_to_character(last) is not None
    return True
