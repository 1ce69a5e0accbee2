"""An invitation is a card that is answered with a key; nothing is sent before it was pressed, and the card says it."""

from __future__ import annotations

import pytest

from termmail.ui.screens.answer_invitation import AnswerScreen
from tests.engine.test_invitations import invite
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import EVIL, assert_harmless, shown, until, words_of


async def opened(app, pilot) -> None:
    await pilot.press("enter")
    await until(pilot, lambda: "i answers: accept, maybe or decline" in words_of(app))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
async def test_a_card_tells_what_when_and_from_whom(tmp_path, size):
    async with mailbox(tmp_path, [invite()], size=size) as (app, pilot):
        await opened(app, pilot)
        words = words_of(app)
        assert "Invitation: Tea" in words
        assert "│When " in shown(app)
        assert "When Tuesday 3 March 2026, 14:00 (UTC)" in words
        assert "i answer" in shown(app).split("\n")[-1]


@pytest.mark.parametrize(
    ("key", "answer", "subject"),
    [
        ("y", "You accepted", "Accepted: Tea"),
        ("m", "You accepted tentatively", "Tentative: Tea"),
        ("n", "You declined", "Declined: Tea"),
    ],
)
async def test_a_key_answers_and_the_card_says_so(tmp_path, key, answer, subject):
    async with mailbox(tmp_path, [invite()]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("i")
        await until(pilot, lambda: "Your answer goes to Olga <olga@example.net>." in words_of(app))
        await pilot.press(key)
        await until(pilot, lambda: f"{answer}: the answer is about to be sent" in words_of(app))
        assert app.smtp.received == []
        await app.engine.outbox.retry_all("ada")
        await until(pilot, lambda: app.smtp.received and f"{answer} · i changes the answer" in words_of(app))
        assert subject.encode() in app.smtp.received[0].raw


async def test_undo_takes_the_answer_back(tmp_path):
    async with mailbox(tmp_path, [invite()]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("i", "y")
        await until(pilot, lambda: "You accepted: the answer is about to be sent" in words_of(app))
        await pilot.press("z")
        await until(pilot, lambda: "i answers: accept, maybe or decline" in words_of(app))
        assert "draft" not in words_of(app)
        assert app.smtp.received == []


async def test_stop_sending_stops_an_answer(tmp_path):
    async with mailbox(tmp_path, [invite()]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("i", "y")
        await until(pilot, lambda: "You accepted: the answer is about to be sent" in words_of(app))
        await until(pilot, lambda: app.main_screen.mail.sending.next_id)
        await pilot.press("Z")
        await until(pilot, lambda: "i answers: accept, maybe or decline" in words_of(app))
        assert "draft" not in words_of(app)


@pytest.mark.parametrize("key", ["escape", "q", "enter", "i"])
async def test_leaving_the_question_answers_nothing(tmp_path, key):
    async with mailbox(tmp_path, [invite()]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("i")
        await until(pilot, lambda: "Your answer goes to" in words_of(app))
        await pilot.press(key)
        await until(pilot, lambda: "Your answer goes to" not in words_of(app))
        assert await app.engine.outbox.rows() == []


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_an_arrow_that_leads_nowhere_answers_nothing(tmp_path, size):
    async with mailbox(tmp_path, [invite()], size=size) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, AnswerScreen))
        await pilot.press("down", "right")
        await until(pilot, lambda: app.focused.id == "back")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert await app.engine.outbox.rows() == []


async def test_enter_sends_the_answer_that_has_the_focus(tmp_path):
    async with mailbox(tmp_path, [invite()]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, AnswerScreen))
        await pilot.press(*["up"] * 9)
        assert "Accept" in str(app.focused.label)
        await pilot.press("down", "down")
        assert "Decline" in str(app.focused.label)
        await pilot.press("enter")
        await until(pilot, lambda: "You declined" in words_of(app))
        await until(pilot, lambda: "Declined: Tea · z takes it back" in shown(app) and "Z stops it" in shown(app))


async def test_a_message_that_is_no_invitation_says_so(tmp_path):
    async with mailbox(tmp_path, [letter(1)]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 1." in shown(app))
        assert "i answer" not in shown(app)
        await pilot.press("i")
        await until(pilot, lambda: "This message is not an invitation." in shown(app))


async def test_a_cancelled_event_asks_for_no_answer(tmp_path):
    cancelled = invite().replace(b"METHOD:REQUEST", b"METHOD:CANCEL")
    async with mailbox(tmp_path, [cancelled]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "Cancelled: Tea" in shown(app))
        assert "i answer" not in shown(app)
        await pilot.press("i")
        await until(pilot, lambda: "This event asks for no answer." in shown(app))


async def test_the_answer_names_an_organizer_who_is_not_the_sender(tmp_path):
    async with mailbox(tmp_path, [invite(organizer="other@example.com")]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("i")
        await until(pilot, lambda: "other@example.com>, who is not the sender of this message." in words_of(app))
        assert_harmless(app)


async def test_a_card_cannot_be_imitated_by_a_text(tmp_path):
    body = "Invitation: Tea\r\nWhen     Tuesday 3 March 2026, 14:00 (UTC)\r\nYou accepted"
    async with mailbox(tmp_path, [letter(1, body=body)]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "You accepted" in shown(app))
        kinds = {line.kind for line in app.main_screen.reader.rendered.lines}
        assert "│When" not in shown(app)
        assert not {kind for kind in kinds if kind.startswith("card")}


@pytest.mark.parametrize("evil", EVIL)
async def test_evil_words_in_every_field_of_an_invitation_are_only_words(tmp_path, evil):
    """SECURITY.md, M17."""
    word = " ".join(evil.encode("utf-8", "replace").decode().split())[:900] or "x"
    mail = invite().decode().replace("SUMMARY:Tea", f"SUMMARY:{word}\r\nLOCATION:{word}\r\nRRULE:{word}")
    mail = mail.replace("CN=Olga", f'CN="{word.replace(chr(34), "")}"').replace("UID:tea", f"UID:tea{word}")
    mail = mail.replace("DTSTART:", f'DTSTART;TZID="{word.replace(chr(34), "")}":')
    async with mailbox(tmp_path, [mail.encode("utf-8", "replace")], size=(80, 40)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "i answers" in shown(app) or "Invitation:" in shown(app).split("From", 1)[1])
        assert_harmless(app)
        await pilot.press("i")
        await until(pilot, lambda: "Your answer goes to" in words_of(app) or "names no event" in words_of(app))
        assert_harmless(app)
        if "Your answer goes to" in words_of(app):
            await pilot.press("y")
            await until(pilot, lambda: "You accepted: the answer is about to be sent" in words_of(app))
            assert_harmless(app)


async def test_an_invitation_is_answered_on_the_page_of_its_conversation(tmp_path):
    reply = b"In-Reply-To: <letter1@example.net>\r\nReferences: <letter1@example.net>\r\n"
    mails = [letter(1), invite().replace(b"To: ada", reply + b"To: ada")]
    async with mailbox(tmp_path, mails, synced=False, size=(100, 40)) as (app, pilot):
        await app.engine.accounts.sync("ada")
        await until(pilot, lambda: app.main_screen.messages.row(app.main_screen.messages.cursor_id))
        await opened(app, pilot)
        assert "2 messages" in words_of(app)
        await pilot.press("i", "y")
        await until(pilot, lambda: "You accepted: the answer is about to be sent" in words_of(app))
