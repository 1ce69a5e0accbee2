"""From connect to logged in: what is sent, what never is, and what the server's no means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from termmail.credential import Password
from termmail.demo.scripted import ScriptedServer, Talk
from termmail.net.net_errors import Busy, LoginRefused, NetError, Offline, ProtocolError, Refused, TlsFailed
from termmail.net.pop3.maildrop import Maildrop
from termmail.net.trace import Trace
from tests.net.pop3_setup import CAPA, PASSWORD, USER, mail, pop3, rows, verbs, where

if TYPE_CHECKING:
    from termmail.demo.pop3d import Pop3Server

PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
STAMP = "<1896.697170952@dbc.mtview.ca.us>"
GREETING = f"+OK ready {STAMP}\r\n".encode()
DIGEST = hashlib.md5((STAMP + PASSWORD).encode()).hexdigest()


def secure(certificates, **options):
    return {"security": "tls", "allow_cleartext": False, "tls_ca_file": certificates.ca_file, **options}


async def session(server: Pop3Server, **options) -> list[str]:
    """Opens and leaves; what the client said."""
    async with server:
        drop = await Maildrop.open(where(server, **options))
        await drop.commit()
    return server.heard()


async def refused(server: Pop3Server, trace=None, **options) -> NetError:
    async with server:
        with pytest.raises(NetError) as caught:
            await Maildrop.open(where(server, **options), trace)
    return caught.value


# -- the ways in


async def test_under_tls_plain_goes_with_its_initial_response_and_what_follows_in_one_write(certificates):
    server = pop3([mail(1)], tls=certificates.server)
    said = await session(server, **secure(certificates))
    assert said == ["CAPA", "AUTH PLAIN " + PLAIN, "CAPA", "STAT", "QUIT"]
    assert server.turns == 3


async def test_without_pipelining_each_command_waits_for_the_answer_before(certificates):
    server = pop3([mail(1)], capabilities=("TOP", "UIDL", "SASL PLAIN"), tls=certificates.server)
    said = await session(server, **secure(certificates))
    assert said == ["CAPA", "AUTH PLAIN " + PLAIN, "CAPA", "STAT", "QUIT"]
    assert server.turns == 5


async def test_without_sasl_user_and_pass_go_one_after_the_other(certificates):
    server = pop3([mail(1)], capabilities=("TOP", "UIDL", "USER", "PIPELINING"), tls=certificates.server)
    said = await session(server, **secure(certificates))
    assert said == ["CAPA", "USER ada", "PASS " + PASSWORD, "CAPA", "STAT", "QUIT"]
    assert server.turns == 5


async def test_a_server_without_capa_works(certificates):
    server = pop3([mail(1)], capabilities=None, tls=certificates.server)
    said = await session(server, **secure(certificates))
    assert said == ["CAPA", "USER ada", "PASS " + PASSWORD, "STAT", "QUIT"]


async def test_what_the_server_can_do_after_login_counts(certificates):
    server = pop3(
        [mail(1)], capabilities=("SASL PLAIN",), after_login=("TOP", "UIDL", "PIPELINING"), tls=certificates.server
    )
    async with server:
        drop = await Maildrop.open(where(server, **secure(certificates)))
        assert drop.pipelining
        assert drop.has_top
        assert drop.has_uidl
        await drop.close()


async def test_a_password_too_long_for_a_command_line_goes_as_an_answer_of_its_own(certificates):
    """RFC 2449 section 4: 255 bytes."""
    long = "p" * 400
    expected = base64.b64encode(f"\0{USER}\0{long}".encode()).decode()

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK\r\n")
        await talk.hear("CAPA")
        await talk.say(rows(*CAPA))
        assert await talk.hear("AUTH") == "AUTH PLAIN"
        await talk.say(b"+ \r\n")
        assert await talk.hear() == expected
        await talk.say(b"+OK\r\n")
        await talk.hear("CAPA")
        await talk.hear("STAT")
        await talk.say(rows(*CAPA) + b"+OK 0 0\r\n")

    async with ScriptedServer(script, tls=certificates.server) as there:
        drop = await Maildrop.open(replace(where(there, **secure(certificates)), credential=Password(long)))
        await drop.close()


async def test_a_password_that_is_refused_before_it_is_sent_is_a_refused_login(certificates):

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK\r\n")
        await talk.hear("CAPA")
        await talk.say(rows(*CAPA))
        await talk.hear("AUTH")
        await talk.say(b"-ERR [AUTH] not this way\r\n")

    async with ScriptedServer(script, tls=certificates.server) as there:
        server = replace(where(there, **secure(certificates)), credential=Password("p" * 400))
        with pytest.raises(LoginRefused) as told:
            await Maildrop.open(server)
    assert "not this way" in told.value.server_says


async def test_utf8_is_asked_for_where_it_is_offered_and_its_refusal_is_no_trouble(certificates):
    """RFC 6856"""
    server = pop3([mail(1)], capabilities=(*CAPA, "UTF8"), answers={"UTF8": b"-ERR no\r\n"}, tls=certificates.server)
    said = await session(server, **secure(certificates))
    assert said[:3] == ["CAPA", "UTF8", "AUTH PLAIN " + PLAIN]


class ScramServer:
    """The server's side of RFC 5802, for one user."""

    def __init__(self, password: str = PASSWORD, *, lie: bool = False, skip: bool = False) -> None:
        self.password, self.lie, self.skip = password, lie, skip

    async def __call__(self, talk: Talk) -> None:
        await talk.say(b"+OK\r\n")
        await talk.hear("CAPA")
        await talk.say(rows("TOP", "UIDL", "PIPELINING", "SASL SCRAM-SHA-256"))
        first = base64.b64decode((await talk.hear("AUTH SCRAM-SHA-256 ")).split(" ")[2]).decode()
        assert first.startswith("n,,n=ada,r=")
        nonce = first.partition("r=")[2] + "server"
        salt, rounds = b"salt", 4096
        server_first = f"r={nonce},s={base64.b64encode(salt).decode()},i={rounds}"
        await talk.say(b"+ " + base64.b64encode(server_first.encode()) + b"\r\n")
        final = base64.b64decode(await talk.hear()).decode()
        without, _, proof = final.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, rounds)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signed = f"{first[3:]},{server_first},{without}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        expected = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        if base64.b64decode(proof) != expected:
            await talk.say(b"-ERR [AUTH] no\r\n")
            return
        if not self.skip:
            verifier = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
            verifier = b"\0" * 32 if self.lie else verifier
            await talk.say(b"+ " + base64.b64encode(b"v=" + base64.b64encode(verifier)) + b"\r\n")
            if await talk.hear() == b"" and self.lie:
                return
        await talk.say(b"+OK in\r\n")
        if not self.skip:
            await talk.hear("CAPA")
            await talk.hear("STAT")
            await talk.say(rows(*CAPA) + b"+OK 0 0\r\n")


