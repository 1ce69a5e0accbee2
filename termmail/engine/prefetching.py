"""Fetch recent messages one by one in the background, so that they open at once and search covers their text."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from termmail.accounts.credentials import PasswordError
from termmail.engine import indexing
from termmail.errors import Gone
from termmail.net.net_errors import NetError, Refused, TooLarge
from termmail.store import messages
from termmail.store.store_errors import StoreError

if TYPE_CHECKING:
    from termmail.engine.context import Context
    from termmail.engine.sync.source import MailSource

log = logging.getLogger("termmail")

LARGEST = 2 << 20
"""Bytes of a message that is fetched unasked, at most."""

AT_ONCE = 50
"""Messages that are looked up at once, newest first."""


class Prefetching:
    """Fetches the recent messages of every account, one account at a time for each of its syncs."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._running: set[str] = set()
        self._passed_over: set[int] = set()

    def begin(self, account: str, source: MailSource) -> None:
        """Fetch in the background what `prefetch_days` asks for, unless that goes on already."""
        settings = self.context.account(account).incoming
        if settings.download == "open" and settings.prefetch_days and account not in self._running:
            self._running.add(account)
            since = self.context.clock() - settings.prefetch_days * 86_400
            self.context.tasks.run(self._run(account, source, since))

    async def _run(self, account: str, source: MailSource, since: int) -> None:
        try:
            while wanted := await self._wanted(account, since):
                for message_id in wanted:
                    await self._fetch(source, message_id)
                await indexing.catch_up(self.context)
        except (NetError, PasswordError, StoreError) as error:
            log.info("recent messages of %s were not all fetched: %s", account, error)
        finally:
            self._running.discard(account)

    async def _wanted(self, account: str, since: int) -> list[int]:
        found = await self.context.db(
            messages.without_body, account, since, largest=LARGEST, limit=AT_ONCE + len(self._passed_over)
        )
        return [one for one in found if one not in self._passed_over][:AT_ONCE]

    async def _fetch(self, source: MailSource, message_id: int) -> None:
        """Fetch one message; one that the server does not give is passed over until the program starts again."""
        self._passed_over.add(message_id)
        try:
            await source.fetch(message_id)
        except (Refused, TooLarge, Gone) as error:
            log.info("a message was not fetched: %s", error)
        else:
            self._passed_over.discard(message_id)
