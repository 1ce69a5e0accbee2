"""The start of a large message is handed on while the rest comes, unless it is not the message that was announced."""

from __future__ import annotations

import asyncio

import pytest

from termmail.demo.faults import Manners
from termmail.demo.imap_mailbox import ImapMailbox
from tests.conftest import PASSWORD
from tests.views import INBOX

RATE = 600_000
"""Bytes a second: the whole message takes a second."""


def large(subject: str = "Plans") -> bytes:
    """A text of one line, and a file of 700 KB behind it."""
    head = (
        f"From: Charles <charles@example.net>\r\nTo: ada@example.org\r\nSubject: {subject}\r\nMessage-ID: <big@example.net>\r\n"
        'Date: Wed, 4 Mar 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThe drawing is attached.\r\n"
        '--b\r\nContent-Type: image/png; name="plan.png"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return (head + ("QUJD" * 19 + "\r\n") * 9_000 + "--b--\r\n").encode()


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
async def test_the_start_of_a_large_message_is_there_before_the_rest(
    pop3_server, imap_server, engine_at, imap_engine_at, protocol
):
    if protocol == "pop3":
        server, opened = await pop3_server([large()]), engine_at
    else:
        mailbox = ImapMailbox(PASSWORD)
        mailbox.folder("INBOX").add(large())
        server, opened = await imap_server(mailbox), imap_engine_at
    async with opened(server.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        server.manners = Manners(bytes_per_second=RATE)
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        reading = asyncio.create_task(
            engine.reader.read(message_id, started=lambda message: begun.set_result(message.text.strip()))
        )
        assert await asyncio.wait_for(begun, 20) == "The drawing is attached."
        assert not reading.done()
        message = await reading
        assert [part.name for part in message.parts] == ["plan.png"]


async def test_the_start_of_another_message_is_not_shown(pop3_server, engine_at):
    server = await pop3_server([large()])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        begun: list[object] = []
        await engine.reader._start(message_id, large("Other")[:70_000], begun.append)
        assert begun == []
        await engine.reader._start(message_id, large()[:70_000], begun.append)
        assert len(begun) == 1


async def test_a_small_message_has_no_start(pop3_server, engine_at):
    server = await pop3_server([b"Subject: small\r\n\r\ntext\r\n"])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        begun: list[object] = []
        await engine.reader.read(message_id, started=begun.append)
        assert begun == []
