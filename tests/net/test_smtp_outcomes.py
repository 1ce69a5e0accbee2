"""Sending when the server says no, breaks the rules, or dies: what becomes of the message."""

from __future__ import annotations

import asyncio
import email

import pytest

from termmail.demo.faults import Manners
from termmail.net.net_errors import Busy, Offline, ProtocolError, Refused
from termmail.net.smtp import submission
from termmail.net.trace import Trace
from tests.net.smtp_script import EHLO, RAW, Talk, plain, polite, send, serve

# -- what the server says about the message


@pytest.mark.parametrize("step", [b"greeting", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"."])
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
    async with serve(lambda talk: polite(talk, answers={step: reply})) as served:
        outcome = await send(plain(served))
    assert (outcome.state, type(outcome.error), outcome.accepted) == (state, error, ())
    assert reply.split(b"\r\n")[0][4:].decode() in outcome.words
    assert outcome.server_says.startswith(reply.split(b"\r\n")[0][4:].decode())


async def test_a_refused_recipient_is_named_and_the_others_get_the_message():
    """Who got it, who did not and why, and who may get it later."""
    answers = {b"no@x.org": b"550 5.1.1 unknown\r\n", b"grey@x.org": b"450 4.2.0 greylisted\r\n"}
    async with serve(lambda talk: polite(talk, answers=answers)) as served:
        outcome = await send(plain(served), "no@x.org", "bob@x.org", "grey@x.org", "eve@x.org")
    assert outcome.state == "sent"
    assert outcome.accepted == ("bob@x.org", "eve@x.org")
    assert outcome.refused == {"no@x.org": "5.1.1 unknown", "grey@x.org": "4.2.0 greylisted"}
    assert outcome.postponed == ("grey@x.org",)
    assert outcome.words == "Sent, but not to no@x.org (“5.1.1 unknown”), grey@x.org (“4.2.0 greylisted”)."


async def test_no_data_is_sent_when_every_recipient_is_refused():
    """Refused where all are for good, later where one is only for now."""
    answers = {b"no@x.org": b"550 unknown\r\n", b"grey@x.org": b"450 greylisted\r\n"}
    for recipients, state in ((("no@x.org",), "refused"), (("no@x.org", "grey@x.org"), "later")):
        async with serve(lambda talk: polite(talk, answers=answers)) as served:
            outcome = await send(plain(served), *recipients)
        assert (outcome.state, set(outcome.refused)) == (state, set(recipients))
        assert b"DATA" not in served.said


async def test_size_is_checked_before_the_message_is_offered():
    async with serve(
        lambda talk: polite(talk, answers={b"EHLO": b"250-x\r\n250-AUTH PLAIN\r\n250 SIZE 50\r\n"})
    ) as served:
        outcome = await send(plain(served))
    assert (outcome.state, type(outcome.error)) == ("refused", Refused)
    assert "accepts at most" in outcome.words
    assert not any(line.startswith(b"MAIL") for line in served.said)


@pytest.mark.parametrize("size", [b"SIZE", b"SIZE 0", b"SIZE x", b"SIZE -1", b"SIZE " + b"9" * 5000])
async def test_a_senseless_size_limit_does_not_stop_mail(size):
    async with serve(
        lambda talk: polite(talk, answers={b"EHLO": b"250-x\r\n250-" + size + b"\r\n250 AUTH PLAIN\r\n"})
    ) as served:
        assert (await send(plain(served))).state == "sent"
    assert b"MAIL FROM:<ada@example.org> SIZE=%d" % len(RAW) in served.said


async def test_8_bit_text_and_letters_go_only_where_they_are_offered():
    """8BITMIME and SMTPUTF8; a domain alone is written in ASCII."""
    eight_bit = "Subject: x\r\n\r\nhé\r\n".encode()
    utf8 = EHLO.replace(b"250-SIZE", b"250-SMTPUTF8\r\n250-SIZE")
    cases = [
        (EHLO, eight_bit, "bob@x.org", b"BODY=8BITMIME"),
        (utf8, RAW, "bøb@x.org", b"SMTPUTF8"),
        (EHLO, RAW, "bøb@x.org", None),
        (EHLO, RAW, "bob@bücher.example", b"SIZE"),
        (EHLO, "Subject: hé\r\n\r\nx\r\n".encode(), "bob@x.org", None),
    ]
    for ehlo, raw, recipient, wanted in cases:
        async with serve(lambda talk, ehlo=ehlo: polite(talk, answers={b"EHLO": ehlo})) as served:
            outcome = await send(plain(served), recipient, raw=raw)
        if wanted is None:
            assert outcome.state == "refused", (ehlo, raw, recipient)
            assert not any(line.startswith(b"MAIL") for line in served.said)
        else:
            assert outcome.state == "sent"
            assert wanted in next(line for line in served.said if line.startswith(b"MAIL"))


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
    outcome = await send(plain(server.port, username="", password=""), raw=EIGHT_BIT.encode())
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
    outcome = await send(plain(server.port, username="", password=""), raw=signed.encode())
    assert (outcome.state, type(outcome.error)) == ("refused", Refused)
    assert "signed" in outcome.words
    assert server.received == []


