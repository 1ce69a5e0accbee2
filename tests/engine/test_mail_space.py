"""What lies on a POP3 server, and deleting it there while it stays here: never without the whole message here."""

from __future__ import annotations

from termmail.demo.faults import Manners
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.mail.model import RemoteState
from termmail.mail.shares import Grouping
from tests.conftest import PASSWORD
from tests.engine.conftest import mail
from tests.views import INBOX, delete

SIZES = {1: 4000, 2: 90_000, 3: 0, 4: 20_000}


def box():
    mails = [mail(number, size=size) for number, size in SIZES.items()]
    mails[3] = mails[3].replace(b"Charles Babbage", b"Ada Byron").replace(b"2026", b"2020")
    return mails


def verbs(server):
    return [heard.line.split()[0].upper() for heard in server.log if heard.line.strip()]


async def test_what_lies_there_is_told_by_size_sender_and_age(pop3_server, engine_at):
    server = await pop3_server(box())
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        largest = await engine.space.shares("ada", Grouping.SIZE)
        assert [one.name for one in largest][:2] == ["Engine part 2 · Charles Babbage", "Engine part 4 · Ada Byron"]
        assert [one.size for one in largest] == sorted(map(len, box()), reverse=True)
        assert all(one.missing == one.count == 1 for one in largest)
        senders = await engine.space.shares("ada", Grouping.SENDER)
        assert [(one.name, one.count, len(one.ids)) for one in senders] == [
            ("Charles Babbage", 3, 3),
            ("Ada Byron", 1, 1),
        ]
        ages = await engine.space.shares("ada", Grouping.AGE)
        assert next(one.name for one in ages) == "older than three years"
        assert sum(one.count for one in ages) == 4


async def test_what_is_deleted_there_stays_here_whole_and_is_fetched_before(pop3_server, engine_at):
    server = await pop3_server(box())
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        largest = (await engine.space.shares("ada", Grouping.SIZE))[0]
        assert await engine.space.free(largest.ids) == {"ada": 1}
        leaving = (await engine.space.shares("ada", Grouping.SIZE))[0]
        assert (leaving.leaving, leaving.ids) == (1, ())
        assert (await engine.accounts.sync("ada")).deleted == 1
        assert verbs(server).index("RETR") < verbs(server).index("DELE")
        assert [len(one.raw) for one in drop.messages] == [len(one) for at, one in enumerate(box()) if at != 1]
        ids = await engine.lists.ids(INBOX)
        assert len(ids) == 4, "it is in the inbox as before"
        assert await engine.reader.raw(largest.ids[0]) == box()[1]
        row = await engine.lists.row(largest.ids[0])
        assert row.state is RemoteState.GONE
        assert len(await engine.space.shares("ada", Grouping.SIZE)) == 3
        await engine.accounts.sync("ada", full=True)
        assert len(await engine.lists.ids(INBOX)) == 4


async def test_a_message_that_cannot_be_fetched_whole_stays_on_the_server(pop3_server, engine_at):
    server = await pop3_server(box(), manners=Manners(answers={"RETR 2": b"-ERR no\r\n"}))
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        ids = list(await engine.lists.ids(INBOX))
        await engine.space.free(ids)
        await engine.accounts.sync("ada")
        assert [one.raw for one in drop.messages] == [box()[1]]
        for row in await engine.lists.rows(INBOX, ids):
            assert row.subject == "Engine part 2" or await engine.reader.peek(row.message_id), row.subject


async def test_what_was_deleted_here_or_is_not_listed_any_more_is_left_alone(pop3_server, engine_at):
    server = await pop3_server(box())
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        ids = list(await engine.lists.ids(INBOX))
        await delete(engine, [ids[0]])
        del drop.messages[0]
        await engine.accounts.sync("ada", full=True)
        counts = await engine.space.free(ids)
        assert counts == {"ada": 2}
        assert await engine.space.free([10**9]) == {}


async def test_with_imap_the_folders_are_told(imap_server, imap_engine_at):
    mailbox = ImapMailbox(PASSWORD, [("Lists", "")])
    for number in (1, 2):
        mailbox.folder("INBOX").add(mail(number))
    mailbox.folder("Lists").add(mail(3, size=50_000))
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        assert engine.space.groupings("ada") == (Grouping.FOLDER,)
        shares = await engine.space.shares("ada", Grouping.FOLDER)
        assert [(one.name, one.count) for one in shares] == [("Lists", 1), ("Inbox", 2)]
        assert shares[0].size == len(mail(3, size=50_000))
        assert not shares[0].ids
