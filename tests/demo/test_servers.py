"""The demo starts by itself, and mail sent there comes back into its mailbox."""

import asyncio
import poplib
import smtplib
import tomllib
from datetime import UTC, datetime

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


async def test_the_config_names_both_ports_and_the_login():
    async with demo_servers(now=NOW, filled=False) as demo:
        account = tomllib.loads(config_for(demo))["accounts"]["demo"]
        assert (account["pop3"]["port"], account["smtp"]["port"]) == (demo.pop3_port, demo.smtp_port)
        assert account["pop3"]["username"] == demo.user
        assert account["smtp"]["password_command"] == ["echo", demo.password]


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
    reader, writer = await asyncio.open_connection("127.0.0.1", config["accounts"]["demo"]["pop3"]["port"])
    assert (await reader.readline()).startswith(b"+OK")
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
