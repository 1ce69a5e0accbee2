"""The attachments of a draft: name and size; Del removes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from termmail.mail import sanitize
from termmail.ui import humanize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Size

    from termmail.mail.message import Attachment


NARROWEST = 8
"""Columns for which the height is computed, at least."""


class AttachmentRow(OptionList):
    """Lists attachments; hidden while there are none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,backspace,d", "remove", "Remove the attachment"),
    ]

    class Remove(Message):
        """Posted when the user removes a file."""

        def __init__(self, file_id: int) -> None:
            super().__init__()
            self.file_id = file_id

    def __init__(self) -> None:
        super().__init__(id="attachments", markup=False, compact=True)
        self._files: tuple[Attachment, ...] = ()

    def show(self, files: Sequence[Attachment]) -> None:
        """Show these files."""
        if tuple(files) == self._files:
            return
        self._files = tuple(files)
        self.clear_options()
        self.add_options([Option(_shown(file)) for file in self._files])
        self.display = bool(self._files)
        total = sum(file.size for file in self._files)
        self.border_title = (
            f"{len(self._files)} attached, {humanize.size(total)}" if len(self._files) > 1 else "Attached"
        )
        self.border_subtitle = "del removes"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the lines that the files take; Textual cannot wrap a text where there is no column for it."""
        return super().get_content_height(container, viewport, max(width, NARROWEST))

    def action_remove(self) -> None:
        """Remove the one under the cursor."""
        if self.highlighted is not None:
            self.post_message(self.Remove(self._files[self.highlighted].id))


def _shown(file: Attachment) -> Content:
    return Content.assemble(sanitize.cut(sanitize.clean(file.name), 60), "  ", (humanize.size(file.size), "dim"))
