"""Makes or changes a rule: what it matches, what it does, and which messages of the Inbox it would have hit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.mail.counting import count
from termmail.mail.rule import Rule
from termmail.ui.screens import dialog
from termmail.ui.widgets.checkbox import Checkbox
from termmail.ui.widgets.field import Field, LineInput
from termmail.ui.widgets.list_row import facts
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from pathlib import PurePath

    from textual.app import ComposeResult
    from textual.timer import Timer

    from termmail.engine.mail_rules import Rules, Trial
    from termmail.mail.model import Step

PAUSE = 0.2
"""Seconds without a key after which query and verbs are tried."""

NAMED = 4
"""Messages that are named of those that match, where there is room."""

LOW = 16
"""Lines of a terminal below which only their number is said."""

VERBS = "archive · label:NAME · move:FOLDER · star · read · mute · delete"


class Made(Struct, frozen=True):
    """A rule that was saved, and whether it is to be applied to the messages that are here.

    `step` is what takes a change of a rule back; None for a new rule, and where nothing changed.
    """

    rule: Rule
    at_once: bool
    step: Step | None = None


class RuleFormScreen(dialog.Dialog[Made | None]):
    """Dismisses what was Made, or None. Nothing changes before Enter.

    `rule` is the one to change; without it a new one is made, for the given `query`.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialog.tcss", "../widgets/field.tcss", "rule_form.tcss"]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("f9,ctrl+s", "save", "Save", priority=True),
    ]

    def __init__(self, rules: Rules, query: str = "", rule: Rule | None = None) -> None:
        super().__init__()
        self._rules = rules
        self._rule = rule
        self._query_given = query if rule is None else rule.query
        self._timer: Timer | None = None
        self._tried: str | None = None
        """The query whose hits are shown; None while none are."""

    def compose(self) -> ComposeResult:
        """Yield the two fields, what the rule would have hit, and the keys."""
        verbs = "" if self._rule is None else self._rule.verbs
        with dialog.Frame(classes="dialog rule"):
            yield dialog.title("Rule for mail that arrives" if self._rule is None else "Change the rule")
            yield Field("If", LineInput(self._query_given, id="rule-query", placeholder="words, from:ada"))
            yield Field(
                "Then", LineInput(verbs, id="rule-verbs", placeholder="label:work, archive", enter_submits=True)
            )
            yield Static(VERBS, classes="rule-effects", markup=False)
            yield dialog.Trouble()
            yield Static("", classes="dialog-text rule-hits", markup=False)
            yield Checkbox("Do it now in the Inbox too", id="rule-now")
            yield dialog.quiet("Enter or F9 saves · Esc back")

    def on_mount(self) -> None:
        """Try the query, and put the cursor where there is something left to write."""
        self._try()
        self.query_one("#rule-verbs" if self._query_given else "#rule-query").focus()

    # -- what is written, tried

    @on(Input.Changed)
    def _changed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._try)

    def _try(self) -> None:
        start_worker(self, self._attempt, "try", exclusive=True)

    async def _attempt(self) -> None:
        query, verbs = self._written()
        await self._attempt_verbs(verbs)
        if query != self._tried:
            await self._attempt_query(query)

    async def _attempt_verbs(self, verbs: str) -> None:
        words = VERBS
        if verbs.strip():
            try:
                words = await self._rules.effects(verbs)
            except UserError as error:
                words = str(error) if verbs.rstrip().endswith(",") else f"{VERBS}\n{error}"
        self.query_one(".rule-effects", Static).update(Content(sanitize.clean(words)))

    async def _attempt_query(self, query: str) -> None:
        self._tried = None
        try:
            words = _hits(await self._rules.attempt(query, NAMED if self.app.size.height >= LOW else 0))
            self._tried = query
        except UserError as error:
            words = f"{error} {error.advice}"
        self.query_one(".rule-hits", Static).update(Content(words))

    def _written(self) -> tuple[str, str]:
        query, verbs = (self.query_one(name, Input).value for name in ("#rule-query", "#rule-verbs"))
        return query, verbs

    # -- saving

    @on(Input.Submitted, "#rule-verbs")
    def _submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Save the rule. What it is to hit at once must have been shown before."""
        start_worker(self, self._save, "save", exclusive=True)

    async def _save(self) -> None:
        query, verbs = self._written()
        at_once = self.query_one(Checkbox).value
        try:
            if at_once and query != self._tried:
                await self._attempt_query(query)
                if self._tried is not None:
                    self.query_one(dialog.Trouble).say("The messages below match now: press again to do it with them.")
                return
            made = await self._made(query, verbs, at_once=at_once)
        except UserError as error:
            self.query_one(dialog.Trouble).say(f"{error} {error.advice}")
        else:
            self.dismiss(made)

    async def _made(self, query: str, verbs: str, *, at_once: bool) -> Made:
        if self._rule is None:
            return Made(await self._rules.add(query, verbs), at_once)
        rule, step = await self._rules.change(Rule(self._rule.rule_id, "", query, verbs))
        return Made(rule, at_once, step)

    def action_leave(self) -> None:
        """Go back without a rule."""
        self.dismiss(None)


def _hits(trial: Trial) -> str:
    """Return what the query matches now: how many messages of the Inbox, and the newest of them."""
    if not trial.count:
        return "No message of the Inbox matches."
    lines = [f"{count(trial.count, 'message')} of the Inbox match{'es' if trial.count == 1 else ''}"]
    if not trial.newest:
        return f"{lines[0]}."
    lines = [f"{lines[0]}:", *(sanitize.cut(f"  {facts(row).who} · {facts(row).subject}", 64) for row in trial.newest)]
    if (more := trial.count - len(trial.newest)) > 0:
        lines.append(f"  and {more} more")
    return "\n".join(lines)
