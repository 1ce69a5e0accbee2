"""Fetch whole messages from an IMAP server: one that is opened, or all that are to be kept here."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from termmail.engine.events import MessageChanged, SyncProgress
from termmail.mail import parse
from termmail.net.net_errors import Busy, Refused
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
    """The whole messages of one account."""

    def __init__(self, context: Context, account: str) -> None:
        self.context = context
        self.account = account
        self._unfetchable: set[int] = set()

    async def download(self, session: ImapSession, since: int) -> int:
        """Fetch the messages not older than `since` that are only on the server; return how many were not fetched.

        Folder by folder, newest first. Raises NetError or StoreError.
        """
        db = self.context.db
        missed = 0
        for folder in await db(imap_folders.all_folders, self.account):
            if folder.server_name is None:
                continue
            opened: OpenFolder | None = None
            while wanted := await self._wanted(folder, since):
                opened = opened or await self._open(session, folder)
                if opened is None:
                    missed += len(wanted)
                    break
                done = 0
                for group in _groups(wanted):
                    await asyncio.gather(*(self._fetch_or_pass_over(opened, *one) for one in group))
                    done += len(group)
                    self.context.tell(SyncProgress(self.account, "messages", done, len(wanted)))
        return missed + len(self._unfetchable)

    async def _wanted(self, folder: ImapFolder, since: int) -> list[Wanted]:
        limit = ASKED_AT_ONCE + len(self._unfetchable)
        found = await self.context.db(imap_identity.to_download, folder.folder_id, since, limit)
        return [one for one in found if one[0] not in self._unfetchable]

    async def _open(self, session: ImapSession, folder: ImapFolder) -> OpenFolder | None:
        """Open a folder whose UIDs are those that are known; None where that cannot be."""
        try:
            opened = await session.select(folder.server_name or b"", read_only=True)
        except (Busy, Refused) as error:
            if session.closed:
                raise
            log.warning("a folder of %s cannot be opened: %s", self.account, error)
            return None
        return opened if opened.state.uidvalidity == folder.uidvalidity else None

    async def _fetch_or_pass_over(self, opened: OpenFolder, message_id: int, where: OnServer) -> None:
        try:
            await self._keep(message_id, where, await opened.fetch_body(where.uid, size=where.size))
        except Refused as error:
            log.warning("message %d of %s was passed over: %s", message_id, self.account, error)
            self._unfetchable.add(message_id)

    async def _keep(self, message_id: int, where: OnServer, raw: bytes) -> None:
        """Store a message. Raises Refused where it is another one."""
        if await asyncio.to_thread(lambda: parse.fingerprint(parse.split_header(raw))) != where.fingerprint:
            raise Refused(
                "The server sent another message than the one it announced.",
                advice="Check for mail again: the server may have renumbered its messages.",
            )
        found = await asyncio.to_thread(derived.from_raw, raw, complete=True)
        await self.context.db(messages.add_raw, message_id, raw, found)
        self.context.tell(MessageChanged((message_id,)))

    async def fetch(
        self, session: ImapSession, message_id: int, where: OnServer, progress: Callable[[int, int], None] | None
    ) -> bytes:
        """Fetch one message now and store it. Raises NetError or StoreError."""
        folder = await self.context.db(imap_folders.get, where.folder_id)
        opened = session.folder
        if opened is None or opened.closed or opened.name != folder.server_name:
            opened = await session.select(folder.server_name or b"", read_only=True)
        if opened.state.uidvalidity != folder.uidvalidity:
            raise Refused("The server has renumbered this folder.", advice="Check for mail again, then open it.")
        raw = await opened.fetch_body(where.uid, size=where.size, progress=progress)
        await self._keep(message_id, where, raw)
        return raw


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
