"""The same mailbox on each IMAP server that runs here: what one client does the other one has, once."""

import asyncio
import email
import email.policy

import pytest
from msgspec.structs import replace

from termmail.engine.events import MailArrived
from termmail.mail.model import Role, StepKind
from tests.servers import daemons
from tests.servers.imap_account import mail, move_there
from tests.servers.imap_engine import assert_settled, engine_on, push, rows, subjects, there
from tests.views import DRAFTS

pytestmark = pytest.mark.servers


@pytest.fixture
def engine(tmp_path, account):
    return engine_on(tmp_path, account)


async def test_every_folder_is_received_once(account, engine):
    account.put(70)
    account.put(3, "Archive", first=200)
    with account.other() as client:
        client.create_folder(account.wire("Reisen/Zürich"))
        client.append(account.wire("Reisen/Zürich"), mail(300), flags=["\\Seen", "\\Flagged"])
    async with engine as opened:
        assert (await opened.accounts.sync("me")).words == "74 new messages"
        roles = {one.name: one.role for one in await opened.folders.listing()}
        assert roles["Spam"] is Role.JUNK
        assert roles["Reisen/Zürich"] is Role.NONE
        assert await subjects(opened) == [f"Number {number}" for number in range(70, 0, -1)]
        assert await subjects(opened, "Archive") == ["Number 202", "Number 201", "Number 200"]
        [row] = await rows(opened, "Reisen/Zürich")
        assert (row.subject, row.unread, row.starred) == ("Number 300", False, True)
        await opened.reader.read(row.message_id)
        assert await opened.reader.raw(row.message_id) == mail(300)
        assert (await opened.accounts.sync("me")).words == "No new messages"
        await assert_settled(opened, account)


async def test_what_is_done_there_is_seen_here(account, engine):
    account.put(12)
    with account.other() as client:
        for name in ("Übersicht", "Beta"):
            client.create_folder(account.wire(name))
    account.put(1, "Übersicht", first=100)
    async with engine as opened:
        await opened.accounts.sync("me")
        ids = {row.subject: row.message_id for name in ("Inbox", "Übersicht") for row in await rows(opened, name)}
        with account.other() as client:
            client.select_folder("INBOX")
            uids = [0, *client.search()]
            client.add_flags(uids[1:4], ["\\Seen"])
            client.remove_flags(uids[3:4], ["\\Seen"])
            client.add_flags(uids[2:3], ["\\Flagged", "\\Answered"])
            move_there(client, uids[4:6], account.wire("Archive"))
            move_there(client, uids[6:7], account.wire("Trash"))
            client.delete_messages(uids[7:8])
            client.expunge()
            client.create_folder(account.wire("日本語"))
            client.unselect_folder() if client.has_capability("UNSELECT") else client.close_folder()
            client.rename_folder(account.wire("Übersicht"), account.wire("Größe"))
            client.delete_folder(account.wire("Beta"))
        account.put(1, first=50)
        assert (await push(opened)).words == "1 new message"
        found = {row.subject: row for row in await rows(opened)}
        assert ids.keys() - found.keys() == {f"Number {number}" for number in (4, 5, 6, 7, 100)}
        assert (found["Number 1"].unread, found["Number 3"].unread) == (False, True)
        assert (found["Number 2"].unread, found["Number 2"].starred, found["Number 2"].answered) == (False, True, True)
        assert [row.message_id for row in await rows(opened, "Archive")] == [ids["Number 5"], ids["Number 4"]]
        assert [row.message_id for row in await rows(opened, "Trash")] == [ids["Number 6"]]
        assert [row.message_id for row in await rows(opened, "Größe")] == [ids["Number 100"]]
        assert {"Beta", "Übersicht"}.isdisjoint({one.name for one in await opened.folders.listing()})
        assert await subjects(opened, "日本語") == []
        await assert_settled(opened, account)


async def test_what_is_done_here_is_seen_there(account, engine):
    account.put(12)
    async with engine as opened:
        await opened.accounts.sync("me")
        found = {row.subject: row for row in await rows(opened)}
        await opened.messages.mark([found["Number 1"].message_id], StepKind.READ)
        await opened.messages.mark([found[f"Number {number}"].message_id for number in (2, 3)], StepKind.STAR)
        await opened.messages.archive([found["Number 3"].placement])
        await opened.messages.delete([found["Number 4"].placement, found["Number 5"].placement])
        await opened.messages.erase([found["Number 6"].placement])
        new = await opened.folders.make("me", "Reise/Zürich")
        await opened.messages.move([found["Number 7"].placement], new.folder_id)
        await opened.messages.copy([found["Number 8"].placement], new.folder_id)
        await assert_settled(opened, account)
        assert there(account, "INBOX") == {
            "Number 1": {"\\Seen"},
            "Number 2": {"\\Flagged"},
            **{f"Number {number}": set() for number in (8, 9, 10, 11, 12)},
        }
        assert there(account, "Archive") == {"Number 3": {"\\Flagged"}}
        assert there(account, "Trash") == {"Number 4": set(), "Number 5": set()}
        assert there(account, "Reise/Zürich") == {"Number 7": set(), "Number 8": set()}
        await opened.folders.rename(new.folder_id, "Genève")
        await assert_settled(opened, account)
        assert there(account, "Genève") == {"Number 7": set(), "Number 8": set()}
        await opened.folders.remove(new.folder_id)
        await assert_settled(opened, account)
        with account.other() as client:
            assert not client.folder_exists(account.wire("Genève"))
        assert there(account, "Archive").keys() >= {"Number 7"}