async def test_scram_logs_in_and_the_server_proves_itself(certificates):
    async with ScriptedServer(ScramServer(), tls=certificates.server) as there:
        drop = await Maildrop.open(where(there, **secure(certificates)))
        await drop.close()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (ScramServer(lie=True), LoginRefused),
        (ScramServer(skip=True), ProtocolError),
        (ScramServer(password="other"), LoginRefused),
    ],
)
async def test_scram_fails_where_either_side_does_not_know_the_password(certificates, script, kind):
    async with ScriptedServer(script, tls=certificates.server) as there:
        with pytest.raises(kind):
            await Maildrop.open(where(there, **secure(certificates)))
    assert there.left == b""


# -- nothing in the clear


async def test_nothing_but_capa_is_said_in_the_clear_where_the_user_did_not_allow_it():
    server = pop3([mail(1)])
    error = await refused(server, allow_cleartext=False)
    assert isinstance(error, TlsFailed)
    assert "could read the password" in str(error)
    assert server.heard() == ["CAPA"]


async def test_apop_is_used_without_tls_where_the_stamp_is_true_and_the_password_stays_here():
    server = pop3([mail(1)], greeting=GREETING)
    said = await session(server, allow_cleartext=False)
    assert said[:2] == ["CAPA", "APOP ada " + DIGEST]
    assert not any(PASSWORD in line or PLAIN in line for line in said)


