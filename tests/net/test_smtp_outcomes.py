"""Sending when the server says no, breaks the rules, or dies: what becomes of the message."""

from __future__ import annotations

import asyncio
import email
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from termmail.demo.faults import Manners
from termmail.demo.scripted import ScriptedServer, Talk
from termmail.net.net_errors import Busy, Offline, ProtocolError, Refused
from termmail.net.smtp import submission
from termmail.net.trace import Trace
from tests.net.smtp_setup import EHLO, EXTENSIONS, RAW, send, smtp, where

if TYPE_CHECKING:
    from termmail.demo.smtpd import SmtpServer


def nothing_of_the_message(server: SmtpServer) -> bool:
    return "Hello" not in server.heard() and not server.received


# -- what the server says about the message


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    ("reply", "state", "error"),
    [
        (b"421 4.3.2 closing\r\n", "later", Busy),
        (b"451 4.7.1 greylisted\r\n", "later", Busy),
        (b"554 5.7.1 spam\r\n", "refused", Refused),
        (b"550-no\r\n550 really no\r\n", "refused", Refused),
    ],
)
async def test_4xx_is_later_and_5xx_is_refused_in_the_servers_words_at_every_step(step, reply, state, error):
    async with smtp(answers={step: reply}) as server:
        outcome = await send(where(server))
    assert (outcome.state, type(outcome.error), outcome.accepted) == (state, error, ())
    assert reply.split(b"\r\n")[0][4:].decode() in outcome.words
    assert outcome.server_says.startswith(reply.split(b"\r\n")[0][4:].decode())


async def test_a_refused_recipient_is_named_and_the_others_get_the_message():
    """Who got it, who did not and why, and who may get it later."""
    answers = {"RCPT no@x.org": b"550 5.1.1 unknown\r\n", "RCPT grey@x.org": b"450 4.2.0 greylisted\r\n"}
    async with smtp(answers=answers) as server:
        outcome = await send(where(server), "no@x.org", "bob@x.org", "grey@x.org", "eve@x.org")
    assert outcome.state == "sent"
    assert outcome.accepted == ("bob@x.org", "eve@x.org")
    assert outcome.refused == {"no@x.org": "5.1.1 unknown", "grey@x.org": "4.2.0 greylisted"}
    assert outcome.postponed == ("grey@x.org",)
    assert outcome.words == "Sent, but not to no@x.org (“5.1.1 unknown”), grey@x.org (“4.2.0 greylisted”)."


async def test_no_data_is_sent_when_every_recipient_is_refused():
    """Refused where all are for good, later where one is only for now."""
    answers = {"RCPT no@x.org": b"550 unknown\r\n", "RCPT grey@x.org": b"450 greylisted\r\n"}
    for recipients, state in ((("no@x.org",), "refused"), (("no@x.org", "grey@x.org"), "later")):
        async with smtp(answers=answers) as server:
            outcome = await send(where(server), *recipients)
        assert (outcome.state, set(outcome.refused)) == (state, set(recipients))
        assert "DATA" not in server.heard()


async def test_size_is_checked_before_the_message_is_offered():
    async with smtp(("AUTH PLAIN", "SIZE 50")) as server:
        outcome = await send(where(server))
    assert (outcome.state, type(outcome.error)) == ("refused", Refused)
    assert "accepts at most" in outcome.words
    assert not any(line.startswith("MAIL") for line in server.heard())


@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE x", "SIZE -1", "SIZE " + "9" * 5000])
async def test_a_senseless_size_limit_does_not_stop_mail(size):
    async with smtp((size, "AUTH PLAIN")) as server:
        assert (await send(where(server))).state == "sent"
    assert f"MAIL FROM:<ada@example.org> SIZE={len(RAW)}" in server.heard()


async def test_8_bit_text_and_letters_go_only_where_they_are_offered():
    """8BITMIME and SMTPUTF8; a domain alone is written in ASCII."""
    eight_bit = "Subject: x\r\n\r\nhé\r\n".encode()
    utf8 = (*EXTENSIONS, "SMTPUTF8")
    cases = [
        (EXTENSIONS, eight_bit, "bob@x.org", "BODY=8BITMIME"),
        (utf8, RAW, "bøb@x.org", "SMTPUTF8"),
        (EXTENSIONS, RAW, "bøb@x.org", None),
        (EXTENSIONS, RAW, "bob@bücher.example", "SIZE"),
        (EXTENSIONS, "Subject: hé\r\n\r\nx\r\n".encode(), "bob@x.org", None),
    ]
    for extensions, raw, recipient, wanted in cases:
        async with smtp(extensions) as server:
            outcome = await send(where(server), recipient, raw=raw)
        if wanted is None:
            assert outcome.state == "refused", (extensions, raw, recipient)
            assert not any(line.startswith("MAIL") for line in server.heard())
        else:
            assert outcome.state == "sent"
            assert wanted in next(line for line in server.heard() if line.startswith("MAIL"))


