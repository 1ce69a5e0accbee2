"""Sending the outbox of an account: claim a message, send it by SMTP, store the outcome.

A message is claimed by one UPDATE, and only while the account's send lock is held, so two processes never send the
same one. A message found in the state "sending" by the holder of the lock belongs to a process that died: nobody knows
whether it arrived, so it becomes "unsure" and the user decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.accounts.credentials import PasswordError
from termmail.engine.account_setup import background_advice, login_advice
from termmail.engine.events import DraftsChanged, Failed, FolderChanged, OutboxChanged, SendOf
from termmail.mail.model import SendState
from termmail.net.net_errors import LoginRefused, NetError
from termmail.store import derived, outbox
from termmail.store.account_lock import AccountLock, Locked
from termmail.store.store_errors import StoreError

if TYPE_CHECKING:
    from termmail.engine.context import Context
    from termmail.mail.model import OutgoingRow
    from termmail.net.smtp.submission import Outcome
    from termmail.net.stream import Server
    from termmail.store.rows import Claimed

log = logging.getLogger("termmail")

_UNTIL_STORED = {
    "sent": SendState.UNSURE,
    "unsure": SendState.UNSURE,
    "later": SendState.QUEUED,
    "refused": SendState.FAILED,
}
"""The state that is shown of an outcome that could not be stored yet."""

LOCKED_WAIT = 1.0
"""Seconds before the send lock of another process is tried again; doubled up to LONGEST_LOCKED_WAIT."""

LONGEST_LOCKED_WAIT = 60.0

NOT_STORED = "The server has taken this message, but that could not be written to the disk yet."


class Sender:
    """Sends the messages of one account. `trouble` is the error of the last attempt, or None."""

    def __init__(self, context: Context, account: str) -> None:
        self.context = context
        self.account = account
        self.wake = asyncio.Event()
        self.trouble: NetError | PasswordError | None = None
        self._flushing = asyncio.Lock()
        self._sending: asyncio.Task[list[OutgoingRow]] | None = None
        self._leaving = False
        self._locked_out = False
        self._locked_wait = LOCKED_WAIT
        self._deadlines: dict[int, tuple[int, float]] = {}
        self._outcomes: dict[int, tuple[Claimed, Outcome]] = {}

    # -- in the background

    async def run(self) -> None:
        """Send what is ready, then return when another message is ready or `wake` is set. Raises StoreError."""
        self.wake.clear()
        await self.flush()
        seconds = await self._seconds_to_wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), seconds)

    async def _seconds_to_wait(self) -> float | None:
        if self._locked_out:
            seconds, self._locked_wait = self._locked_wait, min(self._locked_wait * 2, LONGEST_LOCKED_WAIT)
            return seconds
        self._locked_wait = LOCKED_WAIT
        deadlines = await self._read_deadlines()
        return max(min(deadlines.values()) - asyncio.get_running_loop().time(), 0.2) if deadlines else None

    def look_again(self) -> None:
        """Read the outbox again: a message was queued."""
        self.wake.set()

    async def hurry(self) -> None:
        """Make deferred messages due now, and ask again for a password that was not given. Raises StoreError."""
        if isinstance(self.trouble, PasswordError):
            self.context.passwords.forget("smtp", self.context.account(self.account))
        await self.context.db(outbox.hurry, self.account, self.context.clock())
        self.look_again()

    async def retry_all(self) -> list[int]:
        """Make every queued message due now, and return their outbox ids. Raises StoreError."""
        outbox_ids = await self.context.db(outbox.retry_all, self.account, self.context.clock())
        for outbox_id in outbox_ids:
            self.context.tell(OutboxChanged(outbox_id, self.account, SendState.QUEUED))
        self.look_again()
        return outbox_ids

    async def seconds_left(self, outbox_id: int) -> float:
        """Return how long a queued message still waits; 0.0 for one that is ready or not queued."""
        deadline = (await self._read_deadlines()).get(outbox_id)
        return 0.0 if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())

    async def _read_deadlines(self) -> dict[int, float]:
        """Return when each queued message is due, in seconds of the loop's monotonic clock.

        The wall clock is read once for each message, when it is first seen here: a clock that is set while it waits
        changes nothing. The wait is never longer than was asked for when it was queued or deferred.
        """
        clock = asyncio.get_running_loop().time()
        before, self._deadlines = self._deadlines, {}
        for one in await self.context.db(outbox.waits, self.account, self.context.clock()):
            not_before, deadline = before.get(one.outbox_id, (None, 0.0))
            if not_before != one.not_before:
                deadline = clock + one.seconds
            self._deadlines[one.outbox_id] = (one.not_before, deadline)
        for outbox_id in before.keys() - self._deadlines.keys():
            await self._tell_taken(outbox_id)
        return {outbox_id: deadline for outbox_id, (_, deadline) in self._deadlines.items()}

    async def _tell_taken(self, outbox_id: int) -> None:
        """Tell the state of a message that waited here and was sent, or taken back, by another process or the user."""
        with contextlib.suppress(KeyError):
            row = await self.context.db(outbox.get, outbox_id)
            self.context.tell(OutboxChanged(row.outbox_id, self.account, row.state))

    # -- sending

    async def flush(self) -> list[OutgoingRow]:
        """Send everything that is ready, and return the rows that were tried, in their new states.

        A failure of the server is no exception: see `trouble`. Raises StoreError. When this is cancelled, the message
        on the wire is finished under the account's lock and no other one is begun.
        """
        async with self._flushing:
            self._leaving = False
            self._sending = asyncio.ensure_future(self._send_all())
            try:
                return await asyncio.shield(self._sending)
            except asyncio.CancelledError:
                self._leaving = True
                self._sending.add_done_callback(_retrieve)
                raise

    async def _send_all(self) -> list[OutgoingRow]:
        tried: list[OutgoingRow] = []
        try:
            with AccountLock(self.context.paths.data, self.account, "send"):
                self._locked_out = False
                await self._store_outcomes()
                await self._recover()
                while not self._leaving and (row := await self._send_next()) is not None:
                    tried.append(row)
        except Locked:
            self._locked_out = True
            log.info("another termmail is sending for %s", self.account)
        return tried

    async def _store_outcomes(self) -> None:
        """Store the outcomes that could not be stored when they came."""
        for claimed, outcome in list(self._outcomes.values()):
            await self._store(claimed, outcome)
            await self._tell_state(claimed)

    async def _recover(self) -> None:
        for outbox_id in await self.context.db(outbox.recover, self.account):
            self.context.tell(OutboxChanged(outbox_id, self.account, SendState.UNSURE))

    async def _send_next(self) -> OutgoingRow | None:
        """Claim one message, send it and return its row; None when nothing is ready.

        The password is fetched before the claim: the user may have to type it, and until then nothing is being sent.
        """
        deadlines = await self._read_deadlines()
        clock = asyncio.get_running_loop().time()
        ready = [outbox_id for outbox_id, deadline in deadlines.items() if deadline <= clock]
        if not ready:
            return None
        try:
            server = await self.context.server(self.account, "smtp")
        except PasswordError as error:
            server, self.trouble = None, error
        claimed = await self.context.db(outbox.claim, self.account, ready, str(os.getpid()))
        if claimed is None:
            return None
        self._deadlines.pop(claimed.id, None)
        self.context.tell(OutboxChanged(claimed.id, self.account, SendState.SENDING))
        if server is None:
            await self._defer(claimed, self.trouble)
        else:
            await self._deliver(claimed, server)
        return await self._tell_state(claimed)

    async def _tell_state(self, claimed: Claimed) -> OutgoingRow:
        row = await self.context.db(outbox.get, claimed.id)
        self.context.tell(OutboxChanged(row.outbox_id, self.account, row.state))
        return row

    async def _defer(self, claimed: Claimed, error: PasswordError | NetError | None, words: str = "") -> None:
        """Queue the message again for a later attempt, and tell why."""
        words = words or str(error)
        await self.context.db(outbox.later, claimed.id, words, self.context.clock())
        advice = background_advice(error) if error else "termmail tries again by itself."
        self.context.tell(Failed(self.account, f"Not sent yet. {words}", advice, SendOf(claimed.id)))

    async def _deliver(self, claimed: Claimed, server: Server) -> None:
        from termmail.net.smtp import submission  # noqa: PLC0415 - SMTP is not needed for the first screen

        db, account = self.context.db, self.account
        outgoing = claimed.outgoing
        if not outgoing.recipients:  # everyone has it already, or was refused for good
            await self._store_sent(claimed)
            return
        whole = asyncio.Event()
        try:
            outcome = await submission.send(server, outgoing.sender, outgoing.recipients, outgoing.raw, whole=whole)
        except asyncio.CancelledError:
            if not whole.is_set():  # without its final dot no server takes it: it was certainly not sent
                await db(outbox.later, claimed.id, "termmail was left before it was sent.", self.context.clock())
            raise
        self.trouble = outcome.error
        if isinstance(outcome.error, LoginRefused):
            settings = self.context.account(account)
            typed = self.context.passwords.typed("smtp", settings)
            self.context.passwords.forget("smtp", settings)
            outcome.error.advice = login_advice(outcome.error, settings, "smtp", account, typed=typed)
        await self._store(claimed, outcome)

    # -- outcomes

    async def _store(self, claimed: Claimed, outcome: Outcome) -> None:
        """Store what became of a message. Where that fails it is kept in memory and tried again at the next flush.

        Raises StoreError.
        """
        self._outcomes[claimed.id] = (claimed, outcome)
        try:
            if outcome.state == "sent":
                await self._accepted(claimed, outcome)
            elif outcome.state == "later":
                await self._defer(claimed, outcome.error, outcome.words)
            elif outcome.state == "refused" and claimed.accepted:  # in an earlier attempt
                refused = outcome.refused or dict.fromkeys(claimed.outgoing.recipients, outcome.words)
                await self._accepted(claimed, dataclasses.replace(outcome, state="sent", refused=refused))
            elif outcome.state == "refused":
                await self.context.db(outbox.failed, claimed.id, outcome.words, outcome.refused)
                self.context.tell(DraftsChanged(self.account))
            else:
                await self.context.db(outbox.unsure, claimed.id, outcome.words)
        except StoreError:
            self.context.tell(OutboxChanged(claimed.id, self.account, _UNTIL_STORED[outcome.state]))
            raise
        del self._outcomes[claimed.id]

    def as_known(self, row: OutgoingRow) -> OutgoingRow:
        """Return the row with the outcome that is known here but could not be stored yet.

        A message that the server has taken, or may have taken, is "unsure" until that is stored.
        """
        known = self._outcomes.get(row.outbox_id)
        if known is None or row.state is not SendState.SENDING:
            return row
        _, outcome = known
        words = NOT_STORED if outcome.state == "sent" else outcome.words
        return replace(row, state=_UNTIL_STORED[outcome.state], words=words)

    async def _accepted(self, claimed: Claimed, outcome: Outcome) -> None:
        """Store that the server has taken the message for some or all recipients.

        Who was refused is named; who was deferred is tried again (RFC 5321 section 4.2.5); nobody gets it twice.
        """
        db, account = self.context.db, self.account
        refused = {address: says for address, says in outcome.refused.items() if address not in outcome.postponed}
        if outcome.refused:
            await db(outbox.partial, claimed.id, outcome.accepted, refused)
        if outcome.postponed:
            words = f"Sent, but not yet to {', '.join(outcome.postponed)}."
            await db(outbox.later, claimed.id, words, self.context.clock())
            advice = "The server asked to try again later; termmail does."
            self.context.tell(Failed(account, words, advice, SendOf(claimed.id)))
        else:
            await self._store_sent(claimed)
            self.context.tell(FolderChanged(account))
        if refused:
            words = f"Sent, but not to {', '.join(refused)}."
            self.context.tell(Failed(account, words, "The server refused these addresses."))

    async def _store_sent(self, claimed: Claimed) -> None:
        found = await asyncio.to_thread(derived.from_raw, claimed.outgoing.raw, complete=True)
        await self.context.db(outbox.sent, claimed.id, self.context.clock(), found)

    async def leave(self, patience: float) -> None:
        """Let the message on the wire finish within `patience` seconds, before the program ends.

        After that the connection is dropped; a message whose final dot was sent then counts as "unsure".
        """
        if self._sending is None:
            return
        _, late = await asyncio.wait({self._sending}, timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)


def _retrieve(task: asyncio.Task[list[OutgoingRow]]) -> None:
    """Mark the exception of a task that nobody awaits any more as seen, and log it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("sending failed after it was left: %s", error)
