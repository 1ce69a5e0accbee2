"""The input line for search and filter: results follow the typing, Enter keeps them, Esc goes back.

The line above it says what the query means, or what is wrong with it, and what Tab would complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widget import Widget
from textual.widgets import Input, Label

from termmail.mail import sanitize
from termmail.ui import typed_text
from termmail.ui.widgets.field import take_in_order
from termmail.ui.widgets.message_header import broken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from termmail.mail.query_words import Completion

WIDEST = 24
"""Cells of one completion, at most."""

MOST_LINES = 3
"""Lines of what is said of a text, at most."""


class Advice(Widget):
    """What is said of the typed text, and what can be typed next; on more than one line where it is long."""

    def __init__(self) -> None:
        super().__init__(id="prompt-advice")
        self.words = ""
        self.completions: Sequence[Completion] = ()
        self.is_problem = False
        self.counted = ""
        """How many rows of the list the typed text selects; it stands before the words."""

    def show(self, words: str, completions: Sequence[Completion], *, is_problem: bool) -> None:
        """Show these words and completions."""
        self.words, self.completions, self.is_problem = sanitize.clean(words), completions, is_problem
        lines = len(self._lines())
        if self.styles.height is None or self.styles.height.value != lines:
            self.styles.height = lines
        self.refresh()

    def on_resize(self) -> None:
        """Take as many lines as the words need in another width."""
        self.show(self.words, self.completions, is_problem=self.is_problem)

    def _lines(self) -> list[str]:
        """Return the words broken into at most MOST_LINES lines; what does not fit is cut at the end of the last."""
        width = max(1, self.size.width - 2)
        lines = broken(" · ".join(filter(None, (self.counted, self.words))), width)
        first, rest = lines[: MOST_LINES - 1], lines[MOST_LINES - 1 :]
        return [*first, sanitize.cut(" ".join(rest), width)] if rest else first

    def render(self) -> Content:
        """Return the words, and as many completions as fit at the right of them."""
        width = self.size.width - 2
        *above, words = self._lines()
        offers: list[tuple[str, str]] = []
        room = width - cell_len(words) - (3 if words else 0) - 4
        for place, one in enumerate(self.completions):
            shown = sanitize.cut(sanitize.clean(one.shown), WIDEST)
            if (room := room - cell_len(shown) - 2) < 0:
                break
            offers += [("  ", ""), (shown, "bold" if place == 0 else "$quiet")]
        said = ("\n ".join([*above, words]), "$text-warning" if self.is_problem else "$quiet")
        if not offers:
            return Content.assemble(" ", said)
        return Content.assemble(" ", said, "   " if words else "", ("Tab", "$text-accent"), *offers)


class PromptInput(Input):
    """An input whose text holds nothing that a terminal would take for a command."""

    async def on_key(self, event: events.Key) -> None:
        """Edit before the next key is handled."""
        await take_in_order(self, event)

    def validate_value(self, value: str) -> str:
        """Replace what cannot be drawn."""
        return typed_text.line(value)


class QueryInput(PromptInput):
    """An input for a query; Tab completes it."""

    virtual_size = Reactive(Size(0, 0))
    """Unlike in other widgets a change of it causes no layout: the width of the field does not depend on its text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete", show=False)]

    def action_complete(self) -> None:
        """Take the first completion."""
        advice = self.screen.query_one(Advice)
        if advice.completions:
            self.value, self.cursor_position = advice.completions[0].applied(self.value)


class Prompt(Vertical):
    """Two lines that replace the status line while they are open."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Enter", "to the results"),
        ("Tab", "complete"),
        ("Esc", "back"),
    )
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

    def compose(self) -> ComposeResult:
        """Yield the advice, and below it the label and the field."""
        yield Advice()
        with Horizontal():
            yield Label("", id="prompt-label", markup=False)
            yield QueryInput(id="prompt-input", compact=True)

    @property
    def text(self) -> str:
        """What is typed, as it is."""
        return self.query_one(Input).value

    @property
    def cursor(self) -> int:
        """The place of the cursor in the text."""
        return self.query_one(Input).cursor_position

    def advise(self, words: str, completions: Sequence[Completion], *, is_problem: bool) -> None:
        """Say this of the typed text."""
        self.query_one(Advice).show(words, completions, is_problem=is_problem)

    def count(self, words: str) -> None:
        """Say how many rows of the list the typed text selects, "" for nothing."""
        advice = self.query_one(Advice)
        advice.counted = words
        advice.show(advice.words, advice.completions, is_problem=advice.is_problem)

    def open(self, kind: str, label: str, placeholder: str) -> None:
        """Open the prompt; `kind` is part of every message it posts."""
        self.kind = kind
        self.query_one(Label).update(label)
        field = self.query_one(Input)
        with self.prevent(Input.Changed):
            field.value = ""
        field.placeholder = placeholder
        self.advise("", (), is_problem=False)
        self.count("")
        self.screen.add_class("-asking")
        self.screen.set_focus(field)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Report the text."""
        event.stop()
        self.post_message(self.Typed(self.kind, event.value))

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

    def put_away(self) -> None:
        """Close without posting Closed: the caller decides what becomes of the results."""
        self.screen.remove_class("-asking")

    def _close(self, *, kept: bool) -> None:
        self.put_away()
        self.post_message(self.Closed(self.kind, self.query_one(Input).value.strip(), kept))
