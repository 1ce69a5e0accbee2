"""A session on real sockets: what is said to the server, in how many turns, and what comes of it."""

from __future__ import annotations

import asyncio

import pytest

from termmail.net.imap.framing import Missing
from termmail.net.imap.refusals import FolderChanged, FolderExists, MessageGone, NoSuchFolder, OverQuota
from termmail.net.imap.uid_set import UidSet
from termmail.net.imap.untagged import AppendUid
from termmail.net.net_errors import Busy, NetError, Offline, Refused, TooLarge
from termmail.net.trace import Trace
from tests.net.imap.imap_script import FULL, PLAIN, Honest, Mail, header, in_inbox, mails, opened

SEEN = frozenset({"\\Seen"})


def without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in FULL if name not in names)


async def pages(folder, uids) -> list:
    return [page async for page in folder.fetch_headers(uids)]


# -- turns


async def test_all_that_a_look_needs_leaves_in_one_write_behind_the_login():
    honest = Honest(mails(3), greeting=b"* OK [CAPABILITY " + " ".join(FULL).encode() + b"] hi\r\n")
    async with opened(honest) as session:
        folder, folders = await asyncio.gather(
            session.select(b"INBOX", qresync=(77, 2), arrived_from=3), session.list_folders()
        )
        assert [len(write) for write in honest.writes] == [1, 5]
        assert honest.commands == [
            "AUTHENTICATE PLAIN AGFkYQBhbmFseXRpY2FsLWVuZ2luZQ==",
            'ID ("name" "termmail")',
            "ENABLE QRESYNC",
            "SELECT INBOX (QRESYNC (77 2))",
            "UID FETCH 3:1002 (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ BODY.PEEK[HEADER])",
            'LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ))',
        ]
        state = folder.state
        assert (state.uidvalidity, state.exists, state.uidnext, state.highestmodseq) == (77, 3, 4, 3)
        assert [row.uid for row in state.changed] == [3]
        assert [row.header for row in state.arrived] == [header(3)]
        assert [one.title for one in folders] == ["INBOX", "Trash", "a b"]
        assert [one.status.messages if one.status else None for one in folders] == [3, 0, None]
        assert [one.selectable for one in folders] == [True, True, False]
        assert session.identity == {"name": "Honest"}
        assert session.enabled == {"QRESYNC"}


async def test_an_old_server_is_asked_what_it_understands():
    honest = Honest(mails(3), capabilities=PLAIN)
    async with opened(honest) as session:
        folder = await session.select(b"INBOX", qresync=(77, 2))
        assert not folder.state.resynced
        folders = await session.list_folders()
        assert await folder.search_uids(b"ALL") == UidSet.of([1, 2, 3])
        assert honest.commands[2:] == [
            "SELECT INBOX",
            'LIST "" "*"',
            "STATUS Trash (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)",
            "UID SEARCH ALL",
        ]
        assert [one.status.messages if one.status else None for one in folders] == [None, 0, None]


async def test_a_server_that_does_not_understand_qresync_is_asked_without():
    honest = Honest(mails(1), answers={"SELECT INBOX (QRESYNC (77 1))": b"TAG BAD what?\r\n"})
    async with opened(honest) as session:
        assert (await session.select(b"INBOX", qresync=(77, 1))).state.exists == 1
        assert (await session.select(b"INBOX", qresync=(77, 1))).state.exists == 1
        assert [line for line in honest.commands if line.startswith("SELECT")] == [
            "SELECT INBOX (QRESYNC (77 1))",
            "SELECT INBOX (CONDSTORE)",
            "SELECT INBOX (CONDSTORE)",
        ]


async def test_icloud_is_not_asked_for_qresync():
    async with opened(Honest(capabilities=(*FULL, "XAPPLEPUSHSERVICE"))) as session:
        await session.select(b"INBOX", qresync=(77, 1))
        assert session._dialogue.error is None
        assert not session.folder.state.resynced


# -- fetch


