"""The rules, and the log of what they did: switch one off, remove it, apply it now, take back what one did."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.mail.rule import Rule
from termmail.mail.step_words import step_words, undone_words
from termmail.ui.humanize import Today
from termmail.ui.screens import dialog
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from termmail.engine.mail_rules import Rules
    from termmail.mail.rule import Entry

SHOWN = 100
"""Entries of the log that are listed."""

NO_RULES = "No rules yet. {key} on a message makes one from it."


class RuleListScreen(dialog.Dialog[None]):
    """Lists the rules, and below them what they did, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("space", "switch", "On or off"),
        Binding("d,delete", "remove", "Remove"),
        Binding("a", "apply", "Apply now"),
        Binding("z", "take_back", "Take back"),
    ]

    def __init__(self, rules: Rules, key: str, now: float) -> None:
        super().__init__()
        self._rules = rules
        self._key = key
        self._today = Today.at(now)
        self._values: list[Rule | Entry | None] = []

    def compose(self) -> ComposeResult:
        """Yield the list and the keys."""
        with dialog.Frame(classes="dialog dialog-wide"):
            yield dialog.title("Rules")
            yield OptionList(classes="dialog-list", markup=False)
            yield dialog.Trouble()
            yield dialog.quiet(
                "Space: on or off · a applies a rule to the Inbox now · d removes it · z takes back an entry of the log"
            )

    def on_mount(self) -> None:
        """Read rules and log."""
        self.query_one(OptionList).focus()
        self._do(self._read)

    def _do(self, work: Callable[[], Awaitable[str | None]]) -> None:
        start_worker(self, partial(self._done, work), "rules")

    async def _done(self, work: Callable[[], Awaitable[str | None]]) -> None:
        try:
            words = await work()
            await self._read()
        except UserError as error:
            words = f"{error} {error.advice}"
        self.query_one(dialog.Trouble).say(words or "")

    async def _read(self) -> None:
        rules, log = await self._rules.listing(), await self._rules.log(SHOWN)
        shown = self.query_one(OptionList)
        place = shown.highlighted or 0
        lines: list[tuple[Content, Rule | Entry | None]] = [(self._rule(one), one) for one in rules]
        if not rules:
            lines.append((Content(NO_RULES.format(key=self._key)).stylize("$text-muted"), None))
        if log:
            lines.append((Content("What they did").stylize("bold"), None))
            lines += [(self._entry(one), one) for one in log]
        self._values = [value for _, value in lines]
        shown.clear_options()
        shown.add_options([Option(line, disabled=value is None) for line, value in lines])
        shown.highlighted = min(place, len(lines) - 1)

    def _rule(self, rule: Rule) -> Content:
        box = "[x]" if rule.active else "[ ]"
        told = "" if rule.name == f"{rule.query} → {rule.verbs}" else f"  {rule.query} → {rule.verbs}"
        return Content.assemble(f"{box} {sanitize.clean(rule.name)}", (sanitize.clean(told), "$quiet"))

    def _entry(self, entry: Entry) -> Content:
        undone = "" if entry.can_undo else "  (taken back, or final)"
        words = f"{self._today.date(entry.at):>6}  {sanitize.clean(entry.name)}: {sanitize.clean(entry.words)}"
        return Content.assemble(words, (undone, "$quiet"))

    @property
    def _chosen(self) -> Rule | Entry | None:
        place = self.query_one(OptionList).highlighted
        return self._values[place] if place is not None and place < len(self._values) else None

    def action_switch(self) -> None:
        """Let the highlighted rule act, or rest."""
        if isinstance(rule := self._chosen, Rule):
            self._do(partial(self._switch, rule))

    async def _switch(self, rule: Rule) -> None:
        await self._rules.set_active(rule.rule_id, active=not rule.active)

    def action_remove(self) -> None:
        """Remove the highlighted rule."""
        if isinstance(rule := self._chosen, Rule):
            self._do(partial(self._remove, rule))

    async def _remove(self, rule: Rule) -> str:
        await self._rules.remove(rule.rule_id)
        return f"Removed: {rule.name}"

    def action_apply(self) -> None:
        """Apply the highlighted rule to the Inbox as it is."""
        if isinstance(rule := self._chosen, Rule):
            self._do(partial(self._apply, rule))

    async def _apply(self, rule: Rule) -> str:
        step = await self._rules.run(rule.rule_id)
        return "Nothing changed." if step is None else step_words(step)

    def action_take_back(self) -> None:
        """Take back the highlighted entry of the log."""
        chosen = self._chosen
        if chosen is not None and not isinstance(chosen, Rule):
            self._do(partial(self._undo, chosen))

    async def _undo(self, entry: Entry) -> str:
        return undone_words(await self._rules.undo(entry.entry_id))

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)
