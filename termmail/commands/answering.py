"""answer: accept or decline an invitation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.commands.exit_codes import DATA, CommandError
from termmail.commands.send import send_now
from termmail.mail.invitation_reply import Answer
from termmail.mail.recipients import ComposeError

if TYPE_CHECKING:
    from argparse import Namespace

    from termmail.engine.engine import Engine

ANSWERS = {"accept": Answer.ACCEPTED, "maybe": Answer.TENTATIVE, "decline": Answer.DECLINED}


async def answer(engine: Engine, args: Namespace) -> int:
    """Send an answer to the organizer of the invitation in a message, at once."""
    row = await engine.lists.row(args.id)
    if row is None:
        raise CommandError(f"There is no message {args.id}.", DATA, "termmail list shows the ids.")
    message = await engine.reader.read(args.id)
    if message.invitation is None:
        raise CommandError(f"Message {args.id} is no invitation that asks for an answer.", DATA)
    try:
        outbox_id = await engine.invitations.answer(args.id, ANSWERS[args.answer], delay=0)
    except ComposeError as error:
        raise CommandError(str(error), DATA) from None
    outgoing = await engine.outbox.row(outbox_id)
    return await send_now(engine, outgoing.account, outbox_id, args)