async def test_apop_is_preferred_to_pass_and_plain_in_the_clear():
    said = await session(pop3([mail(1)], greeting=GREETING), allow_cleartext=True)
    assert said[1] == "APOP ada " + DIGEST


@pytest.mark.parametrize("stamp", [b"<1896.697170952>", b"<a\xff@b>", b"<a@b@c>", b"a@b"])
async def test_apop_is_not_used_with_a_stamp_that_is_no_msg_id(stamp):
    """CVE-2007-1558 needs such stamps."""
    server = pop3([mail(1)], greeting=b"+OK " + stamp + b"\r\n")
    assert isinstance(await refused(server, allow_cleartext=False), TlsFailed)
    assert server.heard() == ["CAPA"]


async def test_apop_is_never_used_where_tls_is_configured(certificates):
    server = pop3([mail(1)], greeting=GREETING, capabilities=("TOP", "UIDL", "USER"), tls=certificates.server)
    said = await session(server, **secure(certificates))
    assert "USER ada" in said
    assert not any(line.startswith("APOP") for line in said)


async def test_a_refused_apop_is_followed_by_one_other_way_where_cleartext_is_allowed():
    """Servers show a stamp also to users they keep no APOP secret for. Two logins, not more."""
    server = pop3([mail(1)], greeting=GREETING, answers={"APOP": b"-ERR [AUTH] no\r\n"})
    said = await session(server, allow_cleartext=True)
    assert said[1:3] == ["APOP ada " + DIGEST, "AUTH PLAIN " + PLAIN]
    server = pop3([mail(1)], greeting=GREETING, answers={"APOP": b"-ERR no\r\n", "AUTH": b"-ERR no\r\n"})
    assert isinstance(await refused(server, allow_cleartext=True), LoginRefused)
    assert [verb for verb in verbs(server) if verb in {"APOP", "AUTH", "USER", "PASS"}] == ["APOP", "AUTH"]
    server = pop3([mail(1)], greeting=GREETING, answers={"APOP": b"-ERR no\r\n"})
    assert isinstance(await refused(server, allow_cleartext=False), LoginRefused)
    assert server.heard()[-1].startswith("APOP")


async def test_in_the_clear_scram_is_preferred_to_plain():
    async with ScriptedServer(ScramServer()) as there:
        drop = await Maildrop.open(where(there))
        await drop.close()
        assert there.heard()[1].startswith("AUTH SCRAM-SHA-256 ")


async def test_no_password_goes_to_a_server_that_offers_no_known_way(certificates):
    server = pop3([mail(1)], capabilities=("TOP", "UIDL", "SASL XOAUTH2 GSSAPI"), tls=certificates.server)
    error = await refused(server, **secure(certificates))
    assert isinstance(error, LoginRefused)
    assert server.heard() == ["CAPA"]


# -- STLS


def starttls(certificates, **options):
    return secure(certificates, security="starttls", **options)


async def test_stls_comes_first_and_what_was_known_before_is_asked_again(certificates):

    async def script(talk: Talk) -> None:
        await talk.say(GREETING)
        await talk.hear("CAPA")
        await talk.say(rows("STLS", "SASL PLAIN", "PIPELINING", "USER"))
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")
        await talk.start_tls(certificates.server)
        await talk.hear("CAPA")
        await talk.say(rows("TOP", "UIDL", "USER"))
        await talk.hear("USER ada")
        await talk.say(b"+OK\r\n")
        await talk.hear("PASS " + PASSWORD)
        await talk.say(b"+OK\r\n")
        await talk.hear("CAPA")
        await talk.say(rows("TOP", "UIDL"))
        await talk.hear("STAT")
        await talk.say(b"+OK 3 30\r\n")

    async with ScriptedServer(script) as there:
        trace = Trace()
        drop = await Maildrop.open(where(there, **starttls(certificates)), trace)
        assert (drop.count, drop.size, drop.pipelining) == (3, 30, False)
        await drop.close()
    assert ("*", "TLS started") in [(line.direction, line.text) for line in trace.lines]


