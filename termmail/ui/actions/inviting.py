"""Answering the invitation in a message. Nothing is sent before one of the answers was chosen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.mail import sanitize
from termmail.mail.message import SectionKind
from termmail.ui.actions import reading
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_changeable_message

if TYPE_CHECKING:
    from termmail.mail.invitation_reply import Answer
    from termmail.mail.message import Message
    from termmail.mail.model import MessageRow
    from termmail.ui.actions.verb_context import Mail


EVENT_CELLS = 24
"""Cells of the name of an event in the status line, which has a countdown beside it."""


def _answer_word(mail: Mail) -> str:
    reader = mail.screen.reader
    at_cursor = reader.row is not None and reader.row.key == mail.screen.messages.cursor_id
    return "answer" if at_cursor and reader.message is not None and reader.message.invitation is not None else ""


@verb(
    "invitation.answer",
    "i",
    "Answer the invitation",
    Group.READING,
    applies=on_changeable_message,
    rank=2,
    short=_answer_word,
)
def answer(mail: Mail) -> None:
    """Ask what to answer: accept, maybe or decline."""
    reading.look(mail, _ask)


@verb("invitation.accept", "", "Accept the invitation", Group.READING, applies=on_changeable_message)
def accept(mail: Mail) -> None:
    """Answer that you come."""
    reading.look(mail, partial(_give, "accepted"))


@verb("invitation.maybe", "", "Accept the invitation tentatively", Group.READING, applies=on_changeable_message)
def maybe(mail: Mail) -> None:
    """Answer that you may come."""
    reading.look(mail, partial(_give, "tentative"))


@verb("invitation.decline", "", "Decline the invitation", Group.READING, applies=on_changeable_message)
def decline(mail: Mail) -> None:
    """Answer that you do not come."""
    reading.look(mail, partial(_give, "declined"))


def _trouble(mail: Mail, row: MessageRow, message: Message) -> str:
    """Return why this message cannot be answered as an invitation; "" where it can."""
    if message.invitation is None:
        event = any(section.kind is SectionKind.INVITATION for section in message.sections)
        return "This event asks for no answer." if event else "This message is not an invitation."
    return mail.engine.invitations.trouble(row.account, message.invitation)


async def _ask(mail: Mail, row: MessageRow, message: Message) -> None:
    if (why := _trouble(mail, row, message)) or message.invitation is None:
        mail.status.say(why, 8)
        return
    from termmail.ui.screens.answer_invitation import AnswerScreen  # noqa: PLC0415

    given = await mail.engine.invitations.standing(row.account, message.invitation)
    writer = mail.engine.invitations.writer(row.account)

    def chosen(chosen: Answer | None) -> None:
        if chosen is not None:
            _send(mail, row, message, chosen)

    if writer is not None:
        mail.screen.app.push_screen(AnswerScreen(message, writer, given), chosen)


async def _give(word: str, mail: Mail, row: MessageRow, message: Message) -> None:
    from termmail.mail.invitation_reply import Answer  # noqa: PLC0415 - writing is not needed for the first screen

    if why := _trouble(mail, row, message):
        mail.status.say(why, 8)
    else:
        _send(mail, row, message, Answer(word))


def _send(mail: Mail, row: MessageRow, message: Message, given: Answer) -> None:
    from termmail.mail.invitation_reply import SUBJECTS  # noqa: PLC0415 - writing is not needed for the first screen

    event = message.invitation.summary if message.invitation is not None else row.subject
    words, key = f"{SUBJECTS[given]}: {sanitize.cut(event, EVENT_CELLS)}", mail.key("message.undo")

    async def work() -> str:
        async with mail.in_turn:
            await mail.engine.invitations.answer(row.message_id, given)
        return f"{words} · {key} takes it back" if key else words

    mail.do(work)
