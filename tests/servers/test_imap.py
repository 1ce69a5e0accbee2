"""An IMAP session with Dovecot, and IMAPClient as the second client: what ours does the other one sees."""

import asyncio
import time

import pytest

from termmail.net.imap.command_writer import LiteralMode
from termmail.net.imap.features import Features
from termmail.net.imap.folder_names import encode_name
from termmail.net.imap.imap_session import ImapSession
from termmail.net.imap.refusals import FolderExists, MessageGone, NoSuchFolder
from termmail.net.imap.uid_set import UidSet
from termmail.net.net_errors import LoginRefused, NetError, Refused
from termmail.net.trace import Trace
from tests.servers import imap_daemon
from tests.servers.imap_account import mail

pytestmark = pytest.mark.servers

DELETED, SEEN = frozenset({"\\Deleted"}), frozenset({"\\Seen"})


async def headers(folder, uids) -> dict:
    return {row.uid: row async for page in folder.fetch_headers(uids) for row in page.rows}


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_headers_and_bodies_are_what_the_other_client_reads(imap_account, security):
    imap_account.put(120)
    async with imap_account.session(security=security) as session:
        folder = await session.select(b"INBOX")
        uids = list(await folder.search_uids(b"ALL"))
        found = await headers(folder, uids[::-1])
        assert list(found) == uids[::-1]
        body = await folder.fetch_body(uids[7], size=found[uids[7]].size)
        with imap_account.other() as client:
            client.select_folder("INBOX", readonly=True)
            theirs = client.fetch(uids, ["BODY.PEEK[HEADER]", "RFC822.SIZE", "INTERNALDATE", "FLAGS", "MODSEQ"])
            assert client.fetch([uids[7]], ["BODY.PEEK[]"])[uids[7]][b"BODY[]"] == body == mail(8)
        for uid, row in found.items():
            assert row.header == theirs[uid][b"BODY[HEADER]"]
            assert row.size == theirs[uid][b"RFC822.SIZE"]
            assert row.modseq == theirs[uid][b"MODSEQ"][0]
            assert row.internal_date == int(time.mktime(theirs[uid][b"INTERNALDATE"].timetuple()))
        assert session.odd_responses == 0


async def test_a_look_is_two_turns_and_tells_what_changed_since(imap_account):
    imap_account.put(5)
    async with imap_account.session() as session:
        state = (await session.select(b"INBOX")).state
        assert (state.exists, state.read_only) == (5, False)
    with imap_account.other() as client:
        client.select_folder("INBOX")
        client.add_flags([2], [b"\\Seen", b"$Forwarded"])
        client.delete_messages([3])
        client.expunge([3])
        client.append("INBOX", mail(6))
    trace = Trace()
    async with imap_account.session(trace) as session:
        before = sum(line.direction == ">" for line in trace.lines)
        folder, folders = await asyncio.gather(
            session.select(b"INBOX", qresync=(state.uidvalidity, state.highestmodseq), arrived_from=state.uidnext),
            session.list_folders(),
        )
        now = folder.state
        sent = [line for line in trace.lines if line.direction == ">"][before:]
        assert len(sent) == 5
        assert sent[-1].time - sent[0].time < 0.05
        assert now.resynced
        assert {row.uid: row.flags for row in now.changed} == {2: {"\\Seen", "$Forwarded"}, 6: frozenset()}
        assert now.vanished == UidSet.of([3])
        assert [(row.uid, row.header) for row in now.arrived] == [(6, mail(6).partition(b"Dear")[0])]
        assert now.exists == state.exists - len(now.vanished) + len(now.arrived)
        roles = {one.title: one.attributes for one in folders}
        assert {r"\trash"} <= roles["Trash"]
        assert {one.title for one in folders} == {"INBOX", *imap_daemon.ROLES}
        status = next(one.status for one in folders if one.title == "INBOX")
        assert (status.messages, status.uidnext, status.uidvalidity) == (5, 7, state.uidvalidity)
        assert status.highestmodseq == now.highestmodseq > state.highestmodseq


