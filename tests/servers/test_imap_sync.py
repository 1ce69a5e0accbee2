"""An account on Dovecot, with IMAPClient as the second client: what one does, the other sees."""

import asyncio

import pytest

from termmail.engine.events import MailArrived
from termmail.mail.model import Role, StepKind
from tests.servers.imap_account import mail
from tests.servers.imap_engine import engine_on, folder, push, rows, subjects
from tests.views import DRAFTS

pytestmark = pytest.mark.servers


@pytest.fixture
def engine_of(tmp_path):
    return lambda mailbox, **options: engine_on(tmp_path, mailbox, **options)


async def test_every_folder_is_received_and_nothing_twice(imap_account, engine_of):
    imap_account.put(120)
    with imap_account.other() as client:
        client.create_folder("Travel/2026")
        client.append(
            "Travel/2026", b"Subject: Ticket\r\nMessage-ID: <t@x>\r\n\r\nSeat 12\r\n", flags=["\\Seen", "\\Flagged"]
        )
    async with engine_of(imap_account) as engine:
        result = await engine.accounts.sync("me")
        assert (result.new, result.words) == (121, "121 new messages")
        names = {one.name: one.role for one in await engine.folders.listing()}
        assert names["Travel/2026"] is Role.NONE
        assert names["Spam"] is Role.JUNK
        assert len(await rows(engine)) == 120
        [ticket] = await rows(engine, "Travel/2026")
        assert (ticket.subject, ticket.unread, ticket.starred) == ("Ticket", False, True)
        assert (await engine.accounts.sync("me")).words == "No new messages"
    async with engine_of(imap_account) as engine:
        assert (await engine.accounts.sync("me", full=True)).words == "No new messages"
        assert len(await rows(engine)) == 120


async def test_a_body_is_fetched_when_it_is_opened(imap_account, engine_of):
    imap_account.put(3)
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        row = (await rows(engine))[0]
        message = await engine.reader.read(row.message_id)
        assert "Dear Bob" in str(message)
        assert (await rows(engine))[0].downloaded


async def test_what_the_other_client_does_is_seen(imap_account, engine_of):
    imap_account.put(30)
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        ids = {row.subject: row.message_id for row in await rows(engine)}
        with imap_account.other() as client:
            client.select_folder("INBOX")
            client.add_flags([1, 2], ["\\Seen"])
            client.add_flags([2], ["\\Flagged", "\\Answered"])
            client.move([3], "Archive")
            client.delete_messages([4])
            client.expunge()
            client.create_folder("New")
        imap_account.put(1, first=50)
        result = await engine.accounts.sync("me")
        assert result.words == "1 new message"
        found = {row.subject: row for row in await rows(engine)}
        assert {name for name in ids if name not in found} == {"Number 3", "Number 4"}
        assert "Number 50" in found
        assert not found["Number 1"].unread
        assert (found["Number 2"].unread, found["Number 2"].starred, found["Number 2"].answered) == (False, True, True)
        [archived] = await rows(engine, "Archive")
        assert archived.message_id == ids["Number 3"]
        assert await subjects(engine, "New") == []


async def test_what_is_done_here_the_other_client_sees(imap_account, engine_of):
    imap_account.put(12)
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        found = {row.subject: row for row in await rows(engine)}
        await engine.messages.mark([found["Number 1"].message_id], StepKind.READ)
        await engine.messages.mark([found["Number 2"].message_id], StepKind.STAR)
        await engine.messages.archive([found["Number 3"].placement])
        await engine.messages.delete([found["Number 4"].placement])
        await engine.messages.erase([found["Number 5"].placement])
        new = await engine.folders.make("me", "Reise/Zürich")
        await engine.messages.move([found["Number 6"].placement], new.folder_id)
        await engine.messages.copy([found["Number 7"].placement], new.folder_id)
        assert "8 changes sent to the server" in (await push(engine)).words
        assert (await push(engine)).words == "No new messages"
        assert len(await rows(engine)) == 8
        with imap_account.other() as client:
            client.select_folder("INBOX", readonly=True)
            there = client.fetch(client.search(), ["FLAGS", "ENVELOPE"])
            flags = {row[b"ENVELOPE"].subject.decode(): row[b"FLAGS"] for row in there.values()}
            assert b"\\Seen" in flags["Number 1"]
            assert b"\\Flagged" in flags["Number 2"]
            assert {f"Number {number}" for number in (3, 4, 5, 6)}.isdisjoint(flags)
            assert "Number 7" in flags
            assert client.folder_status("Archive", "MESSAGES") == {b"MESSAGES": 1}
            assert client.folder_status("Trash", "MESSAGES") == {b"MESSAGES": 1}
            assert client.folder_status("Reise/Zürich", "MESSAGES") == {b"MESSAGES": 2}