async def test_with_8bitmime_the_message_is_sent_as_it_is(smtp_server):
    server = await smtp_server(passwords={})
    assert (await send(plain(server.port, username="", password=""), raw=EIGHT_BIT.encode())).state == "sent"
    (received,) = server.received
    assert received.raw == EIGHT_BIT.encode()
    assert "BODY=8BITMIME" in received.parameters


async def test_a_domain_of_other_letters_is_written_in_ascii():
    """No SMTPUTF8 is needed for it."""
    async with serve(polite) as served:
        await send(plain(served), "bob@bücher.example")
        outcomes = [await send(plain(served), to) for to in ("bób@bücher.example", f"bob@{'ü' * 70}.example")]
    assert b"RCPT TO:<bob@xn--bcher-kva.example>" in served.said
    assert [one.state for one in outcomes] == ["refused"] * 2, "these cannot be written in ASCII"


@pytest.mark.parametrize(
    ("reply", "words"), [(b"421 closing\r\n", "ended the session"), (b"351 go on\r\n", "not valid here")]
)
async def test_a_reply_to_rcpt_that_ends_the_session_is_told_as_that(reply, words):
    async with serve(lambda talk: polite(talk, answers={b"RCPT": reply})) as served:
        outcome = await send(plain(served), "bob@x.org", "eve@x.org")
    assert words in outcome.words
    assert sum(line.startswith(b"RCPT") for line in served.said) == 1


async def test_a_greeting_may_have_a_hundred_lines_and_no_more():
    for lines, state in ((100, "sent"), (101, "later")):
        greeting = b"220-hello\r\n" * (lines - 1) + b"220 hello\r\n"
        async with serve(lambda talk, greeting=greeting: polite(talk, answers={b"greeting": greeting})) as served:
            assert (await send(plain(served))).state == state


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
    async with serve(polite) as served:
        outcome = await send(plain(served), "eve@x.org", bad)
        assert outcome.state == "refused"
        if bad:
            assert (await send(plain(served), sender=bad)).state == "refused"
    assert served.talks == []
    assert not any(ord(char) < 32 for char in outcome.words)


async def test_no_recipient_is_refused():
    assert (await submission.send(plain(1), "ada@x.org", (), RAW)).state == "refused"


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
                    await talk.hear_body()
                    dotted.set()
                elif index < len(_replies()) - 1:
                    await talk.hear()

        async with serve(script) as served:
            outcome = await send(plain(served))
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
                await talk.reader.readexactly(taken)
            talk.drop()

        async with serve(script) as served:
            outcome = await send(plain(served), raw=raw)
        assert (outcome.state, type(outcome.error)) == ("later", Offline)


async def test_the_servers_last_words_inside_a_message_are_heard():
    """552 before the dot refuses, 421 means later, and neither waits for a timeout."""
    raw = b"Subject: big\r\n\r\n" + (b"x" * 76 + b"\r\n") * 200_000
    for words, state in ((b"552 5.3.4 too much\r\n", "refused"), (b"421 4.3.0 going down\r\n", "later")):

        async def script(talk: Talk, words=words) -> None:
            await _until_data(talk)
            await talk.reader.readexactly(1000)
            await talk.say(words)
            await talk.rest()

        async with serve(script) as served, asyncio.timeout(5):
            outcome = await send(plain(served, timeout_seconds=60), raw=raw)
        assert outcome.state == state
        assert words[4:].strip().decode() in outcome.words


