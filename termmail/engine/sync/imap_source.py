"""Synchronize an account with its IMAP server: every folder, flags and moves both ways.

One sync looks at the inbox and the list of folders in one round trip, then at the folders that changed, then pushes what
the user changed. Between two syncs the server is asked to say when there is news (IDLE, RFC 2177).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from termmail.accounts.credentials import PasswordError
from termmail.engine.events import FolderChanged
from termmail.engine.sync.account_sync import AccountSync
from termmail.engine.sync.imap_body_sync import BodySync
from termmail.engine.sync.imap_connection import ImapConnection
from termmail.engine.sync.imap_draft_sync import DraftSync
from termmail.engine.sync.imap_folder_push import FolderPush
from termmail.engine.sync.imap_folder_sync import FolderSync
from termmail.engine.sync.imap_push import ImapPush
from termmail.engine.sync.imap_roles import server_folders
from termmail.engine.sync_status import SyncResult
from termmail.mail.counting import count
from termmail.mail.model import Role
from termmail.net.imap.folder_names import decode_name
from termmail.net.imap.refusals import NoSuchFolder
from termmail.net.net_errors import Busy, NetError, Refused
from termmail.store import imap_drafts, imap_folders, imap_identity, imap_pending
from termmail.store.account_lock import AccountLock, Locked
from termmail.store.store_errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from termmail.engine.context import Context
    from termmail.engine.sync_status import Status
    from termmail.net.imap.folder_lister import FolderInfo
    from termmail.net.imap.folder_state import FolderState
    from termmail.net.imap.imap_session import ImapSession
    from termmail.net.imap.open_folder import OpenFolder
    from termmail.store.imap_folders import ImapFolder

T = TypeVar("T")

log = logging.getLogger("termmail")

PUSH_DELAY = 3
"""Seconds after which the server is told what the user changed: until then an undo needs no server."""

BELIEVED = 5
"""Looks in a row that may follow at once because the server said, during each, that other folders have changed."""

LATE = (2.0, 10.0, 60.0)
"""Seconds after which a folder is looked at again whose server has announced messages that it does not give yet."""

_ORDER = (Role.INBOX, Role.SENT, Role.DRAFTS, Role.ARCHIVE, Role.NONE, Role.ALL, Role.JUNK, Role.TRASH)
"""The order in which folders are received."""


class _Seen(Struct, frozen=True):
    """What a look at all folders has brought: new messages, how many were not fetched, and how names are written."""

    new: int
    missed: int
    prefix: str
    delimiter: str


class ImapSource:
    """Receives one account by IMAP. Implements MailSource. `receive` calls `sync`, and tells a failure."""

    def __init__(self, context: Context, account: str, receive: Callable[[], Awaitable[None]]) -> None:
        self.context = context
        self.account = account
        self._syncs = AccountSync(
            context,
            account,
            session=self._session,
            receive=receive,
            due_in=self._due_in,
            last_sync=self._last_sync,
            waiting=self._waiting,
        )
        self._connection = ImapConnection(context, account)
        self._reading = ImapConnection(context, account)
        self._inbox_seen: tuple[int | None, ...] = ()
        self._bodies = BodySync(context, account)
        self._refused_folders: set[int] = set()
        self._untaken: set[int] = set()
        self._heard_elsewhere = 0
        self._late: int | None = None
        self._late_looks: list[float] = []

    @property
    def status(self) -> Status:
        """What is known of the server right now."""
        return self._syncs.status

    @property
    def wake(self) -> asyncio.Event:
        """Ends the wait in `run`."""
        return self._syncs.wake

    async def run(self) -> None:
        """Sync when the account's interval is over, the server has news or changes are due; then wait. Raises StoreError."""
        await self._syncs.run(lambda seconds: self._connection.watch(seconds, self._is_known))

    def _is_known(self, state: FolderState) -> bool:
        """Whether the inbox looked like this in the last sync."""
        return self._inbox_seen == _look_of(state)

    def look_again(self) -> None:
        """Read again when the next change is due."""
        self._syncs.look_again()

    async def _due_in(self) -> int | None:
        """Return the seconds until a change is to be pushed, 0 for now, None where none waits."""
        now = self.context.clock()
        changes_at = await self.context.db(imap_pending.next_due, self.account, now + PUSH_DELAY)
        drafts_at = await self.context.db(imap_drafts.next_due, self.account)
        folders = await self.context.db(imap_folders.waiting, self.account)
        due = [due_at - now for due_at in (changes_at, drafts_at) if due_at is not None]
        due += [0] if set(folders) - self._refused_folders else []
        due += [math.ceil(at - asyncio.get_running_loop().time()) for at in self._late_looks[:1]]
        return max(0, min(due)) if due else None

    def _note_late(self, late: int | None) -> None:
        """Plan to look again soon where the inbox does not give what it has announced; once for each number of messages."""
        now = asyncio.get_running_loop().time()
        if late != self._late:
            self._late_looks = [now + seconds for seconds in LATE] if late is not None else []
            self._syncs.look_again()
        self._late = late
        self._late_looks = [at for at in self._late_looks if at > now]

    async def _waiting(self) -> int:
        db = self.context.db
        folders = await db(imap_folders.waiting, self.account)
        return len(folders) + await db(imap_pending.waiting, self.account) + await db(imap_drafts.waiting, self.account)

    async def _make_due(self) -> None:
        """Let everything that waits be pushed now."""
        now = self.context.clock()
        await self.context.db(imap_pending.make_due, self.account, now)
        await self.context.db(imap_drafts.make_due, self.account, now)

    async def _last_sync(self) -> int | None:
        return await self.context.db(imap_folders.last_sync, self.account)

    # -- sync

    async def sync(self, *, full: bool = False) -> SyncResult:
        """Receive what is new and push what is due; see MailSource. Raises NetError, PasswordError or StoreError."""
        return await self._syncs.sync(full=full)

    async def _session(self, *, full: bool) -> SyncResult:
        """Run one sync: look at every folder, then push."""
        await self.context.db(imap_folders.begin, self.account)
        result = await self._connection.run(partial(self._receive_and_push, full=full))
        await self.context.db(imap_folders.synced, self.account, self.context.clock())
        return result

    async def _receive_and_push(self, session: ImapSession, *, full: bool) -> SyncResult:
        drafts = DraftSync(self.context, self.account, session)
        seen = await self._receive(session, drafts, full=full)
        names = {"prefix": seen.prefix, "delimiter": seen.delimiter}
        folders = FolderPush(self.context, self.account, session, **names, refused=self._refused_folders)
        push = ImapPush(self.context, self.account, session, folders, self._untaken)
        if full:
            await self._make_due()
        else:
            await self._due_in()  # what was changed a moment ago gets its time
        await push.run()
        if push.unconfirmed:
            await self._confirm(session, push)
        await drafts.push(seen.prefix)
        missed = seen.missed
        since = self.context.whole_since(self.account)
        if since is not None:
            missed += await self._bodies.download(session, since, full=full)
        pushed = folders.done + push.done + drafts.done
        news = bool(seen.new or missed or pushed)
        # A server that tells of changes during every look would be looked at without end.
        self._heard_elsewhere = self._heard_elsewhere + 1 if session.elsewhere and not news else 0
        session.elsewhere = session.elsewhere and self._heard_elsewhere < BELIEVED
        return SyncResult(seen.new, 0, _sum_up(seen.new, missed, pushed), news)

    async def _receive(self, session: ImapSession, drafts: DraftSync, *, full: bool) -> _Seen:
        """Look at the inbox and at every folder that changed."""
        db, account = self.context.db, self.account
        last_id = await db(imap_identity.last_id)
        known = await db(imap_folders.all_folders, account)
        inbox = next(one for one in known if one.role is Role.INBOX)
        session.elsewhere = False
        watching = session.notify() if self.context.account(account).incoming.poll_minutes else asyncio.sleep(0)
        opening = session.select(inbox.server_name or b"INBOX", qresync=_since(inbox), arrived_from=inbox.uidnext)
        if session.features.offers("NAMESPACE"):
            _, opened, infos, namespace = await asyncio.gather(
                watching, opening, session.list_folders(), session.namespace()
            )
            prefix = decode_name(namespace.personal[0][0]) if namespace.personal else ""
        else:
            _, opened, infos = await asyncio.gather(watching, opening, session.list_folders())
            prefix = ""
        chosen = {Role(role): name for role, name in asdict(self.context.account(account).folders).items() if name}
        listing = await asyncio.to_thread(server_folders, infos, chosen, prefix)
        if await db(imap_folders.take_listing, account, listing):
            self.context.tell(FolderChanged(account))
        known = await db(imap_folders.all_folders, account)
        looks = [FolderSync(self.context, account, next(one for one in known if one.role is Role.INBOX))]
        await looks[0].run(opened, full=full)
        self._inbox_seen = _look_of(opened.state)
        self._note_late(looks[0].late)
        told = {one.name: one for one in infos}
        for folder in sorted(known, key=lambda one: _ORDER.index(one.role)):
            if folder.role is Role.INBOX or folder.server_name is None:
                continue
            if full or await self._differs(session, folder, told.get(folder.server_name)):
                looks.append(await self._look_at(session, folder, drafts, full=full))
        new, missed = sum(look.new for look in looks), sum(look.missed for look in looks)
        if not any(look.failed for look in looks):  # else what has left a folder may be in that one
            new -= await self._forget_gone(last_id)
        return _Seen(new, missed, prefix, next((one.delimiter for one in infos if one.delimiter), "/"))

    async def _look_at(self, session: ImapSession, folder: ImapFolder, drafts: DraftSync, *, full: bool) -> FolderSync:
        """Look at one folder; one that cannot be opened now is passed over."""
        look = FolderSync(self.context, self.account, folder, labels=session.features.lasting_ids)
        try:
            if folder.role is Role.DRAFTS:
                await drafts.look(folder)
            else:
                await look.run(await _open(session, folder), full=full)
        except NoSuchFolder as error:
            log.info("a folder of %s is gone: %s", self.account, error)
        except (Busy, Refused) as error:
            if session.closed:
                raise
            log.warning("a folder of %s cannot be opened: %s", self.account, error)
            look.missed += 1
            look.failed = folder.role is not Role.DRAFTS
        return look

    async def _forget_gone(self, last_id: int) -> int:
        """Remove the messages that no folder of the server has, now that every folder was looked at.

        Return how many of those that were taken for new had been moved.
        """
        found, more = 0, True
        while more:
            settled = await self.context.db(imap_identity.forget_gone, self.account, last_id)
            found, more = found + settled.found, settled.more
            if settled.gone:
                log.info("%d messages of %s are gone from the server", settled.gone, self.account)
                self.context.tell(FolderChanged(self.account))
        return found + await self.context.db(imap_identity.look_again, self.account, last_id)

    async def _confirm(self, session: ImapSession, push: ImapPush) -> None:
        """Look for what was moved or copied where the server told no new UIDs, and finish what depends on it."""
        for folder_id in push.unconfirmed:
            folder = await self.context.db(imap_folders.get, folder_id)
            if folder.server_name is not None:
                await FolderSync(self.context, self.account, folder).run(await _open(session, folder))
        await push.run()

    async def _differs(self, session: ImapSession, folder: ImapFolder, told: FolderInfo | None) -> bool:
        """Whether STATUS says that a folder is not as it was left.

        Without mod-sequences changed flags do not show, but for the count of unread messages.
        """
        status = None if told is None else told.status
        if status is None:
            return True
        if folder.role is Role.DRAFTS:
            same = (folder.uidvalidity, folder.uidnext) == (status.uidvalidity, status.uidnext)
            return not same or not await self.context.db(imap_drafts.is_as_listed, folder.folder_id, status.messages)
        if folder.uidvalidity is None and status.messages == 0 and status.uidvalidity and status.uidnext:
            state = status.uidvalidity, status.uidnext, status.highestmodseq
            await self.context.db(imap_folders.opened, folder.folder_id, *state)
            return False
        if (folder.uidvalidity, folder.uidnext) != (status.uidvalidity, status.uidnext):
            return True
        if session.features.condstore:
            return folder.highestmodseq is None or folder.highestmodseq != status.highestmodseq
        return await self.context.db(imap_identity.counts, folder.folder_id) != (status.messages, status.unseen)

    # -- bodies

    async def fetch(
        self,
        message_id: int,
        progress: Callable[[int, int], None] | None = None,
        started: Callable[[bytes], None] | None = None,
    ) -> bytes:
        """Fetch one whole message now and store it; see MailSource. Raises NetError, PasswordError or StoreError.

        While a sync uses the session, a second one is opened for it.
        """
        where = await self.context.db(imap_identity.on_server, message_id)
        if where is None:
            raise Refused(
                "This message is no longer on the server, and its text was never downloaded.",
                advice="Only its header is left.",
            )

        def work(session: ImapSession) -> Awaitable[bytes]:
            return self._bodies.fetch(session, message_id, where, progress, started)

        return await (self._read(work) if self._connection.busy else self._connection.run(work))

    async def prefetch(self, message_ids: Sequence[int]) -> list[int]:
        """Fetch whole messages in a second session, many in a round trip; see MailSource.

        The first one goes on watching the folders, and is free for a message that is opened.
        """
        wanted = await self.context.db(imap_identity.where_on_server, message_ids)
        return await self._read(lambda session: self._bodies.prefetch(session, wanted)) if wanted else []

    async def _read(self, work: Callable[[ImapSession], Awaitable[T]]) -> T:
        """Do work in the second session; it learns first what has come to its folder since it was used last."""

        async def informed(session: ImapSession) -> T:
            if session.folder is not None and not session.folder.closed:
                await session.noop()
            return await work(session)

        return await self._reading.run(informed)

    # -- the end

    async def _push(self) -> None:
        """Run a last sync, which pushes everything that waits; do nothing where another process syncs."""
        with contextlib.suppress(Locked), AccountLock(self.context.paths.data, self.account, "sync"):
            await self._session(full=False)

    async def leave(self, patience: float, *, commit: bool) -> None:
        """End before the program does: push what waits, waiting at most `patience` seconds; see MailSource."""
        await self._syncs.cancel()
        try:
            async with asyncio.timeout(patience):
                if commit and not self.context.read_only and await self._waiting() > 0:
                    await self._make_due()
                    await self._push()
                await asyncio.gather(self._connection.leave(), self._reading.leave())
        except (TimeoutError, NetError, PasswordError, StoreError) as error:
            log.info("left before the server was done: %s", error)
        finally:
            await self._connection.close()
            await self._reading.close()