async def test_the_flags_of_ours_are_those_the_other_sees_and_its_own_stay(imap_account):
    imap_account.put(3)
    with imap_account.other() as client:
        client.select_folder("INBOX")
        client.add_flags([1], [b"Todo"])
        async with imap_account.session() as session:
            folder = await session.select(b"INBOX")
            assert await folder.store_flags([1, 2], add=SEEN | {"$Forwarded"}) == SEEN | {"$Forwarded"}
            await folder.store_flags([2], remove=SEEN)
            rows, _ = await folder.fetch_flags()
            assert [row.flags - {"\\Recent"} for row in rows] == [
                {"\\Seen", "Todo", "$Forwarded"},
                {"$Forwarded"},
                frozenset(),
            ]
        flags = client.get_flags([1, 2, 3])
        assert {uid: set(found) - {b"\\Recent"} for uid, found in flags.items()} == {
            1: {b"\\Seen", b"Todo", b"$Forwarded"},
            2: {b"$Forwarded"},
            3: set(),
        }


async def test_moved_messages_are_where_copyuid_says(imap_account):
    imap_account.put(4)
    async with imap_account.session() as session:
        folder = await session.select(b"INBOX")
        moved = await folder.move([2, 4, 99], b"Trash")
        assert sorted(moved.pairs) == [2, 4]
        assert folder.exists == 2
        assert folder.changes().vanished == UidSet.of([2, 4])
        assert (await folder.move([2], b"Trash")).pairs == {}
        with pytest.raises(NoSuchFolder):
            await folder.move([1], b"Nowhere")
        with pytest.raises(MessageGone):
            await folder.fetch_body(2)
        copied = await folder.copy([1], b"Archive")
        with imap_account.other() as client:
            assert client.select_folder("Trash")[b"UIDVALIDITY"] == moved.uidvalidity
            for old, new in moved.pairs.items():
                assert client.fetch([new], ["BODY.PEEK[]"])[new][b"BODY[]"] == mail(old)
            client.select_folder("Archive")
            assert client.search() == list(copied.pairs.values())


@pytest.mark.parametrize("less", [{"MOVE"}, {"MOVE", "UIDPLUS"}])
async def test_without_move_and_uidplus_the_outcome_is_the_same(imap_account, less):
    imap_account.put(3)
    async with imap_account.session() as session:
        session.features = Features(session.features.names - less)
        folder = await session.select(b"INBOX")
        await folder.move([2], b"Trash")
        assert list(await folder.search_uids(b"ALL")) == [1, 3]
    with imap_account.other() as client:
        client.select_folder("Trash")
        assert len(client.search()) == 1


async def test_expunge_takes_only_what_was_named(imap_account):
    imap_account.put(3)
    with imap_account.other() as client:
        client.select_folder("INBOX")
        client.add_flags([3], [b"\\Deleted"])
    async with imap_account.session() as session:
        folder = await session.select(b"INBOX")
        await folder.store_flags([1], add=DELETED)
        await folder.expunge([1])
        assert await folder.search_uids(b"ALL") == UidSet.of([2, 3])


@pytest.mark.parametrize("literals", [set(), {"LITERAL+"}])
async def test_what_was_appended_is_what_the_other_reads(imap_account, literals):
    raw = mail(1, 300_000) + b"A9 DELETE INBOX\r\n"
    async with imap_account.session() as session:
        if literals:
            session._dialogue.literals(LiteralMode.WAIT)
        told = await session.append(b"Sent", raw, SEEN | {"$Forwarded"}, 1_700_000_000)
        again = await session.append(b"Sent", raw)
        with pytest.raises(NoSuchFolder):
            await session.append(b"Nowhere", raw)
        await session.noop()
    with imap_account.other() as client:
        assert client.select_folder("Sent")[b"UIDVALIDITY"] == told.uidvalidity
        found = client.fetch([told.uid, again.uid], ["BODY.PEEK[]", "FLAGS", "INTERNALDATE"])
        assert found[told.uid][b"BODY[]"] == found[again.uid][b"BODY[]"] == raw
        assert {b"\\Seen", b"$Forwarded"} <= set(found[told.uid][b"FLAGS"])
        assert int(time.mktime(found[told.uid][b"INTERNALDATE"].timetuple())) == 1_700_000_000


