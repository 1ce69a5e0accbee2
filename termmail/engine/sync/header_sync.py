"""New mail into the store: the headers a maildrop streams, a page at a time."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from termmail.engine.clock import now
from termmail.engine.events import MailArrived, SyncProgress
from termmail.mail import parse
from termmail.net.net_errors import NetError, Refused, TooLarge
from termmail.store import pop3_identity
from termmail.store.rows import New

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.sync.pop3_source import Receiver
    from termmail.net.pop3.maildrop import Listed, Maildrop

log = logging.getLogger("termmail")

FIRST_PAGE = 50
"""Headers that go into the store, and on the screen, before the rest has come."""

CHUNK = 500
"""Headers a transaction, after the first page."""


class Arrivals:
    """Takes the headers a maildrop streams and puts them into the store, a page at a time, while the next one comes."""

    def __init__(self, receiver: Receiver, listed: Sequence[Listed], wanted: Sequence[Listed]) -> None:
        self.receiver = receiver
        self.engine = receiver.engine
        self.new = 0
        self.rebound = 0
        self.left_out = 0
        self._done = 0
        self._wanted = wanted
        self._uidls = frozenset(entry.uidl for entry in listed)
        self._places = _places(listed)
        self._page: list[New] = []
        self._full = FIRST_PAGE
        self._storing: asyncio.Task[None] | None = None

    async def take(self, drop: Maildrop) -> None:
        """Store the header block of every message that is wanted, and of one whose header block is too large the
        whole message (SAFETY M8)."""
        large: list[Listed] = []
        await self._take_headers(drop, large)
        for listed in large:
            await self._take_whole(drop, listed)

    async def _take_headers(self, drop: Maildrop, large: list[Listed]) -> None:
        """A header block that has no end closes the session: it is noted, shown as not fetched, and the next session
        passes it over (SAFETY P3, P4). Those that are only too large are added to `large`."""
        try:
            async for listed, answer in drop.headers(self._wanted):
                self._done += 1
                if isinstance(answer, TooLarge):
                    large.append(listed)
                    continue
                if isinstance(answer, NetError):
                    self.left_out += 1
                    log.warning("message %d of %s was passed over: %s", listed.number, self.receiver.account, answer)
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
        self._add(listed, parse.split_header(raw), raw)
        await self._store_page()
        await self._stored()

    async def _skip(self, listed: Listed, error: NetError) -> None:
        """Show a message as one that was not fetched, with the reason."""
        self._add(listed, b"")
        await self._store_page()
        await self._stored()
        words = (self.receiver.account, listed.uidl, listed.number, listed.size, None, str(error))
        await self.engine.db(pop3_identity.skip, *words)

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
        account = self.receiver.account
        arrived = await self.engine.db(pop3_identity.arrive, account, page, received=now(), listed=self._uidls)
        self.new += len(arrived.ids)
        self.rebound += arrived.rebound
        if arrived.ids:
            self.engine.tell(MailArrived(account, tuple(arrived.ids)))
        self.engine.tell(SyncProgress(account, "headers", done, len(self._wanted)))


def _places(listed: Sequence[Listed]) -> dict[int, int]:
    """Number -> place, from 1, among those listed under the same UIDL, where there are several."""
    names = Counter(entry.uidl for entry in listed)
    seen: Counter[bytes] = Counter()
    places: dict[int, int] = {}
    for entry in listed:
        if names[entry.uidl] > 1:
            seen[entry.uidl] += 1
            places[entry.number] = seen[entry.uidl]
    return places
