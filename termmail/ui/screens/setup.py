"""Set up an account by address and password. Both servers are tried before anything is saved."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Select, Static

from termmail.credential import Password
from termmail.errors import ErrorCode, UserError
from termmail.mail import sanitize
from termmail.ui.screens import dialog
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.dismiss_once import DismissOnce
from termmail.ui.widgets.account_form import AccountForm
from termmail.ui.widgets.checkbox import Checkbox
from termmail.ui.widgets.choice import Choice
from termmail.ui.widgets.lookup_offer import LookupOffer

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import PurePath

    from textual.app import ComposeResult
    from textual.worker import Worker

    from termmail.accounts.config import Account
    from termmail.engine.engine import Engine


KEYS = "F9 test and save · Tab next · Esc back · F2 IMAP or POP3 · F3 find servers"


def account_name(address: str, taken: Collection[str]) -> str:
    """Return a short name for the account from its domain: "example" for ada@mail.example.org."""
    labels = [re.sub(r"[^\w-]", "", label) for label in address.rpartition("@")[2].split(".")]
    name = next((label for label in labels[-2::-1] if len(label) > 3), labels[0]).strip("-")[:40] or "mail"
    return next(unique for n in range(1, len(taken) + 2) if (unique := name if n == 1 else f"{name}-{n}") not in taken)


class Step(Horizontal):
    """One step of the try: a mark, and words that stay right of it where they are wrapped."""

    def __init__(self, mark: str, words: str, *, classes: str) -> None:
        super().__init__(classes=classes)
        self._parts = (
            Static(mark, classes="setup-mark", markup=False),
            Static(Content(sanitize.clean(words)), classes="setup-said"),
        )

    def compose(self) -> ComposeResult:
        """Yield the mark and the words."""
        yield from self._parts

    def say(self, mark: str, words: str) -> None:
        """Show another mark and other words."""
        self._parts[0].update(Content(mark))
        self._parts[1].update(Content(sanitize.clean(words)))


class SetupScreen(DismissOnce[str | None]):
    """Asks for an account, tries it, saves it. Dismisses the account's name, or None."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialog.tcss", "../widgets/field.tcss", "setup.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False),
        Binding("ctrl+j,alt+enter,ctrl+enter,f9", "try_it", "Test and save", show=False),
        Binding("f2", "switch_protocol", "IMAP or POP3", show=False),
        Binding("f3", "look_up", "Ask the domain for its mail servers", show=False),
    ]

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._trying: Worker[None] | None = None
        self._looking: Worker[None] | None = None
        self._accepted: set[str] = set()
        """Hosts outside the domain that the password may be sent to."""
        self._saved_as = ""

    def compose(self) -> ComposeResult:
        """Yield the title, the form, the results of the try, and the keys."""
        first = not self._engine.accounts.names
        with VerticalScroll(id="setup", can_focus=False):
            yield Static("Welcome to termmail" if first else "Another account", classes="setup-title")
            yield Static("Nothing is saved before both servers have answered.", classes="setup-words")
            yield AccountForm()
            yield Vertical(id="steps")
            yield dialog.Trouble()
            with Horizontal(classes="dialog-buttons", id="setup-buttons"):
                yield dialog.button("F9", "Test and save", "try_it", id="try")
                yield dialog.button("Esc", "Cancel", "leave", id="cancel")
        yield Static(KEYS, id="setup-keys")

    def on_mount(self) -> None:
        """Focus the address."""
        self.query_one("#address", Input).focus()

    @on(Input.Submitted)
    def _enough(self, event: Input.Submitted) -> None:
        """Try the account on Enter in the password."""
        if event.value:
            self.action_try_it()
        else:
            self.focus_next()

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    @on(Choice.Changed)
    def _outdated(self, event: Input.Changed | Select.Changed | Checkbox.Changed | Choice.Changed) -> None:
        """Clear the results of the last try that a change makes outdated."""
        if self._trying is None:
            self.query_one(dialog.Trouble).say("")
        changed = "incoming" if isinstance(event, Choice.Changed) else event.control.id or ""
        for server in ("incoming", "smtp") if self._trying is None else ():
            if changed in {"password", "ca-file"} or changed.startswith(server):
                self.query(f".setup-step.{server}").set(display=False)

    def action_switch_protocol(self) -> None:
        """Choose the other protocol for incoming mail, unless a try is running."""
        form = self.query_one(AccountForm)
        if not form.disabled:
            form.switch_protocol()

    # -- the servers of a domain

    def action_look_up(self) -> None:
        """Ask the domain of the address for its mail servers: pressing the key or the button is the consent.

        Where the words that say who is asked cannot be seen, they are shown instead, and the next press asks.
        """
        form, offer = self.query_one(AccountForm), self.query_one(LookupOffer)
        if form.disabled or self._looking is not None or not (address := form.asked()):
            return
        if offer.read_on(self.query_one("#setup")):
            self._looking = self._look_up(address)
        else:
            offer.show()

    @work(group="look-up", exclusive=True, exit_on_error=False)
    async def _look_up(self, address: str) -> None:
        offer, keys = self.query_one(LookupOffer), self.query_one("#setup-keys", Static)
        offer.display = True
        offer.say(f"Asking {offer.domain} …")
        keys.update("Esc stops asking")
        try:
            found = await self._engine.accounts.look_up(address)
            self.query_one(AccountForm).take(found)
        except asyncio.CancelledError:
            offer.say("Stopped asking.")
            raise
        finally:
            self._looking = None
            keys.update(KEYS)
        self.call_after_refresh(offer.scroll_visible, animate=False, immediate=True)

    def _stop_looking(self) -> bool:
        """Stop asking a domain; return whether one was asked."""
        if self._looking is None:
            return False
        self._looking.cancel()
        return True

    # -- the try

    def action_try_it(self) -> None:
        """Try both servers, one try at a time. Once the account is saved, go to it."""
        if self._saved_as:
            self.dismiss(self._saved_as)
        elif self._trying is None and (read := self.query_one(AccountForm).read()) is not None:
            self._stop_looking()
            domain, hosts = self.query_one(AccountForm).outside()
            if strangers := [host for host in hosts if host not in self._accepted]:
                self._ask_about(domain, strangers)
                return
            self.query_one(dialog.Trouble).say("")
            self._trying = self._try(*read)

    @work(group="strangers", exclusive=True, exit_on_error=False)
    async def _ask_about(self, domain: str, hosts: list[str]) -> None:
        """Ask before a password is sent to hosts outside the domain (RFC 6186 section 6), and go on after a yes."""
        why = (
            f"{domain} named {'it' if len(hosts) == 1 else 'them'}, but such an answer can be forged."
            " If you do not know the name, ask your provider."
        )
        question = ConfirmScreen(f"Send your password to {' and '.join(hosts)}?", "Send it", "Back", [why])
        if await self.app.push_screen_wait(question):
            self._accepted.update(hosts)
            self.action_try_it()

    @work(exclusive=True, exit_on_error=False)
    async def _try(self, account: Account, password: str, other: str | None) -> None:
        self._set_trying(trying=True)
        worked, refused, unreached = True, None, None
        try:
            await self.query_one("#steps").remove_children()
            asked = [
                ("incoming", f"Receiving: asking {account.incoming.host}"),
                ("smtp", f"Sending: asking {account.smtp.host}"),
            ]
            server, words = asked.pop(0)
            line = await self._line("…", words, server)
            async for step in self._engine.accounts.try_account(
                account, Password(password), None if other is None else Password(other)
            ):
                line.say("✓" if step.well else "✗", step.words)
                worked = worked and step.well
                refused = refused or step.refused
                unreached = unreached or (
                    server if step.error is not None and step.error.code is ErrorCode.OFFLINE else None
                )
                if asked:
                    server, words = asked.pop(0)
                    line = await self._line("…", words, server)
            if worked:
                await self._save(account, password, other)
        finally:
            self._trying = None
            self._set_trying(trying=False)
        if not worked:
            self.query_one(dialog.Trouble).say("Nothing is saved yet. Correct what is wrong above, then try again.")
        self.query_one(LookupOffer).display = bool(self.query_one(LookupOffer).domain) and refused is None
        if refused or unreached:
            form = self.query_one(AccountForm)
            field = form.refuse(refused) if refused else form.miss(str(unreached))
            self.call_after_refresh(field.scroll_visible, animate=False, immediate=True)
        else:
            self._show_end()

    async def _save(self, account: Account, password: str, other: str | None) -> None:
        name = account_name(account.address, self._engine.accounts.names)
        try:
            words = await self._engine.accounts.add(name, account, password, other)
        except UserError as error:
            self.query_one(dialog.Trouble).say(f"{error}")
            return
        await self._line("✓", "The account is saved.")
        await self._line("", words)
        self._saved_as = name
        self.query_one("#try", Button).label = Content(" Open your inbox (Enter) ")
        self.query_one("#cancel").display = False
        self.query_one("#setup-keys", Static).update("Enter opens your inbox")

    async def _line(self, mark: str, words: str, server: str = "") -> Step:
        line = Step(mark, words, classes=f"setup-step {server}")
        await self.query_one("#steps").mount(line)
        self._show_end()
        return line

    def _set_trying(self, *, trying: bool) -> None:
        self.query_one(AccountForm).disabled = trying or bool(self._saved_as)
        self.query_one("#try", Button).disabled = trying
        self.query_one("#setup-keys", Static).update(
            "Esc cancels the test" if trying else "Enter opens your inbox" if self._saved_as else KEYS
        )
        self.set_focus(self.query_one("#cancel" if trying else "#try"), scroll_visible=False)

    def _show_end(self) -> None:
        """Scroll to the end after the next layout."""
        self.call_after_refresh(self.query_one("#setup", VerticalScroll).scroll_end, animate=False, immediate=True)

    # -- the end

    @work(group="leave", exit_on_error=False)
    async def action_leave(self) -> None:
        """Stop a running try or look-up; else go back, after a question where something was typed."""
        if self._trying is not None:
            self._trying.cancel()
            self.query_one(dialog.Trouble).say("Stopped. Nothing is saved.")
        elif self._saved_as:
            self.dismiss(self._saved_as)
        elif not self._stop_looking():
            question = ConfirmScreen("Leave the setup? What you typed will be lost.", "Leave", "Stay")
            if not self.query_one(AccountForm).touched or await self.app.push_screen_wait(question):
                self.dismiss(None)
