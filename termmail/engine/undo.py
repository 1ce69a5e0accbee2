"""Undo: what it takes back next, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine.events import DraftsChanged, FolderChanged, JournalChanged, MessageChanged, OutboxChanged
from termmail.engine.message_actions import due_times
from termmail.mail.model import SendState, StepKind
from termmail.store import journal, outbox

if TYPE_CHECKING:
    from termmail.engine.context import Context
    from termmail.engine.servers import Servers
    from termmail.mail.model import Step, Undone


class Journal:
    """The steps that the user took, newest last; they outlive the program. Every method may raise StoreError."""

    def __init__(self, context: Context, servers: Servers) -> None:
        self.context = context
        self.servers = servers

    async def next_step(self) -> Step | None:
        """Return the step that `undo` takes back next, or None."""
        return await self.context.db(journal.next_step)

    async def undo(self) -> Undone | None:
        """Take back the newest step that can be taken back; None where there is none.

        Raises UserError where that step cannot be taken back now; it then stays the next one.
        """
        undone = await self.context.db(journal.undo, due_times(self.context))
        if undone is not None:
            await self._tell(undone)
        self.context.tell(JournalChanged())
        return undone

    async def undo_step(self, step: Step) -> Undone | None:
        """Take back one step, wherever it is in the journal; None where nothing of it is left to take back."""
        undone = await self.context.db(journal.undo_step, step.step_id, due_times(self.context))
        if undone is not None:
            await self._tell(undone)
        self.context.tell(JournalChanged())
        return undone

    async def _tell(self, undone: Undone) -> None:
        if undone.step.kind is StepKind.SEND:
            row = await self.context.db(outbox.get, undone.step.outbox_id)
            self.context.tell(OutboxChanged(row.outbox_id, row.account, SendState.CANCELLED))
            self.context.tell(DraftsChanged(row.account))
            return
        self.context.tell(MessageChanged(undone.message_ids))
        self.context.tell(FolderChanged())
        self.servers.look_again()
