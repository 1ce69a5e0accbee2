"""The outbox: queue a draft, retry, cancel, and what became of each message."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from termmail.accounts.config import identity
from termmail.engine.events import DraftsChanged, FolderChanged, JournalChanged, OutboxChanged
from termmail.errors import ErrorCode, Gone, UserError
from termmail.mail.model import SendState
from termmail.store import derived, drafts, journal, outbox

if TYPE_CHECKING:
    from termmail.engine.context import Context
    from termmail.engine.servers import Servers
    from termmail.mail.message import Draft, Outgoing
    from termmail.mail.model import OutgoingRow
    from termmail.store.store import Store

SEND_DELAY = 10.0
"""Seconds in which undo still takes a message back."""


class Outbox:
    """The messages that are not sent yet. Every method may raise StoreError."""

    def __init__(self, context: Context, servers: Servers) -> None:
        self.context = context
        self.servers = servers

    async def send(self, draft: Draft, delay: float = SEND_DELAY) -> int:
        """Queue a draft, to be sent after `delay` seconds, as a step of the journal; return its outbox id.

        Raises ComposeError where it cannot be sent as it is, UserError where another screen sent it already.
        """
        from termmail.mail import compose  # noqa: PLC0415 - writing is not needed for the first screen

        attached = await self.context.db(drafts.files, draft.id)
        writer = identity(self.context.account(draft.account))
        outgoing = await asyncio.to_thread(compose.build, draft, writer, attached, now=datetime.now(UTC))
        now = self.context.clock()
        outbox_id = await self.context.db(_queue, draft, outgoing, now + round(delay), now)
        self.queued(outbox_id, draft.account)
        return outbox_id

    def queued(self, outbox_id: int, account: str) -> None:
        """Tell that a message is in the outbox, and let its sender wait for its time."""
        self._tell(outbox_id, account, SendState.QUEUED)
        self.servers.sender(account).look_again()

    async def queue(self, account: str, outgoing: Outgoing) -> int:
        """Queue a message that another program wrote, to be sent at once; return its outbox id."""
        now = self.context.clock()
        outbox_id = await self.context.db(outbox.queue, account, outgoing, not_before=now, now=now)
        self._tell(outbox_id, account, SendState.QUEUED)
        return outbox_id

    async def row(self, outbox_id: int) -> OutgoingRow:
        """Return how an outgoing message stands. Raises Gone."""
        try:
            row = await self.context.db(outbox.get, outbox_id)
        except KeyError:
            raise Gone("This message is not in the Outbox any more.") from None
        return self.servers.sender(row.account).as_known(row) if row.account in self.context.accounts else row

    async def rows(self, account: str = "") -> list[OutgoingRow]:
        """Return every message of an account ("": of every account) that is neither sent nor taken back."""
        return await self.context.db(_rows, account)

    async def seconds_left(self, outbox_id: int) -> float:
        """Return how many seconds a queued message still waits; 0.0 for one that is ready or not queued."""
        row = await self.row(outbox_id)
        if row.state is not SendState.QUEUED or row.account not in self.context.accounts:
            return 0.0
        return await self.servers.sender(row.account).seconds_left(outbox_id)

    async def retry(self, outbox_id: int, *, sure: bool = False) -> None:
        """Send a message again now; one that may have arrived only when the user is `sure`.

        Raises Gone, or UserError where it is being sent, was sent or taken back, or is unsure.
        """
        row = await self.row(outbox_id)
        await self.context.db(outbox.retry, outbox_id, self.context.clock(), sure=sure)
        self._tell(outbox_id, row.account, SendState.QUEUED)
        self.servers.sender(row.account).look_again()

    async def retry_all(self, account: str) -> list[int]:
        """Make every queued message of an account due now, and return their outbox ids."""
        return await self.servers.sender(account).retry_all()

    async def cancel(self, outbox_id: int) -> Draft | None:
        """Take a message back and return its draft; None where it had none (sendmail): then it is deleted.

        Raises Gone, or UserError where it is being sent, was sent, or was taken back already. Where some of its
        recipients have it, it goes to Sent, the others are not tried again, and UserError says so.
        """
        row = await self.row(outbox_id)
        if row.accepted and row.state in {SendState.QUEUED, SendState.FAILED, SendState.UNSURE}:
            left = [address for address in row.recipients if address not in {*row.accepted, *row.refused}]
            await self.context.db(outbox.partial, outbox_id, (), dict.fromkeys(left, "It was taken back."))
            await self.assume_sent(outbox_id)
            raise UserError(
                f"{', '.join(row.accepted)} has this message; it cannot be taken back.",
                "It is in Sent, and the other recipients are not tried again.",
                code=ErrorCode.CHANGED,
            )
        draft = await self.context.db(outbox.cancel, outbox_id)
        self._tell(outbox_id, row.account, SendState.CANCELLED)
        return draft

    async def assume_sent(self, outbox_id: int) -> None:
        """Treat an unsure message as sent: the user knows that it arrived. Raises Gone."""
        row = await self.row(outbox_id)
        raw = await self.context.db(outbox.raw, outbox_id)
        if raw is not None:
            found = await asyncio.to_thread(derived.from_raw, raw, complete=True)
            await self.context.db(outbox.sent, outbox_id, self.context.clock(), found)
        self._tell(outbox_id, row.account, SendState.SENT)
        self.context.tell(FolderChanged(row.account))

    async def flush(self, account: str) -> list[OutgoingRow]:
        """Send everything of an account that is ready; return the rows that were tried, in their new states."""
        return await self.servers.sender(account).flush()

    async def hurry(self, account: str) -> None:
        """Make deferred messages due now; they are sent soon."""
        if not self.context.read_only:
            await self.servers.sender(account).hurry()

    def _tell(self, outbox_id: int, account: str, state: SendState) -> None:
        self.context.tell(OutboxChanged(outbox_id, account, state))
        self.context.tell(DraftsChanged(account))
        self.context.tell(JournalChanged())


def _queue(store: Store, draft: Draft, outgoing: Outgoing, not_before: int, now: int) -> int:
    """Save the draft, queue it and write the step, or none of these."""
    with store.transaction(durable=True) as db:
        outbox.check_unsent(db, draft.id)
        saved = drafts.save(store, draft, now)
        outbox_id = outbox.queue(store, draft.account, outgoing, draft_id=saved.id, not_before=not_before, now=now)
        journal.record_send(db, outbox_id, draft.subject, now)
    return outbox_id


def _rows(store: Store, account: str) -> list[OutgoingRow]:
    return outbox.rows(store, outbox.ids(store, account))
