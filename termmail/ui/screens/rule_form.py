"""Makes a rule: what it matches, what it does, and which messages of the Inbox it would have hit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.mail.counting import count
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
    from termmail.mail.rule import Rule

PAUSE = 0.2
"""Seconds without a key after which the query is tried."""

NAMED = 4
"""Messages that are named of those that match."""

VERBS = "archive · label:NAME · move:FOLDER · star · read · mute · delete"


class Made(Struct, frozen=True):
    """A rule that was saved, and whether it is to be applied to the messages that are here."""

    rule: Rule
    at_once: bool


class RuleFormScreen(dialog.Dialog[Made | None]):
    """Dismisses what was Made, or None. Nothing changes before Enter."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialog.tcss", "../widgets/field.tcss", "rule_form.tcss"]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("f9,ctrl+s", "save", "Save", priority=True),
    ]

    def __init__(self, rules: Rules, query: str) -> None:
        super().__init__()
        self._rules = rules
        self._query_given = query
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the two fields, what the rule would have hit, and the keys."""
        with dialog.Frame(classes="dialog rule"):
            yield dialog.title("Rule for mail that arrives")
            yield Field("If", LineInput(self._query_given, id="rule-query", placeholder="words, from:ada"))
            yield Field("Then", LineInput(id="rule-verbs", placeholder="label:work, archive", enter_submits=True))
            yield dialog.quiet(VERBS)
            yield dialog.Trouble()
            yield Static("", classes="dialog-text rule-hits", markup=False)
            yield Checkbox("Do it with these messages of the Inbox too", id="rule-now")
            yield dialog.quiet("Enter in “Then” or F9 saves · Esc back")

    def on_mount(self) -> None:
        """Try the query, and put the cursor where there is something left to write."""
        self._try()
        self.query_one("#rule-verbs" if self._query_given else "#rule-query").focus()

    @on(Input.Changed, "#rule-query")
    def _changed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._try)

    def _try(self) -> None:
        start_worker(self, partial(self._attempt, self.query_one("#rule-query", Input).value), "try", exclusive=True)

    async def _attempt(self, text: str) -> None:
        try:
            words = _hits(await self._rules.attempt(text, NAMED))
        except UserError as error:
            words = f"{error} {error.advice}"
        self.query_one(".rule-hits", Static).update(Content(words))

    @on(Input.Submitted, "#rule-verbs")
    def _submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Save the rule."""
        start_worker(self, self._save, "save", exclusive=True)

    async def _save(self) -> None:
        query, verbs = (self.query_one(name, Input).value for name in ("#rule-query", "#rule-verbs"))
        try:
            rule = await self._rules.add(query, verbs)
        except UserError as error:
            self.query_one(dialog.Trouble).say(f"{error} {error.advice}")
        else:
            self.dismiss(Made(rule, self.query_one(Checkbox).value))

    def action_leave(self) -> None:
        """Go back without a rule."""
        self.dismiss(None)


def _hits(trial: Trial) -> str:
    """Return what the query matches now: how many messages of the Inbox, and the newest of them."""
    if not trial.count:
        return "No message of the Inbox matches."
    lines = [f"{count(trial.count, 'message')} of the Inbox match{'es' if trial.count == 1 else ''}:"]
    lines += [sanitize.cut(f"  {facts(row).who} · {facts(row).subject}", 64) for row in trial.newest]
    if (more := trial.count - len(trial.newest)) > 0:
        lines.append(f"  and {more} more")
    return "\n".join(lines)
