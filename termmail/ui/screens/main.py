"""The main screen: the verbs. Each one changes the screen at once, then asks the engine, then says what was done."""

# ruff: noqa: D102 - what an action does stands in the table of keys.py

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from termmail.accounts.credentials import PasswordError
from termmail.mail.recipients import ComposeError
from termmail.net.net_errors import NetError
from termmail.store.store_errors import StoreError
from termmail.ui.humanize import GONE, count
from termmail.ui.screens.main_search import FindingScreen
from termmail.ui.screens.main_view import UNSENT
from termmail.ui.workers import behind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from termmail.mail.message import Draft
    from termmail.ui.widgets.message_list import MessageList


class InboxScreen(FindingScreen):
    """The verbs of a message: they act on what is selected, else on the message under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._in_turn = asyncio.Lock()
        """What can be taken back is done in the order of its keys."""
        self._taken_off: set[int] = set()
        """Messages that a verb has taken off a list, and that undo may bring back."""

    def targets(self) -> list[int]:
        """The messages a verb acts on, in the order of the list."""
        if self.messages.selected:
            return [i for i in self.messages.ids if i in self.messages.selected]
        return [self.messages.cursor_id] if self.messages.cursor_id else []

    def _able(self, *, on_unsent: bool = False) -> bool:
        """Whether a verb can do anything here; says why not."""
        if self.engine is None or not self.messages.cursor_id:
            self.status.say("There is no message here.", 3)
        elif self.engine.read_only:
            self.status.say("The data folder cannot be written: nothing can be changed.", 5)
        elif self.view.folder in UNSENT and not on_unsent:
            self.status.say(f"That is for messages; this is {self.view.folder}.", 3)
        else:
            return True
        return False

    def _do(self, work: Callable[[], Awaitable[str | None]], leaving: Sequence[int] = (), *, undo: bool = True) -> None:
        """Run a verb of the engine behind the screen that has changed already."""
        self.leaving |= set(leaving)
        if undo:
            self._taken_off |= set(leaving)
        if leaving:
            self.messages.take_out(leaving)
            self._selection_changed()
        behind(self, partial(self._done, work, leaving, undo=undo), "verbs")

    async def _done(self, work: Callable[[], Awaitable[str | None]], leaving: Sequence[int], *, undo: bool) -> None:
        try:
            async with self._in_turn if undo else nullcontext():
                words = await work()
            if words:
                key = self.termmail.keys.shown("message.undo")
                self.status.say(f"{words} · {key} brings it back" if undo and key else words)
        except (StoreError, NetError, PasswordError) as error:
            self.fail(error, self.view.account)
        except ComposeError as error:
            self.status.say(str(error))
        except KeyError:
            self.status.say(GONE)
        finally:
            self.leaving -= set(leaving)
            if leaving:
                self.stale("ids", "counts")

    def _selection_changed(self) -> None:
        chosen = len(self.messages.selected)
        self.status.right(f"{chosen} selected" if chosen else "")

    # -- selecting

    def action_list_select(self) -> None:
        if self.messages.cursor_id:
            self.messages.select(self.messages.cursor_id)
            self._selection_changed()
            if not self.whole:
                self.messages.go(self.messages.cursor + 1)

    def action_list_select_all(self) -> None:
        self.messages.select_all()
        self._selection_changed()

    # -- sorting out

    def action_message_delete(self) -> None:
        if not self._able(on_unsent=True) or self.engine is None:
            return
        ids = self.targets()
        if self.view.folder == "Drafts":
            self.ask(
                f"Discard {count(len(ids), 'draft')}?",
                "Discard",
                partial(self._do, partial(self._discard, ids), ids, undo=False),
            )
        elif self.view.folder == "Outbox":
            self._do(partial(self._take_back, ids), ids, undo=False)
        elif self.view.folder == "Trash":
            question = f"Delete {count(len(ids), 'message')} for good, here and on the server?"
            self.ask(question, "Delete", partial(self._do, partial(self.engine.delete, ids), ids, undo=False))
        else:
            self._do(partial(self.engine.delete, ids), ids)

    async def _discard(self, ids: list[int]) -> str:
        assert self.engine is not None
        for id_ in ids:
            await self.engine.discard_draft(id_)
        return f"{count(len(ids), 'draft')} discarded"

    async def _take_back(self, ids: list[int]) -> str:
        assert self.engine is not None
        rows = [await self.engine.outbox_row(id_) for id_ in ids]
        back = [row for row in rows if row.draft_id and await self.engine.cancel_outbox(row.id) is not None]
        if not all(row.draft_id for row in rows):
            return "What a program handed over has no draft to go back to. Enter offers to delete it."
        if len(back) < len(ids):
            return "What is on its way already cannot be taken back."
        return f"Not sent: {count(len(back), 'message')} back in Drafts"

    def action_message_archive(self) -> None:
        if self._able() and self.engine is not None:
            self._do(partial(self.engine.archive, ids := self.targets()), ids)

    def action_message_spam(self) -> None:
        if self._able() and self.engine is not None:
            self._do(partial(self.engine.spam, ids := self.targets()), ids)

    def action_message_move(self) -> None:
        if self._able():
            ids = self.targets()
            title = f"Move {count(len(ids), 'message')} to"
            self.choose_folder(title, lambda folder: self._move(ids, folder), moving=True)

    def _move(self, ids: list[int], folder: str) -> None:
        if self.engine is not None and folder != self.view.folder:
            self._do(partial(self.engine.move, ids, folder), ids)

    def action_message_star(self) -> None:
        if self._able() and self.engine is not None:
            ids = self.targets()
            first = self.messages.row(ids[0])
            on = not (first is not None and first.starred)
            self.messages.change(ids, starred=on)
            self._do(partial(self.engine.star, ids, on=on), undo=False)

    def action_message_read(self) -> None:
        if self._able() and self.engine is not None:
            ids = self.targets()
            first = self.messages.row(ids[0])
            unread = not (first is not None and first.unread)
            self.messages.change(ids, unread=unread)
            self._do(partial(self.engine.mark_read, ids, unread=unread), undo=False)

    def action_message_undo(self) -> None:
        """The keys that follow are meant for what comes back."""
        self.termmail.hold_keys()
        self._do(self._undo, undo=False)

    async def _undo(self) -> str | None:
        try:
            if self.engine is None:
                return None
            self.engine.last_draft = 0
            async with self._in_turn:
                here = self._taken_off.intersection(self.messages.ids)
                words = await self.engine.undo()
                await self._to_what_came_back(self._taken_off - here)
            if words and self.engine.last_draft:
                await self.write(await self.engine.load_draft(self.engine.last_draft))
            return words or "There is nothing to undo."
        finally:
            self.app.call_after_refresh(self.termmail.release_keys)

    async def _to_what_came_back(self, away: set[int]) -> None:
        """The cursor on the first message that was away and is on the list again."""
        view, ids = self.view, await self.shown_ids()
        back = next((place for place, id_ in enumerate(ids) if id_ in away), None)
        if back is not None and view == self.view:
            self._taken_off -= away.intersection(ids)
            self.messages.update(ids)
            self.messages.go(back)

    def action_mail_empty_trash(self) -> None:
        if self.engine is not None and self.view.account:
            held = self.counts.get(self.view.account, {}).get("Trash")
            if held is None or not held.total:
                self.status.say("Trash is empty.", 3)
                return
            question = f"Delete {count(held.total, 'message')} in Trash for good, here and on the server?"
            self.ask(
                question,
                "Empty Trash",
                partial(self._do, partial(self.engine.empty_trash, self.view.account), undo=False),
            )

    # -- writing

    async def write(self, draft: Draft, *, fresh: bool | None = None) -> None:
        """Open the composer; a `fresh` draft that is left unchanged is thrown away."""
        from termmail.ui.screens.composer import ComposeScreen  # noqa: PLC0415 - not needed for the first screen

        if self.engine is not None:
            screen = ComposeScreen(self.engine, draft, fresh=fresh)

            def closed(_: int | None) -> None:
                if screen.kept:
                    self.status.say("The draft is in Drafts.")

            await self.app.push_screen(screen, closed)

    def _draft(self, work: Callable[[], Awaitable[Draft]], *, fresh: bool | None = None) -> None:
        """Open the composer on a draft that is still being made; what is typed meanwhile is meant for it."""
        self.termmail.hold_keys()

        async def opened() -> None:
            try:
                await self.write(await work(), fresh=fresh)
            except BaseException:
                self.termmail.drop_keys()  # what was typed for the composer must not act on the list
                raise
            self.app.call_after_refresh(self.termmail.release_keys)

        self._do(opened, undo=False)

    def action_mail_compose(self) -> None:
        if self.engine is not None and self.engine.accounts:
            self._draft(partial(self.engine.new_draft, self.view.account))
        else:
            self.action_mail_add_account()

    def action_message_reply(self) -> None:
        if self._able() and self.engine is not None:
            self._draft(partial(self.engine.reply_draft, self.messages.cursor_id))

    def action_message_reply_all(self) -> None:
        if self._able() and self.engine is not None:
            self._draft(partial(self.engine.reply_draft, self.messages.cursor_id, everyone=True))

    def action_message_reply_list(self) -> None:
        if self._able() and self.engine is not None:
            self._draft(partial(self.engine.reply_draft, self.messages.cursor_id, to_list=True))

    def action_message_forward(self) -> None:
        if self._able() and self.engine is not None:
            self._draft(partial(self.engine.forward_draft, self.messages.cursor_id), fresh=True)

    def action_message_forward_attached(self) -> None:
        if self._able() and self.engine is not None:
            self._draft(partial(self.engine.forward_draft, self.messages.cursor_id, attached=True), fresh=True)

    def mail_to(self, url: str) -> None:
        if self.engine is not None:
            self._draft(partial(self.engine.mailto_draft, url))

    # -- opening

    def on_message_list_opened(self, event: MessageList.Opened) -> None:
        """Enter: read a message, go on with a draft, see what can be done about an outgoing one."""
        if self.engine is None:
            return
        if not event.id:
            if not self.engine.accounts:
                self.action_mail_add_account()
        elif self.view.folder == "Drafts":
            self._draft(partial(self.engine.load_draft, event.id))
        elif self.view.folder == "Outbox":
            from termmail.ui.screens.outbox_item import OutboxItemScreen  # noqa: PLC0415

            self.app.push_screen(OutboxItemScreen(self.engine, event.id), self._taken_back)
        else:
            self.read_here()

    def _taken_back(self, draft: Draft | None) -> None:
        if draft is not None:
            self.status.say("The message is in Drafts.")
