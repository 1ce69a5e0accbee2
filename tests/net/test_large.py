"""Answers as large as a server may give: the event loop goes on, and memory stays bounded."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.demo.smtpd import SmtpServer
from termmail.net.pop3.listing import Listed
from termmail.net.pop3.maildrop import Maildrop
from termmail.net.smtp import submission
from termmail.net.smtp.guard import CHUNK, stuffed
from termmail.net.stream import Server
from tests.net.loop_lag import in_a_thread, loop_lag
from tests.net.pop3_setup import collect, pop3, where

LONGEST_TURN = 0.05


def listing(count: int) -> dict[str, bytes]:
    sizes = b"".join(b"%d %d\r\n" % (n, 1000 + n) for n in range(1, count + 1))
    uidls = b"".join(b"%d %016d\r\n" % (n, n) for n in range(1, count + 1))
    return {
        "STAT": b"+OK %d 1000000\r\n" % count,
        "LIST": b"+OK\r\n" + sizes + b".\r\n",
        "UIDL": b"+OK\r\n" + uidls + b".\r\n",
    }


async def test_a_list_of_300_000_does_not_hold_up_the_loop():
    count = 300_000
    server = pop3(answers=listing(count))
    with in_a_thread(server):
        drop = await Maildrop.open(where(server))
        async with loop_lag() as lag:
            listed = await drop.listing()
        assert len(listed) == count
        assert listed[count - 1] == Listed(count, 1000 + count, b"%016d" % count)
        await drop.close()
    assert lag.seconds < LONGEST_TURN


MEMORY = """
import asyncio, pathlib, re, sys
from termmail.net.pop3.maildrop import Maildrop
from tests.net.pop3_setup import where

async def main():
    drop = await Maildrop.open(where(int(sys.argv[1])))
    listed = await drop.listing()
    await drop.close()
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]
    print(len(listed), int(peak) // 1024)

asyncio.run(main())
"""


async def test_a_list_of_a_million_takes_bounded_memory():
    server = pop3(answers=listing(1_000_000))
    with in_a_thread(server):
        ran = subprocess.run(
            [sys.executable, "-c", MEMORY, str(server.port)], capture_output=True, text=True, timeout=60
        )
    assert ran.returncode == 0, ran.stderr
    count, megabytes = map(int, ran.stdout.split())
    assert count == 1_000_000
    assert megabytes < 200


STAT = {"STAT": b"+OK 1 50000000\r\n"}


@pytest.mark.parametrize("line", [b"y" * 70 + b"\r\n..z\r\n", b"..\r\n", b"x"], ids=["stuffed", "dots", "one line"])
async def test_a_message_of_50_mb_does_not_hold_up_the_loop(line):
    wire = line * (50_000_000 // len(line)) + b"\r\n"
    server = pop3(answers={**STAT, "RETR": b"+OK\r\n" + wire + b".\r\n"})
    with in_a_thread(server):
        drop = await Maildrop.open(where(server))
        async with loop_lag() as lag:
            raw = await drop.retrieve_one(Listed(1, 50_000_000))
        await drop.close()
    assert raw == (b"\r\n" + wire).replace(b"\r\n..", b"\r\n.")[2:]
    assert lag.seconds < LONGEST_TURN


async def test_a_header_of_20_mb_does_not_hold_up_the_loop():
    """Without TOP the header is looked for in the whole message."""
    head = b"X-Long: " + b"h" * 20_000_000 + b"\r\n\r\n"
    server = pop3((), ("UIDL", "USER"), answers={**STAT, "RETR": b"+OK\r\n" + head + b"body\r\n.\r\n"})
    with in_a_thread(server):
        drop = await Maildrop.open(where(server))
        async with loop_lag() as lag:
            ((_, header),) = await collect(drop.headers([Listed(1, 20_000_000)]))
        await drop.close()
    assert header == head
    assert lag.seconds < LONGEST_TURN


@pytest.mark.parametrize("line", [b"z" * 76 + b"\r\n", b".\r\n", b"\r", b"x"], ids=["lines", "dots", "CR", "one line"])
def test_a_message_is_sent_in_pieces_and_as_a_whole(line):
    raw = line * (300_000 // len(line))
    sent = b"".join(stuffed(raw))
    plain = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    plain += b"" if plain.endswith(b"\r\n") else b"\r\n"
    assert sent == re.sub(rb"(?m)^\.", b"..", plain)
    assert max(map(len, stuffed(raw))) <= 3 * CHUNK


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"a"]), max_size=30), st.integers(1, 7))
def test_however_a_message_is_cut_it_is_sent_the_same(words, size):
    raw = b"".join(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("termmail.net.smtp.guard.CHUNK", size)
        sent = b"".join(stuffed(raw))
    assert sent == b"".join(stuffed(raw))
    assert re.fullmatch(rb"(?:(?:[^\r\n.]|\.\.)[^\r\n]*\r\n|\r\n)*", sent)


async def test_sending_25_mb_does_not_hold_up_the_loop():
    raw = b"Subject: x\r\n\r\n" + b".dots and lines\r\n" * 1_500_000
    server = SmtpServer({}, size_limit=2 * len(raw))
    with in_a_thread(server):
        async with loop_lag() as lag:
            outcome = await submission.send(
                Server("smtp", "127.0.0.1", server.port, "none", allow_cleartext=True), "a@x.org", ("b@x.org",), raw
            )
    assert outcome.state == "sent"
    assert [received.raw for received in server.received] == [raw]
    assert lag.seconds < LONGEST_TURN
