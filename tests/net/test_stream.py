"""The line to a server, on real sockets: TLS, what is refused, and in which words."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl

import pytest
import trustme

from termmail.credential import Password
from termmail.demo.scripted import ScriptedServer, Talk
from termmail.net import stream as stream_module
from termmail.net.net_errors import (
    Busy,
    LoginRefused,
    NetError,
    Offline,
    ProtocolError,
    Refused,
    TlsFailed,
    TooLarge,
)
from termmail.net.stream import Server, Stream
from termmail.net.tls import explain, tls_context
from tests.net.pop3_setup import pop3, where

AUTHORITY = trustme.CA()


@pytest.fixture(scope="session")
def ca_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


def context(*names, authority=AUTHORITY, **options) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*(names or ("127.0.0.1", "localhost")), **options).configure_cert(made)
    return made


class Heard:
    """Collects what a stream hands out."""

    def __init__(self, stream: Stream) -> None:
        self.data, self.ended, self._news = b"", False, asyncio.Event()
        stream.on_bytes = self

    def __call__(self, data: bytes) -> None:
        self.data += data
        self.ended = self.ended or not data
        self._news.set()

    async def until(self, end: bytes) -> bytes:
        async with asyncio.timeout(5):
            while not self.data.endswith(end) and not self.ended:
                self._news.clear()
                await self._news.wait()
        return self.data


async def silent(talk: Talk) -> None:
    pass


async def greets(talk: Talk) -> None:
    await talk.say(b"+OK ready\r\n")


async def error_at(where: Server) -> NetError:
    with pytest.raises(NetError) as caught:
        await Stream.connect(where)
    return caught.value


def in_words(error: NetError) -> str:
    text = str(error)
    assert text.endswith((".", "?"))
    assert "rrno" not in text
    assert "Error" not in text
    return text


async def test_tls_that_verifies_carries_bytes_both_ways(ca_file):

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("hello")
        await talk.say(b"+OK bye\r\n")

    async with ScriptedServer(script, tls=context()) as there:
        line = await Stream.connect(where(there, security="tls", tls_ca_file=ca_file))
        heard = Heard(line)
        await heard.until(b"ready\r\n")
        line.write(b"hello\r\n")
        assert await heard.until(b"bye\r\n") == b"+OK ready\r\n+OK bye\r\n"
        assert line.encrypted
        line.close()
        await line.closed()


@pytest.mark.parametrize("security", ["tls", "none"])
async def test_many_bytes_at_once_come_whole(ca_file, security):
    """More than is read at once, in many TLS records."""
    data = b"".join(b"%d\r\n" % number for number in range(200_000))

    async def script(talk: Talk) -> None:
        await talk.say(data)

    async with ScriptedServer(script, tls=context() if security == "tls" else None) as there:
        line = await Stream.connect(where(there, security=security, tls_ca_file=ca_file))
        assert await Heard(line).until(b"199999\r\n") == data
        line.close()
        await line.closed()


async def test_a_cleartext_line_carries_bytes_and_says_when_it_ends():
    async with pop3() as there:
        line = await Stream.connect(where(there))
        heard = Heard(line)
        await heard.until(b"\r\n")
        line.write(b"QUIT\r\n")
        await heard.until(b"never")
        assert heard.ended
        assert heard.data == b"+OK ready\r\n+OK bye\r\n"
        line.close()


async def test_small_writes_do_not_wait_for_each_other():
    """TCP_NODELAY"""
    async with ScriptedServer(greets) as there:
        line = await Stream.connect(where(there))
        assert line._transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        line.close()


async def test_a_certificate_that_has_expired_is_refused_in_words(ca_file):
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    async with ScriptedServer(silent, tls=context(not_after=yesterday)) as there:
        error = await error_at(where(there, security="tls", tls_ca_file=ca_file))
    assert isinstance(error, TlsFailed)
    assert "expired" in in_words(error)
    assert error.advice == "Ask your provider to renew it."


@pytest.mark.parametrize("name", ["mail.example.org", "127.0.0.2"])
async def test_a_certificate_for_another_name_is_refused_in_words(ca_file, name):
    async with ScriptedServer(silent, tls=context(name)) as there:
        error = await error_at(where(there, security="tls", tls_ca_file=ca_file))
    assert isinstance(error, TlsFailed)
    assert "another name" in in_words(error)
    assert error.advice.startswith("Check the name of the server")


async def test_a_certificate_of_an_unknown_issuer_is_refused_in_words(ca_file):
    async with ScriptedServer(silent, tls=context(authority=trustme.CA())) as there:
        error = await error_at(where(there, security="tls", tls_ca_file=ca_file))
        assert isinstance(error, TlsFailed)
        assert "does not know" in in_words(error)
        assert error.advice == f"Check that {ca_file} holds the certificate of its issuer."
        error = await error_at(where(there, security="tls"))
        assert isinstance(error, TlsFailed)
        assert "name its certificate file as tls_ca_file" in error.advice


async def test_a_certificate_that_is_not_valid_yet_is_a_matter_of_the_clock(ca_file):
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    async with ScriptedServer(silent, tls=context(not_before=tomorrow)) as there:
        error = await error_at(where(there, security="tls", tls_ca_file=ca_file))
    assert isinstance(error, TlsFailed)
    assert "not valid yet" in in_words(error)
    assert error.advice.startswith("Check the date and time")


def test_no_general_advice_promises_what_only_the_caller_knows():
    for kind in (NetError, Offline, Busy, TlsFailed, Refused, LoginRefused, ProtocolError, TooLarge):
        assert "by itself" not in kind("It went wrong.").advice
        assert "tls_ca_file" not in kind("It went wrong.").advice


async def test_a_server_without_tls_is_named_as_such(ca_file):
    """No fall-back."""
    async with ScriptedServer(greets) as there:
        error = await error_at(where(there, security="tls", tls_ca_file=ca_file))
    assert isinstance(error, TlsFailed)
    assert "does not speak TLS" in in_words(error)
    assert "starttls" in error.advice


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
async def test_tls_before_1_2_is_refused(ca_file):
    old = context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1

    def serve_one() -> str:  # blocking, for asyncio's server would not send the alert
        client, _ = listener.accept()
        with client, pytest.raises(ssl.SSLError) as caught:
            old.wrap_socket(client, server_side=True)
        return caught.value.reason

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.ensure_future(asyncio.to_thread(serve_one))
        error = await error_at(Server("pop3", "127.0.0.1", listener.getsockname()[1], "tls", tls_ca_file=ca_file))
        assert await serving == "UNSUPPORTED_PROTOCOL"
    assert isinstance(error, TlsFailed)
    assert "1.2" in in_words(error)
    assert tls_context().minimum_version == ssl.TLSVersion.TLSv1_2


def test_contexts_verify_chain_and_name():
    made = tls_context()
    assert made.check_hostname
    assert made.verify_mode == ssl.CERT_REQUIRED


async def test_ssl_cert_file_is_honoured_and_tls_ca_file_stands_alone(ca_file, monkeypatch, tmp_path):
    async with ScriptedServer(greets, tls=context()) as there:
        monkeypatch.setenv("SSL_CERT_FILE", ca_file)
        line = await Stream.connect(where(there, security="tls"))
        line.close()
        await line.closed()
        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(other))
        assert isinstance(await error_at(where(there, security="tls", tls_ca_file=str(other))), TlsFailed)


async def test_a_missing_certificate_file_is_named(tmp_path):
    async with ScriptedServer(greets, tls=context()) as there:
        error = await error_at(where(there, security="tls", tls_ca_file=str(tmp_path / "none.pem")))
        assert "none.pem" in in_words(error)
        (tmp_path / "empty.pem").write_text("hello")
        error = await error_at(where(there, security="tls", tls_ca_file=str(tmp_path / "empty.pem")))
        assert "empty.pem" in in_words(error)


async def test_a_refused_connection_is_offline_in_words():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = await error_at(Server("pop3", "127.0.0.1", unused.getsockname()[1], "none"))
        assert isinstance(error, Offline)
        assert "refused" in in_words(error)
        error = await error_at(Server("pop3", "localhost", unused.getsockname()[1], "none"))
        assert "refused" in in_words(error)


@pytest.mark.parametrize(
    ("trouble", "kind", "word"),
    [
        (socket.gaierror(-2, "Name or service not known"), Offline, "found"),
        (TimeoutError(), Offline, "in time"),
        (ConnectionResetError(104, "x"), Offline, "dropped"),
        (OSError(101, "Network is unreachable"), Offline, "reached"),
        (ssl.SSLError(1, "[SSL: WHATEVER] odd"), TlsFailed, "failed"),
    ],
)
def test_every_trouble_has_words(trouble, kind, word):
    error = explain(trouble, Server("pop3", "pop.example.org", 995, "tls"))
    assert type(error) is kind
    assert word in in_words(error)


async def test_a_server_that_never_finishes_tls_is_given_up_in_time(ca_file):
    """Connect has one deadline, name, TCP and TLS together."""
    async with ScriptedServer(silent) as there, asyncio.timeout(10):
        error = await error_at(where(there, security="tls", tls_ca_file=ca_file, timeout_seconds=0.2))
    assert isinstance(error, Offline)
    assert "in time" in in_words(error)


def test_no_configured_timeout_makes_connecting_wait_above_30_seconds():
    assert stream_module.CONNECT_SECONDS == 30


async def test_a_server_that_drops_the_line_while_tls_begins_is_named(ca_file):
    async def script(talk: Talk) -> None:
        await talk.take(10)
        talk.drop()

    async with ScriptedServer(script) as there:
        error = await error_at(where(there, security="tls", tls_ca_file=ca_file))
    assert isinstance(error, (TlsFailed, Offline))
    assert "dropped" in in_words(error)


# -- TLS on an open line


async def upgraded(there, ca_file) -> tuple[Stream, Heard]:
    line = await Stream.connect(where(there, security="starttls", tls_ca_file=ca_file))
    heard = Heard(line)
    await heard.until(b"ready\r\n")
    line.write(b"STLS\r\n")
    return line, heard


async def test_start_tls_verifies_and_hands_over_to_a_new_receiver(ca_file):
    """The receiver after TLS is a new one."""

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")
        await talk.start_tls(context())
        await talk.hear("CAPA")
        await talk.say(b"+OK secret\r\n")

    async with ScriptedServer(script) as there:
        line, heard = await upgraded(there, ca_file)
        await heard.until(b"begin\r\n")
        before = line._transport.get_protocol()
        await line.start_tls()
        assert line.encrypted
        assert line._transport._ssl_protocol._app_protocol is not before
        line.write(b"CAPA\r\n")
        await heard.until(b"secret\r\n")
        line.close()
        await line.closed()


async def test_start_tls_with_a_byte_nobody_took_is_an_attack(ca_file):
    """Also half a line, also one that no owner had looked at yet."""

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n+")

    async with ScriptedServer(script) as there:
        line, _heard = await upgraded(there, ca_file)
        line.on_bytes = None
        while not line._early.endswith(b"+"):
            await asyncio.sleep(0)
        with pytest.raises(ProtocolError, match="in the clear"):
            await line.start_tls()
        await line.closed()
    assert there.left == b""


async def test_plaintext_that_comes_once_tls_has_begun_fails_the_handshake(ca_file):

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")
        await talk.take(1)
        await talk.say(b"+OK no TLS here\r\n" * 3)

    async with ScriptedServer(script) as there:
        line, heard = await upgraded(there, ca_file)
        await heard.until(b"begin\r\n")
        with pytest.raises(TlsFailed):
            await line.start_tls()
        assert heard.data == b"+OK ready\r\n+OK begin\r\n"


async def test_start_tls_that_is_never_answered_is_given_up_in_time(ca_file):

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")

    async with ScriptedServer(script) as there, asyncio.timeout(5):
        line = await Stream.connect(where(there, security="starttls", tls_ca_file=ca_file, timeout_seconds=0.2))
        heard = Heard(line)
        await heard.until(b"ready\r\n")
        line.write(b"STLS\r\n")
        await heard.until(b"begin\r\n")
        with pytest.raises(NetError, match="in time"):
            await line.start_tls()


async def test_start_tls_with_the_wrong_certificate_ends_the_line(ca_file):

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")
        await talk.start_tls(context("elsewhere.example.org"))

    async with ScriptedServer(script) as there:
        line, heard = await upgraded(there, ca_file)
        await heard.until(b"begin\r\n")
        with pytest.raises(TlsFailed, match="another name"):
            await line.start_tls()
        await line.closed()


async def test_start_tls_on_a_line_that_ended_is_an_error(ca_file):

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("STLS")
        await talk.say(b"+OK begin\r\n")
        talk.drop()

    async with ScriptedServer(script) as there:
        line, heard = await upgraded(there, ca_file)
        await heard.until(b"never")
        with pytest.raises(TlsFailed, match="dropped"):
            await line.start_tls()


# -- the rest


async def test_paused_the_line_hands_out_nothing_and_resumed_everything():
    block = b"x" * 1_000_000

    async def script(talk: Talk) -> None:
        await talk.say(b"+OK ready\r\n")
        await talk.hear("go")
        await talk.say(block + b"\r\n")

    async with ScriptedServer(script) as there:
        line = await Stream.connect(where(there))
        heard = Heard(line)
        await heard.until(b"ready\r\n")
        line.pause()
        line.write(b"go\r\n")
        await there.until(lambda: there.heard() == ["go"])
        assert heard.data == b"+OK ready\r\n"
        line.resume()
        assert len(await heard.until(b"x\r\n")) == len(block) + 13
        line.close()


async def test_closing_twice_or_before_the_end_never_raises():
    async with ScriptedServer(greets) as there:
        line = await Stream.connect(where(there))
        line.close()
        line.close()
        await line.closed()
        line.write(b"x")
        line.pause()
        line.resume()


async def test_a_cancelled_connect_lets_the_server_go(ca_file):
    met = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.take(1)
        met.set()

    async with ScriptedServer(script) as there, asyncio.timeout(5):
        task = asyncio.ensure_future(Stream.connect(where(there, security="tls", tls_ca_file=ca_file)))
        await met.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert there.sessions == 1


def test_a_place_is_host_and_port():
    assert Server("pop3", "pop.example.org", 995, "tls").place == "pop.example.org:995"


def test_the_password_is_in_no_repr():
    assert "analytical" not in repr(Server("pop3", "h", 1, "tls", "ada", Password("analytical")))
