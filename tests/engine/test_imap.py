"""An account received by IMAP, on the embedded server in each of its personalities.

`same` says that the store and the server agree: the same messages in the same folders with the same flags.
"""

from __future__ import annotations

import asyncio
import calendar
import contextlib
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from termmail.demo.faults import GOOD, Manners, tagged
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import GMAIL, PERSONALITIES
from termmail.engine.events import Failed, SyncProgress
from termmail.errors import UserError
from termmail.mail.model import StepKind
from termmail.mail.views import FolderView
from termmail.net.imap.folder_names import decode_name
from tests.conftest import PASSWORD
from tests.engine.conftest import mail

if TYPE_CHECKING:
    from termmail.engine.engine import Engine
    from termmail.mail.model import MessageRow

ALL = pytest.mark.parametrize("kind", PERSONALITIES.values(), ids=PERSONALITIES)
ROLES = [("Sent", "\\Sent"), ("Trash", "\\Trash"), ("Junk", "\\Junk"), ("Archive", "\\Archive"), ("Drafts", "\\Drafts")]
SHOWN = {"INBOX": "Inbox", "Junk": "Spam", "Drafts": "Drafts on the server"}
FLAGS = {"\\Flagged": "starred", "\\Answered": "answered", "$Forwarded": "forwarded"}


def filled(count: int = 10) -> ImapMailbox:
    mailbox = ImapMailbox(PASSWORD, [*ROLES, ("Lists/Python", "")])
    for number in range(1, count + 1):
        mailbox.folder("INBOX").add(mail(number), ["\\Seen"] if number % 3 else [], 1_700_000_000 + number)
    mailbox.folder("Lists/Python").add(mail(500), ["\\Flagged"])
    mailbox.folder("Archive").add(mail(600), ["\\Seen", "Project"])
    return mailbox


async def rows(engine: Engine, name: str = "Inbox") -> list[MessageRow]:
    folder = await engine.folders.by_name("ada", name)
    assert folder is not None
    view = FolderView(folder.folder_id)
    return await engine.lists.rows(view, await engine.lists.ids(view))  # type: ignore[return-value]


async def by_subject(engine: Engine, name: str = "Inbox") -> dict[str, MessageRow]:
    return {row.subject: row for row in await rows(engine, name)}


def subject_of(raw: bytes) -> str:
    return next(line for line in raw.decode().split("\r\n") if line.startswith("Subject: ")).removeprefix("Subject: ")


def on_server(mailbox: ImapMailbox) -> dict[str, list[Any]]:
    """What the server holds: by folder as shown, subjects and flags."""
    found: dict[str, list[Any]] = {}
    for name, folder in mailbox.folders.items():
        shown = SHOWN.get(name.decode(), decode_name(name))
        if folder.selectable:
            found[shown] = sorted(
                (subject_of(one.raw), "\\Seen" not in one.flags, *(flag in one.flags for flag in FLAGS))
                for one in folder.messages.values()
            )
    return {name: held for name, held in found.items() if held}


async def in_store(engine: Engine) -> dict[str, list[Any]]:
    found = {
        folder.name: sorted(
            (row.subject, row.unread, *(getattr(row, flag) for flag in FLAGS.values()))
            for row in await rows(engine, folder.name)
        )
        for folder in await engine.folders.listing()
    }
    return {name: held for name, held in found.items() if held}


async def assert_same(engine: Engine, mailbox: ImapMailbox) -> None:
    assert await in_store(engine) == on_server(mailbox)


async def work(engine: Engine) -> None:
    """One change of every kind."""
    found = await by_subject(engine)
    part = [found[f"Engine part {number}"] for number in range(1, 10)]
    await engine.messages.mark([part[0].message_id], StepKind.READ)
    await engine.messages.mark([part[1].message_id], StepKind.UNREAD)
    await engine.messages.mark([part[2].message_id, part[3].message_id], StepKind.STAR)
    await engine.messages.archive([part[3].placement])
    await engine.messages.delete([part[4].placement])
    await engine.messages.junk([part[5].placement])
    await engine.messages.erase([part[6].placement])
    made = await engine.folders.make("ada", "Reisen/Zürich")
    await engine.messages.move([part[7].placement], made.folder_id)
    lists = await engine.folders.by_name("ada", "Lists/Python")
    assert lists is not None
    await engine.messages.copy([part[8].placement], lists.folder_id)


