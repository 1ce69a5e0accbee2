"""Links of the message: listed with a letter for each, or opened and copied by the number that stands in the text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.mail import sanitize
from termmail.ui.actions import reading, writing
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_message
from termmail.ui.widgets.link_prompt import LinkPrompt
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from termmail.mail.message import Draft, Link, Message
    from termmail.mail.model import MessageRow
    from termmail.ui.actions.verb_context import Mail

NO_LINKS = "This message has no links."


def _link_word(mail: Mail) -> str:
    reader = mail.screen.reader
    at_cursor = reader.row is not None and reader.row.key == mail.screen.messages.cursor_id
    return "link" if at_cursor and reader.display and reader.text.links else ""


@verb("message.links", "U", "Links", Group.READING, applies=on_message)
def links(mail: Mail) -> None:
    """List the links of the message."""
    reading.look(mail, _show_links)


@verb(
    "message.link",
    "full_stop",
    "Open or copy a link by its number",
    Group.READING,
    applies=on_message,
    rank=10,
    short=_link_word,
)
def link(mail: Mail) -> None:
    """Ask for the number of a link in the text, which is opened where it is not shown."""
    if not reading.on_screen(mail):
        return
    from termmail.mail.link_marks import numbered  # noqa: PLC0415 - not needed for the first screen

    reader = mail.screen.reader
    found = numbered(reader.text.links)
    if not found.links:
        mail.status.say(NO_LINKS, 3)
        return
    reader.show_links(found)
    mail.screen.query_one(LinkPrompt).open(found.links)


def typed(mail: Mail, chosen: Link | None) -> None:
    """Mark the link with the typed number in the text."""
    reader = mail.screen.reader
    reader.show_links(reader.links_shown, chosen)


def close(mail: Mail) -> None:
    """Close the prompt, and give the focus back to the message where the prompt has it."""
    screen = mail.screen
    prompt = screen.query_one(LinkPrompt)
    if not prompt.is_open:
        return
    had_focus = prompt.line.has_focus
    prompt.close()
    screen.reader.show_links(None)
    if had_focus:
        screen.set_focus(screen.reader if screen.reader.display else screen.messages)


def copy(mail: Mail, link: Link) -> None:
    """Copy the address to the clipboard (OSC 52, which not every terminal allows)."""
    close(mail)
    mail.screen.app.copy_to_clipboard(sanitize.clean(link.url))
    mail.status.say(f"Copied {sanitize.cut(sanitize.clean(link.url), 60)}", 5)


def follow(mail: Mail, link: Link) -> None:
    """Open a link after showing where it goes; begin a message to an address."""
    if link.url.lower().startswith("mailto:"):
        close(mail)
        writing.open_draft(mail, partial(_mail_to, mail, link.url))
    else:
        start_worker(mail.screen, partial(_open, mail, link), "link", exclusive=True)


async def _open(mail: Mail, link: Link) -> None:
    from termmail.ui import desktop, link_opening  # noqa: PLC0415 - not needed for the first screen

    try:
        if await link_opening.open_after_question(mail.screen.app, link):
            close(mail)
    except desktop.OpenError as error:
        mail.screen.query_one(LinkPrompt).line.say(f"{error} y copies the address.")


async def _mail_to(mail: Mail, url: str) -> Draft:
    return mail.engine.drafts.mailto(mail.list.account, url)


async def _show_links(mail: Mail, row: MessageRow, message: Message) -> None:
    reader = mail.screen.reader
    look = reader.look
    if reader.conversation is not None and reader.conversation.newest == row.message_id:
        found = reader.text.links
    else:
        found = (await mail.engine.reader.rendered(row.message_id, look=look)).links
    if not found and message.html:
        found = (await mail.engine.reader.rendered(row.message_id, look=look._replace(html=True))).links
    if not found:
        mail.status.say(NO_LINKS, 3)
        return
    from termmail.ui.screens.link_list import LinksScreen  # noqa: PLC0415

    def chosen(url: str | None) -> None:
        if url is not None and url.lower().startswith("mailto:"):
            writing.open_draft(mail, partial(_mail_to, mail, url))

    mail.screen.app.push_screen(LinksScreen(found), chosen)
