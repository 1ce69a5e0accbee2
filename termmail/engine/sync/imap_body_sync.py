"""Fetch whole messages from an IMAP server: one that is opened, or all that are to be kept here."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from termmail.engine.events import MessageChanged, SyncProgress
from termmail.engine.sync.imap_opening import open_known
from termmail.mail import parse
from termmail.mail.counting import count
from termmail.net.net_errors import Busy, NetError, Refused, TooLarge
from termmail.store import derived, imap_folders, imap_identity, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from termmail.engine.context import Context
    from termmail.net.imap.imap_session import ImapSession
    from termmail.net.imap.open_folder import OpenFolder
    from termmail.store.imap_folders import ImapFolder
    from termmail.store.imap_identity import OnServer

    Wanted = tuple[int, OnServer]

log = logging.getLogger("termmail")

ASKED_AT_ONCE = 50
"""Messages that are asked for in one query of the store."""

FETCHED_AT_ONCE = 20
"""Messages that are fetched in one round trip, at most, unless they are large."""

BYTES_AT_ONCE = 2 << 20
"""Bytes that are fetched in one round trip; a larger message comes alone."""


class BodySync:
    """The whole messages of one account. A message that cannot be fetched is passed over until the next full sync."""

    def __init__(self, context: Context, account: str) -> None:
        self.context = context
        self.account = account
        self._passed_over: set[int] = set()

    async def download(self, session: ImapSession, since: int, *, full: bool) -> int:
        """Fetch the messages not older than `since` that are only on the server; return how many were not fetched.

        Folder by folder, newest first; with `full` also those that were passed over before. Raises NetError or StoreError.
        """
        db = self.context.db
        if full:
            self._passed_over.clear()
        missed = done = 0
        total = await db(imap_identity.count_to_download, self.account, since)
        for folder in await db(imap_folders.all_folders, self.account):
            if folder.server_name is None:
                continue
            opened: OpenFolder | None = None
            while wanted := await self._wanted(folder, since):
                opened = opened or await open_known(session, folder, read_only=True)
                if opened is None:
                    missed += len(wanted)
                    break
                for group in _groups(wanted):
                    await self._fetch_group(opened, group)
                    done += len(group)
                    self.context.tell(SyncProgress(self.account, "messages", min(done, total), total))
        return missed + len(self._passed_over)

    async def prefetch(self, session: ImapSession, wanted: Sequence[Wanted]) -> list[int]:
        """Fetch these messages, many in a round trip; return the ids of those that came. Raises NetError or StoreError."""
        came: list[int] = []
        for folder_id in dict.fromkeys(where.folder_id for _, where in wanted):
            folder = await self.context.db(imap_folders.get, folder_id)
            opened = await open_known(session, folder, read_only=True)
            if opened is None:
                continue
            for group in _groups([one for one in wanted if one[1].folder_id == folder_id]):
                came += await self._fetch_group(opened, group)
        return came

    async def _wanted(self, folder: ImapFolder, since: int) -> list[Wanted]:
        limit = ASKED_AT_ONCE + len(self._passed_over)
        found = await self.context.db(imap_identity.to_download, folder.folder_id, since, limit)
        return [one for one in found if one[0] not in self._passed_over]

    async def _fetch_group(self, opened: OpenFolder, group: Sequence[Wanted]) -> list[int]:
        """Fetch messages in one round trip, and store those that came, in one transaction; return their ids."""
        asked = (opened.fetch_body(where.uid, size=where.size) for _, where in group)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        came = [(one, raw) for one, raw in zip(group, answers, strict=True) if isinstance(raw, bytes)]
        right = await asyncio.to_thread(_as_announced, came)
        if right:
            await self.context.db(messages.add_raws, right)
            self.context.tell(MessageChanged(tuple(message_id for message_id, _ in right)))
        for error in answers:
            if isinstance(error, BaseException) and (opened.closed or not isinstance(error, (Busy, Refused, TooLarge))):
                raise error
        over = {message_id for message_id, _ in group} - {message_id for message_id, _ in right}
        if over:
            why = [str(error) for error in answers if isinstance(error, NetError)]
            log.warning("passed over in %s: %s: %s", self.account, count(len(over), "message"), "; ".join(why))
            self._passed_over |= over
        return [message_id for message_id, _ in right]

    async def fetch(
        self,
        session: ImapSession,
        message_id: int,
        where: OnServer,
        progress: Callable[[int, int], None] | None,
        started: Callable[[bytes], None] | None,
    ) -> bytes:
        """Fetch one message now and store it. Raises NetError or StoreError."""
        folder = await self.context.db(imap_folders.get, where.folder_id)
        opened = session.folder
        if opened is None or opened.closed or opened.name != folder.server_name:
            opened = await session.select(folder.server_name or b"", read_only=True)
        if opened.state.uidvalidity != folder.uidvalidity:
            raise Refused("The server has renumbered this folder.", advice="Check for mail again, then open it.")
        raw = await opened.fetch_body(where.uid, size=where.size, progress=progress, started=started)
        if not await asyncio.to_thread(_as_announced, [((message_id, where), raw)]):
            raise Refused(
                "The server sent another message than the one it announced.",
                advice="Check for mail again: the server may have renumbered its messages.",
            )
        found = await asyncio.to_thread(derived.from_raw, raw, complete=True)
        await self.context.db(messages.add_raw, message_id, raw, found)
        self.context.tell(MessageChanged((message_id,)))
        return raw


def _as_announced(came: Sequence[tuple[Wanted, bytes]]) -> list[tuple[int, bytes]]:
    """Return id and bytes of those messages whose header is the one that is known of them."""
    return [
        (message_id, raw)
        for (message_id, where), raw in came
        if parse.fingerprint(parse.split_header(raw)) == where.fingerprint
    ]


def _groups(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """Divide messages into groups that are fetched at once."""
    group: list[Wanted] = []
    size = 0
    for one in wanted:
        if group and (len(group) == FETCHED_AT_ONCE or size + one[1].size > BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(one)
        size += one[1].size
    if group:
        yield group