@ALL
async def test_everything_is_received_and_everything_is_pushed(kind, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        assert (await engine.accounts.sync("ada")).words == "12 new messages"
        await assert_same(engine, mailbox)
        before = {row.subject: row.message_id for row in await rows(engine)}
        await work(engine)
        await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert set(on_server(mailbox)) >= {
            "Reisen/Zürich",
            "Trash",
            "Spam",
            "Archive",
        }
        assert (await engine.accounts.sync("ada", full=True)).words == "No new messages"
        for name in ("Archive", "Trash", "Spam", "Reisen/Zürich"):
            for row in await rows(engine, name):
                assert before.get(row.subject, row.message_id) == row.message_id
    async with imap_engine_at(server.port) as engine:
        assert (await engine.accounts.sync("ada", full=True)).words == "No new messages"
        await assert_same(engine, mailbox)


@ALL
async def test_what_another_client_does_is_seen(kind, imap_server, imap_engine_at):
    mailbox = filled(40)
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        ids = {row.subject: row.message_id for row in await rows(engine)}
        inbox = mailbox.folder("INBOX")
        inbox.store([1, 2, 3], add=["\\Flagged"])
        inbox.store([3, 4], add=["\\Seen"])
        inbox.store([5], remove=["\\Seen"])
        inbox.move([6, 7], mailbox.folder("Archive"))
        inbox.expunge([8])
        inbox.add(mail(900))
        mailbox.create("New").add(mail(901))
        mailbox.rename("Lists/Python", "Lists/Snakes")
        await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        archived = await by_subject(engine, "Archive")
        assert archived["Engine part 6"].message_id == ids["Engine part 6"]


@ALL
async def test_new_uids_bind_to_the_messages_that_are_here(kind, imap_server, imap_engine_at):
    """A new UIDVALIDITY: bodies, flags and what waits for the server stay."""
    mailbox = filled(30)
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        found = await by_subject(engine)
        await engine.reader.read(found["Engine part 3"].message_id)
        await engine.messages.mark([found["Engine part 4"].message_id], StepKind.STAR)
        await engine.messages.archive([found["Engine part 5"].placement])
        mailbox.change_uidvalidity("INBOX", first=17)
        result = await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        assert result.new == 0
        now = await by_subject(engine)
        assert {name: row.message_id for name, row in now.items()} == {
            name: row.message_id for name, row in found.items() if name != "Engine part 5"
        }
        assert now["Engine part 3"].downloaded
        await assert_same(engine, mailbox)


# -- what the server refuses


async def test_a_refused_move_comes_back_and_is_told(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await rows(engine))[0]
        await engine.messages.archive([row.placement])
        server.manners = Manners(answers={"UID MOVE": tagged(b"NO [NOPERM] not for you")})
        await engine.accounts.sync("ada", full=True)
        assert row.message_id in {one.message_id for one in await rows(engine)}
        [failed] = engine.heard.of(Failed)
        assert failed.words == "The server refused to move 1 message: it is as before."
        assert "not for you" in failed.advice
        server.manners = GOOD
        await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)


async def test_a_busy_server_gets_the_change_later(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await rows(engine))[0]
        await engine.messages.archive([row.placement])
        server.manners = Manners(answers={"UID MOVE": tagged(b"NO [UNAVAILABLE] later")})
        with pytest.raises(UserError):
            await engine.accounts.sync("ada", full=True)
        assert row.message_id not in {one.message_id for one in await rows(engine)}
        server.manners = GOOD
        await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert len(await rows(engine, "Archive")) == 2


# -- broken off at every command


async def _uninterrupted(imap_server: Any, imap_engine_at: Any) -> tuple[dict[str, list[Any]], int]:
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port, folder="whole") as engine:
        await engine.accounts.sync("ada")
        await work(engine)
        begin = server.commands
        await engine.accounts.sync("ada", full=True)
        commands = server.commands - begin
        await engine.accounts.sync("ada", full=True)
    return on_server(mailbox), commands


@pytest.mark.parametrize("fault", ["drop_at", "lose_answer_to", "lose_end_of", "drop_after"])
async def test_a_push_that_breaks_off_anywhere_ends_as_the_whole_one(fault, imap_server, imap_engine_at):
    """Resumed in a new engine, as after a kill; and a third run changes nothing."""
    expected, commands = await _uninterrupted(imap_server, imap_engine_at)
    for number in range(1, commands + 1):
        mailbox = filled()
        server = await imap_server(mailbox)
        async with imap_engine_at(server.port, folder=f"{fault}{number}") as engine:
            await engine.accounts.sync("ada")
            await work(engine)
            server.manners = Manners(**{fault: frozenset({f"#{server.commands + number}"})})
            with contextlib.suppress(UserError):
                await engine.accounts.sync("ada", full=True)
        server.manners = GOOD
        async with imap_engine_at(server.port, folder=f"{fault}{number}") as engine:
            for _ in range(3):
                await engine.accounts.sync("ada", full=True)
            assert on_server(mailbox) == expected, number
            assert await in_store(engine) == expected, number
            log = len(server.log)
            assert (await engine.accounts.sync("ada")).words == "No new messages"
            assert not [line for line in server.log[log:] if "STORE" in line.line or "MOVE" in line.line]


@pytest.mark.parametrize("fault", ["drop_at", "lose_answer_to", "lose_end_of", "drop_after"])
async def test_a_first_fill_that_breaks_off_anywhere_is_finished(fault, imap_server, imap_engine_at):
    for number in itertools.count(1):
        mailbox = filled(130)
        server = await imap_server(mailbox, manners=Manners(**{fault: frozenset({f"#{number}"})}))
        async with imap_engine_at(server.port, folder=f"{fault}{number}") as engine:
            with contextlib.suppress(UserError):
                await engine.accounts.sync("ada")
            reached = server.commands >= number
            server.manners = GOOD
            await engine.accounts.sync("ada")
            await assert_same(engine, mailbox)
            assert len(await rows(engine)) == 130
        if not reached:
            break