async def test_headers_come_in_the_order_asked_in_few_turns():
    honest = Honest(mails(2000))
    async with in_inbox(honest) as folder:
        before = len(honest.writes)
        wanted = [*range(2000, 0, -1)]
        found = await pages(folder, wanted)
        assert [row.uid for page in found for row in page.rows] == wanted
        assert [row.header for row in found[0].rows] == [header(uid) for uid in wanted[:50]]
        assert all(not page.absent and page.refused is None for page in found)
        assert len(honest.writes) - before < 8
        row = found[0].rows[0]
        assert (row.size, row.internal_date, row.modseq) == (len(header(2000)) + 7, 1704067200, 2000)


async def test_headers_of_messages_that_are_gone_are_told_as_absent():
    async with in_inbox(Honest(mails(3))) as folder:
        [page] = await pages(folder, [3, 99, 1])
        assert ([row.uid for row in page.rows], page.absent) == ([3, 1], (99,))
        assert await pages(folder, []) == []


async def test_a_refused_fetch_keeps_what_came():
    def answer(words):
        return b"* 1 FETCH (UID 1 BODY[HEADER] {2}\r\n\r\n)\r\nTAG NO some could not be fetched\r\n"

    async with in_inbox(Honest(mails(2), answers={"UID FETCH": answer})) as folder:
        [page] = await pages(folder, [1, 2])
        assert ([row.uid for row in page.rows], page.absent) == ([1], (2,))
        assert isinstance(page.refused, Refused)
        assert page.refused.server_says == "some could not be fetched"


async def test_the_same_message_twice_is_one_row_with_the_first_header_and_the_last_flags():
    def answer(words):
        row = b"* 1 FETCH (UID 1 FLAGS (%b) BODY[HEADER] {4}\r\n%b)\r\n"
        return row % (b"a", b"1\r\n\r") + row % (b"b", b"2\r\n\r") + b"TAG OK\r\n"

    async with in_inbox(Honest(mails(1), answers={"UID FETCH": answer})) as folder:
        [page] = await pages(folder, [1])
        [row] = page.rows
        assert (row.header, row.flags) == (b"1\r\n\r", {"b"})


async def test_a_header_that_is_too_large_hides_no_other():
    honest = Honest(mails(3))
    honest.mails[2].raw = b"X: " + b"x" * (1 << 20) + b"\r\n\r\n"
    async with in_inbox(honest) as folder:
        [page] = await pages(folder, [3, 2, 1])
        assert [row.header for row in page.rows] == [header(3), Missing.TOO_LARGE, header(1)]


async def test_flags_are_told_of_all_or_of_what_changed():
    honest = Honest(mails(5))
    honest.mails[4].flags = {"\\Seen", "Todo"}
    async with in_inbox(honest) as folder:
        rows, vanished = await folder.fetch_flags()
        assert [row.uid for row in rows] == [1, 2, 3, 4, 5]
        assert rows[3].flags == {"\\Seen", "Todo"}
        assert not vanished
        rows, _ = await folder.fetch_flags(UidSet.of([2, 4]))
        assert [row.uid for row in rows] == [2, 4]
        honest.answers["UID FETCH"] = lambda words: b"* VANISHED (EARLIER) 7:9\r\n" + b"TAG OK\r\n"
        rows, vanished = await folder.fetch_flags(changed_since=3)
        assert (rows, vanished) == ([], UidSet.of([7, 8, 9]))
        assert honest.commands[-1] == "UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 3 VANISHED)"
        with pytest.raises(ValueError):
            await folder.fetch_flags(changed_since=0)


