"""Moving in the list, the reader and the folder column; going back, and to the next unread message.

What moves within one widget is a method of it; here are its keys.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.mail.model import MessageRow
from termmail.ui.actions.registry import Group, Place, declare, verb
from termmail.ui.actions.verb_context import on_row
from termmail.ui.kinds import Listing
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from termmail.ui.actions.verb_context import Mail

LOOKED_THROUGH = 500
"""Rows read at a time in the search for the next unread message."""


def _open_word(mail: Mail | None) -> str:
    if mail is None:
        return ""
    if not mail.engine.accounts.names:
        return "set up"
    return {Listing.MESSAGES: "open", Listing.DRAFTS: "edit", Listing.OUTGOING: "options"}[mail.list.listing]


def _back_word(mail: Mail) -> str:
    if mail.triage is not None:
        return "end"
    if mail.screen.messages.selected and mail.screen.messages.has_focus and not mail.list.narrowed:
        return "select none"
    if mail.screen.folders.has_focus:
        return "to the messages"
    return "back" if mail.screen.reader.has_focus or mail.list.narrowed else ""


def _whole_word(mail: Mail) -> str:
    return "" if mail.screen.whole else "whole screen"


declare("list.next", "j,down", "Next message", Place.LIST, Group.MOVING)
declare("list.previous", "k,up", "Previous message", Place.LIST, Group.MOVING)
declare("list.page-down", "pagedown", "One page down", Place.LIST, Group.MOVING)
declare("list.page-up", "pageup", "One page up", Place.LIST, Group.MOVING)
declare("list.half-down", "ctrl+d", "Half a page down", Place.LIST, Group.MOVING)
declare("list.half-up", "ctrl+u", "Half a page up", Place.LIST, Group.MOVING)
declare("list.top", "home", "First message", Place.LIST, Group.MOVING)
declare("list.bottom", "end,G", "Last message", Place.LIST, Group.MOVING)
declare(
    "message.open", "enter,right", "Open the message", Place.LIST, Group.MOVING,
    applies=on_row, rank=1, short=_open_word,
)  # fmt: skip
declare(
    "folders.next", "j,down", "Next folder, in the folder column", Place.FOLDERS, Group.FOLDER_COLUMN,
    rank=2, short="next folder",
)  # fmt: skip
declare(
    "folders.previous", "k,up", "Previous folder", Place.FOLDERS, Group.FOLDER_COLUMN, rank=3, short="previous",
)  # fmt: skip
declare("folders.open", "enter,right", "Show this folder", Place.FOLDERS, Group.FOLDER_COLUMN, rank=1, short="open")
declare("reader.down", "j,down", "One line down", Place.READER, Group.READING)
declare("reader.up", "k,up", "One line up", Place.READER, Group.READING)
declare("reader.page-down", "pagedown", "One page down", Place.READER, Group.READING)
declare("reader.page-up", "pageup,backspace", "One page up", Place.READER, Group.READING)
declare("reader.half-down", "ctrl+d", "Half a page down", Place.READER, Group.READING)
declare("reader.half-up", "ctrl+u", "Half a page up", Place.READER, Group.READING)
declare("reader.top", "home", "Start of the message", Place.READER, Group.READING)
declare("reader.bottom", "end,G", "End of the message", Place.READER, Group.READING)
declare(
    "reader.whole", "enter", "Message on the whole screen, or back", Place.READER, Group.READING,
    rank=7, short=_whole_word,
)  # fmt: skip


@verb("view.back", "escape,left", "Back, one level", Group.MOVING, rank=1, short=_back_word)
def back(mail: Mail) -> None:
    """Dismiss the newest problem, else go back one level, else select nothing."""
    if not mail.problems.dismiss() and not step_back(mail):
        mail.screen.messages.select_none()
        mail.selection_changed()


def step_back(mail: Mail) -> bool:
    """Go back one level: from found words, the whole screen, the focus, the search. Return False at the root."""
    screen = mail.screen
    if screen.reader.finder.marks:
        screen.reader.finder.clear()
    elif screen.whole:
        screen.set_whole(on=False)
    elif screen.focused is not screen.messages:
        screen.set_focus(screen.messages)
    elif mail.list.narrowed:
        mail.go_to(mail.list.home)
    else:
        return False
    return True


@verb("list.next-unread", "n", "Next unread message", Group.MOVING)
def next_unread(mail: Mail) -> None:
    """Put the cursor on the next unread message further down."""
    start_worker(mail.screen, partial(_seek_unread, mail, 1), "seek", exclusive=True)


@verb("list.previous-unread", "N", "Previous unread message", Group.MOVING)
def previous_unread(mail: Mail) -> None:
    """Put the cursor on the next unread message further up."""
    start_worker(mail.screen, partial(_seek_unread, mail, -1), "seek", exclusive=True)


async def _seek_unread(mail: Mail, by: int) -> None:
    """Look through the rows in one direction, some hundred at a time."""
    messages = mail.screen.messages
    ids, place = messages.ids, messages.cursor + by
    while 0 <= place < len(ids):
        chunk = ids[place : place + LOOKED_THROUGH] if by > 0 else ids[max(0, place - LOOKED_THROUGH + 1) : place + 1]
        rows = {row.key: row for row in await mail.list.rows(chunk)}
        for offset, message_id in enumerate(chunk if by > 0 else reversed(chunk)):
            seen = messages.row(message_id) or rows.get(message_id)
            if isinstance(seen, MessageRow) and seen.unread:
                if messages.ids is ids:
                    messages.go(place + by * offset)
                return
        place += by * LOOKED_THROUGH
    mail.status.say("No unread message further down." if by > 0 else "No unread message further up.", 3)
