"""Answering an invitation: one message to the organizer, taken back by undo, remembered with how it stands."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from termmail.demo.faults import Manners
from termmail.mail.invitation_reply import Answer
from termmail.mail.recipients import ComposeError
from termmail.mail.step_words import undone_words
from tests.views import INBOX, SENT

EVENT = [
    "BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:tea@example.net", "SEQUENCE:0", "SUMMARY:Tea",
    "DTSTART:20260303T140000Z", "ORGANIZER;CN=Olga:mailto:olga@example.net",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ada@example.org", "END:VEVENT", "END:VCALENDAR", "",
]  # fmt: skip


def invite(number: int = 1, *, sequence: int = 0, organizer: str = "olga@example.net") -> bytes:
    """An invitation to Ada as a message of its own."""
    lines = [
        line.replace("SEQUENCE:0", f"SEQUENCE:{sequence}").replace("olga@example.net", organizer) for line in EVENT
    ]
    head = (
        "From: Olga <olga@example.net>\r\nTo: ada@example.org\r\nSubject: Invitation: Tea\r\n"
        f"Message-ID: <i{number}@example.net>\r\nDate: Wed, 4 Mar 2026 09:{number:02}:00 +0000\r\n"
        "Content-Type: text/calendar; method=REQUEST\r\n\r\n"
    )
    return (head + "\r\n".join(lines)).encode()


async def standing(engine, message_id: int) -> str:
    message = await engine.reader.read(message_id)
    return await engine.invitations.standing("ada", message.invitation)


async def test_an_answer_is_sent_by_the_outbox_to_the_organizer(pop3_server, smtp_server, engine_at):
    pop3, smtp = await pop3_server([invite()]), await smtp_server()
    async with engine_at(pop3.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        assert await standing(engine, message_id) == ""
        await engine.invitations.answer(message_id, Answer.ACCEPTED, delay=0)
        assert await standing(engine, message_id) == "You accepted: the answer is about to be sent"
        await engine.outbox.flush("ada")
        (received,) = smtp.received
        assert list(received.recipients) == ["olga@example.net"]
        message = message_from_bytes(received.raw, policy=policy.default)
        assert message["Subject"] == "Accepted: Tea"
        assert message["In-Reply-To"] == "<i1@example.net>"
        assert await standing(engine, message_id) == "You accepted"
        (copy,) = await engine.lists.ids(SENT)
        assert await engine.reader.raw(copy) == received.raw


async def test_undo_takes_an_answer_back_and_the_one_before_counts_again(pop3_server, smtp_server, engine_at):
    pop3, smtp = await pop3_server([invite()]), await smtp_server()
    async with engine_at(pop3.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        await engine.invitations.answer(message_id, Answer.TENTATIVE, delay=0)
        await engine.outbox.flush("ada")
        await engine.invitations.answer(message_id, Answer.DECLINED, delay=60)
        assert await standing(engine, message_id) == "You declined: the answer is about to be sent"
        step = await engine.journal.next_step()
        assert step.name == "Declined: Tea"
        undone = await engine.journal.undo()
        assert undone_words(undone) == "Not sent"
        assert await standing(engine, message_id) == "You accepted tentatively"
        assert await engine.outbox.flush("ada") == []
        assert len(smtp.received) == 1


async def test_an_answer_the_server_refuses_is_none(pop3_server, smtp_server, engine_at):
    pop3, smtp = await pop3_server([invite()]), await smtp_server()
    smtp.manners = Manners(answers={"RCPT": b"550 no such user\r\n"})
    async with engine_at(pop3.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        await engine.invitations.answer(message_id, Answer.ACCEPTED, delay=0)
        await engine.outbox.flush("ada")
        assert await standing(engine, message_id) == ""


async def test_a_changed_invitation_says_that_the_answer_is_older(pop3_server, smtp_server, engine_at):
    pop3, smtp = await pop3_server([invite(1), invite(2, sequence=1)]), await smtp_server()
    async with engine_at(pop3.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        newest, oldest = await engine.lists.ids(INBOX)
        await engine.invitations.answer(oldest, Answer.ACCEPTED, delay=0)
        await engine.outbox.flush("ada")
        assert await standing(engine, oldest) == "You accepted"
        assert await standing(engine, newest) == "You accepted before it was changed"


async def test_answers_are_kept_over_a_restart(pop3_server, smtp_server, engine_at):
    pop3, smtp = await pop3_server([invite()]), await smtp_server()
    async with engine_at(pop3.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        await engine.invitations.answer(message_id, Answer.ACCEPTED, delay=0)
        await engine.outbox.flush("ada")
    async with engine_at(pop3.port, smtp.port) as engine:
        assert await standing(engine, message_id) == "You accepted"


@pytest.mark.parametrize("organizer", ["ada@example.org", "nobody", ""])
async def test_what_cannot_be_answered_queues_nothing(pop3_server, engine_at, organizer):
    pop3 = await pop3_server([invite(organizer=organizer)])
    async with engine_at(pop3.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        with pytest.raises(ComposeError):
            await engine.invitations.answer(message_id, Answer.ACCEPTED)
        assert await engine.outbox.rows() == []
        assert await standing(engine, message_id) == ""
