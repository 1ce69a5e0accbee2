"""The embedded SMTP server keeps RFC 5321 when its manners are good, and breaks it as told when they are not."""

import asyncio
import smtplib
import ssl

import pytest

from termmail.demo.faults import Manners
from tests.conftest import PASSWORD, USER

BOB = "bob@example.org"
MAIL = b"From: ada@example.org\r\nSubject: hi\r\n\r\nhello\r\n.\r\n..\r\n.x\r\nend\r\n"


async def sending(server, *, to=(BOB,), raw=MAIL, trust=None):
    """Sends by smtplib, in a thread, and gives back what sendmail says."""

    def send():
        with smtplib.SMTP(server.host, server.port, timeout=10) as client:
            if trust:
                client.starttls(context=trust)
            client.login(USER, PASSWORD)
            return client.sendmail(USER, list(to), raw)

    return await asyncio.to_thread(send)


async def talk(server, *lines):
    """Says raw lines, all at once, and gives back everything until the server hangs up."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(b"".join(line + b"\r\n" for line in lines))
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_mail_arrives_byte_for_byte_with_its_envelope(smtp_server):
    delivered = []
    server = await smtp_server(deliver=delivered.append)
    assert await sending(server, to=[BOB, "eve@example.net"]) == {}
    assert [(one.sender, one.recipients, one.raw, one.user) for one in server.received] == [
        (USER, (BOB, "eve@example.net"), MAIL, USER)
    ]
    assert delivered == server.received


async def test_starttls_is_asked_for_and_kept(smtp_server, certificates):
    server = await smtp_server(tls=certificates.server, cleartext=False)
    with pytest.raises(smtplib.SMTPNotSupportedError):
        await sending(server)
    await sending(server, trust=ssl.create_default_context(cafile=certificates.ca_file))
    assert server.received[0].tls


async def test_a_wrong_password_and_a_missing_login_are_refused(smtp_server):
    server = await smtp_server(passwords={USER: "other"})
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await sending(server)
    said = await talk(server, b"EHLO x", b"MAIL FROM:<ada@example.org>", b"QUIT")
    assert b"\r\n530 " in said


async def test_only_crlf_dot_crlf_ends_a_message(smtp_server):
    server = await smtp_server(passwords={})
    smuggled = b"Subject: x\r\n\r\none\n.\nMAIL FROM:<eve@example.org>\r.\r\ntwo"
    said = await talk(
        server, b"EHLO x", b"MAIL FROM:<a@example.org>", b"RCPT TO:<b@example.org>", b"DATA", smuggled, b".", b"QUIT"
    )
    assert said.count(b"250 2.0.0 OK queued") == 1
    assert server.received[0].raw == smuggled + b"\r\n"


async def test_a_message_over_the_limit_is_refused_by_its_announced_and_by_its_true_size(smtp_server):
    server = await smtp_server(size_limit=300_000, passwords={})
    envelope = (b"RCPT TO:<b@example.org>", b"DATA")
    said = await talk(server, b"EHLO x", b"MAIL FROM:<a@example.org> SIZE=300001", b"QUIT")
    assert b"552 5.3.4" in said
    large = b"\r\n".join([b"x" * 998] * 2000)
    said = await talk(server, b"EHLO x", b"MAIL FROM:<a@example.org>", *envelope, large, b".", b"NOOP", b"QUIT")
    assert said.split(b"354", 1)[1].count(b"552 5.3.4") == 1
    assert said.endswith(b"250 2.0.0 OK\r\n221 2.0.0 bye\r\n")
    assert server.received == []


async def test_one_recipient_can_be_refused(smtp_server):
    server = await smtp_server(manners=Manners(answers={f"RCPT {BOB}": b"550 5.1.1 no such user\r\n"}))
    refused = await sending(server, to=[BOB, "eve@example.net"])
    assert refused == {BOB: (550, b"5.1.1 no such user")}
    assert server.received[0].recipients == ("eve@example.net",)


@pytest.mark.parametrize(
    ("manners", "kept"),
    [
        (Manners(drop_at=frozenset({"."})), 0),
        (Manners(lose_answer_to=frozenset({"."})), 1),
        (Manners(answers={".": b"451 4.3.0 later\r\n"}), 0),
        (Manners(answers={".": b"what?\r\n"}), 0),
    ],
)
async def test_the_end_of_the_message_can_go_wrong_before_and_after_it_is_kept(smtp_server, manners, kept):
    server = await smtp_server(manners=manners)
    with pytest.raises((smtplib.SMTPException, OSError)):
        await sending(server)
    assert len(server.received) == kept


async def test_the_line_can_drop_after_the_answer_to_the_dot(smtp_server):
    server = await smtp_server(manners=Manners(drop_after=frozenset({"."})), passwords={})
    said = await talk(
        server,
        b"EHLO x",
        b"MAIL FROM:<a@example.org>",
        b"RCPT TO:<b@example.org>",
        b"DATA",
        b"Subject: x",
        b".",
        b"QUIT",
    )
    assert said.endswith(b"250 2.0.0 OK queued as 1\r\n")


async def test_bytes_behind_the_starttls_answer_come_in_the_same_write(smtp_server, certificates):
    server = await smtp_server(tls=certificates.server, manners=Manners(tls_injection=b"250 forged\r\n"))
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"EHLO x\r\nSTARTTLS\r\n")
    assert b"220 2.0.0 begin TLS\r\n250 forged\r\n" in await reader.readuntil(b"forged\r\n")
    writer.close()
    await writer.wait_closed()


async def test_extensions_left_out_are_not_known_either(smtp_server):
    server = await smtp_server(passwords={}, manners=Manners(without=frozenset({"SIZE", "SMTPUTF8"})))
    said = await talk(server, b"EHLO x", b"MAIL FROM:<a@example.org> SIZE=5", b"QUIT")
    assert b"SIZE" not in said
    assert b"SMTPUTF8" not in said
    assert b"8BITMIME" in said
    assert b"555 5.5.4" in said


async def test_an_address_that_is_not_ascii_needs_smtputf8(smtp_server):
    server = await smtp_server(passwords={})
    said = await talk(server, b"EHLO x", b"MAIL FROM:<a@example.org>", "RCPT TO:<ä@example.org>".encode(), b"QUIT")
    assert b"553 5.6.7" in said
    said = await talk(
        server, b"EHLO x", b"MAIL FROM:<a@example.org> SMTPUTF8", "RCPT TO:<ä@example.org>".encode(), b"QUIT"
    )
    assert b"250 2.1.5" in said
