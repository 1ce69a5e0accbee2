"""The IMAP session of an account: opened when it is needed, kept while it may be needed again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, TypeVar

from termmail.engine.sync.account_sync import explain_login
from termmail.net.imap.imap_session import ImapSession
from termmail.net.net_errors import Busy, LoginRefused, NetError, Offline, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from termmail.engine.context import Context
    from termmail.net.imap.folder_state import FolderState

log = logging.getLogger("termmail")

T = TypeVar("T")

IDLE_SECONDS = 540.0
"""How long one IDLE lasts: servers end a session after 29 minutes, and some routers forget it after ten."""


SHORTEST_IDLE = 5.0
"""A server that ends IDLE by itself sooner than after so many seconds does not really have it."""


class ImapConnection:
    """One session of an account, used by one caller at a time."""

    def __init__(self, context: Context, account: str) -> None:
        self.context = context
        self.account = account
        self.session: ImapSession | None = None
        self._in_use = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._waiting = 0
        self._watching = False
        self._cannot_idle: ImapSession | None = None

    @property
    def busy(self) -> bool:
        """Whether somebody uses the session for more than watching."""
        return self._in_use.locked() and not self._watching

    @property
    def is_kept(self) -> bool:
        """Whether a session is open from before; its connection may have died without anybody noticing."""
        return self.session is not None and not self.session.closed

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[ImapSession]:
        """Hold the session, opening it where there is none. An exception closes it, unless the server only refused.

        Raises NetError or PasswordError.
        """
        self._waiting += 1
        self._wanted.set()
        try:
            await self._in_use.acquire()
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._wanted.clear()
        try:
            session = await self._open()
            try:
                yield session
            except NetError:
                raise  # what breaks the protocol has closed it already
            except BaseException:
                await self._drop()
                raise
        finally:
            self._in_use.release()

    async def run(self, work: Callable[[ImapSession], Awaitable[T]]) -> T:
        """Do work in the session; where the one that was kept turns out to be dead, do it again in a new one.

        Raises NetError or PasswordError, and what `work` raises.
        """
        kept = self.is_kept
        try:
            async with self.use() as session:
                return await work(session)
        except Offline:
            if not kept:
                raise
        async with self.use() as session:
            return await work(session)

    async def _open(self) -> ImapSession:
        if self.session is None or self.session.closed:
            server = await self.context.server(self.account, "imap")
            try:
                self.session = await ImapSession.open(server)
            except LoginRefused as error:
                explain_login(self.context, self.account, error)
                raise
        return self.session

    async def watch(self, seconds: float | None, is_known: Callable[[FolderState], bool]) -> bool:
        """Return True when the server has news in the inbox, or with NOTIFY in any folder, and False after `seconds`.

        `is_known` tells whether the inbox, as it is when it is opened for this, was synchronized already. Anybody who
        wants to use the session interrupts this; it goes on afterwards. Raises NetError, Offline where there is no session.
        """
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        while end is None or loop.time() < end:
            left = IDLE_SECONDS if end is None else min(IDLE_SECONDS, end - loop.time())
            if self.session is None or self.session.closed:
                raise Offline("The connection was closed.")
            if self.session is self._cannot_idle or not self.session.features.offers("IDLE"):
                await asyncio.sleep(left)
            elif await self._watch_once(self.session, left, is_known):
                return True
        return False

    async def _watch_once(self, session: ImapSession, seconds: float, is_known: Callable[[FolderState], bool]) -> bool:
        """Idle until there is news (True), somebody wants the session or time is up (False).

        A server that refuses to idle, or ends it at once, is not asked again in this session.
        """
        async with self._in_use:
            if session.closed:
                return False
            self._watching = True
            began = asyncio.get_running_loop().time()
            try:
                folder = session.folder
                if folder is None or folder.closed or folder.name.upper() != b"INBOX":
                    folder = await session.select(b"INBOX", read_only=True)
                if session.elsewhere or not is_known(folder.state) or folder.changes():
                    return True
                async with folder.idle() as idle:
                    news = asyncio.ensure_future(idle.wait(seconds))
                    wanted = asyncio.ensure_future(self._wanted.wait())
                    try:
                        await asyncio.wait({news, wanted}, return_when=asyncio.FIRST_COMPLETED)
                        if idle.ended and asyncio.get_running_loop().time() - began < SHORTEST_IDLE:
                            self._cannot_idle = session
                        return news.done() and news.result()
                    finally:
                        news.cancel()
                        wanted.cancel()
                        await asyncio.gather(news, wanted, return_exceptions=True)
            except (Busy, Refused) as error:
                log.info("%s cannot be watched: %s", self.account, error)
                self._cannot_idle = session
                return False
            finally:
                self._watching = False

    async def leave(self) -> None:
        """Log out; a server that does not answer changes nothing."""
        session, self.session = self.session, None
        if session is not None:
            await session.logout()

    async def _drop(self) -> None:
        session, self.session = self.session, None
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """Drop the connection without LOGOUT."""
        await self._drop()
