"""A field for addresses that completes them from the contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from termmail.mail import sanitize
from termmail.mail.compose import format_addresses
from termmail.ui.widgets.field import Field, LineInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual import events
    from textual.app import ComposeResult

    from termmail.mail.message import Address

    Complete = Callable[[str], Awaitable[Sequence[Address]]]

MOST = 8
WIDEST = 60
"""Choices that are shown, and cells of each."""


def fragment(text: str, cursor: int) -> tuple[int, int]:
    """Return start and end of the address at `cursor`: between commas that are not inside quotes."""
    start, quoted, escaped = 0, False, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\" and quoted:
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char in ",;" and not quoted:
            if index >= cursor:
                return start, index
            start = index + 1
    return start, len(text)


class AddressChoices(Widget):
    """The addresses that would complete what is typed, one a line, below the field."""

    class Chosen(Message):
        """Posted when a choice is clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__()
        self.addresses: tuple[Address, ...] = ()
        self.cursor: int | None = None

    @property
    def shown(self) -> bool:
        """Return whether there is anything to choose."""
        return bool(self.addresses)

    def show(self, addresses: Sequence[Address], cursor: int | None) -> None:
        """Show these addresses, with the cursor on one of them or on none."""
        self.addresses = tuple(addresses[:MOST])
        self.cursor = cursor if self.shown else None
        self.set_class(self.shown, "-shown")
        self.refresh(layout=True)

    def move(self, rows: int) -> None:
        """Move the cursor, from the last choice to the first."""
        at = self.cursor if self.cursor is not None else (-1 if rows > 0 else 0)
        self.cursor = (at + rows) % len(self.addresses)
        self.refresh()

    def render(self) -> Content:
        """Return one line for each; the one under the cursor is reversed and marked, as not every terminal has colour."""
        lines = []
        for index, address in enumerate(self.addresses):
            under = index == self.cursor
            words = sanitize.cut(sanitize.address_text(address), WIDEST)
            lines.append(Content.assemble((f"{'›' if under else ' '} {words} ", "reverse" if under else "")))
        return Content("\n").join(lines)

    def on_click(self, event: events.Click) -> None:
        """Choose by the mouse."""
        if 0 <= event.y < len(self.addresses):
            self.post_message(self.Chosen(event.y))


class AddressInput(LineInput):
    """Takes a list of addresses.

    While choices are shown, Tab and Enter accept the one under the cursor, up and down move it, Esc hides them.
    Without choices these keys do what they do everywhere.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "hide", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self, value: str, choices: AddressChoices, complete: Complete, *, id: str) -> None:  # noqa: A002
        super().__init__(value, id=id)
        self._choices = choices
        self._complete = complete
        self._asked = ""
        self._answered = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Esc to the screen while no choices are shown."""
        if action == "hide":
            return self._choices.shown
        return super().check_action(action, parameters)

    async def on_key(self, event: events.Key) -> None:
        """Take the choice under the cursor on Tab and Enter, unless it was offered for other letters."""
        start, end = fragment(self.value, self.cursor_position)
        current = self.value[start:end].strip() == self._answered
        if event.key in {"tab", "enter"} and self._choices.cursor is not None and current and self.has_focus:
            self.take(self._choices.cursor)
            event.stop()
            event.prevent_default()

    def on_input_changed(self) -> None:
        """Ask for choices for what is typed at the cursor."""
        start, end = fragment(self.value, self.cursor_position)
        asked = self.value[start:end].strip()
        if not self.has_focus or self.cursor_position < len(self.value[:end].rstrip()) or len(asked) < 1:
            self._hide()
        elif asked != self._asked:
            self._asked = asked
            self.run_worker(self._ask(asked), exclusive=True, group="complete", exit_on_error=False)

    async def _ask(self, asked: str) -> None:
        """Show the choices. A whole address is replaced by a longer one only when the user moves there."""
        addresses = await self._complete(asked)
        start, end = fragment(self.value, self.cursor_position)
        if self.value[start:end].strip() != asked or not self.has_focus:
            return
        if any(asked.lower() in {a.email.lower(), sanitize.address_text(a).lower()} for a in addresses):
            addresses = ()
        self._answered = asked
        whole = "@" in asked and "." in asked.rpartition("@")[2]
        self._choices.show(addresses, None if whole else 0)

    def _hide(self) -> None:
        self._asked = ""
        if self._choices.shown:
            self._choices.show((), None)

    def take(self, index: int) -> None:
        """Replace what was typed by a choice, ready for the next address."""
        start, end = fragment(self.value, self.cursor_position)
        chosen = (" " if start else "") + format_addresses([self._choices.addresses[index]])
        rest = self.value[end:].lstrip(",; ")
        self._hide()
        self.value = f"{self.value[:start]}{chosen}, {rest}"
        self.cursor_position = start + len(chosen) + 2

    def action_hide(self) -> None:
        """Hide the choices and keep the text as typed."""
        self._hide()

    def action_move(self, rows: int) -> None:
        """Move among the choices, else among the fields."""
        if self._choices.shown:
            self._choices.move(rows)
        elif rows > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def on_blur(self) -> None:
        """Hide the choices when the field loses the focus."""
        self._hide()


class AddressField(Field):
    """A labelled AddressInput with its choices below it."""

    def __init__(self, label: str, value: str, complete: Complete, *, id: str, hint: str = "") -> None:  # noqa: A002
        self.choices = AddressChoices()
        self.input = AddressInput(value, self.choices, complete, id=id)
        super().__init__(label, self.input, hint=hint, id=f"{id}-field")

    def compose(self) -> ComposeResult:
        """Yield the field, then the choices."""
        yield from super().compose()
        yield self.choices

    def on_address_choices_chosen(self, event: AddressChoices.Chosen) -> None:
        """Take the choice that was clicked."""
        event.stop()
        self.input.take(event.index)
