"""The input line for search and filter: results follow the typing, Enter keeps them, Esc goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from termmail.ui import typed_text
from termmail.ui.widgets.field import take_in_order

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

PAUSE = 0.12
"""Seconds without a key after which the list follows."""


class PromptInput(Input):
    """An input whose text holds nothing that a terminal would take for a command."""

    async def on_key(self, event: events.Key) -> None:
        """Edit before the next key is handled."""
        await take_in_order(self, event)

    def validate_value(self, value: str) -> str:
        """Replace what cannot be drawn."""
        return typed_text.line(value)


class Prompt(Horizontal):
    """One line that replaces the status line while it is open."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("Enter", "to what was found"), ("Esc", "back"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back"),
        Binding("down,up", "keep", "To the list"),
    ]

    class Typed(Message):
        """Posted when the typed text has changed."""

        def __init__(self, kind: str, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    class Closed(Message):
        """Posted when the prompt closes; `kept` says whether its results stay."""

        def __init__(self, kind: str, text: str, kept: bool) -> None:
            super().__init__()
            self.kind = kind
            self.text = text
            self.kept = kept

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.kind = ""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the label and the field."""
        yield Label("", id="prompt-label", markup=False)
        yield PromptInput(id="prompt-input", compact=True)

    def open(self, kind: str, label: str, placeholder: str) -> None:
        """Open the prompt; `kind` is part of every message it posts."""
        self.kind = kind
        self.query_one(Label).update(label)
        field = self.query_one(Input)
        with self.prevent(Input.Changed):
            field.value = ""
        field.placeholder = placeholder
        self.screen.add_class("-asking")
        self.screen.set_focus(field)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Report the text after a pause in the typing."""
        event.stop()
        self._stop()
        self._timer = self.set_timer(PAUSE, self._tell)

    def _tell(self) -> None:
        self.post_message(self.Typed(self.kind, self.query_one(Input).value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the results on Enter."""
        event.stop()
        self.action_keep()

    def action_keep(self) -> None:
        """Close and keep the results."""
        self._close(kept=True)

    def action_close(self) -> None:
        """Close and go back to the view before."""
        self._close(kept=False)

    def _close(self, *, kept: bool) -> None:
        self._stop()
        self.screen.remove_class("-asking")
        self.post_message(self.Closed(self.kind, self.query_one(Input).value.strip(), kept))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
