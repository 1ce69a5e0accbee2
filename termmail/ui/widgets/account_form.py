"""The form of an account: the person, the server of incoming mail (IMAP or POP3), the SMTP server."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace
from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Select, Static

from termmail.accounts.config import Account, Imap, Pop3, Smtp
from termmail.accounts.discovery import guess, note, oauth_note, protocols
from termmail.engine.server_lookup import LookedUp, can_ask, why_not_asked
from termmail.ui.fetching_choices import FETCHED, USUAL, meaning
from termmail.ui.widgets.checkbox import Checkbox
from termmail.ui.widgets.choice import Choice
from termmail.ui.widgets.field import Field, LineInput
from termmail.ui.widgets.lookup_offer import LookupOffer

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from termmail.credential import MailProtocol, ServerKind
    from termmail.engine.preferences import Fetching

ADDRESS = re.compile(r'[^\s<>",;@]+@[^\s<>",;@/]+\Z')
HOST = re.compile(r"[^\s/@]+\Z")
PORT = re.compile(r"[0-9]{1,5}\Z")
NOT_AN_ADDRESS = "Your address is needed in full, such as you@example.org."
PROTOCOLS: dict[MailProtocol, str] = {"imap": "IMAP", "pop3": "POP3"}
MEANINGS: dict[MailProtocol, str] = {
    "imap": "What you read, move and file is the same on all your devices.",
    "pop3": "Mail is fetched to this machine; folders and flags stay here.",
}
SECURITY = (("TLS", "tls"), ("STARTTLS", "starttls"), ("none, readable by anyone on the way", "none"))


class ServerForm(Vertical):
    """The fields of one server. What the user has not changed follows the guess from the address.

    `id` is the prefix of the ids of the fields; `kind` is the protocol, which may change; `head` is above the fields.
    """

    def __init__(self, id: str, kind: ServerKind, head: Field | None = None) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id, classes="server")
        self._prefix = id
        self._kind = kind
        self._head = head
        self._guessed: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Yield heading, server and port, security, user."""
        prefix = self._prefix
        yield Static(Content(self._heading()), classes="form-heading")
        if self._head:
            yield self._head
        port = LineInput(id=f"{prefix}-port")
        port.restrict = "[0-9]{0,5}"
        server = Horizontal(LineInput(id=f"{prefix}-host"), Label("Port", classes="port-label"), port)
        yield Field("Server", server, id=f"{prefix}-server")
        choices = [(Content(words), value) for words, value in SECURITY]
        security = Select(choices, value="tls", allow_blank=False, compact=True, id=f"{prefix}-security")
        yield Field("Security", security, id=f"{prefix}-security-field")
        checkbox = Checkbox("Send my password without encryption", id=f"{prefix}-cleartext")
        checkbox.display = False
        yield checkbox
        yield Field("User", LineInput(id=f"{prefix}-user"), id=f"{prefix}-user-field")

    def _heading(self) -> str:
        return "Outgoing mail, SMTP" if self._kind == "smtp" else f"Incoming mail, {PROTOCOLS[self._kind]}"

    def _input(self, name: str) -> Input:
        return self.query_one(f"#{self._prefix}-{name}", Input)

    def _select(self) -> Select[str]:
        return self.query_one(f"#{self._prefix}-security", Select)

    def _field(self, name: str) -> Field:
        return self.query_one(f"#{self._prefix}-{name}", Field)

    def become(self, kind: ServerKind) -> None:
        """Take another protocol: its heading, and its port where the user has not typed another."""
        usual = self._usual_port()
        self._kind = kind
        self.query_one(".form-heading", Static).update(Content(self._heading()))
        if self._input("port").value in {str(usual), self._guessed.get("port", "")}:
            self._input("port").value = self._guessed["port"] = str(self._usual_port())
        self._field("server").say("")  # it was about another one

    def suggest(self, settings: Pop3 | Imap | Smtp, *, known: bool = True) -> None:
        """Fill in what the user has not changed; without `known` the name of the server stays empty."""
        own_security = self._select().value != self._guessed.get("security", "tls")
        for name, value in (
            ("host", settings.host if known else ""),
            ("port", str(self._usual_port() if own_security else settings.port)),
            ("user", settings.username or ""),
        ):
            if self._input(name).value in ("", self._guessed.get(name, "")):
                self._input(name).value = value
                self._guessed[name] = value
        if not own_security:
            self._guessed["security"] = settings.security
            self._select().value = settings.security

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        """Let typing replace a guess, and clear the error that it mends."""
        name = (event.input.id or "").removeprefix(f"{self._prefix}-")
        event.input.select_on_focus = event.value == self._guessed.get(name)
        if name in {"host", "port"}:
            self._field("server").say("")  # it was about another one

    @on(Select.Changed)
    def _security_changed(self, event: Select.Changed) -> None:
        """Set the usual port of the new security, and show the box that confirms going without."""
        usual = {str(self._usual_port(value)) for _, value in SECURITY}
        if self._input("port").value in usual | {""}:
            self._input("port").value = self._guessed["port"] = str(self._usual_port())
        self.query_one(Checkbox).display = event.value == "none"
        self._field("security-field").say("")

    @on(Checkbox.Changed)
    def _meant(self) -> None:
        self._field("security-field").say("")

    def _usual_port(self, security: str = "") -> int:
        """Return the port of the protocol, for the chosen security unless another is given."""
        kinds: dict[ServerKind, type[Imap | Pop3 | Smtp]] = {"imap": Imap, "pop3": Pop3, "smtp": Smtp}
        chosen = security or str(self._select().value)
        return kinds[self._kind](host="localhost", security=chosen).port  # type: ignore[arg-type]  # one of SECURITY

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
        """Focus the name of a server that could not be reached, and return its field, which is not scrolled to."""
        self._input("host").focus(scroll_visible=False)
        self._field("server").say("Not reached. Check the name and the port.")
        return self._field("server")

    def settings(self) -> dict[str, object] | None:
        """Return the arguments of Imap, Pop3 or Smtp, or None after showing what is wrong."""
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

    def __init__(self) -> None:
        super().__init__()
        self._chosen: MailProtocol | None = None
        """What the user chose; until then it follows the address."""
        self._found: LookedUp | None = None
        """What a domain said of its servers."""

    def compose(self) -> ComposeResult:
        """Yield the person, the servers (filled in from the address), and the rarely needed fields."""
        yield Field("Address", LineInput(id="address", placeholder="you@example.org"), id="address-field")
        yield Field("Your name", LineInput(id="name", placeholder="such as Ada Lovelace"))
        yield Field("Password", LineInput(id="password", password=True, enter_submits=True), id="password-field")
        yield LookupOffer()
        choice = Field("Protocol", Choice(list(PROTOCOLS.items()), id="protocol"), id="protocol-field")
        yield ServerForm("incoming", "imap", choice)
        fetched = Select(
            [(words, words) for words in FETCHED], value=USUAL, allow_blank=False, compact=True, id="bodies"
        )
        yield Field("Bodies", fetched, id="bodies-field")
        yield ServerForm("smtp", "smtp")
        yield Checkbox("Sending needs another password", id="other")
        second = Field("Password", LineInput(id="smtp-password", password=True), id="smtp-password-field")
        second.display = False
        yield second
        yield Field(
            "CA file", LineInput(id="ca-file", placeholder="only for a certificate of your own"), id="ca-file-field"
        )

    def on_mount(self) -> None:
        """Tell what the protocol means, and what is fetched without being opened."""
        self._explain()
        self._explain_bodies()

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
        name = (event.input.id or "").removeprefix("incoming-").removeprefix("smtp-")
        for field in {"user": ("password", "smtp-password"), "password": ("password", "smtp-password")}.get(
            name, (event.input.id or "",)
        ):
            for found in self.query(f"#{field}-field").results(Field):
                if not found.quiet:
                    found.say("")

    @property
    def protocol(self) -> MailProtocol:
        """Return what mail is to be received by."""
        return cast("MailProtocol", self.query_one(Choice).value)

    def switch_protocol(self) -> None:
        """Choose the other protocol, and show the choice; what is being typed goes on in its field."""
        choice = self.query_one(Choice)
        choice.action_step(1)
        self._show_protocol()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show what the protocol means together with the choice."""
        if isinstance(event.widget, Choice):
            self._show_protocol()

    def _show_protocol(self) -> None:
        field = self.query_one("#protocol-field", Field)
        self.call_after_refresh(field.scroll_visible, animate=False, immediate=True)

    @on(Choice.Changed)
    def _protocol_chosen(self) -> None:
        """Let the servers follow the choice, which from now on does not follow the address."""
        self._chosen = self.protocol
        self.query_one("#incoming", ServerForm).become(self.protocol)
        self._explain()
        self._show_protocol()
        if ADDRESS.match(self._value("address").strip()):
            self._guess()

    def _explain(self) -> None:
        """Tell what the protocol means, and where the provider has only one."""
        has = protocols(self._value("address").strip())
        field = self.query_one("#protocol-field", Field)
        if self.protocol not in has:
            field.say(f"This provider has no {PROTOCOLS[self.protocol]}, only {PROTOCOLS[has[0]]}.")
        else:
            only = "" if len(has) > 1 else f"This provider has {PROTOCOLS[has[0]]} only. "
            field.say(only + MEANINGS[self.protocol], quiet=True)

    @property
    def _fetching(self) -> Fetching:
        return FETCHED[str(self.query_one("#bodies", Select).value)]

    @on(Select.Changed, "#bodies")
    def _explain_bodies(self) -> None:
        """Tell when bodies are fetched, and what search covers."""
        self.query_one("#bodies-field", Field).say(meaning(self._fetching), quiet=True)

    @on(Input.Blurred, "#address")
    def _guess(self) -> None:
        address = self._value("address").strip()
        if not ADDRESS.match(address):
            self.query_one("#address-field", Field).say(NOT_AN_ADDRESS if address else "")
            return
        has = protocols(address)
        domain = can_ask(address)
        self.query_one(LookupOffer).offer(domain)
        found = self._found if self._found is not None and self._found.domain == domain else LookedUp(domain)
        protocol = self._chosen or (found.protocols or has)[0]
        incoming = self.query_one("#incoming", ServerForm)
        if protocol != self.protocol:
            self.query_one(Choice).value = protocol
            incoming.become(protocol)
        self._explain()
        account = guess(address, protocol)
        self.query_one("#address-field", Field).say(note(address, protocol), quiet=True)
        incoming.suggest(found.server(protocol) or account.incoming, known=protocol in has)
        self.query_one("#smtp", ServerForm).suggest(found.smtp or account.smtp)

    def asked(self) -> str:
        """Return the address whose domain may be asked for its servers; "" where it is missing or there is none to ask."""
        address = self._value("address").strip()
        if self._say("address", "" if ADDRESS.match(address) else NOT_AN_ADDRESS):
            return ""
        self._guess()
        if not can_ask(address):
            words = filter(None, (why_not_asked(address), note(address)))
            self.query_one("#address-field", Field).say(" ".join(words), quiet=True)
            return ""
        return address

    def take(self, found: LookedUp) -> None:
        """Fill in what a domain said of its servers, where the user has typed nothing else."""
        offer = self.query_one(LookupOffer)
        if found.domain == offer.domain:
            self._found = found
            self._guess()
            offer.say("\n".join(found.lines))

    def outside(self) -> tuple[str, list[str]]:
        """Return the domain that was asked, and the hosts in the form that it named and that are not part of it."""
        found = self._found or LookedUp("")
        hosts = dict.fromkeys(self.query_one(f"#{prefix}-host", Input).value.strip() for prefix in ("incoming", "smtp"))
        return found.domain, [host for host in hosts if host in found.outside]

    @on(Checkbox.Changed, "#other")
    def _other_password(self, event: Checkbox.Changed) -> None:
        self.query_one("#smtp-password-field").display = event.checkbox.value

    def refuse(self, kind: str) -> Field:
        """Focus the password that the server of this kind refused, and return its field, which is not scrolled to."""
        other = kind == "smtp" and self.query_one("#other", Checkbox).value
        host = self.query_one(f"#{'smtp' if kind == 'smtp' else 'incoming'}-host", Input).value
        why = oauth_note(host) or "Check it and the user name; many providers want an app password."
        name = "smtp-password" if other else "password"
        field = self.query_one(f"#{name}-field", Field)
        field.say(f"Not accepted. {why}")
        self.query_one(f"#{name}", Input).focus(scroll_visible=False)
        return field

    def miss(self, server: str) -> Field:
        """Focus the name of "incoming" or "smtp", which could not be reached, and return its field."""
        return self.query_one(f"#{server}", ServerForm).miss()

    def read(self) -> tuple[Account, str, str | None] | None:
        """Return the account, the password, and the SMTP password if it is another one; None where something is missing."""
        address = self._value("address").strip()
        wrong = self._say("address", "" if ADDRESS.match(address) else NOT_AN_ADDRESS)
        if wrong:
            return None
        self._guess()
        incoming = self.query_one("#incoming", ServerForm).settings()
        smtp = self.query_one("#smtp", ServerForm).settings() if incoming else None
        if incoming is None or smtp is None:
            return None
        password = self._value("password")
        if self._say(
            "password", "" if password or not incoming["username"] else "The password your provider gave you."
        ):
            return None
        other = self._value("smtp-password") if self.query_one("#other", Checkbox).value else None
        if self._say("smtp-password", "The password for sending." if other == "" else ""):
            return None
        if typed := self._value("ca-file").strip():
            ca_file = os.path.abspath(os.path.expanduser(typed))  # noqa: PTH100, PTH111 - pathlib raises on ~nobody
            if self._say("ca-file", "" if os.path.isfile(ca_file) else "There is no such file."):  # noqa: PTH113
                return None
            incoming["tls_ca_file"] = smtp["tls_ca_file"] = ca_file
        incoming |= self._fetching._asdict()
        guessed = guess(address, self.protocol)
        account = replace(
            guessed,
            name=self._value("name").strip(),
            **{guessed.protocol: replace(guessed.incoming, **incoming)},
            smtp=Smtp(**smtp),  # type: ignore[arg-type]  # settings() names exactly these
        )
        return account, password, other
