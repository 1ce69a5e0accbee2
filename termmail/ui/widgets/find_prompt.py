"""The input line for words to find in the shown message: each letter moves to a hit, Enter to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from termmail.ui.widgets.prompt import PromptInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class FindInput(PromptInput):
    """The field: the keys that would scroll it go to the next hit and scroll the message."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,f3", "step(1)", "Next", show=False),
        Binding("up,shift+enter,shift+f3,f15", "step(-1)", "Previous", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
    ]

    def action_step(self, by: int) -> None:
        """Go to the next or the previous hit."""
        self.post_message(FindPrompt.Stepped(by))

    def action_page(self, by: int) -> None:
        """Scroll the message by a page."""
        self.post_message(FindPrompt.Scrolled(by))


class FindPrompt(Horizontal):
    """One line that replaces the status line while words are looked for in a message."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("Enter ↓", "next"), ("↑", "previous"), ("Esc", "close"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
    ]

    class Typed(Message):
        """Posted when the typed text has changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Stepped(Message):
        """Posted when the user wants the next hit (1) or the previous one (-1)."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Scrolled(Message):
        """Posted when the user wants another page of the message: 1 down, -1 up."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Closed(Message):
        """Posted when the prompt closes. What was found stays marked."""

    def __init__(self) -> None:
        super().__init__(id="find")

    def compose(self) -> ComposeResult:
        """Yield the label, the field and the number of hits."""
        yield Label(" Find in the message: ", id="find-label", markup=False)
        yield FindInput(id="find-input", compact=True)
        yield Label("", id="find-count", markup=False)

    def open(self, text: str) -> None:
        """Open the prompt with the words that were looked for last, selected, so that typing replaces them."""
        field = self.query_one(Input)
        with self.prevent(Input.Changed):
            field.value = text
        self.screen.add_class("-finding")
        self.screen.set_focus(field)
        field.select_all()
        self.say("")

    def say(self, words: str) -> None:
        """Show which of how many hits the user is at."""
        self.query_one("#find-count", Label).update(words)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Report the text."""
        event.stop()
        self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next hit on Enter."""
        event.stop()
        self.post_message(self.Stepped(1))

    def action_close(self) -> None:
        """Close; what was found stays marked."""
        self.screen.remove_class("-finding")
        self.post_message(self.Closed())
