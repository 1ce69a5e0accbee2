"""The form of an account: the person, the POP3 server, the SMTP server."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec.structs import asdict
from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Select, Static

from termmail.accounts.config import Account, Pop3, Smtp
from termmail.accounts.discovery import guess, note
from termmail.ui.widgets.checkbox import Checkbox
from termmail.ui.widgets.field import Field, LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from termmail.accounts.config import Imap

ADDRESS = re.compile(r'[^\s<>",;@]+@[^\s<>",;@/]+\Z')
HOST = re.compile(r"[^\s/@]+\Z")
PORT = re.compile(r"[0-9]{1,5}\Z")
NOT_AN_ADDRESS = "Your address is needed in full, such as you@example.org."
SECURITY = (("TLS", "tls"), ("STARTTLS", "starttls"), ("none, readable by anyone on the way", "none"))


class ServerForm(Vertical):
    """The fields of one server. What the user has not changed follows the guess from the address."""

    def __init__(self, kind: str, heading: str) -> None:
        super().__init__(id=kind, classes="server")
        self._kind = kind
        self._heading = heading
        self._guessed: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Yield heading, server and port, security, user."""
        kind = self._kind
        yield Static(Content(self._heading), classes="form-heading")
        port = LineInput(id=f"{kind}-port")
        port.restrict = "[0-9]{0,5}"
        server = Horizontal(LineInput(id=f"{kind}-host"), Label("Port", classes="port-label"), port)
        yield Field("Server", server, id=f"{kind}-server")
        choices = [(Content(words), value) for words, value in SECURITY]
        security = Select(choices, value="tls", allow_blank=False, compact=True, id=f"{kind}-security")
        yield Field("Security", security, id=f"{kind}-security-field")
        checkbox = Checkbox("Send my password without encryption", id=f"{kind}-cleartext")
        checkbox.display = False
        yield checkbox
        yield Field("User", LineInput(id=f"{kind}-user"), id=f"{kind}-user-field")

    def _input(self, name: str) -> Input:
        return self.query_one(f"#{self._kind}-{name}", Input)

    def _select(self) -> Select[str]:
        return self.query_one(f"#{self._kind}-security", Select)

    def _field(self, name: str) -> Field:
        return self.query_one(f"#{self._kind}-{name}", Field)

    def suggest(self, settings: Pop3 | Imap | Smtp) -> None:
        """Fill in what the user has not changed."""
        for name, value in (
            ("host", settings.host),
            ("port", str(settings.port)),
            ("user", settings.username or ""),
        ):
            if self._input(name).value in ("", self._guessed.get(name, "")):
                self._input(name).value = value
                self._guessed[name] = value
        if self._select().value == self._guessed.get("security", "tls"):
            self._guessed["security"] = settings.security
            self._select().value = settings.security

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        """Let typing replace a guess, and clear the error that it mends."""
        name = (event.input.id or "").removeprefix(f"{self._kind}-")
        event.input.select_on_focus = event.value == self._guessed.get(name)
        if name in {"host", "port"}:
            self._field("server").say("")  # it was about another one

    @on(Select.Changed)
    def _security_changed(self, event: Select.Changed) -> None:
        """Set the usual port of the new security, and show the box that confirms going without."""
        usual = {str(self._usual_port(value)) for _, value in SECURITY}
        if self._input("port").value in usual | {""}:
            self._input("port").value = self._guessed["port"] = str(self._usual_port(str(event.value)))
        self.query_one(Checkbox).display = event.value == "none"
        self._field("security-field").say("")

    @on(Checkbox.Changed)
    def _meant(self) -> None:
        self._field("security-field").say("")

    def _usual_port(self, security: str) -> int:
        kind = Pop3 if self._kind == "pop3" else Smtp
        return kind(host="localhost", security=security).port  # type: ignore[arg-type]  # one of SECURITY

    def _wrong(self) -> tuple[str, str]:
        """Return which of "host" and "port" is wrong and a sentence about it; "" twice where neither is."""
        host, port = self._input("host").value.strip(), self._input("port").value.strip()
        if not HOST.match(host):
            return "host", "The name of the server, such as mail.example.org."
        if not (PORT.match(port) and 1 <= int(port) <= 65535):
            return "port", "The port is a number from 1 to 65535."
        return "", ""

    @on(Input.Blurred)
    def _left(self) -> None:
        """Show what is wrong when a field is left; an empty one may still be filled from the address."""
        name, words = self._wrong()
        self._field("server").say(words if name and self._input(name).value.strip() else "")

    def miss(self) -> Field:
        """Focus the name of a server that could not be reached, and return its field."""
        self._input("host").focus()
        self._field("server").say("Not reached. Check the name and the port.")
        return self._field("server")

    def settings(self) -> dict[str, object] | None:
        """Return the arguments of Pop3 or Smtp, or None after showing what is wrong."""
        host, port = self._input("host").value.strip(), self._input("port").value.strip()
        security, user = str(self._select().value), self._input("user").value.strip()
        wrong, words = self._wrong()
        self._field("server").say(words)
        cleartext = self.query_one(Checkbox).value
        unmeant = security == "none" and not cleartext
        self._field("security-field").say("Tick the line below if you mean it, or choose TLS." if unmeant else "")
        if wrong or unmeant:
            (self._input(wrong) if wrong else self.query_one(Checkbox)).focus()
            return None
        return {
            "host": host,
            "port": int(port),
            "security": security,
            "username": user,
            "allow_cleartext": security == "none",
        }


