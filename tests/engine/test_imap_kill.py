"""`kill -9` before and after every commit and every write to an IMAP server: the next runs end as if nothing had been.

Each case is prepared once; then the sync is killed at its first step, its second, and so on, each time from the same
state of store and server. Afterwards store and server are what the uninterrupted sync makes of them, and one more sync
changes nothing.
"""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from termmail.accounts import config
from termmail.accounts.paths import Paths
from termmail.demo.imap_personalities import COURIER, DOVECOT, PLAIN
from termmail.demo.imapd import ImapServer
from termmail.engine.engine import opened
from tests.conftest import PASSWORD, USER
from tests.engine.conftest import mail
from tests.engine.test_imap import filled, in_store, on_server, work
from tests.engine.test_imap_drafts import here, there, write
from tests.views import DRAFTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from termmail.demo.imap_mailbox import ImapMailbox
    from termmail.engine.engine import Engine

CONFIG = """
[accounts.ada]
name = "Ada Lovelace"
address = "{user}"

[accounts.ada.imap]
host = "127.0.0.1"
port = {port}
security = "none"
allow_cleartext = true
password_command = ["echo", "{password}"]
poll_minutes = 0

[accounts.ada.smtp]
host = "127.0.0.1"
"""


class Mortal:
    """A profile, the process that dies on it, and the server with a mailbox that can be put back."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, server: ImapServer) -> None:
        self._process = process
        self._folder = folder
        self.server = server
        self.paths = Paths(folder / "config.toml", folder / "data")
        self.paths.config.write_text(CONFIG.format(user=USER, port=server.port, password=PASSWORD))

    @property
    def mailbox(self) -> ImapMailbox:
        return self.server.users[USER]

    def opened(self) -> Any:
        return opened(self.paths, config.load(self.paths.config), commit=False)

    def keep(self) -> None:
        """Remember profile and mailbox as they are now."""
        self._kept = _copied(self.mailbox)
        shutil.rmtree(self._folder / "kept", ignore_errors=True)
        if self.paths.data.exists():
            shutil.copytree(self.paths.data, self._folder / "kept")

    def again(self) -> None:
        """Back to what was kept."""
        self.server.users = {USER: _copied(self._kept)}
        shutil.rmtree(self.paths.data, ignore_errors=True)
        if (self._folder / "kept").exists():
            shutil.copytree(self._folder / "kept", self.paths.data)

    async def sync(self, step: int) -> bool:
        """Sync, dying at the step; return whether it died."""
        order = {"do": "sync", "config": str(self.paths.config), "data": str(self.paths.data), "step": step}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**order, "coarse": True}).encode() + b"\n")
        answer = await self._process.stdout.readline()
        assert answer, "the process that forks has died itself"
        return answer.startswith(b"killed")


def _copied(mailbox: ImapMailbox) -> ImapMailbox:
    for folder in mailbox.folders.values():
        folder.watchers.clear()
    return copy.deepcopy(mailbox)


@pytest.fixture
async def mortal(tmp_path: Path, request: Any) -> AsyncIterator[Mortal]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.engine.dying", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    async with ImapServer({USER: filled(6)}, personality=request.param) as server:
        yield Mortal(process, tmp_path, server)
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def picture(engine: Engine, mailbox: ImapMailbox) -> tuple[Any, ...]:
    return await in_store(engine), on_server(mailbox), await here(engine), there(mailbox)


async def killed_at_every_step(mortal: Mortal, check: Callable[[Engine], Awaitable[None]] | None = None) -> int:
    mortal.keep()
    await mortal.sync(0)
    async with mortal.opened() as engine:
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
        expected = await picture(engine, mortal.mailbox)
    for step in range(1, 1000):
        mortal.again()
        died = await mortal.sync(step)
        async with mortal.opened() as engine:
            for _ in range(2):
                await engine.accounts.sync("ada", full=True)
            assert await picture(engine, mortal.mailbox) == expected, step
            before = [(name, folder.highestmodseq) for name, folder in mortal.mailbox.folders.items()]
            assert (await engine.accounts.sync("ada", full=True)).words == "No new messages"
            assert before == [(name, folder.highestmodseq) for name, folder in mortal.mailbox.folders.items()]
            if check is not None:
                await check(engine)
        if not died:
            return step - 1
    raise AssertionError("it never came to its end")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mortal", [DOVECOT], indirect=True)
async def test_a_first_fill_may_be_killed_at_every_step(mortal: Mortal):
    assert await killed_at_every_step(mortal) > 20


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mortal", [DOVECOT, PLAIN], ids=["dovecot", "plain"], indirect=True)
async def test_what_came_since_may_be_killed_at_every_step(mortal: Mortal):
    async with mortal.opened() as engine:
        await engine.accounts.sync("ada")
    inbox = mortal.mailbox.folder("INBOX")
    inbox.add(mail(50))
    inbox.store([1], add=["\\Flagged"])
    inbox.move([2], mortal.mailbox.folder("Archive"))
    inbox.expunge([3])
    mortal.mailbox.create("New").add(mail(51))
    mortal.mailbox.rename("Lists/Python", "Lists/Snakes")
    mortal.mailbox.folder("Drafts").add(mail(52), ["\\Draft"])
    assert await killed_at_every_step(mortal) > 20


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mortal", [DOVECOT, COURIER], ids=["dovecot", "courier"], indirect=True)
async def test_a_push_of_every_kind_may_be_killed_at_every_step(mortal: Mortal):
    for number in range(7, 10):
        mortal.mailbox.folder("INBOX").add(mail(number))
    async with mortal.opened() as engine:
        await write(engine, "Changed")
        await engine.accounts.sync("ada")
        await work(engine)
        (id_,) = await engine.lists.ids(DRAFTS)
        await write(engine, "Changed", "newer", draft=await engine.drafts.load(id_))
        await write(engine, "New")
    assert await killed_at_every_step(mortal) > 40


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mortal", [DOVECOT], indirect=True)
async def test_a_change_of_all_uids_may_be_killed_at_every_step(mortal: Mortal):
    async with mortal.opened() as engine:
        await write(engine, "Kept")
        await engine.accounts.sync("ada")
    mortal.mailbox.change_uidvalidity("INBOX", first=17)
    mortal.mailbox.change_uidvalidity("Drafts", first=17)
    assert await killed_at_every_step(mortal) > 20
