"""Sending, against aiosmtpd and against scripted servers on real sockets."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from termmail.demo.scripted import ScriptedServer, Talk
from termmail.net.net_errors import Busy, LoginRefused, ProtocolError, TlsFailed
from termmail.net.smtp import guard, submission
from termmail.net.tls import tls_context
from termmail.net.trace import Trace
from tests.net.smtp_setup import EHLO, EXTENSIONS, PASSWORD, RAW, aiosmtpd, send, smtp, where

if TYPE_CHECKING:
    import ssl

    from termmail.net.stream import Server

STARTTLS_EHLO = b"250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"


def secure(port: int, certificates, security="tls", **keys: object) -> Server:
    return where(port, security=security, allow_cleartext=False, tls_ca_file=certificates.ca_file, **keys)


# -- the way it should go


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_message_arrives_byte_for_byte_over_verified_tls(certificates, security):
    """Leading dots and CRLF survive; the login happens inside TLS."""
    context = {security: certificates.server}
    async with aiosmtpd(PASSWORD, auth_required=True, **context) as postbox:
        outcome = await send(secure(postbox.port, certificates, security), "bob@example.org", "eve@example.org")
    assert outcome == submission.Outcome("sent", "Sent.", "2.0.0 kept", accepted=("bob@example.org", "eve@example.org"))
    assert postbox.mail == [("ada@example.org", ["bob@example.org", "eve@example.org"], RAW)]


async def test_bare_line_ends_cannot_end_the_message_early():
    """LF.LF and CR.CR would let a stranger's text become a second message elsewhere."""
    raw = b"Subject: x\r\n\r\none\n.\nMAIL FROM:<evil@example.org>\r.\rtwo\n.\r\nthree"
    async with aiosmtpd(PASSWORD) as postbox:
        assert (await send(where(postbox.port), raw=raw)).state == "sent"
    wire = postbox.mail[0][2]
    assert wire == b"Subject: x\r\n\r\none\r\n.\r\nMAIL FROM:<evil@example.org>\r\n.\r\ntwo\r\n.\r\nthree\r\n"


async def test_two_recipients_of_one_name_are_one_and_the_null_sender_works():
    async with smtp() as server:
        assert (await send(where(server), "bob@x.org", "bob@x.org", sender="")).state == "sent"
    assert server.heard("MAIL") + server.heard("RCPT") == [f"MAIL FROM:<> SIZE={len(RAW)}", "RCPT TO:<bob@x.org>"]


async def test_ehlo_tells_nothing_about_this_computer():
    async with smtp() as server:
        await send(where(server))
    assert server.heard()[0] == "EHLO [127.0.0.1]"


async def test_a_large_message_is_sent_whole():
    raw = b"Subject: big\r\n\r\n" + (b"." + b"x" * 76 + b"\r\n") * 100_000
    async with smtp(("SIZE", *EXTENSIONS[1:])) as server:
        assert (await send(where(server, timeout_seconds=20), raw=raw)).state == "sent"
    assert [received.raw for received in server.received] == [raw]


async def test_check_logs_in_and_leaves_without_a_message():
    async with smtp() as server:
        await submission.check(where(server))
    assert [line.split(" ")[0] for line in server.heard()] == ["EHLO", "AUTH", "QUIT"]


async def test_a_server_without_login_gets_none():
    async with smtp(passwords={}) as server:
        assert (await send(where(server, username="", password=""))).state == "sent"
    assert not any(line.startswith("AUTH") for line in server.heard())


# -- TLS


async def test_a_byte_behind_the_starttls_answer_ends_the_session(certificates):
    """Whole replies and unfinished ones; neither login nor mail follows, not even inside TLS."""
    for extra in (b"250 injected\r\n", b"2", b"235 ok\r\n250 ok\r\n"):

        async def script(talk: Talk, extra=extra) -> None:
            await talk.say(b"220 hi\r\n")
            await talk.hear()
            await talk.say(STARTTLS_EHLO)
            await talk.hear()
            await talk.say(b"220 go\r\n" + extra)

        async with ScriptedServer(script) as server:
            outcome = await send(secure(server.port, certificates, "starttls"))
        assert (outcome.state, type(outcome.error)) == ("later", ProtocolError)
        assert "in the clear" in outcome.words
        assert server.heard() == ["EHLO [127.0.0.1]", "STARTTLS"]
        assert not server.left


