"""Recent messages come in the background, so that search covers them; one call fetches all the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from termmail.demo.faults import Manners
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.engine.events import MessageChanged
from termmail.mail.model import Coverage
from tests.conftest import PASSWORD
from tests.engine.conftest import mail
from tests.engine.test_receive import verbs
from tests.views import search

if TYPE_CHECKING:
    from termmail.engine.engine import Engine

MARCH = int(datetime(2026, 3, 10, tzinfo=UTC).timestamp())
"""Eight days after the date of every `mail`."""


async def covered(engine: Engine) -> Coverage:
    return await engine.lists.coverage(search("x"))


async def until_covered(engine: Engine, wanted: Coverage) -> None:
    """Wait until so much is covered by search; it is looked at with every event."""
    changed = asyncio.Event()
    stop = engine.context.subscribe(lambda _event: changed.set())
    try:
        async with asyncio.timeout(20):
            while True:
                changed.clear()
                await engine.lists.index()
                if await covered(engine) == wanted:
                    break
                await changed.wait()
    finally:
        stop()


def at(engine: Engine, when: int) -> None:
    engine.context.clock = lambda: when


@pytest.mark.parametrize("days", [30, 9])
async def test_recent_messages_are_fetched_after_a_background_sync(pop3_server, engine_at, days):
    server = await pop3_server([mail(n) for n in range(1, 6)])
    async with engine_at(server.port, prefetch_days=days) as engine:
        at(engine, MARCH)
        engine.servers.start()
        engine.accounts.sync_soon("ada")
        await until_covered(engine, Coverage(5, 5))
        assert len(await engine.lists.ids(search('"is message 3"'))) == 1


@pytest.mark.parametrize("days", [0, 7])
async def test_older_messages_wait_until_they_are_opened(pop3_server, engine_at, days):
    server = await pop3_server([mail(n) for n in range(1, 6)])
    async with engine_at(server.port, prefetch_days=days) as engine:
        at(engine, MARCH)
        engine.servers.start()
        await engine.servers.sync_quietly("ada")
        await engine.context.tasks.close()
        assert await covered(engine) == Coverage(0, 5)
        assert "RETR" not in verbs(server)


async def test_a_command_fetches_nothing_unasked(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 3)])
    async with engine_at(server.port) as engine:
        at(engine, MARCH)
        await engine.accounts.sync("ada")
        await engine.lists.index()
        assert await covered(engine) == Coverage(0, 2)


async def test_one_call_fetches_everything(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 6)])
    async with engine_at(server.port, prefetch_days=0) as engine:
        await engine.accounts.sync("ada")
        engine.accounts.fetch_bodies("ada")
        await until_covered(engine, Coverage(5, 5))


async def test_a_message_that_the_server_does_not_give_is_passed_over(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 4)], manners=Manners(answers={"RETR 2": b"-ERR no\r\n"}))
    async with engine_at(server.port) as engine:
        at(engine, MARCH)
        engine.servers.start()
        engine.accounts.sync_soon("ada")
        await until_covered(engine, Coverage(2, 3))
        assert engine.heard.of(MessageChanged)


def imap_mailbox(count: int) -> ImapMailbox:
    mailbox = ImapMailbox(PASSWORD, [("Sent", "\\Sent"), ("Trash", "\\Trash")])
    for number in range(1, count + 1):
        mailbox.folder("INBOX").add(mail(number))
    return mailbox


async def test_imap_messages_come_twenty_in_a_round_trip_in_a_session_of_their_own(imap_server, imap_engine_at):
    server = await imap_server(imap_mailbox(45))
    async with imap_engine_at(server.port) as engine:
        at(engine, MARCH)
        engine.servers.start()
        engine.accounts.sync_soon("ada")
        await until_covered(engine, Coverage(45, 45))
        assert len(server.heard("AUTHENTICATE") or server.heard("LOGIN")) == 2
        assert [len(one.ids) for one in engine.heard.of(MessageChanged)] == [20, 20, 5]
        source = engine.servers.source("ada")
        assert not source._connection.busy, "the first session watches the folders"


async def test_what_comes_while_the_second_session_is_open_is_fetched_too(imap_server, imap_engine_at):
    mailbox = imap_mailbox(3)
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port, poll_minutes=60) as engine:
        at(engine, MARCH)
        engine.servers.start()
        await until_covered(engine, Coverage(3, 3))
        mailbox.folder("INBOX").add(mail(4))
        engine.accounts.sync_soon("ada")
        await until_covered(engine, Coverage(4, 4))
