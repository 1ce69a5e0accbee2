"""The parts that all dialogs share: frame, title, text, buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic

from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Static

from termmail.mail import sanitize
from termmail.ui.screens.dismiss_once import DismissOnce

if TYPE_CHECKING:
    from pathlib import PurePath


class Frame(VerticalScroll, can_focus=False):
    """The box of a dialog. On a terminal too small for it, it scrolls to the focused widget."""


class Dialog(DismissOnce[ScreenResultType], ModalScreen[ScreenResultType], Generic[ScreenResultType]):
    """A small screen over the others.

    Where there is little room it has no inner margin (-low), and its buttons are in a column (-narrow).
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialog.tcss"]
    DEFAULT_CLASSES = "dialog-screen"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-broad")]  # noqa: RUF012  as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]  # noqa: RUF012  as Textual declares it


def title(words: str) -> Static:
    """Return the first line of a dialog, drawn as text and not as markup."""
    return Static(Content(sanitize.clean(words)), classes="dialog-title")


def text(words: str) -> Static:
    """Return a paragraph, drawn as text and not as markup."""
    return Static(Content(sanitize.clean(words)), classes="dialog-text")


def quiet(words: str) -> Static:
    """Return a remark at the end, such as the keys of a list."""
    return Static(Content(sanitize.clean(words)), classes="dialog-quiet")


class Trouble(Static):
    """A sentence about what went wrong, or in another colour on what was done; hidden while it is empty."""

    def __init__(self) -> None:
        super().__init__("", classes="dialog-trouble", markup=False)

    def say(self, words: str) -> None:
        """Show these words, or hide with ""."""
        self.update(Content(sanitize.clean(words)))
        self.set_class(bool(words), "-shown")
        self.remove_class("-well")

    def say_done(self, words: str) -> None:
        """Show what was done, or hide with ""."""
        self.say(words)
        self.add_class("-well")


def button(key: str, words: str, action: str, *, id: str | None = None) -> Button:  # noqa: A002  Textual's word
    """Return a button that names the key that does the same."""
    return Button(Content(f" {words} ({key}) "), compact=True, action=f"screen.{action}", id=id)
