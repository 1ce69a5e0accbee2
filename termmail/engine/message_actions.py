"""The verbs on messages: flags, archive, delete, junk, move. The store changes at once, the servers follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine.events import FolderChanged, JournalChanged, MessageChanged
from termmail.mail.model import StepKind
from termmail.store import changes, conversation_changes, delete_queue, imap_pending

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.engine.context import Context
    from termmail.engine.servers import Servers
    from termmail.mail.model import Done, Placement

DELETE_DELAY = 60
"""Seconds between a delete and the DELE it asks for."""


class Messages:
    """The verbs on messages.

    Each is one transaction that acts on placements: on messages in the folder in which the user saw them. What has
    moved since is left alone and reported in `Done.skipped`. Every method may raise StoreError.
    """

    def __init__(self, context: Context, servers: Servers) -> None:
        self.context = context
        self.servers = servers

    async def mark(self, message_ids: Iterable[int], kind: StepKind) -> Done:
        """Mark messages READ, UNREAD, STAR or UNSTAR."""
        done = await self.context.db(changes.mark, list(message_ids), kind, self.context.clock())
        self._tell_changed(done)
        return done

    async def seen(self, message_ids: Iterable[int]) -> None:
        """Mark messages read because they were opened. Undo passes over this."""
        if changed := await self.context.db(changes.set_seen, list(message_ids)):
            self.context.tell(MessageChanged(changed))
            self.servers.look_again()

    async def archive(self, seen: Iterable[Placement]) -> Done:
        """Move messages to the Archive of their account."""
        return await self._to_role(seen, StepKind.ARCHIVE)

    async def delete(self, seen: Iterable[Placement]) -> Done:
        """Move messages to the Trash of their account; the server deletes them a minute later."""
        return await self._to_role(seen, StepKind.DELETE)

    async def junk(self, seen: Iterable[Placement]) -> Done:
        """Move messages to the Spam folder of their account."""
        return await self._to_role(seen, StepKind.JUNK)

    async def not_junk(self, seen: Iterable[Placement]) -> Done:
        """Move messages to the Inbox of their account."""
        return await self._to_role(seen, StepKind.NOT_JUNK)

    async def move(self, seen: Iterable[Placement], folder_id: int) -> Done:
        """Move messages to a folder of their account. Raises FolderGone."""
        now = self.context.clock()
        done = await self.context.db(changes.move, list(seen), folder_id, now, due_times(self.context))
        return self._moved(done)

    async def break_off(self, message_ids: Iterable[int]) -> Done:
        """Make each of these messages, with the answers to it, a conversation of its own."""
        return self._regrouped(
            await self.context.db(conversation_changes.break_off, list(message_ids), self.context.clock())
        )

    async def join(self, message_ids: Iterable[int]) -> Done:
        """Make the conversations of these messages one."""
        return self._regrouped(
            await self.context.db(conversation_changes.join, list(message_ids), self.context.clock())
        )

    async def copy(self, seen: Iterable[Placement], folder_id: int) -> Done:
        """Let messages lie in another folder of their account too. Raises FolderGone."""
        done = await self.context.db(changes.copy, list(seen), folder_id, self.context.clock())
        return self._moved(done)

    async def delete_now(self, message_ids: Iterable[int]) -> None:
        """Make the DELE of these messages due now, without its minute of delay; the next sync sends it."""
        wanted = list(message_ids)
        for account in self.context.accounts:
            await self.context.db(delete_queue.make_due, account, self.context.clock(), only=wanted)
            await self.context.db(imap_pending.make_due, account, self.context.clock(), only=wanted)

    async def erase(self, seen: Iterable[Placement]) -> Done:
        """Delete messages for good, here and on the server. There is no undo.

        A message that is in another folder too only leaves this one.
        """
        return self._moved(await self.context.db(changes.erase, list(seen), due_times(self.context)))

    async def erase_everywhere(self, message_ids: Iterable[int]) -> Done:
        """Delete messages for good from every folder they are in, and on the server. There is no undo."""
        return self._moved(await self.context.db(changes.erase_everywhere, list(message_ids)))

    async def empty_trash(self, account: str) -> int:
        """Delete everything in an account's Trash for good; return how many messages that were. There is no undo."""
        count = await self.context.db(changes.empty_trash, account)
        self.context.tell(FolderChanged(account))
        self.servers.look_again()
        return count

    async def _to_role(self, seen: Iterable[Placement], kind: StepKind) -> Done:
        now = self.context.clock()
        done = await self.context.db(changes.move_to_role, list(seen), kind, now, due_times(self.context))
        return self._moved(done)

    def _tell_changed(self, done: Done) -> None:
        if done.message_ids:
            self.context.tell(MessageChanged(done.message_ids))
            self.context.tell(JournalChanged())

    def _regrouped(self, done: Done) -> Done:
        self.context.tell(FolderChanged())
        self.context.tell(JournalChanged())
        return done

    def _moved(self, done: Done) -> Done:
        """Tell that messages moved. Also where none did: the list that the user saw was out of date."""
        self.context.tell(FolderChanged())
        self.context.tell(JournalChanged())
        self.servers.look_again()
        return done


def due_times(context: Context) -> dict[str, int | None]:
    """Return when the DELE of a message that is deleted now falls due, by account; None: it stays on the server."""
    due = context.clock() + DELETE_DELAY
    pop3 = {name: context.account(name).pop3 for name in context.accounts}
    return {name: None if one is None or one.delete == "never" else due for name, one in pop3.items()}
