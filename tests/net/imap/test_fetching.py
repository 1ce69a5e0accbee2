"""Headers, flags, bodies and searches on real sockets: what is asked, in how many turns, and what comes of it."""

from __future__ import annotations

import asyncio

import pytest

from termmail.net.imap.framing import Missing
from termmail.net.imap.refusals import MessageGone
from termmail.net.imap.uid_set import UidSet
from termmail.net.net_errors import Refused, TooLarge
from termmail.net.window import Window
from tests.net.imap.imap_script import FULL, PLAIN, Honest, Mail, header, in_inbox, mails

SEEN = frozenset({"\\Seen"})


async def pages(folder, uids) -> list:
    return [page async for page in folder.fetch_headers(uids)]


async def test_headers_come_in_the_order_asked_in_few_turns():
    honest = Honest(mails(2000))
    async with in_inbox(honest) as folder:
        before = len(honest.writes)
        wanted = [*range(2000, 0, -1)]
        found = await pages(folder, wanted)
        assert [row.uid for page in found for row in page.rows] == wanted
        assert [row.header for row in found[0].rows] == [header(uid) for uid in wanted[:50]]
        assert all(not page.absent and page.refused is None for page in found)
        assert len(honest.writes) - before < len(found)
        row = found[0].rows[0]
        assert (row.size, row.internal_date, row.modseq) == (len(header(2000)) + 7, 1704067200, 2000)


async def test_answers_that_come_together_do_not_stop_what_follows():
    honest = Honest(mails(600))
    held = []

    def answer(words):
        """Of every two answers behind the first, the earlier one waits for the later one."""
        tag = honest.said[-1].split(" ")[0].encode()
        rows = b"".join(honest.sessions[-1]._rows(words)) + tag + b" OK\r\n"
        held.append(rows)
        if len(held) % 2 or len(held) == 7:
            return b"".join(held[-2:] if len(held) > 1 else held)
        return b""

    honest.answers["UID FETCH"] = answer
    async with in_inbox(honest) as folder:
        folder._headers_window = Window(first=50, floor=150, ceiling=150)
        async with asyncio.timeout(20):
            assert len(await pages(folder, range(600, 0, -1))) == 7


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
