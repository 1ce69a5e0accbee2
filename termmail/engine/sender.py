"""The outbox at work: claim, send, and write down what became of it.

A row is claimed by one UPDATE and only by whoever holds the account's send lock, so two processes never send the same
message. A row found as `sending` by the holder of the lock belongs to a process that died: nobody knows whether its
message arrived, so it becomes `unsure` and the user is asked (SAFETY of resending: never in silence).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from typing import TYPE_CHECKING

from termmail.accounts.credentials import PasswordError
from termmail.engine.account_setup import login_advice
from termmail.engine.clock import now
from termmail.engine.events import Failed, FolderChanged, OutboxChanged, sending
from termmail.net.net_errors import LoginRefused, NetError
from termmail.store import outbox
from termmail.store.account_lock import AccountLock, Locked

if TYPE_CHECKING:
    from termmail.engine.engine import Engine
    from termmail.net.smtp.submission import Outcome
    from termmail.net.stream import Server
    from termmail.store.rows import Claimed, OutboxRow

log = logging.getLogger("termmail")


class Sender:
    """Talks SMTP for one account."""

    def __init__(self, engine: Engine, account: str) -> None:
        self.engine = engine
        self.account = account
        self.trouble: NetError | PasswordError | None = None
        self._wake = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._sending: asyncio.Task[list[OutboxRow]] | None = None
        self._leaving = False

    async def run(self) -> None:
        """Send each message when its time has come, until cancelled."""
        while True:
            await self.flush()
            at = await self.engine.db(outbox.next_due, self.account)
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), None if at is None else max(at - now(), 0.2))

    def look_again(self) -> None:
        """Something was queued: the clock is set anew."""
        self._wake.set()

    async def hurry(self) -> None:
        """Somebody asks: what was put off is tried at once, and a password that was not given is asked for again."""
        if isinstance(self.trouble, PasswordError):
            self.engine.passwords.forget(self.account, "smtp", self.engine.account(self.account))
        await self.engine.db(outbox.hurry, self.account, now())
        self.look_again()

    async def flush(self) -> list[OutboxRow]:
        """Send everything that is ready now; the rows that were tried, in their new states.

        Never raises for a server: `trouble` holds the last NetError or PasswordError, or None. Where it is cancelled,
        what is on the wire goes on under the account's lock, and no other message is begun.
        """
        async with self._flushing:
            self.trouble, self._leaving = None, False
            self._sending = asyncio.ensure_future(self._send_all())
            try:
                return await asyncio.shield(self._sending)
            except asyncio.CancelledError:
                self._leaving = True
                raise

    async def _send_all(self) -> list[OutboxRow]:
        tried: list[OutboxRow] = []
        try:
            with AccountLock(self.engine.paths.data, self.account, "send"):
                await self._recover()
                while not self._leaving and (row := await self._one()) is not None:
                    tried.append(row)
        except Locked:
            log.info("another termmail is sending for %s", self.account)
        return tried

    async def _recover(self) -> None:
        for row_id in await self.engine.db(outbox.recover, self.account):
            self.engine.tell(OutboxChanged(row_id, self.account, "unsure"))

    async def _one(self) -> OutboxRow | None:
        """Claim one message and send it; None when nothing is ready.

        The password comes first: it may have to be asked for, and until it is there nothing is being sent.
        """
        at = await self.engine.db(outbox.next_due, self.account)
        if at is None or at > now():
            return None
        try:
            server = await self.engine.server(self.account, "smtp")
        except PasswordError as error:
            server, self.trouble = None, error
        claimed = await self.engine.db(outbox.claim, self.account, now(), str(os.getpid()))
        if claimed is None:
            return None
        self.engine.tell(OutboxChanged(claimed.id, self.account, "sending"))
        if server is None:
            await self._later(claimed, self.trouble)
        else:
            await self._deliver(claimed, server)
        row = await self.engine.db(outbox.get, claimed.id)
        self.engine.tell(OutboxChanged(row.id, self.account, row.state))
        self.engine.tell(FolderChanged(self.account, "Outbox"))
        return row

    async def _later(self, claimed: Claimed, error: PasswordError | NetError | None, words: str = "") -> None:
        """Back to the queue, and say why."""
        words = words or str(error)
        await self.engine.db(outbox.later, claimed.id, words, now())
        advice = error.advice if error else "termmail tries again by itself."
        self.engine.tell(Failed(self.account, f"Not sent yet. {words}", advice, sending(claimed.id)))

    async def _deliver(self, claimed: Claimed, server: Server) -> None:
        from termmail.net.smtp import submission  # noqa: PLC0415 - SMTP is not needed for the first screen

        db, account = self.engine.db, self.account
        outgoing = claimed.outgoing
        if not outgoing.recipients:  # everyone has it already, or was refused for good
            await db(outbox.sent, claimed.id, now())
            return
        whole = asyncio.Event()
        try:
            outcome = await submission.send(server, outgoing.sender, outgoing.recipients, outgoing.raw, whole=whole)
        except asyncio.CancelledError:
            if not whole.is_set():  # without its final dot no server takes it: it was certainly not sent
                await db(outbox.later, claimed.id, "termmail was left before it was sent.", now())
            raise
        self.trouble = outcome.error
        if isinstance(outcome.error, LoginRefused):
            settings = self.engine.account(account)
            typed = self.engine.passwords.typed("smtp", settings)
            self.engine.passwords.forget(account, "smtp", settings)
            outcome.error.advice = login_advice(outcome.error, settings, "smtp", account, typed=typed)
        if outcome.state == "sent":
            await self._accepted(claimed, outcome)
        elif outcome.state == "later":
            await self._later(claimed, outcome.error, outcome.words)
        elif outcome.state == "refused":
            await db(outbox.failed, claimed.id, outcome.words, outcome.refused)
            self.engine.tell(FolderChanged(account, "Drafts"))
        else:
            await db(outbox.unsure, claimed.id, outcome.words)

    async def _accepted(self, claimed: Claimed, outcome: Outcome) -> None:
        """The server has it for some or all: who was refused is named, who was put off is tried again (RFC 5321
        section 4.2.5), and nobody gets it twice."""
        db, account = self.engine.db, self.account
        refused = {address: says for address, says in outcome.refused.items() if address not in outcome.postponed}
        if outcome.refused:
            await db(outbox.partial, claimed.id, outcome.accepted, refused)
        if refused:
            words = f"Sent, but not to {', '.join(refused)}."
            self.engine.tell(Failed(account, words, "The server refused these addresses."))
        if outcome.postponed:
            words = f"Sent, but not yet to {', '.join(outcome.postponed)}."
            await db(outbox.later, claimed.id, words, now())
            advice = "The server asked to try again later; termmail does."
            self.engine.tell(Failed(account, words, advice, sending(claimed.id)))
        else:
            await db(outbox.sent, claimed.id, now())
            self.engine.tell(FolderChanged(account, "Sent"))

    async def leave(self, patience: float) -> None:
        """The user goes: what is on the wire may finish within `patience` seconds; after that it counts as unsure."""
        if self._sending is None:
            return
        _, late = await asyncio.wait({self._sending}, timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)
