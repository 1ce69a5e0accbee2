"""All keys, in words, those of where the reader was first. It reads the table, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from termmail.ui.keys import ACTIONS, Action
from termmail.ui.screens import dialog
from termmail.ui.widgets.row import LEGEND

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from termmail.ui.keymap import Keymap

KEYS_WIDTH = 24
TWINS = {"app.palette-too": "app.palette", "app.help-too": "app.help"}
"""Second homes of one action: listed once, with the keys of both."""


class HelpScreen(dialog.Dialog[None]):
    """Everything a key does. `first` names the place the reader comes from: list, reader, folders or composer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "leave", "Back"),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
        Binding("space,pagedown", "page(1)", show=False),
        Binding("pageup,backspace", "page(-1)", show=False),
        Binding("home,g", "end(0)", show=False),
        Binding("end,G", "end(1)", show=False),
    ]

    def __init__(self, keymap: Keymap, first: str = "list") -> None:
        super().__init__()
        self._keymap = keymap
        self._first = first

    def compose(self) -> ComposeResult:
        """A heading for each group, the keys in one column, the words in the next."""
        with dialog.Frame(classes="dialog help"):
            yield dialog.title("All keys")
            with VerticalScroll(classes="help-keys"):
                yield Static(Content("\n").join(self._lines()))
            yield dialog.quiet("j k and Space scroll · Esc goes back · ctrl+p finds an action by name")

    def _lines(self) -> list[Content]:
        lines: list[Content] = []
        for group in self._groups():
            lines += [Content(""), Content.assemble((group, "bold $text-primary"))]
            lines += [self._line(action) for action in ACTIONS if action.group == group and action.id not in TWINS]
        lines += [Content(""), Content.assemble(("The marks of a message", "bold $text-primary"))]
        lines += [Content.assemble((f"  {mark:<{KEYS_WIDTH}}", "bold $text-accent"), words) for mark, words in LEGEND]
        return lines[1:]

    def _groups(self) -> list[str]:
        composing = self._first == "composer"
        groups = [action.group for action in ACTIONS if (action.where == "composer") == composing]
        if composing:
            groups += [action.group for action in ACTIONS if action.where == "app"]
        first = next((action.group for action in ACTIONS if action.where == self._first), "")
        return sorted(dict.fromkeys(groups), key=lambda group: group != first)

    def _line(self, action: Action) -> Content:
        keys = [self._keymap.all_shown(action.id)]
        keys += [self._keymap.all_shown(twin) for twin, main in TWINS.items() if main == action.id]
        shown = "  ".join(filter(None, keys)) or "(ctrl+p)"
        return Content.assemble((f"  {shown:<{KEYS_WIDTH}}", "bold $text-accent"), action.words)

    @property
    def _text(self) -> VerticalScroll:
        return self.query_one(".help-keys", VerticalScroll)

    def action_scroll(self, lines: int) -> None:
        """By one line."""
        self._text.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """By one page."""
        self._text.scroll_relative(y=pages * max(1, self._text.size.height - 1), animate=False)

    def action_end(self, last: int) -> None:
        """To the first line, or the last."""
        if last:
            self._text.scroll_end(animate=False)
        else:
            self._text.scroll_home(animate=False)

    def action_leave(self) -> None:
        """Back."""
        self.dismiss(None)
