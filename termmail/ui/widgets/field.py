"""One line of a form: a label, a widget, and a sentence below it when something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Region
from textual.widgets import Input, Label, Static

from termmail.mail import sanitize
from termmail.ui import typed_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from textual.app import ComposeResult
    from textual.widget import Widget


async def take_in_order(widget: Widget, event: events.Key, onward: Collection[str] = ()) -> None:
    """Let a key act before those pressed right after it, whether it edits or leaves by one of the `onward` keys.

    Textual gives each key to the widget that has the focus when the key is read. A letter is inserted at once, but
    Backspace, the arrows and Tab act only when they have bubbled up to the app: of many keys that arrive together,
    `teh`, two Backspaces and `he` would end as `teh`. So the field runs its own bindings itself, and passes on the
    keys that it gets after it has lost the focus.
    """
    focused = widget.screen.focused
    if focused is not widget and focused is not None:
        focused.post_message(events.Key(event.key, event.character))
    elif event.key in onward:
        widget.screen.focus_next()
    elif event.key == "shift+tab":
        widget.screen.focus_previous()
    elif _edits(widget, event):
        await widget.run_action(widget.screen.active_bindings[event.key].binding.action)
    else:
        return
    event.stop()
    event.prevent_default()


def _edits(widget: Widget, event: events.Key) -> bool:
    """Return whether the key is bound by the field itself."""
    bound = None if event.is_printable else widget.screen.active_bindings.get(event.key)
    return bound is not None and bound.node is widget and bound.enabled


class LineInput(Input):
    """One line to type in, without a border; without the focus it shows its start.

    The arrows up and down go to the fields around it, and so does Enter unless `enter_submits`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        value: str = "",
        *,
        id: str | None = None,  # noqa: A002  Textual's word
        placeholder: str = "",
        password: bool = False,
        enter_submits: bool = False,
    ) -> None:
        super().__init__(
            typed_text.line(value),
            placeholder=placeholder,
            password=password,
            id=id,
            compact=True,
            select_on_focus=False,
        )
        self._onward = {"tab"} if enter_submits else {"tab", "enter"}

    async def on_key(self, event: events.Key) -> None:
        """Leave the field on Tab, Shift+Tab and Enter, and edit, before the next key is handled."""
        await take_in_order(self, event, self._onward)

    def on_blur(self) -> None:
        """Show the start of the text."""
        self.scroll_to(x=0, animate=False)

    def on_focus(self) -> None:
        """Scroll to the cursor."""
        self.scroll_to_region(Region(self._cursor_offset, 0, width=1, height=1), animate=False)

    def validate_value(self, value: str) -> str:
        """Replace what cannot be drawn, however it was entered."""
        return typed_text.line(value)


class Field(Vertical):
    """A labelled widget of one line, with a note below it for what is wrong."""

    def __init__(self, label: str, content: Widget, *, hint: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="field")
        self._label = label
        self._content = content
        self._hint = hint
        self.quiet = True
        """Whether the note, if there is one, tells of nothing wrong."""

    def compose(self) -> ComposeResult:
        """Yield label, content and hint on one line, the note below."""
        with Horizontal(classes="field-row"):
            yield Label(Content(self._label), classes="field-label")
            yield self._content
            if self._hint:
                yield Label(Content(self._hint), classes="field-hint")
        yield Static("", classes="field-note", markup=False)

    def on_descendant_focus(self) -> None:
        """Mark the label; `:focus-within` alone leaves descendants as they were when the focus is moved by code."""
        self.add_class("-active")

    def on_descendant_blur(self) -> None:
        """Remove the mark of the label."""
        self.remove_class("-active")

    def hint(self, words: str) -> None:
        """Change the words at the right where there have been some from the start, also before they are drawn."""
        self._hint = words
        for label in self.query(".field-hint").results(Label):
            label.update(Content(words))

    def say(self, words: str, *, quiet: bool = False) -> None:
        """Show what is wrong with this field, or with `quiet` what is good to know; hide the note with ""."""
        note = self.query_one(".field-note", Static)
        note.update(Content(sanitize.clean(words)))
        note.set_class(bool(words), "-shown")
        note.set_class(quiet, "-quiet")
        self.quiet = quiet or not words
