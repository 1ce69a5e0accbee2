"""Fetch whole messages in a sync, for `download` other than "open": many to a transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.engine.events import MessageChanged, SyncProgress
from termmail.engine.sync import mismatch
from termmail.engine.sync.pop3_session import fingerprint_of_whole
from termmail.net.net_errors import NetError, Refused, TooLarge
from termmail.store import messages, pop3_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.sync.pop3_session import Pop3Session, Uidls
    from termmail.net.pop3.maildrop import Listed, Maildrop
    from termmail.store.rows import Known

CHUNK_BYTES = 4 << 20
"""Bytes of whole messages stored in one transaction."""


async def download(session: Pop3Session, drop: Maildrop, since: int) -> int:
    """Fetch and store every message not older than `since` of which only the header is here, newest first.

    Return how many could not be fetched: they are passed over. Raises what ends the session; what had come by then is
    stored.
    """
    lacking = await session.context.db(pop3_identity.to_download, session.account, since)
    wanted = await asyncio.to_thread(_in_this_session, session.uidls, lacking)
    pages = _Pages(session)
    done = missed = 0
    try:
        async for listed, answer in drop.retrieve([listed for listed, _ in wanted]):
            known = wanted[done][1]
            done += 1
            if isinstance(answer, NetError):
                missed += 1
                await session.skip(listed, answer)
            elif await pages.add(listed, known, answer):
                session.context.tell(SyncProgress(session.account, "messages", done, len(wanted)))
    except TooLarge as error:
        await session.skip(wanted[done][0], error)
        raise
    finally:
        await pages.store()
    for listed, known in pages.doubtful:
        try:
            settled = await mismatch.settle(session, drop, listed, known, await drop.retrieve_one(listed))
        except (Refused, TooLarge):
            if drop.closed:
                raise
            settled = False
        missed += not settled
    return missed


def _in_this_session(uidls: Uidls, lacking: Sequence[Known]) -> list[tuple[Listed, Known]]:
    """Return the entry of each message in this session's listing; a message that has none is left out.

    Where its UIDL is blank or repeated, `known.number` is the number under which its header was just read.
    """
    unnamed = {listed.number: listed for listed in uidls.unnamed()}
    found: list[tuple[Listed, Known]] = []
    for known in lacking:
        listed = uidls.get(known.uidl) or unnamed.get(known.number)
        if listed is not None and listed.uidl == known.uidl:
            found.append((listed, known))
    return found


class _Pages:
    """Collects whole messages and stores them a page at a time.

    `doubtful` are those whose header is not the one that was stored for them.
    """

    def __init__(self, session: Pop3Session) -> None:
        self._session = session
        self._page: list[tuple[Listed, Known, bytes]] = []
        self._bytes = 0
        self.doubtful: list[tuple[Listed, Known]] = []

    async def add(self, listed: Listed, known: Known, raw: bytes) -> bool:
        """Add one message. Return True where this made a page full and stored it."""
        self._page.append((listed, known, raw))
        self._bytes += len(raw)
        if self._bytes <= CHUNK_BYTES:
            return False
        await self.store()
        return True

    async def store(self) -> None:
        """Store the page."""
        page, self._page, self._bytes = self._page, [], 0
        right: list[tuple[int, bytes]] = []
        for listed, known, raw in page:
            if known.message is not None and await fingerprint_of_whole(raw) == known.fingerprint:
                right.append((known.message, raw))
            else:
                self.doubtful.append((listed, known))
        if right:
            await self._session.context.db(messages.add_raws, right)
            self._session.context.tell(MessageChanged(tuple(message_id for message_id, _ in right)))
