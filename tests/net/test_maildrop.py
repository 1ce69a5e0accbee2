"""A session on real sockets: lists, headers ahead, whole messages, deletes; and servers that lie, stall and die."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from termmail.net.bulk import Window
from termmail.net.errors import NetError, Offline, ProtocolError, Refused, TooLarge
from termmail.net.maildrop import Listed, Maildrop
from termmail.net.trace import Trace
from tests.net.pop3_script import CAPA, Honest, Talk, mail, rows, scripted, stuffed
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ONE_BY_ONE = ("TOP", "UIDL", "SASL PLAIN")


@contextlib.asynccontextmanager
async def opened(honest: Honest, *, list_too: bool = False, **options) -> AsyncIterator[Maildrop]:
    async with honest.running():
        drop = await Maildrop.open(honest.where(**options), list_too=list_too)
        try:
            yield drop
        finally:
            await drop.close()


def header(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


async def collect(stream) -> list:
    return [item async for item in stream]


# -- lists


async def test_a_listing_has_number_size_and_uidl_of_each():
    mails = [mail(n) for n in range(1, 4)]
    async with opened(Honest(mails)) as drop:
        assert (drop.count, drop.size) == (3, sum(map(len, mails)))
        assert await drop.listing() == [Listed(n, len(mails[n - 1]), f"uid-{n}".encode()) for n in (1, 2, 3)]
        assert drop.odd_rows == 0


async def test_with_list_too_the_list_comes_with_the_login():
    honest = Honest([mail(1)])
    async with opened(honest, list_too=True) as drop:
        turns = honest.turns
        assert len(await drop.listing()) == 1
        assert honest.turns == turns == 2
        assert honest.said[1].startswith(b"AUTH")
        assert honest.verbs()[2:] == ["CAPA", "STAT", "UIDL", "LIST"]


async def test_rows_with_odd_numbers_are_left_out_and_counted():
    """P5"""
    odd = ("-1 5", "0 5", "1e3 5", "18446744073709551616 5", "٣ 5", "1 77", "hello", "99 5")
    honest = Honest([mail(1), mail(2)], answers={"LIST": rows("1 10", *odd, "2 20")})
    honest.answers["UIDL"] = rows("1 a", "2 b", "99 c")
    async with opened(honest) as drop:
        assert [(one.number, one.size) for one in await drop.listing()] == [(1, 10), (2, 20)]
        assert drop.odd_rows == len(odd)


@pytest.mark.parametrize(
    ("stat", "sizes", "names", "agreed"),
    [
        (2, (1, 2, 3), (1, 2, 3), [1, 2, 3]),
        (3, (1, 2), (1, 2, 3), [1, 2]),
        (3, (1, 2, 3), (2, 3), [2, 3]),
        (0, (1,), (1,), [1]),
        (3, (), (1, 2), []),
    ],
)
async def test_where_stat_list_and_uidl_disagree_list_and_uidl_together_win(stat, sizes, names, agreed):
    """P6"""
    answers = {
        "STAT": f"+OK {stat} 100\r\n".encode(),
        "LIST": rows(*(f"{n} 10" for n in sizes)),
        "UIDL": rows(*(f"{n} u{n}" for n in names)),
    }
    async with opened(Honest([mail(1)], answers=answers)) as drop:
        assert [one.number for one in await drop.listing()] == agreed
        assert drop.odd_rows == len({*sizes, *names}) - len(agreed)


async def test_odd_uidls_stay_the_bytes_they_are():
    """P7, P8: long, blank, doubled, with NUL, ESC and ../ in them."""
    names = [b"u" * 5000, b"", b"../../x", b"a\0b", b"\x1b[2J", b"same", b"same", b"with blanks in it", b"\xff\xfe"]
    honest = Honest([mail(n) for n in range(1, 10)])
    honest.answers["UIDL"] = rows(*(b"%d %s" % (n, name) for n, name in enumerate(names, 1)))
    async with opened(honest) as drop:
        assert [one.uidl for one in await drop.listing()] == names


async def test_without_uidl_messages_have_no_name_and_nothing_is_lost():
    """P10"""
    honest = Honest([mail(1)], capabilities=None, answers={"UIDL": b"-ERR what?\r\n"})
    async with opened(honest) as drop:
        assert await drop.listing() == [Listed(1, len(mail(1)), b"")]
        assert not drop.has_uidl
        assert await drop.uidl(1) is None
        assert await drop.listing() == [Listed(1, len(mail(1)), b"")]
        assert [line for line in honest.said if line == b"UIDL"] == [b"UIDL"]


async def test_a_server_that_does_not_announce_uidl_is_not_asked_for_it():
    honest = Honest([mail(1)], capabilities=("TOP", "PIPELINING", "SASL PLAIN"))
    async with opened(honest, list_too=True) as drop:
        assert [one.uidl for one in await drop.listing()] == [b""]
        assert b"UIDL" not in honest.said


async def test_an_endless_list_ends_the_session():
    """P2"""
    honest = Honest([mail(1)], answers={"LIST": b"+OK\r\n" + b"1 10\r\n" * 3000 + b".\r\n"})
    async with opened(honest) as drop:
        with pytest.raises(ProtocolError):
            await drop.listing()
        assert drop.closed


async def test_a_large_maildrop_is_listed_with_two_commands_and_without_holding_up_the_loop():
    """P22"""
    honest = Honest([mail(1)])
    count = 100_000
    honest.answers = {
        "STAT": b"+OK %d 1000000\r\n" % count,
        "LIST": rows(*(f"{n} 10" for n in range(1, count + 1))),
        "UIDL": rows(*(f"{n} u{n}" for n in range(1, count + 1))),
    }
    async with opened(honest) as drop:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(beat())
        said = len(honest.said)
        assert len(await drop.listing()) == count
        task.cancel()
        assert len(honest.said) == said + 2
        assert beats > 40


async def test_one_uidl_tells_whether_a_number_still_is_the_message():
    async with opened(Honest([mail(1), mail(2)])) as drop:
        assert await drop.uidl(2) == b"uid-2"
        assert await drop.uidl(1) == b"uid-1"
        assert await drop.uidl(3) is None
        assert not drop.closed


async def test_an_answer_for_another_number_ends_the_session():
    """P21"""
    async with opened(Honest([mail(1)], answers={"UIDL 1": b"+OK 2 uid-2\r\n"})) as drop:
        with pytest.raises(ProtocolError):
            await drop.uidl(1)
        assert drop.closed


@pytest.mark.parametrize("text", [b"", b"x y", b"-1 5", b"1e3 5"])
async def test_a_stat_that_is_no_number_ends_the_session(text):
    """P5"""
    honest = Honest([mail(1)], answers={"STAT": b"+OK " + text + b"\r\n"})
    async with honest.running():
        with pytest.raises(ProtocolError):
            await Maildrop.open(honest.where())


# -- headers


@pytest.mark.parametrize("capabilities", [CAPA, ONE_BY_ONE])
async def test_headers_come_in_the_order_asked_and_byte_for_byte(capabilities):
    mails = [mail(n) for n in range(1, 301)]
    honest = Honest(mails, capabilities)
    async with opened(honest) as drop:
        newest_first = (await drop.listing())[::-1]
        got = await collect(drop.headers(newest_first))
        assert got == [(one, header(mails[one.number - 1])) for one in newest_first]
        assert (honest.most_unanswered > 1) == ("PIPELINING" in capabilities)
        assert not drop.said_no_top


async def test_the_first_page_is_asked_for_alone_and_comes_before_the_rest_is_asked_for():
    honest = Honest([mail(n) for n in range(1, 201)])
    async with opened(honest) as drop:
        listed = await drop.listing()
        async for _ in drop.headers(listed):
            break
        assert honest.verbs().count("TOP") == 50


async def test_a_message_that_is_gone_is_passed_over_and_the_others_come():
    """P11"""
    mails = [mail(n) for n in range(1, 101)]
    honest = Honest(mails, answers={"TOP 7 0": b"-ERR gone\r\n"})
    async with opened(honest) as drop:
        got = await collect(drop.headers(await drop.listing()))
        assert [one.number for one, answer in got if isinstance(answer, Refused)] == [7]
        assert sum(isinstance(answer, bytes) for _, answer in got) == 99
        assert honest.said.count(b"TOP 7 0") == 1
        assert not drop.closed


@pytest.mark.parametrize("capabilities", [CAPA, ONE_BY_ONE, None])
async def test_where_top_is_refused_headers_come_by_retr(capabilities):
    mails = [mail(n) for n in range(1, 101)]
    async with opened(Honest(mails, capabilities, answers={"TOP": b"-ERR what?\r\n"})) as drop:
        got = await collect(drop.headers(await drop.listing()))
        assert [answer for _, answer in got] == [header(raw) for raw in mails]
        assert drop.said_no_top
        assert not drop.has_top


async def test_where_top_is_not_announced_it_is_not_tried():
    honest = Honest([mail(1)], capabilities=("UIDL", "SASL PLAIN"))
    async with opened(honest) as drop:
        assert await collect(drop.headers(await drop.listing())) == [
            (Listed(1, len(mail(1)), b"uid-1"), header(mail(1)))
        ]
        assert "TOP" not in honest.verbs()


async def test_a_first_message_that_is_gone_does_not_make_termmail_give_up_top():
    """P11"""
    mails = [mail(1), mail(2), mail(3)]
    honest = Honest(mails, capabilities=None, answers={"TOP 3 0": b"-ERR gone\r\n", "RETR 3": b"-ERR gone\r\n"})
    async with opened(honest) as drop:
        got = await collect(drop.headers((await drop.listing())[::-1]))
        assert [type(answer) for _, answer in got] == [Refused, bytes, bytes]
        assert not drop.said_no_top


async def test_a_header_block_that_is_too_large_is_passed_over_and_the_others_come():
    """P3, P4"""
    huge = b"+OK\r\n" + b"X-Long: " + b"x" * (1 << 20) + b"\r\n\r\n.\r\n"
    async with opened(Honest([mail(1), mail(2), mail(3)], answers={"TOP 2 0": huge})) as drop:
        got = await collect(drop.headers(await drop.listing()))
        assert [type(answer) for _, answer in got] == [bytes, TooLarge, bytes]


async def test_what_came_before_the_line_broke_is_handed_out():
    """P14"""
    honest = Honest([mail(n) for n in range(1, 11)], answers={"TOP 6 0": b"+OK\r\nSubj" + b"DROP"})
    async with opened(honest) as drop:
        got = []
        with pytest.raises(Offline):
            async for one, answer in drop.headers(await drop.listing()):
                got.append((one.number, answer))
        assert got == [(n, header(mail(n))) for n in range(1, 6)]
        assert drop.closed


async def test_stopping_in_the_middle_leaves_a_session_that_can_be_used():
    honest = Honest([mail(n) for n in range(1, 301)])
    async with opened(honest) as drop:
        listed = await drop.listing()
        async with contextlib.aclosing(drop.headers(listed)) as stream:
            async for _ in stream:
                break
        assert await drop.retrieve_one(listed[4]) == mail(5)
        assert await drop.uidl(9) == b"uid-9"
        assert [answer for _, answer in await collect(drop.headers(listed[:3]))] == [header(mail(n)) for n in (1, 2, 3)]


async def test_stopping_under_a_full_pipe_does_not_hold_up_what_comes_next():
    mails = [mail(n, size=300_000) for n in range(1, 81)]
    async with opened(Honest(mails, buffer_bytes=65_536)) as drop, asyncio.timeout(10):
        async with contextlib.aclosing(drop.retrieve(await drop.listing())) as stream:
            async for one, _ in stream:
                if one.number == 3:
                    break
        assert await drop.uidl(9) == b"uid-9"
        assert len(await collect(drop.headers(await drop.listing()))) == 80


# -- whole messages


@pytest.mark.parametrize("capabilities", [CAPA, ONE_BY_ONE])
async def test_messages_come_whole_and_byte_for_byte(capabilities):
    """P13, P17"""
    mails = [mail(n, size=n * 37) for n in range(1, 101)]
    mails[3] = b"\r\n.\r\n..\r\n" + bytes(range(256)) + b"\n.\n\r.\r" + b"y" * 100_000 + b"\r\n"
    async with opened(Honest(mails, capabilities)) as drop:
        listed = await drop.listing()
        assert [raw for _, raw in await collect(drop.retrieve(listed))] == mails
        assert await drop.retrieve_one(listed[3]) == mails[3]


async def test_progress_counts_the_bytes_and_reaches_the_end():
    mails = [mail(n, size=20_000) for n in range(1, 21)]
    seen: list[tuple[int, int]] = []
    async with opened(Honest(mails)) as drop:
        listed = await drop.listing()
        await collect(drop.retrieve(listed, progress=lambda done, total: seen.append((done, total))))
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert seen[-1] == (drop.size, drop.size)
        seen.clear()
        big = Listed(1, 2_000_000, b"")
        await drop.retrieve_one(big, progress=lambda done, total: seen.append((done, total)))
        assert {total for _, total in seen} <= {2_000_000}


async def test_a_message_above_the_limit_is_not_asked_for_and_the_others_come():
    """P4"""
    honest = Honest([mail(1), mail(2, size=5000), mail(3)])
    async with opened(honest) as drop:
        listed = await drop.listing()
        got = await collect(drop.retrieve(listed, limit=4000))
        assert [type(answer) for _, answer in got] == [bytes, TooLarge, bytes]
        with pytest.raises(TooLarge):
            await drop.retrieve_one(listed[1], limit=4000)
        assert b"RETR 2" not in honest.said


async def test_a_message_whose_size_was_a_lie_is_passed_over_and_the_others_come():
    """P3, P4"""
    lie = rows("1 10", "2 10", "3 10")
    async with opened(Honest([mail(1), mail(2, size=50_000), mail(3)], answers={"LIST": lie})) as drop:
        got = await collect(drop.retrieve(await drop.listing(), limit=4000))
        assert [type(answer) for _, answer in got] == [bytes, TooLarge, bytes]
        assert await drop.uidl(3) == b"uid-3"


async def test_a_message_that_is_gone_is_refused_and_the_session_goes_on():
    """P11"""
    async with opened(Honest([mail(1), mail(2)], answers={"RETR 1": b"-ERR [SYS/PERM] \x1b[31mgone\r\n"})) as drop:
        listed = await drop.listing()
        got = await collect(drop.retrieve(listed))
        assert [type(answer) for _, answer in got] == [Refused, bytes]
        assert "\x1b" not in got[0][1].server_says
        with pytest.raises(Refused):
            await drop.retrieve_one(listed[0])
        assert not drop.closed


async def test_a_message_opened_meanwhile_passes_those_not_yet_asked_for():
    """The window gives way: only what is already on its way comes before it."""
    mails = [mail(n) for n in range(1, 2001)]
    honest = Honest(mails)
    async with opened(honest) as drop:
        drop._headers_window = Window(first=50, floor=16, ceiling=100)
        listed = await drop.listing()
        seen = 0
        async for _ in drop.headers(listed):
            seen += 1
            if seen == 300:
                assert await drop.retrieve_one(listed[1999]) == mails[1999]
                before = honest.verbs().index("RETR") - honest.verbs().index("TOP")
                assert before <= 300 + 200
                assert honest.verbs()[-1] == "RETR"
        assert seen == 2000


async def test_a_message_is_opened_although_nobody_takes_the_headers():
    """A full taker holds the server back, but not the reader."""
    mails = [mail(n, size=200_000) for n in range(1, 101)]
    async with opened(Honest(mails)) as drop, asyncio.timeout(10):
        listed = await drop.listing()
        stream = drop.retrieve(listed)
        assert await anext(stream) == (listed[0], mails[0])
        assert await drop.retrieve_one(listed[99]) == mails[99]
        rest = [raw async for _, raw in stream]
        assert rest == mails[1:]


async def test_answers_that_nobody_takes_are_held_at_the_server():
    mails = [mail(n, size=300_000) for n in range(1, 101)]
    honest = Honest(mails, buffer_bytes=65_536)
    async with opened(honest) as drop, asyncio.timeout(20):
        listed = await drop.listing()
        stream = drop.retrieve(listed)
        await anext(stream)
        bulk = drop._dialogue.feeders[0]
        before = -1
        while bulk._held != before or not bulk._holding:
            before = bulk._held
            await drop._dialogue._loop.run_in_executor(None, lambda: None)
            await asyncio.sleep(0)
        assert bulk._held < 10 << 20
        assert [raw async for _, raw in stream] == mails[1:]


async def test_a_server_that_stops_reading_until_its_answers_are_read_does_not_lock_us():
    """Reading and writing run at once, so that two full pipes cannot wait for each other."""
    mails = [mail(n, size=3000) for n in range(1, 3001)]
    honest = Honest(mails, buffer_bytes=4096)
    async with opened(honest) as drop, asyncio.timeout(30):
        drop._bytes_window = Window(first=100_000_000, floor=1, ceiling=100_000_000)
        got = await collect(drop.retrieve(await drop.listing()))
        assert [raw for _, raw in got] == mails


async def test_the_start_of_a_message_can_be_looked_at():
    async with opened(Honest([mail(1)], answers={"TOP 1 2": b"+OK\r\nA: b\r\n\r\nx\r\ny\r\n.\r\n"})) as drop:
        assert await drop.top(Listed(1, 10, b""), 2) == b"A: b\r\n\r\nx\r\ny\r\n"


# -- deletes, and the end


async def test_deletes_count_once_quit_was_answered():
    """P15"""
    honest = Honest([mail(1), mail(2)])
    async with opened(honest) as drop:
        listed = await drop.listing()
        await asyncio.gather(*(drop.delete(one) for one in listed))
        await drop.commit()
        assert drop.closed
        assert honest.said[-3:] == [b"DELE 1", b"DELE 2", b"QUIT"]


@pytest.mark.parametrize("answer", [b"-ERR some deleted messages not removed\r\n", b"DROP", b"+ODROP", b"hello\r\n"])
async def test_a_quit_that_is_not_answered_with_ok_raises(answer):
    """P15"""
    async with opened(Honest([mail(1)], answers={"QUIT": answer})) as drop:
        await drop.delete(Listed(1, 10, b""))
        with pytest.raises(NetError):
            await drop.commit()
        assert drop.closed


async def test_a_quit_that_is_never_answered_is_given_up_in_time():
    """P16"""
    async with opened(Honest([mail(1)], answers={"QUIT": b""}), timeout_seconds=0.2) as drop:
        with pytest.raises(Offline, match="in time"):
            await drop.commit()


async def test_a_refused_delete_is_told_and_can_be_taken_back():
    honest = Honest([mail(1)], answers={"DELE": b"-ERR no\r\n"})
    async with opened(honest) as drop:
        with pytest.raises(Refused):
            await drop.delete(Listed(1, 10, b""))
        await drop.reset()
        await drop.noop()
        assert honest.said[-2:] == [b"RSET", b"NOOP"]


async def test_close_says_no_quit_and_never_raises():
    """P15: a dropped session deletes nothing."""
    honest = Honest([mail(1)])
    async with opened(honest) as drop:
        await drop.delete(Listed(1, 10, b""))
        await drop.close()
        await drop.close()
        assert drop.closed
        assert b"QUIT" not in honest.said
        with pytest.raises(Offline):
            await drop.noop()
        with pytest.raises(Offline):
            await collect(drop.headers([Listed(1, 10, b"")]))


# -- time


async def drip(talk: Talk, first: bytes, endless: bytes) -> None:
    """Logs in, then answers one byte at a time, slowly and without end."""
    talk.say(b"+OK ready\r\n")
    await talk.hear("CAPA")
    talk.say(rows("TOP", "UIDL", "SASL PLAIN"))
    await talk.hear("AUTH")
    talk.say(b"+OK\r\n")
    await talk.hear("CAPA")
    talk.say(rows("TOP", "UIDL"))
    await talk.hear("STAT")
    talk.say(b"+OK 3 30\r\n")
    await talk.hear()
    talk.say(first)
    while not talk.reader.at_eof() and not talk.writer.transport.is_closing():
        talk.say(endless)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("verb", ["NOOP", "TOP", "RETR", "LIST"])
async def test_a_slow_drip_does_not_keep_the_session_alive(verb):
    """P16: every command has one deadline in all, and RETR has to keep up a pace."""

    async def script(talk: Talk) -> None:
        await drip(talk, b"+OK " if verb == "NOOP" else b"+OK\r\n", b"x")

    async with scripted(script) as there, asyncio.timeout(5):
        drop = await Maildrop.open(there.where(timeout_seconds=0.2))
        one = Listed(1, 10, b"")
        with pytest.raises(Offline, match="in time"):
            await {
                "NOOP": drop.noop,
                "TOP": lambda: drop.top(one, 0),
                "RETR": lambda: drop.retrieve_one(one),
                "LIST": drop.listing,
            }[verb]()
        assert drop.closed
        await there.done.wait()


async def test_a_long_message_may_take_longer_than_the_timeout_while_it_moves():
    """P16: by progress, not by the clock alone."""

    async def script(talk: Talk) -> None:
        task = asyncio.ensure_future(drip(talk, b"+OK\r\n", b"x" * 400))
        await asyncio.wait([task], timeout=0.7)
        task.cancel()
        talk.say(b"\r\n.\r\n")

    async with scripted(script) as there, asyncio.timeout(5):
        drop = await Maildrop.open(there.where(timeout_seconds=0.2))
        assert len(await drop.retrieve_one(Listed(1, 10, b""))) > 4000
        await drop.close()


@pytest.mark.parametrize("verb", ["CAPA", "AUTH", "STAT", "UIDL", "LIST", "TOP", "RETR", "DELE", "QUIT"])
async def test_a_command_that_is_never_answered_is_given_up_in_time(verb):
    """P16"""
    honest = Honest([mail(1)], ONE_BY_ONE, answers={verb: b""})
    async with honest.running(), asyncio.timeout(5):
        with pytest.raises(Offline, match="in time"):
            drop = await Maildrop.open(honest.where(timeout_seconds=0.2))
            listed = await drop.listing()
            await collect(drop.headers(listed))
            await collect(drop.retrieve(listed))
            await drop.delete(listed[0])
            await drop.commit()


async def test_a_taker_who_takes_his_time_is_no_timeout():
    mails = [mail(n, size=300_000) for n in range(1, 81)]
    async with opened(Honest(mails, buffer_bytes=65_536), timeout_seconds=0.1) as drop:
        clock = asyncio.get_running_loop().time
        got = []
        async for _, raw in drop.retrieve(await drop.listing()):
            got.append(raw)
            until = clock() + 0.4
            while len(got) == 1 and clock() < until:
                await asyncio.get_running_loop().run_in_executor(None, lambda: None)
            assert len(got) != 1 or (drop._dialogue._holds and drop._dialogue._sent)
        assert got == mails


async def test_a_cancelled_wait_closes_the_session_so_that_no_late_answer_is_taken_for_another():
    async with opened(Honest([mail(1)], answers={"RETR": b"+OK\r\nhalf"})) as drop:
        for wait in (drop.retrieve_one(Listed(1, 10, b"")),):
            task = asyncio.ensure_future(wait)
            while not drop._dialogue._sent:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert drop.closed
        with pytest.raises(Offline):
            await drop.noop()


async def test_a_cancelled_stream_closes_the_session_and_tells_whoever_else_waits():
    async with opened(Honest([mail(1)], answers={"TOP": b"+OK\r\nhalf"})) as drop:
        listed = await drop.listing()
        task = asyncio.ensure_future(collect(drop.headers(listed)))
        other = asyncio.ensure_future(drop.retrieve_one(listed[0]))
        while len(drop._dialogue._sent) < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(Offline):
            await other
        assert drop.closed


async def test_a_cancelled_open_lets_the_server_go():
    honest = Honest([mail(1)], answers={"STAT": b""})
    async with honest.running(), asyncio.timeout(5):
        task = asyncio.ensure_future(Maildrop.open(honest.where()))
        while b"STAT" not in honest.said:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# -- the two sides disagree


@pytest.mark.parametrize("verb", ["AUTH", "STAT", "LIST", "UIDL", "TOP", "RETR", "DELE"])
async def test_one_answer_too_many_ends_the_session(verb):
    """P21: the next answers would be taken for those of other commands."""
    honest = Honest([mail(1)], capabilities=ONE_BY_ONE)
    truth = Honest([mail(1)])

    def doubled(*arguments: str) -> bytes:
        line = " ".join((verb, *arguments)).encode()
        return truth.answer(line, type("Session", (), {"logged_in": False})()) + b"+OK surplus\r\n"

    honest.answers[verb] = doubled
    async with honest.running():
        with pytest.raises(ProtocolError):
            drop = await Maildrop.open(honest.where())
            listed = await drop.listing()
            await collect(drop.headers(listed))
            await collect(drop.retrieve(listed))
            await drop.delete(listed[0])
            await drop.noop()


async def test_bytes_that_come_while_the_session_is_idle_end_it():
    """P21"""
    honest = Honest([mail(1)])
    async with opened(honest) as drop, asyncio.timeout(5):
        await drop.noop()
        honest.transports[0].write(b"+OK and another thing\r\n")
        while not drop.closed:
            await asyncio.sleep(0)
        with pytest.raises(ProtocolError):
            await drop.noop()


async def test_a_server_that_hangs_up_while_the_session_is_idle_is_noticed():
    """P14"""
    honest = Honest([mail(1)], answers={"NOOP": b"+OK\r\nDROP"})
    async with opened(honest) as drop, asyncio.timeout(5):
        await drop.noop()
        while not drop.closed:
            await asyncio.sleep(0)
        with pytest.raises(Offline):
            await drop.uidl(1)


async def test_mail_that_forges_answers_forges_nothing():
    """P12"""
    forged = b"Subject: x\r\n\r\nhi\n.\n+OK 2 999\r.\r+OK\r\n.+OK\r\n"
    async with opened(Honest([forged, mail(2)])) as drop:
        listed = await drop.listing()
        assert [raw for _, raw in await collect(drop.retrieve(listed))] == [forged, mail(2)]


async def test_the_line_may_die_at_every_byte_of_a_session():
    """P14: the end is Offline, or what came is whole and true; never half an answer, never a hang."""
    transcript = [
        ("", b"+OK ready\r\n"),
        ("CAPA", rows(*ONE_BY_ONE)),
        ("AUTH", b"+OK\r\n"),
        ("CAPA", rows(*ONE_BY_ONE)),
        ("STAT", b"+OK 1 %d\r\n" % len(mail(1))),
        ("UIDL", rows("1 u1")),
        ("LIST", rows(f"1 {len(mail(1))}")),
        ("TOP", b"+OK\r\n" + header(mail(1)) + b".\r\n"),
        ("RETR", b"+OK\r\n" + stuffed(mail(1)) + b".\r\n"),
        ("DELE", b"+OK\r\n"),
        ("QUIT", b"+OK\r\n"),
    ]
    total = sum(len(data) for _, data in transcript)
    left = 0

    async def script(talk: Talk) -> None:
        budget = left
        for expected, data in transcript:
            if expected:
                await talk.hear(expected)
            talk.say(data[:budget])
            budget -= len(data[:budget])
            if not budget:
                await talk.writer.drain()
                talk.writer.close()
                return

    async with scripted(script) as there, asyncio.timeout(60):
        for left in range(1, total + 1):
            steps: list[object] = []
            try:
                drop = await Maildrop.open(there.where())
                listed = await drop.listing()
                steps += await collect(drop.headers(listed))
                steps += await collect(drop.retrieve(listed))
                await drop.delete(listed[0])
                await drop.commit()
                steps.append("committed")
            except Offline:
                assert left < total
            else:
                assert left == total
            assert [step[1] if isinstance(step, tuple) else step for step in steps] == [
                header(mail(1)),
                mail(1),
                "committed",
            ][: len(steps)]


# -- turns, as a proxy counts them


async def turns_for(count: int, take: int, honest: Honest | None = None, rtt: float = 0.05) -> int:
    honest = honest or Honest([mail(n, size=10) for n in range(1, count + 1)])
    async with honest.running(), Proxy("127.0.0.1", honest.port, rtt=rtt) as proxy:
        drop = await Maildrop.open(replace(honest.where(), port=proxy.port), list_too=True)
        listed = (await drop.listing())[::-1]
        got = await collect(drop.headers(listed[:take]))
        assert len(got) == take
        turns = proxy.turns
        await drop.close()
        return turns


async def test_the_newest_fifty_headers_need_six_turns_at_most():
    assert await turns_for(10_000, 50) <= 6


async def test_a_thousand_headers_need_eight_turns_at_most():
    assert await turns_for(1000, 1000) <= 8


async def test_ten_thousand_headers_need_a_turn_more_for_each_two_thousand_at_most():
    assert await turns_for(10_000, 10_000) <= 8 + 4


async def test_a_look_that_finds_nothing_new_costs_the_same_in_a_maildrop_of_any_size():
    """P22"""
    turns = []
    for count in (10, 10_000):
        honest = Honest([mail(1)] * count)
        async with opened(honest) as drop:
            assert await drop.uidl(drop.count) == f"uid-{count}".encode()
            await drop.commit()
        turns.append(honest.turns)
        assert len(honest.said) == 6
    assert turns == [4, 4]


async def test_the_trace_shows_the_line_that_broke_the_protocol():
    trace = Trace()
    honest = Honest([mail(1)], answers={"STAT": b"250 hello\r\n"})
    async with honest.running():
        with pytest.raises(ProtocolError) as caught:
            await Maildrop.open(honest.where(), trace)
    assert caught.value.server_says.startswith("250 hello")
    assert [line.text for line in trace.lines if line.direction == "<"][-1].startswith("250 hello")


async def test_a_trace_of_a_session_stays_small():
    trace = Trace(limit=100)
    honest = Honest([mail(n) for n in range(1, 501)])
    async with honest.running():
        drop = await Maildrop.open(honest.where(), trace)
        await collect(drop.headers(await drop.listing()))
        await drop.close()
    assert len(trace.lines) == 100
