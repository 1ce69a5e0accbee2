"""The end of triage: what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class TriageDoneScreen(dialog.Dialog[None]):
    """Says how many messages were seen and, a line each, what was done with them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,escape,q,space,t", "leave", "Back to the list")]

    def __init__(self, title: str, lines: Sequence[str], undo: str) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._undo = undo

    def compose(self) -> ComposeResult:
        """Yield the title, the lines, and the keys."""
        with dialog.Frame(classes="dialog"):
            yield dialog.title(self._title)
            for line in self._lines or ["Nothing was changed."]:
                yield dialog.text(line)
            undo = f" · {self._undo} there undoes the steps, one by one" if self._undo and self._lines else ""
            yield dialog.quiet(f"Enter goes to the list{undo}")

    def action_leave(self) -> None:
        """Go back to the list."""
        self.dismiss(None)