async def test_a_byte_that_comes_while_tls_is_made_ready_ends_the_session(certificates, monkeypatch):
    """The answer was clean, what follows it a moment later is not."""
    sent = threading.Event()

    def slow_context(ca_file: str | None) -> ssl.SSLContext:
        assert sent.wait(5)
        return tls_context(ca_file)

    async def script(talk: Talk) -> None:
        await talk.say(b"220 hi\r\n")
        await talk.hear()
        await talk.say(STARTTLS_EHLO)
        await talk.hear()
        await talk.say(b"220 go\r\n")
        await talk.say(b"235 ok\r\n")
        assert not await talk.rest()  # the client has already hung up
        sent.set()

    monkeypatch.setattr(guard, "tls_context", slow_context)
    async with ScriptedServer(script) as server:
        outcome = await send(secure(server.port, certificates, "starttls"))
    assert (outcome.state, type(outcome.error)) == ("later", ProtocolError)


@pytest.mark.parametrize(
    ("ehlo", "answer"),
    [
        (EHLO, b""),
        (STARTTLS_EHLO, b"454 not now\r\n"),
        (STARTTLS_EHLO, b"554 no\r\n"),
        (STARTTLS_EHLO, b"250 ok\r\n"),
        (STARTTLS_EHLO, b"220 go\r\n"),  # and then no TLS
    ],
)
async def test_without_tls_nothing_but_ehlo_and_starttls_is_said(certificates, ehlo, answer):
    """Stripping STARTTLS, refusing it or answering without TLS gets neither password nor mail."""

    async def script(talk: Talk) -> None:
        await talk.say(b"220 hi\r\n")
        await talk.hear()
        await talk.say(ehlo)
        await talk.hear()
        await talk.say(answer)
        if answer.startswith(b"220"):
            await talk.take(1)  # the client's hello
            await talk.say(b"250 welcome\r\n" * 20)

    async with ScriptedServer(script) as server:
        outcome = await send(secure(server.port, certificates, "starttls"))
    assert (outcome.state, type(outcome.error)) == ("later", TlsFailed)
    assert set(server.heard()) <= {"EHLO [127.0.0.1]", "STARTTLS"}


async def test_after_starttls_the_server_is_asked_again_what_it_can(certificates):
    """What was said in the clear (a size limit, LOGIN) is forgotten."""

    async def script(talk: Talk) -> None:
        await talk.say(b"220 hi\r\n")
        await talk.hear()
        await talk.say(b"250-x\r\n250-SIZE 1\r\n250-AUTH CRAM-MD5\r\n250 STARTTLS\r\n")
        await talk.hear()
        await talk.say(b"220 go\r\n")
        await talk.start_tls(certificates.server)
        for reply in (EHLO, b"235 ok\r\n"):
            await talk.hear()
            await talk.say(reply)

    async with ScriptedServer(script) as server:
        await submission.check(secure(server.port, certificates, "starttls"))
    assert server.heard()[2] == "EHLO [127.0.0.1]"
    assert server.heard()[3].startswith("AUTH PLAIN ")


async def test_an_unknown_certificate_gets_no_login(certificates):
    for keys in ({"tls_ca_file": certificates.other_ca_file}, {"tls_ca_file": None}):
        for security, context in (("tls", certificates.server), ("starttls", None)):

            async def script(talk: Talk, context=context) -> None:
                if context is None:
                    await talk.say(b"220 hi\r\n")
                    await talk.hear()
                    await talk.say(STARTTLS_EHLO)
                    await talk.hear()
                    await talk.say(b"220 go\r\n")
                    await talk.start_tls(certificates.server)
                await talk.say(b"220 hi\r\n")
                await talk.hear()

            async with ScriptedServer(script, tls=context) as server:
                outcome = await send(where(server, security=security, allow_cleartext=False, **keys))
            assert (outcome.state, type(outcome.error)) == ("later", TlsFailed)
            assert "certificate" in outcome.words
            assert not any("AUTH" in line for line in server.heard())


async def test_cleartext_needs_the_ugly_setting():
    """Nothing is connected to without it."""
    async with smtp() as server:
        outcome = await send(where(server, allow_cleartext=False))
    assert (type(outcome.error), server.sessions) == (TlsFailed, 0)
    assert "allow_cleartext" in outcome.error.advice


# -- login


