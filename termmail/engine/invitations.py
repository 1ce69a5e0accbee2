"""Answer invitations: one message to the organizer, by way of the outbox, where it can be taken back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from termmail.accounts.config import identity
from termmail.engine.sending import SEND_DELAY
from termmail.errors import Gone, UserError
from termmail.mail.model import SendState
from termmail.store import invitation_answers, messages

if TYPE_CHECKING:
    from termmail.engine.context import Context
    from termmail.engine.message_reader import Reader
    from termmail.engine.sending import Outbox
    from termmail.mail.invitation_reply import Answer
    from termmail.mail.message import Identity, Invitation

STANDS = {
    SendState.QUEUED: "the answer is about to be sent",
    SendState.SENDING: "the answer is being sent",
    SendState.UNSURE: "the answer may or may not have been sent",
}


class Invitations:
    """The invitations in messages, and what was answered to them. Every method may raise StoreError."""

    def __init__(self, context: Context, reader: Reader, outbox: Outbox) -> None:
        self.context = context
        self.reader = reader
        self.outbox = outbox

    def writer(self, account: str) -> Identity | None:
        """Return who answers an invitation that an account received; None where there is no account."""
        name = account if account in self.context.config.accounts else self.context.default_account
        return identity(self.context.account(name)) if name else None

    def trouble(self, account: str, invitation: Invitation) -> str:
        """Return why an invitation that an account received cannot be answered, in a sentence; "" where it can."""
        from termmail.mail import invitation_reply  # noqa: PLC0415 - writing is not needed for the first screen

        writer = self.writer(account)
        return invitation_reply.trouble(invitation, writer) if writer else "There is no account to answer from."

    async def answer(self, message_id: int, answer: Answer, delay: float = SEND_DELAY) -> int:
        """Queue an answer to the invitation in a message, as a step of the journal; return its outbox id.

        Raises ComposeError where it cannot be answered, Gone, and what `Reader.read` raises.
        """
        from termmail.mail import invitation_reply  # noqa: PLC0415 - writing is not needed for the first screen

        row = await self.context.db(messages.row, message_id)
        if row is None:
            raise Gone("This message is gone.")
        message = await self.reader.read(message_id)
        writer = self.writer(row.account)
        if message.invitation is None or writer is None:
            raise UserError("This message is no invitation." if writer else "There is no account to answer from.")
        account = row.account if row.account in self.context.config.accounts else self.context.default_account
        outgoing = await asyncio.to_thread(
            invitation_reply.build, message.invitation, answer, writer, message.envelope, now=datetime.now(UTC)
        )
        now = self.context.clock()
        subject = f"{invitation_reply.SUBJECTS[answer]}: {message.invitation.summary}"
        outbox_id = await self.context.db(
            invitation_answers.queue,
            account,
            message.invitation,
            answer.value,
            outgoing,
            subject,
            not_before=now + round(delay),
            now=now,
        )
        self.outbox.queued(outbox_id, account)
        return outbox_id

    async def standing(self, account: str, invitation: Invitation) -> str:
        """Return what was answered to an invitation and how the answer stands, in words; "" where nothing was."""
        from termmail.mail.invitation_reply import Answer  # noqa: PLC0415

        name = account if account in self.context.config.accounts else self.context.default_account
        given = await self.context.db(invitation_answers.newest, name, invitation)
        if given is None:
            return ""
        verb = {
            Answer.ACCEPTED: "accepted",
            Answer.TENTATIVE: "accepted tentatively",
            Answer.DECLINED: "declined",
        }[Answer(given.answer)]
        words = f"You {verb}"
        if given.sequence < invitation.sequence:
            words += " before it was changed"
        return f"{words}: {STANDS[given.state]}" if given.state in STANDS else words
