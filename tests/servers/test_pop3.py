"""termmail's maildrop against Dovecot: the list, headers, whole messages, deletes, and what Dovecot refuses."""

from dataclasses import replace

import pytest

from termmail.net.net_errors import LoginRefused, Refused, TlsFailed
from termmail.net.pop3.maildrop import Maildrop
from termmail.net.trace import Trace
from tests.mailbox import build
from tests.proxy import Proxy

pytestmark = pytest.mark.servers

SECURITIES = ["tls", "starttls", "none"]
NASTY = [
    b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n...\r\nend\r\n",
    b"Subject: one long line\r\n\r\n" + b"x" * 200_000 + b"\r\n",
    b"Subject: eight bits \xe9\xff\r\n\r\n\xc3\xa9 \xff\xfe \x1b[31m \t \x7f\r\n",
    b"Subject: no body\r\n\r\n",
    b"Subject: =?utf-8?Q?folded?=\r\n\tand\r\n on\r\nX-Long: " + b"y" * 5000 + b"\r\n\r\nbody\r\n",
]


def options(security):
    return {"allow_cleartext": True} if security == "none" else {}


async def collected(answers):
    return [outcome async for _, outcome in answers]


@pytest.mark.parametrize("security", SECURITIES)
async def test_the_list_the_headers_and_the_bytes_are_those_of_the_maildir(mailbox, security):
    messages = NASTY + list(build(40, light=True))
    mailbox.put(*messages)
    drop = await Maildrop.open(mailbox.pop3(security, **options(security)))
    try:
        listed = await drop.listing()
        assert [one.size for one in listed] == [len(raw) for raw in messages]
        assert len({one.uidl for one in listed}) == len(messages)
        assert all(one.uidl for one in listed)
        newest_first = listed[::-1]
        headers = await collected(drop.headers(newest_first))
        assert headers[::-1] == [raw[: raw.index(b"\r\n\r\n") + 4] for raw in messages]
        assert await collected(drop.retrieve(listed)) == messages
        assert await drop.retrieve_one(listed[1]) == messages[1]
        assert await drop.uidl(3) == listed[2].uidl
        assert await drop.uidl(len(messages) + 1) is None
        assert (drop.count, drop.size) == (len(messages), sum(map(len, messages)))
    finally:
        await drop.close()


@pytest.mark.parametrize("security", SECURITIES)
async def test_a_delete_counts_only_after_quit_was_answered(mailbox, security):
    messages = list(build(5, light=True))
    mailbox.put(*messages)
    server = mailbox.pop3(security, **options(security))

    drop = await Maildrop.open(server)
    for one in await drop.listing():
        await drop.delete(one)
    await drop.close()
    assert len(mailbox.files()) == 5

    drop = await Maildrop.open(server)
    listed = await drop.listing()
    await drop.delete(listed[0])
    await drop.reset()
    await drop.delete(listed[3])
    with pytest.raises(Refused):
        await drop.retrieve_one(listed[3])
    await drop.commit()
    assert mailbox.files() == messages[:3] + messages[4:]

    drop = await Maildrop.open(server)
    left = await drop.listing()
    await drop.commit()
    assert [one.uidl for one in left] == [one.uidl for one in listed if one.number != 4]


@pytest.mark.parametrize("security", SECURITIES)
async def test_a_wrong_password_is_said_to_be_one_and_shown_nowhere(mailbox, security):
    trace = Trace()
    with pytest.raises(LoginRefused) as caught:
        await Maildrop.open(mailbox.pop3(security, password="not-the-password", **options(security)), trace)
    assert "not-the-password" not in f"{caught.value!r} {caught.value} {caught.value.server_says} {trace}"


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_of_a_stranger_ends_it_before_the_login(mailbox, security):
    trace = Trace()
    with pytest.raises(TlsFailed):
        await Maildrop.open(mailbox.pop3(security, tls_ca_file=mailbox.host.other_ca_file), trace)
    said = [line.text.split()[0] for line in trace.lines if line.direction == ">"]
    assert set(said) <= {"CAPA", "STLS", "QUIT"}


async def test_tls_for_another_name_ends_it(mailbox):
    async with Proxy(mailbox.host.host, mailbox.host.pop3s, host="127.0.0.2") as proxy:
        with pytest.raises(TlsFailed):  # the certificate is for 127.0.0.1 and localhost
            await Maildrop.open(replace(mailbox.pop3("tls"), host=proxy.host, port=proxy.port))


async def test_without_tls_the_password_does_not_cross_the_line(mailbox):
    """APOP, which Dovecot offers by the stamp in its greeting."""
    trace = Trace()
    drop = await Maildrop.open(mailbox.pop3("none", allow_cleartext=True), trace)
    await drop.commit()
    said = [line.text.split()[0] for line in trace.lines if line.direction == ">"]
    assert "APOP" in said
    assert not {"PASS", "AUTH"} & set(said)


async def test_a_thousand_headers_take_a_handful_of_turns(mailbox):
    mailbox.put(*build(1000, light=True))
    host = mailbox.host
    async with Proxy(host.host, host.pop3, rtt=0.01) as proxy:
        server = replace(mailbox.pop3("none", allow_cleartext=True), port=proxy.port)
        drop = await Maildrop.open(server, list_too=True)
        listed = await drop.listing()
        headers = await collected(drop.headers(listed[::-1]))
        await drop.close()
        assert len(headers) == 1000
        assert all(isinstance(header, bytes) for header in headers)
        assert proxy.turns <= 8


async def test_the_first_page_takes_six_turns_and_a_look_at_nothing_new_five(mailbox):
    mailbox.put(*build(300, light=True))
    host = mailbox.host
    async with Proxy(host.host, host.pop3) as proxy:
        server = replace(mailbox.pop3("none", allow_cleartext=True), port=proxy.port)
        drop = await Maildrop.open(server, list_too=True)
        listed = await drop.listing()
        await collected(drop.headers(listed[-50:][::-1]))
        assert proxy.turns <= 6
        await drop.commit()
        before = proxy.turns
        drop = await Maildrop.open(server)
        assert await drop.uidl(drop.count) == listed[-1].uidl
        await drop.commit()
        assert proxy.turns - before <= 5