async def test_mail_that_is_only_here_is_stored_there_once_and_runs_no_commands(account, engine, tmp_path):
    commands = b"".join(b"A%d DELETE %s\r\n" % (n, account.wire("Archive").encode()) for n in range(500))
    raw = {name: mail(number) + commands for number, name in enumerate(("Sent", "Päpers"))}
    async with engine as opened:
        await opened.accounts.sync("me")
        for name, one in raw.items():
            (tmp_path / f"{name}.eml").write_bytes(one)
            await opened.transfer.import_mail("me", tmp_path / f"{name}.eml", name)
        await assert_settled(opened, account)
        [row] = await rows(opened, "Sent")
        assert await opened.reader.raw(row.message_id) == raw["Sent"]
    with account.other() as client:
        for name, one in raw.items():
            client.select_folder(account.wire(name), readonly=True)
            [uid] = client.search()
            assert client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"] == one
        assert client.folder_exists(account.wire("Archive"))


async def test_a_message_with_the_line_ends_of_unix_is_stored_there(account, engine, tmp_path):
    (tmp_path / "unix.eml").write_bytes(mail(1).replace(b"\r\n", b"\n"))
    async with engine as opened:
        await opened.accounts.sync("me")
        await opened.transfer.import_mail("me", tmp_path / "unix.eml", "Archive")
        await assert_settled(opened, account)
        assert there(account, "Archive").keys() == {"Number 1"}


async def test_what_is_sent_is_in_sent_once(account, smtp_server, tmp_path):
    """Also if the program ends before the server has it."""
    smtp = await smtp_server(passwords={account.name: daemons.PASSWORD})
    async with engine_on(tmp_path, account, smtp_port=smtp.port) as opened:
        await opened.accounts.sync("me")
        draft = replace(opened.drafts.new("me", to="bob@example.org"), subject="Note G", body="About the engine.")
        await opened.outbox.send(draft, delay=0)
        assert [row.state for row in await opened.outbox.flush("me")] == ["sent"]
    async with engine_on(tmp_path, account, smtp_port=smtp.port) as opened:
        await assert_settled(opened, account)
        [row] = await rows(opened, "Sent")
        assert await opened.reader.raw(row.message_id) == smtp.received[0].raw
        assert there(account, "Sent") == {"Note G": {"\\Seen"}}
    with account.other() as client:
        client.select_folder(account.wire("Sent"), readonly=True)
        [uid] = client.search()
        assert client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"] == smtp.received[0].raw


async def test_a_folder_made_anew_with_the_same_mail_is_the_same_folder(account, engine):
    """Its UIDVALIDITY is another one."""
    with account.other() as client:
        client.create_folder(account.wire("Projekt"))
    account.put(30, "Projekt")
    async with engine as opened:
        await opened.accounts.sync("me")
        before = {row.subject: row.message_id for row in await rows(opened, "Projekt")}
        await opened.reader.read(before["Number 3"])
        await opened.messages.mark([before["Number 7"]], StepKind.STAR)
        with account.other() as client:
            client.delete_folder(account.wire("Projekt"))
            client.create_folder(account.wire("Projekt"))
        account.put(31, "Projekt")
        assert (await opened.accounts.sync("me")).new == 1
        found = {row.subject: row for row in await rows(opened, "Projekt")}
        assert {subject: found[subject].message_id for subject in before} == before
        assert found["Number 3"].downloaded
        await assert_settled(opened, account)
        assert {subject for subject, flags in there(account, "Projekt").items() if flags} == {"Number 7"}


@pytest.mark.parametrize("account", ["dovecot", "cyrus", "courier"], indirect=True)
async def test_new_mail_is_here_at_once(account, tmp_path):
    """By IDLE: nobody polls meanwhile. pymap does not tell of mail that came just before IDLE."""
    account.put(1)
    async with engine_on(tmp_path, account, poll_minutes=60) as opened:
        arrived = asyncio.Event()
        opened.context.subscribe(lambda event: isinstance(event, MailArrived) and arrived.set())
        opened.servers.start()
        await asyncio.wait_for(arrived.wait(), 10)
        for number in (2, 3):
            arrived.clear()
            account.put(1, first=number)
            await asyncio.wait_for(arrived.wait(), 10)
        assert len(await rows(opened)) == 3


