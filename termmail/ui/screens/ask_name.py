"""Asks for a name, of a folder or of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from termmail.ui import typed_text
from termmail.ui.screens import dialog
from termmail.ui.widgets.field import LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class AskNameScreen(dialog.Dialog["str | None"]):
    """Dismisses the name that was typed, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, title: str, name: str = "", hint: str = 'Enter accepts the name, "/" separates levels') -> None:
        super().__init__()
        self._title = title
        self._name_given = name
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Yield the question, the field, and the keys."""
        with dialog.Frame(classes="dialog"):
            yield dialog.title(self._title)
            yield LineInput(self._name_given, id="name", enter_submits=True)
            yield dialog.quiet(f"{self._hint} · Esc back")

    def on_mount(self) -> None:
        """Put the cursor into the field."""
        self.query_one("#name").focus()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        self.dismiss(typed_text.line(event.value).strip() or None)

    def action_leave(self) -> None:
        """Go back without a name."""
        self.dismiss(None)
