"""Drafts on an IMAP server: written here and continued elsewhere, and back.

`there` is what the server's Drafts folder holds, `here` what the Drafts list shows; both as subject and body.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import itertools
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from termmail.demo.faults import GOOD, Manners, tagged
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import GMAIL, PERSONALITIES
from termmail.engine.events import DraftsChanged, Failed
from termmail.errors import UserError
from termmail.mail.views import DraftsView
from tests.conftest import PASSWORD
from tests.engine.conftest import mail
from tests.engine.test_imap import ROLES

if TYPE_CHECKING:
    from termmail.engine.engine import Engine
    from termmail.mail.message import Draft

ALL = pytest.mark.parametrize("kind", PERSONALITIES.values(), ids=PERSONALITIES)
FAULTS = ["drop_at", "lose_answer_to", "lose_end_of", "drop_after"]
HTML = (
    b"From: Ada <ada@example.org>\r\nTo: Bob <bob@example.org>\r\nBcc: eve@example.org\r\nSubject: On the phone\r\n"
    b"Message-ID: <phone@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
    b"--a\r\nContent-Type: text/plain\r\n\r\nDear Bob\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>Dear <b>Bob</b></p>\r\n"
    b"--a--\r\n--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=numbers.csv\r\n\r\n1,2\r\n"
    b"--b--\r\n"
)


def filled() -> ImapMailbox:
    mailbox = ImapMailbox(PASSWORD, ROLES)
    mailbox.folder("INBOX").add(mail(1), ["\\Seen"])
    return mailbox


def there(mailbox: ImapMailbox) -> list[tuple[str, str]]:
    found = []
    for one in mailbox.folder("Drafts").messages.values():
        message = email.message_from_bytes(one.raw, policy=email.policy.default)
        body = message.get_body(("plain",))
        found.append(
            (str(message["Subject"]), body.get_content().replace("\r\n", "\n").removesuffix("\n") if body else "")
        )
    return sorted(found)


async def drafts(engine: Engine) -> list[Draft]:
    return [await engine.drafts.load(id_) for id_ in await engine.lists.ids(DraftsView("ada"))]


async def here(engine: Engine) -> list[tuple[str, str]]:
    return sorted((one.subject, one.body) for one in await drafts(engine))


async def write(engine: Engine, subject: str, body: str = "Dear Bob", draft: Draft | None = None) -> Draft:
    draft = engine.drafts.new("ada", to="bob@example.org") if draft is None else draft
    saved = await engine.drafts.save(replace(draft, subject=subject, body=body))
    await engine.drafts.close(saved.id)
    return saved


async def sync(engine: Engine) -> str:
    return (await engine.accounts.sync("ada")).words


@ALL
async def test_a_draft_is_on_the_server_once_and_again_when_it_was_changed(kind, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        draft = await write(engine, "Note G", "  Über\n> die Maschine\n-- \nAda")
        await sync(engine)
        assert there(mailbox) == [("Note G", "  Über\n> die Maschine\n-- \nAda")]
        (stored,) = mailbox.folder("Drafts").messages.values()
        assert stored.flags == {"\\Draft", "\\Seen"}
        await write(engine, "Note H", draft=await engine.drafts.load(draft.id))
        await sync(engine)
        assert there(mailbox) == await here(engine) == [("Note H", "Dear Bob")]
        (newer,) = mailbox.folder("Drafts").messages.values()
        ids = {email.message_from_bytes(one.raw)["Message-ID"] for one in (stored, newer)}
        assert len(ids) == 1
        assert await sync(engine) == "No new messages"
        await engine.drafts.discard(draft.id)
        await sync(engine)
        assert there(mailbox) == await here(engine) == []
    async with imap_engine_at(server.port) as engine:
        assert await sync(engine) == "No new messages"


@ALL
async def test_a_draft_from_the_phone_is_continued_here_and_back(kind, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine, imap_engine_at(server.port, folder="other") as other:
        await write(engine, "One", "first words")
        await sync(engine)
        await sync(other)
        assert await here(other) == [("One", "first words")]
        (draft,) = await drafts(other)
        await write(other, "One", "first words, then more", draft=draft)
        await sync(other)
        await sync(engine)
        assert await here(engine) == there(mailbox) == [("One", "first words, then more")]
        (back,) = await drafts(engine)
        await write(engine, "One", "all of it", draft=back)
        await sync(engine)
        await sync(other)
        assert await here(other) == await here(engine) == there(mailbox) == [("One", "all of it")]
        await other.drafts.discard((await drafts(other))[0].id)
        await sync(other)
        await sync(engine)
        assert await here(engine) == there(mailbox) == []


async def test_what_was_written_on_both_sides_is_kept_twice(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine, imap_engine_at(server.port, folder="other") as other:
        await write(engine, "One", "base")
        await sync(engine)
        await sync(other)
        await write(other, "One", "there", draft=(await drafts(other))[0])
        await sync(other)
        await write(engine, "One", "here", draft=(await drafts(engine))[0])
        for each in (engine, other, engine):
            await sync(each)
        both = [("One", "here"), ("One", "there")]
        assert await here(engine) == await here(other) == there(mailbox) == both


async def test_a_draft_that_was_changed_here_outlives_its_removal_elsewhere(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Kept")
        await write(engine, "Gone")
        await sync(engine)
        changed = next(one for one in await drafts(engine) if one.subject == "Kept")
        await write(engine, "Kept", "more words", draft=changed)
        mailbox.folder("Drafts").expunge(mailbox.folder("Drafts").uids)
        await sync(engine)
        assert await here(engine) == there(mailbox) == [("Kept", "more words")]


async def test_a_draft_with_html_is_read_as_text_and_its_first_form_is_in_the_trash(imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("Drafts").add(HTML, ["\\Draft"])
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await sync(engine)
        (draft,) = await drafts(engine)
        assert (draft.to, draft.bcc, draft.subject, draft.body) == (
            "Bob <bob@example.org>",
            "eve@example.org",
            "On the phone",
            "Dear Bob",
        )
        assert [(one.name, one.size) for one in draft.attachments] == [("numbers.csv", 3)]
        await write(engine, "Here", draft=draft)
        await sync(engine)
        assert there(mailbox) == [("Here", "Dear Bob")]
        assert [one.raw for one in mailbox.folder("Trash").messages.values()] == [HTML]
        (stored,) = mailbox.folder("Drafts").messages.values()
        assert b"numbers.csv" in stored.raw
        assert b"Bcc: eve@example.org" in stored.raw


async def test_a_sent_draft_leaves_the_server(imap_server, smtp_server, imap_engine_at):
    mailbox = filled()
    server, smtp = await imap_server(mailbox), await smtp_server()
    async with imap_engine_at(server.port, smtp.port) as engine:
        draft = await write(engine, "Note G")
        await sync(engine)
        outbox_id = await engine.outbox.send(await engine.drafts.load(draft.id), delay=600)
        await sync(engine)
        assert there(mailbox) == [("Note G", "Dear Bob")]  # it can still be taken back
        await engine.outbox.cancel(outbox_id)
        await sync(engine)
        assert there(mailbox) == await here(engine) == [("Note G", "Dear Bob")]
        await engine.outbox.send(await engine.drafts.load(draft.id), delay=0)
        assert [row.state for row in await engine.outbox.flush("ada")] == ["sent"]
        await engine.accounts.sync("ada", full=True)
        assert there(mailbox) == []
        assert len(mailbox.folder("Sent").messages) == 1


async def test_new_uids_and_a_removed_folder_lose_no_draft(imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("Drafts").add(HTML)
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Note G")
        await sync(engine)
        ids = {one.id for one in await drafts(engine)}
        mailbox.change_uidvalidity("Drafts", first=40)
        await sync(engine)
        assert {one.id for one in await drafts(engine)} == ids
        assert len(there(mailbox)) == 2
        mailbox.delete("Drafts")
        await sync(engine)
        await sync(engine)
        assert {one.id for one in await drafts(engine)} == ids
        assert sorted(there(mailbox)) == [("Note G", "Dear Bob"), ("On the phone", "Dear Bob")]


async def test_a_server_without_drafts_gets_the_folder(imap_server, imap_engine_at):
    mailbox = ImapMailbox(PASSWORD, [("Sent", "\\Sent")])
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Note G")
        await sync(engine)
        assert there(mailbox) == [("Note G", "Dear Bob")]
        assert "Drafts on the server" not in {one.name for one in await engine.folders.listing()}
        assert await sync(engine) == "No new messages"


async def test_what_the_server_refuses_stays_here_and_is_told(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Note G")
        server.manners = Manners(answers={"APPEND": tagged(b"NO [NOPERM] not for you")})
        await sync(engine)
        (failed,) = engine.heard.of(Failed)
        assert failed.words == "The draft “Note G” could not be stored on the server."
        assert "not for you" in failed.advice
        assert await here(engine) == [("Note G", "Dear Bob")]
        await sync(engine)  # not tried again at once
        assert len(engine.heard.of(Failed)) == 1
        server.manners = GOOD
        await engine.accounts.sync("ada", full=True)
        assert there(mailbox) == [("Note G", "Dear Bob")]


async def test_half_typed_drafts_and_odd_ones_come_back(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine, imap_engine_at(server.port, folder="other") as other:
        draft = engine.drafts.new("ada", to="bob, foo@")
        draft = await engine.drafts.save(replace(draft, cc='"Last, First" <a@b.org>', subject="", body="\n\nx  y \n"))
        await engine.drafts.close(draft.id)
        await sync(engine)
        await sync(other)
        (back,) = await drafts(other)
        assert (back.to, back.cc, back.subject, back.body) == ("bob, foo@", '"Last, First" <a@b.org>', "", "\n\nx  y ")


async def test_a_draft_that_is_being_written_is_stored_after_a_pause(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.drafts.save(replace(engine.drafts.new("ada"), subject="Begun"))
        await sync(engine)
        assert there(mailbox) == []
        now = engine.context.clock() + 60
        engine.context.clock = lambda: now
        await sync(engine)
        assert [subject for subject, _ in there(mailbox)] == ["Begun"]


async def test_a_closed_draft_is_stored_without_being_asked(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        stored = asyncio.Event()
        mailbox.folder("Drafts").watchers.add(stored.set)
        await write(engine, "Note G")
        await asyncio.wait_for(stored.wait(), 10)
        assert there(mailbox) == [("Note G", "Dear Bob")]


async def test_drafts_are_stored_when_the_program_is_left(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port, commit=True) as engine:
        await sync(engine)
        await engine.drafts.save(replace(engine.drafts.new("ada"), subject="Begun"))
    assert [subject for subject, _ in there(mailbox)] == ["Begun"]


async def _work(engine: Engine) -> None:
    found = {one.subject: one for one in await drafts(engine)}
    await write(engine, "Changed", "newer", draft=found["Changed"])
    await engine.drafts.discard(found["Discarded"].id)
    await write(engine, "New")


@pytest.mark.parametrize("without", [frozenset(), frozenset({"UIDPLUS"})], ids=["uidplus", "plain"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_push_of_drafts_that_breaks_off_anywhere_is_finished(fault, without, imap_server, imap_engine_at):
    """Resumed in a new engine, as after a kill: each draft is there once, and a third run changes nothing."""
    expected = [("Changed", "newer"), ("New", "Dear Bob"), ("Same", "Dear Bob")]
    for number in itertools.count(1):
        mailbox = filled()
        server = await imap_server(mailbox, manners=Manners(without=without))
        async with imap_engine_at(server.port, folder=f"{fault}{number}") as engine:
            for subject in ("Same", "Changed", "Discarded"):
                await write(engine, subject)
            await sync(engine)
            assert len(there(mailbox)) == 3
            await _work(engine)
            begin = server.commands
            server.manners = Manners(without=without, **{fault: frozenset({f"#{begin + number}"})})
            with contextlib.suppress(UserError):
                await sync(engine)
            reached = server.commands >= begin + number
            server.manners = Manners(without=without)
        async with imap_engine_at(server.port, folder=f"{fault}{number}") as engine:
            for _ in range(3):
                await engine.accounts.sync("ada", full=True)
            assert await here(engine) == there(mailbox) == expected, number
            assert await sync(engine) == "No new messages"
        if not reached:
            assert number > 5
            break


async def test_gmail_answers_are_as_any_other(imap_server, imap_engine_at):
    """A draft of Gmail is in All Mail too; it is listed once as a draft."""
    mailbox = filled()
    server = await imap_server(mailbox, personality=GMAIL)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Note G")
        await sync(engine)
        await sync(engine)
        assert await here(engine) == [("Note G", "Dear Bob")]


async def test_the_list_is_told_of_drafts_that_come_and_go_and_of_nothing_else(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await sync(engine)
        assert engine.heard.of(DraftsChanged) == []
        mailbox.folder("Drafts").add(HTML, [], 1_700_000_000)
        await sync(engine)
        assert engine.heard.of(DraftsChanged) == [DraftsChanged("ada")]
        assert [one.updated for one in await drafts(engine)] == [1_700_000_000]  # when it was stored, not now
        mailbox.folder("Drafts").expunge([1])
        await sync(engine)
        assert len(engine.heard.of(DraftsChanged)) == 2
        await engine.accounts.sync("ada", full=True)
        assert len(engine.heard.of(DraftsChanged)) == 2


async def test_a_server_that_makes_no_drafts_folder_is_asked_again_after_an_hour(imap_server, imap_engine_at):
    refused = Manners(answers={"CREATE": tagged(b"NO [NOPERM] no more folders")})
    mailbox = ImapMailbox(PASSWORD, [("Sent", "\\Sent")])
    server = await imap_server(mailbox, manners=refused)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Note G")
        for _ in range(2):
            await sync(engine)
        assert [failed.words for failed in engine.heard.of(Failed)] == [
            "The server has no folder Drafts, and could not make one."
        ]
        assert len(server.heard("CREATE")) == 1
        server.manners = GOOD
        now = engine.context.clock() + 3600
        engine.context.clock = lambda: now
        await sync(engine)
        assert there(mailbox) == [("Note G", "Dear Bob")]


async def test_a_draft_with_html_that_is_sent_from_here_is_kept_in_the_trash(imap_server, smtp_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("Drafts").add(HTML)
    server, smtp = await imap_server(mailbox), await smtp_server()
    async with imap_engine_at(server.port, smtp.port) as engine:
        await sync(engine)
        (draft,) = await drafts(engine)
        await engine.outbox.send(draft, delay=0)
        await engine.outbox.flush("ada")
        await sync(engine)
        assert there(mailbox) == []
        assert [one.raw for one in mailbox.folder("Trash").messages.values()] == [HTML]


@pytest.mark.parametrize(("message_id", "known"), [(b"m1@example.net", True), (b"other@example.net", False)])
async def test_a_reply_that_was_begun_elsewhere_marks_what_it_answers(
    message_id, known, imap_server, smtp_server, imap_engine_at
):
    mailbox = filled()
    mailbox.folder("Drafts").add(HTML.replace(b"Bcc:", b"In-Reply-To: <%b>\r\nBcc:" % message_id))
    server, smtp = await imap_server(mailbox), await smtp_server()
    async with imap_engine_at(server.port, smtp.port) as engine:
        await sync(engine)
        (draft,) = await drafts(engine)
        await engine.outbox.send(draft, delay=0)
        await engine.outbox.flush("ada")
        await engine.accounts.sync("ada", full=True)
        assert ("\\Answered" in mailbox.folder("INBOX").messages[1].flags) == known


async def test_a_folder_that_cannot_be_opened_stops_nothing_else(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        draft = await write(engine, "Note G")
        await sync(engine)
        await engine.drafts.discard(draft.id)
        server.manners = Manners(answers={"SELECT Drafts (CONDSTORE)": tagged(b"NO [NOPERM] not for you")})
        mailbox.folder("INBOX").add(mail(7))
        assert await sync(engine) == "1 new message, 1 message could not be fetched"
        server.manners = GOOD
        await engine.accounts.sync("ada", full=True)
        assert there(mailbox) == []
