"""The folder column: every account with its folders and their unread counts."""

# ruff: noqa: D102 - what an action does is in the registry of actions

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from termmail.engine.views import View
from termmail.ui.actions import Place, bindings
from termmail.ui.humanize import number
from termmail.ui.roles import Role, role_of

if TYPE_CHECKING:
    from textual import events

    from termmail.store.rows import Count

WAITING = {Role.DRAFTS, Role.OUTBOX}
"""Roles of the folders whose number is their total: what lies there waits for the user."""


class FolderList(ScrollView, can_focus=True):
    """A heading for each account where there are several, its folders, and their counts."""

    BINDINGS = bindings(Place.FOLDERS)
    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "folders--heading",
        "folders--current",
        "folders--cursor",
        "folders--unread",
        "folders--count",
    }

    class Chosen(Message):
        """The user chose this folder."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.counts: dict[str, dict[str, Count]] = {}
        self.current: View | None = None
        self._lines: list[View | str] = []
        self._cursor = 0

    def show(self, counts: dict[str, dict[str, Count]], current: View | None) -> None:
        """Show the folders of every account; `current` is the one on screen."""
        if (counts, current) == (self.counts, self.current) and self._lines:
            return
        moved = current != self.current
        self.counts, self.current = counts, current
        lines: list[View | str] = []
        for account, folders in counts.items():
            if len(counts) > 1:
                lines += ["", account] if lines else [account]
            lines += [View(account, folder) for folder in folders]
        self._lines = lines
        if (moved or not self.has_focus) and current in lines:
            self._cursor = lines.index(current)
        self.virtual_size = Size(self.size.width, len(lines))
        self.refresh()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._lines))

    def _go(self, step: int) -> None:
        place = self._cursor + step
        while 0 <= place < len(self._lines) and isinstance(self._lines[place], str):
            place += step
        if 0 <= place < len(self._lines):
            before, self._cursor = self._cursor, place
            self.refresh_line(before)
            self.refresh_line(place)
            top = self.scroll_offset.y
            if not top <= place < top + self.size.height:
                self.scroll_to(y=max(0, place - self.size.height // 2), animate=False)

    def action_folders_next(self) -> None:
        self._go(1)

    def action_folders_previous(self) -> None:
        self._go(-1)

    def action_folders_open(self) -> None:
        if self._cursor < len(self._lines) and isinstance(view := self._lines[self._cursor], View):
            self.post_message(self.Chosen(view))

    def on_click(self, event: events.Click) -> None:
        """Show the folder that is clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return  # the border
        place = offset.y + self.scroll_offset.y
        if place < len(self._lines) and isinstance(self._lines[place], View):
            self._cursor = place
            self.refresh()
            self.action_folders_open()

    def on_focus(self) -> None:
        self.refresh_line(self._cursor)

    def on_blur(self) -> None:
        if self.current in self._lines:
            self._cursor = self._lines.index(self.current)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, place = self.size.width, y + self.scroll_offset.y
        if place >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        entry = self._lines[place]
        if isinstance(entry, str):
            heading = self.get_component_rich_style("folders--heading")
            return Strip([Segment(set_cell_size(f" {entry}", width), heading)], width)
        return self._folder(entry, width, cursor=self.has_focus and place == self._cursor)

    def _folder(self, view: View, width: int, *, cursor: bool) -> Strip:
        held = self.counts[view.account][view.folder]
        role = role_of(view.folder)
        value = held.total if role in WAITING else 0 if role is Role.TRASH else held.unread
        shown = number(value) if value else ""
        state = "cursor" if cursor else "current" if view == self.current else ""
        style = self.get_component_rich_style(f"folders--{state}") if state else self.rich_style
        if value and not state and role not in WAITING:
            style = self.get_component_rich_style("folders--unread")
        edge = "▌" if view == self.current else " "
        name = set_cell_size(f"{edge} {view.folder}", max(1, width - len(shown) - 1))
        quiet = style if state else self.get_component_rich_style("folders--count")
        return Strip([Segment(name, style), Segment(f"{shown} ", quiet)]).adjust_cell_length(width, style)