@pytest.mark.parametrize(
    ("offer", "answers", "wanted"),
    [
        (b"PLAIN LOGIN", [b"235 ok\r\n"], None),
        (b"LOGIN", [b"334 UGFzc3dvcmQ6\r\n", b"235 ok\r\n"], None),
        (b"PLAIN LOGIN", [b"504 unknown\r\n", b"334 UGFzc3dvcmQ6\r\n", b"235 ok\r\n"], None),
        (b"PLAIN LOGIN", [b"535 5.7.8 bad password\r\n"], LoginRefused),
        (b"PLAIN", [b"454 later\r\n"], Busy),
        (b"CRAM-MD5 NTLM XOAUTH2", [], LoginRefused),
        (b"PLAIN LOGIN", [b"334 \r\n"] * 9, ProtocolError),
        (b"LOGIN", [b"334 \r\n"] * 9, ProtocolError),
        (b"PLAIN LOGIN", [b"500 what\r\n"] * 9, LoginRefused),
        (b"PLAIN LOGIN", [b"250 hm\r\n"] * 9, ProtocolError),
    ],
)
async def test_login_uses_only_what_is_offered_and_asks_at_most_three_times(offer, answers, wanted):
    """PLAIN and LOGIN only, a refused password is not tried again, 334 for ever ends."""

    async def script(talk: Talk) -> None:
        await talk.say(b"220 hi\r\n")
        await talk.hear()
        await talk.say(b"250-x\r\n250 AUTH " + offer + b"\r\n")
        for answer in answers:
            await talk.hear()
            await talk.say(answer)

    async with ScriptedServer(script) as server:
        if wanted is None:
            await submission.check(where(server))
        else:
            with pytest.raises(wanted):
                await submission.check(where(server))
    tried = [line.split(" ")[1] for line in server.heard() if line.startswith("AUTH")]
    assert len(tried) <= 3
    assert set(tried) <= {"PLAIN", "LOGIN"} & set(offer.decode().split())
    if wanted is LoginRefused and answers == [b"535 5.7.8 bad password\r\n"]:
        assert len(tried) == 1


async def test_a_password_with_a_line_break_is_never_sent():
    """CR, LF and NUL in a credential."""
    for bad in ("a\r\nb", "a\nb", "a\0b"):
        async with smtp() as server:
            outcome = await send(where(server, password=bad))
        assert isinstance(outcome.error, LoginRefused)
        assert server.heard() == ["EHLO [127.0.0.1]"]


async def test_the_password_is_in_no_word_and_no_log_even_if_the_server_echoes_it():
    """Plain and in base64."""
    coded = base64.b64encode(PASSWORD.encode())
    plain_blob = base64.b64encode(b"\0ada\0" + PASSWORD.encode())
    for echo in (PASSWORD.encode(), coded, plain_blob):
        trace = Trace()
        async with smtp(answers={"AUTH": b"535 no: " + echo + b"\r\n"}) as server:
            outcome = await send(where(server), trace=trace)
        everything = f"{outcome!r} {outcome.error.server_says} {trace}"
        assert "535 no: " in str(trace)
        for secret in (PASSWORD, coded.decode(), plain_blob.decode()):
            assert secret not in everything


async def test_the_trace_tells_the_conversation_without_its_secrets():
    trace = Trace()
    async with smtp() as server:
        await send(where(server), trace=trace)
    said = [line.text for line in trace.lines if line.direction == ">"]
    assert said == [
        "EHLO [127.0.0.1]",
        "AUTH PLAIN [hidden]",
        f"MAIL FROM:<ada@example.org> SIZE={len(RAW)}",
        "RCPT TO:<bob@example.org>",
        "DATA",
        f"(the message, {len(RAW)} bytes)",
        ".",
        "QUIT",
    ]
    heard = [line.text for line in trace.lines if line.direction == "<"]
    assert heard[1] == "250-demo.example.org"
    assert len(heard) == 10


def test_importing_smtp_does_not_load_aiosmtplib():
    code = "import sys; from termmail.net import smtp; print('aiosmtplib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_tls_that_is_never_finished_is_given_up_in_time(certificates, security):

    async def script(talk: Talk) -> None:
        if security == "starttls":
            await talk.say(b"220 hi\r\n")
            await talk.hear()
            await talk.say(STARTTLS_EHLO)
            await talk.hear()
            await talk.say(b"220 go\r\n")
        await talk.rest()

    async with ScriptedServer(script) as server, asyncio.timeout(10):
        outcome = await send(secure(server.port, certificates, security, timeout_seconds=0.2))
    assert outcome.state == "later"
    assert "in time" in outcome.words