async def test_sizes_and_dates_of_all_are_one_command():
    honest = Honest(mails(2))
    async with in_inbox(honest) as folder:
        rows = await folder.fetch_identities()
        assert [(row.uid, row.size, row.internal_date) for row in rows] == [(1, 86, 1704067200), (2, 86, 1704067200)]


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 524_288, 1_500_000])
@pytest.mark.parametrize("told", ["right", "unknown", "too low"])
async def test_a_body_comes_whole_whatever_size_the_server_said(size, told):
    raw = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    honest = Honest({7: Mail(raw)})
    heard = []
    async with in_inbox(honest) as folder:
        said = {"right": size, "unknown": None, "too low": size * 2 // 3}[told]
        assert await folder.fetch_body(7, size=said, progress=lambda *args: heard.append(args)) == raw
        assert heard[-1][0] == size
        assert all("PEEK" in line for line in honest.commands if "BODY" in line)


async def test_pieces_of_a_body_are_put_together_however_the_answers_interleave():
    raw = b"".join(bytes([number]) * 262_144 for number in range(4)) + b"end"
    honest = Honest({7: Mail(raw)})

    def swapped(words):
        """The pieces in pairs, the later one first."""
        begin = int(words.partition("<")[2].partition(".")[0])
        rows = []
        for at in {0: [0], 262_144: [524_288, 262_144], 524_288: [], 786_432: [1_048_576, 786_432]}.get(begin, []):
            part = raw[at : at + 262_144]
            rows.append(b"* 1 FETCH (UID 7 BODY[]<%d> {%d}\r\n%b)\r\n" % (at, len(part), part))
        return b"".join(rows) + b"TAG OK\r\n"

    honest.answers["UID FETCH"] = swapped
    async with in_inbox(honest) as folder:
        assert await folder.fetch_body(7, size=len(raw)) == raw


async def test_a_body_of_twice_its_size_is_too_large():
    async with in_inbox(Honest({7: Mail(b"x" * 3_000_000)})) as folder:
        with pytest.raises(TooLarge):
            await folder.fetch_body(7, size=1_000_000)
        with pytest.raises(TooLarge):
            await folder.fetch_body(7, size=1 << 40)
        assert not folder.closed


async def test_a_message_that_is_gone_is_told():
    async with in_inbox(Honest(mails(1))) as folder:
        with pytest.raises(MessageGone):
            await folder.fetch_body(99)


async def test_a_body_is_fetched_ahead_of_running_headers():
    honest = Honest(mails(3000))
    async with in_inbox(honest) as folder:
        headers = folder.fetch_headers(range(3000, 0, -1))
        await anext(headers)
        assert await folder.fetch_body(1) == honest.mails[1].raw
        assert sum("HEADER" in line for line in honest.commands) < 28
        assert len([page async for page in headers]) == 30


async def test_a_server_that_limits_messages_gets_short_commands():
    honest = Honest(mails(300), capabilities=(*FULL, "MESSAGELIMIT=40"))
    async with in_inbox(honest) as folder:
        found = await pages(folder, list(range(299, 0, -2)))
        assert max(len(page.rows) for page in found[1:]) == 40
        await folder.store_flags(range(1, 301), add=SEEN)
        assert max(map(len, honest.said)) <= 1000
        assert all("\\Seen" in mail.flags for mail in honest.mails.values())


async def test_an_answer_to_search_that_did_not_come_is_not_an_empty_folder():
    for answer in (b"TAG OK\r\n", b"* SEARCH 1 x\r\nTAG OK\r\n", b'* ESEARCH (TAG "other") UID\r\nTAG OK\r\n'):
        async with in_inbox(Honest(mails(3), answers={"UID SEARCH": answer})) as folder:
            with pytest.raises(Refused):
                await folder.search_uids(b"ALL")


async def test_plain_searches_go_one_after_the_other():
    honest = Honest(mails(3), capabilities=PLAIN)
    honest.mails[2].flags = {"\\Deleted"}
    async with in_inbox(honest) as folder:
        found = await asyncio.gather(folder.search_uids(b"ALL"), folder.search_uids(b"DELETED"))
        assert found == [UidSet.of([1, 2, 3]), UidSet.of([2])]
        assert [len(write) for write in honest.writes[-2:]] == [1, 1]


async def test_searches_with_return_go_together():
    honest = Honest(mails(3))
    honest.mails[2].flags = {"\\Deleted"}
    async with in_inbox(honest) as folder:
        found = await asyncio.gather(folder.search_uids(b"ALL"), folder.search_uids(b"DELETED"))
        assert found == [UidSet.of([1, 2, 3]), UidSet.of([2])]
        assert len(honest.writes[-1]) == 2


# -- change


async def test_flags_are_added_and_removed_and_never_replaced():
    honest = Honest(mails(3))
    honest.mails[1].flags = {"Todo", "\\Flagged"}
    async with in_inbox(honest) as folder:
        sent = await folder.store_flags([1, 2], add=SEEN | {"$Forwarded"}, remove=frozenset({"\\Flagged"}))
        assert sent == {"\\Seen", "$Forwarded", "\\Flagged"}
        assert honest.mails[1].flags == {"Todo", "\\Seen", "$Forwarded"}
        assert honest.writes[-1] == [
            "A6 UID STORE 1:2 +FLAGS.SILENT ($Forwarded \\Seen)",
            "A7 UID STORE 1:2 -FLAGS.SILENT (\\Flagged)",
        ]


async def test_flags_that_the_folder_does_not_keep_are_not_sent():
    select = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 77]\r\n* FLAGS (\\Seen a)\r\n* OK [PERMANENTFLAGS (\\seen)]\r\nTAG OK [%b]\r\n"
    honest = Honest(mails(1), answers={"SELECT": select % b"READ-WRITE"})
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        assert await folder.store_flags([1], add=SEEN | {"$Forwarded", "\\Flagged"}) == SEEN
        honest.answers["SELECT"] = select % b"READ-ONLY"
        folder = await session.select(b"INBOX")
        with pytest.raises(Refused):
            await folder.store_flags([1], add=SEEN)


