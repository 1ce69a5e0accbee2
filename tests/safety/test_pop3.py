"""SECURITY.md, "POP3": whole runs of `termmail sync` against servers that lie, stall and die.

Whatever the server does: no traceback, an exit code that says it, bounded memory and time, and after one honest session
everything the server has is here, once.
"""

from __future__ import annotations

import asyncio
import re
import time
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from termmail.demo.faults import GOOD, Manners
from tests.engine.conftest import mail
from tests.safety.profile import SECRET, decent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.safety.profile import Profile

MAILS = [mail(number) for number in range(1, 6)]
EVIL = b"\x1b]0;owned\x07\x1b[2J\x9b31m\x00 [bold]x"


def endless(first: bytes, piece: bytes) -> object:
    """An answer that goes on until the client leaves."""

    def chunks() -> Iterator[bytes]:
        yield first
        yield from repeat(piece * (65536 // len(piece)))

    return lambda _line: chunks()


async def honest_again(termmail: Profile) -> None:
    """After one honest session everything is here, and once."""
    assert termmail.pop3 is not None
    termmail.pop3.manners = GOOD
    await termmail("sync", "--full")
    rows = (await termmail("list", "--json")).json
    there = [re.search(rb"Subject: (.*)\r", one.raw)[1].decode() for one in termmail.drop.messages]
    assert sorted(row["subject"] for row in rows) == sorted(there)


ENDS = {
    "greeting: -ERR": (Manners(greeting=b"-ERR " + EVIL + b"\r\n"), {75}),
    "greeting: none of it": (Manners(greeting=b"HTTP/1.1 200 OK\r\n\r\n"), {69}),
    "greeting: endless line": (Manners(answers={"CONNECT": endless(b"+OK ", b"x")}), {69}),
    "greeting: dropped": (Manners(drop_at=frozenset({"CONNECT"})), {75}),
    "CAPA: endless rows": (Manners(answers={"CAPA": endless(b"+OK\r\n", b"X-Y\r\n")}), {69}),
    "CAPA: one row without end": (Manners(answers={"CAPA": endless(b"+OK\r\n", b"x")}), {69}),
    "login: [AUTH]": (Manners(login=b"-ERR [AUTH] " + EVIL + b"\r\n"), {77}),
    "login: [IN-USE]": (Manners(login=b"-ERR [IN-USE] " + EVIL + b"\r\n"), {75}),
    "login: [SYS/TEMP]": (Manners(login=b"-ERR [SYS/TEMP] x\r\n"), {75}),
    "login: the password echoed": (Manners(login=b"-ERR no user with " + SECRET.encode() + b"\r\n"), {77}),
    "login: a challenge for ever": (Manners(login=b"+ \r\n"), {69}),
    "STAT: words": (Manners(answers={"STAT": b"+OK one two\r\n"}), {69}),
    "STAT: negative": (Manners(answers={"STAT": b"+OK -1 -1\r\n"}), {69}),
    "STAT: 2^64": (Manners(answers={"STAT": b"+OK 18446744073709551616 1\r\n"}), {69}),
    "STAT: Arabic digits": (Manners(answers={"STAT": "+OK ٣ ٤\r\n".encode()}), {69}),
    "LIST: endless rows": (Manners(answers={"LIST": endless(b"+OK\r\n", b"1 100\r\n")}), {69}),
    "UIDL: endless rows": (Manners(answers={"UIDL": endless(b"+OK\r\n", b"1 a\r\n")}), {69}),
    "UIDL: a row without end": (Manners(answers={"UIDL": endless(b"+OK\r\n1 ", b"x")}), {69}),
    "LIST: a status line of nothing": (Manners(answers={"LIST": b"\r\n\r\n"}), {69}),
    "LIST: the line dies": (Manners(drop_at=frozenset({"LIST"})), {75}),
    "TOP: a status line without end": (Manners(answers={"TOP": endless(b"+OK ", b"x")}), {69}),
    "TOP: the line dies": (Manners(drop_at=frozenset({"TOP 3 0"})), {75}),
    "TOP: no answer but bytes": (Manners(answers={"TOP": EVIL + b"\r\n"}), {69}),
    "RETR: the line dies": (Manners(drop_at=frozenset({"RETR 3"})), {75}),
    "RETR: ends at LF.LF": (Manners(answers={"RETR 3": b"+OK\r\n" + MAILS[2] + b"\n.\n+OK\n"}, drop_after=frozenset({"RETR 3"})), {75}),
    "after 400 bytes dead": (Manners(drop_after_bytes=400), {75}),
}  # fmt: skip


async def test_a_session_that_cannot_be_trusted_ends_with_its_exit_code(termmail):
    """An exit code that is never 0, words, nothing half stored, nothing deleted."""
    await termmail.serve(MAILS, download="all", both={"timeout_seconds": 3})
    assert termmail.pop3 is not None
    wrong = {}
    for number, (name, (manners, codes)) in enumerate(ENDS.items()):
        termmail.data = termmail.folder / f"data{number}"
        termmail.pop3.manners = manners
        began = time.monotonic()
        ran = await termmail("sync", code=None)
        if ran.code not in codes or ran.megabytes > 400 or time.monotonic() - began > 8 or not ran.err.strip():
            wrong[name] = ran
    assert wrong == {}
    assert len(termmail.drop.messages) == len(MAILS)
    await honest_again(termmail)
    logs = [log.read_text() for log in termmail.folder.glob("data*/termmail.log")]
    decent("".join(logs))


PASSES = {
    "rows with odd numbers": Manners(rows=lambda verb, rows: [*rows, b"0 1", b"-1 1", b"1e3 1", b"6 6", "٣ 4".encode(), b"99999999999 1", b"1 1", b""]),
    "LIST without the last": Manners(rows=lambda verb, rows: rows[:-1] if verb == "LIST" else rows),
    "UIDL without the first": Manners(rows=lambda verb, rows: rows[1:] if verb == "UIDL" else rows),
    "UIDL of 5 KB": Manners(uidl=lambda number, uidl: b"\x1b[31m../%00 \xff" * 350 + uidl),
    "the same UIDL for all": Manners(uidl=lambda number, uidl: b"same"),
    "blank UIDLs": Manners(uidl=lambda number, uidl: b""),
    "other UIDLs": Manners(uidl=lambda number, uidl: b"new-" + uidl),
    "no UIDL at all": Manners(without=frozenset({"UIDL"})),
    "no TOP, no CAPA, no pipelining": Manners(without=frozenset({"TOP", "CAPA", "PIPELINING"})),
    "one is gone": Manners(answers={"TOP 3 0": b"-ERR gone\r\n", "RETR 3": b"-ERR gone\r\n"}),
    "every size a lie": Manners(size=lambda number, size: [0, 1, 9999999999, b"x", 2][number - 1]),
    "stuffing forgotten": Manners(stuffing="none"),
    "STAT answered twice": Manners(answers={"STAT": b"+OK 5 5000\r\n+OK 5 5000\r\n"}),
    "STAT says none": Manners(stat=lambda count, size: (0, 0)),
    "QUIT: no answer": Manners(drop_at=frozenset({"QUIT"})),
    "QUIT: refused": Manners(answers={"QUIT": b"-ERR " + EVIL + b"\r\n"}),
}  # fmt: skip


async def test_a_message_with_a_senseless_size_comes_with_the_others(termmail):
    """The size is ignored, the message is not."""
    await termmail.serve(MAILS, download="all")
    assert termmail.pop3 is not None
    senseless = [b"9223372036854775808", b"-5", b"1e3", b"", b"99999999999"]
    termmail.pop3.manners = Manners(size=lambda number, _size: senseless[number - 1])
    await termmail("sync", code=0)
    rows = (await termmail("list", "--json")).json
    assert [row["downloaded"] for row in rows] == [True] * len(MAILS)
    assert (await termmail("sync", code=0)).text.strip() == "ada: No new messages"


@pytest.mark.parametrize("first", [True, False], ids=["from the start", "after an honest session"])
async def test_a_server_that_is_only_odd_loses_nothing_and_doubles_nothing(termmail, first):
    """It works as far as the server lets it; one honest session later all is well."""
    await termmail.serve(MAILS)
    assert termmail.pop3 is not None
    wrong = {}
    for number, (name, manners) in enumerate(PASSES.items()):
        if not first and "UIDL" not in name:
            continue
        termmail.data = termmail.folder / f"data{number}"
        if not first:
            await termmail("sync")
        termmail.pop3.manners = manners
        ran = await termmail("sync", "--full", code=None)
        if ran.code not in {0, 69} or ran.megabytes > 200:
            wrong[name] = ran
        rows = (await termmail("list", "--json")).json
        subjects = [row["subject"] for row in rows]
        if len(set(subjects)) != len(subjects) or len(subjects) > len(MAILS):
            wrong[f"{name}: twice"] = subjects
        try:
            await honest_again(termmail)
        except AssertionError as error:
            wrong[f"{name}: after an honest session"] = str(error)[:500]
    assert wrong == {}
    assert len(termmail.drop.messages) == len(MAILS)


@pytest.mark.parametrize("where", ["CONNECT", "STAT", "TOP", "RETR 3", "QUIT"])
async def test_a_slow_drip_and_a_silence_end_in_time(termmail, where):
    """A byte every 20 ms does not keep a session alive; a stalled one ends after its one second."""
    await termmail.serve(
        [mail(number, size=3000) for number in range(1, 6)], both={"timeout_seconds": 1}, download="all"
    )
    assert termmail.pop3 is not None

    async def run(manners: Manners) -> None:
        termmail.pop3.manners = manners
        ran = await termmail("sync", code=None)
        # An unanswered QUIT costs nothing where nothing was deleted.
        assert ran.code == (0 if where == "QUIT" else 75), ran

    async with asyncio.timeout(15):
        await run(Manners(stall_at=frozenset({where})))
        if where != "QUIT":
            await run(Manners(answers={where: lambda _line: None}, bytes_per_second=50))


async def test_endless_and_large_mails_keep_memory_bounded(termmail):
    """A mail without end and one of 100 MB in one line, with honest mail around them: at most 400 MB."""
    big = mail(2)[:-2] + b"x" * (100 << 20) + b"\r\n"
    await termmail.serve([mail(1), big, mail(3), mail(4)], download="all")
    assert termmail.pop3 is not None
    termmail.pop3.manners = Manners(answers={"RETR 3": endless(b"+OK\r\n", b"y" * 70 + b"\r\n")})
    ran = await termmail("sync", code=None)
    assert ran.megabytes <= 400, ran
    assert ran.code == 69
    ran = await termmail("sync", "--full", code=None)
    assert ran.megabytes <= 400, ran
    rows = {row["subject"]: row for row in (await termmail("list", "--json")).json}
    assert len(rows) == 4
    assert [rows[f"Engine part {number}"]["downloaded"] for number in (1, 2, 4)] == [True] * 3
    assert not rows["Engine part 3"]["downloaded"]
    shown = await termmail("show", str(rows["Engine part 2"]["id"]), "--json")
    assert shown.megabytes <= 400
    raw = await termmail("show", str(rows["Engine part 2"]["id"]), "--raw", raw=True)
    assert raw.out == big


@pytest.mark.parametrize("download", ["open", "all"])
async def test_answers_out_of_step_put_no_message_out_of_reach(termmail, download):
    """One TOP answered twice gives every later message the header of its neighbour. Each message can be read in
    the end, under its own header, and none is there twice as a whole."""
    await termmail.serve(MAILS)
    assert termmail.pop3 is not None
    top = b"+OK\r\n" + MAILS[2].partition(b"\r\n\r\n")[0] + b"\r\n\r\n.\r\n"
    termmail.pop3.manners = Manners(answers={"TOP 3 0": top + top})
    await termmail("sync", code=None)
    termmail.pop3.manners = GOOD
    termmail.configure(termmail.pop3.port, download=download)
    await termmail("sync", "--full")
    for row in (await termmail("list", "--json")).json:
        await termmail("show", str(row["id"]), code=None)
    whole = [row["subject"] for row in (await termmail("list", "--json")).json if row["downloaded"]]
    assert sorted(whole) == [f"Engine part {number}" for number in range(1, 6)]


async def test_a_header_too_large_that_cannot_come_whole_is_shown_as_not_fetched(termmail):
    """It is in the list with the reason, and the others arrive."""
    await termmail.serve(MAILS)
    assert termmail.pop3 is not None
    large = b"+OK\r\n" + b"X-Filler: y\r\n" * 100_000 + b"\r\n.\r\n"
    termmail.pop3.manners = Manners(answers={"TOP 3 0": large, "RETR 3": b"-ERR no\r\n"})
    await termmail("sync", code=None)
    rows = (await termmail("list", "--json")).json
    assert len(rows) == len(MAILS)
    blank = str(min(rows, key=lambda row: bool(row["subject"]))["id"])
    assert (await termmail("show", blank, code=69)).err
    termmail.pop3.manners = Manners()
    assert "This is message 3." in (await termmail("show", blank)).out.decode()
    assert [row["subject"] for row in (await termmail("list", "--json")).json].count("Engine part 3") == 1


async def test_deletes_count_only_when_quit_was_answered(termmail):
    """Three ways for QUIT to fail; the message is deleted once in the end, and shown at no time as new."""
    await termmail.serve(MAILS, download="all")
    await termmail("sync")
    rows = (await termmail("list", "--json")).json
    assert termmail.pop3 is not None
    for row, manners in zip(
        rows,
        (
            Manners(drop_at=frozenset({"QUIT"})),
            Manners(lose_answer_to=frozenset({"QUIT"})),
            Manners(answers={"QUIT": b"-ERR some deleted messages not removed\r\n"}),
        ),
        strict=False,
    ):
        termmail.pop3.manners = manners
        await termmail("delete", str(row["id"]), "--now", code=None)
        termmail.pop3.manners = GOOD
        await termmail("sync", "--full")
    assert len(termmail.drop.messages) == 2
    assert {row["id"] for row in (await termmail("list", "--json")).json} == {row["id"] for row in rows[3:]}
    assert len((await termmail("list", "--folder", "Trash", "--json")).json) == 3


async def test_no_login_is_tried_again_and_again(termmail):
    """One refused login a run, at most two on the wire, and never a lock-out loop."""
    await termmail.serve(MAILS)
    assert termmail.pop3 is not None
    termmail.pop3.manners = Manners(login=b"-ERR [AUTH] wrong\r\n")
    for words in (("sync",), ("sync", "--full"), ("doctor",), ("account", "test", "ada")):
        before = sum(line.startswith(("PASS", "AUTH", "APOP")) for line in termmail.pop3.heard())
        await termmail(*words, code=77)
        assert sum(line.startswith(("PASS", "AUTH", "APOP")) for line in termmail.pop3.heard()) - before <= 2


async def test_doctor_shows_the_conversation_and_hides_what_is_secret(termmail):
    """Evil server text, labelled and cleaned; the password echoed in plain and in base64 is hidden."""
    from base64 import b64encode

    await termmail.serve(MAILS)
    assert termmail.pop3 is not None
    for echo in (SECRET.encode(), b64encode(b"\0ada@example.org\0" + SECRET.encode()), b"x" * 8000 + SECRET.encode()):
        termmail.pop3.manners = Manners(greeting=b"+OK " + EVIL + b"\r\n", login=b"-ERR " + echo + EVIL + b"\r\n")
        ran = await termmail("doctor", code=77)
        assert b64encode(SECRET.encode())[:-4].decode() not in ran.err
        assert "CAPA" in ran.err


async def test_control_characters_in_credentials_are_refused_before_anything_is_sent(termmail, tmp_path):
    """In the user name 78, in the password 77 or 78; the server hears nothing."""
    await termmail.serve(MAILS)
    assert termmail.pop3 is not None
    assert termmail.smtp is not None
    evil = tmp_path / "evil"
    for password in (b"x\rDELE 1", b"x\x00y", b"x\x1by"):
        evil.write_bytes(password)
        termmail.configure(termmail.pop3.port, termmail.smtp.port, both={"password_command": ["cat", str(evil)]})
        await termmail("sync", code=77)
    termmail.configure(termmail.pop3.port, termmail.smtp.port, both={"username": "ada\r\nDELE 1"})
    await termmail("sync", code=78)
    assert termmail.pop3.heard("PASS") == termmail.pop3.heard("AUTH") == termmail.pop3.heard("DELE") == []


@pytest.mark.parametrize("count", [2_000, 100_000])
async def test_a_large_maildrop_is_listed_with_few_commands_in_bounded_memory(termmail, count):
    """One UIDL and one LIST; the first look at 100 000 is cut off, and what came is kept."""
    await termmail.serve([mail(number) for number in range(1, count + 1)])
    assert termmail.pop3 is not None
    if count > 50_000:
        termmail.pop3.manners = Manners(drop_at=frozenset({f"TOP {count - 3000} 0"}))
    ran = await termmail("sync", code=75 if count > 50_000 else 0)
    assert ran.megabytes <= 400
    assert len(termmail.pop3.heard("UIDL")) == 1
    assert len(termmail.pop3.heard("LIST")) == 1
    rows = (await termmail("list", "--json", "--limit", "3000")).json
    assert len(rows) >= 1900
