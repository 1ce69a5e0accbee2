"""Other ways to look at a text: re-flowed or as it was sent, and in another character set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.ui.actions import reading
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_message

if TYPE_CHECKING:
    from termmail.mail.message import Message
    from termmail.mail.model import MessageRow
    from termmail.ui.actions.verb_context import Mail


@verb("message.reflow", "w", "Wrap text: to width / as sent", Group.READING, applies=on_message)
def reflow(mail: Mail) -> None:
    """Wrap paragraphs that their writers broke by hand at the width there is, or show their lines as they were sent."""
    if reading.on_screen(mail):
        mail.status.say(mail.screen.reader.switch_reflow(), 3)


@verb("message.charset", "E", "Choose the character set", Group.READING, applies=on_message)
def charset(mail: Mail) -> None:
    """Choose the character set that the text of this message is read in."""
    reading.look(mail, _choose_charset)


async def _choose_charset(mail: Mail, row: MessageRow, message: Message) -> None:  # noqa: ARG001 - the signature of `look`
    from termmail.ui.screens.choose_charset import CharsetScreen  # noqa: PLC0415

    def chosen(label: str | None) -> None:
        if label is not None and reading.on_screen(mail):
            mail.screen.reader.read_in(label)
            mail.status.say(f"Read as {label}" if label else "Read as the message says", 3)

    mail.screen.app.push_screen(CharsetScreen(mail.screen.reader.charset), chosen)