async def test_undo_before_and_after_the_push(imap_account, engine_of):
    imap_account.put(3)
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        row = (await rows(engine))[0]
        await engine.messages.delete([row.placement])
        await engine.journal.undo()
        assert (await push(engine)).words == "No new messages"
        await engine.messages.delete([row.placement])
        assert "1 change" in (await push(engine)).words
        assert len(await rows(engine, "Trash")) == 1
        await engine.journal.undo()
        assert "1 change" in (await push(engine)).words
        assert [one.message_id for one in await rows(engine)] == [one.message_id for one in await rows(engine)]
        assert row.message_id in {one.message_id for one in await rows(engine)}
        with imap_account.other() as client:
            assert client.folder_status("INBOX", "MESSAGES") == {b"MESSAGES": 3}
            assert client.folder_status("Trash", "MESSAGES") == {b"MESSAGES": 0}


async def test_new_uids_bind_to_the_messages_that_are_here(imap_account, engine_of):
    """Another UIDVALIDITY: bodies, flags and what waits for the server stay."""
    imap_account.put(40)
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        before = {row.subject: row.message_id for row in await rows(engine)}
        await engine.messages.mark([before["Number 7"]], StepKind.STAR)
        with imap_account.other() as client:
            client.create_folder("Aside")
            client.select_folder("INBOX")
            client.move(client.search(), "Aside")
            client.select_folder("Aside")
            client.move(client.search(), "INBOX")
        assert (await engine.accounts.sync("me")).new == 0
        assert {row.subject: row.message_id for row in await rows(engine)} == before
        await push(engine)
        with imap_account.other() as client:
            client.select_folder("INBOX", readonly=True)
            assert len(client.search("FLAGGED")) == 1


async def test_each_flag_is_settled_by_itself(imap_account, engine_of):
    """What was changed here stays, what was changed there comes, also for one message."""
    imap_account.put(2)
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        row = (await rows(engine))[0]
        await engine.messages.mark([row.message_id], StepKind.STAR)
        with imap_account.other() as client:
            client.select_folder("INBOX")
            [uid] = client.search(["SUBJECT", row.subject])
            client.add_flags([uid], ["\\Seen", "\\Answered", "Urgent"])
            await push(engine)
            now = (await rows(engine))[0]
            assert (now.unread, now.starred, now.answered) == (False, True, True)
            assert {b"\\Seen", b"\\Flagged", b"\\Answered", b"Urgent"} <= set(client.get_flags([uid])[uid])
            client.remove_flags([uid], ["\\Flagged"])
        await push(engine)
        assert not (await rows(engine))[0].starred


async def test_what_is_deleted_there_while_it_is_moved_here(imap_account, engine_of):
    """A message of which only the header is here is gone; one that is here whole is stored in its new folder."""
    imap_account.put(3)
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        whole, header, _ = await rows(engine)
        await engine.reader.read(whole.message_id)
        await engine.messages.archive([whole.placement, header.placement])
        with imap_account.other() as client:
            client.select_folder("INBOX")
            client.delete_messages(client.search(["OR", "SUBJECT", whole.subject, "SUBJECT", header.subject]))
            client.expunge()
            for _ in range(2):  # it is looked for twice
                await push(engine)
            assert [row.message_id for row in await rows(engine, "Archive")] == [whole.message_id]
            client.select_folder("Archive", readonly=True)
            [uid] = client.search()
            assert client.fetch([uid], ["BODY[]"])[uid][b"BODY[]"] == await engine.reader.raw(whole.message_id)
        assert (await push(engine)).new == 0
        assert len(await rows(engine, "Archive")) == 1


async def test_folders_are_renamed_and_removed_both_ways(imap_account, engine_of):
    with imap_account.other() as client:
        client.create_folder("Alpha")
        client.create_folder("Beta")
        client.append("Alpha", b"Subject: One\r\nMessage-ID: <one@x>\r\n\r\nHello\r\n")
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        [one] = await rows(engine, "Alpha")
        with imap_account.other() as client:
            client.rename_folder("Alpha", "Gamma")
        await engine.accounts.sync("me")
        assert [row.message_id for row in await rows(engine, "Gamma")] == [one.message_id]
        await engine.folders.rename((await folder(engine, "Gamma")).folder_id, "Delta/Sub")
        await push(engine)
        with imap_account.other() as client:
            assert client.folder_exists("Delta/Sub")
            assert not client.folder_exists("Gamma")
        await engine.folders.remove((await folder(engine, "Delta/Sub")).folder_id)
        await push(engine)
        await push(engine)
        assert [row.message_id for row in await rows(engine, "Archive")] == [one.message_id]
        with imap_account.other() as client:
            assert not client.folder_exists("Delta/Sub")
            assert client.folder_status("Archive", "MESSAGES") == {b"MESSAGES": 1}
            client.delete_folder("Beta")
        await engine.accounts.sync("me")
        assert "Beta" not in {one.name for one in await engine.folders.listing()}


