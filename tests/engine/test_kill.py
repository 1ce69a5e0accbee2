"""`kill -9` at every step of a sync with a delete in it, of a send, of saving a draft: nothing is lost, nothing comes
or goes twice."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from termmail.accounts import config
from termmail.accounts.paths import Paths
from termmail.demo.faults import Manners
from termmail.demo.loopback_servers import demo_servers
from termmail.engine.clock import now
from termmail.engine.engine import opened
from termmail.mail.message import Draft
from termmail.store import delete_queue
from tests.engine.conftest import mail
from tests.one_account import one_account
from tests.views import DRAFTS, INBOX, OUTBOX, SENT, TRASH, delete

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from termmail.demo.loopback_servers import Demo
    from termmail.engine.engine import Engine

MOST_STEPS = 400


class Mortal:
    """The process that dies; `paths` of the profile it works on."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self.folder = folder

    def paths(self) -> Paths:
        return Paths(self.folder / "config.toml", self.folder / "data")

    def opened(self):
        return opened(self.paths(), config.load(self.paths().config), commit=False)

    def keep(self) -> None:
        """Remember the profile as it is now."""
        shutil.rmtree(self.folder / "kept", ignore_errors=True)
        shutil.copytree(self.folder / "data", self.folder / "kept")

    def again(self) -> None:
        """Back to what was kept."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        shutil.copytree(self.folder / "kept", self.folder / "data")

    async def do(self, what: str, step: int) -> bool:
        """Do it, dying at the step; whether it died."""
        order = {"do": what, "config": str(self.paths().config), "data": str(self.paths().data), "step": step}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        answer = await self._process.stdout.readline()
        assert answer, "the process that forks has died itself"
        return answer.startswith(b"killed")


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[Mortal]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.engine.dying", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    yield Mortal(process, tmp_path)
    process.stdin.close()
    await process.wait()


def fill(demo: Demo) -> None:
    drop = demo.maildrop
    drop.remove(*drop.messages)
    for number in range(1, 5):
        drop.add(mail(number), uidl=b"u%d" % number)


async def nothing_lost_nothing_twice(engine: Engine, demo: Demo) -> None:
    ids = [*await engine.lists.ids(INBOX), *await engine.lists.ids(TRASH)]
    rows = [await engine.lists.row(id_) for id_ in ids]
    subjects = [row.subject for row in rows]
    assert len(set(subjects)) == len(subjects)
    whole = {row.subject: await engine.reader.raw(row.message_id) for row in rows if row.downloaded}
    there = [stored.raw for stored in demo.maildrop.messages]
    for number in range(1, 5):
        assert mail(number) in there or whole[f"Engine part {number}"] == mail(number)


@pytest.mark.timeout(300)
async def test_a_sync_with_a_delete_may_die_at_every_step(mortal: Mortal):
    async with demo_servers(filled=False) as demo:
        mortal.paths().config.write_text(one_account(demo))
        fill(demo)
        drop = demo.maildrop
        drop.remove(drop.messages[3])
        async with mortal.opened() as engine:
            await engine.accounts.sync("demo")
            await delete(engine, [next(iter(await engine.lists.ids(INBOX)))])
            await engine.context.db(delete_queue.make_due, "demo", now())
        mortal.keep()
        deaths = 0
        for step in range(1, MOST_STEPS):
            fill(demo)
            mortal.again()
            died = await mortal.do("sync", step)
            deaths += died
            async with mortal.opened() as engine:
                await nothing_lost_nothing_twice(engine, demo)
                drop.locked = False
                await engine.accounts.sync("demo", full=True)
                await engine.accounts.sync("demo", full=True)
                await nothing_lost_nothing_twice(engine, demo)
                assert len(await engine.lists.ids(INBOX)) == 3
                assert [row.state for row in await engine.lists.rows(TRASH, await engine.lists.ids(TRASH))] == ["gone"]
                assert sorted(stored.raw for stored in drop.messages) == sorted(map(mail, (1, 2, 4)))
            if not died:
                break
        else:
            pytest.fail("it never came to its end")
        assert deaths > 20


@pytest.mark.parametrize("verb", ["CAPA", "STAT", "UIDL", "TOP", "RETR", "DELE", "QUIT"])
async def test_a_sync_may_die_while_the_server_answers(mortal: Mortal, verb: str):
    """The other half: death between a command and its answer, also between QUIT and +OK."""
    async with demo_servers(filled=False) as demo:
        mortal.paths().config.write_text(one_account(demo))
        fill(demo)
        async with mortal.opened() as engine:
            await engine.accounts.sync("demo")
            await delete(engine, [next(iter(await engine.lists.ids(INBOX)))])
            await engine.context.db(delete_queue.make_due, "demo", now())
        demo.pop3.manners = Manners(lose_answer_to=frozenset({verb}))
        await mortal.do("sync", 0)
        demo.pop3.manners = Manners()
        async with mortal.opened() as engine:
            await nothing_lost_nothing_twice(engine, demo)
            await engine.accounts.sync("demo", full=True)
            await engine.accounts.sync("demo", full=True)
            await nothing_lost_nothing_twice(engine, demo)
            assert len(await engine.lists.ids(INBOX)) == 3
            assert len(demo.maildrop.messages) == 3


@pytest.mark.timeout(300)
async def test_a_send_may_die_at_every_step_and_is_never_sent_twice_in_silence(mortal: Mortal):
    async with demo_servers(filled=False) as demo:
        mortal.paths().config.write_text(one_account(demo))
        async with mortal.opened() as engine:
            draft = Draft(account="demo", to="bob@example.org", subject="Once", body="only once\n")
            outbox_id = await engine.outbox.send(draft, delay=0)
        mortal.keep()
        ends = set()
        for step in range(1, MOST_STEPS):
            demo.smtp.received.clear()
            mortal.again()
            died = await mortal.do("flush", step)
            async with mortal.opened() as engine:
                await engine.outbox.flush("demo")
                row = await engine.outbox.row(outbox_id)
                ends.add(row.state)
                copies = len(await engine.lists.ids(SENT))
                if row.state == "sent":
                    assert (len(demo.smtp.received), copies) == (1, 1)
                else:
                    assert row.state == "unsure"
                    assert len(demo.smtp.received) <= 1
                    assert copies == 0
                    assert list(await engine.lists.ids(OUTBOX)) == [outbox_id]
            if not died:
                break
        else:
            pytest.fail("it never came to its end")
        assert ends == {"sent", "unsure"}


async def test_saving_a_draft_may_die_at_every_step(mortal: Mortal):
    async with demo_servers(filled=False) as demo:
        mortal.paths().config.write_text(one_account(demo))
        async with mortal.opened() as engine:
            await engine.drafts.save(Draft(account="demo", subject="Older", body="still here"))
        mortal.keep()
        for step in range(1, MOST_STEPS):
            mortal.again()
            died = await mortal.do("save", step)
            async with mortal.opened() as engine:
                ids = await engine.lists.ids(DRAFTS)
                drafts = [await engine.drafts.load(id_) for id_ in ids]
                assert [d.body for d in drafts if d.subject == "Older"] == ["still here"]
                assert all(len(d.body) == 5000 for d in drafts if d.subject == "Note")
                assert await engine.context.db(lambda store: store.check()) == []
            if not died:
                assert len(drafts) == 2
                break
        else:
            pytest.fail("it never came to its end")
