"""SECURITY.md, "SMTP": whole runs of `termmail send` against servers that refuse, lie, stall and die."""

from __future__ import annotations

import re
import time
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from termmail.demo.faults import GOOD, Manners
from tests.safety.profile import SECRET, USER

if TYPE_CHECKING:
    from collections.abc import Iterator

BOB = "bob@example.net"
SEND = ("send", "--to", BOB, "--subject", "Hello", "--body", "text")
EVIL = b"\x1b]0;owned\x07\x1b[2J\x9b31m\x00 [bold]x"


def endless(first: bytes, piece: bytes) -> object:
    def chunks() -> Iterator[bytes]:
        yield first
        yield from repeat(piece * (65536 // len(piece)))

    return lambda _line: chunks()


LATER, REFUSED, UNSURE = (75, "queued"), (69, "failed"), (75, "unsure")
ENDS = {
    "greeting: none": (Manners(greeting=b"+OK pop here\r\n"), LATER),
    "greeting: 554": (Manners(greeting=b"554 " + EVIL + b"\r\n"), None),
    "greeting: 421": (Manners(greeting=b"421 later\r\n"), LATER),
    "greeting: endless line": (Manners(answers={"CONNECT": endless(b"220 ", b"x")}), LATER),
    "greeting: endless lines": (Manners(answers={"CONNECT": endless(b"220-x\r\n", b"220-x\r\n")}), LATER),
    "EHLO: endless": (Manners(answers={"EHLO": endless(b"250-x\r\n", b"250-SIZE\r\n")}), LATER),
    "EHLO: mixed codes": (Manners(answers={"EHLO": b"250-x\r\n550 y\r\n"}), LATER),
    "EHLO: not a reply": (Manners(answers={"EHLO": b"25O ok\r\n"}), LATER),
    "AUTH: 334 for ever": (Manners(login=b"334 \r\n"), LATER),
    "AUTH: 535": (Manners(login=b"535 " + EVIL + SECRET.encode() + b"\r\n"), LATER),
    "AUTH: 454": (Manners(login=b"454 later\r\n"), LATER),
    "AUTH: only unknown ones": (Manners(answers={"EHLO": b"250-x\r\n250 AUTH GSSAPI X-WEAK\r\n"}), None),
    "MAIL: 451 greylisted": (Manners(answers={"MAIL": b"451 " + EVIL + b"\r\n"}), LATER),
    "MAIL: 550": (Manners(answers={"MAIL": b"550 " + EVIL + b"\r\n"}), REFUSED),
    "RCPT: 550": (Manners(answers={"RCPT": b"550-" + EVIL + b"\r\n550 no\r\n"}), REFUSED),
    "RCPT: 421 and gone": (Manners(answers={"RCPT": b"421 bye\r\n"}, drop_after=frozenset({"RCPT"})), LATER),
    "RCPT: dropped": (Manners(drop_at=frozenset({"RCPT"})), LATER),
    "DATA: 554": (Manners(answers={"DATA": b"554 no\r\n"}), REFUSED),
    "DATA: 250 instead of 354": (Manners(answers={"DATA": b"250 ok\r\n"}), LATER),
    "DATA: dropped": (Manners(drop_at=frozenset({"DATA"})), LATER),
    ".: 451": (Manners(answers={".": b"451 later\r\n"}), LATER),
    ".: 554": (Manners(answers={".": b"554 " + EVIL + b"\r\n"}), REFUSED),
    ".: not a reply": (Manners(answers={".": b"ok then\r\n"}), UNSURE),
    ".: endless": (Manners(answers={".": endless(b"250-", b"x")}), UNSURE),
    ".: dropped": (Manners(drop_at=frozenset({"."})), UNSURE),
    ".: kept, and no answer": (Manners(lose_answer_to=frozenset({"."})), UNSURE),
}  # fmt: skip


async def test_every_way_to_fail_has_its_state_and_its_exit_code(termmail):
    """Never 0, never lost, never sent again in silence; bounded memory and time."""
    await termmail.serve(both={"timeout_seconds": 2})
    assert termmail.smtp is not None
    wrong = {}
    for number, (name, (manners, ends)) in enumerate(ENDS.items()):
        termmail.data = termmail.folder / f"data{number}"
        termmail.smtp.manners = manners
        termmail.smtp.received.clear()
        began = time.monotonic()
        ran = await termmail(*SEND, "--json", code=None)
        (told,) = ran.json
        if (ran.code, told["state"]) not in ([ends] if ends else [LATER, REFUSED]):
            wrong[name] = ran
        if ran.megabytes > 200 or time.monotonic() - began > 8 or not ran.err:
            wrong[f"{name}: size, time, words"] = ran
        # What is unsure is sent again only by somebody who is sure; what is refused is a draft again.
        before = len(termmail.smtp.received)
        termmail.smtp.manners = GOOD
        if told["state"] == "unsure":
            await termmail("sync", code=None)
            await termmail("outbox", "retry", str(told["id"]), code=65)
            if len(termmail.smtp.received) != before:
                wrong[f"{name}: sent again"] = ran
            await termmail("outbox", "retry", "--sure", str(told["id"]))
            ids = {re.search(rb"Message-ID: (\S+)", one.raw)[1] for one in termmail.smtp.received}
            if len(ids) != 1:
                wrong[f"{name}: another Message-ID"] = ids
        elif told["state"] == "queued":
            await termmail("outbox", "retry", str(told["id"]))
            if len(termmail.smtp.received) != before + 1:
                wrong[f"{name}: lost"] = ran
        elif "Hello" not in (await termmail("list", "--folder", "Drafts")).text:
            wrong[f"{name}: no draft"] = ran
    assert wrong == {}


@pytest.mark.parametrize("how", ["drop_at", "lose_answer_to", "stall_at"])
async def test_a_250_counts_once_whatever_comes_behind_it(termmail, how):
    """QUIT without an answer changes nothing."""
    await termmail.serve(both={"timeout_seconds": 1})
    assert termmail.smtp is not None
    termmail.smtp.manners = Manners(**{how: frozenset({"QUIT"})})
    await termmail(*SEND)
    await termmail("sync")
    assert len(termmail.smtp.received) == 1
    assert (await termmail("outbox", "--json")).json == []
    assert len((await termmail("list", "--folder", "Sent", "--json")).json) == 1


async def test_one_refused_recipient_is_named_and_nobody_gets_it_twice(termmail):
    """The others get it once; Bcc is in the envelope and nowhere else."""
    await termmail.serve()
    assert termmail.smtp is not None
    termmail.smtp.manners = Manners(answers={f"RCPT {BOB}": b"550 no such user\r\n"})
    ran = await termmail(*SEND, "--cc", "carol@example.net", "--bcc", "dave@example.net", code=None)
    assert BOB in ran.err
    termmail.smtp.manners = GOOD
    await termmail("sync")
    (received,) = termmail.smtp.received
    assert set(received.recipients) == {"carol@example.net", "dave@example.net"}
    assert b"dave" not in received.raw


async def test_the_wire_tells_nothing_about_this_machine(termmail):
    """EHLO, Message-ID, Date, and no User-Agent; names from the environment are in no line of it."""
    await termmail.serve()
    assert termmail.smtp is not None
    await termmail(*SEND)
    (received,) = termmail.smtp.received
    head = received.raw.partition(b"\r\n\r\n")[0]
    assert re.search(rb"(?m)^Message-ID: <[^@>]+@example\.org>\r?$", head)
    assert re.search(rb"(?m)^Date: .* \+0000\r?$", head)
    assert re.search(rb"(?mi)^(User-Agent|X-Mailer|Received|X-Originating)", head) is None
    (ehlo,) = termmail.smtp.heard("EHLO")
    assert ehlo.split(" ", 1)[1] in {"[127.0.0.1]", "localhost"}


async def test_what_the_server_cannot_take_is_not_begun(termmail):
    """SIZE is looked at before DATA; a local part that is not ASCII is refused with words; no 8BITMIME is needed."""
    await termmail.serve(smtp={"size_limit": 20_000})
    assert termmail.smtp is not None
    await termmail("send", "--to", BOB, "--subject", "x", "--body", "y " * 20_000, code=69)
    assert termmail.smtp.heard("DATA") == []
    await termmail("send", "--to", "bób@example.net", "--subject", "x", "--body", "x", code=65)
    termmail.smtp.manners = Manners(
        without=frozenset({"8BITMIME", "SMTPUTF8", "SIZE", "PIPELINING", "ENHANCEDSTATUSCODES"})
    )
    await termmail("send", "--to", BOB, "--subject", "Grüße 💌", "--body", "Schöne Grüße\n.\n..\n")
    (received,) = termmail.smtp.received
    assert received.raw.isascii()
    assert b"\r\n.\r\n" in received.raw  # unstuffed again by the server: the lone dot arrived as text


async def test_a_list_of_long_foreign_names_goes_to_those_addresses_only(termmail):
    """Commas and folding in encoded names never make another recipient."""
    await termmail.serve()
    assert termmail.smtp is not None
    people = [
        f'"Müller, {"é" * 60} {number}, <eve{number}@evil.example>" <p{number}@example.net>' for number in range(20)
    ]
    await termmail("send", *(word for one in people for word in ("--to", one)), "--subject", "x", "--body", "x")
    (received,) = termmail.smtp.received
    assert set(received.recipients) == {f"p{number}@example.net" for number in range(20)}
    assert b"eve" not in b"".join(line.encode() for line in termmail.smtp.heard("RCPT"))


async def test_nobody_is_answered_unasked(termmail):
    """A sync that brings mail asking for receipts sends nothing."""
    asks = (
        f"From: eve@evil.example\r\nTo: {USER}\r\nDisposition-Notification-To: eve@evil.example\r\n"
        "Return-Receipt-To: eve@evil.example\r\nX-Confirm-Reading-To: eve@evil.example\r\nSubject: x\r\n\r\nx\r\n"
    )
    await termmail.serve([asks.encode()], download="all")
    await termmail("sync")
    await termmail("show", "1")
    assert termmail.smtp is not None
    assert termmail.smtp.sessions == 0
