"""`download = "all"`: the whole messages too, many to a transaction."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from termmail.engine.events import MessageChanged, SyncProgress
from termmail.engine.sync import mismatch
from termmail.net.net_errors import NetError, Refused, TooLarge
from termmail.store import messages, pop3_identity

if TYPE_CHECKING:
    from termmail.engine.sync.pop3_source import Receiver
    from termmail.net.pop3.maildrop import Listed, Maildrop

CHUNK_BYTES = 4 << 20
"""Bytes of whole messages a transaction."""


async def download(receiver: Receiver, drop: Maildrop) -> None:
    """Fetch and keep every message of which only the header is here, newest first. What cannot be fetched is passed
    over. Raises whatever ends the session; what had come by then is kept.
    """
    ids = await receiver.engine.db(pop3_identity.to_download, receiver.account)
    pages = _Pages(receiver, ids)
    wanted = [listed for uidl in ids if (listed := receiver.listing.get(uidl)) is not None]
    done = 0
    try:
        async for listed, answer in drop.retrieve(wanted):
            done += 1
            if isinstance(answer, NetError):
                await receiver.skip(listed, answer)
            elif await pages.add(listed, answer):
                receiver.engine.tell(SyncProgress(receiver.account, "messages", done, len(wanted)))
    except TooLarge as error:
        await receiver.skip(wanted[done], error)
        raise
    finally:
        await pages.store()
    for listed in pages.doubtful:
        known = await receiver.engine.db(pop3_identity.by_message, ids[listed.uidl])
        if known is not None:
            with contextlib.suppress(Refused):
                await mismatch.settle(receiver, drop, listed, known, await drop.retrieve_one(listed))


class _Pages:
    """Whole messages on their way into the store. `doubtful` are those that are not what their header said."""

    def __init__(self, receiver: Receiver, ids: dict[bytes, int]) -> None:
        self._receiver = receiver
        self._ids = ids
        self._page: dict[int, tuple[Listed, bytes]] = {}
        self._bytes = 0
        self.doubtful: list[Listed] = []

    async def add(self, listed: Listed, raw: bytes) -> bool:
        """Take one more; True where this made a page full and stored it."""
        self._page[self._ids[listed.uidl]] = (listed, raw)
        self._bytes += len(raw)
        if self._bytes <= CHUNK_BYTES:
            return False
        await self.store()
        return True

    async def store(self) -> None:
        """Store what has come."""
        page, self._page, self._bytes = self._page, {}, 0
        if page:
            others = await self._receiver.engine.db(messages.add_raws, [(id_, raw) for id_, (_, raw) in page.items()])
            self.doubtful += [page[id_][0] for id_ in others]
            self._receiver.engine.tell(MessageChanged(tuple(page.keys() - set(others))))
