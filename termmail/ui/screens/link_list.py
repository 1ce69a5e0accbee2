"""The links of a message: a letter for each, the whole address, and the real host before anything opens."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, ClassVar

from rich.cells import chop_cells
from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from termmail.mail import sanitize
from termmail.mail.link_marks import numbered
from termmail.ui import desktop, link_opening
from termmail.ui.link_opening import host, mismatch
from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from termmail.mail.message import Link

LETTERS = "abcdefghilmnoprstuvwxz"
"""The letters that mark links: without j and k (move), q (back) and y (copy)."""

WIDEST, FRAME = 96, 8
"""Columns of the dialog at most, and of the frame, margins and scroll bar around its list."""

DIGITS = "0123456789"

MOST = 300
"""Links that are listed."""


def marks(count: int) -> list[str]:
    """Return a mark for each link: one letter, or two where there are more links than letters."""
    if count <= len(LETTERS):
        return list(LETTERS[:count])
    return [first + second for first, second in product(LETTERS, repeat=2)][:count]


class LinksScreen(dialog.Dialog[str | None]):
    """Lists links. Dismisses the address that was chosen, or None.

    An http link is opened here, after one question. A mailto address is dismissed unopened.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,U", "leave", "Back"),
        Binding("y", "copy", "Copy address"),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
    ]

    def __init__(self, links: Sequence[Link]) -> None:
        super().__init__()
        self._links = numbered(links).links[:MOST]
        self._more = len(links) - len(self._links)
        self._marks = marks(len(self._links))
        self._typed = ""
        self._number = ""
        """The digits typed so far."""

    def compose(self) -> ComposeResult:
        """Yield the list and its keys."""
        with dialog.Frame(classes="dialog dialog-wide"):
            count = len(self._links)
            yield dialog.title(f"{count} link{'' if count == 1 else 's'}" if count else "No links in this message")
            yield OptionList(classes="dialog-list", markup=False)
            if self._more:
                yield dialog.quiet(f"and {self._more} more; V shows the whole source")
            yield dialog.Trouble()
            yield dialog.quiet("letter or Enter open · number goes to it · y copy the address · Esc back")

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    def on_mount(self) -> None:
        """Focus the list."""
        self._list.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Fold the addresses to the new width, after the layout that is running: it would miss the change."""
        self.call_after_refresh(self._fill, event.size.width)

    def _fill(self, room: int) -> None:
        at = self._list.highlighted or 0
        width = min(WIDEST, room) - FRAME
        self._list.clear_options()
        self._list.add_options(
            [Option(_shown(mark, link, width)) for mark, link in zip(self._marks, self._links, strict=True)]
        )
        self._list.highlighted = at if self._links else None

    def on_key(self, event: events.Key) -> None:
        """Choose the link whose mark was typed; go to the one whose number was."""
        if event.character is not None and event.character in DIGITS:
            event.stop()
            self._go_to(event.character)
            return
        self._number = ""
        if event.character is None or event.character not in LETTERS:
            self._typed = ""
            return
        typed = self._typed + event.character
        starts = [index for index, mark in enumerate(self._marks) if mark.startswith(typed)]
        self._typed = typed if starts and len(typed) < len(self._marks[starts[0]]) else ""
        if starts:
            event.stop()
            self._list.highlighted = starts[0]
            if not self._typed:
                self._choose(self._links[starts[0]])

    def _go_to(self, digit: str) -> None:
        """Put the cursor on the link with the number that is being typed; a digit that fits no number begins again."""
        for typed in (self._number + digit, digit):
            place = next((place for place, link in enumerate(self._links) if str(link.number) == typed), None)
            if place is not None:
                self._number, self._list.highlighted = typed, place
                return
        self._number = digit if any(str(link.number).startswith(digit) for link in self._links) else ""

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose with Enter or a click."""
        self._choose(self._links[event.option_index])

    @work(exclusive=True, exit_on_error=False)
    async def _choose(self, link: Link) -> None:
        if link.url.lower().startswith("mailto:"):
            self.dismiss(link.url)
            return
        try:
            if not await link_opening.open_after_question(self.app, link):
                return
        except desktop.OpenError as error:
            self.query_one(dialog.Trouble).say(f"{error} y copies the address.")
            return
        self.dismiss(link.url)

    def action_copy(self) -> None:
        """Copy the address to the clipboard (OSC 52, which not every terminal allows)."""
        index = self._list.highlighted
        if index is not None:
            self.app.copy_to_clipboard(sanitize.clean(self._links[index].url))

    def action_move(self, rows: int) -> None:
        """Move the cursor up or down."""
        if rows > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    def action_leave(self) -> None:
        """Go back to the message."""
        self.dismiss(None)


def _shown(mark: str, link: Link, width: int) -> Content:
    """Return a link: its letter, its number in the message and its text, and below them the whole address."""
    text, url = sanitize.clean(link.text), sanitize.clean(link.url)
    indent = " " * (len(mark) + 2)
    room = max(10, width - len(indent))
    words = sanitize.cut(f"[{link.number}] " + (text if text and text != url else host(url)), room)
    lines = [Content.assemble((mark, "bold"), "  ", words)]
    lines += [Content.assemble(indent, (row, "dim")) for row in chop_cells(url, room)]
    if named := mismatch(link):
        warning = sanitize.cut(f"! says {named}, goes to {host(url)}", room)
        lines.append(Content.assemble(indent, (warning, "bold $text-warning")))
    return Content("\n").join(lines)
