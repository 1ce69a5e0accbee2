"""From the greeting to the login: what is sent before TLS, what is believed, and which way the password goes."""

from __future__ import annotations

import base64

import pytest

from termmail.credential import Password
from termmail.demo.scripted import ScriptedServer, Talk
from termmail.net import sasl
from termmail.net.imap.imap_login import way_to_log_in
from termmail.net.imap.imap_session import ImapSession
from termmail.net.net_errors import Busy, LoginRefused, NetError, Offline, ProtocolError, Refused, TlsFailed
from termmail.net.stream import Server
from termmail.net.trace import Trace
from tests.net.imap.imap_script import FULL, PASSWORD, PLAIN, USER, Honest, opened, server

CAPA = b"* CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN\r\n"
INITIAL = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()


def where(port: int, certificates=None, **options) -> Server:
    if certificates:
        options = {"host": "localhost", "tls_ca_file": certificates.ca_file, "allow_cleartext": False} | options
    return server(port, **options)


async def heard(talk: Talk, expected: str = "") -> bytes:
    """The tag of a command."""
    line = await talk.hear()
    tag, _, rest = line.partition(" ")
    assert rest.startswith(expected), (line, expected)
    return tag.encode()


# -- STARTTLS


async def test_starttls_comes_first_and_what_was_said_before_is_forgotten(certificates):
    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=X-EVIL] hi\r\n* 5 EXISTS\r\n* OK [ALERT] evil\r\n")
        tag = await heard(talk, "STARTTLS")
        await talk.say(tag + b" OK go\r\n")
        await talk.start_tls(certificates.server)
        tag = await heard(talk, "CAPABILITY")
        await talk.say(b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n" + tag + b" OK\r\n")
        tag = await heard(talk, "AUTHENTICATE PLAIN " + INITIAL)
        await talk.say(tag + b" OK in\r\n")
        tag = await heard(talk, "CAPABILITY")
        await talk.say(b"* CAPABILITY IMAP4rev1 ID\r\n" + tag + b" OK\r\n")

    async with ScriptedServer(script) as told:
        session = await ImapSession.open(where(told.port, certificates, security="starttls"))
        assert session.features.names == {"IMAP4REV1", "ID"}
        assert session.alerts == []
        assert session.folder is None
        await session.close()


@pytest.mark.parametrize(
    "lines",
    [
        b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n",
        b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n",
    ],
)
async def test_where_starttls_was_stripped_nothing_else_is_said(certificates, lines):
    async def script(talk):
        await talk.say(lines)

    async with ScriptedServer(script) as told:
        with pytest.raises(TlsFailed):
            await ImapSession.open(where(told.port, certificates, security="starttls"))
        await told.until(lambda: told.open_sessions == 0)
        assert told.left == b""


@pytest.mark.parametrize("answer", [b"NO not now", b"BAD what"])
async def test_a_refused_starttls_ends_it(certificates, answer):
    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n")
        await talk.say(await heard(talk, "STARTTLS") + b" " + answer + b"\r\n")

    async with ScriptedServer(script) as told:
        with pytest.raises(TlsFailed) as failed:
            await ImapSession.open(where(told.port, certificates, security="starttls"))
        assert failed.value.server_says == answer.split(b" ", 1)[1].decode()
        await told.until(lambda: told.open_sessions == 0)
        assert told.left == b""


@pytest.mark.parametrize("injected", [b"A2 OK [CAPABILITY AUTH=PLAIN]\r\n", b"*", b"* PREAUTH hi\r\n"])
async def test_a_byte_behind_the_answer_to_starttls_ends_it(certificates, injected):
    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n")
        await talk.say(await heard(talk, "STARTTLS") + b" OK go\r\n" + injected)

    async with ScriptedServer(script) as told:
        with pytest.raises(ProtocolError, match="in the clear"):
            await ImapSession.open(where(told.port, certificates, security="starttls"))
        await told.until(lambda: told.open_sessions == 0)
        assert told.left == b""


@pytest.mark.parametrize("security", ["starttls", "none"])
async def test_preauth_ends_the_session_and_nothing_is_sent(certificates, security):
    async def script(talk):
        await talk.say(b"* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n")

    async with ScriptedServer(script) as told:
        with pytest.raises(ProtocolError, match="logged in already"):
            await ImapSession.open(where(told.port, certificates, security=security, allow_cleartext=True))
        await told.until(lambda: told.open_sessions == 0)
        assert told.heard() == []
        assert told.left == b""


async def test_preauth_inside_tls_ends_it_too(certificates):
    async def script(talk):
        await talk.say(b"* PREAUTH welcome\r\n")

    async with ScriptedServer(script, tls=certificates.server) as told:
        with pytest.raises(ProtocolError, match="logged in already"):
            await ImapSession.open(where(told.port, certificates, security="tls"))


async def test_without_tls_and_without_leave_no_password_is_sent():
    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256] hi\r\n")

    async with ScriptedServer(script) as told:
        with pytest.raises(TlsFailed, match="Without TLS"):
            await ImapSession.open(where(told.port, allow_cleartext=False))
        await told.until(lambda: told.open_sessions == 0)
        assert told.left == b""