# -- without a network


async def test_work_without_a_network_is_done_later(imap_server, imap_engine_at):
    """Read, move and delete while the server cannot be reached, over a restart; then everything is pushed once."""
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
    await server.stop()
    async with imap_engine_at(server.port) as engine:
        await work(engine)
        with pytest.raises(UserError):
            await engine.accounts.sync("ada")
    async with imap_engine_at(server.port) as engine:
        source = engine.servers.source("ada")
        source.wake.set()
        running = asyncio.ensure_future(source.run())
        while not source.status.waiting:
            await asyncio.sleep(0)
        assert source.status.waiting == 9  # with the new folder
        with pytest.raises(UserError):
            await engine.accounts.sync("ada")
        assert (source.status.online, source.status.waiting) == (False, 9)
        running.cancel()
        await server.start()
        await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert {"Reisen/Zürich", "Trash", "Spam"} <= set(on_server(mailbox))


# -- sent mail


async def _sent(engine: Engine) -> None:
    draft = replace(engine.drafts.new("ada", to="bob@example.org"), subject="Note G", body="About the engine.")
    await engine.outbox.send(draft, delay=0)
    assert [row.state for row in await engine.outbox.flush("ada")] == ["sent"]


@ALL
async def test_a_sent_message_is_on_the_server_once(kind, imap_server, smtp_server, imap_engine_at):
    mailbox = filled()
    imap, smtp = await imap_server(mailbox, personality=kind), await smtp_server()
    async with imap_engine_at(imap.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        await _sent(engine)
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        assert len(await rows(engine, "Sent")) == 1
        if kind is GMAIL:  # it files what is sent through it itself
            assert not mailbox.folder("Sent").messages
            return
        (stored,) = mailbox.folder("Sent").messages.values()
        assert stored.raw == smtp.received[0].raw
        assert "\\Seen" in stored.flags


async def test_a_copy_that_the_server_files_itself_is_not_stored_again(imap_server, smtp_server, imap_engine_at):
    """It has another header, as it came through the server, and the same Message-ID."""
    mailbox = filled()
    imap, smtp = await imap_server(mailbox), await smtp_server()
    async with imap_engine_at(imap.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        await _sent(engine)
        mailbox.folder("Sent").add(b"Received: by mx.example.org\r\n" + smtp.received[0].raw, ["\\Seen"])
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
        assert len(await rows(engine, "Sent")) == 1
        assert len(mailbox.folder("Sent").messages) == 1


@pytest.mark.parametrize("fault", ["drop_at", "lose_answer_to", "lose_end_of", "drop_after"])
async def test_an_append_that_breaks_off_is_not_repeated_blindly(fault, imap_server, smtp_server, imap_engine_at):
    mailbox = filled()
    imap, smtp = await imap_server(mailbox), await smtp_server()
    async with imap_engine_at(imap.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        await _sent(engine)
        imap.manners = Manners(**{fault: frozenset({"APPEND"})})
        with contextlib.suppress(UserError):
            await engine.accounts.sync("ada", full=True)
        imap.manners = GOOD
    async with imap_engine_at(imap.port, smtp.port) as engine:
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        assert len(await rows(engine, "Sent")) == 1
        assert len(mailbox.folder("Sent").messages) == 1


async def test_the_mail_of_the_last_days_is_fetched_whole_and_of_the_rest_the_header(imap_server, imap_engine_at):
    mailbox = ImapMailbox(PASSWORD, ROLES)
    dates = {1: "Sat, 1 Mar 2025", 2: "Mon, 3 Mar 2025", 3: "Sun, 1 Mar 2026", 4: "Wed, 1 Jan 2014"}
    for number, date in dates.items():
        raw = mail(number).replace(b"Date: Mon, 2 Mar 2026", f"Date: {date}".encode())
        mailbox.folder("INBOX" if number != 4 else "Archive").add(raw, [], 1_772_500_000)
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port, download="365 days") as engine:
        engine.context.clock = lambda: calendar.timegm((2026, 3, 3, 0, 0, 0))
        result = await engine.accounts.sync("ada")
        assert result.words == "4 new messages"
        assert {name for name, row in (await by_subject(engine)).items() if row.downloaded} == {
            "Engine part 2",
            "Engine part 3",
        }
        assert not (await by_subject(engine, "Archive"))["Engine part 4"].downloaded
        assert {event.total for event in engine.heard.of(SyncProgress) if event.what == "messages"} == {2}


# -- whole messages


async def test_many_bodies_come_in_one_round_trip(imap_server, imap_engine_at):
    mailbox = filled(40)
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
    before = server.turns
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
    empty = server.turns - before
    before = server.turns
    async with imap_engine_at(server.port, download="all") as engine:
        assert (await engine.accounts.sync("ada")).words == "No new messages"
        assert all(row.downloaded for row in await rows(engine))
    # Two for the 40 of the inbox, one for each of the two messages elsewhere, and one to open each of the three folders.
    assert server.turns - before - empty <= 7
