"""Dovecot and Postfix run as these tests believe, seen by the standard library's clients."""

import asyncio
import poplib
import smtplib
import ssl

import pytest

from tests.servers import daemons

pytestmark = pytest.mark.servers

MAIL = b"From: ada@example.org\r\nTo: you@example.org\r\nSubject: smoke\r\n\r\nhello\r\n.dot\r\n"


def trust(host):
    return ssl.create_default_context(cafile=host.ca_file)


def fetch(client, mailbox):
    client.user(mailbox.address)
    client.pass_(daemons.PASSWORD)
    return [b"\r\n".join(client.retr(number + 1)[1]) + b"\r\n" for number in range(client.stat()[0])]


def test_mail_put_there_is_read_over_pop3s_and_after_stls(mailbox):
    mailbox.put(MAIL, MAIL.replace(b"smoke", b"second"))
    host = mailbox.host
    secure = poplib.POP3_SSL(host.host, host.pop3s, context=trust(host))
    first, second = fetch(secure, mailbox)
    secure.quit()
    assert first == MAIL
    assert b"second" in second
    upgraded = poplib.POP3(host.host, host.pop3)
    upgraded.stls(trust(host))
    assert fetch(upgraded, mailbox) == [first, second]
    upgraded.dele(1)
    upgraded.quit()
    assert len(mailbox.files()) == 1


async def test_mail_submitted_is_delivered_and_a_stranger_is_refused(mailbox, other_mailbox):
    host = mailbox.host

    def submit():
        with smtplib.SMTP(host.host, host.submission) as client:
            with pytest.raises(smtplib.SMTPNotSupportedError):
                client.login(mailbox.address, daemons.PASSWORD)
            client.starttls(context=trust(host))
            client.login(mailbox.address, daemons.PASSWORD)
            return client.sendmail(mailbox.address, [other_mailbox.address, "nobody@example.org"], MAIL)

    refused = await asyncio.to_thread(submit)
    assert list(refused) == ["nobody@example.org"]
    assert refused["nobody@example.org"][0] == 550
    [delivered] = await other_mailbox.until(1)
    assert delivered.endswith(MAIL.split(b"\r\n\r\n")[1].replace(b"\r\n", b"\n"))


async def test_mail_to_the_outside_is_refused(mailbox):
    host = mailbox.host

    def submit():
        with smtplib.SMTP_SSL(host.host, host.submissions, context=trust(host)) as client:
            client.login(mailbox.address, daemons.PASSWORD)
            client.sendmail(mailbox.address, ["someone@example.net"], MAIL)

    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await asyncio.to_thread(submit)


def test_what_is_missing_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(daemons, "PATH", "/nowhere")
    assert daemons.missing().startswith("dovecot and postfix")
    assert "apt-get install -y --no-install-recommends dovecot-pop3d postfix" in daemons.missing()
