"""Rules: made from a query and verbs, tried on the mail that is here, applied to what arrives, with a log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.engine import indexing
from termmail.engine.events import FolderChanged, JournalChanged, MessageChanged
from termmail.engine.message_actions import due_times
from termmail.engine.queries import own_addresses
from termmail.mail import rule as language
from termmail.store import messages, rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.context import Context
    from termmail.mail.model import MessageRow, Placement, Step, Undone
    from termmail.mail.query import Query
    from termmail.mail.rule import Entry, Rule
    from termmail.store.store import Store


class Trial(Struct, frozen=True):
    """What a query matches in the inboxes now: how many messages, and the newest of them."""

    count: int
    newest: tuple[MessageRow, ...]


class Rules:
    """The rules of the user. Every method may raise StoreError; RuleError where a rule cannot be what it is asked to be."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def listing(self) -> list[Rule]:
        """Return all rules in the order in which they act."""
        return await self.context.db(rules.listing)

    async def attempt(self, text: str, named: int = 5) -> Trial:
        """Return what a query matches in the inboxes; nothing changes. Raises RuleError for one that matches everything."""
        condition = language.checked_query(text, self.context.clock(), own_addresses(self.context))
        await indexing.catch_up(self.context)
        return await self.context.db(_trial, condition, named)

    async def suggest(self, message_id: int) -> str:
        """Return the query of a rule for mail like this: of its mailing list, else of its sender; "" for neither."""
        raw, _ = await self.context.db(messages.raw, message_id)
        return await asyncio.to_thread(_suggestion, raw)

    async def add(self, text: str, verbs: str, name: str = "") -> Rule:
        """Save a rule: from now on it is applied to mail that arrives. Raises RuleError."""
        return await self.context.db(rules.add, name, text, verbs, self.context.clock())

    async def remove(self, rule_id: int) -> Rule:
        """Remove a rule; what it did stays. Raises RuleError."""
        return await self.context.db(rules.remove, rule_id)

    async def set_active(self, rule_id: int, *, active: bool) -> Rule:
        """Let a rule act, or rest. Raises RuleError."""
        return await self.context.db(rules.set_active, rule_id, active=active)

    async def run(self, rule_id: int) -> Step | None:
        """Apply a rule to the messages in the inboxes that it matches, as one step; None where it changes nothing."""
        await indexing.catch_up(self.context)
        me = own_addresses(self.context)
        step = await self.context.db(_run, rule_id, self.context.clock(), due_times(self.context), me)
        self._tell()
        return step

    async def run_arrived(self) -> list[int]:
        """Apply the rules to mail that has arrived and is indexed; return the messages that changed."""
        if self.context.read_only:
            return []
        me = own_addresses(self.context)
        changed = await self.context.db(rules.run_arrived, self.context.clock(), due_times(self.context), me)
        if changed:
            self.context.tell(MessageChanged(tuple(changed)))
            self._tell()
        return changed

    async def log(self, limit: int = 50) -> list[Entry]:
        """Return what the rules did, newest first."""
        return await self.context.db(rules.log, limit)

    async def undo(self, entry_id: int) -> Undone:
        """Take back what a rule did, by its entry in the log. Raises RuleError where nothing is left to take back."""
        undone = await self.context.db(rules.undo, entry_id, due_times(self.context))
        self.context.tell(MessageChanged(undone.message_ids))
        self._tell()
        return undone

    def _tell(self) -> None:
        self.context.tell(FolderChanged())
        self.context.tell(JournalChanged())


def _suggestion(raw: bytes) -> str:
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    envelope = parse.envelope(parse.split_header(raw))
    if envelope.list_post:
        return f"list:{envelope.list_post}"
    sender = next((one.email for one in envelope.sender if one.email), "")
    return f'from:"{sender}"' if any(char in sender for char in ' "()') else f"from:{sender}" if sender else ""


def _trial(store: Store, condition: Query, named: int) -> Trial:
    found: Sequence[Placement] = rules.matches(store, condition)
    newest = messages.rows(store, [one.message_id for one in found[:named]])
    return Trial(len(found), tuple(newest))


def _run(store: Store, rule_id: int, now: int, due: dict[str, int | None], me: Sequence[str]) -> Step | None:
    rule = rules.get(store, rule_id)
    seen = rules.matches(store, language.checked_query(rule.query, now, me))
    return rules.run(store, rule, seen, now, due) if seen else None
