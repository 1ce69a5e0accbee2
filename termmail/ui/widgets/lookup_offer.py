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
    from textual.widget import Widget


MARGIN_ROWS = 2
"""Rows of the view that may be left above and below an offer that is too tall for it."""


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

    def show(self) -> None:
        """Show the offer, focus its button, and scroll to all of it."""
        self.display = True
        self.query_one(Button).focus(scroll_visible=False)

    def on_descendant_focus(self) -> None:
        """Show the words together with the button."""
        self.call_after_refresh(self.scroll_visible, animate=False, immediate=True)

    def read_on(self, view: Widget) -> bool:
        """Return whether the offer can be read inside this widget: all of it, or where it is too tall, from its start on."""
        if not self.display or not self.region:
            return False
        shown = self.region.intersection(view.region)
        return shown.height >= min(self.region.height, view.region.height - MARGIN_ROWS)

    def say(self, words: str) -> None:
        """Show words below the button."""
        self.query_one("#lookup-words", Static).update(Content(sanitize.clean(words)))
