"""The rules, and the log of what they did: change, order, switch off, remove or apply one, take back what one did."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.mail.counting import count, number
from termmail.mail.rule import Rule
from termmail.mail.step_words import ran_words, undone_words
from termmail.ui.humanize import Today
from termmail.ui.screens import dialog
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from termmail.engine.mail_rules import Rules
    from termmail.engine.undo import Journal
    from termmail.mail.model import Step
    from termmail.mail.rule import Entry
    from termmail.ui.screens.rule_form import Made

SHOWN = 100
"""Entries of the log that are listed."""

KEYS = "Enter edit · Space on/off · a apply\nd remove · J K order · z undo · Esc"

NO_RULES = "No rules yet. {key} on a message makes one from it."


class RuleListScreen(dialog.Dialog[None]):
    """Lists the rules, and below them what they did, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("space", "switch", "On or off"),
        Binding("enter,e", "change", "Change"),
        Binding("shift+up,K", "shift(-1)", "Up"),
        Binding("shift+down,J", "shift(1)", "Down"),
        Binding("d,delete", "remove", "Remove"),
        Binding("a", "apply", "Apply now"),
        Binding("z", "take_back", "Take back"),
    ]

    def __init__(self, rules: Rules, journal: Journal, key: str, now: float) -> None:
        super().__init__()
        self._rules = rules
        self._journal = journal
        self._key = key
        self._today = Today.at(now)
        self._values: list[Rule | Entry | None] = []
        self._step: Step | None = None
        """What was done here last, as long as it can be taken back."""
        self._is_running = False

    def compose(self) -> ComposeResult:
        """Yield the list and the keys."""
        with dialog.Frame(classes="dialog dialog-wide dialog-editable"):
            yield dialog.title("Rules")
            yield OptionList(classes="dialog-list", markup=False)
            yield dialog.Trouble()
            yield Static(KEYS, classes="dialog-quiet", markup=False)

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
            self._said.say(f"{error} {error.advice}")
        else:
            self._said.say_done(words or "")

    @property
    def _said(self) -> dialog.Trouble:
        return self.query_one(dialog.Trouble)

    async def _read(self) -> None:
        rules, log = await self._rules.listing(), await self._rules.log(SHOWN)
        missing = await self._rules.missing_folders()
        shown = self.query_one(OptionList)
        place = shown.highlighted or 0
        lines: list[tuple[Content, Rule | Entry | None]] = [
            (self._rule(one, missing.get(one.rule_id, "")), one) for one in rules
        ]
        if not rules:
            lines.append((Content(NO_RULES.format(key=self._key)).stylize("$text-muted"), None))
        if log:
            lines.append((Content("What they did").stylize("bold"), None))
            lines += [(self._entry(one), one) for one in log]
        self._values = [value for _, value in lines]
        shown.clear_options()
        shown.add_options([Option(line, disabled=value is None) for line, value in lines])
        shown.highlighted = min(place, len(lines) - 1)

    def _rule(self, rule: Rule, missing: str) -> Content:
        box = "[x]" if rule.active else "[ ]"
        told = "" if rule.name == f"{rule.query} → {rule.verbs}" else f"  {rule.query} → {rule.verbs}"
        lacks = sanitize.clean(f"  there is no folder “{missing}” any more") if missing else ""
        return Content.assemble(
            f"{box} {sanitize.clean(rule.name)}", (sanitize.clean(told), "$quiet"), (lacks, "$text-error")
        )

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

    def action_change(self) -> None:
        """Open the highlighted rule in the form in which it was made."""
        from termmail.ui.screens.rule_form import RuleFormScreen  # noqa: PLC0415 - not needed for the list

        if not isinstance(rule := self._chosen, Rule):
            return

        def changed(made: Made | None) -> None:
            if made is not None:
                self._do(partial(self._changed, made))

        self.app.push_screen(RuleFormScreen(self._rules, rule=rule), changed)

    async def _changed(self, made: Made) -> str:
        self._step = made.step or self._step
        words = "Changed · z takes it back" if made.step else "Nothing to change."
        return await self._apply(made.rule) if made.at_once else words

    def on_option_list_option_selected(self) -> None:
        """Change a rule with Enter or a click."""
        self.action_change()

    def action_shift(self, places: int) -> None:
        """Let the highlighted rule act before or after its neighbour."""
        if isinstance(rule := self._chosen, Rule):
            self._do(partial(self._shift, rule, places))

    async def _shift(self, rule: Rule, places: int) -> None:
        await self._rules.shift(rule.rule_id, places)
        ids = [one.rule_id for one in await self._rules.listing()]
        self.query_one(OptionList).highlighted = ids.index(rule.rule_id)

    def action_remove(self) -> None:
        """Remove the highlighted rule."""
        if isinstance(rule := self._chosen, Rule):
            self._do(partial(self._remove, rule))

    async def _remove(self, rule: Rule) -> str:
        _, self._step = await self._rules.remove(rule.rule_id)
        return "Removed · z brings it back"

    def action_apply(self) -> None:
        """Apply the highlighted rule to the Inbox as it is."""
        if isinstance(rule := self._chosen, Rule):
            self._do(partial(self._apply, rule))

    async def _apply(self, rule: Rule) -> str:
        def told(done: int, total: int) -> None:
            if done < total:
                self._said.say_done(f"{number(done)} of {number(total)} messages · Esc stops")

        self._is_running = True
        try:
            ran = await self._rules.run(rule.rule_id, told)
        finally:
            self._is_running = False
        if ran.step is None:
            return ran_words(ran)
        self._step = ran.step
        return " · ".join([f"Applied: {count(ran.step.count, 'message')}", *ran.trouble, "z takes it back"])

    def action_take_back(self) -> None:
        """Take back the highlighted entry of the log; on a rule, what was done here last."""
        chosen = self._chosen
        if chosen is not None and not isinstance(chosen, Rule):
            self._do(partial(self._undo, chosen))
        elif self._step is not None:
            self._do(partial(self._take_back, self._step))

    async def _undo(self, entry: Entry) -> str:
        return undone_words(await self._rules.undo(entry.entry_id))

    async def _take_back(self, step: Step) -> str:
        self._step = None
        undone = await self._journal.undo_step(step)
        return "That cannot be taken back any more." if undone is None else undone_words(undone)

    def action_leave(self) -> None:
        """Go back; while a rule is applied, stop that: what it did by then can be taken back."""
        if self._is_running:
            self.workers.cancel_group(self, "rules")
            self._do(self._stopped)
        else:
            self.dismiss(None)

    async def _stopped(self) -> str:
        return "Stopped: the log says what was done, and z on its entry takes it back."
