"""Recent messages come in the background, so that search covers them; one call fetches all the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from termmail.demo.faults import Manners
from termmail.engine.events import MessageChanged
from termmail.mail.model import Coverage
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
            while await covered(engine) != wanted:
                changed.clear()
                engine.context.tasks.run(engine.lists.index())
                await asyncio.wait_for(changed.wait(), 20) if await covered(engine) != wanted else None
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
