"""Synchronize an account with its POP3 maildrop.

A message is in the store, and on the disk, before DELE is sent for it. DELE goes only to a message whose UIDL and
header fingerprint were checked in the same session, and counts only after QUIT was answered. A message that could not
be fetched is passed over and tried again; it never stops the ones behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from termmail.accounts.credentials import PasswordError
from termmail.engine.events import FolderChanged
from termmail.engine.sync import mismatch
from termmail.engine.sync.account_sync import AccountSync
from termmail.engine.sync.body_sync import download
from termmail.engine.sync.delete_sync import commit_deletes
from termmail.engine.sync.header_sync import Arrivals
from termmail.engine.sync.pop3_session import SLICE, Chosen, Pop3Session
from termmail.engine.sync_status import SyncResult
from termmail.errors import Gone
from termmail.mail.counting import count
from termmail.mail.model import RemoteState
from termmail.net.net_errors import NetError, Refused, TooLarge
from termmail.store import delete_queue, pop3_identity
from termmail.store.account_lock import AccountLock, Locked
from termmail.store.comparison import Comparison
from termmail.store.rows import Known, State
from termmail.store.store_errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from termmail.engine.context import Context
    from termmail.engine.sync.pop3_session import Uidls
    from termmail.engine.sync_status import Status
    from termmail.net.pop3.maildrop import Maildrop
    from termmail.store.rows import Plan

log = logging.getLogger("termmail")


class _Received(Struct, frozen=True):
    """What one session received.

    `missed` messages could not be fetched; `odd_rows` lines of the server's list made no sense, and `odd_sizes` messages
    are in it without a valid size; `complete` tells whether the next session may trust this one's STAT.
    """

    new: int
    rebound: int
    missed: int
    odd_rows: int
    odd_sizes: int
    complete: bool


_NOTHING = _Received(new=0, rebound=0, missed=0, odd_rows=0, odd_sizes=0, complete=True)


class Pop3Source:
    """Receives one account by POP3. Implements MailSource.

    `receive` calls `sync`, and tells a failure instead of raising it.
    """

    def __init__(self, context: Context, account: str, receive: Callable[[], Awaitable[None]]) -> None:
        self.context = context
        self.account = account
        self.session = Pop3Session(context, account)
        self._syncs = AccountSync(
            context,
            account,
            session=self._session,
            receive=receive,
            due_in=self._deletes_due_in,
            last_sync=self._last_sync,
        )
        self._told_no_top = False

    @property
    def status(self) -> Status:
        """What is known of the server right now."""
        return self._syncs.status

    @property
    def wake(self) -> asyncio.Event:
        """Ends the wait in `run`."""
        return self._syncs.wake

    async def run(self) -> None:
        """Sync when the account's interval is over or deletes are due, then wait for the next time. Raises StoreError."""
        await self._syncs.run()

    def look_again(self) -> None:
        """Read again when the next delete is due."""
        self._syncs.look_again()

    async def _deletes_due_in(self) -> int | None:
        """Return the seconds until a delete is due, 0 for now, None where none waits."""
        now = self.context.clock()
        due_at = await self.context.db(delete_queue.next_due, self.account, now)
        return None if due_at is None else max(0, due_at - now)

    async def _last_sync(self) -> int | None:
        state = await self.context.db(pop3_identity.account_state, self.account)
        return state.last_sync or None

    # -- sync

    async def sync(self, *, full: bool = False) -> SyncResult:
        """Receive what is new and commit what is due; see MailSource. Raises NetError, PasswordError or StoreError."""
        return await self._syncs.sync(full=full)

    async def _session(self, *, full: bool) -> SyncResult:
        """Run one sync from login to QUIT."""
        self.session.busy = True
        try:
            return await self._receive_and_push(full=full)
        finally:
            self.session.busy = False

    async def _receive_and_push(self, *, full: bool) -> SyncResult:
        await self.session.give_back()
        db, account, now = self.context.db, self.account, self.context.clock()
        settings = self.context.account(account).pop3
        assert settings is not None
        state = await db(pop3_identity.account_state, account)
        await db(pop3_identity.expire, account, settings.delete, now)
        look = full or not state.last_uidl or await self._deletes_due_in() == 0
        since = self.context.whole_since(account)
        look = look or (since is not None and await db(pop3_identity.lacks_bodies, account, since))
        skipped = await db(pop3_identity.skipped, account)
        drop = await self.session.open(list_too=look)
        try:
            if not look and await self._nothing_new(drop, state):
                await self.session.quit(drop)
                await db(pop3_identity.set_account_state, account, replace(state, last_sync=now))
                return SyncResult(0, 0, _sum_up(_NOTHING, len(skipped), 0))
            received = await self._receive(drop)
            said = self._say_no_top(drop) if received.new else ""
            missed = received.missed + (0 if since is None else await download(self.session, drop, since))
            deleted = await commit_deletes(self.session, drop)
            await self.session.give_back()
        except BaseException:
            await self.session.close()
            raise
        last_uidl = None
        if received.complete and not deleted and self.session.uidls:
            last_uidl = self._last_uidl()
        left = State(drop.count, drop.size, last_uidl, self.context.clock())
        await db(pop3_identity.set_account_state, account, left)
        news = bool(received.new or missed or deleted or received.odd_rows or received.rebound)
        unfetched = missed + len(skipped & await db(pop3_identity.skipped, account))
        return SyncResult(received.new, deleted, _sum_up(received, unfetched, deleted) + said, news)

    def _last_uidl(self) -> bytes | None:
        """Return the UIDL of the last message of the listing; None where it does not name it."""
        uidl = self.session.uidls.entries[-1].uidl
        return uidl if self.session.uidls.names(uidl) else None

    def _say_no_top(self, drop: Maildrop) -> str:
        """Return, once, why a list of so few headers took so long."""
        if self._told_no_top or drop.has_top:
            return ""
        self._told_no_top = True
        return "; this server sends whole messages where headers would do (it has no TOP)"

    async def _nothing_new(self, drop: Maildrop, state: State) -> bool:
        """Return whether STAT and the UIDL of the last message are as the last session left them."""
        if (drop.count, drop.size) != (state.stat_count, state.stat_size):
            return False
        return await drop.uidl(drop.count) == state.last_uidl

    async def _receive(self, drop: Maildrop) -> _Received:
        """Store everything that is new, newest first."""
        uidls, plan = await self._compare(drop)
        wanted = Chosen(uidls.entries, sorted((*plan.new, *plan.unnamed), reverse=True))
        arrivals = await asyncio.to_thread(Arrivals, self.session, uidls, wanted)
        await arrivals.take(drop)
        missing = await self.context.db(pop3_identity.settle, self.account) if not arrivals.left_out else 0
        if plan.again or plan.missing or missing:
            self.context.tell(FolderChanged(self.account))
        missed = arrivals.left_out + arrivals.skipped
        complete = not arrivals.left_out and not plan.unnamed and not drop.odd_rows
        return _Received(
            arrivals.new - arrivals.skipped, arrivals.rebound, missed, drop.odd_rows, drop.odd_sizes, complete
        )

    async def _compare(self, drop: Maildrop) -> tuple[Uidls, Plan]:
        """List the whole maildrop and compare it with the store, in slices: other store work gets in between."""
        uidls = await self.session.list_again(drop)
        comparing = Comparison(self.account, uidls)
        for start in range(0, len(uidls.entries), SLICE):
            rows = [(entry.number, entry.size, entry.uidl) for entry in uidls.entries[start : start + SLICE]]
            await self.context.db(comparing.add, start, rows)
        while await self.context.db(comparing.mark_missing, SLICE):
            pass
        return uidls, await self.context.db(comparing.finish)

    # -- one message

    async def fetch(
        self,
        message_id: int,
        progress: Callable[[int, int], None] | None = None,
        started: Callable[[bytes], None] | None = None,
    ) -> bytes:
        """Fetch one message by RETR now, ahead of a running sync, and store it; see MailSource.

        Raises NetError, PasswordError or StoreError.
        """
        known = await self.context.db(pop3_identity.by_message, message_id)
        if known is None or known.state in {RemoteState.GONE, RemoteState.ABSENT}:
            raise Refused(
                "This message is no longer on the server, and its text was never downloaded.",
                advice="Only its header is left.",
            )
        async with self.session.in_use:
            drop = await self.session.open(list_too=False)
            try:
                return await self._fetch(drop, known, progress, started)
            finally:
                self.session.keep_a_while()

    async def prefetch(self, message_ids: Sequence[int]) -> list[int]:
        """Fetch whole messages one by one, so that one that is opened comes next; see MailSource."""
        came: list[int] = []
        for message_id in message_ids:
            try:
                await self.fetch(message_id)
            except (Refused, TooLarge, Gone) as error:
                log.info("a message was not fetched: %s", error)
            else:
                came.append(message_id)
        return came

    async def _fetch(
        self,
        drop: Maildrop,
        known: Known,
        progress: Callable[[int, int], None] | None,
        started: Callable[[bytes], None] | None,
    ) -> bytes:
        listed = (await self.session.locate(drop, [known], certain=False)).get(known.remote_id)
        if listed is None:
            raise Refused("The server no longer has this message.", advice="Only its header is left.")
        raw = await drop.retrieve_one(listed, progress=progress, started=started)
        if not await self.session.keep(known, raw):
            found = await mismatch.settle(self.session, drop, listed, known, raw)
            raise Refused(
                "The server sent another message than the one it announced.",
                advice="That message is in the list now, under its own name."
                if found
                else "Check for mail again: the server may have renumbered its messages.",
            )
        return raw

    # -- the end

    async def _push(self) -> None:
        """Commit the deletes that are due, without receiving; do nothing where another process syncs."""
        with contextlib.suppress(Locked), AccountLock(self.context.paths.data, self.account, "sync"):
            await self.session.give_back()
            drop = await self.session.open(list_too=True)
            await self._compare(drop)
            await commit_deletes(self.session, drop)

    async def leave(self, patience: float, *, commit: bool) -> None:
        """End before the program does: commit due deletes, waiting at most `patience` seconds; see MailSource."""
        await self._syncs.cancel()
        try:
            async with asyncio.timeout(patience):
                due = 0
                if commit and not self.context.read_only:
                    due = await self.context.db(delete_queue.make_due, self.account, self.context.clock())
                if due:
                    await self._push()
                else:
                    await self.session.give_back()
        except (TimeoutError, NetError, PasswordError, StoreError) as error:
            log.info("left before the server was done: %s", error)
        finally:
            await self.session.close()


def _sum_up(received: _Received, unfetched: int, deleted: int) -> str:
    """Return the sentence for what a sync did.

    `unfetched` messages were passed over, in this sync or in an earlier one: then it never says that nothing is new.
    """
    said = []
    if received.new:
        said.append(count(received.new, "new message"))
    if unfetched:
        said.append(f"{count(unfetched, 'message')} could not be fetched")
    if not said and not received.odd_rows:
        said.append("No new messages")
    if deleted:
        said.append(f"{deleted} deleted from the server")
    words = ", ".join(said)
    if received.odd_rows:
        words += f"{'; ' if words else ''}{count(received.odd_rows, 'line')} of the server's list made no sense"
    if received.odd_sizes:
        words += f"{'; ' if words else ''}the server gives no valid size for {count(received.odd_sizes, 'message')}"
    if received.rebound:
        words += f"; the server renamed {received.rebound} that are here already"
    return words
