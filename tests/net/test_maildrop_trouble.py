"""Servers that stall, drip, answer too much or die; and how many turns it all takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from termmail.demo.faults import Manners
from termmail.demo.scripted import ScriptedServer, Talk
from termmail.demo.server_maildrop import stuffed
from termmail.net.net_errors import Offline, ProtocolError
from termmail.net.pop3.maildrop import Listed, Maildrop
from termmail.net.trace import Trace
from tests.net.pop3_setup import ONE_BY_ONE, collect, header, mail, opened, pop3, rows, where
from tests.proxy import Proxy

if TYPE_CHECKING:
    from termmail.demo.pop3d import Pop3Server

SESSION = [
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
"""What the client says of a whole session, and the answers."""

# -- time


@pytest.mark.parametrize("verb", ["NOOP", "TOP", "RETR", "LIST"])
async def test_a_slow_drip_does_not_keep_the_session_alive(verb):
    """Every command has one deadline in all, and RETR has to keep up a pace."""
    answer = (b"+OK " if verb == "NOOP" else b"+OK\r\n") + b"x" * 1000
    server = pop3([mail(1)], ONE_BY_ONE)
    async with opened(server, timeout_seconds=0.2) as drop, asyncio.timeout(5):
        server.manners = Manners(answers={verb: answer}, bytes_per_second=50)
        one = Listed(1, 10, b"")
        with pytest.raises(Offline, match="in time"):
            await {
                "NOOP": drop.noop,
                "TOP": lambda: drop.header(one),
                "RETR": lambda: drop.retrieve_one(one),
                "LIST": drop.listing,
            }[verb]()
        assert drop.closed
        await server.until(lambda: server.open_sessions == 0)


async def test_a_long_message_may_take_longer_than_the_timeout_while_it_moves():
    """By progress, not by the clock alone."""
    raw = mail(1, size=14_000)
    server = pop3([raw], ONE_BY_ONE)
    async with opened(server, timeout_seconds=0.2) as drop, asyncio.timeout(5):
        server.manners = Manners(bytes_per_second=20_000)
        clock = asyncio.get_running_loop().time
        began = clock()
        assert await drop.retrieve_one(Listed(1, 10, b"")) == raw
        assert clock() - began > 0.6


@pytest.mark.parametrize("verb", ["CAPA", "AUTH", "STAT", "UIDL", "LIST", "TOP", "RETR", "DELE", "QUIT"])
async def test_a_command_that_is_never_answered_is_given_up_in_time(verb):
    server = pop3([mail(1)], ONE_BY_ONE, answers={verb: b""})
    async with server, asyncio.timeout(5):
        with pytest.raises(Offline, match="in time"):
            drop = await Maildrop.open(where(server, timeout_seconds=0.2))
            listed = await drop.listing()
            await collect(drop.headers(listed))
            await collect(drop.retrieve(listed))
            await drop.delete(listed[0])
            await drop.commit()


async def test_a_taker_who_takes_his_time_is_no_timeout():
    mails = [mail(n, size=300_000) for n in range(1, 81)]
    async with opened(pop3(mails), timeout_seconds=0.1) as drop:
        clock = asyncio.get_running_loop().time
        got = []
        async for _, raw in drop.retrieve(await drop.listing()):
            got.append(raw)
            until = clock() + 0.4
            while len(got) == 1 and clock() < until:
                await asyncio.get_running_loop().run_in_executor(None, lambda: None)
            assert len(got) != 1 or (drop._connection._paused_by and drop._connection._sent)
        assert got == mails


async def test_a_cancelled_wait_closes_the_session_so_that_no_late_answer_is_taken_for_another():
    async with opened(pop3([mail(1)], answers={"RETR": b"+OK\r\nhalf"})) as drop:
        for wait in (drop.retrieve_one(Listed(1, 10, b"")),):
            task = asyncio.ensure_future(wait)
            while not drop._connection._sent:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert drop.closed
        with pytest.raises(Offline):
            await drop.noop()


async def test_a_cancelled_stream_closes_the_session_and_tells_whoever_else_waits():
    async with opened(pop3([mail(1)], answers={"TOP": b"+OK\r\nhalf"})) as drop:
        listed = await drop.listing()
        task = asyncio.ensure_future(collect(drop.headers(listed)))
        other = asyncio.ensure_future(drop.retrieve_one(listed[0]))
        while len(drop._connection._sent) < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(Offline):
            await other
        assert drop.closed


async def test_headers_end_when_the_line_drops_while_one_message_is_opened():
    """Nothing of the stream was on its way: it must hear of the end all the same, or it would wait for ever."""
    server = pop3([mail(n) for n in range(1, 6)], ONE_BY_ONE, answers={"RETR": b"+OK\r\nhalf"}, drop_after={"RETR"})
    async with opened(server) as drop, asyncio.timeout(5):
        listed = await drop.listing()
        stream = drop.headers(listed)
        await anext(stream)
        reading = asyncio.ensure_future(drop.retrieve_one(listed[0]))
        await asyncio.sleep(0)  # the message is asked for before the second header can be
        with pytest.raises(Offline):
            async for _ in stream:
                pass
        with pytest.raises(Offline):
            await reading


async def test_a_cancelled_open_lets_the_server_go():
    server = pop3([mail(1)], answers={"STAT": b""})
    async with server, asyncio.timeout(5):
        task = asyncio.ensure_future(Maildrop.open(where(server)))
        await server.until(lambda: "STAT" in server.heard())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# -- the two sides disagree


@pytest.mark.parametrize("verb", ["AUTH", "STAT", "LIST", "UIDL", "TOP", "RETR", "DELE"])
async def test_one_answer_too_many_ends_the_session(verb):
    """The next answers would be taken for those of other commands."""

    async def script(talk: Talk) -> None:
        for command, answer in SESSION:
            if command:
                await talk.hear(command)
            await talk.say(answer)
            if command == verb:
                await talk.say(b"+OK surplus\r\n")
                return

    async with ScriptedServer(script) as there:
        with pytest.raises(ProtocolError):
            drop = await Maildrop.open(where(there))
            listed = await drop.listing()
            await collect(drop.headers(listed))
            await collect(drop.retrieve(listed))
            await drop.delete(listed[0])
            await drop.commit()


async def test_bytes_that_come_while_the_session_is_idle_end_it():
    idle = asyncio.Event()

    async def script(talk: Talk) -> None:
        for command, answer in SESSION[:5]:
            if command:
                await talk.hear(command)
            await talk.say(answer)
        await idle.wait()
        await talk.say(b"+OK and another thing\r\n")

    async with ScriptedServer(script) as there, asyncio.timeout(5):
        drop = await Maildrop.open(where(there))
        idle.set()
        await there.until(lambda: there.sessions == 1 and there.open_sessions == 0)
        assert drop.closed
        with pytest.raises(ProtocolError):
            await drop.noop()


async def test_a_server_that_hangs_up_while_the_session_is_idle_is_noticed():
    server = pop3([mail(1)], drop_after={"NOOP"})
    async with opened(server) as drop, asyncio.timeout(5):
        await drop.noop()
        while not drop.closed:
            await asyncio.sleep(0)
        with pytest.raises(Offline):
            await drop.uidl(1)


async def test_mail_that_forges_answers_forges_nothing():
    forged = b"Subject: x\r\n\r\nhi\n.\n+OK 2 999\r.\r+OK\r\n.+OK\r\n"
    async with opened(pop3([forged, mail(2)])) as drop:
        listed = await drop.listing()
        assert [raw for _, raw in await collect(drop.retrieve(listed))] == [forged, mail(2)]


async def test_the_line_may_die_at_every_byte_of_a_session():
    """The end is Offline, or what came is whole and true; never half an answer, never a hang."""
    total = sum(len(data) for _, data in SESSION)
    left = 0

    async def script(talk: Talk) -> None:
        budget = left
        for expected, data in SESSION:
            if expected:
                await talk.hear(expected)
            await talk.say(data[:budget])
            budget -= len(data[:budget])
            if not budget:
                talk.drop()

    async with ScriptedServer(script) as there, asyncio.timeout(60):
        for left in range(1, total + 1):
            steps: list[object] = []
            try:
                drop = await Maildrop.open(where(there))
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


async def turns_for(count: int, take: int, server: Pop3Server | None = None, rtt: float = 0.05) -> int:
    server = server or pop3([mail(n, size=10) for n in range(1, count + 1)])
    async with server, Proxy("127.0.0.1", server.port, rtt=rtt) as proxy:
        drop = await Maildrop.open(replace(where(server), port=proxy.port), list_too=True)
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
    turns = []
    for count in (10, 10_000):
        server = pop3([mail(1)] * count)
        async with opened(server) as drop:
            assert await drop.uidl(drop.count) == f"uid-{count}".encode()
            await drop.commit()
        turns.append(server.turns)
        assert len(server.heard()) == 6
    assert turns == [4, 4]


async def test_the_trace_shows_the_line_that_broke_the_protocol():
    trace = Trace()
    server = pop3([mail(1)], answers={"STAT": b"250 hello\r\n"})
    async with server:
        with pytest.raises(ProtocolError) as caught:
            await Maildrop.open(where(server), trace)
    assert caught.value.server_says.startswith("250 hello")
    assert [line.text for line in trace.lines if line.direction == "<"][-1].startswith("250 hello")


async def test_a_trace_of_a_session_stays_small():
    trace = Trace(limit=100)
    server = pop3([mail(n) for n in range(1, 501)])
    async with server:
        drop = await Maildrop.open(where(server), trace)
        await collect(drop.headers(await drop.listing()))
        await drop.close()
    assert len(trace.lines) == 100
