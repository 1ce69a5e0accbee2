"""When an account is synchronized, one sync at a time, and what is told of it: the same for POP3 and IMAP."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.accounts.credentials import PasswordError
from termmail.engine.account_setup import login_advice
from termmail.engine.events import SyncProgress
from termmail.engine.sync_status import Status, SyncResult
from termmail.net.net_errors import Busy, LoginRefused, NetError, Offline
from termmail.store.account_lock import AccountLock, Locked
from termmail.store.store_errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Protocol

    from termmail.engine.context import Context

    class Session(Protocol):
        """Runs one sync from login to logout and returns what it did."""

        async def __call__(self, *, full: bool) -> SyncResult:
            """Raise NetError, PasswordError or StoreError."""


SHARES_ACCOUNT = "Another termmail is using this account right now."

RETRY_CHANGES = 60.0
"""Seconds, at least, between two syncs that are started because changes are due."""


NEWS_PAUSE = 1.0
"""Seconds, at least, from one sync to the next that is started because the server has news."""

OFFLINE_PAUSE = 60.0
"""Seconds after which a server that could not be reached is tried again, unless the interval of the account is shorter."""

LOST_PAUSE = 60.0
"""Seconds, at least, from one sync to the next that opens a lost connection again: a server may drop every one."""


class AccountSync:
    """The syncs of one account.

    `session` does the work of one. `waiting` counts what is not pushed yet. `receive` is what `run` awaits when a sync is
    due: it calls `sync`, and tells a failure instead of raising it. `due_in` returns the seconds until a change is to be
    pushed, 0 for now, None where none waits.
    """

    def __init__(
        self,
        context: Context,
        account: str,
        *,
        session: Session,
        receive: Callable[[], Awaitable[None]],
        due_in: Callable[[], Awaitable[int | None]],
        last_sync: Callable[[], Awaitable[int | None]],
        waiting: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self.context = context
        self.account = account
        self.status = Status()
        self.wake = asyncio.Event()
        self._session = session
        self._receive = receive
        self._due_in = due_in
        self._last_sync = last_sync
        self._waiting = waiting
        self._syncing: asyncio.Task[SyncResult] | None = None
        self._syncing_full = False
        self._login_refused = False
        self._next_poll: float | None = None
        self._received_at = 0.0

    # -- in the background

    async def run(self, watch: Callable[[float | None], Awaitable[bool]] | None = None) -> None:
        """Sync when the account's interval is over or changes are due, then wait for the next time. Raises StoreError.

        `watch` waits at most so many seconds (None: without end) and returns whether the server has news; it raises where
        the connection is lost. It is called where nothing is due, and `wake` ends it.
        """
        self.wake.clear()  # before anything is read: what is asked for from here on is not missed
        loop = asyncio.get_running_loop()
        if self._next_poll is None:
            self.status = Status(last_sync=await self._last_sync())
            self._next_poll = loop.time()
        minutes = self.context.account(self.account).incoming.poll_minutes
        due_in = await self._due_in()
        if self._login_refused:
            minutes, due_in = 0, None  # more attempts would lock the account; F5 tries again
        if (minutes and loop.time() >= self._next_poll) or due_in == 0:
            self._received_at = loop.time()
            await self._receive()
            pause = minutes * 60 if self.status.online else min(OFFLINE_PAUSE, minutes * 60)
            self._next_poll = loop.time() + pause
        if self._waiting is not None:
            self.status = replace(self.status, waiting=await self._waiting())
        waits = [self._next_poll - loop.time()] if minutes else []
        if due_in is not None:
            waits.append(due_in or RETRY_CHANGES)
        seconds = max(min(waits), 1) if waits else None
        if watch is not None and minutes and self.status.online:
            await self._watch(watch(seconds))
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), seconds)

    async def _watch(self, watch: Awaitable[bool]) -> None:
        """Wait for news from the server or for `wake`. After news a sync is due at once, after a lost connection soon."""
        watching, woken = asyncio.ensure_future(watch), asyncio.ensure_future(self.wake.wait())
        try:
            await asyncio.wait({watching, woken}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done() and not watching.cancelled():
                if watching.exception() is not None:
                    self._next_poll = self._received_at + LOST_PAUSE
                elif watching.result():
                    self._next_poll = self._received_at + NEWS_PAUSE
        finally:
            for task in (watching, woken):
                task.cancel()
            await asyncio.gather(watching, woken, return_exceptions=True)

    def look_again(self) -> None:
        """Ask anew when the next change is due: the user changed something."""
        self.wake.set()

    # -- sync

    async def sync(self, *, full: bool = False) -> SyncResult:
        """Receive what is new and push what is due; see MailSource. Raises NetError, PasswordError or StoreError."""
        if self._login_refused:
            # The user asks again: the password is fetched, or asked for, once more.
            settings = self.context.account(self.account)
            self.context.passwords.forget(settings.protocol, settings)
        while full and self._syncing is not None and not self._syncing_full:
            await asyncio.wait({self._syncing})
        if self._syncing is None:
            self._syncing_full = full
            self._syncing = asyncio.ensure_future(self._sync(full=full))
            self._syncing.add_done_callback(self._synced)
        return await asyncio.shield(self._syncing)

    def _synced(self, task: asyncio.Task[SyncResult]) -> None:
        self._syncing = None
        if not task.cancelled():
            task.exception()  # raised to whoever awaits; without this line asyncio warns when nobody is left

    async def _sync(self, *, full: bool) -> SyncResult:
        last, online, words, well, news = self.status.last_sync, self.status.online, "", False, False
        self.status = replace(self.status, syncing=True, words="")
        self.context.tell(SyncProgress(self.account, "connecting", 0, 0))
        try:
            with AccountLock(self.context.paths.data, self.account, "sync"):
                result = await self._session(full=full)
            words, online, last, well, news = result.words, True, await self._last_sync(), True, result.news
            if self._login_refused:
                self._login_refused = False
                self.look_again()  # nothing was polled meanwhile
        except Locked:
            words = SHARES_ACCOUNT
            raise Busy(SHARES_ACCOUNT, advice="Nothing is lost; try again in a moment.") from None
        except NetError as error:
            words, online = str(error), not isinstance(error, Offline)
            if isinstance(error, LoginRefused):
                self._login_refused = True
                settings = self.context.account(self.account)
                self.context.passwords.forget(settings.protocol, settings)
            raise
        except PasswordError as error:
            words, self._login_refused = str(error), True
            raise
        except StoreError as error:
            words = str(error)
            raise
        finally:
            self.status = replace(self.status, last_sync=last, online=online, syncing=False, words=words)
            end = SyncProgress(self.account, "done", 0, 0, running=False, words=words, well=well, news=news)
            self.context.tell(end)
        return result

    async def cancel(self) -> None:
        """End a sync that runs, and return when it has ended."""
        if self._syncing is not None:
            self._syncing.cancel()
            await asyncio.gather(self._syncing, return_exceptions=True)


def explain_login(context: Context, account: str, error: LoginRefused) -> None:
    """Give the error the advice that fits where the account's password comes from."""
    settings = context.account(account)
    typed = context.passwords.typed(settings.protocol, settings)
    error.advice = login_advice(error, settings, settings.protocol, account, typed=typed)
