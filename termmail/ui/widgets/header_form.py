"""The header fields of a draft: From, To, Cc, Bcc, Subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Select

from termmail.mail import sanitize
from termmail.mail.compose import ComposeError, parse_addresses
from termmail.mail.message import Address
from termmail.ui.widgets.address_input import AddressField
from termmail.ui.widgets.field import Field, LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.mail.message import Draft


def sender_words(engine: Engine, name: str) -> str:
    """Return the name and address that an account writes as."""
    account = engine.accounts.settings(name)
    return sanitize.address_text(Address(account.name, account.address))


class HeaderForm(Vertical):
    """Edits the header of a draft. Cc and Bcc are hidden until they are asked for or filled."""

    def __init__(self, engine: Engine, draft: Draft) -> None:
        super().__init__(id="compose-head")
        complete, accounts = engine.drafts.complete, engine.accounts.names
        self._folded = not (draft.cc or draft.bcc)
        self._addresses = {
            "to": AddressField("To", draft.to, complete, id="to", hint="ctrl+t Cc Bcc" if self._folded else ""),
            "cc": AddressField("Cc", draft.cc, complete, id="cc"),
            "bcc": AddressField("Bcc", draft.bcc, complete, id="bcc"),
        }
        self._subject = LineInput(draft.subject, id="subject")
        self._from: Select[str] | None = None
        if len(accounts) > 1:
            choices = [(Content(sender_words(engine, name)), name) for name in accounts]
            value = draft.account if draft.account in accounts else engine.accounts.default
            self._from = Select(choices, value=value, allow_blank=False, compact=True, id="from")

    def compose(self) -> ComposeResult:
        """Yield the fields; From only where there is a choice."""
        if self._from:
            yield Field("From", self._from)
        for name, field in self._addresses.items():
            field.display = name == "to" or not self._folded
            yield field
        yield Field("Subject", self._subject)

    def _typed(self, name: str) -> str:
        """Return the addresses of a field without a trailing comma."""
        return self._addresses[name].input.value.strip().rstrip(",; ")

    def filled(self, draft: Draft) -> Draft:
        """Return the draft with what is typed here."""
        return replace(
            draft,
            account=str(self._from.value) if self._from else draft.account,
            to=self._typed("to"),
            cc=self._typed("cc"),
            bcc=self._typed("bcc"),
            subject=self._subject.value,
        )

    def first_empty(self) -> Input | None:
        """Return the first empty field of To and Subject, or None."""
        return next((field for field in (self._addresses["to"].input, self._subject) if not field.value), None)

    def unfold(self) -> None:
        """Show Cc and Bcc, and focus Cc."""
        for field in self._addresses.values():
            field.display = True
        self._addresses["to"].hint("")
        self._addresses["cc"].input.focus()

    def check(self) -> bool:
        """Check the addresses, show what is wrong below each field, and focus the first such field."""
        notes = {name: self._wrong(name) for name in self._addresses}
        if not any(self._typed(name) for name in self._addresses):
            notes["to"] = "Who is it for? Give at least one address."
        for name, field in self._addresses.items():
            field.say(notes[name])
        wrong = next((field for name, field in self._addresses.items() if notes[name]), None)
        if wrong:
            wrong.display = True
            wrong.input.focus()
        return wrong is None

    def _wrong(self, name: str) -> str:
        try:
            parse_addresses(self._typed(name))
        except ComposeError as error:
            return str(error)
        return ""

    @on(Input.Changed, "AddressInput")
    def _typed_again(self, event: Input.Changed) -> None:
        self._addresses[str(event.input.id)].say("")