async def test_move_tells_where_messages_went_and_not_of_those_that_had_vanished():
    honest = Honest(mails(5))
    async with in_inbox(honest) as folder:
        copied = await folder.move([1, 3, 99], b"Trash")
        assert (copied.uidvalidity, copied.pairs) == (9, {1: 100, 3: 101})
        assert sorted(honest.mails) == [2, 4, 5]
        assert folder.exists == 3
        assert folder.changes().vanished == UidSet.of([1, 3])
        gone = await folder.move([99], b"Trash")
        assert (gone.uidvalidity, gone.pairs) == (None, {})


async def test_without_move_messages_are_copied_first_and_only_those_are_expunged():
    honest = Honest(mails(3), capabilities=without("MOVE"))
    honest.mails[3].flags = {"\\Deleted"}
    async with in_inbox(honest) as folder:
        copied = await folder.move([1, 99], b"Trash")
        assert copied.pairs == {1: 100}
        assert sorted(honest.mails) == [2, 3]
        assert honest.commands[-3:] == [
            "UID COPY 1,99 Trash",
            "UID STORE 1 +FLAGS.SILENT (\\Deleted)",
            "UID EXPUNGE 1",
        ]


async def test_without_uidplus_nothing_is_expunged_that_another_program_marked():
    honest = Honest(mails(3), capabilities=PLAIN)
    async with in_inbox(honest) as folder:
        await folder.move([1], b"Trash")
        assert sorted(honest.mails) == [2, 3]
        honest.mails[3].flags = {"\\Deleted"}
        with pytest.raises(Refused):
            await folder.move([2], b"Trash")
        with pytest.raises(Refused):
            await folder.expunge([2])
        assert sorted(honest.mails) == [2, 3]
        assert len(honest.trash) == 1
        await folder.expunge([3])
        assert sorted(honest.mails) == [2]


@pytest.mark.parametrize(
    "code", [b"COPYUID 9 1:4 100:103", b"COPYUID 9 1 100:101", b"COPYUID x 1 1", b"COPYUID 9 2 100"]
)
async def test_a_copyuid_that_does_not_add_up_binds_nothing(code):
    async with in_inbox(Honest(mails(2), answers={"UID COPY": b"TAG OK [" + code + b"]\r\n"})) as folder:
        assert (await folder.copy([1], b"Trash")).pairs == {}


async def test_a_missing_target_is_an_error_of_its_own():
    async with in_inbox(Honest(mails(1), answers={"UID MOVE": b"TAG NO [TRYCREATE] no such\r\n"})) as folder:
        with pytest.raises(NoSuchFolder):
            await folder.move([1], b"Nowhere")
        assert not folder.closed


