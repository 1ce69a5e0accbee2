"""termmail's sending against Postfix: what arrives, who is refused, and what is never sent."""

import pytest

from termmail.net.net_errors import LoginRefused, TlsFailed
from termmail.net.smtp import submission
from termmail.net.trace import Trace
from tests.servers import daemons

pytestmark = pytest.mark.servers


def mail(mailbox, body=b"hello\r\n"):
    head = (
        f"From: Ada <{mailbox.address}>\r\nSubject: to the real Postfix\r\nMessage-ID: <{mailbox.name}@example.org>\r\n"
    )
    return head.encode() + b"Date: Tue, 03 Mar 2026 09:12:00 +0000\r\n\r\n" + body


def verbs(trace):
    return [line.text.split()[0].upper() for line in trace.lines if line.direction == ">" and line.text.strip()]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_what_is_sent_arrives_byte_for_byte(mailbox, other_mailbox, security):
    raw = mail(mailbox, b".\r\n..\r\n.x\r\n\r\nFrom here on\r\n" + b"y" * 990 + b"\r\nend\r\n")
    outcome = await submission.send(mailbox.smtp(security), mailbox.address, [other_mailbox.address], raw)
    assert (outcome.state, outcome.accepted, outcome.refused) == ("sent", (other_mailbox.address,), {})
    [delivered] = await other_mailbox.until(1)
    assert delivered.endswith(raw.replace(b"\r\n", b"\n"))
    assert f"Return-Path: <{mailbox.address}>".encode() in delivered


async def test_one_refused_recipient_is_named_and_the_other_gets_it(mailbox, other_mailbox):
    to = ["nobody@example.org", other_mailbox.address]
    outcome = await submission.send(mailbox.smtp(), mailbox.address, to, mail(mailbox))
    assert outcome.state == "sent"
    assert outcome.accepted == (other_mailbox.address,)
    assert list(outcome.refused) == ["nobody@example.org"]
    assert "unknown" in outcome.refused["nobody@example.org"].lower()
    assert len(await other_mailbox.until(1)) == 1


async def test_when_all_recipients_are_refused_no_text_is_sent(mailbox):
    trace = Trace()
    to = ["nobody@example.org", "someone@example.net"]
    outcome = await submission.send(mailbox.smtp(), mailbox.address, to, mail(mailbox), trace=trace)
    assert outcome.state == "refused"
    assert set(outcome.refused) == set(to)
    assert "DATA" not in verbs(trace)
    assert mailbox.host.queue() == []


async def test_a_message_that_is_too_large_is_refused_before_its_text(mailbox, other_mailbox):
    trace = Trace()
    raw = mail(mailbox, b"x" * 76 * (daemons.SIZE_LIMIT // 76 + 1) + b"\r\n")
    outcome = await submission.send(mailbox.smtp(), mailbox.address, [other_mailbox.address], raw, trace=trace)
    assert outcome.state == "refused"
    assert "DATA" not in verbs(trace)
    assert other_mailbox.files() == []


async def test_a_wrong_password_sends_nothing_and_is_said_to_be_one(mailbox, other_mailbox):
    trace = Trace()
    server = mailbox.smtp(password="not-the-password")
    outcome = await submission.send(server, mailbox.address, [other_mailbox.address], mail(mailbox), trace=trace)
    assert isinstance(outcome.error, LoginRefused)
    assert "MAIL" not in verbs(trace)
    assert "not-the-password" not in f"{outcome!r} {trace}"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_of_a_stranger_ends_it_before_the_login(mailbox, other_mailbox, security):
    trace = Trace()
    server = mailbox.smtp(security, tls_ca_file=mailbox.host.other_ca_file)
    outcome = await submission.send(server, mailbox.address, [other_mailbox.address], mail(mailbox), trace=trace)
    assert isinstance(outcome.error, TlsFailed)
    assert not {"AUTH", "MAIL", "DATA"} & set(verbs(trace))


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_checking_an_account_logs_in_and_sends_nothing(mailbox, security):
    trace = Trace()
    await submission.check(mailbox.smtp(security), trace)
    assert "AUTH" in verbs(trace)
    assert "MAIL" not in verbs(trace)
    with pytest.raises(LoginRefused):
        await submission.check(mailbox.smtp(security, password="no"))
