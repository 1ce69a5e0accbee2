"""Ask for a password that no keyring has. It is kept for this session only, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from termmail.ui.screens import dialog
from termmail.ui.widgets.field import LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class AskPasswordScreen(dialog.Dialog[str | None]):
    """Asks for one password; `words` say which. Dismisses it, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel")]

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        """Yield the words, the field and the two answers."""
        with dialog.Frame(classes="dialog"):
            yield dialog.title(self._words)
            field = LineInput(password=True, enter_submits=True, id="password")
            yield field.add_class("dialog-input")
            yield dialog.quiet("It is kept in memory until you leave termmail, and nowhere else.")
            with Horizontal(classes="dialog-buttons"):
                yield dialog.button("Enter", "Go on", "accept")
                yield dialog.button("Esc", "Cancel", "cancel")

    def on_input_submitted(self) -> None:
        """Accept on Enter in the field."""
        self.action_accept()

    def action_accept(self) -> None:
        """Accept what was typed, unless the field is empty."""
        if password := self.query_one("#password", LineInput).value:
            self.dismiss(password)

    def action_cancel(self) -> None:
        """Dismiss without a password."""
        self.dismiss(None)