async def test_append_sends_the_message_as_it_is_and_tells_its_number():
    raw = b"Subject: x\r\n\r\nA9 DELETE INBOX\r\n\x00\xff"
    for capabilities in (FULL, PLAIN):
        honest = Honest(capabilities=capabilities)
        async with opened(honest) as session:
            assert await session.append(b"Sent", raw, SEEN, 1704067200) == AppendUid(5, 1)
            assert honest.appended == [raw]
            assert honest.commands[-1] == 'APPEND Sent (\\Seen) " 1-Jan-2024 00:00:00 +0000" {}'
            await session.noop()


async def test_a_message_that_is_larger_than_the_server_takes_is_not_sent():
    honest = Honest(capabilities=(*FULL, "APPENDLIMIT=10"))
    async with opened(honest) as session:
        with pytest.raises(Refused):
            await session.append(b"Sent", b"x" * 11)
        assert honest.appended == []


# -- the folder as time goes by


async def test_no_verb_of_a_folder_that_was_left_is_sent():
    honest = Honest(mails(2))
    async with opened(honest) as session:
        first = await session.select(b"INBOX")
        await session.select(b"Trash")
        said = len(honest.said)
        for verb in (
            first.store_flags([1], add=SEEN),
            first.move([1], b"Trash"),
            first.copy([1], b"Trash"),
            first.expunge([1]),
            first.fetch_body(1),
            first.fetch_flags(),
            first.search_uids(b"ALL"),
            pages(first, [1]),
        ):
            with pytest.raises(FolderChanged):
                await verb
        assert len(honest.said) == said


async def test_a_move_of_several_steps_does_not_go_on_in_another_folder():
    honest = Honest(mails(3), capabilities=without("MOVE"))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.answers["UID COPY"] = b""
        moving = asyncio.create_task(folder.move([1, 2], b"Trash"))
        while not honest.commands[-1].startswith("UID COPY"):
            await asyncio.sleep(0)
        opening = asyncio.create_task(session.select(b"Trash"))
        await asyncio.sleep(0)
        honest.tell(honest.said[-1].split(" ")[0].encode() + b" OK [COPYUID 9 1:2 100:101] done\r\n")
        with pytest.raises(FolderChanged):
            await moving
        await opening
        await session.noop()
        assert not any(line.startswith(("UID STORE", "UID EXPUNGE")) for line in honest.commands)


async def test_headers_of_a_folder_that_was_left_are_not_asked_of_the_next_one():
    honest = Honest(mails(6000))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        rows = folder.fetch_headers(range(6000, 0, -1))
        await anext(rows)
        await session.select(b"Trash")
        with pytest.raises(FolderChanged):
            async for _ in rows:
                pass
        await session.noop()
        selected = honest.commands.index("SELECT Trash (CONDSTORE)")
        assert not any("FETCH" in line for line in honest.commands[selected:])


@pytest.mark.parametrize("told", [b"* OK [UIDVALIDITY 78] new\r\n", b"* OK [CLOSED] gone\r\n"])
async def test_a_folder_whose_numbers_changed_is_changed_no_more(told):
    honest = Honest(mails(2))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.tell(told)
        await session.noop()
        assert folder.closed
        with pytest.raises(FolderChanged):
            await folder.store_flags([1], add=SEEN)


async def test_what_is_told_unasked_is_kept_until_it_is_read():
    honest = Honest(mails(3))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.tell(b"* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (9))\r\n* 1 EXPUNGE\r\n* VANISHED 3\r\n* 4 EXISTS\r\n")
        await session.noop()
        changes = folder.changes()
        assert [row.uid for row in changes.rows] == [2]
        assert (changes.expunged, changes.vanished, changes.exists) == (1, UidSet.of([3]), 4)
        assert changes.incomplete
        assert not folder.changes()


async def test_a_mod_sequence_counts_at_the_tagged_answer_only():
    honest = Honest(mails(3))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        assert folder.highestmodseq == 3
        honest.answers["NOOP"] = b"* 1 FETCH (UID 1 FLAGS () MODSEQ (50))\r\nTAG OK\r\n"
        await session.noop()
        assert folder.highestmodseq == 3
        honest.answers["NOOP"] = b"TAG OK [HIGHESTMODSEQ 60] done\r\n"
        await session.noop()
        assert folder.highestmodseq == 60
        honest.answers["NOOP"] = b"* OK [NOMODSEQ]\r\nTAG OK\r\n"
        await session.noop()
        assert folder.highestmodseq is None