EIGHT_BIT = """From: ada@example.org\r
Subject: =?utf-8?q?h=C3=A9?=\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="b"\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
.Crème brûlée\r
--b\r
Content-Type: application/pdf\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0xLjQK\r
--b--\r
"""


async def test_where_8bitmime_is_missing_the_text_is_encoded(smtp_server):
    """RFC 6152 section 3: the server gets 7-bit bytes that say the same."""
    server = await smtp_server(manners=Manners(without=frozenset({"8BITMIME", "SMTPUTF8"})), passwords={})
    outcome = await send(where(server, username="", password=""), raw=EIGHT_BIT.encode())
    assert outcome.state == "sent", outcome
    (received,) = server.received
    assert received.raw.isascii()
    assert not any(parameter.startswith("BODY") for parameter in received.parameters)
    text, attachment = email.message_from_bytes(received.raw).get_payload()
    assert text.get_payload(decode=True).decode() == ".Crème brûlée"
    assert attachment.get_payload(decode=True) == b"%PDF-1.4\n"
    head = EIGHT_BIT.partition("\r\n\r\n")[0].encode()
    assert received.raw.startswith(head + b"\r\n\r\n--b\r\n")


async def test_a_signed_message_with_8_bit_text_is_not_broken_but_refused(smtp_server):
    """RFC 1847: encoding it would break the signature."""
    server = await smtp_server(manners=Manners(without=frozenset({"8BITMIME", "SMTPUTF8"})), passwords={})
    signed = EIGHT_BIT.replace("multipart/mixed", 'multipart/signed; protocol="application/pgp-signature"')
    outcome = await send(where(server, username="", password=""), raw=signed.encode())
    assert (outcome.state, type(outcome.error)) == ("refused", Refused)
    assert "signed" in outcome.words
    assert server.received == []


async def test_with_8bitmime_the_message_is_sent_as_it_is(smtp_server):
    server = await smtp_server(passwords={})
    assert (await send(where(server, username="", password=""), raw=EIGHT_BIT.encode())).state == "sent"
    (received,) = server.received
    assert received.raw == EIGHT_BIT.encode()
    assert "BODY=8BITMIME" in received.parameters


async def test_a_domain_of_other_letters_is_written_in_ascii():
    """No SMTPUTF8 is needed for it."""
    async with smtp() as server:
        await send(where(server), "bob@bücher.example")
        outcomes = [await send(where(server), to) for to in ("bób@bücher.example", f"bob@{'ü' * 70}.example")]
    assert "RCPT TO:<bob@xn--bcher-kva.example>" in server.heard()
    assert [one.state for one in outcomes] == ["refused"] * 2, "these cannot be written in ASCII"


@pytest.mark.parametrize(
    ("reply", "words"), [(b"421 closing\r\n", "ended the session"), (b"351 go on\r\n", "not valid here")]
)
async def test_a_reply_to_rcpt_that_ends_the_session_is_told_as_that(reply, words):
    async with smtp(answers={"RCPT": reply}) as server:
        outcome = await send(where(server), "bob@x.org", "eve@x.org")
    assert words in outcome.words
    assert len(server.heard("RCPT")) == 1


async def test_a_greeting_may_have_a_hundred_lines_and_no_more():
    for lines, state in ((100, "sent"), (101, "later")):
        greeting = b"220-hello\r\n" * (lines - 1) + b"220 hello\r\n"
        async with smtp(greeting=greeting) as server:
            assert (await send(where(server))).state == state


