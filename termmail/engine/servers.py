"""The servers of the open accounts: the mail source and the sender of each, made when they are needed."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from termmail.engine import indexing
from termmail.engine.account_setup import background_advice
from termmail.engine.events import DraftClosed, DraftsChanged, Failed, JournalChanged, OutboxChanged, SyncOf
from termmail.engine.prefetching import Prefetching
from termmail.errors import UserError
from termmail.mail.model import SendState
from termmail.store import drafts

if TYPE_CHECKING:
    from termmail.engine.context import Context
    from termmail.engine.events import Event
    from termmail.engine.mail_rules import Rules
    from termmail.engine.sender import Sender
    from termmail.engine.sync.source import MailSource


log = logging.getLogger("termmail")


class Servers:
    """Holds the MailSource and the Sender of each account, and runs them in the background after `start`."""

    def __init__(self, context: Context, rules: Rules) -> None:
        self.context = context
        self.rules = rules
        self._sources: dict[str, MailSource] = {}
        self._senders: dict[str, Sender] = {}
        self._background = False
        self._running: set[str] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._prefetching = Prefetching(context)
        context.subscribe(self._listen)

    def _listen(self, event: Event) -> None:
        """Let the mail sources look when the user did something: a step, an undo, a draft, a message that was sent."""
        is_sent = isinstance(event, OutboxChanged) and event.state is SendState.SENT
        if is_sent or isinstance(event, JournalChanged | DraftClosed):
            self.look_again()
        elif isinstance(event, DraftsChanged):
            self._look_after_pause()

    def _look_after_pause(self) -> None:
        """Let the mail sources look when nothing was written for a while."""
        if self._pause is not None:
            self._pause.cancel()
        if self._background:
            self._pause = asyncio.get_running_loop().call_later(drafts.PAUSE + 1, self.look_again)

    def source(self, account: str) -> MailSource:
        """Return the mail source of an account. Raises KeyError for an unknown name."""
        if account not in self._sources:
            self._sources[account] = self._make_source(account)
        return self._sources[account]

    def _make_source(self, account: str) -> MailSource:
        """Return the source for the account's protocol; its modules load when they are needed: mail is shown before."""
        receive = partial(self.sync_quietly, account)
        if self.context.account(account).protocol == "imap":
            from termmail.engine.sync.imap_source import ImapSource  # noqa: PLC0415

            return ImapSource(self.context, account, receive)
        from termmail.engine.sync.pop3_source import Pop3Source  # noqa: PLC0415

        return Pop3Source(self.context, account, receive)

    def known_source(self, account: str) -> MailSource | None:
        """Return the mail source of an account, or None where none was needed yet."""
        return self._sources.get(account)

    def sender(self, account: str) -> Sender:
        """Return the sender of an account. Raises KeyError for an unknown name."""
        from termmail.engine.sender import Sender  # noqa: PLC0415 - mail is shown before servers are asked

        if account not in self._senders:
            self.context.account(account)
            self._senders[account] = Sender(self.context, account)
        return self._senders[account]

    def look_again(self) -> None:
        """Let every mail source read again when its next change is due: the user changed something."""
        for source in self._sources.values():
            source.look_again()

    # -- in the background

    def start(self) -> None:
        """Receive at each account's interval, send what waits and commit deletes that fall due, until `close`."""
        self._background = True
        indexing.begin(self.context, after=indexing.QUIET_START)
        for account in self.context.accounts:
            self._start_account(account)

    def _start_account(self, account: str) -> None:
        if self._background and not self.context.read_only and account not in self._running:
            self._running.add(account)
            source, sender = self.source(account), self.sender(account)
            failed = partial(self._tell, account)
            self.context.tasks.keep_running(source.run, wake=source.wake, on_failure=failed)
            self.context.tasks.keep_running(sender.run, wake=sender.wake, on_failure=failed)

    def saved(self, account: str) -> None:
        """Run an account that was added; for one that runs, try its changed settings now."""
        self._start_account(account)
        self.source(account).look_again()
        self.sender(account).look_again()

    def sync_soon(self, account: str) -> None:
        """Receive, and send what was deferred, in the background; a failure becomes a Failed event."""
        self.context.tasks.run(self.sync_quietly(account))
        if not self.context.read_only:
            self.context.tasks.run(self._hurry_quietly(account))

    def fetch_bodies(self, account: str) -> None:
        """Fetch every message whole in the background; a failure becomes a Failed event."""
        self.context.fetch_all.add(account)
        self.context.tasks.run(self._fetch_bodies(account))

    async def _fetch_bodies(self, account: str) -> None:
        try:
            await self.sync_quietly(account, full=True)
        finally:
            self.context.fetch_all.discard(account)

    async def sync_quietly(self, account: str, *, full: bool = False) -> None:
        """Receive, index what came and apply the rules to it; a failure becomes a Failed event."""
        try:
            await self.source(account).sync(full=full)
            await indexing.catch_up(self.context)
            await self.rules.run_arrived()
            if self._background and not self.context.read_only:
                self._prefetching.begin(account, self.source(account))
        except UserError as error:
            self._tell(account, error)

    async def _hurry_quietly(self, account: str) -> None:
        try:
            await self.sender(account).hurry()
        except UserError as error:
            self._tell(account, error)
            self.sender(account).look_again()

    def _tell(self, account: str, error: UserError) -> None:
        polled = self.context.account(account).incoming.poll_minutes > 0
        advice = background_advice(error) if polled else error.advice
        self.context.tell(Failed(account, str(error), advice, SyncOf(account)))

    # -- the end

    async def leave(self, patience: float, *, commit: bool) -> None:
        """End every session and every send, waiting at most `patience` seconds.

        With `commit`, the deletes of every account are pushed; without it they wait for their minute.
        """
        if self._pause is not None:
            self._pause.cancel()
        accounts = self.context.accounts if commit else list(self._sources)
        leaving = [self.source(account).leave(patience, commit=commit) for account in accounts]
        leaving += [sender.leave(patience) for sender in self._senders.values()]
        for error in await asyncio.gather(*leaving, return_exceptions=True):
            if error is not None:
                log.warning("an account was not left in order", exc_info=error)
