"""The Engine: opens the store and holds the parts that do everything the program can do, without a screen.

Each part depends on the Context alone, or on another part that it is given; none depends on the Engine.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from termmail.accounts.credentials import Passwords
from termmail.engine.announcer import Announcer
from termmail.engine.context import Context
from termmail.engine.drafting import Drafts
from termmail.engine.folder_list import Folders
from termmail.engine.invitations import Invitations
from termmail.engine.lists import Lists
from termmail.engine.mail_accounts import Accounts
from termmail.engine.mail_rules import Rules
from termmail.engine.mail_space import Space
from termmail.engine.maintenance import Maintenance
from termmail.engine.message_actions import Messages
from termmail.engine.message_marks import Marks
from termmail.engine.message_reader import Reader
from termmail.engine.preferences import Preferences
from termmail.engine.senders import Senders
from termmail.engine.sending import Outbox
from termmail.engine.servers import Servers
from termmail.engine.undo import Journal
from termmail.store.store_errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from termmail.accounts.config import Config
    from termmail.accounts.paths import Paths
    from termmail.engine.transfer import Transfer

log = logging.getLogger("termmail")


class Engine:
    """One open termmail. Create it with `await Engine.open(...)` and end it with `await close()`.

    `lists` reads lists, `reader` opens messages, `invitations` answers what some hold, `messages` and `marks` have the
    verbs on them, `folders`, `drafts`, `outbox` and `accounts` what their names say; `senders` knows who wrote before;
    `rules` are applied to what arrives, `journal` takes steps back, `servers` receives and sends.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.rules = Rules(context)
        self.servers = Servers(context, self.rules)
        self.folders = Folders(context)
        self.lists = Lists(context)
        self.reader = Reader(context, self.servers)
        self.senders = Senders(context)
        self.messages = Messages(context, self.servers)
        self.marks = Marks(context, self.servers)
        self.journal = Journal(context, self.servers)
        self.drafts = Drafts(context, self.reader)
        self.outbox = Outbox(context, self.servers)
        self.invitations = Invitations(context, self.reader, self.outbox)
        self.accounts = Accounts(context, self.servers, self.folders)
        self.announcer = Announcer(context, self.accounts)
        self.maintenance = Maintenance(context)
        self.preferences = Preferences(context)
        self.space = Space(context, self.servers)

    @classmethod
    async def open(cls, paths: Paths, config: Config, *, passwords: Passwords | None = None) -> Engine:
        """Open the store (created and migrated where needed) for these accounts. No server is asked.

        Raises StoreError where the store cannot be opened.
        """
        context = Context(paths, config, passwords or Passwords())
        await context.open()
        engine = cls(context)
        await engine.folders.ensure()
        try:
            await engine.marks.bring_back()
        except StoreError as error:  # mail can be read all the same; it is tried again in the background
            log.warning("what is due could not come back: %s", error)
        return engine

    @cached_property
    def transfer(self) -> Transfer:
        """Import and export of mail; few sessions need it."""
        from termmail.engine.transfer import Transfer  # noqa: PLC0415

        return Transfer(self.context, self.lists, self.folders, self.reader)

    async def close(self, patience: float = 2.0, *, commit: bool = True) -> None:
        """Commit deletes and finish what is on the wire, waiting at most `patience` seconds for servers, and close.

        What is left stays due, or queued, for the next session; without `commit`, deletes wait for their minute.
        """
        await self.context.tasks.close()
        await self.servers.leave(patience, commit=commit)
        await asyncio.to_thread(self.reader.close)
        await self.context.close()


@asynccontextmanager
async def opened(
    paths: Paths, config: Config, *, passwords: Passwords | None = None, commit: bool = True
) -> AsyncIterator[Engine]:
    """Open an Engine for as long as the block runs; `commit` as in `Engine.close`."""
    engine = await Engine.open(paths, config, passwords=passwords)
    try:
        yield engine
    finally:
        await engine.close(commit=commit)
