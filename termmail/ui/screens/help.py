"""All keys in words, from the table of actions and the keymap in use."""

from __future__ import annotations

from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from termmail.ui.actions import ACTIONS, Action
from termmail.ui.screens import dialog
from termmail.ui.widgets.list_row import LEGEND

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from termmail.ui.keymap import Keymap

AROUND = 7
"""Columns of the frame, margins and scroll bar around the keys."""
GAP = 3
"""Blanks between two columns of keys."""
TWINS = {"app.palette-too": "app.palette", "app.help-too": "app.help"}
"""Actions that are the same in another place: listed once, with the keys of both."""


class HelpScreen(dialog.Dialog[None]):
    """Lists what each key does. `first` is the place whose keys come first: list, reader, folders or composer."""

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
        """Yield the frame, whose keys are filled in once the width is known."""
        with dialog.Frame(classes="dialog help"):
            yield dialog.title("All keys")
            with VerticalScroll(classes="help-keys"):
                yield Static(id="help-text")
            yield dialog.quiet(f"j k and Space scroll · Esc goes back · {self._palette_key()} finds an action by name")

    def on_resize(self, event: events.Resize) -> None:
        """Lay the keys out in as many columns as fit, after the layout that is running: it would miss the change."""
        self.call_after_refresh(self._fill, event.size.width)

    def _fill(self, width: int) -> None:
        groups = [
            (group, [self._entry(action) for action in ACTIONS if action.group == group and action.id not in TWINS])
            for group in self._groups()
        ]
        groups.append(("The marks of a message", list(LEGEND)))
        entries = [entry for _, block in groups for entry in block]
        keys = max(len(key) for key, _ in entries) + 2
        widest = 2 + keys + max(len(words) for _, words in entries)
        room = width - AROUND
        count = max(1, (room + GAP) // (widest + GAP))
        blocks = [_block(heading, block, keys, min(widest, room)) for heading, block in groups]
        self.query_one("#help-text", Static).update(_side_by_side(blocks, min(count, len(blocks)), widest))
        if count > 1:
            self.query_one(dialog.Frame).styles.width = count * (widest + GAP) - GAP + AROUND

    def _groups(self) -> list[str]:
        composing = self._first == "composer"
        groups = [action.group for action in ACTIONS if (action.where == "composer") == composing]
        if composing:
            groups += [action.group for action in ACTIONS if action.where == "app"]
        first = next((action.group for action in ACTIONS if action.where == self._first), "")
        return sorted(dict.fromkeys(groups), key=lambda group: group != first)

    def _entry(self, action: Action) -> tuple[str, str]:
        keys = [self._keymap.all_shown(action.id)]
        keys += [self._keymap.all_shown(twin) for twin, main in TWINS.items() if main == action.id]
        return "  ".join(filter(None, keys)) or f"({self._palette_key()})", action.words

    def _palette_key(self) -> str:
        return self._keymap.shown("app.palette") or self._keymap.shown("app.palette-too")

    @property
    def _text(self) -> VerticalScroll:
        return self.query_one(".help-keys", VerticalScroll)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self._text.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        self._text.scroll_relative(y=pages * max(1, self._text.size.height - 1), animate=False)

    def action_end(self, last: int) -> None:
        """Scroll to the first line, or the last."""
        if last:
            self._text.scroll_end(animate=False)
        else:
            self._text.scroll_home(animate=False)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)


def _block(heading: str, entries: list[tuple[str, str]], keys: int, width: int) -> list[Content]:
    """Return a heading and what each key does; words that do not fit beside their keys continue below."""
    lines = [Content.assemble((heading, "bold $text-primary"))]
    for shown, words in entries:
        first, *rest = wrap(words, max(10, width - 2 - keys))
        lines.append(Content.assemble((f"  {shown:<{keys}}", "bold $text-accent"), first))
        lines += [Content(" " * (2 + keys) + more) for more in rest]
    return lines


def _side_by_side(blocks: list[list[Content]], count: int, width: int) -> Content:
    """Return the blocks in `count` columns of about the same height."""
    height = sum(len(block) + 1 for block in blocks) / count
    columns: list[list[Content]] = [[]]
    for block in blocks:
        if columns[-1] and len(columns) < count and len(columns[-1]) + len(block) / 2 > height:
            columns.append([])
        columns[-1] += [Content(""), *block] if columns[-1] else block
    rows = zip_longest(*columns, fillvalue=Content(""))
    return Content("\n").join(
        Content(" " * GAP).join([*(cell.pad_right(width - cell.cell_length) for cell in row[:-1]), row[-1]])
        for row in rows
    )