async def test_a_folder_with_unknown_mail_is_not_removed_from_the_server(imap_account, engine_of):
    with imap_account.other() as client:
        client.create_folder("Alpha")
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        await engine.folders.remove((await folder(engine, "Alpha")).folder_id)
        imap_account.put(1, "Alpha")
        await push(engine)
        with imap_account.other() as client:
            assert client.folder_status("Alpha", "MESSAGES") == {b"MESSAGES": 1}
        await engine.accounts.sync("me")
        assert len(await rows(engine, "Alpha")) == 1


async def test_imported_mail_is_stored_on_the_server_once(imap_account, engine_of, tmp_path):
    async with engine_of(imap_account) as engine:
        await engine.accounts.sync("me")
        for number in range(3):
            (tmp_path / f"{number}.eml").write_bytes(mail(number))
            await engine.transfer.import_mail("me", tmp_path / f"{number}.eml", "Papers")
        await push(engine)
        assert (await push(engine)).words == "No new messages"
        with imap_account.other() as client:
            client.select_folder("Papers", readonly=True)
            assert len(client.search()) == 3
        assert len(await rows(engine, "Papers")) == 3


async def test_new_mail_is_here_at_once(imap_account, engine_of):
    """By IDLE: nobody polls meanwhile."""
    imap_account.put(1)
    async with engine_of(imap_account, poll_minutes=60) as engine:
        arrived = asyncio.Event()
        heard = []
        engine.context.subscribe(
            lambda event: heard.append(event) or (isinstance(event, MailArrived) and arrived.set())
        )
        engine.servers.start()
        await asyncio.wait_for(arrived.wait(), 10)
        row = (await rows(engine))[0]
        await engine.reader.read(row.message_id)  # the session is shared
        for number in (2, 3):
            arrived.clear()
            imap_account.put(1, first=number)
            await asyncio.wait_for(arrived.wait(), 10)
        assert len(await rows(engine)) == 3


async def test_what_happens_in_any_folder_is_here_at_once(imap_account, engine_of):
    """By NOTIFY: mail, drafts and new folders, while nobody polls."""
    imap_account.put(1)

    async with engine_of(imap_account, poll_minutes=60) as engine:
        news = asyncio.Event()
        engine.context.subscribe(lambda _: news.set())

        async def until(done):
            async with asyncio.timeout(20):
                while not await done():
                    news.clear()
                    await news.wait()

        async def has_folder(name):
            return name in {one.name for one in await engine.folders.listing()}

        engine.servers.start()
        await until(lambda: _holds(engine, "Inbox", 1))
        with imap_account.other() as client:
            client.append("Archive", mail(7))
            await until(lambda: _holds(engine, "Archive", 1))
            client.append("Drafts", mail(8), flags=["\\Draft"])
            await until(lambda: _has_draft(engine))
            client.create_folder("Reisen")
            await until(lambda: has_folder("Reisen"))
        await engine.folders.make("me", "Ideen")  # and what is made here is there
        with imap_account.other() as client:

            async def is_there():
                return client.folder_exists("Ideen")

            await until(is_there)


async def _holds(engine, name, count):
    return len(await rows(engine, name)) == count


async def _has_draft(engine):
    return len(await engine.lists.ids(DRAFTS)) == 1


async def test_bodies_come_with_download_all(imap_account, engine_of):
    imap_account.put(60)
    imap_account.put(2, "Archive", first=100)
    async with engine_of(imap_account, download="all") as engine:
        await engine.accounts.sync("me")
        assert all(row.downloaded for row in (*await rows(engine), *await rows(engine, "Archive")))
        assert [await engine.reader.raw(row.message_id) for row in await rows(engine, "Archive")] == [
            mail(101),
            mail(100),
        ]


async def test_leaving_pushes_what_waits(imap_account, engine_of):
    imap_account.put(1)
    async with engine_of(imap_account, commit=True) as engine:
        await engine.accounts.sync("me")
        await engine.messages.archive([(await rows(engine))[0].placement])
    with imap_account.other() as client:
        assert client.folder_status("Archive", "MESSAGES") == {b"MESSAGES": 1}
