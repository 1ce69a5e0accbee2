"""The attached pictures of a message, one at a time, on the whole screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Center, Container
from textual.content import Content
from textual.widgets import Static

from termmail.engine import picture_pixels
from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.mail.counting import number
from termmail.mail.message import Part
from termmail.ui import humanize
from termmail.ui.screens.dismiss_once import DismissOnce
from termmail.ui.widgets.picture_view import PictureView, blank, half_block, strips

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.engine.picture_pixels import Pixels


class PictureScreen(DismissOnce[Part]):
    """Shows a picture of a message; the result is the part that the desktop is to open, or None."""

    CSS_PATH = "source.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,left,i", "leave", "Back", show=False),
        Binding("o", "open", "Open", show=False),
        Binding("right_square_bracket,j,down,space,pagedown", "turn(1)", "Next picture", show=False),
        Binding("left_square_bracket,k,up,pageup", "turn(-1)", "Previous picture", show=False),
    ]

    def __init__(self, engine: Engine, message_id: int, parts: Sequence[Part], at: int) -> None:
        super().__init__()
        self._engine = engine
        self._message_id = message_id
        self._parts = parts
        self._at = at
        self._read: tuple[int, bytes] | None = None
        """The picture that was read last, by its number, and its bytes."""

    def compose(self) -> ComposeResult:
        """Yield the title line, room for the picture, what is said in its place, and the keys."""
        yield Static(classes="source-title", markup=False)
        with Container(classes="picture-room"):
            yield PictureView()
            with Center(classes="picture-words"):
                yield Static(markup=False)
        others = "] [ others · " if len(self._parts) > 1 else ""
        yield Static(f"{others}o open · Esc back", classes="source-keys", markup=False)

    def on_mount(self) -> None:
        """Name the picture; it is drawn as soon as its room is known."""
        self._put_title(None)
        self._say("Opening the picture")

    def on_picture_view_room_changed(self) -> None:
        """Scale the picture to the room it has now."""
        self._show()

    @work(exclusive=True, exit_on_error=False)
    async def _show(self) -> None:
        view = self.query_one(PictureView)
        at, part = self._at, self._parts[self._at]
        width, height = view.size
        if not width or not height:
            return
        try:
            if self._read is None or self._read[0] != at:
                self._read = (at, await self._engine.reader.part(self._message_id, part.path))
            pixels = await picture_pixels.decode(self._read[1], width, 2 * height)
        except UserError as error:
            view.show([])
            self._say(" ".join(filter(None, (error.message, error.advice))))
            return
        draw = blank if self._engine.context.config.ui.ascii else half_block
        lines = await asyncio.to_thread(strips, pixels, draw)
        self._put_title(pixels)
        self._say("")
        view.show(lines)

    def _put_title(self, pixels: Pixels | None) -> None:
        part = self._parts[self._at]
        facts = [sanitize.cut(sanitize.clean(part.name), 60)]
        if len(self._parts) > 1:
            facts.append(f"{self._at + 1} of {len(self._parts)}")
        if pixels is not None:
            facts.append(f"{number(pixels.full_width)} × {number(pixels.full_height)}")
        facts.append(humanize.size(part.size))
        self.query_one(".source-title", Static).update(Content(" · ".join(facts)))

    def _say(self, words: str) -> None:
        """Show words in the place of the picture, or none."""
        self.query_one(".picture-words Static", Static).update(Content(sanitize.clean(words)))
        self.query_one(".picture-words").display = bool(words)

    def action_turn(self, by: int) -> None:
        """Show the next picture of the message, or the previous one."""
        at = max(0, min(self._at + by, len(self._parts) - 1))
        if at != self._at:
            self._at = at
            self._put_title(None)
            self._show()

    def action_open(self) -> None:
        """Go back, and open this picture with the desktop."""
        self.dismiss(self._parts[self._at])

    def action_leave(self) -> None:
        """Go back to the attachments."""
        self.dismiss(None)
