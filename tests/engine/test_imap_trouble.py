"""What went wrong once: one bad folder, names that are used again, IDLE that is refused, pushes that break off."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from msgspec.structs import replace

from termmail.demo.faults import GOOD, Manners, tagged
from termmail.demo.imap_personalities import COURIER, DOVECOT, ICLOUD, O365, PLAIN
from termmail.engine.events import Failed, MailArrived, SyncProgress
from termmail.engine.sync import account_sync, imap_source
from termmail.errors import UserError
from tests.engine.conftest import mail
from tests.engine.test_imap import assert_same, by_subject, filled, on_server, rows, subject_of

# -- IDLE


@pytest.mark.parametrize("answer", [b"NO no", b"BAD what", b"NO [UNAVAILABLE] later", b"OK done"])
@pytest.mark.parametrize("verb", ["IDLE", "EXAMINE"])
async def test_a_server_that_refuses_to_be_watched_is_not_asked_again_and_again(
    verb, answer, imap_server, imap_engine_at
):
    server = await imap_server(filled(), manners=Manners(answers={verb: tagged(answer)}))
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        await server.until(lambda: server.heard(verb))
        for _ in range(20):  # a loop would ask again behind each
            await engine.accounts.sync("ada")
        assert len(server.heard(verb)) <= 4


async def test_a_connection_that_is_lost_while_it_is_watched_is_opened_again(imap_server, imap_engine_at, monkeypatch):
    monkeypatch.setattr(account_sync, "LOST_PAUSE", 1.0)
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        await server.until(lambda: server.heard("IDLE"))
        before = server.sessions
        await server.stop()
        await server.start()
        async with asyncio.timeout(15):
            await server.until(lambda: server.sessions > before and server.heard("IDLE")[1:])


async def test_a_server_that_drops_every_watched_connection_gets_no_login_each_second(imap_server, imap_engine_at):
    server = await imap_server(filled(), manners=Manners(drop_at=frozenset({"EXAMINE", "IDLE"})))
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        await server.until(lambda: server.sessions == 1 and server.open_sessions == 0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await server.until(lambda: server.sessions > 1)


async def test_mail_that_arrives_while_changes_are_pushed_is_noticed(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=COURIER)

    def arrive(_line: str) -> None:
        mailbox.folder("INBOX").add(mail(900))
        server.manners = GOOD

    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        await engine.accounts.sync("ada")
        row = (await rows(engine))[0]
        await engine.messages.archive([row.placement])
        await engine.messages.delete_now([row.message_id])
        server.manners = Manners(answers={"UID COPY": arrive})
        engine.servers.start()
        async with asyncio.timeout(15):
            while "Engine part 900" not in await by_subject(engine):
                await asyncio.sleep(0)


# -- one folder that cannot be opened


@pytest.mark.parametrize("answer", [b"NO [SERVERBUG] broken", b"NO [NOPERM] not yours", b"NO [INUSE] wait"])
async def test_one_broken_folder_stops_neither_the_others_nor_the_changes(answer, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port, download="all") as engine:
        await engine.accounts.sync("ada")
        (archived,) = await rows(engine, "Archive")
        found = await by_subject(engine)
        await engine.messages.delete([archived.placement, found["Engine part 1"].placement])
        mailbox.folder("Archive").add(mail(700))
        mailbox.folder("Lists/Python").add(mail(701))
        broken = {"SELECT Archive": tagged(answer), "EXAMINE Archive": tagged(answer)}
        server.manners = Manners(answers=broken)
        await engine.accounts.sync("ada", full=True)
        assert "Engine part 701" in await by_subject(engine, "Lists/Python")
        assert "Engine part 1" in {subject_of(one.raw) for one in mailbox.folder("Trash").messages.values()}
        server.manners = GOOD
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)


# -- folders whose names are used again


async def _folder(engine, name):
    found = await engine.folders.by_name("ada", name)
    assert found is not None
    return found.folder_id


async def _make(engine, name):
    return (await engine.folders.make("ada", name)).folder_id


@pytest.mark.parametrize("story", ["remove and make", "rename and make", "swap", "chain"])
async def test_a_name_that_is_used_again_names_the_right_folder(story, imap_server, imap_engine_at):
    mailbox = filled()
    for name, number in (("One", 801), ("Two", 802)):
        mailbox.create(name).add(mail(number))
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        moved = (await by_subject(engine))["Engine part 1"].placement
        one, two = await _folder(engine, "One"), await _folder(engine, "Two")
        if story == "remove and make":
            await engine.folders.remove(one)
            await engine.messages.move([moved], await _make(engine, "One"))
        elif story == "rename and make":
            await engine.folders.rename(one, "One 2025")
            await engine.messages.move([moved], await _make(engine, "One"))
        elif story == "swap":
            await engine.folders.rename(one, "Between")
            await engine.folders.rename(two, "One")
            await engine.folders.rename(one, "Two")
        else:
            await engine.folders.rename(two, "Three")
            await engine.folders.rename(one, "Two")
        for _ in range(4):
            await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        held = on_server(mailbox)
        assert sum(len(lines) for lines in held.values()) == 14
        if story != "swap":
            assert "Engine part 1" in {line[0] for line in held["One" if "make" in story else "Inbox"]}
            assert not [failed.words for failed in engine.heard.of(Failed)]


async def test_mail_that_is_moved_into_a_folder_that_was_removed_here_brings_it_back(imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.create("Old")
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await engine.folders.remove(await _folder(engine, "Old"))
        mailbox.folder("INBOX").move([3], mailbox.folder("Old"))
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert "Engine part 3" in await by_subject(engine, "Old")


async def test_folders_that_share_a_uidvalidity_are_not_taken_for_one_another(imap_server, imap_engine_at):
    """Another client makes a new folder, moves everything there in another order, and removes the old one."""
    mailbox = filled()
    old = mailbox.create("Old")
    for number in (701, 702, 703):
        old.add(mail(number))
    for folder in mailbox.folders.values():
        folder.uidvalidity = 1
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        found = await by_subject(engine, "Old")
        new = mailbox.create("New")
        new.uidvalidity = 1
        old.move([3], new)
        old.move([1, 2], new)
        mailbox.delete("Old")
        await engine.messages.delete([found["Engine part 701"].placement])
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert [subject_of(one.raw) for one in mailbox.folder("Trash").messages.values()] == ["Engine part 701"]


# -- pushes that break off


@pytest.mark.parametrize("kind", [ICLOUD, COURIER, PLAIN], ids=["icloud", "courier", "plain"])
async def test_no_mark_of_deletion_stays_on_what_the_user_keeps(kind, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 2"]
        await engine.messages.archive([row.placement])
        server.manners = Manners(drop_at=frozenset({"UID EXPUNGE", "EXPUNGE"}))
        for _ in range(2):
            with contextlib.suppress(UserError):
                await engine.accounts.sync("ada", full=True)
        server.manners = GOOD
        await engine.journal.undo()
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        marked = [
            one for folder in mailbox.folders.values() for one in folder.messages.values() if "\\Deleted" in one.flags
        ]
        assert not marked
        assert "Engine part 2" in await by_subject(engine)


async def test_what_cannot_be_pushed_is_not_tried_each_minute(imap_server, imap_engine_at):
    """A folder that the server will not make, and a message that it will not delete."""
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        found = await by_subject(engine)
        made = await _make(engine, "New")
        await engine.messages.move([found["Engine part 1"].placement], made)
        await engine.messages.erase([found["Engine part 2"].placement])
        refuse = tagged(b"NO [NOPERM] no")
        server.manners = Manners(answers={"CREATE": refuse, "UID EXPUNGE": refuse})
        await engine.accounts.sync("ada", full=True)
        source = engine.servers.source("ada")
        assert await source._due_in() not in {0, None}
        await engine.accounts.sync("ada")
        assert "Engine part 2" in await by_subject(engine)


async def test_a_copy_that_the_server_has_changed_is_moved_once(imap_server, imap_engine_at, tmp_path):
    """The server rewrites the header of what is stored there."""
    mailbox = filled()
    server = await imap_server(mailbox, personality=PLAIN)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (tmp_path / "one.eml").write_bytes(mail(950))
        await engine.transfer.import_mail("ada", tmp_path / "one.eml", "Sent")
        mailbox.folder("Sent").add(b"X-Server: changed\r\n" + mail(950), ["\\Seen"])
        await engine.accounts.sync("ada", full=True)
        (row,) = await rows(engine, "Sent")
        await engine.messages.archive([row.placement])
        for _ in range(4):
            await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert len(await rows(engine, "Sent")) == 0
        assert [subject_of(one.raw) for one in mailbox.folder("Archive").messages.values()].count(
            "Engine part 950"
        ) == 1


async def test_refused_flags_leave_a_move_alone(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=DOVECOT)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 2"]
        await engine.messages.mark([row.message_id], "star")
        await engine.messages.archive([row.placement])
        server.manners = Manners(answers={"UID STORE": tagged(b"NO [NOPERM] no")})
        await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert "Engine part 2" in await by_subject(engine, "Archive")


async def test_a_message_that_is_moved_between_two_looks_is_not_stored_again(imap_server, imap_engine_at):
    """The inbox is looked at first; then another client moves a message there, which the user has moved here too."""
    mailbox = filled()
    lists = mailbox.folder("Lists/Python")
    server = await imap_server(mailbox, personality=PLAIN)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (row,) = await rows(engine, "Lists/Python")
        await engine.reader.read(row.message_id)
        await engine.messages.archive([row.placement])

        def move(_line: str) -> None:
            if lists.messages:
                lists.move(lists.uids, mailbox.folder("INBOX"))

        server.manners = Manners(answers={"LIST": move})
        for _ in range(4):
            await engine.accounts.sync("ada", full=True)
            server.manners = GOOD
        await assert_same(engine, mailbox)
        held = [subject_of(one.raw) for folder in mailbox.folders.values() for one in folder.messages.values()]
        assert held.count("Engine part 500") == 1
        assert "Engine part 500" in await by_subject(engine, "Archive")


async def test_a_role_that_config_toml_gives_later_is_taken(imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.create("Old mail").add(mail(600))
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
    async with imap_engine_at(server.port) as engine:
        account = engine.context.account("ada")
        roles = replace(account.folders, archive="Old mail")
        config = replace(engine.context.config, accounts={"ada": replace(account, folders=roles)})
        engine.context.config = config
        await engine.accounts.sync("ada")
        found = await by_subject(engine)
        await engine.messages.archive([found["Engine part 1"].placement])
        await engine.accounts.sync("ada", full=True)
        assert "Engine part 1" in {subject_of(one.raw) for one in mailbox.folder("Old mail").messages.values()}


# -- folders and what is below them


@pytest.mark.parametrize("kind", [DOVECOT, COURIER], ids=["dovecot", "courier"])
async def test_a_folder_that_is_renamed_takes_those_below_with_it(kind, imap_server, imap_engine_at):
    """And what is moved into one of them in the same push arrives."""
    mailbox = filled()
    mailbox.create("Lists/Python/Dev").add(mail(700), ["\\Seen"])
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        parent = await engine.folders.by_name("ada", "Lists/Python")
        below = await engine.folders.by_name("ada", "Lists/Python/Dev")
        assert parent is not None
        assert below is not None
        await engine.folders.rename(parent.folder_id, "Snakes")
        await engine.messages.move([(await by_subject(engine))["Engine part 1"].placement], below.folder_id)
        await engine.accounts.sync("ada", full=True)
        assert engine.heard.of(Failed) == []
        assert {name for name in on_server(mailbox) if "nakes" in name} == {"Snakes", "Snakes/Dev"}
        assert (await engine.folders.by_name("ada", "Snakes/Dev")).folder_id == below.folder_id
        await assert_same(engine, mailbox)
        assert (await engine.accounts.sync("ada", full=True)).words == "No new messages"


async def test_a_name_with_the_delimiter_of_the_server_is_one_level(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=COURIER)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        made = await engine.folders.make("ada", "Releases/v1.2")
        await engine.messages.move([(await by_subject(engine))["Engine part 1"].placement], made.folder_id)
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
        assert [name for name in on_server(mailbox) if "v1" in name] == ["Releases/v1\N{ONE DOT LEADER}2"]
        assert len(await rows(engine, "Releases/v1.2")) == 1
        assert [one.name for one in await engine.folders.listing() if "v1" in one.name] == ["Releases/v1.2"]


async def test_a_folder_that_the_server_does_not_make_is_told_once(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, manners=Manners(answers={"CREATE": tagged(b"NO [NOPERM] no more folders")}))
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await engine.folders.make("ada", "Mine")
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        (failed,) = engine.heard.of(Failed)
        assert failed.words == "The folder Mine could not be made on the server."
        assert "no more folders" in failed.advice
        server.manners = GOOD
        await engine.accounts.sync("ada", full=True)
        assert mailbox.find(b"Mine") is not None


async def test_what_the_server_announces_before_it_gives_it_is_asked_for_again(
    imap_server, imap_engine_at, monkeypatch
):
    """Office 365: EXISTS counts a message that UID SEARCH and UID FETCH do not have for some seconds."""
    monkeypatch.setattr(imap_source, "LATE", (0.1, 1.5, 3.0))
    mailbox = filled()
    new = b"%d" % mailbox.folder("INBOX").uidnext

    def hide(verb: str, said: list[bytes]) -> list[bytes]:
        if verb == "UID SEARCH":
            return [line.replace(b" %b\r\n" % new, b"\r\n") for line in said]
        return [line for line in said if b"UID %b " % new not in line] if verb == "UID FETCH" else said

    server = await imap_server(mailbox, personality=O365)
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        await server.until(lambda: server.heard("IDLE"))
        server.manners = Manners(rows=hide)
        begin = len(server.heard("UID SEARCH"))
        mailbox.folder("INBOX").add(mail(800))
        await server.until(lambda: len(server.heard("UID SEARCH")) >= begin + 2)
        assert "Engine part 800" not in await by_subject(engine)
        heard = len(engine.heard)
        server.manners = GOOD
        while not any(isinstance(event, MailArrived) for event in engine.heard[heard:]):
            await asyncio.sleep(0)
        assert "Engine part 800" in await by_subject(engine)


async def test_what_is_new_in_another_folder_is_there_at_once(imap_server, imap_engine_at):
    """With NOTIFY the server tells of every folder, not of the open one alone."""
    mailbox = filled()
    server = await imap_server(mailbox, personality=DOVECOT)
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        await server.until(lambda: server.heard("IDLE"))
        heard = len(engine.heard)
        mailbox.folder("Lists/Python").add(mail(900))
        while not any(isinstance(event, MailArrived) for event in engine.heard[heard:]):
            await asyncio.sleep(0)
        assert "Engine part 900" in await by_subject(engine, "Lists/Python")
        await server.until(lambda: len(server.heard("IDLE")) >= 2)
        heard = len(engine.heard)
        mailbox.folder("Archive").store([1], add=["\\Flagged"])
        while not (await by_subject(engine, "Archive"))["Engine part 600"].starred:
            await asyncio.sleep(0)
        assert len(server.heard("NOTIFY")) == 1


@pytest.mark.parametrize("answer", [b"NO no", b"BAD what"])
async def test_a_server_that_refuses_notify_is_watched_with_idle(answer, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, manners=Manners(answers={"NOTIFY": tagged(answer)}))
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        await server.until(lambda: server.heard("IDLE"))
        heard = len(engine.heard)
        mailbox.folder("INBOX").add(mail(900))
        while not any(isinstance(event, MailArrived) for event in engine.heard[heard:]):
            await asyncio.sleep(0)
        assert len(server.heard("NOTIFY")) == 2


# -- whole messages


@pytest.mark.parametrize("answer", [b"NO [SERVERBUG] no", b"NO [UNAVAILABLE] later", b"BAD what"])
async def test_a_message_that_is_not_given_does_not_keep_others_back(answer, imap_server, imap_engine_at):
    """And nor does one that is too large; it is tried again by a full sync."""
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port, download="all") as engine:
        bad = {f"UID FETCH {uid} (UID BODY.PEEK[]<0.262144>)": tagged(answer) for uid in (9, 10)}
        server.manners = Manners(answers=bad)
        assert (await engine.accounts.sync("ada")).words == "12 new messages, 2 messages could not be fetched"
        found = await by_subject(engine)
        assert {name for name, row in found.items() if not row.downloaded} == {"Engine part 9", "Engine part 10"}
        await engine.accounts.sync("ada")
        assert sum(line.line.startswith("UID FETCH 9 ") for line in server.log) == 1
        server.manners = GOOD
        assert (await engine.accounts.sync("ada", full=True)).words == "No new messages"
        assert all(row.downloaded for row in (await by_subject(engine)).values())


async def test_progress_of_whole_messages_counts_all_of_them(imap_server, imap_engine_at):
    server = await imap_server(filled(130))
    async with imap_engine_at(server.port, download="all") as engine:
        await engine.accounts.sync("ada")
        told = [event for event in engine.heard.of(SyncProgress) if event.what == "messages"]
        assert {event.total for event in told} == {132}
        assert [event.done for event in told] == sorted(event.done for event in told)
        assert told[-1].done == 132


# -- how often


async def test_a_server_that_could_not_be_reached_is_tried_again_soon(imap_server, imap_engine_at, monkeypatch):
    monkeypatch.setattr(account_sync, "OFFLINE_PAUSE", 0.1)
    server = await imap_server(filled())
    await server.stop()
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        while not any(not event.well for event in engine.heard.of(SyncProgress)):
            await asyncio.sleep(0)
        await server.start()
        await server.until(lambda: server.heard("LIST"))


async def test_a_server_that_tells_of_changes_at_every_look_is_not_looked_at_without_end(
    imap_server, imap_engine_at, monkeypatch
):
    monkeypatch.setattr(account_sync, "NEWS_PAUSE", 0.0)

    def tell(verb: str, said: list[bytes]) -> list[bytes]:
        return [*said, b"* STATUS Archive (MESSAGES 1)\r\n"] if verb == "NAMESPACE" else said

    mailbox = filled()
    server = await imap_server(mailbox, personality=DOVECOT, manners=Manners(rows=tell))
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        engine.servers.start()
        await server.until(lambda: server.heard("IDLE"))
        looks = len(server.heard("LIST"))
        assert 1 < looks <= imap_source.BELIEVED + 2
        mailbox.folder("INBOX").add(mail(900))  # what is told while nothing runs is believed
        await server.until(lambda: len(server.heard("LIST")) > looks)
