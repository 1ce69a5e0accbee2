"""Fetch recent messages whole in the background, so that they open at once and search covers their text."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from termmail.accounts.credentials import PasswordError
from termmail.engine import indexing
from termmail.net.net_errors import NetError
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
        self._again: set[str] = set()
        """Accounts that were synchronized once more while their messages were being fetched."""
        self._passed_over: set[int] = set()
        """What a server did not give: it is not asked for again before the program starts again."""

    def begin(self, account: str, source: MailSource) -> None:
        """Fetch in the background what `prefetch_days` asks for; where that goes on already, look once more at its end."""
        settings = self.context.account(account).incoming
        if settings.download != "open" or not settings.prefetch_days:
            return
        if account in self._running:
            self._again.add(account)
        else:
            self._running.add(account)
            since = self.context.clock() - settings.prefetch_days * 86_400
            self.context.tasks.run(self._run(account, source, since))

    async def _run(self, account: str, source: MailSource, since: int) -> None:
        try:
            while (wanted := await self._wanted(account, since)) or account in self._again:
                self._again.discard(account)
                came = await source.prefetch(wanted)
                self._passed_over |= set(wanted).difference(came)
                await indexing.catch_up(self.context)
        except (NetError, PasswordError, StoreError) as error:
            log.info("recent messages of %s were not all fetched: %s", account, error)
        finally:
            self._running.discard(account)
            self._again.discard(account)

    async def _wanted(self, account: str, since: int) -> list[int]:
        found = await self.context.db(
            messages.without_body, account, since, largest=LARGEST, limit=AT_ONCE + len(self._passed_over)
        )
        return [one for one in found if one not in self._passed_over][:AT_ONCE]
