"""Gmail: labels are folders, All Mail is the archive, and one message is one row whatever labels it has."""

from __future__ import annotations

import re

import pytest

from termmail.demo.faults import Manners
from termmail.demo.gmail_mailbox import GmailMailbox
from termmail.demo.imap_personalities import GMAIL
from termmail.mail.model import StepKind
from tests.conftest import PASSWORD
from tests.engine.conftest import mail
from tests.engine.test_imap import by_subject, rows, subject_of

ALL_MAIL, TRASH = "[Gmail]/All Mail", "[Gmail]/Trash"


@pytest.fixture
def mailbox():
    """Eight messages in the inbox, the first two labelled, and one that is archived."""
    made = GmailMailbox(PASSWORD, ["Receipts"])
    for number in range(1, 9):
        made.folder("INBOX").add(mail(number), [], 1_700_000_000 + number)
    inbox = made.folder("INBOX")
    inbox.copy([1, 2], made.folder("Receipts"))
    made.folder(ALL_MAIL).add(mail(20), ["\\Seen"], 1_700_000_020)
    return made


def labels(mailbox, number: int) -> set[str]:
    return {
        name.decode()
        for name, folder in mailbox.folders.items()
        for one in folder.messages.values()
        if subject_of(one.raw) == f"Engine part {number}"
    }


async def test_a_message_with_labels_is_one_row(mailbox, imap_server, imap_engine_at):
    server = await imap_server(mailbox, personality=GMAIL)
    async with imap_engine_at(server.port) as engine:
        assert (await engine.accounts.sync("ada")).new == 9
        inbox, receipts, archive = [await by_subject(engine, name) for name in ("Inbox", "Receipts", "Archive")]
        assert len(archive) == 9
        assert inbox["Engine part 1"].message_id == receipts["Engine part 1"].message_id
        assert inbox["Engine part 1"].message_id == archive["Engine part 1"].message_id
        assert (await engine.accounts.sync("ada", full=True)).words == "No new messages"


async def test_archive_star_label_and_delete_are_what_gmail_means_by_them(mailbox, imap_server, imap_engine_at):
    server = await imap_server(mailbox, personality=GMAIL)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        found = await by_subject(engine)
        receipts = await engine.folders.by_name("ada", "Receipts")
        await engine.messages.archive([found["Engine part 1"].placement])
        await engine.messages.mark([found["Engine part 2"].message_id], StepKind.STAR)
        await engine.messages.delete([found["Engine part 3"].placement])
        await engine.messages.move([found["Engine part 4"].placement], receipts.folder_id)
        await engine.messages.junk([found["Engine part 5"].placement])
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        assert labels(mailbox, 1) == {"Receipts", ALL_MAIL}
        assert labels(mailbox, 3) == {TRASH}
        assert labels(mailbox, 4) == {"Receipts", ALL_MAIL}
        assert labels(mailbox, 5) == {"[Gmail]/Spam"}
        assert "\\Flagged" in mailbox.folder(ALL_MAIL).messages[2].flags
        assert set(await by_subject(engine)) == {f"Engine part {number}" for number in (2, 6, 7, 8)}
        assert set(await by_subject(engine, "Trash")) == {"Engine part 3"}
        assert "Engine part 3" not in await by_subject(engine, "Archive")
        assert (await engine.accounts.sync("ada", full=True)).words == "No new messages"
        await engine.journal.undo()  # of junk
        await engine.accounts.sync("ada", full=True)
        assert labels(mailbox, 5) == {"INBOX", ALL_MAIL}


async def test_what_gmail_does_elsewhere_is_seen(mailbox, imap_server, imap_engine_at):
    server = await imap_server(mailbox, personality=GMAIL)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        before = await by_subject(engine)
        inbox = mailbox.folder("INBOX")
        inbox.expunge([6])  # archived
        inbox.store([7], add=["\\Seen"])
        inbox.move([8], mailbox.folder(TRASH))
        mailbox.folder(ALL_MAIL).copy([9], mailbox.folder("Receipts"))
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
        now = await by_subject(engine)
        assert set(before) - set(now) == {"Engine part 6", "Engine part 8"}
        assert not now["Engine part 7"].unread
        assert "Engine part 6" in await by_subject(engine, "Archive")
        assert (await by_subject(engine, "Trash"))["Engine part 8"].message_id == before["Engine part 8"].message_id
        assert len(await rows(engine, "Receipts")) == 3


async def test_a_lasting_id_may_have_64_bits(mailbox, imap_server, imap_engine_at):
    def told(_verb: str, said: list[bytes]) -> list[bytes]:
        high = 2**64 - 1
        return [re.sub(rb"(?<=X-GM-MSGID )\d+", lambda found: b"%d" % (high - int(found[0])), line) for line in said]

    server = await imap_server(mailbox, personality=GMAIL, manners=Manners(rows=told))
    async with imap_engine_at(server.port) as engine:
        assert (await engine.accounts.sync("ada")).new == 9
        assert len(await rows(engine, "Archive")) == 9


def headers(server) -> int:
    """How many header blocks the server was asked for."""
    asked = [line.line for line in server.log if "BODY.PEEK[HEADER]" in line.line]
    return sum(
        int(last or first) - int(first) + 1
        for line in asked
        for first, last in re.findall(r"(\d+)(?::(\d+))?(?=[, ])", line.partition("FETCH ")[2].partition(" (")[0] + " ")
    )


async def test_each_header_is_fetched_once_whatever_labels_a_message_has(mailbox, imap_server, imap_engine_at):
    server = await imap_server(mailbox, personality=GMAIL)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        assert headers(server) == 9
        begin = len(server.log)
        mailbox.folder("Receipts").add(mail(30), [], 1_700_000_030)
        mailbox.folder("INBOX").copy([3, 4], mailbox.folder("Receipts"))
        await engine.accounts.sync("ada")
        asked = [one.line for one in server.log[begin:] if "BODY.PEEK[HEADER]" in one.line]
        assert [line.split()[2] for line in asked] == ["9:1008", "10"]  # what is new in the inbox, and in All Mail
        assert set(await by_subject(engine, "Receipts")) == {f"Engine part {number}" for number in (1, 2, 3, 4, 30)}
        assert len(await rows(engine, "Archive")) == 10


@pytest.mark.parametrize("wrong", [b"7", b"0", b"18446744073709551615"])
async def test_one_id_for_all_messages_hides_and_moves_none(wrong, mailbox, imap_server, imap_engine_at):
    """Deleting one message in the list must not take the others of that id with it."""
    server = await imap_server(
        mailbox,
        personality=GMAIL,
        manners=Manners(rows=lambda _, rows: [re.sub(rb"X-GM-MSGID \d+", b"X-GM-MSGID " + wrong, row) for row in rows]),
    )
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        assert [len(await rows(engine, name)) for name in ("Inbox", "Receipts", "Archive")] == [8, 2, 9]
        assert (await engine.accounts.sync("ada", full=True)).words == "No new messages"
        await engine.messages.delete([(await by_subject(engine))["Engine part 3"].placement])
        await engine.accounts.sync("ada", full=True)
        assert [subject_of(one.raw) for one in mailbox.folder(TRASH).messages.values()] == ["Engine part 3"]
        assert len(mailbox.folder("INBOX").messages) == 7
        assert len(mailbox.folder("Receipts").messages) == 2