# -- the greeting


async def test_a_server_that_says_bye_is_busy():
    async with Honest(greeting=b"* BYE [UNAVAILABLE] too many connections\r\n").running() as honest:
        with pytest.raises(Busy) as busy:
            await ImapSession.open(honest.where())
        assert busy.value.server_says == "too many connections"


@pytest.mark.parametrize(
    "greeting", [b"+OK POP3\r\n", b"220 smtp\r\n", b"\x16\x03\x01\0\r\n", b"* 1 EXISTS\r\n", b"\r\n"]
)
async def test_a_server_of_another_kind_is_told_by_its_greeting(greeting):
    async with Honest(greeting=greeting).running() as honest:
        with pytest.raises(ProtocolError):
            await ImapSession.open(honest.where())
        assert honest.said == []


# -- the login


@pytest.mark.parametrize(
    ("capabilities", "security", "way"),
    [
        ("AUTH=PLAIN", "tls", "PLAIN"),
        ("AUTH=PLAIN LOGINDISABLED", "tls", "PLAIN"),
        ("AUTH=PLAIN AUTH=SCRAM-SHA-256", "tls", "PLAIN"),
        ("AUTH=PLAIN AUTH=SCRAM-SHA-256", "none", "SCRAM-SHA-256"),
        ("AUTH=SCRAM-SHA-256", "tls", "SCRAM-SHA-256"),
        ("", "tls", "LOGIN"),
        ("AUTH=XOAUTH2", "starttls", "LOGIN"),
        ("AUTH=PLAIN", "none", "PLAIN"),
    ],
)
def test_the_way_to_log_in(capabilities, security, way):
    assert way_to_log_in(where(1, security=security), frozenset(capabilities.split())) == way


@pytest.mark.parametrize("capabilities", ["LOGINDISABLED", "LOGINDISABLED AUTH=XOAUTH2"])
async def test_logindisabled_is_honoured(capabilities):
    async with Honest(capabilities=("IMAP4rev1", *capabilities.split())).running() as honest:
        with pytest.raises(LoginRefused):
            await ImapSession.open(honest.where())
        assert honest.commands == ["CAPABILITY"]


async def test_without_sasl_ir_the_response_waits_for_the_server():
    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n")
        tag = await heard(talk, "AUTHENTICATE PLAIN")
        await talk.say(b"+ \r\n")
        assert await talk.hear() == INITIAL
        await talk.say(tag + b" OK [CAPABILITY IMAP4rev1] in\r\n")

    async with ScriptedServer(script) as told:
        await (await ImapSession.open(where(told.port))).close()


async def test_login_sends_words_as_literals_where_it_must_and_waits_for_each():
    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1] hi\r\n")
        tag = await heard(talk, "LOGIN ada {9}")
        await talk.say(b"+ go\r\n")
        assert await talk.hear() == "pässwör"
        await talk.say(tag + b" OK [CAPABILITY IMAP4rev1] in\r\n")

    async with ScriptedServer(script) as told:
        place = where(told.port)
        place = Server("imap", place.host, place.port, "none", USER, Password("pässwör"), allow_cleartext=True)
        await (await ImapSession.open(place)).close()


async def test_a_server_that_does_not_know_authenticate_gets_login():
    honest = Honest(capabilities=PLAIN, answers={"AUTHENTICATE": b"TAG BAD what?\r\n"})
    async with opened(honest):
        assert honest.commands[-1] == f"LOGIN {USER} {PASSWORD}"


async def test_scram_proves_both_sides():
    class Fixed(sasl.Scram):
        def __init__(self, username, password):
            super().__init__(username, password, nonce="rOprNGfwEbeRWgbNEkqO")

    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256] hi\r\n")
        tag = await heard(talk, "AUTHENTICATE SCRAM-SHA-256")
        await talk.say(b"+ \r\n")
        first = base64.b64decode(await talk.hear()).decode()
        nonce = first.rpartition("r=")[2]
        await talk.say(b"+ " + base64.b64encode(f"r={nonce}xyz,s=c2FsdA==,i=4096".encode()) + b"\r\n")
        await talk.hear()
        await talk.say(b"+ " + base64.b64encode(b"v=" + base64.b64encode(b"x" * 32)) + b"\r\n")
        del tag

    async with ScriptedServer(script) as told:
        with pytest.raises(LoginRefused, match="could not prove"):
            await ImapSession.open(where(told.port))


