"""The composer: saves the draft while it is written, keeps it when closed, closes at once when sent."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace
from textual import on, work
from textual.app import SuspendNotSupported
from textual.widgets import Input, Select, TextArea

from termmail.accounts.paths import reason
from termmail.errors import UserError
from termmail.mail import sanitize, when
from termmail.mail.counting import number
from termmail.ui import editor
from termmail.ui.actions import Place, bindings
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.dialog import Trouble, quiet
from termmail.ui.screens.dismiss_once import DismissOnce
from termmail.ui.screens.pick_path import PickPathScreen
from termmail.ui.screens.pick_time import PickTimeScreen
from termmail.ui.widgets.attachment_row import AttachmentRow
from termmail.ui.widgets.body_input import BodyInput
from termmail.ui.widgets.compose_title import ComposeTitle
from termmail.ui.widgets.header_form import HeaderForm
from termmail.ui.widgets.keybar import KeyBar
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import PurePath

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer
    from textual.worker import Worker

    from termmail.engine.engine import Engine
    from termmail.mail.message import Draft

BEAT = 1.0
"""Seconds after a change in which the draft is saved, however long the writing goes on."""

RETRY = 5.0
"""Seconds after which a draft that could not be saved is saved again."""

EDITING = "editing"
"""The folder below the data folder for texts that an editor has."""

WRITTEN = ("to", "cc", "bcc", "subject", "body")
"""The fields of a draft that a person writes."""


class ComposeScreen(DismissOnce[int | None]):
    """Edits `draft`. Dismisses the outbox id of what was sent, or None.

    `fresh` says that the draft was made for this screen: closed without a change it is discarded, even where it is
    stored already (a forward is stored at once, as its attachments are copied in).
    """

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-broad")]  # noqa: RUF012  as Textual declares it
    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialog.tcss", "../widgets/field.tcss", "composer.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Place.COMPOSER)]

    def __init__(self, engine: Engine, draft: Draft, *, fresh: bool | None = None) -> None:
        super().__init__()
        self.engine = engine
        self.draft = draft
        self._fresh = draft.id == 0 if fresh is None else fresh
        self._first = draft
        self._remind_at = draft.remind_at
        self._saving = asyncio.Lock()
        self._savings: set[asyncio.Task[bool]] = set()
        self._unsaved = ""
        """Why the last saving failed."""
        self._beat: Timer | None = None
        self._ending: Worker[None] | None = None
        self._finished = False
        self.kept = False
        """Whether the screen was closed with something written, which is a draft now."""

    # -- what is on the screen

    def compose(self) -> ComposeResult:
        """Yield the title line, the header fields, the text, the attachments and the keys.

        The widgets are kept as attributes: after they have left the tree they still hold what was typed.
        """
        self._head = HeaderForm(self.engine, self._first)
        self._body = BodyInput(self._first.body)
        self._title = ComposeTitle(self.engine, self._first, fresh=self._fresh)
        self._wrong = Trouble()
        yield self._title
        yield self._head
        yield self._wrong
        yield self._body
        if self._body.rest:
            yield quiet(f"{number(len(self._body.rest))} more characters follow and are sent. F4 shows all in $EDITOR.")
        yield AttachmentRow()
        yield KeyBar()

    def on_mount(self) -> None:
        """Put the cursor where the writing starts."""
        self.query_one(AttachmentRow).show(self.draft.attachments)
        self._show_reminder()
        self._first = self._current()
        if self._first.cursor == "body-end":
            self._body.move_cursor(self._body.document.end)
        empty = self._head.first_empty() if self._first.cursor == "to" else None
        self.set_focus(empty or self._body, scroll_visible=False)
        if self.engine.context.read_only:
            self._trouble("The mail store is read-only: what you write here is not saved and cannot be sent.")

    def _trouble(self, words: str) -> None:
        self._wrong.say(words)

    # -- what is kept

    def _current(self) -> Draft:
        """Return the draft as it is on the screen."""
        draft = self._head.filled(self.draft)
        return replace(draft, body=self._body.whole, remind_at=self._remind_at)

    def _changed(self) -> bool:
        """Return whether the user has changed a draft that was made for this screen."""
        current, first = self._current(), self._first
        return current.attachments != first.attachments or any(
            getattr(current, name).strip() != getattr(first, name).strip() for name in WRITTEN
        )

    async def _save(self, *, unchanged: bool = False) -> bool:
        """Store what is on the screen, where it differs from what is stored. Return False where that failed.

        A draft that the user has not changed is stored only with `unchanged`. A saving that has begun is not cancelled:
        a draft that was stored unnoticed would be stored a second time.
        """
        saving = asyncio.create_task(self._save_whole(unchanged=unchanged))
        self._savings.add(saving)
        saving.add_done_callback(self._savings.discard)
        return await asyncio.shield(saving)

    async def _save_whole(self, *, unchanged: bool) -> bool:
        async with self._saving:
            current = self._current()
            wanted = bool(self.draft.id) or unchanged or self._changed()
            if self._finished or not wanted or (self.draft.id and current == self.draft):
                self._saved()
                return True
            try:
                saved = await self.engine.drafts.save(current)
            except UserError as error:
                self._unsaved = f"The draft is not saved: {error}"
                self._trouble(f"{self._unsaved} It is tried again while you write.")
                return False
            if self.draft.id not in {0, saved.id}:
                self.notify("This draft was changed elsewhere too: yours is kept beside it.")
                self._take_attachments(saved)
            self.draft = replace(
                current, id=saved.id, updated=saved.updated, version=saved.version, attachments=saved.attachments
            )
            self._saved()
            self._title.say_saved()
            return True

    def _saved(self) -> None:
        if self._unsaved:
            self._unsaved = ""
            self._trouble("")

    async def keep(self) -> str:
        """Save the draft before the program ends; return why that failed, or ""."""
        return "" if await self._save() else self._unsaved

    async def _save_on_beat(self) -> None:
        if not await self._save() and self.is_attached:
            self._beat = self.set_timer(RETRY, self._on_beat)

    def _on_beat(self) -> None:
        self._beat = None
        start_worker(self, self._save_on_beat, "save")

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed)
    def _keep_soon(self) -> None:
        """Save within a beat of the first change since the last saving."""
        if self._beat is None:
            self._beat = self.set_timer(BEAT, self._on_beat)

    def on_descendant_blur(self) -> None:
        """Save when a field is left."""
        start_worker(self, self._save_on_beat, "save")

    async def on_unmount(self) -> None:
        """Save when the program is left with this screen open."""
        await self._save()

    def action_compose_copies(self) -> None:
        """Unfold Cc and Bcc and go there."""
        self._head.unfold()

    # -- the reminder

    @work(exclusive=True, group="remind", exit_on_error=False)
    async def action_compose_remind(self) -> None:
        """Choose when the message comes back, if nobody answers it."""
        without = "No reminder" if self._remind_at else ""
        question = PickTimeScreen("If nobody answers, remind me", self.engine.context.clock(), without=without)
        chosen = await self.app.push_screen_wait(question)
        if chosen is not None:
            self._remind_at = chosen
            self._show_reminder()
            self._keep_soon()

    def _show_reminder(self) -> None:
        self._title.say_reminder(when.words(self._remind_at, self.engine.context.clock()) if self._remind_at else "")

    # -- attachments

    @work(exclusive=True, group="attach", exit_on_error=False)
    async def action_compose_attach(self) -> None:
        """Choose a file and copy it into the draft."""
        path = await self.app.push_screen_wait(PickPathScreen("Attach a file", "~/"))
        if path is None:
            return
        self._trouble("")
        async with self._saving:
            try:
                draft = await self.engine.drafts.attach(self._current(), path)
            except OSError as error:
                self._trouble(f"{sanitize.clean(path.name)} cannot be attached: {reason(error)}.")
                return
            except UserError as error:
                self._trouble(str(error))
                return
            self._take_attachments(draft)

    @on(AttachmentRow.Remove)
    async def _take_out(self, event: AttachmentRow.Remove) -> None:
        async with self._saving:
            try:
                draft = await self.engine.drafts.detach(self._current(), event.file_id)
            except UserError as error:
                self._trouble(str(error))
                return
            self._take_attachments(draft)
        if not self.draft.attachments:
            self._body.focus()

    def _take_attachments(self, draft: Draft) -> None:
        self.draft = replace(self.draft, id=draft.id, attachments=draft.attachments, version=draft.version)
        self.query_one(AttachmentRow).show(draft.attachments)
        self._keep_soon()

    # -- the editor

    @work(exclusive=True, group="editor", exit_on_error=False)
    async def action_compose_editor(self) -> None:
        """Give the text to $EDITOR and take back what it leaves."""
        await self._save(unchanged=True)  # the text in the editor's file belongs to a stored draft
        body = self._body
        try:
            editor.available()
            with self.app.batch_update(), editor.terminal_given(self.app):
                text = await editor.edit(body.whole, self.engine.context.paths.data / EDITING, self.draft.id)
        except editor.EditorError as error:
            self._trouble(str(error))
        except SuspendNotSupported:
            self._trouble("This terminal cannot be handed to an editor.")
        else:
            self._trouble("")
            if text != body.whole:
                body.rest = ""
                body.replace(text, (0, 0), body.document.end)
                body.move_cursor((0, 0))
                await self._save()
        body.focus()

    # -- the ends

    async def action_compose_save(self) -> None:
        """Save now, and show when."""
        if await self._save() and self.draft.id:
            self._title.say_saved()

    def action_compose_send(self) -> None:
        """Send, and close."""
        self._end(self._send)

    def action_compose_close(self) -> None:
        """Close, and keep the draft."""
        self._end(self._close)

    def action_compose_discard(self) -> None:
        """Close, and discard the draft."""
        self._end(self._discard)

    def _end(self, how: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Send, close or discard, one at a time: a send must not be cancelled half-way and queued again."""
        if self._ending is None or self._ending.is_finished:
            self._ending = self.run_worker(how, group="end", exit_on_error=False)

    async def _send(self) -> None:
        """Send, after one question where there is a warning."""
        self._trouble("")
        if not self._head.check() or not await self._save():
            return
        concerns = await self.engine.drafts.warnings(self._current())
        question = ConfirmScreen("Before this goes out", "Send anyway", "Back", concerns)
        if concerns and not await self.app.push_screen_wait(question):
            return
        async with self._saving:
            try:
                outbox_id = await self.engine.outbox.send(self._current())
            except UserError as error:
                self._trouble(str(error))
                return
            self._finished = True
        self.dismiss(outbox_id)

    async def _close(self) -> None:
        """Close, and keep what was written as a draft."""
        if self._fresh and not self._changed():
            await self._throw_away()
        elif await self._save():
            self._finished = True
            self.kept = True
            with contextlib.suppress(UserError):  # it is kept; the server gets it a minute later
                await self.engine.drafts.close(self.draft.id)
        else:
            return
        self.dismiss(None)

    async def _discard(self) -> None:
        """Discard the draft, after a question where the user has written something."""
        question = ConfirmScreen("Discard this draft? It cannot be recovered.", "Discard", "Keep writing")
        if (not self._fresh or self._changed()) and not await self.app.push_screen_wait(question):
            return
        await self._throw_away()
        self.dismiss(None)

    async def _throw_away(self) -> None:
        async with self._saving:
            self._finished = True
            if self.draft.id:
                await self.engine.drafts.discard(self.draft.id)