async def test_both_change_the_same_messages(account, engine):
    account.put(8)
    async with engine as opened:
        await opened.accounts.sync("me")
        found = {row.subject: row for row in await rows(opened)}
        await opened.messages.mark([found["Number 1"].message_id], StepKind.STAR)
        await opened.messages.archive([found["Number 2"].placement])
        await opened.messages.archive([found["Number 3"].placement])
        await opened.messages.erase([found["Number 4"].placement])
        with account.other() as client:
            client.select_folder("INBOX")
            uids = [0, *client.search()]
            client.add_flags(uids[1:3], ["\\Seen"])
            move_there(client, uids[3:5], account.wire("Junk"))
        await assert_settled(opened, account)
        assert there(account, "INBOX")["Number 1"] == {"\\Seen", "\\Flagged"}
        assert there(account, "Archive")["Number 2"] == {"\\Seen"}
        places = [name for name in ("INBOX", "Archive", "Junk") if "Number 3" in there(account, name)]
        assert len(places) == 1
        assert {f"Number {number}" for number in (5, 6, 7, 8)} <= there(account, "INBOX").keys()


# -- drafts


def drafts_there(account):
    """Subject and body of each draft on the server."""
    with account.other() as client:
        client.select_folder(account.wire("Drafts"))
        found = client.fetch(client.search(), ["BODY.PEEK[]"]) if client.search() else {}
    whole = [email.message_from_bytes(one[b"BODY[]"], policy=email.policy.default) for one in found.values()]
    return sorted((str(one["Subject"]), one.get_content().strip()) for one in whole)


async def drafts_here(engine):
    drafts = [await engine.drafts.load(id_) for id_ in await engine.lists.ids(DRAFTS)]
    return sorted((one.subject, one.body) for one in drafts)


async def test_a_draft_is_continued_elsewhere_and_back(account, engine, tmp_path):
    """Here, in another termmail, with IMAPClient, and here again; then it is discarded."""
    async with engine as opened, engine_on(tmp_path / "other", account) as other:
        await opened.accounts.sync("me")
        draft = await opened.drafts.save(
            replace(opened.drafts.new("me", to="bob@example.org"), subject="Über", body="1")
        )
        await opened.drafts.close(draft.id)
        for _ in range(2):
            await push(opened)
        assert drafts_there(account) == [("Über", "1")]
        await push(other)
        [id_] = await other.lists.ids(DRAFTS)
        await other.drafts.save(replace(await other.drafts.load(id_), body="12"))
        await other.drafts.close(id_)
        for each in (other, opened):
            await push(each)
        assert await drafts_here(opened) == drafts_there(account) == [("Über", "12")]
        with account.other() as client:
            client.select_folder(account.wire("Drafts"))
            [uid] = client.search()
            raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
            message = email.message_from_bytes(raw, policy=email.policy.SMTP)
            message.set_content("123\n")
            client.append(account.wire("Drafts"), message.as_bytes(), flags=["\\Draft"])
            client.delete_messages([uid])
            client.expunge()
        await push(opened)
        assert await drafts_here(opened) == [("Über", "123")]
        [id_] = await opened.lists.ids(DRAFTS)
        assert id_ == draft.id
        await opened.drafts.discard(id_)
        for each in (opened, other):
            await push(each)
        assert await drafts_here(opened) == await drafts_here(other) == drafts_there(account) == []
        assert (await push(opened)).words == "No new messages"


# -- what a server does with a message


async def test_a_stored_message_whose_header_the_server_changed_is_erased(account, engine, tmp_path):
    """Cyrus writes X for each 8-bit octet in a header: the header that counts is the server's."""
    raw = "From: Ada <ada@example.org>\r\nSubject: Grüße\r\nMessage-ID: <8@x>\r\n\r\nHello\r\n".encode()
    (tmp_path / "8bit.eml").write_bytes(raw)
    async with engine as opened:
        await opened.accounts.sync("me")
        await opened.transfer.import_mail("me", tmp_path / "8bit.eml", "Archive")
        for _ in range(3):
            await push(opened)
        [row] = await rows(opened, "Archive")
        await opened.messages.erase([row.placement])
        for _ in range(3):
            await push(opened)
        assert await subjects(opened, "Archive") == []
        assert there(account, "Archive") == {}


async def test_a_stored_message_with_the_line_ends_of_unix_is_recognized_after_a_move(account, engine, tmp_path):
    """The size that counts is the server's, with CRLF."""
    (tmp_path / "unix.eml").write_bytes(mail(1).replace(b"\r\n", b"\n"))
    async with engine as opened:
        await opened.accounts.sync("me")
        await opened.transfer.import_mail("me", tmp_path / "unix.eml", "Archive")
        for _ in range(2):
            await push(opened)
        [row] = await rows(opened, "Archive")
        with account.other() as client:
            client.select_folder(account.wire("Archive"))
            move_there(client, client.search(), account.wire("Junk"))
        assert (await push(opened)).new == 0
        assert [one.message_id for one in await rows(opened, "Spam")] == [row.message_id]


async def test_what_another_program_moves_into_the_inbox_is_not_new_mail(account, engine):
    """The inbox is looked at before the folder that the message has left."""
    account.put(1, "Archive")
    async with engine as opened:
        await opened.accounts.sync("me")
        [row] = await rows(opened, "Archive")
        with account.other() as client:
            client.select_folder(account.wire("Archive"))
            move_there(client, client.search(), "INBOX")
        assert (await push(opened)).words == "No new messages"
        assert [one.message_id for one in await rows(opened)] == [row.message_id]
