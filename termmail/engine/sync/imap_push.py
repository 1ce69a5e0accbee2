"""Tell an IMAP server what the user changed: flags, moves, copies, what was deleted for good, and mail that is only here.

Nothing counts before the tagged OK, and a UID is used only under the UIDVALIDITY it was seen with. What the server
refuses for good is taken back here and told with its words; what it refuses for now waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from typing import TYPE_CHECKING

from termmail.engine.events import Failed, FolderChanged, MessageChanged
from termmail.engine.sync.imap_flags import difference
from termmail.engine.sync.imap_folder_push import says
from termmail.engine.sync.imap_opening import open_known
from termmail.mail import parse
from termmail.mail.counting import count
from termmail.mail.model import Role
from termmail.net.net_errors import Busy, Refused
from termmail.store import imap_folders, imap_labels, imap_pending, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.context import Context
    from termmail.engine.sync.imap_folder_push import FolderPush
    from termmail.net.imap.imap_session import ImapSession
    from termmail.net.imap.open_folder import OpenFolder
    from termmail.store.imap_labels import LabelPush
    from termmail.store.imap_pending import FlagPush, PlacePush

log = logging.getLogger("termmail")

AN_HOUR = 3600
A_MINUTE = 60

_DELETED = frozenset({r"\Deleted"})


class ImapPush:
    """One push of everything that is due. `done` counts the changes that the server confirmed.

    `unconfirmed` are the folders that hold what was moved or copied under UIDs that the server did not tell. `untaken`
    are the folders of which the user was told that they take no labels; it grows here.
    """

    def __init__(
        self, context: Context, account: str, session: ImapSession, folders: FolderPush, untaken: set[int]
    ) -> None:
        self.context = context
        self.account = account
        self.session = session
        self.done = 0
        self.unconfirmed: set[int] = set()
        self._folders = folders
        self._untaken = untaken

    async def run(self) -> None:
        """Push what is due. Raises NetError, or StoreError; what was confirmed by then is stored."""
        db, account, now = self.context.db, self.account, self.context.clock()
        await self._folders.make_and_rename()
        await self._unmark_kept()
        flags = await db(imap_pending.flags, account, now)
        await self._push_flags(flags)
        changed = {one.message_id for one in flags} | await self._push_places()
        await self._push_labels()
        await self._folders.remove()
        await db(imap_pending.settle, account, now)
        if changed:
            self.context.tell(MessageChanged(tuple(changed)))

    async def _open(self, folder_id: int) -> OpenFolder | None:
        return await open_known(self.session, self._folders.get(folder_id))

    async def _unmark_kept(self) -> None:
        r"""Take \Deleted from messages that were to be expunged when a push broke off, and that the user keeps after all."""
        for folder_id, uids in (await self.context.db(imap_pending.wrongly_deleted, self.account)).items():
            if (opened := await self._open(folder_id)) is not None:
                with contextlib.suppress(Refused):
                    await opened.store_flags(uids, remove=_DELETED)
                    await self.context.db(imap_pending.unmark_deleted, folder_id, uids)

    # -- flags

    async def _push_flags(self, waiting: Sequence[FlagPush]) -> None:
        groups: dict[tuple[int, frozenset[str], frozenset[str]], list[FlagPush]] = defaultdict(list)
        for one in waiting:
            groups[one.folder_id, *difference(one.flags, one.base)].append(one)
        for (folder_id, add, remove), group in groups.items():
            if (opened := await self._open(folder_id)) is None:
                continue
            try:
                await opened.store_flags([one.uid for one in group], add=add, remove=remove)
            except Refused as error:
                await self.context.db(imap_pending.take_flags_back, group)
                self._tell_taken_back([one.message_id for one in group], error, "mark")
                continue
            await self.context.db(imap_pending.flags_stored, group)
            self.done += len(group)

    async def _push_labels(self) -> None:
        """Tell the server of labels, as keywords; what a folder does not take stays here, and that is told once."""
        groups: dict[tuple[int, frozenset[str], frozenset[str]], list[LabelPush]] = defaultdict(list)
        for one in await self.context.db(imap_labels.waiting, self.account, self.context.clock()):
            groups[one.folder_id, one.add, one.remove].append(one)
        for (folder_id, add, remove), group in groups.items():
            if (opened := await self._open(folder_id)) is None:
                continue
            try:
                uids = [one.uid for one in group]
                is_closed = opened.state.read_only
                sent = frozenset() if is_closed else await opened.store_flags(uids, add=add, remove=remove)
                self.done += len(group) if sent else 0
            except (Busy, Refused) as error:
                if self.session.closed:
                    raise
                log.warning("the server keeps no labels in folder %d of %s: %s", folder_id, self.account, error)
                # Noted as stored, the next look would take the label away here.
                later = self.context.clock() + AN_HOUR
                await self.context.db(imap_pending.put_off, [one.message_id for one in group], later)
                continue
            await self.context.db(imap_labels.stored, group, sent)
            if add - sent:
                await self._tell_untaken(folder_id)
            if remove - sent:
                later = self.context.clock() + AN_HOUR
                await self.context.db(imap_pending.put_off, [one.message_id for one in group], later)

    async def _tell_untaken(self, folder_id: int) -> None:
        """Tell that a folder takes no labels."""
        if folder_id not in self._untaken:
            self._untaken.add(folder_id)
            folder = await self.context.db(imap_folders.get, folder_id)
            words = f"The folder {folder.name} takes no labels on the server."
            self.context.tell(Failed(self.account, words, "They are kept in termmail, on this machine only."))

    # -- folders of messages

    async def _push_places(self) -> set[int]:
        """Move, copy and take out of folders, one command for each pair of folders, and store what is only here.

        Where the server has no MOVE, a message is copied, and removed from its old folder only when it was seen in the
        new one. Return the messages that were looked at.
        """
        changed: set[int] = set()
        if await self._push_all_places(changed):
            await self._push_all_places(changed)  # what was copied just now is removed where it was
        return changed

    async def _push_all_places(self, changed: set[int]) -> bool:
        """Push what waits, and add it to `changed`; return whether something is now in two folders for a while."""
        copied, last = False, 0
        while True:
            waiting, last = await self.context.db(imap_pending.places, self.account, self.context.clock(), last)
            changed |= {one.message_id for one in waiting}
            copied |= await self._push_some(waiting)
            if not last:
                return copied

    async def _push_some(self, waiting: Sequence[PlacePush]) -> bool:
        """Push what waits; return whether something was copied that is to be removed where it was."""
        moves: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        copies: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        gone: dict[int, list[int]] = defaultdict(list)
        leaving_ids: dict[int, list[int]] = defaultdict(list)
        can_move = self.session.features.offers("MOVE")
        for one in waiting:
            if not one.there:
                await self._append(one)
                continue
            leaving, new = list(one.gone), list(one.new)
            while can_move and leaving and new:
                folder_id, uid = leaving.pop()
                moves[folder_id, new.pop(0)][uid] = one.message_id
            for target in new:
                folder_id, uid = one.there[0]
                copies[folder_id, target][uid] = one.message_id
            if not new:
                for folder_id, uid in leaving:
                    gone[folder_id].append(uid)
                    leaving_ids[folder_id].append(one.message_id)
        for (source, target), uids in copies.items():
            await self._transfer(source, target, uids, move=False)
        for (source, target), uids in moves.items():
            await self._transfer(source, target, uids, move=True)
        erased = await self._still_there()
        for folder_id, found in erased.items():
            gone[folder_id] += found
        for folder_id, leave in gone.items():
            if not await self._expunge(folder_id, leave):
                later = self.context.clock() + AN_HOUR
                await self.context.db(imap_pending.put_off, leaving_ids[folder_id], later)
                # What was deleted for good comes back with the next look: the server keeps it.
                await self.context.db(imap_pending.expunged, folder_id, erased.get(folder_id, []))
        return bool(copies) and not can_move

    async def _transfer(self, source: int, target: int, uids: dict[int, int], *, move: bool) -> None:
        """Move or copy messages, `uids` to message ids, from one folder to another."""
        name = await self._folders.name_of(target)
        opened = await self._open(source) if name is not None else None
        if opened is None or name is None:
            await self.context.db(imap_pending.put_off, list(uids.values()), self.context.clock() + AN_HOUR)
            return
        try:
            copied = await (opened.move(uids, name) if move else opened.copy(uids, name))
        except Refused as error:
            await self._take_back(list(uids.values()), error, "move" if move else "copy")
            return
        pairs = copied.pairs if copied.uidvalidity == await self._uidvalidity(target, copied.uidvalidity) else {}
        if move:
            await self.context.db(imap_pending.moved, source, target, pairs, list(uids))
        else:
            await self.context.db(imap_pending.copied, source, target, pairs)
        if len(pairs) < len(uids):
            unknown = [message_id for uid, message_id in uids.items() if uid not in pairs]
            await self.context.db(imap_pending.put_off, unknown, self.context.clock() + A_MINUTE)
            self.unconfirmed.add(target)
        self.done += len(uids)

    async def _uidvalidity(self, folder_id: int, told: int | None) -> int | None:
        """Return the UIDVALIDITY that is known of a folder; what COPYUID tells is stored where none is known yet."""
        folder = await self.context.db(imap_folders.get, folder_id)
        if folder.uidvalidity is None and told is not None:
            await self.context.db(imap_folders.opened, folder_id, told, None, None)
            return told
        return folder.uidvalidity

    async def _append(self, one: PlacePush) -> None:
        """Store a message on the server that is only here. Where no answer comes, the next sync looks for it first."""
        if not one.complete or not one.new:
            return
        target = one.new[0]
        db, now = self.context.db, self.context.clock()
        name = await self._folders.name_of(target)
        if name is None:
            await db(imap_pending.put_off, [one.message_id], now + AN_HOUR)
            return
        raw, _ = await db(messages.raw, one.message_id)
        row = await db(messages.row, one.message_id)
        if row is None:
            return
        if self._files_sent_itself(target):
            await db(imap_pending.put_off, [one.message_id], now + AN_HOUR)
            if now - row.date < AN_HOUR:
                return
        mask = row.unread + 2 * row.starred + 4 * row.answered + 8 * row.forwarded
        add, _ = difference(mask, 1)
        await db(imap_pending.put_off, [one.message_id], now + AN_HOUR)  # until it is known whether it was stored
        try:
            told = await self.session.append(name, raw, add, row.date)
        except Refused as error:
            folder = await db(imap_folders.get, target)
            self._tell(f"“{row.subject}” could not be stored in {folder.name}.", error)
            return
        self.done += 1
        if told is not None and told.uidvalidity == await self._uidvalidity(target, told.uidvalidity):
            fingerprint = await asyncio.to_thread(lambda: parse.fingerprint(parse.split_header(raw)))
            await db(imap_pending.appended, one.message_id, target, told.uid, len(raw), fingerprint, mask)

    def _files_sent_itself(self, folder_id: int) -> bool:
        """Whether the server is one that stores what was sent through it (Gmail, Outlook)."""
        folder = self._folders.get(folder_id)
        is_sent = folder is not None and folder.role is Role.SENT
        host = self.context.account(self.account).incoming.host.lower()
        return is_sent and (
            self.session.features.offers("X-GM-EXT-1") or host.endswith((".office365.com", ".outlook.com"))
        )

    # -- deleted for good

    async def _still_there(self) -> dict[int, list[int]]:
        """Return the UIDs, by folder, of what was deleted for good and is still the same message on the server."""
        wanted: dict[int, dict[int, bytes]] = defaultdict(dict)
        for one in await self.context.db(imap_pending.erased, self.account):
            wanted[one.folder_id][one.uid] = one.fingerprint
        found: dict[int, list[int]] = {}
        for folder_id, fingerprints in wanted.items():
            if (opened := await self._open(folder_id)) is None:
                continue
            same: list[int] = []
            other: list[int] = []
            async for page in opened.fetch_headers(sorted(fingerprints)):
                for row in page.rows:
                    if row.uid is not None and isinstance(row.header, bytes):
                        shown = await asyncio.to_thread(parse.fingerprint, row.header)
                        (same if shown == fingerprints[row.uid] else other).append(row.uid)
                other += page.absent if page.refused is None else ()
            if other:
                log.info("%d messages to be deleted for good are gone already", len(other))
                await self.context.db(imap_pending.expunged, folder_id, other)
            if same:
                found[folder_id] = same
        return found

    async def _expunge(self, folder_id: int, uids: Sequence[int]) -> bool:
        r"""Mark messages as \Deleted and remove exactly them. Where that is refused they are unmarked again: return False."""
        if (opened := await self._open(folder_id)) is None:
            return True
        await self.context.db(imap_pending.mark_deleted, folder_id, uids)
        try:
            await opened.store_flags(uids, add=_DELETED)
            await opened.expunge(uids)
        except Refused as error:
            with contextlib.suppress(Refused):
                await opened.store_flags(uids, remove=_DELETED)
                await self.context.db(imap_pending.unmark_deleted, folder_id, uids)
            self._tell(f"The server did not delete {count(len(uids), 'message')}.", error)
            return False
        await self.context.db(imap_pending.expunged, folder_id, uids)
        self.done += len(uids)
        return True

    # -- refused

    async def _take_back(self, message_ids: Sequence[int], error: Refused, doing: str) -> None:
        """Put messages into the folders in which the server has them, and tell why."""
        await self.context.db(imap_pending.take_back, message_ids)
        self._tell_taken_back(message_ids, error, doing)

    def _tell_taken_back(self, message_ids: Sequence[int], error: Refused, doing: str) -> None:
        self.context.tell(FolderChanged(self.account))
        said = "it is" if len(message_ids) == 1 else "they are"
        self._tell(f"The server refused to {doing} {count(len(message_ids), 'message')}: {said} as before.", error)

    def _tell(self, words: str, error: Refused) -> None:
        self.context.tell(Failed(self.account, words, says(error)))
