"""Choose a file to attach, or a folder to save in, by typing a path that Tab completes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from termmail.accounts.paths import reason
from termmail.mail import sanitize
from termmail.ui.screens import dialog
from termmail.ui.typed_text import line
from termmail.ui.widgets.field import take_in_order

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

MOST = 200
"""Entries that are listed."""

PATIENCE = 2.0
"""Seconds that a key waits for the listing of a folder, which may be on a network."""


def home_short(path: Path) -> str:
    """Return a path with `~` for the home folder."""
    text, home = str(path), str(Path.home())
    return "~" + text[len(home) :] if text == home or text.startswith(home + os.sep) else text


def split(typed: str) -> tuple[Path, str]:
    """Return the folder of a typed path, and how the wanted name begins."""
    folder, _, prefix = typed.rpartition("/")
    if typed.startswith("~") and not folder:
        return Path.home(), ""
    return Path(folder + "/" if folder or typed.startswith("/") else ".").expanduser(), prefix


def entries(typed: str, *, folders_only: bool) -> list[tuple[str, bool]]:
    """Return the matching entries of a typed path as (name, is a folder), folders first. Raises OSError."""
    folder, prefix = split(typed)
    found: list[tuple[str, bool]] = []
    with os.scandir(folder) as scan:
        for entry in scan:
            if not entry.name.lower().startswith(prefix.lower()) or (entry.name.startswith(".") and not prefix):
                continue
            is_folder = entry.is_dir()
            if is_folder or not folders_only:
                found.append((entry.name, is_folder))
    return sorted(found, key=lambda pair: (not pair[1], pair[0].lower()))


def common_start(names: list[str]) -> str:
    """Return the longest common start of all names."""
    first, last = min(names, default=""), max(names, default="")
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]


def kind(path: str) -> tuple[Path | None, bool, bool]:
    """Return what is at a typed path: (path or None, whether it is a folder, whether it is a file)."""
    try:
        found = Path(path).expanduser()
        return found, found.is_dir(), found.is_file()
    except (OSError, ValueError, RuntimeError):  # a NUL in it, a name too long, ~nobody
        return None, False, False


class PathInput(Input):
    """A field for a path, drawn without control characters.

    It begins with a folder, which a path from the root or from home replaces.
    """

    def __init__(self, start: str) -> None:
        super().__init__(start, classes="dialog-input", select_on_focus=False)
        self._start = start

    def insert_text_at_cursor(self, text: str) -> None:
        """Replace the start folder when a path from the root or from home is typed."""
        deeper = text == "/" and not self._start.endswith("/")
        if self.value == self._start and text.startswith(("/", "~")) and not deeper:
            self.value = ""
        super().insert_text_at_cursor(text)

    async def on_key(self, event: events.Key) -> None:
        """Edit before the next key is handled."""
        await take_in_order(self, event)

    def validate_value(self, value: str) -> str:
        """Replace what cannot be drawn."""
        return line(value)


class PickPathScreen(dialog.Dialog[Path | None]):
    """Dismisses the path of an existing file (with `folders_only`, of a folder), or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("tab", "complete", "Complete", priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(8)", show=False, priority=True),
        Binding("pageup", "move(-8)", show=False, priority=True),
    ]

    def __init__(self, question: str, start: str, *, folders_only: bool = False) -> None:
        super().__init__()
        self._question = question
        self._start = start
        self._folders_only = folders_only
        self._names: list[tuple[str, bool]] = []
        self._listed_for: str | None = None
        """The typed path that `_names` belong to."""

    def compose(self) -> ComposeResult:
        """Yield the question, the field and the listing."""
        with dialog.Frame(classes="dialog dialog-wide"):  # as wide as the attachments below it
            yield dialog.title(self._question)
            yield PathInput(self._start)
            listing = OptionList(classes="dialog-list", markup=False)
            listing.can_focus = False
            yield listing
            yield dialog.Trouble()
            enter = "save here" if self._folders_only else "attach"
            yield dialog.quiet(f"Tab complete · ↑ ↓ choose · Enter {enter} · Esc cancel")

    @property
    def _typed(self) -> str:
        return self.query_one(Input).value

    def on_input_changed(self) -> None:
        """List the folder again, and clear the error of the path before."""
        self.query_one(dialog.Trouble).say("")
        self._list()

    @work(exclusive=True, group="list", exit_on_error=False)
    async def _list(self) -> None:
        await self._list_typed()

    async def _list_typed(self) -> None:
        """List what is typed now, unless that is listed already."""
        typed = self._typed
        if self._listed_for == typed:
            return
        trouble = ""
        try:
            names = await asyncio.to_thread(entries, typed, folders_only=self._folders_only)
        except OSError as error:
            names, trouble = [], f"{sanitize.clean(str(split(typed)[0]))}: {reason(error)}"
        except (ValueError, RuntimeError):  # a NUL in the path; ~nobody
            names, trouble = [], "There is no such folder."
        if self.is_attached and typed == self._typed:
            self._show(typed, names)
            if trouble:  # else what Enter said meanwhile stays
                self.query_one(dialog.Trouble).say(trouble)

    def _show(self, typed: str, names: list[tuple[str, bool]]) -> None:
        self._names, self._listed_for = names[:MOST], typed
        listing = self.query_one(OptionList)
        listing.clear_options()
        listing.add_options(
            [Option(Content(sanitize.clean(name) + ("/" if is_folder else ""))) for name, is_folder in self._names]
        )
        if len(names) > MOST:
            listing.add_option(Option(Content(f"… and {len(names) - MOST} more: type on"), disabled=True))

    async def _is_listed(self) -> bool:
        """Wait for the listing of what is typed now; the keys behind this one wait too."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._list_typed()
        except TimeoutError:
            self.query_one(dialog.Trouble).say("This folder takes long to list.")
        return self._listed_for == self._typed

    def _highlighted(self) -> tuple[str, bool] | None:
        index = self.query_one(OptionList).highlighted if self._listed_for == self._typed else None
        return self._names[index] if index is not None and index < len(self._names) else None

    def _go(self, name: str, *, is_folder: bool) -> None:
        """Append a name of the list to the folder typed so far."""
        folder = self._typed.rpartition("/")[0] if not self._typed.startswith("~") or "/" in self._typed else "~"
        field = self.query_one(Input)
        field.value = (
            (f"{folder}/" if folder or self._typed.startswith("/") else "") + name + ("/" if is_folder else "")
        )
        field.cursor_position = len(field.value)

    async def action_complete(self) -> None:
        """Complete to the entry under the cursor, else to the common start of all entries."""
        if not await self._is_listed():
            return
        chosen = self._highlighted() or (self._names[0] if len(self._names) == 1 else None)
        if chosen:
            self._go(chosen[0], is_folder=chosen[1])
        else:
            common = common_start([name for name, _ in self._names])
            if len(common) > len(split(self._typed)[1]):
                self._go(common, is_folder=False)

    async def action_move(self, rows: int) -> None:
        """Move in the list while the field keeps the focus."""
        listing = self.query_one(OptionList)
        if await self._is_listed() and self._names:
            at = -1 if listing.highlighted is None else listing.highlighted
            listing.highlighted = max(0, min(len(self._names) - 1, at + rows))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the entry that was clicked."""
        name, is_folder = self._names[event.option_index]
        self._go(name, is_folder=is_folder)

    @work(exclusive=True, group="take", exit_on_error=False)
    async def on_input_submitted(self) -> None:
        """Open the folder under the cursor, or take the path."""
        chosen = self._highlighted()
        if chosen:
            self._go(chosen[0], is_folder=chosen[1])
            if chosen[1]:
                return
        typed = self._typed
        if not typed.strip():
            return
        path, is_folder, is_file = await asyncio.to_thread(kind, self._real(typed))
        if path is None or not (is_folder or (is_file and not self._folders_only)):
            what = "folder" if self._folders_only else "file"
            self.query_one(dialog.Trouble).say(f"There is no {what} {sanitize.clean(typed)}")
        elif is_folder and not self._folders_only:
            self._go("" if typed.endswith("/") else path.name, is_folder=not typed.endswith("/"))
        else:
            self.dismiss(path)

    def _real(self, typed: str) -> str:
        """Return the real path where a name of the list had to be cleaned before it could be shown."""
        folder, slash, shown = typed.rpartition("/")
        names = [name for name, _ in self._names if name != shown and line(name) == shown]
        return folder + slash + (names[0] if names else shown)

    def action_leave(self) -> None:
        """Go back without a choice."""
        self.dismiss(None)