@pytest.mark.parametrize("capabilities", [("TOP", "UIDL", "SASL PLAIN", "USER"), None])
async def test_without_stls_nothing_else_is_said(certificates, capabilities):
    """TLS is required, never "if available"."""
    server = pop3([mail(1)], greeting=GREETING, capabilities=capabilities, answers={"STLS": b"-ERR what?\r\n"})
    error = await refused(server, **starttls(certificates, allow_cleartext=True))
    assert isinstance(error, TlsFailed)
    assert set(verbs(server)) <= {"CAPA", "STLS"}


@pytest.mark.parametrize("behind", [b"+", b"+OK\r\n", b"+OK in\r\n" * 9, b"\0", b"\r\n"])
async def test_one_byte_behind_the_answer_to_stls_ends_it_before_anything_secret(certificates, behind):
    """Asyncio's own streams would read it as if it had come through TLS."""

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("CAPA")
        await talk.say(rows(*CAPA, "STLS"))
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n" + behind)

    async with ScriptedServer(script) as there:
        with pytest.raises(ProtocolError, match="in the clear"):
            await Maildrop.open(where(there, **starttls(certificates)))
    assert there.left == b""


async def test_a_byte_behind_stls_that_comes_a_moment_later_ends_it_too(certificates):
    """It meets the handshake, and fails it."""

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("CAPA")
        await talk.say(rows(*CAPA, "STLS"))
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")
        await talk.take(1)
        await talk.say(b"+OK logged in, no TLS needed\r\n")

    async with ScriptedServer(script) as there:
        with pytest.raises(NetError) as caught:
            await Maildrop.open(where(there, **starttls(certificates)))
        assert isinstance(caught.value, (TlsFailed, ProtocolError))
    assert PLAIN.encode() not in there.left
    assert b"AUTH" not in there.left


async def test_no_tls_after_stls_is_an_error_and_no_login(certificates):

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("CAPA")
        await talk.say(rows(*CAPA, "STLS"))
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")

    async with ScriptedServer(script) as there:
        with pytest.raises(NetError):
            await Maildrop.open(where(there, **starttls(certificates, timeout_seconds=0.3)))
    assert b"AUTH" not in there.left


async def test_stls_with_a_certificate_nobody_knows_sends_nothing_more(certificates):

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("CAPA")
        await talk.say(rows(*CAPA, "STLS"))
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")
        await talk.start_tls(certificates.server)
        assert await talk.rest() == b""

    async with ScriptedServer(script) as there:
        with pytest.raises(TlsFailed, match="does not know"):
            await Maildrop.open(where(there, **starttls(certificates, tls_ca_file=certificates.other_ca_file)))


# -- what a no means


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"-ERR [AUTH] wrong\r\n", LoginRefused),
        (b"-ERR wrong\r\n", LoginRefused),
        (b"-ERR [IN-USE] wait\r\n", Busy),
        (b"-ERR [LOGIN-DELAY] wait\r\n", Busy),
        (b"-ERR [SYS/TEMP] wait\r\n", Busy),
        (b"-ERR maildrop already locked\r\n", Busy),
        (b"-ERR [SYS/PERM] broken\r\n", Refused),
        (b"-ERR\r\n", LoginRefused),
    ],
)
@pytest.mark.parametrize("verb", ["AUTH", "PASS"])
async def test_a_refused_login_says_what_to_do_and_is_not_tried_again(certificates, verb, answer, kind):
    capabilities = CAPA if verb == "AUTH" else ("TOP", "UIDL", "USER")
    server = pop3([mail(1)], capabilities=capabilities, answers={verb: answer}, tls=certificates.server)
    error = await refused(server, **secure(certificates))
    assert type(error) is kind
    assert error.advice
    assert error.server_says in answer.decode()
    assert verbs(server).count(verb) == 1
    assert server.sessions == 1


async def test_a_server_that_refuses_at_the_door_is_busy(certificates):
    server = pop3(greeting=b"-ERR too many connections\r\n", tls=certificates.server)
    error = await refused(server, **secure(certificates))
    assert isinstance(error, Busy)
    assert error.server_says == "too many connections"


async def test_a_server_that_asks_back_in_plain_is_an_error(certificates):
    server = pop3([mail(1)], answers={"AUTH": b"+ \r\n"}, tls=certificates.server)
    assert isinstance(await refused(server, **secure(certificates)), ProtocolError)


