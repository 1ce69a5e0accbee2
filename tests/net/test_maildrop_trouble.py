"""Servers that stall, drip, answer too much or die; and how many turns it all takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from termmail.net.net_errors import Offline, ProtocolError
from termmail.net.pop3.maildrop import Listed, Maildrop
from termmail.net.trace import Trace
from tests.net.pop3_script import ONE_BY_ONE, Honest, Talk, collect, header, mail, opened, rows, scripted, stuffed
from tests.proxy import Proxy

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
    """Every command has one deadline in all, and RETR has to keep up a pace."""

    async def script(talk: Talk) -> None:
        await drip(talk, b"+OK " if verb == "NOOP" else b"+OK\r\n", b"x")

    async with scripted(script) as there, asyncio.timeout(5):
        drop = await Maildrop.open(there.where(timeout_seconds=0.2))
        one = Listed(1, 10, b"")
        with pytest.raises(Offline, match="in time"):
            await {
                "NOOP": drop.noop,
                "TOP": lambda: drop.header(one),
                "RETR": lambda: drop.retrieve_one(one),
                "LIST": drop.listing,
            }[verb]()
        assert drop.closed
        await there.done.wait()


async def test_a_long_message_may_take_longer_than_the_timeout_while_it_moves():
    """By progress, not by the clock alone."""

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
            assert len(got) != 1 or (drop._connection._paused_by and drop._connection._sent)
        assert got == mails


async def test_a_cancelled_wait_closes_the_session_so_that_no_late_answer_is_taken_for_another():
    async with opened(Honest([mail(1)], answers={"RETR": b"+OK\r\nhalf"})) as drop:
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
    async with opened(Honest([mail(1)], answers={"TOP": b"+OK\r\nhalf"})) as drop:
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
    honest = Honest([mail(n) for n in range(1, 6)], ONE_BY_ONE, answers={"RETR": b"+OK\r\nhalf" + b"DROP"})
    async with opened(honest) as drop, asyncio.timeout(5):
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
    """The next answers would be taken for those of other commands."""
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
    honest = Honest([mail(1)])
    async with opened(honest) as drop, asyncio.timeout(5):
        await drop.noop()
        honest.transports[0].write(b"+OK and another thing\r\n")
        while not drop.closed:
            await asyncio.sleep(0)
        with pytest.raises(ProtocolError):
            await drop.noop()


async def test_a_server_that_hangs_up_while_the_session_is_idle_is_noticed():
    honest = Honest([mail(1)], answers={"NOOP": b"+OK\r\nDROP"})
    async with opened(honest) as drop, asyncio.timeout(5):
        await drop.noop()
        while not drop.closed:
            await asyncio.sleep(0)
        with pytest.raises(Offline):
            await drop.uidl(1)


async def test_mail_that_forges_answers_forges_nothing():
    forged = b"Subject: x\r\n\r\nhi\n.\n+OK 2 999\r.\r+OK\r\n.+OK\r\n"
    async with opened(Honest([forged, mail(2)])) as drop:
        listed = await drop.listing()
        assert [raw for _, raw in await collect(drop.retrieve(listed))] == [forged, mail(2)]


async def test_the_line_may_die_at_every_byte_of_a_session():
    """The end is Offline, or what came is whole and true; never half an answer, never a hang."""
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
