"""The offer to ask a domain for its mail servers: a button that says who is asked, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Static

from termmail.engine.server_lookup import what_is_asked
from termmail.mail import sanitize

if TYPE_CHECKING:
    from textual.app import ComposeResult


class LookupOffer(Vertical):
    """Hidden where there is no domain to ask. Nothing is asked before the button or its key is pressed."""

    def __init__(self) -> None:
        super().__init__(id="lookup")
        self.domain = ""
        self.display = False

    def compose(self) -> ComposeResult:
        """Yield the button and the words below it."""
        yield Button("", compact=True, action="screen.look_up", id="look-up")
        yield Static("", id="lookup-words", markup=False)

    def offer(self, domain: str) -> None:
        """Offer to ask this domain, "" for none. What another one said is removed."""
        if domain == self.domain:
            return
        self.domain = domain
        self.display = bool(domain)
        self.query_one(Button).label = Content(sanitize.clean(f" Ask {domain} for its mail servers (F3) "))
        self.say(what_is_asked(domain) if domain else "")

    def say(self, words: str) -> None:
        """Show words below the button."""
        self.query_one("#lookup-words", Static).update(Content(sanitize.clean(words)))