async def test_news_that_come_with_the_answer_to_select_are_news():
    select = b"* 2 EXISTS\r\n* OK [UIDVALIDITY 77]\r\nTAG OK\r\n* 3 EXISTS\r\n"
    async with opened(Honest(answers={"SELECT": select})) as session:
        folder = await session.select(b"INBOX")
        assert (folder.state.exists, folder.exists) == (2, 3)
        assert folder.changes().incomplete


async def test_rows_of_the_folder_before_are_not_taken_for_those_of_the_new_one():
    select = (
        b"* 9 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (\\Deleted))\r\n* OK [CLOSED]\r\n"
        b"* 1 EXISTS\r\n* OK [UIDVALIDITY 77]\r\n* 1 FETCH (UID 5 FLAGS ())\r\nTAG OK\r\n"
    )
    async with opened(Honest(answers={"SELECT": select})) as session:
        folder = await session.select(b"INBOX", qresync=(77, 1))
        assert [row.uid for row in folder.state.changed] == [5]
        assert folder.exists == 1


async def test_a_folder_without_lasting_numbers_is_refused():
    async with opened(Honest(answers={"SELECT": b"* 1 EXISTS\r\nTAG OK\r\n"})) as session:
        with pytest.raises(Refused, match="lasting"):
            await session.select(b"INBOX")
        assert session.folder is None


async def test_idle_says_look_and_the_session_goes_on_behind_it():
    honest = Honest(mails(1))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle() as watch:
            assert not await watch.wait(0.01)
            honest.tell(b"* 2 EXISTS\r\n")
            assert await watch.wait(5)
            assert folder.exists == 2
            assert not await watch.wait(0.01)
        await session.noop()
        assert honest.commands[-1] == "NOOP"


async def test_an_idle_that_is_cancelled_ends_with_done():
    honest = Honest(mails(1))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        begun = asyncio.Event()

        async def watch():
            async with folder.idle() as idle:
                begun.set()
                await idle.wait(60)

        task = asyncio.create_task(watch())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert honest.said[-1] == "DONE"
        await session.noop()


async def test_an_idle_that_the_server_ends_is_told():
    honest = Honest(mails(1))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle() as watch:
            honest.tell(honest.sessions[-1].idle_tag + b" OK enough\r\n")
            assert await watch.wait(5)
        honest.sessions[-1].idle_tag = b""
        await session.noop()
        assert "DONE" not in honest.said


async def test_a_server_that_no_longer_answers_done_is_taken_for_dead(monkeypatch):
    monkeypatch.setattr("termmail.net.imap.idling.DONE_SECONDS", 0.05)
    honest = Honest(mails(1), answers={"IDLE": b"+ idling\r\n", "": b""})
    async with in_inbox(honest) as folder:
        with pytest.raises(Offline, match="no longer answers"):
            async with folder.idle():
                pass
        assert folder.closed


async def test_an_idle_is_not_timed_out():
    honest = Honest(mails(1))
    async with in_inbox(honest, timeout_seconds=0.05) as folder, folder.idle() as watch:
        assert not await watch.wait(0.3)


# -- folders


async def test_folders_are_made_renamed_and_deleted():
    honest = Honest()
    async with opened(honest) as session:
        await session.create_folder(b"Entw&APw-rfe")
        await session.rename_folder(b"a b", b'c"d')
        await session.delete_folder(b"\xff")
        await session.subscribe(b"x")
        await session.unsubscribe(b"x")
        assert await session.status(b"INBOX")
        assert honest.commands[-6:] == [
            "CREATE Entw&APw-rfe",
            'RENAME "a b" "c\\"d"',
            "DELETE {}",
            "SUBSCRIBE x",
            "UNSUBSCRIBE x",
            "STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)",
        ]
        for verb, code, kind in (
            ("CREATE", b"ALREADYEXISTS", FolderExists),
            ("DELETE", b"NONEXISTENT", NoSuchFolder),
            ("RENAME", b"NOPERM", Refused),
            ("SUBSCRIBE", b"UNAVAILABLE", Busy),
            ("APPEND", b"OVERQUOTA", OverQuota),
        ):
            honest.answers[verb] = b"TAG NO [" + code + b"] no\r\n"
            with pytest.raises(kind):
                await {
                    "CREATE": lambda: session.create_folder(b"x"),
                    "DELETE": lambda: session.delete_folder(b"x"),
                    "RENAME": lambda: session.rename_folder(b"x", b"y"),
                    "SUBSCRIBE": lambda: session.subscribe(b"x"),
                    "APPEND": lambda: session.append(b"x", b"y"),
                }[verb]()
        assert not session.closed


