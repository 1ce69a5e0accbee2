"""The folder column: every account with its folders and their unread counts."""

# ruff: noqa: D102 - what an action does is in the registry of actions

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from termmail.mail.counting import number
from termmail.mail.model import DRAFTS_NAME, OUTBOX_NAME, Count, Role
from termmail.mail.views import DraftsView, FolderView, LabelView, OutboxView, Ready, ReadyView, RoleView, SavedView
from termmail.ui.actions import Place, bindings
from termmail.ui.kinds import ALL_ACCOUNTS, ALL_INBOXES
from termmail.ui.widgets.list_row import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from termmail.engine.folder_list import Counts
    from termmail.mail.views import View


CURSOR, CURRENT, CURRENT_ASIDE = "▸", "▌", "•"
"""The marks of the line that the keys act on, and of the folder that the list shows: alone, and beside the cursor."""

SEARCHES = "Searches"
"""The heading of the searches that are kept."""


class Entry(Struct, frozen=True):
    """One line that can be chosen. `value` is the number at its right: unread messages, or what waits for the user."""

    view: View
    name: str
    value: int = 0
    waiting: bool = False


def entries(counts: Counts, accounts: Sequence[str]) -> list[Entry | str]:
    """Return the lines of the column: all inboxes first where there are several accounts, each below its heading.

    The ready views and the labels, which are of all accounts, come last.
    """
    lines: list[Entry | str] = []
    if len(accounts) > 1:
        inboxes = [one for one in counts.folders if one.role is Role.INBOX and one.account in accounts]
        unread = sum(counts.messages.get(one.folder_id, _NOTHING).unread for one in inboxes)
        lines.append(Entry(RoleView(Role.INBOX), ALL_INBOXES, unread))
    for account in accounts:
        if len(accounts) > 1:
            lines += ["", account]
        found = [
            Entry(FolderView(one.folder_id), one.name, _value(one.role, counts.messages.get(one.folder_id, _NOTHING)))
            for one in counts.folders
            if one.account == account
        ]
        found[1:1] = [
            Entry(DraftsView(account), DRAFTS_NAME, counts.drafts.get(account, 0), waiting=True),
            Entry(OutboxView(account), OUTBOX_NAME, counts.outbox.get(account, 0), waiting=True),
        ]
        lines += found
    if counts.searches:
        lines += ["", SEARCHES]
        for saved in counts.searches:
            lines.append(
                Entry(SavedView(saved.search_id), saved.name, counts.found.get(saved.search_id, _NOTHING).unread)
            )
    if accounts:
        lines += ["", *([ALL_ACCOUNTS] if len(accounts) > 1 else [])]
        waiting = {Ready.SNOOZED: counts.snoozed}
        lines += [Entry(ReadyView(one), one.value, waiting.get(one, 0), waiting=True) for one in Ready]
        lines += [Entry(LabelView(one.label_id), f"‹{one.name}›") for one in counts.labels]
    return lines


_NOTHING = Count(0)


def _value(role: Role, held: Count) -> int:
    return 0 if role is Role.TRASH else held.unread


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

    class Scrolled(Message):
        """Other lines are in the window."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.current: View | None = None
        self._lines: list[Entry | str] = []
        self._cursor = 0

    def show(self, counts: Counts, accounts: Sequence[str], current: View) -> None:
        """Show the folders of the accounts, and which one the list shows."""
        lines = entries(counts, accounts)
        current = _without_order(current)
        if (lines, current) == (self._lines, self.current):
            return
        moved = current != self.current
        self._lines, self.current = lines, current
        if moved or not self.has_focus:
            self._cursor = self._current_line(default=min(self._cursor, max(0, len(lines) - 1)))
        self.virtual_size = Size(self.size.width, len(lines))
        self.refresh()

    def seen(self) -> list[View]:
        """Return what the lines in the window stand for; nothing where the column is not shown."""
        top = self.scroll_offset.y
        lines = self._lines[top : top + self.size.height] if self.display else []
        return [line.view for line in lines if isinstance(line, Entry)]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell that other lines are in the window."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    def _current_line(self, *, default: int) -> int:
        found = (
            place for place, line in enumerate(self._lines) if isinstance(line, Entry) and line.view == self.current
        )
        return next(found, default)

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
        if self._cursor < len(self._lines) and isinstance(entry := self._lines[self._cursor], Entry):
            self.post_message(self.Chosen(entry.view))

    def on_click(self, event: events.Click) -> None:
        """Show the folder that is clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return  # the border
        place = offset.y + self.scroll_offset.y
        if place < len(self._lines) and isinstance(self._lines[place], Entry):
            self._cursor = place
            self.refresh()
            self.action_folders_open()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self._cursor = self._current_line(default=self._cursor)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, place = self.size.width, y + self.scroll_offset.y
        if place >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        entry = self._lines[place]
        if isinstance(entry, str):
            heading = self.get_component_rich_style("folders--heading")
            return Strip([Segment(fit(f" {entry}", width), heading)], width)
        return self._folder(entry, width, cursor=self.has_focus and place == self._cursor)

    def _folder(self, entry: Entry, width: int, *, cursor: bool) -> Strip:
        shown = number(entry.value) if entry.value else ""
        current = entry.view == self.current
        state = "cursor" if cursor else "current" if current else ""
        style = self.get_component_rich_style(f"folders--{state}") if state else self.rich_style
        if entry.value and not state and not entry.waiting:
            style = self.get_component_rich_style("folders--unread")
        sign = CURSOR if cursor else (CURRENT_ASIDE if self.has_focus else CURRENT) if current else " "
        name = fit(f"{sign} {entry.name}", max(1, width - len(shown) - (2 if shown else 1))) + (" " if shown else "")
        quiet = style if state else self.get_component_rich_style("folders--count")
        return Strip([Segment(name, style), Segment(f"{shown} ", quiet)]).adjust_cell_length(width, style)


def _without_order(view: View) -> View:
    """Return the view as the column has it: sorting a folder does not make it another one."""
    match view:
        case FolderView(folder_id=folder_id):
            return FolderView(folder_id)
        case RoleView(role=role):
            return RoleView(role)
        case SavedView(search_id=search_id):
            return SavedView(search_id)
    return view
