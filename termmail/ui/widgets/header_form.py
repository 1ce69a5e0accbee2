"""The head of a message that is being written: From, To, Cc, Bcc, Subject."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Select

from termmail.mail import safe
from termmail.mail.compose import ComposeError, parse_addresses
from termmail.mail.message import Address
from termmail.ui.widgets.address_input import AddressField
from termmail.ui.widgets.field import Field, LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.mail.message import Draft

ADDRESSES = ("to", "cc", "bcc")


def sender_words(engine: Engine, name: str) -> str:
    """Who an account writes as."""
    account = engine.account(name)
    return safe.address_text(Address(account.name, account.address))


class HeaderForm(Vertical):
    """Edits the header of a draft. Cc and Bcc stay folded away until they are asked for or filled."""

    def __init__(self, engine: Engine, draft: Draft) -> None:
        super().__init__(id="compose-head")
        self._engine = engine
        self._draft = draft

    def compose(self) -> ComposeResult:
        """From only where there is a choice."""
        draft, complete = self._draft, self._engine.complete
        if len(self._engine.accounts) > 1:
            choices = [(Content(sender_words(self._engine, name)), name) for name in self._engine.accounts]
            value = draft.account if draft.account in self._engine.accounts else self._engine.default_account
            yield Field("From", Select(choices, value=value, allow_blank=False, compact=True, id="from"))
        folded = not (draft.cc or draft.bcc)
        yield AddressField("To", draft.to, complete, id="to", hint="ctrl+t Cc Bcc" if folded else "")
        for name, label in (("cc", "Cc"), ("bcc", "Bcc")):
            field = AddressField(label, getattr(draft, name), complete, id=name)
            field.display = not folded
            yield field
        yield Field("Subject", LineInput(draft.subject, id="subject"))

    def _input(self, name: str) -> Input:
        return self.query_one(f"#{name}", Input)

    def _address_field(self, name: str) -> AddressField:
        return self.query_one(f"#{name}-field", AddressField)

    def _typed(self, name: str) -> str:
        """The addresses of a field, without the comma that waits for the next one."""
        return self._input(name).value.strip().rstrip(",; ")

    def filled(self, draft: Draft) -> Draft:
        """The draft with what is typed here."""
        account = str(self.query_one("#from", Select).value) if len(self._engine.accounts) > 1 else draft.account
        return replace(
            draft,
            account=account,
            to=self._typed("to"),
            cc=self._typed("cc"),
            bcc=self._typed("bcc"),
            subject=self._input("subject").value,
        )

    def first_empty(self) -> Input | None:
        """To or Subject, whichever still wants to be filled."""
        return next((field for name in ("to", "subject") if not (field := self._input(name)).value), None)

    def unfold(self) -> None:
        """Show Cc and Bcc, and go there."""
        for name in ("cc", "bcc"):
            self._address_field(name).display = True
        self._address_field("to").hint("")
        self._input("cc").focus()

    def check(self) -> bool:
        """Look at the addresses; say below a field what is wrong with it, and go to the first such field."""
        notes = {name: self._wrong(name) for name in ADDRESSES}
        if not any(notes.values()) and not any(self._typed(name) for name in ADDRESSES):
            notes["to"] = "Who is it for? Give at least one address."
        for name, words in notes.items():
            self._address_field(name).say(words)
        wrong = next((name for name in ADDRESSES if notes[name]), None)
        if wrong:
            self._address_field(wrong).display = True
            self._input(wrong).focus()
        return wrong is None

    def _wrong(self, name: str) -> str:
        try:
            parse_addresses(self._typed(name))
        except ComposeError as error:
            return str(error)
        return ""

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(Input.Changed, "AddressInput")
    def _typed_again(self, event: Input.Changed) -> None:
        self._address_field(str(event.input.id)).say("")