class AccountForm(Vertical):
    """All fields of an account. `read()` returns it, or shows beside the fields what is missing."""

    def compose(self) -> ComposeResult:
        """Yield the person, the servers (filled in from the address), and the rarely needed fields."""
        yield Field("Address", LineInput(id="address", placeholder="you@example.org"), id="address-field")
        yield Field("Your name", LineInput(id="name", placeholder="such as Ada Lovelace"))
        yield Field("Password", LineInput(id="password", password=True, enter_submits=True), id="password-field")
        yield ServerForm("pop3", "Incoming mail, POP3")
        yield ServerForm("smtp", "Outgoing mail, SMTP")
        yield Checkbox("Sending needs another password", id="other")
        second = Field("Password", LineInput(id="smtp-password", password=True), id="smtp-password-field")
        second.display = False
        yield second
        yield Field(
            "CA file", LineInput(id="ca-file", placeholder="only for a certificate of your own"), id="ca-file-field"
        )

    def _value(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value

    def _say(self, name: str, words: str) -> bool:
        """Show words beside a field and focus it; return whether there were any."""
        self.query_one(f"#{name}-field", Field).say(words)
        if words:
            self.query_one(f"#{name}", Input).focus()
        return bool(words)

    @property
    def touched(self) -> bool:
        """Return whether anything was typed."""
        return any(self._value(name) for name in ("address", "name", "password"))

    @on(Input.Changed)
    def _mended(self, event: Input.Changed) -> None:
        """Clear what was wrong with a field as soon as it is changed; a user name clears the refused password."""
        name = (event.input.id or "").removeprefix("pop3-").removeprefix("smtp-")
        for field in {"user": ("password", "smtp-password"), "password": ("password", "smtp-password")}.get(
            name, (event.input.id or "",)
        ):
            for found in self.query(f"#{field}-field").results(Field):
                if not found.quiet:
                    found.say("")

    @on(Input.Blurred, "#address")
    def _guess(self) -> None:
        address = self._value("address").strip()
        if ADDRESS.match(address):
            account = guess(address)
            self.query_one("#address-field", Field).say(note(address), quiet=True)
            self.query_one("#pop3", ServerForm).suggest(account.incoming)
            self.query_one("#smtp", ServerForm).suggest(account.smtp)
        else:
            self.query_one("#address-field", Field).say(NOT_AN_ADDRESS if address else "")

    @on(Checkbox.Changed, "#other")
    def _other_password(self, event: Checkbox.Changed) -> None:
        self.query_one("#smtp-password-field").display = event.checkbox.value

    def refuse(self, kind: str) -> Field:
        """Focus the password that the server of this kind refused, and return its field."""
        other = kind == "smtp" and self.query_one("#other", Checkbox).value
        words = "Not accepted. Check it and the user name; many providers want an app password."
        name = "smtp-password" if other else "password"
        self._say(name, words)
        return self.query_one(f"#{name}-field", Field)

    def miss(self, kind: str) -> Field:
        """Focus the name of the server of this kind, which could not be reached, and return its field."""
        return self.query_one(f"#{kind}", ServerForm).miss()

    def read(self) -> tuple[Account, str, str | None] | None:
        """Return the account, the password, and the SMTP password if it is another one; None where something is missing."""
        address = self._value("address").strip()
        wrong = self._say("address", "" if ADDRESS.match(address) else NOT_AN_ADDRESS)
        if wrong:
            return None
        self._guess()
        pop3 = self.query_one("#pop3", ServerForm).settings()
        smtp = self.query_one("#smtp", ServerForm).settings() if pop3 else None
        if pop3 is None or smtp is None:
            return None
        password = self._value("password")
        if self._say("password", "" if password or not pop3["username"] else "The password your provider gave you."):
            return None
        other = self._value("smtp-password") if self.query_one("#other", Checkbox).value else None
        if self._say("smtp-password", "The password for sending." if other == "" else ""):
            return None
        if typed := self._value("ca-file").strip():
            ca_file = os.path.abspath(os.path.expanduser(typed))  # noqa: PTH100, PTH111 - pathlib raises on ~nobody
            if self._say("ca-file", "" if os.path.isfile(ca_file) else "There is no such file."):  # noqa: PTH113
                return None
            pop3["tls_ca_file"] = smtp["tls_ca_file"] = ca_file
        account = Account(
            address=address,
            name=self._value("name").strip(),
            pop3=Pop3(**{**asdict(guess(address).incoming), **pop3}),
            smtp=Smtp(**smtp),  # type: ignore[arg-type]  # settings() names exactly these
        )
        return account, password, other
