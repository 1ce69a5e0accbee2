"""What one session of the embedded IMAP server changes, others are told at the moments the protocol allows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from termmail.demo.imap_personalities import CYRUS, DOVECOT, GMAIL, ICLOUD, PLAIN
from termmail.net.imap.uid_set import UidSet
from termmail.net.net_errors import NetError, Offline
from tests.demo.imap_client import connected
from tests.demo.test_imapd import DELETED, SEEN, filled, logged_in, raw


@pytest.mark.parametrize("kind", [DOVECOT, GMAIL, PLAIN], ids=["dovecot", "gmail", "plain"])
async def test_a_second_session_is_told_what_the_first_did(imap_server, kind):
    server = await imap_server(filled(), personality=kind)
    async with logged_in(server) as one, logged_in(server) as two:
        first, second = await one.select(b"INBOX"), await two.select(b"INBOX")
        await first.store_flags([2], add=SEEN)
        await first.store_flags([1], add=DELETED)
        await first.expunge([1])
        await one.append(b"INBOX", raw(4))
        await two.noop()
        changes = second.changes()
        assert changes.exists == 3
        if kind is DOVECOT:
            assert changes.vanished == UidSet.of([1])
            assert [(row.uid, row.flags) for row in changes.rows] == [(2, SEEN)]
        else:
            assert changes.expunged == 1
            assert [(row.number, row.flags) for row in changes.rows] == []
            assert changes.incomplete
        assert [row.uid for row in (await second.fetch_flags())[0]] == [2, 3, 4]


async def test_a_session_is_not_told_of_its_own_silent_changes(imap_server):
    server = await imap_server(filled(), personality=PLAIN)
    async with connected(server, select=True) as one, connected(server, select=True) as two:
        assert await one.ask(b"UID STORE 2 +FLAGS.SILENT (\\Seen)") == [b"OK stored"]
        assert await one.ask(b"NOOP") == [b"OK done"]
        assert await two.ask(b"NOOP") == [b"* 2 FETCH (FLAGS (\\Seen))", b"OK done"]
        assert await two.ask(b"NOOP") == [b"OK done"]


async def test_with_condstore_a_silent_store_tells_the_mod_sequence(imap_server):
    mailbox = filled()
    async with connected(await imap_server(mailbox)) as client:
        await client.ask(b"SELECT INBOX (CONDSTORE)")
        modseq = mailbox.folder("INBOX").highestmodseq + 1
        rows = await client.ask(b"UID STORE 2 +FLAGS.SILENT (\\Seen)")
        assert rows == [b"* 2 FETCH (UID 2 MODSEQ (%d))" % modseq, b"OK stored"]


async def test_messages_leave_only_when_numbers_may_change(imap_server):
    mailbox = filled()
    inbox = mailbox.folder("INBOX")
    async with connected(await imap_server(mailbox), select=True) as client:
        inbox.expunge([1])
        inbox.add(raw(4))
        rows = await client.ask(b"FETCH 2 UID")
        assert rows == [b"* 2 FETCH (UID 2)", b"* 4 EXISTS", b"OK fetched"]
        assert await client.ask(b"SEARCH ALL") == [b"* SEARCH 2 3 4", b"OK searched"]
        assert (await client.ask(b"STORE 3 +FLAGS (\\Seen)"))[0] == b"* 3 FETCH (FLAGS (\\Seen))"
        assert await client.ask(b"UID FETCH 3 FLAGS") == [
            b"* 3 FETCH (UID 3 FLAGS (\\Seen))",
            b"* 1 EXPUNGE",
            b"OK fetched",
        ]
        assert await client.ask(b"SEARCH ALL") == [b"* SEARCH 1 2 3", b"OK searched"]


async def test_several_messages_leave_by_their_numbers_at_that_moment(imap_server):
    mailbox = filled(5)
    async with connected(await imap_server(mailbox), select=True) as client:
        mailbox.folder("INBOX").expunge([2, 3, 5])
        assert await client.ask(b"NOOP") == [b"* 5 EXPUNGE", b"* 3 EXPUNGE", b"* 2 EXPUNGE", b"OK done"]


async def test_a_message_that_came_and_went_is_never_told_of(imap_server):
    mailbox = filled()
    async with connected(await imap_server(mailbox), select=True) as client:
        mailbox.folder("INBOX").expunge([mailbox.folder("INBOX").add(raw(4))])
        assert await client.ask(b"NOOP") == [b"OK done"]


# -- IDLE


async def test_an_idling_session_is_told_at_once(imap_server):
    mailbox = filled()
    inbox = mailbox.folder("INBOX")
    server = await imap_server(mailbox)
    async with logged_in(server) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle() as watch:
            inbox.add(raw(4))
            assert await watch.wait(10)
            assert folder.exists == 4
            inbox.store([2], add=SEEN)
            assert await watch.wait(10)
            inbox.expunge([1])
            assert await watch.wait(10)
        changes = folder.changes()
        assert (changes.exists, changes.vanished) == (3, UidSet.of([1]))
        assert [row.uid for row in changes.rows] == [2]
        await session.noop()


async def test_what_happened_before_idle_is_told_when_it_begins(imap_server):
    mailbox = filled()
    async with connected(await imap_server(mailbox), select=True) as client:
        mailbox.folder("INBOX").add(raw(4))
        tag = client.command(b"IDLE")
        assert [await client.line(), await client.line()] == [b"+ idling\r\n", b"* 4 EXISTS\r\n"]
        client.send(b"DONE\r\nlast NOOP\r\n")
        assert await client.answer(tag) == [b"OK idled"]
        assert await client.line() == b"last OK done\r\n"


async def test_a_server_that_pushes_nothing_tells_after_done(imap_server):
    mailbox = filled()
    server = await imap_server(mailbox, personality=replace(DOVECOT, idle_pushes=False))
    async with logged_in(server) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle() as watch:
            mailbox.folder("INBOX").add(raw(4))
            assert not await watch.wait(0.01)
        async with folder.idle() as watch:
            assert await watch.wait(5)
        assert folder.exists == 4


async def test_what_is_no_done_ends_idle_with_bad(imap_server):
    async with connected(await imap_server(filled()), select=True) as client:
        tag = client.command(b"IDLE")
        assert await client.line() == b"+ idling\r\n"
        client.send(b"a NOOP\r\n")
        assert await client.answer(tag) == [b"BAD DONE was expected"]
        assert await client.ask(b"NOOP") == [b"OK done"]


@pytest.mark.parametrize(
    "lose",
    [
        lambda mailbox: mailbox.delete("Sent"),
        lambda mailbox: mailbox.rename("Sent", "Gone"),
        lambda mailbox: mailbox.change_uidvalidity("Sent"),
    ],
    ids=["deleted", "renamed", "renumbered"],
)
@pytest.mark.parametrize("idling", [True, False])
async def test_a_session_whose_folder_is_gone_is_disconnected(imap_server, lose, idling):
    mailbox = filled()
    async with logged_in(await imap_server(mailbox)) as session:
        folder = await session.select(b"Sent")
        if idling:
            with pytest.raises(NetError):
                async with folder.idle() as watch:
                    lose(mailbox)
                    await watch.wait(10)
        else:
            lose(mailbox)
            with pytest.raises(Offline):
                await session.noop()
        assert session.closed


# -- CONDSTORE and QRESYNC


async def test_a_folder_is_opened_with_what_changed_since(imap_server):
    mailbox = filled(5)
    inbox = mailbox.folder("INBOX")
    inbox.expunge([5])
    since = inbox.highestmodseq
    inbox.store([2], add=SEEN)
    inbox.expunge([1, 4])
    inbox.add(raw(6))
    server = await imap_server(mailbox)
    async with logged_in(server) as session:
        folder = await session.select(b"INBOX", qresync=(inbox.uidvalidity, since), arrived_from=6)
        state = folder.state
        assert (state.exists, state.highestmodseq, state.vanished) == (3, inbox.highestmodseq, UidSet.of([1, 4]))
        assert [(row.uid, row.flags) for row in state.changed] == [(2, SEEN), (6, frozenset())]
        assert [row.uid for row in state.arrived] == [6]
        rows, vanished = await folder.fetch_flags(changed_since=since)
        assert ([row.uid for row in rows], vanished) == ([2, 6], UidSet.of([1, 4]))
        other = await session.select(b"INBOX", qresync=(inbox.uidvalidity + 1, since))
        assert (other.state.changed, bool(other.state.vanished)) == ((), False)
    assert server.heard("SELECT")[0] == f"SELECT INBOX (QRESYNC ({inbox.uidvalidity} {since}))"


async def test_gmail_tells_changes_but_not_what_vanished(imap_server):
    mailbox = filled()
    inbox = mailbox.folder("INBOX")
    async with logged_in(await imap_server(mailbox, personality=GMAIL)) as session:
        folder = await session.select(b"INBOX")
        since = folder.state.highestmodseq
        inbox.store([2], add=SEEN)
        inbox.expunge([1])
        rows, vanished = await folder.fetch_flags(changed_since=since)
        assert ([row.uid for row in rows], bool(vanished)) == ([2], False)
        assert folder.changes().expunged == 1


async def test_icloud_forgets_what_vanished_when_it_resyncs(imap_server):
    mailbox = filled()
    inbox = mailbox.folder("INBOX")
    async with connected(await imap_server(mailbox, personality=ICLOUD)) as client:
        await client.ask(b"ENABLE QRESYNC")
        since = inbox.highestmodseq
        inbox.expunge([1])
        rows = await client.ask(b"SELECT INBOX (QRESYNC (%d %d))" % (inbox.uidvalidity, since))
        assert not any(b"VANISHED" in row for row in rows)


async def test_vanished_names_only_what_the_client_asked_for(imap_server):
    mailbox = filled(5)
    inbox = mailbox.folder("INBOX")
    async with connected(await imap_server(mailbox)) as client:
        assert await client.ask(b"ENABLE QRESYNC") == [b"* ENABLED QRESYNC", b"OK enabled"]
        inbox.expunge([1, 2, 5])
        rows = await client.ask(b"SELECT INBOX (QRESYNC (%d 1 2:5))" % inbox.uidvalidity)
        assert b"* VANISHED (EARLIER) 2,5" in rows
        rows = await client.ask(b"UID FETCH 1:2 (FLAGS) (CHANGEDSINCE 1 VANISHED)")
        assert rows == [b"* VANISHED (EARLIER) 1:2", b"OK fetched"]
        rows = await client.ask(b"SELECT INBOX")
        assert rows[0] == b"* OK [CLOSED] closed"


async def test_qresync_must_be_enabled_first(imap_server):
    async with connected(await imap_server(filled())) as client:
        assert (await client.status(b"SELECT INBOX (QRESYNC (1 1))")).startswith(b"BAD")
        await client.ask(b"SELECT INBOX")
        assert (await client.status(b"UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)")).startswith(b"BAD")


async def test_store_leaves_alone_what_changed_meanwhile(imap_server):
    mailbox = filled()
    inbox = mailbox.folder("INBOX")
    since = inbox.highestmodseq
    inbox.store([1], add=SEEN)
    async with connected(await imap_server(mailbox), select=True) as client:
        rows = await client.ask(b"UID STORE 1:2 (UNCHANGEDSINCE %d) +FLAGS.SILENT (\\Flagged)" % since)
        assert rows == [b"* 2 FETCH (UID 2 MODSEQ (%d))" % (since + 2), b"OK [MODIFIED 1] stored in part"]
        assert inbox.messages[1].flags == SEEN


async def test_removals_tell_the_mod_sequence_where_qresync_is_on(imap_server):
    mailbox = filled()
    inbox = mailbox.folder("INBOX")
    async with connected(await imap_server(mailbox)) as client:
        await client.ask(b"ENABLE QRESYNC")
        await client.ask(b"SELECT INBOX")
        trash = mailbox.folder("Trash").uidvalidity
        rows = await client.ask(b"UID MOVE 1:2,9 Trash")
        assert rows == [
            b"* OK [COPYUID %d 1:2 1:2] moved" % trash,
            b"* VANISHED 1:2",
            b"OK [HIGHESTMODSEQ %d] moved" % inbox.highestmodseq,
        ]
        await client.ask(b"UID STORE 3 +FLAGS (\\Deleted)")
        assert (await client.status(b"UID EXPUNGE 3")) == b"OK [HIGHESTMODSEQ %d] expunged" % inbox.highestmodseq
        assert await client.ask(b"UID MOVE 1 Trash") == [b"OK moved"]


# -- OBJECTID


async def test_lasting_ids_follow_copies_and_renamed_folders(imap_server):
    mailbox = filled()
    mailbox.folder("Sent").add(raw(1))
    async with logged_in(await imap_server(mailbox, personality=CYRUS)) as session:
        folder = await session.select(b"INBOX")
        pages = [page async for page in folder.fetch_headers([1, 2])]
        ids = [row.email_id for page in pages for row in page.rows]
        await folder.copy([2], b"Sent")
        sent = await session.select(b"Sent")
        assert sent.state.mailbox_id == (await session.status(b"Sent")).mailbox_id
        pages = [page async for page in sent.fetch_headers([1, 2])]
        others = [row.email_id for page in pages for row in page.rows]
        assert (others[1], len({*ids, *others})) == (ids[1], 3)
        await session.select(b"INBOX")
        await session.rename_folder(b"Sent", b"Post")
        assert (await session.select(b"Post")).state.mailbox_id == sent.state.mailbox_id
        await session.create_folder(b"Sent")
        assert (await session.status(b"Sent")).mailbox_id != sent.state.mailbox_id


# -- many at once


async def test_pipelined_commands_are_answered_in_order_and_in_one_turn(imap_server):
    server = await imap_server(filled())
    async with logged_in(server) as session:
        folder = await session.select(b"INBOX")
        turns = server.turns
        found = await asyncio.gather(
            folder.search_uids(b"ALL"), folder.fetch_flags(), session.list_folders(), folder.search_uids(b"UID", b"2")
        )
        assert server.turns == turns + 1
        assert (len(found[0]), len(found[1][0]), len(found[2]), found[3]) == (3, 3, 6, UidSet.of([2]))
        assert server.at_once == 4
