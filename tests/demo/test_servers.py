"""The demo starts by itself, and mail sent there comes back into its mailbox."""

import asyncio
import poplib
import smtplib
import tomllib
from datetime import UTC, datetime

import pytest

from termmail.demo import config_for, demo_servers, serve

NOW = datetime(2026, 3, 3, 9, 12, tzinfo=UTC)


async def test_mail_sent_to_anyone_comes_back_into_the_mailbox():
    async with demo_servers(now=NOW) as demo:

        def send_and_fetch():
            with smtplib.SMTP(demo.host, demo.smtp_port) as client:
                client.login(demo.user, demo.password)
                client.sendmail(demo.user, ["anyone@example.net"], b"Subject: round trip\r\n\r\nhello\r\n")
            client = poplib.POP3(demo.host, demo.pop3_port)
            client.user(demo.user)
            client.pass_(demo.password)
            count, _ = client.stat()
            newest, welcome = client.retr(count)[1], client.top(count - 1, 0)[1]
            client.quit()
            return newest, welcome

        newest, welcome = await asyncio.to_thread(send_and_fetch)
    assert newest[0] == b"Return-Path: <ada@example.org>"
    assert newest[1].startswith(b"Received: from ")
    assert newest[-3:] == [b"Subject: round trip", b"", b"hello"]
    assert b"Subject: Welcome to termmail" in welcome


@pytest.mark.parametrize(
    ("sender", "recipients", "reached"),
    [
        ("ada@example.org", ["anyone@example.net"], ["pop3"]),
        ("ada.king@example.net", ["anyone@example.net"], ["imap"]),
        ("ada.king@example.net", ["Ada@example.org"], ["pop3"]),
        ("ada@example.org", ["ADA.KING@example.net"], ["imap"]),
        ("ada@example.org", ["ada.king@example.net", "anyone@example.net", "ada@example.org"], ["pop3", "imap"]),
    ],
)
async def test_mail_to_one_of_the_users_reaches_it_and_all_other_mail_its_sender(sender, recipients, reached):
    async with demo_servers(now=NOW, filled=False) as demo:

        def send():
            with smtplib.SMTP(demo.host, demo.smtp_port) as client:
                client.login(sender, demo.password)
                client.sendmail(sender, recipients, b"Subject: round trip\r\n\r\nhello\r\n")

        await asyncio.to_thread(send)
        inbox = demo.imap.users[demo.imap_user].folder("INBOX")
        found = {"pop3": len(demo.maildrop.messages), "imap": len(inbox.messages)}
        assert found == {name: int(name in reached) for name in found}


async def test_the_config_has_both_accounts_with_ports_and_logins_and_the_pop3_one_first():
    async with demo_servers(now=NOW, filled=False) as demo:
        config = tomllib.loads(config_for(demo))
        assert config["default_account"] == "home"
        assert list(config["accounts"]) == ["home", "society"]
        home, society = config["accounts"].values()
        assert (home["pop3"]["port"], home["smtp"]["port"]) == (demo.pop3_port, demo.smtp_port)
        assert (society["imap"]["port"], society["smtp"]["port"]) == (demo.imap_port, demo.smtp_port)
        assert home["address"] == home["pop3"]["username"] == home["smtp"]["username"] == demo.user
        assert society["address"] == society["imap"]["username"] == society["smtp"]["username"] == demo.imap_user
        for server in (home["pop3"], home["smtp"], society["imap"], society["smtp"]):
            assert server["password_command"] == ["echo", demo.password]


async def test_serve_prints_how_to_connect_and_runs_until_it_is_cancelled():
    said = []
    ready = asyncio.Event()

    def hear(line):
        said.append(line)
        if "Ctrl+C" in line:
            ready.set()

    serving = asyncio.create_task(serve(hear))
    await ready.wait()
    assert not serving.done()
    config = tomllib.loads("\n".join(said).split("A config.toml for it:")[1].split("Ctrl+C")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", config["accounts"]["home"]["pop3"]["port"])
    assert (await reader.readline()).startswith(b"+OK")
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
