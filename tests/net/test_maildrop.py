"""A session on real sockets: lists, headers ahead, whole messages, deletes; and servers that lie, stall and die."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from termmail.mail.parse import fingerprint, split_header
from termmail.net.net_errors import NetError, Offline, ProtocolError, Refused, TooLarge
from termmail.net.pop3 import protocol
from termmail.net.pop3.maildrop import Listed, Maildrop
from termmail.net.pop3.protocol import MESSAGE_LIMIT
from termmail.net.window import Window
from tests.net.pop3_setup import CAPA, ONE_BY_ONE, collect, header, mail, opened, pop3, rows, verbs, where

# -- lists


async def test_a_listing_has_number_size_and_uidl_of_each():
    mails = [mail(n) for n in range(1, 4)]
    async with opened(pop3(mails)) as drop:
        assert (drop.count, drop.size) == (3, sum(map(len, mails)))
        listing = await drop.listing()
        assert list(listing) == [Listed(n, len(mails[n - 1]), f"uid-{n}".encode()) for n in (1, 2, 3)]
        assert listing[1:] == list(listing)[1:]
        assert listing.odd_rows == listing.odd_sizes == 0


async def test_with_list_too_the_list_comes_with_the_login():
    server = pop3([mail(1)])
    async with opened(server, list_too=True) as drop:
        turns = server.turns
        assert len(await drop.listing()) == 1
        assert server.turns == turns == 2
        assert server.heard()[1].startswith("AUTH")
        assert verbs(server)[2:] == ["CAPA", "STAT", "UIDL", "LIST"]


async def test_rows_with_odd_numbers_are_left_out_and_counted():
    odd = ("-1 5", "0 5", "1e3 5", "18446744073709551616 5", "٣ 5", "1 77", "hello", "99 5")
    uidls = rows("1 a", "99 c", "1 d", "hello", "2 b")
    server = pop3([mail(1), mail(2)], answers={"LIST": rows("1 10", *odd, "2 20"), "UIDL": uidls})
    async with opened(server) as drop:
        listing = await drop.listing()
        assert [(one.number, one.size) for one in listing] == [(1, 10), (2, 20)]
        assert [one.uidl for one in listing] == [b"a", b"b"]
        assert listing.odd_rows == len(odd) + 2


@pytest.mark.parametrize("size", [str(2**63), "-5", "1e3", ""])
async def test_a_message_with_a_senseless_size_is_listed_and_can_be_read(size):
    server = pop3([mail(1), mail(2)], answers={"LIST": rows("1 10", f"2 {size}")})
    async with opened(server) as drop:
        listing = await drop.listing()
        assert [(one.number, one.size, one.uidl) for one in listing] == [(1, 10, b"uid-1"), (2, 0, b"uid-2")]
        assert (listing.odd_rows, listing.odd_sizes) == (0, 1)
        assert await drop.retrieve_one(listing[1]) == mail(2)


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
    answers = {
        "STAT": f"+OK {stat} 100\r\n".encode(),
        "LIST": rows(*(f"{n} 10" for n in sizes)),
        "UIDL": rows(*(f"{n} u{n}" for n in names)),
    }
    async with opened(pop3([mail(1)], answers=answers)) as drop:
        listing = await drop.listing()
        assert [one.number for one in listing] == agreed
        assert listing.odd_rows == len({*sizes, *names}) - len(agreed)


async def test_odd_uidls_stay_the_bytes_they_are():
    """Long, blank, doubled, with NUL, ESC and ../ in them."""
    names = [b"u" * 5000, b"", b"../../x", b"a\0b", b"\x1b[2J", b"same", b"same", b"with blanks in it", b"\xff\xfe"]
    server = pop3(
        [mail(n) for n in range(1, 10)],
        answers={"UIDL": rows(*(b"%d %s" % (n, name) for n, name in enumerate(names, 1)))},
    )
    async with opened(server) as drop:
        assert [one.uidl for one in await drop.listing()] == names


async def test_without_uidl_messages_have_no_name_and_nothing_is_lost():
    server = pop3([mail(1)], capabilities=None, answers={"UIDL": b"-ERR what?\r\n"})
    async with opened(server) as drop:
        assert list(await drop.listing()) == [Listed(1, len(mail(1)), b"")]
        assert not drop.has_uidl
        assert await drop.uidl(1) is None
        assert list(await drop.listing()) == [Listed(1, len(mail(1)), b"")]
        assert server.heard().count("UIDL") == 1


async def test_a_server_that_does_not_announce_uidl_is_not_asked_for_it():
    server = pop3([mail(1)], capabilities=("TOP", "PIPELINING", "SASL PLAIN"))
    async with opened(server) as drop:
        assert [one.uidl for one in await drop.listing()] == [b""]
        assert "UIDL" not in server.heard()


async def test_uidl_that_is_announced_after_login_only_is_used_in_the_first_list_too():
    server = pop3([mail(1)], capabilities=("PIPELINING", "SASL PLAIN"), after_login=("TOP", "UIDL", "PIPELINING"))
    async with opened(server, list_too=True) as drop:
        assert [one.uidl for one in await drop.listing()] == [b"uid-1"]


async def test_a_server_that_refuses_capa_after_login_keeps_what_it_announced():
    asked: list[str] = []

    def once(line: str) -> bytes | None:
        asked.append(line)
        return b"-ERR not now\r\n" if len(asked) > 1 else None

    async with opened(pop3([mail(1)], answers={"CAPA": once})) as drop:
        assert drop.pipelining
        assert drop.has_top


async def test_an_endless_list_ends_the_session():
    server = pop3([mail(1)], answers={"LIST": b"+OK\r\n" + b"1 10\r\n" * 3000 + b".\r\n"})
    async with opened(server) as drop:
        with pytest.raises(ProtocolError):
            await drop.listing()
        assert drop.closed


async def test_a_large_maildrop_is_listed_with_two_commands_and_without_holding_up_the_loop():
    count = 100_000
    answers = {
        "STAT": b"+OK %d 1000000\r\n" % count,
        "LIST": rows(*(f"{n} 10" for n in range(1, count + 1))),
        "UIDL": rows(*(f"{n} u{n}" for n in range(1, count + 1))),
    }
    server = pop3([mail(1)], answers=answers)
    async with opened(server) as drop:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(beat())
        said = len(server.heard())
        assert len(await drop.listing()) == count
        task.cancel()
        assert len(server.heard()) == said + 2
        assert beats > 40


async def test_one_uidl_tells_whether_a_number_still_is_the_message():
    async with opened(pop3([mail(1), mail(2)])) as drop:
        assert await drop.uidl(2) == b"uid-2"
        assert await drop.uidl(1) == b"uid-1"
        assert await drop.uidl(3) is None
        assert not drop.closed


async def test_an_answer_for_another_number_ends_the_session():
    async with opened(pop3([mail(1)], answers={"UIDL 1": b"+OK 2 uid-2\r\n"})) as drop:
        with pytest.raises(ProtocolError):
            await drop.uidl(1)
        assert drop.closed


@pytest.mark.parametrize("text", [b"", b"x y", b"-1 5", b"1e3 5"])
async def test_a_stat_that_is_no_number_ends_the_session(text):
    server = pop3([mail(1)], answers={"STAT": b"+OK " + text + b"\r\n"})
    async with server:
        with pytest.raises(ProtocolError):
            await Maildrop.open(where(server))


# -- headers


@pytest.mark.parametrize("capabilities", [CAPA, ONE_BY_ONE])
async def test_headers_come_in_the_order_asked_and_byte_for_byte(capabilities):
    mails = [mail(n) for n in range(1, 301)]
    server = pop3(mails, capabilities)
    async with opened(server) as drop:
        newest_first = (await drop.listing())[::-1]
        got = await collect(drop.headers(newest_first))
        assert got == [(one, header(mails[one.number - 1])) for one in newest_first]
        assert (server.at_once > 1) == ("PIPELINING" in capabilities)
        assert drop.has_top


async def test_the_first_page_is_asked_for_alone_and_comes_before_the_rest_is_asked_for():
    server = pop3([mail(n) for n in range(1, 201)])
    async with opened(server) as drop:
        listed = await drop.listing()
        async for _ in drop.headers(listed):
            break
        assert verbs(server).count("TOP") == 50


async def test_a_message_that_is_gone_is_passed_over_and_the_others_come():
    mails = [mail(n) for n in range(1, 101)]
    server = pop3(mails, answers={"TOP 7 0": b"-ERR gone\r\n"})
    async with opened(server) as drop:
        got = await collect(drop.headers(await drop.listing()))
        assert [one.number for one, answer in got if isinstance(answer, Refused)] == [7]
        assert sum(isinstance(answer, bytes) for _, answer in got) == 99
        assert server.heard().count("TOP 7 0") == 1
        assert not drop.closed


@pytest.mark.parametrize("capabilities", [CAPA, ONE_BY_ONE, None])
async def test_where_top_is_refused_headers_come_by_retr(capabilities):
    mails = [mail(n) for n in range(1, 101)]
    async with opened(pop3(mails, capabilities, answers={"TOP": b"-ERR what?\r\n"})) as drop:
        got = await collect(drop.headers(await drop.listing()))
        assert [answer for _, answer in got] == [header(raw) for raw in mails]
        assert not drop.has_top


async def test_where_top_is_not_announced_it_is_not_tried():
    server = pop3([mail(1)], capabilities=("UIDL", "SASL PLAIN"))
    async with opened(server) as drop:
        assert await collect(drop.headers(await drop.listing())) == [
            (Listed(1, len(mail(1)), b"uid-1"), header(mail(1)))
        ]
        assert "TOP" not in verbs(server)


@pytest.mark.parametrize("top", [b"Subject: x\n\nThe text\r\n", b"\r\nThe text\r\n", b"\nThe text\r\n"])
async def test_a_header_ends_at_its_first_empty_line_so_that_top_and_retr_agree(top):
    """Servers that take LF alone for no line end, or have no header to show, answer TOP with the whole message."""
    async with opened(pop3([top], answers={"TOP 1 0": b"+OK\r\n" + top + b".\r\n"})) as drop:
        [(one, block)] = await collect(drop.headers(await drop.listing()))
        assert block == top.removesuffix(b"The text\r\n")
        assert fingerprint(block) == fingerprint(split_header(await drop.retrieve_one(one)))


async def test_a_first_message_that_is_gone_does_not_make_termmail_give_up_top():
    mails = [mail(1), mail(2), mail(3)]
    server = pop3(mails, capabilities=None, answers={"TOP 3 0": b"-ERR gone\r\n", "RETR 3": b"-ERR gone\r\n"})
    async with opened(server) as drop:
        got = await collect(drop.headers((await drop.listing())[::-1]))
        assert [type(answer) for _, answer in got] == [Refused, bytes, bytes]
        assert drop.has_top


async def test_a_header_block_that_is_too_large_is_passed_over_and_the_others_come():
    huge = b"+OK\r\n" + b"X-Long: " + b"x" * (1 << 20) + b"\r\n\r\n.\r\n"
    async with opened(pop3([mail(1), mail(2), mail(3)], answers={"TOP 2 0": huge})) as drop:
        got = await collect(drop.headers(await drop.listing()))
        assert [type(answer) for _, answer in got] == [bytes, TooLarge, bytes]


async def test_what_came_before_the_line_broke_is_handed_out():
    server = pop3([mail(n) for n in range(1, 11)], answers={"TOP 6 0": b"+OK\r\nSubj"}, drop_after={"TOP 6 0"})
    async with opened(server) as drop:
        got = []
        with pytest.raises(Offline):
            async for one, answer in drop.headers(await drop.listing()):
                got.append((one.number, answer))
        assert got == [(n, header(mail(n))) for n in range(1, 6)]
        assert drop.closed


async def test_stopping_in_the_middle_leaves_a_session_that_can_be_used():
    server = pop3([mail(n) for n in range(1, 301)])
    async with opened(server) as drop:
        listed = await drop.listing()
        async with contextlib.aclosing(drop.headers(listed)) as stream:
            async for _ in stream:
                break
        assert await drop.retrieve_one(listed[4]) == mail(5)
        assert await drop.uidl(9) == b"uid-9"
        assert [answer for _, answer in await collect(drop.headers(listed[:3]))] == [header(mail(n)) for n in (1, 2, 3)]


async def test_stopping_under_a_full_pipe_does_not_hold_up_what_comes_next():
    mails = [mail(n, size=300_000) for n in range(1, 81)]
    async with opened(pop3(mails)) as drop, asyncio.timeout(10):
        async with contextlib.aclosing(drop.retrieve(await drop.listing())) as stream:
            async for one, _ in stream:
                if one.number == 3:
                    break
        assert await drop.uidl(9) == b"uid-9"
        assert len(await collect(drop.headers(await drop.listing()))) == 80


# -- whole messages


@pytest.mark.parametrize("capabilities", [CAPA, ONE_BY_ONE])
async def test_messages_come_whole_and_byte_for_byte(capabilities):
    mails = [mail(n, size=n * 37) for n in range(1, 101)]
    mails[3] = b"\r\n.\r\n..\r\n" + bytes(range(256)) + b"\n.\n\r.\r" + b"y" * 100_000 + b"\r\n"
    async with opened(pop3(mails, capabilities)) as drop:
        listed = await drop.listing()
        assert [raw for _, raw in await collect(drop.retrieve(listed))] == mails
        assert await drop.retrieve_one(listed[3]) == mails[3]


async def test_progress_counts_the_bytes_and_reaches_the_end():
    mails = [mail(n, size=20_000) for n in range(1, 21)]
    seen: list[tuple[int, int]] = []
    async with opened(pop3(mails)) as drop:
        listed = await drop.listing()
        await collect(drop.retrieve(listed, progress=lambda done, total: seen.append((done, total))))
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert seen[-1] == (drop.size, drop.size)
        seen.clear()
        big = Listed(1, 2_000_000, b"")
        await drop.retrieve_one(big, progress=lambda done, total: seen.append((done, total)))
        assert {total for _, total in seen} <= {2_000_000}


async def test_progress_of_one_large_message_is_told_while_it_comes():
    seen: list[tuple[int, int]] = []
    async with opened(pop3([mail(1, size=3_000_000)])) as drop:
        (listed,) = await drop.listing()
        raw = await drop.retrieve_one(listed, progress=lambda done, total: seen.append((done, total)))
    assert len(raw) == listed.size
    assert len(seen) > 1
    assert {total for _, total in seen} == {listed.size}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


async def test_a_message_above_the_limit_is_not_asked_for_and_the_others_come():
    server = pop3([mail(1), mail(2), mail(3)], answers={"LIST": rows("1 10", f"2 {MESSAGE_LIMIT + 1}", "3 10")})
    async with opened(server) as drop:
        listed = await drop.listing()
        got = await collect(drop.retrieve(listed))
        assert [type(answer) for _, answer in got] == [bytes, TooLarge, bytes]
        with pytest.raises(TooLarge):
            await drop.retrieve_one(listed[1])
        assert "RETR 2" not in server.heard()


async def test_a_message_whose_size_was_a_lie_is_passed_over_and_the_others_come(monkeypatch):
    monkeypatch.setattr(protocol, "MESSAGE_LIMIT", 4000)
    lie = rows("1 10", "2 10", "3 10")
    async with opened(pop3([mail(1), mail(2, size=50_000), mail(3)], answers={"LIST": lie})) as drop:
        got = await collect(drop.retrieve(await drop.listing()))
        assert [type(answer) for _, answer in got] == [bytes, TooLarge, bytes]
        assert await drop.uidl(3) == b"uid-3"


async def test_a_message_that_is_gone_is_refused_and_the_session_goes_on():
    async with opened(pop3([mail(1), mail(2)], answers={"RETR 1": b"-ERR [SYS/PERM] \x1b[31mgone\r\n"})) as drop:
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
    server = pop3(mails)
    async with opened(server) as drop:
        drop._headers_window = Window(first=50, floor=16, ceiling=100)
        listed = await drop.listing()
        seen = 0
        async for _ in drop.headers(listed):
            seen += 1
            if seen == 300:
                assert await drop.retrieve_one(listed[1999]) == mails[1999]
                before = verbs(server).index("RETR") - verbs(server).index("TOP")
                assert before <= 300 + 200
                assert verbs(server)[-1] == "RETR"
        assert seen == 2000


@pytest.mark.parametrize(
    ("verb", "command"), [("headers", "TOP 20 0"), ("headers", "TOP 21 0"), ("retrieve", "RETR 20")]
)
async def test_where_commands_go_one_by_one_a_message_opened_meanwhile_is_the_next(verb, command):
    mails = [mail(n, size=200_000) for n in range(1, 41)]
    opening: list[asyncio.Future[bytes]] = []

    def open_the_last(_line: str) -> None:
        opening.append(asyncio.ensure_future(drop.retrieve_one(listed[39])))

    server = pop3(mails, ONE_BY_ONE, answers={command: open_the_last})
    async with opened(server) as drop, asyncio.timeout(10):
        listed = await drop.listing()
        assert len(await collect(getattr(drop, verb)(listed))) == 40
        assert await opening[0] == mails[39]
        heard = server.heard()
        assert heard[heard.index(command) + 1] == "RETR 40"


async def test_a_message_is_opened_although_nobody_takes_the_headers():
    """A full taker holds the server back, but not the reader."""
    mails = [mail(n, size=200_000) for n in range(1, 101)]
    async with opened(pop3(mails)) as drop, asyncio.timeout(10):
        listed = await drop.listing()
        stream = drop.retrieve(listed)
        assert await anext(stream) == (listed[0], mails[0])
        assert await drop.retrieve_one(listed[99]) == mails[99]
        rest = [raw async for _, raw in stream]
        assert rest == mails[1:]


async def test_answers_that_nobody_takes_are_held_at_the_server():
    mails = [mail(n, size=300_000) for n in range(1, 101)]
    server = pop3(mails)
    async with opened(server) as drop, asyncio.timeout(20):
        listed = await drop.listing()
        stream = drop.retrieve(listed)
        await anext(stream)
        bulk = drop._connection.feeders[0]
        before = -1
        while bulk._held != before or not bulk._holding:
            before = bulk._held
            await drop._connection._loop.run_in_executor(None, lambda: None)
            await asyncio.sleep(0)
        assert bulk._held < 10 << 20
        assert [raw async for _, raw in stream] == mails[1:]


async def test_a_server_that_stops_reading_until_its_answers_are_read_does_not_lock_us():
    """Reading and writing run at once, so that two full pipes cannot wait for each other."""
    mails = [mail(n, size=3000) for n in range(1, 3001)]
    server = pop3(mails)
    async with opened(server) as drop, asyncio.timeout(30):
        drop._bytes_window = Window(first=100_000_000, floor=1, ceiling=100_000_000)
        got = await collect(drop.retrieve(await drop.listing()))
        assert [raw for _, raw in got] == mails


# -- deletes, and the end


async def test_deletes_count_once_quit_was_answered():
    server = pop3([mail(1), mail(2)])
    async with opened(server) as drop:
        listed = await drop.listing()
        await asyncio.gather(*(drop.delete(one) for one in listed))
        await drop.commit()
        assert drop.closed
        assert server.heard()[-3:] == ["DELE 1", "DELE 2", "QUIT"]


@pytest.mark.parametrize("answer", [b"-ERR some deleted messages not removed\r\n", b"", b"+O", b"hello\r\n"])
async def test_a_quit_that_is_not_answered_with_ok_raises(answer):
    async with opened(pop3([mail(1)], answers={"QUIT": answer}, drop_after={"QUIT"})) as drop:
        await drop.delete(Listed(1, 10, b""))
        with pytest.raises(NetError):
            await drop.commit()
        assert drop.closed


async def test_a_quit_that_is_never_answered_is_given_up_in_time():
    async with opened(pop3([mail(1)], answers={"QUIT": b""}), timeout_seconds=0.2) as drop:
        with pytest.raises(Offline, match="in time"):
            await drop.commit()


async def test_a_refused_delete_is_told_and_can_be_taken_back():
    server = pop3([mail(1)], answers={"DELE": b"-ERR no\r\n"})
    async with opened(server) as drop:
        with pytest.raises(Refused):
            await drop.delete(Listed(1, 10, b""))
        await drop.reset()
        await drop.noop()
        assert server.heard()[-2:] == ["RSET", "NOOP"]


async def test_close_says_no_quit_and_never_raises():
    """A dropped session deletes nothing."""
    server = pop3([mail(1)])
    async with opened(server) as drop:
        await drop.delete(Listed(1, 10, b""))
        await drop.close()
        await drop.close()
        assert drop.closed
        assert "QUIT" not in server.heard()
        with pytest.raises(Offline):
            await drop.noop()
        with pytest.raises(Offline):
            await collect(drop.headers([Listed(1, 10, b"")]))