@pytest.mark.parametrize(
    "bad",
    [
        "bob@x.org\r\nRCPT TO:<eve@x.org>",
        "bob@x.org\nDATA",
        "bob@x.org\0",
        "bob@x.org> NOTIFY=SUCCESS",
        "bob @x.org",
        "bob@x.org SIZE=1",
        "<bob@x.org>",
        "",
        "a" * 600 + "@x.org",
        "bob@\udcff.org",
        "bob@x.org\u2028",
    ],
)
async def test_an_address_that_would_become_a_command_is_refused_before_connecting(bad):
    async with smtp() as server:
        outcome = await send(where(server), "eve@x.org", bad)
        assert outcome.state == "refused"
        if bad:
            assert (await send(where(server), sender=bad)).state == "refused"
    assert server.sessions == 0
    assert not any(ord(char) < 32 for char in outcome.words)


async def test_no_recipient_is_refused():
    assert (await submission.send(where(1), "ada@x.org", (), RAW)).state == "refused"


# -- when the line dies


def _replies() -> list[bytes]:
    return [b"220 hi\r\n", EHLO, b"235 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 queued\r\n"]


async def _until_data(talk: Talk) -> None:
    """All is well up to the 354."""
    for reply in [b"220 hi\r\n", b"250-x\r\n250 AUTH PLAIN\r\n", *_replies()[2:5]]:
        await talk.say(reply)
        await talk.hear()
    await talk.say(b"354 go\r\n")


async def test_a_line_that_dies_at_any_byte_of_the_servers_answers_is_never_called_wrongly():
    """Later before the final dot, unsure after it, sent only with the whole 250."""
    total = len(b"".join(_replies()))
    seen = set()
    for cut in range(total + 1):
        dotted = asyncio.Event()

        async def script(talk: Talk, cut=cut, dotted=dotted) -> None:
            left = cut
            for index, reply in enumerate(_replies()):
                await talk.say(reply[:left])
                left -= len(reply)
                if left < 0 or (left == 0 and index == len(_replies()) - 1):
                    talk.drop()
                if reply.startswith(b"354"):
                    await talk.message()
                    dotted.set()
                elif index < len(_replies()) - 1:
                    await talk.hear()

        async with ScriptedServer(script) as server:
            outcome = await send(where(server))
        wanted = "sent" if cut == total else "unsure" if dotted.is_set() else "later"
        assert outcome.state == wanted, (cut, outcome)
        if wanted == "later":
            assert isinstance(outcome.error, Offline)
        seen.add(wanted)
    assert seen == {"sent", "unsure", "later"}


async def test_a_line_that_dies_inside_the_message_means_later():
    """The dot was never written, so the server cannot have the message."""
    raw = b"Subject: big\r\n\r\n" + (b"x" * 76 + b"\r\n") * 300_000
    for taken in (0, 1, 100_000, 5_000_000):

        async def script(talk: Talk, taken=taken) -> None:
            await _until_data(talk)
            if taken:
                await talk.take(taken)
            talk.drop()

        async with ScriptedServer(script) as server:
            outcome = await send(where(server), raw=raw)
        assert (outcome.state, type(outcome.error)) == ("later", Offline)


async def test_the_servers_last_words_inside_a_message_are_heard():
    """552 before the dot refuses, 421 means later, and neither waits for a timeout."""
    raw = b"Subject: big\r\n\r\n" + (b"x" * 76 + b"\r\n") * 200_000
    for words, state in ((b"552 5.3.4 too much\r\n", "refused"), (b"421 4.3.0 going down\r\n", "later")):

        async def script(talk: Talk, words=words) -> None:
            await _until_data(talk)
            await talk.take(1000)
            await talk.say(words)

        async with ScriptedServer(script) as server, asyncio.timeout(5):
            outcome = await send(where(server, timeout_seconds=60), raw=raw)
        assert outcome.state == state
        assert words[4:].strip().decode() in outcome.words


async def test_250_and_then_a_drop_or_a_mess_is_sent_once():
    for after in (b"", b"250 again\r\n", b"\xff\0 garbage", b"421 bye\r\n"):
        async with smtp(answers={".": b"250 queued\r\n" + after}, drop_at={"QUIT"}) as server:
            outcome = await send(where(server))
        assert (outcome.state, outcome.accepted) == ("sent", ("bob@example.org",))


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"garbage\r\n", "unsure"),
        (b"250\x00ok\r\n", "unsure"),
        (b"999 what\r\n", "unsure"),
        (b"354 again\r\n", "unsure"),
        (b"250-yes\r\n550 no\r\n", "unsure"),
        (b"251 forwarded\r\n", "sent"),
        (b"250\r\n", "sent"),
        (b"452 full\r\n", "later"),
        (b"554 spam\r\n", "refused"),
    ],
)
async def test_the_answer_after_the_dot_decides_and_a_senseless_one_leaves_it_open(answer, state):
    async with smtp(answers={".": answer}) as server:
        outcome = await send(where(server))
    assert outcome.state == state
    assert (outcome.accepted != ()) == (state == "sent")