async def test_a_greeting_that_never_comes_is_given_up_in_time():
    error = await refused(pop3(stall_at=frozenset({"CONNECT"})), timeout_seconds=0.2)
    assert isinstance(error, Offline)
    assert "in time" in str(error)


async def test_a_greeting_that_is_none_ends_it():
    for greeting in (b"220 smtp.example.org ESMTP\r\n", b"* OK IMAP4rev1\r\n", b"x" * 9000):
        assert isinstance(await refused(pop3(greeting=greeting)), ProtocolError)


@pytest.mark.parametrize("bad", ["a\r\nDELE 1", "a\nb", "a\0b", "a\x7f", "a\ud800"])
@pytest.mark.parametrize("which", [lambda bad: {"username": bad}, lambda bad: {"credential": Password(bad)}])
async def test_a_control_character_in_name_or_password_is_refused_before_connecting(which, bad):
    server = pop3([mail(1)])
    async with server:
        with pytest.raises(LoginRefused) as caught:
            await Maildrop.open(replace(where(server), **which(bad)))
    assert server.sessions == 0
    assert "DELE" not in str(caught.value)


# -- secrets

ECHOES = [
    PASSWORD.encode(),
    PLAIN.encode(),
    base64.b64encode(PASSWORD.encode()),
    base64.b64encode(f"{USER}\0{PASSWORD}".encode()),
    b"x" * 480 + PASSWORD.encode() + b"x" * 100,
    b"\x1b]0;" + PASSWORD.encode() + b"\x07",
]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("answer", [b"-ERR you said %s\r\n", b"-ERR [IN-USE] %s\r\n", b"%s\r\n", b"+OK\r\n%s\r\n"])
async def test_no_error_and_no_trace_shows_a_password_that_the_server_echoes(certificates, echo, answer):
    trace = Trace()
    server = pop3([mail(1)], answers={"AUTH": answer % echo}, tls=certificates.server)
    error = await refused(server, trace, **secure(certificates))
    shown = io.StringIO()
    traceback.print_exception(error, file=shown)
    text = "\n".join(
        [str(error), error.server_says, error.advice, repr(error), shown.getvalue(), str(trace), repr(trace.lines)]
    )
    assert "\x1b" not in text
    assert error.server_says
    for form in (PASSWORD, PLAIN, base64.b64encode(PASSWORD.encode()).decode().rstrip("=")[:-1], PASSWORD[:8]):
        assert form not in text
    assert "> " in str(trace)


async def test_the_trace_tells_the_conversation_without_its_secrets(certificates):
    trace = Trace()
    server = pop3([mail(1)], capabilities=("TOP", "UIDL", "USER"), tls=certificates.server)
    async with server:
        drop = await Maildrop.open(where(server, **secure(certificates)), trace)
        await drop.commit()
    said = [line.text for line in trace.lines if line.direction == ">"]
    assert said == ["CAPA", "USER ada", "PASS [hidden]", "CAPA", "STAT", "QUIT"]
    assert str(trace).splitlines()[0] == "<       0 ms  +OK ready"
    heard = [line.text for line in trace.lines if line.direction == "<"]
    assert heard[0] == "+OK ready"
    assert PASSWORD not in str(trace)
    times = [line.time for line in trace.lines]
    assert times == sorted(times)


def test_the_trace_is_bounded():
    trace = Trace(limit=10)
    for number in range(100):
        trace.add("<", b"x" * 10_000 + b"%d" % number)
    assert len(trace.lines) == 10
    assert all(len(line.text) <= 500 for line in trace.lines)
    assert Trace(0).__str__() == ""


async def test_an_echoed_apop_digest_is_hidden():
    trace = Trace()

    def echo(line: str) -> bytes:
        _, name, digest = line.split(" ")
        return f"-ERR no {name} {digest} {digest.upper()}\r\n".encode()

    server = pop3([mail(1)], greeting=b"+OK <1.2@example.org>\r\n", answers={"APOP": echo})
    error = await refused(server, trace=trace, allow_cleartext=False)
    digest = hashlib.md5(b"<1.2@example.org>" + PASSWORD.encode()).hexdigest()
    assert server.heard()[-1] == f"APOP ada {digest}"
    assert error.server_says == "no ada [hidden] [hidden]"
    assert digest[:6] not in str(trace).lower()
