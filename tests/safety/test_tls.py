"""SECURITY.md, "TLS": whole runs of sync and send where TLS is stripped, faked or tampered with.

What counts is what the server heard: with TLS required, nothing but CAPA, STLS, EHLO, STARTTLS and QUIT in clear.
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import warnings
from typing import TYPE_CHECKING

import pytest

from termmail.demo.faults import Manners
from tests.engine.conftest import mail
from tests.safety.profile import SECRET

if TYPE_CHECKING:
    import trustme

    from tests.safety.profile import Profile

SEND = ("send", "--to", "bob@example.net", "--subject", "x", "--body", "x")
HARMLESS = {"CAPA", "STLS", "QUIT", "EHLO", "HELO", "STARTTLS", "NOOP"}


async def served(termmail: Profile, certificates, how: str, **manners) -> None:
    """Both servers with TLS, and a config that asks for it `how` ("tls" or "starttls")."""
    options = {"tls": certificates.server, "implicit": how == "tls", "manners": Manners(**manners)}
    both = {"security": how, "allow_cleartext": None, "host": "localhost", "tls_ca_file": certificates.ca_file}
    await termmail.serve([mail(1)], pop3=options, smtp=options, both=both)


def nothing_in_clear(termmail: Profile) -> None:
    """No login, no mail, no password: only what every client may say before TLS."""
    assert termmail.pop3 is not None
    assert termmail.smtp is not None
    clear = [one.line for server in (termmail.pop3, termmail.smtp) for one in server.log if not one.tls]
    assert {line.split(" ")[0].upper() for line in clear} <= HARMLESS, clear
    assert not any(SECRET in line or "ada" in line.lower() for line in clear)
    assert termmail.smtp.received == []


async def fails(termmail: Profile, *codes: int) -> list[str]:
    """Sync and send both fail, with one of these exit codes; what they said."""
    said = []
    for words in (("sync",), SEND):
        ran = await termmail(*words, code=None)
        assert ran.code in codes, ran
        said.append(ran.err)
    nothing_in_clear(termmail)
    assert (await termmail("list", "--json")).json == []
    assert [row["state"] for row in (await termmail("outbox", "--json")).json] == ["queued"]
    return said


@pytest.mark.parametrize("how", ["tls", "starttls"])
async def test_a_trusted_server_is_read_and_sent_through(termmail, certificates, how):
    """The way it should go, so that the failures below mean something; everything secret was inside TLS."""
    await served(termmail, certificates, how)
    await termmail("sync")
    await termmail(*SEND)
    assert termmail.pop3 is not None
    assert termmail.smtp is not None
    assert len(termmail.smtp.received) == 1
    inside = [one.line.split(" ")[0].upper() for one in termmail.pop3.log if one.tls]
    assert inside[0] == "CAPA"  # what was announced in clear is asked again
    assert next(one.line.split(" ")[0].upper() for one in termmail.smtp.log if one.tls) == "EHLO"
    clear = [one.line for server in (termmail.pop3, termmail.smtp) for one in server.log if not one.tls]
    assert {line.split(" ")[0].upper() for line in clear} <= HARMLESS


@pytest.mark.parametrize("behind", [b"x", b"+OK hi\r\n250 x\r\n", b"+OK\r\nUSER\r\n.\r\n250-AUTH PLAIN\r\n250 OK\r\n"])
async def test_a_byte_behind_the_answer_to_starttls_ends_it(termmail, certificates, behind):
    """An attack is told as one; exit code not 0, nothing secret sent."""
    await served(termmail, certificates, "starttls", tls_injection=behind)
    for words in await fails(termmail, 69, 75):
        assert "in the clear" in words


@pytest.mark.parametrize(
    "manners",
    [
        {"without": frozenset({"STLS", "STARTTLS"})},
        {"answers": {"STLS": b"-ERR no\r\n", "STARTTLS": b"454 no\r\n"}},
        {"answers": {"STLS": b"+OK\r\n", "STARTTLS": b"220 go\r\n"}},
        {"answers": {"STLS": b"+OK\r\nnot TLS at all\r\n", "STARTTLS": b"220 go\r\nnot TLS at all\r\n"}},
        {"drop_at": frozenset({"STLS", "STARTTLS"})},
        {"stall_at": frozenset({"STLS", "STARTTLS"})},
        {"without": frozenset({"CAPA", "STLS", "STARTTLS"})},
    ],
    ids=[
        "not offered",
        "refused",
        "said and not done",
        "said and text",
        "dropped",
        "stalled",
        "no CAPA",
    ],
)
async def test_where_tls_cannot_begin_nothing_else_is_said(termmail, certificates, manners):
    """No fall-back to clear, whatever the server says."""
    await served(termmail, certificates, "starttls", **manners)
    termmail.config.write_text(termmail.config.read_text().replace("timeout_seconds = 10", "timeout_seconds = 1"))
    await fails(termmail, 69, 75)


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


@pytest.mark.parametrize("how", ["tls", "starttls"])
@pytest.mark.parametrize("which", ["unknown", "another name", "expired", "TLS 1.1", "from the system"])
async def test_a_certificate_that_proves_nothing_gets_no_login(termmail, certificates, how, which):
    """Chain, name, date and version are verified; there is no "accept anyway"."""
    authority, past = certificates.authority, dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate, ca_file = authority.issue_cert("localhost"), certificates.ca_file
    if which == "unknown":
        ca_file = certificates.other_ca_file
    elif which == "another name":
        certificate = authority.issue_cert("mail.example.net")
    elif which == "expired":
        certificate = authority.issue_cert("localhost", not_after=past)
    elif which == "from the system":
        ca_file = None
    context = _context(certificate)
    if which == "TLS 1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that is what this is about
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    options = {"tls": context, "implicit": how == "tls"}
    both = {"security": how, "allow_cleartext": None, "host": "localhost", "tls_ca_file": ca_file}
    await termmail.serve([mail(1)], pop3=options, smtp=options, both=both)
    for words in await fails(termmail, 69, 75):
        # A server that is too old may hang up before its alert was read.
        assert "certificate" in words or "TLS" in words or (which == "TLS 1.1" and "dropped" in words)


async def test_tls_is_the_default_and_clear_is_an_ugly_word(termmail):
    """Without a word about it, 995 and 465 with TLS; "none" alone sends no password."""
    await termmail.serve([mail(1)], both={"security": None, "allow_cleartext": None})
    await fails(termmail, 69, 75)
    assert termmail.pop3 is not None
    assert termmail.smtp is not None
    termmail.configure(termmail.pop3.port, termmail.smtp.port, both={"allow_cleartext": None})
    termmail.pop3.manners = Manners(greeting=b"+OK no stamp here\r\n")
    for words in (("sync",), ("outbox", "retry", "1")):
        ran = await termmail(*words, code=None)
        assert ran.code in {69, 75}, ran
    nothing_in_clear(termmail)
    termmail.config.write_text('[accounts.ada]\naddress = "ada@example.org"\n[accounts.ada.pop3]\nhost = "h.example"\n'
                               '[accounts.ada.smtp]\nhost = "h.example"\n')  # fmt: skip
    (told,) = (await termmail("account", "--json")).json
    assert (told["pop3"]["port"], told["pop3"]["security"]) == (995, "tls")
    assert (told["smtp"]["port"], told["smtp"]["security"]) == (465, "tls")


async def test_words_from_before_tls_are_cleaned_and_not_believed(termmail, certificates):
    """An evil greeting in clear; the stamp in it makes no APOP, its text reaches nobody as an instruction."""
    greeting = b"+OK \x1b]0;owned\x07 your password is wrong, call 555 <1.2@example.org>\r\n"
    await served(termmail, certificates, "starttls")
    assert termmail.pop3 is not None
    termmail.pop3.manners = Manners(greeting=greeting)
    await termmail("sync")
    assert termmail.pop3.heard("APOP") == []
    ran = await termmail("doctor", code=None)
    assert "call 555" not in ran.text


async def test_a_port_that_speaks_clear_where_tls_was_meant_is_explained(termmail):
    """Exit with 75 or 69: the other way round too, and a port where nobody is."""
    await termmail.serve([mail(1)], both={"security": "tls", "allow_cleartext": None, "timeout_seconds": 1})
    await fails(termmail, 69, 75)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
        termmail.configure(port, port, both={"security": "tls", "timeout_seconds": 1})
        assert (await termmail("sync", code=75)).err
    termmail.configure(port, port)
    assert "refused" in (await termmail("sync", code=75)).err
