"""The registry of actions: what each is called, its keys and words, where it applies, and the function that does it.

Key bindings, the help, the palette, the key bar, the go menu, the config and the table in README.md all read it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from textual.binding import Binding, BindingType

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.ui.actions.verb_context import Mail


F = TypeVar("F", bound="Callable[[Mail], object]")


class Place(StrEnum):
    """The screen or widget whose keys an action belongs to."""

    APP = "app"
    MAIL = "mail"
    LIST = "list"
    READER = "reader"
    FOLDERS = "folders"
    GO = "go"
    COMPOSER = "composer"


class Group(StrEnum):
    """The heading an action stands under in the help, in the order of the help."""

    MOVING = "Moving"
    SELECTING = "Selecting"
    FOLDER_COLUMN = "Folder column"
    READING = "Reading"
    CONVERSATIONS = "Conversations"
    SORTING_OUT = "Sorting out"
    WRITING = "Writing"
    FINDING = "Finding"
    PROGRAM = "The program"
    COMPOSING = "Composing"


HEARD_TOGETHER = {
    Place.APP: {Place.APP, Place.MAIL, Place.LIST, Place.READER, Place.FOLDERS, Place.COMPOSER},
    Place.MAIL: {Place.APP, Place.MAIL, Place.LIST, Place.READER, Place.FOLDERS},
    Place.LIST: {Place.APP, Place.MAIL, Place.LIST},
    Place.READER: {Place.APP, Place.MAIL, Place.READER},
    Place.FOLDERS: {Place.APP, Place.MAIL, Place.FOLDERS},
    Place.COMPOSER: {Place.APP, Place.COMPOSER},
    Place.GO: {Place.GO},
}
"""For each place, the places whose bindings receive the same key press: there a key may have one action only."""


def always(mail: Mail) -> str:  # noqa: ARG001 - the signature of every `applies`
    """Return "": the action applies everywhere on the main screen."""
    return ""


class Action(Struct, frozen=True):
    """One thing a key does.

    `id` names it in the config. `keys` are the default keys; "g i" is a place of the go menu (the key of that menu,
    then i). `words` describe it in help and palette. `run` does it on the main screen; None means that the widget at
    `where` has a method for it. `applies` returns "" or the sentence that says why the action does nothing here.
    `rank` orders the key bar, 1 first; 0 leaves the action out. `short` is its word there, or a function that returns
    the word for the situation, "" to leave it out.
    """

    id: str
    keys: tuple[str, ...]
    words: str
    where: Place
    group: Group
    run: Callable[[Mail], object] | None = None
    applies: Callable[[Mail], str] = always
    rank: int = 0
    short: str | Callable[[Mail], str] = ""

    @property
    def name(self) -> str:
        """What the palette calls it: a place of the go menu is gone to."""
        return f"Go to {self.words}" if self.where is Place.GO else self.words

    @property
    def method(self) -> str:
        """The name of the widget's method, without its `action_`."""
        return self.id.replace(".", "_").replace("-", "_")

    @property
    def binding(self) -> str:
        """The Textual action that its keys are bound to."""
        return f"do({self.id!r})" if self.run is not None else self.method

    def short_word(self, mail: Mail | None) -> str:
        """Return the word for the key bar; outside the main screen (None) it never depends on the situation."""
        if isinstance(self.short, str):
            return self.short or self.words
        return self.short(mail) if mail is not None else ""


BY_ID: dict[str, Action] = {}
"""Every action by its id, in the order of registration."""


def split(keys: str) -> tuple[str, ...]:
    """Return the keys of a text such as "d, delete,#"."""
    return tuple(key.strip() for key in keys.split(",") if key.strip())


def declare(
    action_id: str,
    keys: str,
    words: str,
    where: Place,
    group: Group,
    *,
    run: Callable[[Mail], object] | None = None,
    applies: Callable[[Mail], str] = always,
    rank: int = 0,
    short: str | Callable[[Mail], str] = "",
) -> Action:
    """Register an action. Raises ValueError for an id that is registered already."""
    if action_id in BY_ID:
        raise ValueError(f"the action {action_id} is registered twice")
    action = Action(action_id, split(keys), words, where, group, run, applies, rank, short)
    BY_ID[action_id] = action
    return action


def verb(
    action_id: str,
    keys: str,
    words: str,
    group: Group,
    *,
    where: Place = Place.MAIL,
    applies: Callable[[Mail], str] = always,
    rank: int = 0,
    short: str | Callable[[Mail], str] = "",
) -> Callable[[F], F]:
    """Register the decorated function as an action of the main screen."""

    def register(function: F) -> F:
        declare(action_id, keys, words, where, group, run=function, applies=applies, rank=rank, short=short)
        return function

    return register


def bindings(where: Place) -> list[BindingType]:
    """Return the BINDINGS of the widget or screen at `where` with the default keys; the app's keymap replaces them."""
    return [
        Binding(",".join(keys), action.binding, action.words, show=action.rank > 0, id=action.id)
        for action in BY_ID.values()
        if action.where is where and (keys := [key for key in action.keys if " " not in key])
    ]