@pytest.mark.parametrize("name", [b"../../etc/passwd", b"a\x1b[2Jb", b"a\0b", b"x" * 5000, b"\xff\xfe", b'a"b\\c'])
async def test_strange_names_of_folders_stay_the_bytes_they_are(name):
    row = b'* LIST () "/" {%d}\r\n%b\r\n* STATUS {%d}\r\n%b (MESSAGES 4)\r\nTAG OK\r\n' % (
        len(name),
        name,
        len(name),
        name,
    )
    honest = Honest(answers={"LIST": row})
    async with opened(honest) as session:
        [folder] = await session.list_folders()
        assert folder.name == name
        assert folder.status.messages == 4
        honest.answers["SELECT"] = b"* OK [UIDVALIDITY 1]\r\nTAG OK\r\n"
        assert (await session.select(name)).name == name


async def test_the_inbox_has_no_case():
    rows = b'* LIST () "/" Inbox\r\n* LIST () "/" "INBOX"\r\n* STATUS inBOX (MESSAGES 4)\r\nTAG OK\r\n'
    async with opened(Honest(answers={"LIST": rows})) as session:
        [folder] = await session.list_folders()
        assert (folder.title, folder.status.messages) == ("INBOX", 4)


async def test_the_prefix_of_the_users_folders_is_told():
    answer = b'* NAMESPACE (("INBOX." ".")) NIL NIL\r\nTAG OK\r\n'
    async with opened(Honest(answers={"NAMESPACE": answer})) as session:
        assert (await session.namespace()).personal == ((b"INBOX.", "."),)


async def test_closing_a_folder_expunges_nothing():
    honest = Honest(mails(1))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        await session.close_folder()
        assert folder.closed
        assert honest.commands[-1] == "UNSELECT"


async def test_logout_says_goodbye_and_a_silent_server_does_not_hold_it_up(monkeypatch):
    honest = Honest()
    async with opened(honest) as session:
        await session.logout()
        assert session.closed
        assert honest.commands[-1] == "LOGOUT"
    monkeypatch.setattr("termmail.net.imap.imap_session.LOGOUT_SECONDS", 0.05)
    async with opened(Honest(answers={"LOGOUT": b""})) as session:
        await session.logout()
        assert session.closed


async def test_an_alert_is_kept_for_the_user():
    async with opened(Honest()) as session:
        session._dialogue._received(b"* OK [ALERT] Your \x1b[1mmailbox\x1b[0m is 90% full\r\n")
        assert session.alerts == ["Your �[1mmailbox�[0m is 90% full"]


async def test_a_trace_holds_no_mail_and_few_rows():
    trace = Trace()
    honest = Honest(mails(200))
    async with opened(honest, trace) as session:
        folder = await session.select(b"INBOX")
        await pages(folder, list(range(1, 201)))
        text = str(trace)
        assert "Number 1" not in text
        assert "BODY[HEADER] {" in text
        assert "more untagged responses" in text
        assert len(trace.lines) < 150


async def test_a_cancel_closes_the_connection():
    honest = Honest(mails(1), answers={"UID SEARCH": b""})
    async with in_inbox(honest) as folder:
        task = asyncio.create_task(folder.search_uids(b"ALL"))
        while honest.commands[-1] != "UID SEARCH RETURN (ALL) ALL":
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert folder.closed
        with pytest.raises(NetError):
            await folder.search_uids(b"ALL")
