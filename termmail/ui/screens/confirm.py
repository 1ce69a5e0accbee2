"""A question before what cannot be undone. Enter alone gives the safe answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class ConfirmScreen(dialog.Dialog[bool]):
    """Asks `question`, with the `details` below it as paragraphs, and `items` as lines. Dismisses True for yes, else False."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes"),
        Binding("n,q,escape", "no", "No"),
        Binding("right,down", "app.focus_next", show=False),
        Binding("left,up", "app.focus_previous", show=False),
    ]

    def __init__(
        self, question: str, yes: str = "Yes", no: str = "No", details: Sequence[str] = (), items: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._question = question
        self._yes = yes
        self._no = no
        self._details = details
        self._items = items

    def compose(self) -> ComposeResult:
        """Yield the question, its details and the two answers."""
        with dialog.Frame(classes="dialog"):
            yield dialog.title(self._question)
            for words in self._details:
                yield dialog.text(words)
            if self._items:
                yield dialog.listing(self._items)
            with Horizontal(classes="dialog-buttons"):
                yield dialog.button("y", self._yes, "yes")
                yield dialog.button("n", self._no, "no", id="no")

    def on_mount(self) -> None:
        """Focus the safe answer."""
        self.query_one("#no").focus()

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Answer no."""
        self.dismiss(False)
