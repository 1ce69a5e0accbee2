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
from termmail.mail.rule import Ran, Rule
from termmail.store import messages, rule_runs, rules
from termmail.store.rule_runs import Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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

    async def effects(self, verbs: str) -> str:
        """Return in words what verbs do. Raises RuleError or LabelError for what a rule cannot do."""
        return await self.context.db(rules.effects, verbs)

    async def suggest(self, message_id: int) -> str:
        """Return the query of a rule for mail like this: of its mailing list, else of its sender; "" for neither."""
        raw, _ = await self.context.db(messages.raw, message_id)
        return await asyncio.to_thread(_suggestion, raw)

    async def add(self, text: str, verbs: str, name: str = "") -> Rule:
        """Save a rule: from now on it is applied to mail that arrives. Raises RuleError."""
        rule = await self.context.db(rules.add, name, text, verbs, self.context.clock())
        self.context.tell(JournalChanged())
        return rule

    async def change(self, wanted: Rule) -> tuple[Rule, Step | None]:
        """Let a rule match or do something else, as a step; None where it is so already. Raises RuleError.

        `wanted.active` is ignored; without a name the rule keeps its own.
        """
        changed = await self.context.db(rules.change, wanted, self.context.clock())
        self.context.tell(JournalChanged())
        return changed

    async def remove(self, rule_id: int) -> tuple[Rule, Step]:
        """Remove a rule, as a step; what it did stays. Raises RuleError."""
        removed = await self.context.db(rules.remove, rule_id, self.context.clock())
        self.context.tell(JournalChanged())
        return removed

    async def shift(self, rule_id: int, places: int) -> None:
        """Move a rule so many places down, or up where `places` is negative. Raises RuleError."""
        await self.context.db(rules.shift, rule_id, places)

    async def set_active(self, rule_id: int, *, active: bool) -> Rule:
        """Let a rule act, or rest. Raises RuleError."""
        return await self.context.db(rules.set_active, rule_id, active=active)

    async def missing_folders(self) -> dict[int, str]:
        """Return the folders that rules name and that no account has any more, by the rule's id."""
        return await self.context.db(_missing_folders)

    async def run(self, rule_id: int, told: Callable[[int, int], object] = lambda _done, _total: None) -> Ran:
        """Apply a rule to the messages in the inboxes that it matches, as one step.

        Many are done page by page, and `told` hears after each of how many of them it was: other work gets in between.
        Where this is cancelled, or the step is taken back meanwhile, the rest of the messages stay as they are.
        """
        await indexing.catch_up(self.context)
        moment = _moment(self.context)
        rule, seen = await self.context.db(_matched, rule_id, moment)
        ran = Ran()
        changed: list[int] = []
        try:
            for start in range(0, len(seen), rule_runs.PAGE):
                page = seen[start : start + rule_runs.PAGE]
                ran = await self.context.db(rule_runs.run, rule, page, ran, moment)
                if ran.is_stopped:
                    break
                changed += [one.message_id for one in page]
                told(start + len(page), len(seen))
        finally:
            self.context.tell(MessageChanged(tuple(changed)))
            self._tell()
        return ran

    async def run_arrived(self) -> list[int]:
        """Apply the rules to mail that has arrived and is indexed; return the messages that changed."""
        if self.context.read_only:
            return []
        changed: list[int] = []
        while True:
            page = await self.context.db(rule_runs.run_arrived, _moment(self.context))
            if page:
                changed += page
                self.context.tell(MessageChanged(tuple(page)))
                self._tell()
            if not await self.context.db(rule_runs.arrivals_wait):
                return changed

    async def log(self, limit: int = 50) -> list[Entry]:
        """Return what the rules did, newest first."""
        return await self.context.db(rule_runs.log, limit)

    async def undo(self, entry_id: int) -> Undone:
        """Take back what a rule did, by its entry in the log. Raises RuleError where nothing is left to take back."""
        undone = await self.context.db(rule_runs.undo, entry_id, due_times(self.context))
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
    found: Sequence[Placement] = rule_runs.matches(store, condition)
    newest = messages.rows(store, [one.message_id for one in found[:named]])
    return Trial(len(found), tuple(newest))


def _moment(context: Context) -> Moment:
    return Moment(context.clock(), due_times(context), own_addresses(context))


def _matched(store: Store, rule_id: int, moment: Moment) -> tuple[Rule, list[Placement]]:
    rule = rules.get(store, rule_id)
    return rule, rule_runs.matches(store, language.checked_query(rule.query, moment.now, moment.me))


def _missing_folders(store: Store) -> dict[int, str]:
    found = {rule.rule_id: rules.missing_folder(store, rule) for rule in rules.listing(store)}
    return {rule_id: name for rule_id, name in found.items() if name}
