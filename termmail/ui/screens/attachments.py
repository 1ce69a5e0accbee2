"""The attachments of a message: list them, save them under a new name, show pictures, open them with the desktop."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from termmail.accounts.paths import reason
from termmail.engine.picture_pixels import is_picture
from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.mail.counting import count
from termmail.ui import desktop, humanize
from termmail.ui.screens import dialog
from termmail.ui.screens.ask_name import AskNameScreen
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.pick_path import PickPathScreen, home_short
from termmail.ui.screens.picture import PictureScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.mail.message import Message, Part

PAGE = 40
"""Attachments that are listed at a time."""

ACTIVE_TYPES = {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"}
"""Types that a browser runs programs from, and may load things for."""


def caution(part: Part) -> str:
    """Return why a person should think before opening this part, or ""."""
    if part.warning:
        return part.warning
    if part.content_type in ACTIVE_TYPES or part.name.lower().endswith((".html", ".htm", ".xhtml", ".svg", ".xml")):
        return "It is a page for the browser: it may run programs there and tell its sender that you opened it."
    return ""


def usual_folder() -> str:
    """Return where files go by default: ~/Downloads, else the working directory. Ends in a slash."""
    downloads = Path.home() / "Downloads"
    return _typed(downloads if downloads.is_dir() else Path.cwd())


def _typed(folder: Path) -> str:
    """Return a folder as it is typed, with a slash behind it."""
    return home_short(folder).rstrip(os.sep) + os.sep


class AttachmentsScreen(dialog.Dialog[None]):
    """Lists the parts of a message that a person may save or open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,A", "leave", "Back"),
        Binding("s", "save", "Save"),
        Binding("S", "save_all", "Save all"),
        Binding("r", "save_as", "Save under another name"),
        Binding("o", "open", "Open"),
        Binding("i", "show", "Show the picture"),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
    ]

    def __init__(self, engine: Engine, message_id: int, message: Message) -> None:
        super().__init__()
        self._engine = engine
        self._message_id = message_id
        self._parts = message.parts
        self._pictures = [part for part in message.parts if is_picture(part)]

    def compose(self) -> ComposeResult:
        """Yield the list, the result of the last action, and the keys."""
        how_many = len(self._parts)
        with dialog.Frame(classes="dialog dialog-wide"):
            yield dialog.title(count(how_many, "attachment") if how_many else "Nothing is attached to this message")
            if how_many:
                yield OptionList(classes="dialog-list", markup=False)
            yield Static("", id="done", classes="dialog-done", markup=False)
            yield dialog.Trouble()
            keys = "Enter save · r rename and save · o open · S save all · " if how_many else ""
            yield dialog.quiet(f"{'i show picture · ' if self._pictures else ''}{keys}Esc back")

    def on_mount(self) -> None:
        """Put the cursor on the first one."""
        if self._parts:
            self._fill()
            self._list.focus()
            self._list.highlighted = 0

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """List more when the cursor comes near the end of what is listed."""
        if event.option_index >= self._list.option_count - PAGE // 2:
            self._fill()

    def _fill(self) -> None:
        """List the next page of attachments: all of thousands at once would keep the screen from answering."""
        begin = self._list.option_count
        self._list.add_options([Option(_shown(part)) for part in self._parts[begin : begin + PAGE]])

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    def _chosen(self) -> Part | None:
        index = self._list.highlighted if self._parts else None
        return None if index is None else self._parts[index]

    def on_option_list_option_selected(self) -> None:
        """Save on Enter or a click."""
        self.action_save()

    def action_save(self) -> None:
        """Save the one under the cursor."""
        if part := self._chosen():
            self._save([part])

    @work(exclusive=True, exit_on_error=False)
    async def action_save_as(self) -> None:
        """Save the one under the cursor under another name."""
        if part := self._chosen():
            question = AskNameScreen(f"Save {part.name} as", part.name, "Enter goes on to the folder")
            if name := await self.app.push_screen_wait(question):
                self._save([part], name)

    def action_save_all(self) -> None:
        """Save all of them into one folder."""
        if self._parts:
            self._save(self._parts)

    @work(exclusive=True, exit_on_error=False)
    async def _save(self, parts: Sequence[Part], new_name: str = "") -> None:
        last = await self._engine.reader.save_folder()
        start = _typed(last) if last else await asyncio.to_thread(usual_folder)
        one = new_name or parts[0].name
        question = f"Save {one} in" if len(parts) == 1 else f"Save {len(parts)} attachments in"
        folder = await self.app.push_screen_wait(PickPathScreen(question, start, folders_only=True))
        if folder is None:
            return
        saved: list[Path] = []
        for part in parts:
            self._say(f"Saving {part.name}")
            try:
                saved.append(await self._engine.reader.save_part(self._message_id, part.path, folder, new_name))
            except OSError as error:
                self._say("", f"{part.name} is not saved: {reason(error)}. Choose another folder.")
                return
            except UserError as error:
                self._say("", f"{part.name} is not saved: {error}")
                return
        await self._engine.reader.remember_save_folder(folder)
        self._say("Saved: " + "\n".join(home_short(path) for path in saved))

    def action_show(self) -> None:
        """Show the picture under the cursor on the whole screen."""
        part = self._chosen()
        if part is None:
            return
        if part not in self._pictures:
            self._say("", f"{part.name} is no PNG, JPEG, GIF or WebP picture: o opens it with the desktop.")
            return
        self._say("")
        at = self._pictures.index(part)
        self.app.push_screen(PictureScreen(self._engine, self._message_id, self._pictures, at), self._back_from_picture)

    def _back_from_picture(self, part: Part | None) -> None:
        """Open the picture with the desktop, where that was asked for."""
        if part is not None:
            self._open(part)

    def action_open(self) -> None:
        """Open a copy of the one under the cursor with the desktop."""
        if part := self._chosen():
            self._open(part)

    @work(exclusive=True, exit_on_error=False)
    async def _open(self, part: Part) -> None:
        """Open a copy with the desktop, after a question where the type can do harm."""
        if why := caution(part):
            details = [why, "Open it only if you expected it from this sender."]
            if not await self.app.push_screen_wait(ConfirmScreen(f"Open {part.name}?", "Open it", "Back", details)):
                return
        self._say(f"Opening {part.name}")
        try:
            await desktop.open_file(await self._engine.reader.open_part(self._message_id, part.path))
        except OSError as error:
            self._say("", f"{part.name} cannot be opened: {reason(error)}.")
        except desktop.OpenError as error:
            self._say("", f"{error} Enter saves the file instead.")
        except UserError as error:
            self._say("", f"{part.name} cannot be opened: {error}")
        else:
            self._say(f"Opened a copy of {part.name}")

    def _say(self, done: str, trouble: str = "") -> None:
        note = self.query_one("#done", Static)
        note.update(Content(sanitize.clean_lines(done)))
        note.set_class(bool(done), "-shown")
        self.query_one(dialog.Trouble).say(trouble)

    def action_move(self, rows: int) -> None:
        """Move the cursor up or down."""
        if self._parts:
            step = self._list.action_cursor_down if rows > 0 else self._list.action_cursor_up
            step()

    def action_leave(self) -> None:
        """Go back to the message."""
        self.dismiss(None)


def _shown(part: Part) -> Content:
    name = sanitize.cut(sanitize.clean(part.name), 60)
    where = "  in the text" if part.inline else ""
    lines = [
        Content.assemble((name, "bold")),
        Content.assemble((f"  {sanitize.clean(part.content_type)}, {humanize.size(part.size)}{where}", "dim")),
    ]
    if why := caution(part):
        lines.append(Content.assemble(("  ! ", "bold $text-warning"), (sanitize.clean(why), "$text-warning")))
    return Content("\n").join(lines)
