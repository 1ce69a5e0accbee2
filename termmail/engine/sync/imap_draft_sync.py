"""Synchronize the Drafts folder of an IMAP account: drafts written elsewhere come here, and those written here go there.

A draft is stored on the server anew when it is closed, or a minute after the last word; the older copy is expunged when
the new one is there. What another program has stored becomes a draft here, also where it is one that was changed here
meanwhile: then there are two.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from termmail.accounts.config import identity
from termmail.engine.events import DraftsChanged, Failed
from termmail.engine.sync.imap_folder_push import says
from termmail.engine.sync.imap_opening import open_known
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
    from collections.abc import Awaitable, Iterator, Sequence

    from termmail.engine.context import Context
    from termmail.mail.message import Draft, Identity
    from termmail.net.imap.imap_session import ImapSession
    from termmail.net.imap.open_folder import OpenFolder
    from termmail.net.imap.uid_set import UidSet
    from termmail.net.imap.untagged import Fetch
    from termmail.store.imap_drafts import Copy, Upload
    from termmail.store.imap_folders import ImapFolder

log = logging.getLogger("termmail")

MOST = 500
"""Drafts of a server that are received, the newest ones. Its other ones stay there, and are not shown."""

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
        there = await opened.search_uids(b"ALL")
        have = {one.uid for one in known if one.uid is not None}
        unseen = [one for one in known if one.uid is None]
        # A server may announce messages before it gives them (Office 365): until then none counts as removed.
        late = max(0, opened.exists - len(there))
        gone = set() if late else {uid for uid in have if uid not in there}
        newest = list(itertools.islice(_newest_first(there), MOST + len(unseen)))
        new = [uid for uid in newest if uid not in have]
        missed, strange = await self._recognize(opened, new, unseen)
        for row, witness in reversed(strange):  # oldest first: so they are listed in the order they were written
            if row.uid in newest[:MOST]:
                missed += not await self._receive(opened, folder_id, row, witness, gone)
        missed += late
        if gone:
            await db(imap_drafts.vanished, folder_id, gone)
        if not missed:
            await db(imap_drafts.give_up_unconfirmed, folder_id, self.context.clock())
            await db(imap_folders.opened, folder_id, state.uidvalidity, state.uidnext, state.highestmodseq)
        if gone or new:
            self.context.tell(DraftsChanged(self.account))

    async def _recognize(
        self, opened: OpenFolder, uids: Sequence[int], unseen: list[Copy]
    ) -> tuple[int, list[tuple[Fetch, _Witness]]]:
        """Find the copies that were sent; return how many messages could not be fetched, and the other ones."""
        missed = 0
        strange: list[tuple[Fetch, _Witness]] = []
        async for page in opened.fetch_headers(uids):
            missed += len(page.absent) if page.refused is not None else 0
            for row in page.rows:
                if row.uid is None or not isinstance(row.header, bytes):
                    missed += 1
                    continue
                if _DELETED in (row.flags or ()):
                    continue
                witness = await asyncio.to_thread(_witness, row.header, row.size)
                copy = next((one for one in unseen if one.fingerprint == witness.fingerprint), None)
                if copy is None:
                    strange.append((row, witness))
                else:
                    unseen.remove(copy)
                    await self.context.db(imap_drafts.confirm, copy.copy_id, row.uid)
        return missed, strange

    async def _receive(self, opened: OpenFolder, folder_id: int, row: Fetch, witness: _Witness, gone: set[int]) -> bool:
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
        read = await asyncio.to_thread(_read, raw)
        same = await self._same(witness.message_id, read)
        one = Received(row.uid, witness.message_id, witness.fingerprint, *read, row.internal_date)
        now = self.context.clock()
        await self.context.db(imap_drafts.receive, self.account, folder_id, one, same=same, gone=gone, now=now)
        return True

    async def _same(self, message_id: str, read: _Read) -> Upload | None:
        """Return the draft here that has these words and files, and may have been stored as this message; else None."""
        db = self.context.db
        wanted = _words(*read[:2])
        writer = identity(self.context.account(self.account))
        for one in await db(imap_drafts.alike, self.account, message_id, read[0]):
            try:
                draft = await db(drafts.load, one.draft_id)
            except KeyError:
                continue  # it was discarded just now
            files = await db(drafts.files, one.draft_id)
            if _words(draft, files) == wanted:
                return one
            with contextlib.suppress(ComposeError):  # a message does not hold each character of a draft
                _, raw = await asyncio.to_thread(_build, draft, writer, files, one.message_id)
                if _words(*(await asyncio.to_thread(_read, raw))[:2]) == wanted:
                    return one
        return None

    # -- what the server is to get

    async def push(self, prefix: str) -> None:
        """Store the drafts that are due, and expunge the copies that are stale. Raises NetError or StoreError.

        Where the server has no Drafts folder one is made; `prefix` is that of the personal namespace.
        """
        db, now = self.context.db, self.context.clock()
        for folder in await db(imap_folders.all_folders, self.account):
            if folder.role is Role.DRAFTS and folder.server_name is None:
                await self._look_for(folder, f"{prefix}Drafts")
        if uploads := await db(imap_drafts.uploads, self.account, now):
            target = await self._folder(Role.DRAFTS, f"{prefix}Drafts")
            if target is None:
                await db(imap_drafts.put_off_uploads, [one.draft_id for one in uploads], now + AN_HOUR)
                return
            told = [await self._upload(target, one) for one in uploads]
            if not all(told):  # the server has not said under which UID
                await self._try(self.look(await db(imap_folders.get, target.folder_id)))
        for folder in await db(imap_folders.all_folders, self.account):
            if folder.role is Role.DRAFTS and folder.server_name is not None:
                await self._try(self._expunge(folder, f"{prefix}Trash"))

    async def _try(self, work: Awaitable[None]) -> None:
        """Wait for work on a folder; what the server refuses is done at another time."""
        try:
            await work
        except (Busy, Refused) as error:
            if self.session.closed:
                raise
            log.warning("the drafts of %s cannot be reached: %s", self.account, error)

    async def _look_for(self, lost: ImapFolder, shown_name: str) -> None:
        """Make a Drafts folder that the server did not list, and look into it: it may have been there all the time."""
        db = self.context.db
        if not await db(imap_drafts.copies, lost.folder_id):
            return
        found = await self._folder(Role.DRAFTS, shown_name)
        if found is None:
            await db(imap_drafts.give_up_unconfirmed, lost.folder_id, self.context.clock())
        else:
            await self._try(self.look(found))

    async def _folder(self, role: Role, shown_name: str) -> ImapFolder | None:
        """Return the folder of a role, which is made where it is missing; None where the server refuses."""
        folders = await self.context.db(imap_folders.all_folders, self.account)
        found = [one for one in folders if one.role is role and one.server_name is not None]
        if found:
            return found[0]
        name = encode_name(shown_name)
        try:
            with contextlib.suppress(FolderExists):
                await self.session.create_folder(name)
            with contextlib.suppress(Refused):  # a server may have no subscriptions
                await self.session.subscribe(name)
        except Refused as error:
            words = f"The server has no folder {shown_name}, and could not make one."
            self.context.tell(Failed(self.account, words, f"Drafts are kept here. {says(error)}"))
            return None
        return await self.context.db(imap_folders.add, self.account, ServerFolder(name, shown_name, role))

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
        witness = await asyncio.to_thread(_witness, parse.split_header(raw), len(raw))
        copy_id = await db(imap_drafts.begin_upload, folder.folder_id, one, message_id, witness.fingerprint)
        try:
            told = await self.session.append(folder.server_name or b"", raw, _FLAGS, draft.updated)
        except Refused as error:
            await db(imap_drafts.upload_refused, copy_id, one.draft_id, self.context.clock() + AN_HOUR)
            words = f"The draft “{draft.subject or '(no subject)'}” could not be stored on the server."
            self.context.tell(Failed(self.account, words, f"It is kept here. {says(error)}"))
            return True
        self.done += 1
        folder = await db(imap_folders.get, folder.folder_id)
        if told is None or told.uidvalidity != folder.uidvalidity:
            return False
        return await db(imap_drafts.confirm, copy_id, told.uid)

    async def _expunge(self, folder: ImapFolder, trash_name: str) -> None:
        """Expunge the stale copies of a folder, those that are still what they were.

        What another program wrote into a copy, and what is not in the newer one, is kept in the Trash; where the server
        has none and makes none, it stays where it is.
        """
        db, now = self.context.db, self.context.clock()
        due = [one for one in await db(imap_drafts.stale, self.account, now) if one.folder_id == folder.folder_id]
        if not due:
            return
        if (opened := await open_known(self.session, folder)) is None:
            return
        same = await self._still_there(opened, due)
        await db(imap_drafts.expunged, [one.copy_id for one in due if one not in same])
        kept = [one for one in same if one.is_lossy]
        erased = [one for one in same if one not in kept]
        trash = await self._folder(Role.TRASH, trash_name) if kept else None
        try:
            if trash is not None:
                await opened.move([one.uid for one in kept if one.uid is not None], trash.server_name or b"")
            elif kept:
                await db(imap_drafts.put_off, [one.copy_id for one in kept], now + AN_HOUR)
                same = erased
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
                    witness = await asyncio.to_thread(_witness, row.header, row.size)
                    is_same = bool(copy.message_id) or witness.fingerprint == copy.fingerprint
                    if is_same and witness.message_id == copy.message_id:
                        found.append(copy)
        return found


def _newest_first(uids: UidSet) -> Iterator[int]:
    """Yield unique ids, the highest first. A server may tell of billions."""
    for first, last in reversed(uids.ranges):
        yield from range(last, first - 1, -1)


_Read = tuple["Draft", "list[tuple[str, str, bytes]]", bool]


def _read(raw: bytes) -> _Read:
    from termmail.mail import draft_message  # noqa: PLC0415 - there are drafts rarely, and lists come first

    return draft_message.read(raw)


def _words(draft: Draft, files: Sequence[tuple[str, str, bytes]]) -> tuple[object, ...]:
    """Return what the user has written of a draft."""
    return draft.to, draft.cc, draft.bcc, draft.subject, draft.body, list(files)


class _Witness(NamedTuple):
    """What tells a copy from others: the fingerprint of its header block with its size, and its Message-ID."""

    fingerprint: bytes
    message_id: str


def _witness(header: bytes, size: int | None) -> _Witness:
    return _Witness(parse.fingerprint(header) + b"%d" % (size or 0), parse.envelope(header).message_id)


def _build(
    draft: Draft, writer: Identity, files: Sequence[tuple[str, str, bytes]], message_id: str
) -> tuple[str, bytes]:
    """Return the Message-ID of a draft's copies, a new one if it is "", and the bytes of the next one."""
    from termmail.mail import draft_message, outgoing  # noqa: PLC0415

    message_id = message_id or outgoing.new_message_id(ascii_domain(writer.address.rpartition("@")[2]))
    when = datetime.fromtimestamp(draft.updated, UTC)
    return message_id, draft_message.build(draft, writer, files, message_id=message_id, now=when)
