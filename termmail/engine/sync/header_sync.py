"""Store new mail: the headers a maildrop sends, a page at a time."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from termmail.engine.events import MailArrived, SyncProgress
from termmail.mail import parse
from termmail.net.net_errors import NetError, Refused, TooLarge
from termmail.store import pop3_identity
from termmail.store.rows import New

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.sync.pop3_session import Pop3Session, Uidls
    from termmail.net.pop3.maildrop import Listed, Maildrop

log = logging.getLogger("termmail")

FIRST_PAGE = 50
"""Headers stored, and shown, before the rest has come."""

CHUNK = 500
"""Headers stored in one transaction, after the first page."""


class Arrivals:
    """Takes the headers that a maildrop sends and stores them a page at a time, while the next page comes.

    `new` counts the messages that were stored, `rebound` those that were known under another UIDL, `left_out` those
    that could not be fetched and are tried again, and `skipped` those that are shown as not fetched.
    """

    def __init__(self, session: Pop3Session, uidls: Uidls, wanted: Sequence[Listed]) -> None:
        self.session = session
        self.context = session.context
        self.new = 0
        self.rebound = 0
        self.left_out = 0
        self.skipped = 0
        self._done = 0
        self._wanted = wanted
        self._uidls = uidls
        self._places = _places(uidls, wanted)
        self._page: list[New] = []
        self._full = FIRST_PAGE
        self._storing: asyncio.Task[None] | None = None

    async def take(self, drop: Maildrop) -> None:
        """Store the header block of every wanted message, or all of it where the header block is too large for TOP."""
        large: list[Listed] = []
        await self._take_headers(drop, large)
        for listed in large:
            await self._take_whole(drop, listed)

    async def _take_headers(self, drop: Maildrop, large: list[Listed]) -> None:
        """Store the headers; those that are only too large are added to `large`.

        A header block without an end closes the session: the message is shown as not fetched, and the next session
        passes it over.
        """
        try:
            async for listed, answer in drop.headers(self._wanted):
                self._done += 1
                if isinstance(answer, TooLarge):
                    large.append(listed)
                    continue
                if isinstance(answer, NetError):
                    self.left_out += 1
                    log.warning("message %d of %s was passed over: %s", listed.number, self.session.account, answer)
                    continue
                self._add(listed, answer)
                if len(self._page) >= self._full:
                    self._full = CHUNK
                    await self._store_page()
        except TooLarge as error:
            await self._skip(self._wanted[self._done], error)
            raise
        finally:
            # What has come is kept, also when the line drops behind it.
            await self._store_page()
            await self._stored()

    async def _take_whole(self, drop: Maildrop, listed: Listed) -> None:
        try:
            raw = await drop.retrieve_one(listed)
        except (Refused, TooLarge) as error:
            await self._skip(listed, error)
            if drop.closed:
                raise
            return
        self._add(listed, await asyncio.to_thread(parse.split_header, raw), raw)
        await self._store_page()
        await self._stored()

    async def _skip(self, listed: Listed, error: NetError) -> None:
        """Show a message as one that was not fetched, with the reason."""
        before = self.new
        self._add(listed, b"")
        await self._store_page()
        await self._stored()
        self.skipped += self.new - before
        words = (self.session.account, listed.uidl, listed.number, listed.size, None, str(error))
        await self.context.db(pop3_identity.skip, *words)

    def _add(self, listed: Listed, header: bytes, raw: bytes | None = None) -> None:
        nth = self._places.get(listed.number, 0)
        self._page.append(New(listed.uidl, listed.number, listed.size, header, raw, nth=nth))

    async def _stored(self) -> None:
        storing, self._storing = self._storing, None
        if storing is not None:
            await storing

    async def _store_page(self) -> None:
        page, self._page = self._page, []
        await self._stored()
        if page:
            self._storing = asyncio.ensure_future(self._store(page, self._done))

    async def _store(self, page: Sequence[New], done: int) -> None:
        account, context = self.session.account, self.context
        parsed = await asyncio.to_thread(pop3_identity.parse_page, page)
        arrived = await context.db(pop3_identity.arrive, account, parsed, received=context.clock(), listed=self._uidls)
        self.new += len(arrived.ids)
        self.rebound += arrived.rebound
        if arrived.ids:
            context.tell(MailArrived(account, tuple(arrived.ids)))
        context.tell(SyncProgress(account, "headers", done, len(self._wanted)))


def _places(uidls: Uidls, wanted: Sequence[Listed]) -> dict[int, int]:
    """Return, by number, the place from 1 of each entry among those listed under the same UIDL, where there are several.

    Every entry with a repeated UIDL is among the wanted ones.
    """
    if not uidls.repeated:
        return {}
    seen: Counter[bytes] = Counter()
    places: dict[int, int] = {}
    for entry in reversed(wanted):  # by number, as listed
        if entry.uidl in uidls.repeated:
            seen[entry.uidl] += 1
            places[entry.number] = seen[entry.uidl]
    return places