async def test_250_and_then_a_drop_or_a_mess_is_sent_once():
    for after in (b"", b"250 again\r\n", b"\xff\0 garbage", b"421 bye\r\n"):

        async def script(talk: Talk, after=after) -> None:
            await polite(talk, answers={b".": b"250 queued\r\n" + after, b"QUIT": b""})

        async with serve(script) as served:
            outcome = await send(plain(served))
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
    async with serve(lambda talk: polite(talk, answers={b".": answer})) as served:
        outcome = await send(plain(served))
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
    for step in (b"greeting", b"EHLO", b"AUTH", b"MAIL", b"RCPT", b"DATA"):
        async with serve(lambda talk, step=step: polite(talk, answers={step: garbage})) as served:
            outcome = await send(plain(served))
        assert (outcome.state, type(outcome.error)) == ("later", ProtocolError), step
        assert served.talks[0].body == b""


@pytest.mark.parametrize(
    "flood", [b"250-x\r\n" * 100_000, b"2" * 5_000_000, b"250-" + b"x" * 100_000 + b"\r\n", b"250 ok\r\n" * 100_000]
)
async def test_a_flood_ends_the_session(flood):

    async def script(talk: Talk) -> None:
        await polite(talk, answers={b"EHLO": flood})

    trace = Trace(limit=10_000)
    async with serve(script) as served, asyncio.timeout(5):
        outcome = await send(plain(served, timeout_seconds=60), trace=trace)
    assert (outcome.state, type(outcome.error)) in {("later", ProtocolError), ("refused", Refused)}
    assert sum(line.direction == "<" for line in trace.lines) <= 102
    assert served.talks[0].body == b""


async def test_a_reply_nobody_asked_for_ends_the_session():
    """One command, one reply."""
    async with serve(lambda talk: polite(talk, answers={b"MAIL": b"250 ok\r\n250 ok\r\n"})) as served:
        outcome = await send(plain(served))
    assert outcome.state == "later"
    assert served.talks[0].body == b""


@pytest.mark.parametrize("silent", [0, 1, 2, 3, 4, 5])
async def test_a_silent_server_is_left_after_the_deadline(silent):
    """Silence before the dot is later."""

    async def script(talk: Talk) -> None:
        for reply in _replies()[:silent]:
            await talk.say(reply)
            await talk.hear()
        await talk.rest()

    async with serve(script) as served, asyncio.timeout(5):
        outcome = await send(plain(served, timeout_seconds=0.15))
    assert (outcome.state, type(outcome.error)) == ("later", Offline)
    assert "in time" in outcome.words


async def test_a_slow_drip_does_not_stretch_the_deadline():
    """A byte now and then keeps no reply alive."""

    async def script(talk: Talk) -> None:
        await talk.say(b"220 hi\r\n")
        await talk.hear()
        gone = asyncio.ensure_future(talk.rest())
        while not gone.done():
            await talk.say(b"2")
            await asyncio.wait({gone}, timeout=0.05)

    async with serve(script) as served, asyncio.timeout(5):
        outcome = await send(plain(served, timeout_seconds=0.3))
    assert (outcome.state, type(outcome.error)) == ("later", Offline)


async def test_silence_after_the_dot_is_unsure(monkeypatch):
    monkeypatch.setattr(submission, "VERDICT_FACTOR", 1)

    async def script(talk: Talk) -> None:
        await _until_data(talk)
        await talk.hear_body()
        await talk.rest()

    async with serve(script) as served:
        outcome = await send(plain(served, timeout_seconds=0.2))
    assert outcome.state == "unsure"


async def test_a_cancel_drops_the_connection_at_once():
    heard = asyncio.Event()

    async def script(talk: Talk) -> None:
        for reply in _replies()[:5]:
            await talk.say(reply)
            await talk.hear()
        heard.set()
        talk.body = await talk.rest()

    async with serve(script) as served:
        sending = asyncio.ensure_future(send(plain(served)))
        await heard.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert served.talks[0].body == b""


async def test_no_server_is_offline():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    for place in (plain(port), plain(port, security="tls")):
        outcome = await send(place)
        assert (outcome.state, type(outcome.error)) == ("later", Offline)


async def test_a_stranger_s_control_characters_do_not_leave_the_server_text():
    """What the server says is cleaned."""
    async with serve(lambda talk: polite(talk, answers={b"MAIL": b"550 \x1b]0;x\x07\xc2\x9bno\r\n"})) as served:
        outcome = await send(plain(served))
    assert outcome.state == "refused"
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in outcome.words + outcome.server_says)