async def test_a_large_body_comes_whole_in_pieces(imap_account):
    raw = mail(1, 3_000_000)
    told = []
    async with imap_account.session() as session:
        await session.append(b"INBOX", raw)
        folder = await session.select(b"INBOX")
        assert await folder.fetch_body(1, size=len(raw), progress=lambda *seen: told.append(seen)) == raw
        assert await folder.fetch_body(1) == raw
        assert len(told) > 10
        assert told[-1] == (len(raw), len(raw))
        rows, _ = await folder.fetch_flags()
        assert "\\Seen" not in rows[0].flags


async def test_idle_tells_of_mail_that_the_other_put_there(imap_account):
    imap_account.put(1)
    async with imap_account.session() as session:
        folder = await session.select(b"INBOX")
        async with folder.idle() as watch:
            imap_account.put(1, first=2)
            assert await watch.wait(20)
        assert folder.exists == 2
        assert await folder.search_uids(b"ALL") == UidSet.of([1, 2])


async def test_folders_with_foreign_names_are_the_same_for_both(imap_account):
    names = ["Entwürfe & Müll", "日本語", "a*b%c", 'quo"te\\', "x" * 200, "{5}", "NIL", "tab le"]
    async with imap_account.session() as session:
        for name in names:
            await session.create_folder(encode_name(name))
        with pytest.raises(FolderExists):
            await session.create_folder(encode_name(names[0]))
        listed = {one.title: one for one in await session.list_folders()}
        assert set(names) <= set(listed)
        assert all(listed[name].status.messages == 0 for name in names)
        await session.rename_folder(encode_name("日本語"), encode_name("中文"))
        await session.subscribe(encode_name("中文"))
        for name in names[2:]:
            folder = await session.select(listed[name].name)
            assert folder.exists == 0
        await session.close_folder()
        await session.delete_folder(encode_name("a*b%c"))
        with pytest.raises(Refused):  # Dovecot gives no code here
            await session.select(encode_name("a*b%c"))
        assert (await session.namespace()).personal == ((b"", "/"),)
    with imap_account.other() as client:
        theirs = {name for _, _, name in client.list_folders()}
        assert {"Entwürfe & Müll", "中文", 'quo"te\\', "x" * 200} <= theirs
        assert theirs.isdisjoint({"日本語", "a*b%c"})
        assert [name for _, _, name in client.list_sub_folders()] == ["中文"]


async def test_without_extensions_everything_still_works(imap_account):
    imap_account.put(3)
    async with imap_account.session() as session:
        session.features = Features(frozenset({"IMAP4REV1"}))
        session._resyncs = False
        folder = await session.select(b"INBOX")
        assert list(await headers(folder, [3, 2, 1])) == [3, 2, 1]
        assert await folder.search_uids(b"ALL") == UidSet.of([1, 2, 3])
        folders = await session.list_folders()
        assert {one.title: one.status.messages if one.status else None for one in folders} == {
            "INBOX": None,
            **dict.fromkeys(imap_daemon.ROLES, 0),
        }


async def test_a_wrong_password_is_told_and_clear_text_is_refused(imap_account):
    trace = Trace()
    with pytest.raises(LoginRefused):
        await ImapSession.open(imap_account.server(password="wrong-password"), trace)
    assert "wrong-password" not in str(trace)
    with pytest.raises(NetError, match="Without TLS"):
        await ImapSession.open(imap_account.server("none"))


async def test_scram_logs_in_without_tls(imap_account):
    trace = Trace()
    async with imap_account.session(trace, security="none", allow_cleartext=True) as session:
        assert (await session.status(b"INBOX")).messages == 0
    assert "AUTHENTICATE SCRAM-SHA-256" in str(trace)


async def test_a_folder_deleted_by_the_other_ends_in_an_error_and_nothing_else(imap_account):
    async with imap_account.session() as session:
        await session.create_folder(b"gone")
        await session.append(b"gone", mail(1))
        folder = await session.select(b"gone")
        with imap_account.other() as client:
            client.delete_folder("gone")
        with pytest.raises(NetError):
            await folder.fetch_flags()
            await folder.store_flags([1], add=SEEN)
            await folder.move([1], b"Trash")
