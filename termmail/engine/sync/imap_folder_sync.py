"""Synchronize one folder of an IMAP account with the store: arrivals, flags, and what has left the folder.

Three ways, by what the server can: QRESYNC tells everything with SELECT (RFC 7162), CONDSTORE the flags that changed, and
without them the flags of the newest messages are fetched. Each ends with the same question: does the folder have as many
messages as are known? If not, all UIDs are compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from termmail.engine.events import FolderChanged, MailArrived, MessageChanged, SyncProgress
from termmail.engine.sync.imap_flags import kept_labels, kept_mask, mask_of
from termmail.mail.model import Role
from termmail.net.imap.uid_set import UidSet
from termmail.net.net_errors import ProtocolError
from termmail.store import imap_arrivals, imap_folders, imap_identity, imap_labels
from termmail.store.imap_arrivals import Listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.engine.context import Context
    from termmail.net.imap.open_folder import OpenFolder
    from termmail.net.imap.untagged import Fetch
    from termmail.store.imap_folders import ImapFolder
    from termmail.store.imap_labels import Kept

log = logging.getLogger("termmail")

PLAIN_FLAGS = 500
"""Messages whose flags are fetched at each look where the server has no mod-sequences."""

MANY_GONE = 20
"""More messages than these, and half a folder, are believed to be gone only after all UIDs were asked for."""


CHUNK = 500
"""Headers that are stored in one transaction, after the first page."""

IDENTITIES = 5000
"""Messages that are asked for at once whether they are known from another folder."""

SLACK = 10_000
"""UIDs that are accepted beyond the number of messages: some may have arrived meanwhile."""


class FolderSync:
    """One look at a folder. `new` counts new messages, `missed` those that could not be fetched.

    `failed` tells that the folder could not be opened, `late` how many messages it has where the server announces some that
    it does not give yet (Office 365). With `labels` a message may be in several folders, and its header is
    fetched in one of them.
    """

    def __init__(self, context: Context, account: str, folder: ImapFolder, *, labels: bool = False) -> None:
        self.context = context
        self.account = account
        self.folder = folder
        self.new = 0
        self.missed = 0
        self.failed = False
        self.late: int | None = None
        self._labels = labels and folder.role is not Role.INBOX
        self._changed: list[int] = []
        self._moved = 0
        self._kept = 0
        self._keeps: Kept | None = None
        """Which labels the folder keeps; None where it was opened for reading only."""

    async def run(self, opened: OpenFolder, *, full: bool = False) -> None:
        """Compare the folder, which was just opened, with the store. Raises NetError or StoreError."""
        db, folder_id, state = self.context.db, self.folder.folder_id, opened.state
        self._kept = kept_mask(state)
        self._keeps = None if state.read_only else kept_labels(state)
        if self._keeps is not None:
            await db(imap_labels.offer_again, folder_id, self._keeps)
        fresh = self.folder.uidvalidity != state.uidvalidity
        if fresh and self.folder.uidvalidity is not None:
            known = await db(imap_identity.renumber, folder_id)
            log.info("folder %d of %s has new UIDs: %d messages to recognize", folder_id, self.account, known)
        if fresh:  # before any row: a UID means nothing without it
            await db(imap_folders.opened, folder_id, state.uidvalidity, None, None)
        # What has left comes first: so what arrives is recognized where it is the same message.
        if not fresh and not await self._take_changes(opened, full=full):
            await self._compare(opened)
        await self._store(state.arrived)
        if await db(imap_identity.count, folder_id) != opened.exists:
            await self._compare(opened)
            known = await db(imap_identity.count, folder_id)
            self.late = opened.exists if known < opened.exists and not self.missed else None
        highest = max((self.folder.uidnext or 1, *(row.uid + 1 for row in state.arrived if row.uid)))
        uidnext = state.uidnext or highest
        modseq = None if self.missed else state.highestmodseq
        if fresh or (uidnext, modseq) != (self.folder.uidnext, self.folder.highestmodseq):
            await db(imap_folders.opened, folder_id, state.uidvalidity, uidnext, modseq)
        self._tell()

    def _tell(self) -> None:
        if self._changed:
            self.context.tell(MessageChanged(tuple(self._changed)))
        if self._moved:
            self.context.tell(FolderChanged(self.account))

    # -- flags and what has left

    async def _take_changes(self, opened: OpenFolder, *, full: bool) -> bool:
        """Take flags and what has left; return whether what the server told can be believed."""
        state, since = opened.state, self.folder.highestmodseq
        if state.resynced and not full:
            await self._take_flags(state.changed)
            return await self._vanish(state.vanished)
        if since and state.highestmodseq and not full:
            if state.highestmodseq == since:
                return True
            rows, gone = await opened.fetch_flags(changed_since=since)
            await self._take_flags(rows)
            return await self._vanish(gone)
        if opened.exists:
            known = await self.context.db(imap_identity.uids, self.folder.folder_id)
            asked = known if full else known[-PLAIN_FLAGS:]
            if asked:
                rows, _ = await opened.fetch_flags(UidSet.of(asked))
                await self._take_flags(rows)
                told = {row.uid for row in rows}
                return await self._vanish(UidSet.of(uid for uid in asked if uid not in told))
        return True

    async def _take_flags(self, rows: Iterable[Fetch]) -> None:
        rows = list(rows)
        told = await asyncio.to_thread(_masks, rows)
        if told:
            folder_id = self.folder.folder_id
            self._changed += await self.context.db(imap_identity.set_flags, folder_id, told, self._kept)
            await self._take_labels(rows)

    async def _take_labels(self, rows: Iterable[Fetch]) -> None:
        if self._keeps is not None:
            told = await asyncio.to_thread(_keywords, rows)
            folder_id = self.folder.folder_id
            self._changed += await self.context.db(imap_labels.take, folder_id, told, self._keeps)

    async def _vanish(self, gone: UidSet) -> bool:
        """Take messages out of the folder. Return False for half a folder at once: a server may be mistaken."""
        if not gone:
            return True
        known = await self.context.db(imap_identity.uids, self.folder.folder_id)
        left = await asyncio.to_thread(gone.among, known)
        if len(left) > MANY_GONE and len(left) * 2 > len(known):
            return False
        if left:
            self._moved += await self.context.db(imap_identity.vanish, self.folder.folder_id, left)
        return True

    async def _compare(self, opened: OpenFolder) -> None:
        """Compare all UIDs, and fetch the headers of those that are not known, newest first."""
        there = await opened.search_uids(b"ALL")
        if len(there) > opened.exists + SLACK:
            raise ProtocolError("The server told of more messages than the folder has.")
        known = await self.context.db(imap_identity.uids, self.folder.folder_id)
        gone, missing = await asyncio.to_thread(_compared, there, known)
        if gone:
            self._moved += await self.context.db(imap_identity.vanish, self.folder.folder_id, gone)
        if self._labels:
            missing = await self._take_known(opened, missing)
        await self._fetch(opened, missing)

    # -- arrivals

    async def _take_known(self, opened: OpenFolder, uids: Sequence[int]) -> list[int]:
        """Store the messages that are known from other folders, and return the UIDs of the others, in their order."""
        others: list[int] = []
        for start in range(0, len(uids), IDENTITIES):
            page = uids[start : start + IDENTITIES]
            rows = await opened.fetch_identities(UidSet.of(page))
            listed = await asyncio.to_thread(_listed, rows)
            known = await self.context.db(imap_arrivals.with_lasting_ids, self.account, self.folder.folder_id, listed)
            await self._arrive(known)
            taken = {one.uid for one in known}
            others += [uid for uid in page if uid not in taken]
        return others

    async def _fetch(self, opened: OpenFolder, uids: Sequence[int]) -> None:
        """Fetch and store headers, newest first: the first page alone, then CHUNK at a time while the next ones come."""
        done = 0
        waiting: list[Fetch] = []
        storing: asyncio.Task[None] | None = None
        pages = opened.fetch_headers(uids)
        async with contextlib.aclosing(pages):
            try:
                async for page in pages:
                    if page.refused is not None:
                        log.warning("%d headers of %s were refused: %s", len(page.absent), self.account, page.refused)
                        self.missed += len(page.absent)
                    waiting += page.rows
                    done += len(page.rows) + len(page.absent)
                    if len(waiting) >= CHUNK or storing is None or done >= len(uids):
                        if storing is not None:
                            await storing
                        storing = asyncio.ensure_future(self._store(waiting, done, len(uids)))
                        waiting = []
            finally:
                if storing is not None:
                    await storing
                await self._store(waiting, done, len(uids))

    async def _store(self, rows: Sequence[Fetch], done: int = 0, total: int = 0) -> None:
        listed = _listed(rows)
        self.missed += len(rows) - len(listed)
        if listed:
            await self._arrive(await asyncio.to_thread(imap_arrivals.parse_page, listed))
            await self._take_labels([row for row in rows if row.flags])
        if listed and total:
            self.context.tell(SyncProgress(self.account, "headers", done, total))

    async def _arrive(self, page: Sequence[Listed]) -> None:
        arrived = await self.context.db(
            imap_arrivals.arrive,
            self.account,
            self.folder.folder_id,
            page,
            received=self.context.clock(),
            kept=self._kept,
        )
        self.new += len(arrived.ids)
        self._moved += arrived.found
        if arrived.ids:
            self.context.tell(MailArrived(self.account, tuple(arrived.ids)))


def _listed(rows: Iterable[Fetch]) -> list[Listed]:
    """Return the rows that the store can take: with a header, or with an id that names the message in all folders."""
    return [
        Listed(
            row.uid,
            mask_of(row.flags or frozenset()),
            row.internal_date,
            row.size or len(row.header or b""),
            row.header or b"",
            _signed(row.gmail_id),
        )
        for row in rows
        if row.uid is not None and (isinstance(row.header, bytes) or (row.header is None and row.gmail_id is not None))
    ]


def _masks(rows: Iterable[Fetch]) -> list[tuple[int, int]]:
    """Return UID and flags of each row that tells both. There may be a hundred thousand: call it in a worker thread."""
    return [(row.uid, mask_of(row.flags)) for row in rows if row.uid is not None and row.flags is not None]


def _keywords(rows: Iterable[Fetch]) -> list[tuple[int, frozenset[str]]]:
    """Return UID and flags of each row that tells both."""
    return [(row.uid, row.flags) for row in rows if row.uid is not None and row.flags is not None]


def _signed(number: int | None) -> int | None:
    """Return an unsigned number of 64 bits as the signed one that the store can hold."""
    return number if number is None or number < 2**63 else number - 2**64


def _compared(there: UidSet, known: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the UIDs that are gone, and those that are not known, highest first: they came last."""
    have = set(known)
    return [uid for uid in known if uid not in there], [uid for uid in there if uid not in have][::-1]
