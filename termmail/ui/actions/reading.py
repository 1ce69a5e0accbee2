"""Opening what the cursor is on, and ways to look at a message beyond its text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.ui.actions import writing
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_message, on_row
from termmail.ui.kinds import Listing
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from termmail.mail.message import Draft, Message
    from termmail.mail.model import MessageRow
    from termmail.ui.actions.verb_context import Mail


def open_row(mail: Mail) -> None:
    """Read the message at the cursor, go on with a draft, or show what can be done about an outgoing message."""
    row_id = mail.screen.messages.cursor_id
    if not row_id:
        if not mail.engine.accounts.names:
            mail.screen.add_account()
    elif mail.list.listing is Listing.DRAFTS:
        writing.open_draft(mail, partial(mail.engine.drafts.load, row_id))
    elif mail.list.listing is Listing.OUTGOING:
        from termmail.ui.screens.outbox_item import OutboxItemScreen  # noqa: PLC0415 - not needed at start

        def closed(draft: Draft | None) -> None:
            if draft is not None:
                mail.status.say("The message is in Drafts.")

        mail.screen.app.push_screen(OutboxItemScreen(mail.engine, row_id), closed)
    else:
        read_here(mail)


def read_here(mail: Mail) -> None:
    """Read the message at the cursor: in the pane where it stands beside the list, else on the whole screen."""
    screen = mail.screen
    if screen.reader.display and screen.is_wide and not screen.whole:
        screen.set_focus(screen.reader)
    elif not screen.whole:
        screen.set_whole(on=True)
    mail.preview.read()


def toggle_whole(mail: Mail) -> None:
    """Give the reader the whole screen, or take it back."""
    mail.screen.set_whole(on=not mail.screen.whole)
    if mail.screen.whole:
        mail.preview.read()


@verb("message.next", "]", "Next message", Group.READING)
def next_message(mail: Mail) -> None:
    """Read the next message of the list."""
    step(mail, 1)


@verb("message.previous", "[", "Previous message", Group.READING)
def previous_message(mail: Mail) -> None:
    """Read the previous message of the list."""
    step(mail, -1)


def step(mail: Mail, by: int) -> None:
    """Move the cursor by so many messages and read the one it comes to."""
    messages = mail.screen.messages
    before = messages.cursor
    messages.go(before + by)
    if messages.cursor == before:
        mail.status.say("This is the last message." if by > 0 else "This is the first message.", 3)
    elif mail.screen.reader.display and not mail.screen.whole:
        mail.screen.call_after_refresh(mail.preview.read)


@verb("reader.page", "space", "Next page, then the next message", Group.READING, applies=on_row, rank=9, short="page")
def page(mail: Mail) -> None:
    """Read on: open the message, scroll it by a page, and at its end go to the next one."""
    if not mail.screen.reader.display:
        open_row(mail)
    elif not mail.preview.is_opened:
        mail.preview.read()
    elif not mail.screen.reader.page():
        step(mail, 1)


def on_screen(mail: Mail) -> bool:
    """Return whether the text of the message at the cursor is on screen; where it is not, open it."""
    reader = mail.screen.reader
    if reader.display and reader.message is not None and reader.row is not None:
        shown = reader.row.key
        if shown == mail.screen.messages.cursor_id:
            return True
    read_here(mail)
    return False


@verb("message.quotes", "Q", "Show or hide quoted text", Group.READING, applies=on_message)
def quotes(mail: Mail) -> None:
    """Fold the quoted text, or show it again."""
    if on_screen(mail):
        mail.screen.reader.fold()


@verb("message.headers", "h", "Show or hide all headers", Group.READING, applies=on_message)
def headers(mail: Mail) -> None:
    """Show all headers instead of the text, or the text again."""
    if on_screen(mail):
        mail.status.say("")  # it may tell of the HTML that is not shown any more
        mail.screen.reader.switch_headers()


@verb("message.html", "H", "Switch between text and HTML", Group.READING, applies=on_message)
def html(mail: Mail) -> None:
    """Toggle between the plain-text and the HTML view."""
    if on_screen(mail):
        mail.status.say(mail.screen.reader.switch_html(), 3)


def look(mail: Mail, work: Callable[[Mail, MessageRow, Message], Awaitable[None]]) -> None:
    """Run `work` on the message at the cursor, fetched where needed; show a failure."""

    async def look() -> None:
        found = await mail.preview.message()
        if found is None:
            return
        row, message = found
        try:
            await work(mail, row, message)
        except UserError as error:
            mail.fail(error, row.account)

    start_worker(mail.screen, look, "look", exclusive=True)


@verb("message.source", "V", "Show the message source", Group.READING, applies=on_message)
def source(mail: Mail) -> None:
    """Show the message byte for byte."""
    look(mail, _show_source)


async def _show_source(mail: Mail, row: MessageRow, message: Message) -> None:  # noqa: ARG001 - the signature of `look`
    from termmail.ui.screens.message_source import SourceScreen  # noqa: PLC0415

    raw = await mail.engine.reader.raw(row.message_id)
    mail.screen.app.push_screen(SourceScreen(f"Source · {row.subject}", raw.decode("utf-8", "replace")))


@verb("message.attachments", "A", "Attachments: save, open, view", Group.READING, applies=on_message)
def attachments(mail: Mail) -> None:
    """List the attachments of the message."""
    look(mail, _show_attachments)


async def _show_attachments(mail: Mail, row: MessageRow, message: Message) -> None:
    if not message.parts:
        mail.status.say("This message has no attachments.", 3, about=row.message_id)
        return
    from termmail.ui.screens.attachments import AttachmentsScreen  # noqa: PLC0415

    mail.screen.app.push_screen(AttachmentsScreen(mail.engine, row.message_id, message))


@verb("message.browser", "B", "Open in the browser, safely", Group.READING, applies=on_message)
def browser(mail: Mail) -> None:
    """Open a sanitized copy of the message in the browser."""
    look(mail, _show_in_browser)


async def _show_in_browser(mail: Mail, row: MessageRow, message: Message) -> None:  # noqa: ARG001 - the signature of `look`
    from termmail.ui import desktop  # noqa: PLC0415

    try:
        path = await mail.engine.reader.browser_file(row.message_id)
    except OSError:
        mail.status.say("The file for the browser cannot be written; the disk may be full.", 15)
        return
    try:
        await desktop.open_file(path)
    except desktop.OpenError as error:
        mail.status.say(f"{error} The file is {path}.", 15)
