"""Synchronize the Drafts folder of an IMAP account: drafts written elsewhere come here, and those written here go there.

A draft is stored on the server anew when it is closed, or a minute after the last word; the older copy is expunged when
the new one is there. What another program has stored becomes a draft here, also where it is one that was changed here
meanwhile: then there are two.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from termmail.accounts.config import identity
from termmail.engine.events import DraftsChanged, Failed
from termmail.engine.sync.imap_folder_push import says
from termmail.mail import parse
from termmail.mail.model import Role
from termmail.mail.recipients import ComposeError, ascii_domain
from termmail.net.imap.folder_names import encode_name
from termmail.net.imap.refusals import FolderExists
from termmail.net.net_errors import Busy, Refused
from termmail.store import drafts, imap_drafts, imap_folders
from termmail.store.imap_drafts import Received
from termmail.store.imap_folders import ServerFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.context import Context
    from termmail.mail.message import Draft, Identity
    from termmail.net.imap.imap_session import ImapSession
    from termmail.net.imap.open_folder import OpenFolder
    from termmail.net.imap.untagged import Fetch
    from termmail.store.imap_drafts import Copy, Upload
    from termmail.store.imap_folders import ImapFolder

log = logging.getLogger("termmail")

MOST = 500
"""Drafts of a server that are received, the newest ones."""

LARGEST = 64 << 20
"""Bytes of a draft that is received, at most."""

AN_HOUR = 3600

_DELETED = r"\Deleted"
_FLAGS = frozenset({r"\Draft", r"\Seen"})


class DraftSync:
    """The drafts of an account in one session. `done` counts what the server has confirmed."""

    def __init__(self, context: Context, account: str, session: ImapSession) -> None:
        self.context = context
        self.account = account
        self.session = session
        self.done = 0

    # -- what the server has

    async def look(self, folder: ImapFolder) -> None:
        """Compare the folder with the store. Raises NetError or StoreError."""
        db, folder_id = self.context.db, folder.folder_id
        opened = await self.session.select(folder.server_name or b"")
        state = opened.state
        if folder.uidvalidity != state.uidvalidity:
            await db(imap_drafts.renumber, folder_id)
            await db(imap_folders.opened, folder_id, state.uidvalidity, None, None)
        known = await db(imap_drafts.copies, folder_id)
        there = set(await opened.search_uids(b"ALL"))
        gone = {one.uid for one in known if one.uid is not None and one.uid not in there}
        new = sorted(there - {one.uid for one in known}, reverse=True)[:MOST]
        missed = await self._take(opened, folder_id, new, [one for one in known if one.uid is None], gone)
        if gone:
            await db(imap_drafts.vanished, folder_id, gone)
        if not missed:
            await db(imap_drafts.not_found, folder_id, self.context.clock())
            await db(imap_folders.opened, folder_id, state.uidvalidity, state.uidnext, state.highestmodseq)
        if gone or new:
            self.context.tell(DraftsChanged(self.account))

    async def _take(
        self, opened: OpenFolder, folder_id: int, uids: Sequence[int], unseen: list[Copy], gone: set[int]
    ) -> int:
        """Recognize the copies that were sent, and store every other draft; return how many could not be fetched."""
        missed = 0
        strange: list[tuple[Fetch, str]] = []
        async for page in opened.fetch_headers(uids):
            missed += len(page.absent) if page.refused is not None else 0
            for row in page.rows:
                if row.uid is None or not isinstance(row.header, bytes):
                    missed += 1
                elif _DELETED not in (row.flags or ()):
                    envelope = await asyncio.to_thread(parse.envelope, row.header)
                    strange.append((row, envelope.message_id))
        for same_size in (True, False):
            for row, message_id in tuple(strange):
                size = row.size if same_size else None
                if row.uid is not None and (copy := _found(unseen, message_id, size)) is not None:
                    unseen.remove(copy)
                    strange.remove((row, message_id))
                    await self.context.db(imap_drafts.seen, copy.copy_id, row.uid)
        for row, message_id in reversed(strange):  # oldest first: so they are listed in the order they were written
            missed += not await self._receive(opened, folder_id, row, message_id, gone)
        return missed

    async def _receive(self, opened: OpenFolder, folder_id: int, row: Fetch, message_id: str, gone: set[int]) -> bool:
        """Store a draft that another program has written; return False where it cannot be fetched."""
        assert row.uid is not None
        size = row.size or 0
        if size > LARGEST:
            log.warning("a draft of %s was passed over: it has %d bytes", self.account, size)
            return True
        try:
            raw = await opened.fetch_body(row.uid, size=row.size)
        except Refused as error:
            log.warning("a draft of %s was passed over: %s", self.account, error)
            return False
        draft, files, is_lossy = await asyncio.to_thread(_read, raw)
        one = Received(row.uid, message_id, size, draft, files, is_lossy)
        now = self.context.clock()
        await self.context.db(imap_drafts.receive, self.account, folder_id, one, gone=gone, now=now)
        return True

    # -- what the server is to get

    async def push(self, prefix: str) -> None:
        """Store the drafts that are due, and expunge the copies that are stale. Raises NetError or StoreError.

        Where the server has no Drafts folder one is made; `prefix` is that of the personal namespace.
        """
        db, now = self.context.db, self.context.clock()
        for folder in await db(imap_folders.all_folders, self.account):
            if folder.role is Role.DRAFTS and folder.server_name is None:
                await db(imap_drafts.not_found, folder.folder_id, now)  # the server has lost the folder
        if uploads := await db(imap_drafts.uploads, self.account, now):
            target = await self._folder(encode_name(f"{prefix}Drafts"))
            if target is None:
                await db(imap_drafts.put_off_uploads, [one.draft_id for one in uploads], now + AN_HOUR)
                return
            told = [await self._upload(target, one) for one in uploads]
            if not all(told):  # the server has not said under which UID
                await self.look(await db(imap_folders.get, target.folder_id))
        for folder in await db(imap_folders.all_folders, self.account):
            if folder.role is Role.DRAFTS and folder.server_name is not None:
                await self._expunge(folder)

    async def _folder(self, name: bytes) -> ImapFolder | None:
        """Return the Drafts folder, which is made where it is missing; None where the server refuses."""
        folders = await self.context.db(imap_folders.all_folders, self.account)
        found = [one for one in folders if one.role is Role.DRAFTS and one.server_name is not None]
        if found:
            return found[0]
        try:
            with contextlib.suppress(FolderExists):
                await self.session.create_folder(name)
            with contextlib.suppress(Refused):  # a server may have no subscriptions
                await self.session.subscribe(name)
        except Refused as error:
            log.info("%s has no Drafts folder: %s", self.account, error)
            return None
        return await self.context.db(imap_folders.add, self.account, ServerFolder(name, "Drafts", Role.DRAFTS))

    async def _upload(self, folder: ImapFolder, one: Upload) -> bool:
        """Store one draft; return whether it is known under which UID, or that it was refused."""
        db = self.context.db
        try:
            draft = await db(drafts.load, one.draft_id)
        except KeyError:
            return True  # it was discarded just now
        if draft.version != one.version:
            return True  # it is being written: its minute begins again
        files = await db(drafts.files, one.draft_id)
        writer = identity(self.context.account(self.account))
        try:
            message_id, raw = await asyncio.to_thread(_build, draft, writer, files, one.message_id)
        except ComposeError as error:
            log.warning("draft %d is not stored on the server: %s", one.draft_id, error)
            await db(imap_drafts.put_off_uploads, [one.draft_id], self.context.clock() + AN_HOUR)
            return True
        copy_id = await db(imap_drafts.sent, folder.folder_id, one, message_id, len(raw))
        try:
            told = await self.session.append(folder.server_name or b"", raw, _FLAGS, draft.updated)
        except Refused as error:
            await db(imap_drafts.refused, copy_id, one.draft_id, self.context.clock() + AN_HOUR)
            words = f"The draft “{draft.subject or '(no subject)'}” could not be stored on the server."
            self.context.tell(Failed(self.account, words, f"It is kept here. {says(error)}"))
            return True
        self.done += 1
        folder = await db(imap_folders.get, folder.folder_id)
        if told is None or told.uidvalidity != folder.uidvalidity:
            return False
        await db(imap_drafts.seen, copy_id, told.uid)
        return True

    async def _expunge(self, folder: ImapFolder) -> None:
        """Expunge the stale copies of a folder, those that are still what they were.

        What another program wrote into a copy, and what is not in the newer one, is kept in the Trash.
        """
        db, now = self.context.db, self.context.clock()
        due = [one for one in await db(imap_drafts.stale, self.account, now) if one.folder_id == folder.folder_id]
        if not due:
            return
        opened = self.session.folder
        if opened is None or opened.closed or opened.name != folder.server_name or opened.state.read_only:
            opened = await self.session.select(folder.server_name or b"")
        if opened.state.uidvalidity != folder.uidvalidity:
            return  # the next look recognizes them
        same = await self._still_there(opened, due)
        await db(imap_drafts.expunged, [one.copy_id for one in due if one not in same])
        trash = await self._trash()
        kept = [one for one in same if one.is_lossy and one.draft_id is not None] if trash is not None else []
        erased = [one for one in same if one not in kept]
        try:
            if kept and trash is not None:
                await opened.move([one.uid for one in kept if one.uid is not None], trash)
            if erased:
                uids = [one.uid for one in erased if one.uid is not None]
                await opened.store_flags(uids, add=frozenset({_DELETED}))
                await opened.expunge(uids)
        except (Busy, Refused) as error:
            if self.session.closed:
                raise
            log.warning("older copies of drafts stay on the server of %s: %s", self.account, error)
            await db(imap_drafts.put_off, [one.copy_id for one in same], now + AN_HOUR)
            return
        await db(imap_drafts.expunged, [one.copy_id for one in same])
        self.done += len(same)

    async def _still_there(self, opened: OpenFolder, copies: Sequence[Copy]) -> list[Copy]:
        """Return the copies whose UIDs are still messages with the same Message-ID."""
        by_uid = {one.uid: one for one in copies if one.uid is not None}
        found: list[Copy] = []
        async for page in opened.fetch_headers(sorted(by_uid)):
            for row in page.rows:
                if row.uid in by_uid and isinstance(row.header, bytes):
                    copy = by_uid[row.uid]
                    envelope = await asyncio.to_thread(parse.envelope, row.header)
                    if envelope.message_id == copy.message_id and (copy.message_id or row.size == copy.size):
                        found.append(copy)
        return found

    async def _trash(self) -> bytes | None:
        folders = await self.context.db(imap_folders.all_folders, self.account)
        return next((one.server_name for one in folders if one.role is Role.TRASH), None)


def _read(raw: bytes) -> tuple[Draft, list[tuple[str, str, bytes]], bool]:
    from termmail.mail import draft_message  # noqa: PLC0415 - there are drafts rarely, and lists come first

    return draft_message.read(raw)


def _build(
    draft: Draft, writer: Identity, files: Sequence[tuple[str, str, bytes]], message_id: str
) -> tuple[str, bytes]:
    """Return the Message-ID of a draft's copies, a new one if it is "", and the bytes of the next one."""
    from termmail.mail import draft_message, outgoing  # noqa: PLC0415

    message_id = message_id or outgoing.new_message_id(ascii_domain(writer.address.rpartition("@")[2]))
    when = datetime.fromtimestamp(draft.updated, UTC)
    return message_id, draft_message.build(draft, writer, files, message_id=message_id, now=when)


def _found(unseen: Sequence[Copy], message_id: str, size: int | None) -> Copy | None:
    """Return the copy that a message is, by its Message-ID and size; without a size by its Message-ID alone."""
    for one in unseen:
        if one.message_id == message_id and (size == one.size if size is not None else bool(message_id)):
            return one
    return None
