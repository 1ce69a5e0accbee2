"""Writing: a new message, replies, forwards, and stopping what is about to be sent.

Each opens the composer on a draft that the engine makes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_changeable_message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from termmail.mail.message import Draft
    from termmail.ui.actions.verb_context import Mail


async def compose_on(mail: Mail, draft: Draft, *, fresh: bool | None = None) -> None:
    """Open the composer; a `fresh` draft that is left unchanged is thrown away."""
    from termmail.ui.screens.composer import ComposeScreen  # noqa: PLC0415 - not needed for the first screen

    screen = ComposeScreen(mail.engine, draft, fresh=fresh)

    def closed(_: int | None) -> None:
        if screen.kept:
            mail.status.say("The draft is in Drafts.")

    await mail.screen.app.push_screen(screen, closed)


def open_draft(mail: Mail, work: Callable[[], Awaitable[Draft]], *, fresh: bool | None = None) -> None:
    """Open the composer on a draft that is still being made; keys typed meanwhile go to the composer."""
    app = mail.screen.termmail
    app.held_keys.hold()

    async def opened() -> None:
        try:
            await compose_on(mail, await work(), fresh=fresh)
        except BaseException:
            app.held_keys.drop()  # keys typed for the composer must not act on the list
            raise
        app.call_after_refresh(app.held_keys.release)

    mail.do(opened)


@verb("mail.compose", "c,m", "Write a message", Group.WRITING, rank=3, short="write")
def compose(mail: Mail) -> None:
    """Write a new message from the account of the view."""
    if mail.engine.accounts.names:
        open_draft(mail, partial(_new, mail))
    else:
        mail.screen.add_account()


async def _new(mail: Mail) -> Draft:
    return mail.engine.drafts.new(mail.list.account)


@verb("message.reply", "r", "Reply", Group.WRITING, applies=on_changeable_message, rank=2, short="reply")
def reply(mail: Mail) -> None:
    """Reply to the sender."""
    open_draft(mail, partial(mail.engine.drafts.reply, mail.screen.messages.cursor_id))


@verb(
    "message.reply-all", "a,R", "Reply to all", Group.WRITING, applies=on_changeable_message, rank=8, short="reply all"
)
def reply_all(mail: Mail) -> None:
    """Reply to the sender and everyone the message went to."""
    open_draft(mail, partial(mail.engine.drafts.reply, mail.screen.messages.cursor_id, everyone=True))


@verb("message.reply-list", "L", "Reply to the mailing list", Group.WRITING, applies=on_changeable_message)
def reply_list(mail: Mail) -> None:
    """Reply to the mailing list that the message came through."""
    open_draft(mail, partial(mail.engine.drafts.reply, mail.screen.messages.cursor_id, to_list=True))


@verb("message.forward", "f", "Forward", Group.WRITING, applies=on_changeable_message, rank=15, short="forward")
def forward(mail: Mail) -> None:
    """Forward the message with its text quoted."""
    open_draft(mail, partial(mail.engine.drafts.forward, mail.screen.messages.cursor_id), fresh=True)


@verb("message.forward-attached", "F", "Forward as an attachment", Group.WRITING, applies=on_changeable_message)
def forward_attached(mail: Mail) -> None:
    """Forward the message as an attachment, byte for byte."""
    open_draft(mail, partial(mail.engine.drafts.forward_attached, mail.screen.messages.cursor_id), fresh=True)


def _counting_down(mail: Mail) -> str:
    return "" if mail.sending.next_id else "Nothing is about to be sent."


@verb("mail.stop-sending", "Z", "Stop sending", Group.WRITING, applies=_counting_down)
def stop_sending(mail: Mail) -> None:
    """Stop the message that would go next and open it again. The next keys go to the composer."""
    mail.screen.termmail.held_keys.hold()
    mail.do(partial(_stop, mail, mail.sending.next_id))


async def _stop(mail: Mail, outbox_id: int) -> str:
    try:
        draft = await mail.engine.outbox.cancel(outbox_id)
        if draft is not None:
            await compose_on(mail, draft)
        return "Not sent." if draft is None else "Not sent: the message is a draft again."
    finally:
        mail.screen.app.call_after_refresh(mail.screen.termmail.held_keys.release)