GARBAGE = [
    b"hello\r\n",
    b"25 ok\r\n",
    b"+25 ok\r\n",
    b" 25 ok\r\n",
    b"2500 ok\r\n",
    b"250_ok\r\n",
    "٢٥٠ ok\r\n".encode(),
    b"\r\n",
    b"250-a\r\n251 b\r\n",
    b"HTTP/1.1 400 Bad Request\r\n",
    b"150 odd\r\n",
    b"650 odd\r\n",
]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_what_is_no_reply_ends_the_session_at_every_step(garbage):
    """Any reply that is not `ddd[ -]`, and mixed codes."""
    for step in ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"):
        async with smtp(answers={step: garbage}) as server:
            outcome = await send(where(server))
        assert (outcome.state, type(outcome.error)) == ("later", ProtocolError), step
        assert nothing_of_the_message(server)


@pytest.mark.parametrize(
    "flood", [b"250-x\r\n" * 100_000, b"2" * 5_000_000, b"250-" + b"x" * 100_000 + b"\r\n", b"250 ok\r\n" * 100_000]
)
async def test_a_flood_ends_the_session(flood):
    trace = Trace(limit=10_000)
    async with smtp(answers={"EHLO": flood}) as server, asyncio.timeout(5):
        outcome = await send(where(server, timeout_seconds=60), trace=trace)
    assert (outcome.state, type(outcome.error)) in {("later", ProtocolError), ("refused", Refused)}
    assert sum(line.direction == "<" for line in trace.lines) <= 102
    assert nothing_of_the_message(server)


async def test_a_reply_nobody_asked_for_ends_the_session():
    """One command, one reply."""
    async with smtp(answers={"MAIL": b"250 ok\r\n250 ok\r\n"}) as server:
        outcome = await send(where(server))
    assert outcome.state == "later"
    assert nothing_of_the_message(server)


@pytest.mark.parametrize("silent", [0, 1, 2, 3, 4, 5])
async def test_a_silent_server_is_left_after_the_deadline(silent):
    """Silence before the dot is later."""

    async def script(talk: Talk) -> None:
        for reply in _replies()[:silent]:
            await talk.say(reply)
            await talk.hear()

    async with ScriptedServer(script) as server, asyncio.timeout(5):
        outcome = await send(where(server, timeout_seconds=0.15))
    assert (outcome.state, type(outcome.error)) == ("later", Offline)
    assert "in time" in outcome.words


async def test_a_slow_drip_does_not_stretch_the_deadline():
    """A byte now and then keeps no reply alive."""
    async with smtp(answers={"EHLO": b"2" * 1000}) as server, asyncio.timeout(5):
        server.manners = replace(server.manners, bytes_per_second=20)
        outcome = await send(where(server, timeout_seconds=0.3))
    assert (outcome.state, type(outcome.error)) == ("later", Offline)


async def test_silence_after_the_dot_is_unsure(monkeypatch):
    monkeypatch.setattr(submission, "VERDICT_FACTOR", 1)

    async def script(talk: Talk) -> None:
        await _until_data(talk)
        await talk.message()

    async with ScriptedServer(script) as server:
        outcome = await send(where(server, timeout_seconds=0.2))
    assert outcome.state == "unsure"


async def test_a_cancel_drops_the_connection_at_once():
    heard = asyncio.Event()

    async def script(talk: Talk) -> None:
        for reply in _replies()[:5]:
            await talk.say(reply)
            await talk.hear()
        heard.set()

    async with ScriptedServer(script) as server:
        sending = asyncio.ensure_future(send(where(server)))
        await heard.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert server.left == b""


async def test_no_server_is_offline():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for place in (where(port), where(port, security="tls")):
            outcome = await send(place)
            assert (outcome.state, type(outcome.error)) == ("later", Offline)


async def test_a_stranger_s_control_characters_do_not_leave_the_server_text():
    """What the server says is cleaned."""
    async with smtp(answers={"MAIL": b"550 \x1b]0;x\x07\xc2\x9bno\r\n"}) as server:
        outcome = await send(where(server))
    assert outcome.state == "refused"
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in outcome.words + outcome.server_says)