async def _open(session: ImapSession, folder: ImapFolder) -> OpenFolder:
    """Open a folder and ask for what has changed since it was synchronized, with the headers of what is new.

    What is new in a label of Gmail may be known from another one: its header is not asked for at once.
    """
    new = None if session.features.lasting_ids else folder.uidnext
    return await session.select(folder.server_name or b"", qresync=_since(folder), arrived_from=new)


def _look_of(state: FolderState) -> tuple[int | None, ...]:
    """Return what tells whether a folder has changed since it was opened."""
    return state.uidvalidity, state.uidnext, state.highestmodseq, state.exists


def _since(folder: ImapFolder) -> tuple[int, int] | None:
    """Return UIDVALIDITY and mod-sequence up to which a folder is known; None before its first synchronization."""
    if folder.uidvalidity is None or folder.highestmodseq is None:
        return None
    return folder.uidvalidity, folder.highestmodseq


def _sum_up(new: int, missed: int, pushed: int) -> str:
    """Return the sentence for what a sync did; it never says that nothing is new where something was passed over."""
    said = []
    if new:
        said.append(count(new, "new message"))
    if missed:
        said.append(f"{count(missed, 'message')} could not be fetched")
    if not said:
        said.append("No new messages")
    if pushed:
        said.append(f"{count(pushed, 'change')} sent to the server")
    return ", ".join(said)
