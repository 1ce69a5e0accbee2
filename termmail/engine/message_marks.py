"""Snooze, reminders, labels and mute: what the user attaches to messages, and what comes back at its time."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from termmail.engine.events import FolderChanged, JournalChanged, MessageChanged
from termmail.engine.message_actions import due_times
from termmail.mail import when
from termmail.store import label_names, labels, muting, snoozing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from termmail.engine.context import Context
    from termmail.engine.servers import Servers
    from termmail.mail.model import Done, Label, Placement

LONGEST_WAIT = 60
"""Seconds, at most, between two looks for what is due: the clock may jump, and a machine may sleep."""


class Marks:
    """What the user attaches to messages. Each verb is one transaction with its step. Every method may raise StoreError.

    Times are UTC seconds.
    """

    def __init__(self, context: Context, servers: Servers) -> None:
        self.context = context
        self.servers = servers
        self._changed = asyncio.Event()

    # -- snooze and reminders

    async def snooze(self, seen: Iterable[Placement], until: int | None) -> Done:
        """Leave messages out of the folder in which the user saw them until a time; None: no longer."""
        now = self.context.clock()
        words = "" if until is None else when.words(until, now)
        return self._told(await self.context.db(snoozing.snooze, list(seen), until, words, now), moved=True)

    async def remind(self, message_ids: Iterable[int], until: int | None) -> Done:
        """Bring messages back to the Inbox at a time, unless somebody answers them before; None: no longer."""
        now = self.context.clock()
        words = "" if until is None else when.words(until, now)
        return self._told(await self.context.db(snoozing.remind, list(message_ids), until, words, now))

    async def bring_back(self) -> list[int]:
        """Let everything that is due come back to the top of its folder; return the messages."""
        if self.context.read_only:
            return []
        back = await self.context.db(snoozing.bring_back, self.context.clock())
        if back:
            self.context.tell(MessageChanged(tuple(back)))
            self.context.tell(FolderChanged())
        return back

    async def run(self) -> None:
        """Bring back what is due, then wait until more is. Raises StoreError."""
        self._changed.clear()  # before anything is read: what is snoozed from here on is not missed
        await self.bring_back()
        due = await self.context.db(snoozing.next_due)
        seconds = LONGEST_WAIT if due is None else min(LONGEST_WAIT, max(1, due - self.context.clock()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    def start(self) -> None:
        """Bring back what falls due in the background, until the engine is closed."""
        if not self.context.read_only:
            self.context.tasks.keep_running(self.run, wake=self._changed, on_failure=lambda _error: None)

    # -- mute

    async def mute(self, seen: Sequence[Placement]) -> Done:
        """Mute the conversations of messages, and archive those in an inbox: what comes to them is archived too."""
        now, due = self.context.clock(), due_times(self.context)
        done = self._told(await self.context.db(muting.mute, list(seen), now, due), moved=True)
        self.servers.look_again()
        return done

    async def unmute(self, message_ids: Sequence[int]) -> Done:
        """Let what comes to the conversations of messages stay in the Inbox again."""
        return self._told(await self.context.db(muting.unmute, list(message_ids), self.context.clock()))

    # -- labels

    async def labels(self) -> list[Label]:
        """Return the labels that a message has, by name."""
        return await self.context.db(label_names.listing)

    async def label(self, name: str) -> Label | None:
        """Return the label of this name, in any case of letters, or None."""
        return await self.context.db(label_names.find, name)

    async def label_counts(self, message_ids: Sequence[int]) -> dict[int, int]:
        """Return how many of the messages have each label, by the label's id."""
        return await self.context.db(labels.present, list(message_ids))

    async def change_labels(self, message_ids: Sequence[int], add: Collection[str], take: Collection[int]) -> Done:
        """Put labels on messages, by name, and take labels away, by id. A missing one is made. Raises LabelError."""
        done = await self.context.db(labels.change, list(message_ids), add, take, self.context.clock())
        return self._told(done)

    async def label_sizes(self) -> dict[int, int]:
        """Return how many messages have each label, by the label's id."""
        return await self.context.db(labels.held)

    async def rename_label(self, label_id: int, name: str) -> tuple[Done, str]:
        """Give a label another name; return also its keyword on IMAP servers, which stays. Raises LabelError."""
        done = await self.context.db(labels.rename, label_id, name, self.context.clock())
        self._told(done)
        self.context.tell(FolderChanged())
        return done, await self.context.db(label_names.keyword, label_id)

    async def remove_label(self, label_id: int) -> Done:
        """Take a label away from all messages. Raises LabelError."""
        return self._told(await self.context.db(labels.remove, label_id, self.context.clock()))

    async def recolor(self, label_id: int, color: int) -> None:
        """Give a label another colour."""
        await self.context.db(labels.recolor, label_id, color)
        self.context.tell(FolderChanged())

    def _told(self, done: Done, *, moved: bool = False) -> Done:
        self._changed.set()
        if done.message_ids:
            self.context.tell(MessageChanged(done.message_ids))
        if done.message_ids or moved:
            self.context.tell(FolderChanged())
        self.context.tell(JournalChanged())
        return done