async def test_scram_that_skips_the_proof_is_no_login():
    honest = Honest(capabilities=("IMAP4rev1", "SASL-IR", "AUTH=SCRAM-SHA-256"))
    async with honest.running():
        with pytest.raises(ProtocolError, match="proves its identity"):
            await ImapSession.open(honest.where())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"NO [AUTHENTICATIONFAILED] no", LoginRefused),
        (b"NO [AUTHORIZATIONFAILED] no", LoginRefused),
        (b"NO [EXPIRED] no", LoginRefused),
        (b"NO no", LoginRefused),
        (b"NO [UNAVAILABLE] no", Busy),
        (b"NO [INUSE] no", Busy),
        (b"NO [LIMIT] no", Busy),
        (b"NO [THROTTLED] no", Busy),
        (b"NO [SERVERBUG] no", Busy),
        (b"NO [OVERQUOTA] no", Refused),
        (b"NO [NOPERM] no", Refused),
        (b"NO [CONTACTADMIN] no", Refused),
        (b"NO [PRIVACYREQUIRED] no", TlsFailed),
        (b"NO Too many simultaneous connections", Busy),
        (b"NO [ALERT] Too many simultaneous connections. (Failure)", Busy),
        (b"NO [ALERT] Application-specific password required", LoginRefused),
    ],
)
async def test_a_refused_login_is_told_and_tried_once(answer, kind):
    honest = Honest(answers={"AUTHENTICATE": b"TAG " + answer + b"\r\n"})
    async with honest.running():
        with pytest.raises(kind):
            await ImapSession.open(honest.where())
        assert [line.split()[0] for line in honest.commands] == ["CAPABILITY", "AUTHENTICATE"]


async def test_an_error_in_a_challenge_is_cancelled_and_told():
    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
        tag = await heard(talk, "AUTHENTICATE")
        await talk.say(b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n")
        assert await talk.hear() == "*"
        await talk.say(tag + b" NO [AUTHENTICATIONFAILED] cancelled\r\n")

    async with ScriptedServer(script) as told:
        with pytest.raises(LoginRefused):
            await ImapSession.open(where(told.port))


async def test_endless_challenges_end_the_session():
    async def script(talk):
        await talk.say(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
        await heard(talk, "AUTHENTICATE")
        await talk.say(b"+ \r\n")
        await talk.hear()
        await talk.say(b"+ \r\n+ \r\n")

    async with ScriptedServer(script) as told:
        with pytest.raises(ProtocolError):
            await ImapSession.open(where(told.port))


@pytest.mark.parametrize("bad", ["a\r\nA1 NOOP", "a\0", "a\x7f", "a\ud800"])
async def test_control_characters_in_credentials_are_refused_before_connecting(bad):
    for name, secret in ((bad, "x"), ("x", bad)):
        with pytest.raises(LoginRefused):
            await ImapSession.open(Server("imap", "127.0.0.1", 1, "none", name, Password(secret), allow_cleartext=True))


ECHOES = [
    PASSWORD.encode(),
    f'LOGIN "{USER}" "{PASSWORD}"'.encode(),
    INITIAL.encode(),
    base64.b64encode(PASSWORD.encode()),
    PASSWORD.encode().hex().encode(),
]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize(
    "how", [b"TAG NO sorry %b\r\n", b"TAG BAD %b\r\n", b"* BYE %b\r\n", b"TAG OK [CAPABILITY %b]\r\nA9 OK\r\n"]
)
async def test_no_error_and_no_trace_shows_a_password_that_the_server_echoes(echo, how):
    trace = Trace()
    capabilities = ("IMAP4rev1", "SASL-IR", "AUTH=PLAIN", "LOGINDISABLED")
    honest = Honest(capabilities=capabilities, answers={"AUTHENTICATE": how % echo})
    async with honest.running():
        with pytest.raises(NetError) as failed:
            session = await ImapSession.open(honest.where(), trace)
            await session.noop()
    told = f"{failed.value} {failed.value.server_says} {failed.value.advice} {trace}"
    for secret in ECHOES:
        assert secret.decode() not in told
    assert PASSWORD not in told


async def test_the_password_is_not_traced_when_it_is_sent():
    for capabilities in (PLAIN, FULL, ("IMAP4rev1", "AUTH=PLAIN"), ("IMAP4rev1",)):
        trace = Trace()
        try:
            async with opened(
                Honest(capabilities=capabilities, answers={"AUTHENTICATE": b"TAG BAD\r\n"}), trace
            ) as session:
                await session.noop()
        except (LoginRefused, Offline):
            pass
        assert PASSWORD not in str(trace)
        assert INITIAL not in str(trace)
        assert "[hidden]" in str(trace)
