"""The first line of the composer: what is written, from which account, and when it was saved."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from termmail.ui.widgets.header_form import sender_words

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.mail.message import Draft


class ComposeTitle(Horizontal):
    """A title line. `fresh`: the draft was not opened again from Drafts."""

    def __init__(self, engine: Engine, draft: Draft, *, fresh: bool) -> None:
        super().__init__(id="compose-title")
        what = "Reply" if draft.answers else "Forward" if draft.forwards else "New message"
        self._words = what if fresh else "Draft"
        if len(engine.accounts.names) == 1:  # else there is a From line to choose it
            self._words += f" · from {sender_words(engine, draft.account)}"
        self._saved = Static("", id="compose-saved", markup=False)

    def compose(self) -> ComposeResult:
        """Yield the words at the left and the time at the right."""
        yield Static(Content(self._words), id="compose-name")
        yield self._saved

    def say_reminder(self, words: str) -> None:
        """Show when the message comes back if nobody answers it; "" where it does not."""
        reminder = f"Reminder {words} · " if words else ""
        self.query_one("#compose-name", Static).update(Content(reminder + self._words))

    def say_saved(self) -> None:
        """Show the local time as that of the last saving."""
        self._saved.update(f"Saved {datetime.now().astimezone():%H:%M}")
