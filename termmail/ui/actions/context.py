"""What a verb works on: the engine, the main screen and the parts it holds; and what a verb may require of them."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.ui.humanize import GONE
from termmail.ui.list_model import ListModel, Stale
from termmail.ui.previewing import Previewing
from termmail.ui.roles import Listing
from termmail.ui.sending_clock import SendingClock
from termmail.ui.workers import behind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from termmail.engine.engine import Engine
    from termmail.engine.views import View
    from termmail.store.rows import Row
    from termmail.ui.screens.main import MainScreen
    from termmail.ui.widgets.status import Problems, StatusLine


class Mail:
    """The open mail: exists as long as the engine is open, and belongs to the main screen."""

    def __init__(self, engine: Engine, screen: MainScreen) -> None:
        self.engine = engine
        self.screen = screen
        self.status: StatusLine = screen.status
        self.problems: Problems = screen.problems
        self.list = ListModel(engine, screen, self.fail)
        self.preview = Previewing(engine, screen, self.list, self.fail)
        self.sending = SendingClock(engine, screen)
        self.taken_off: set[int] = set()
        """Messages that a verb has taken off a list, and that undo may bring back."""
        self.in_turn = asyncio.Lock()
        """Verbs that can be undone run in the order of their keys."""

    # -- what is on the screen

    def key(self, action_id: str) -> str:
        """Return the first key of an action as the user has it, or ""."""
        return self.screen.termmail.keys.shown(action_id)

    def targets(self) -> list[int]:
        """Return the messages a verb acts on, in the order of the list: the selected ones, else that at the cursor."""
        messages = self.screen.messages
        if messages.selected:
            return [message_id for message_id in messages.ids if message_id in messages.selected]
        return [messages.cursor_id] if messages.cursor_id else []

    def target_rows(self) -> list[Row]:
        """Return the rows of the targets that the list holds."""
        return [row for message_id in self.targets() if (row := self.screen.messages.row(message_id)) is not None]

    def selection_changed(self) -> None:
        """Show how many messages are selected."""
        chosen = len(self.screen.messages.selected)
        self.status.right(f"{chosen} selected" if chosen else "")

    def go_to(self, view: View) -> None:
        """Show another folder, or the results of a search."""
        self.status.say("")
        self.status.right("")
        self.list.go_to(view)

    def fail(self, error: Exception, account: str = "") -> None:
        """Show an error until it is read. `account` is whose server was asked."""
        self.screen.fail(error, account)

    # -- doing

    def do(
        self,
        work: Callable[[], Awaitable[str | None]],
        leaving: Sequence[int] = (),
        *,
        undo: bool = True,
        shown: Sequence[Row] = (),
    ) -> None:
        """Run the engine's part of a verb; the screen shows its effect at once.

        `leaving` are messages that leave the list. `shown` are the rows as they were before the list showed other
        flags: where the work fails they are shown again. `undo` says that the user can take the work back.
        """
        self.list.leaving |= set(leaving)
        if undo:
            self.taken_off |= set(leaving)
        if leaving:
            self.screen.messages.take_out(leaving)
            self.selection_changed()
        behind(self.screen, partial(self._done, work, leaving, shown, undo=undo), "verbs")

    async def _done(
        self,
        work: Callable[[], Awaitable[str | None]],
        leaving: Sequence[int],
        shown: Sequence[Row],
        *,
        undo: bool,
    ) -> None:
        try:
            async with self.in_turn if undo else nullcontext():
                words = await work()
            if words:
                key = self.key("message.undo")
                self.status.say(f"{words} · {key} brings it back" if undo and leaving and key else words)
        except UserError as error:
            self.screen.messages.put_back(shown)
            self.fail(error, self.list.view.account)
        except KeyError:
            self.screen.messages.put_back(shown)
            self.status.say(GONE)
        finally:
            self.list.leaving -= set(leaving)
            if leaving:
                self.list.stale(Stale.IDS | Stale.COUNTS)

    def ask(self, question: str, yes: str, then: Callable[[], object]) -> None:
        """Do `then` only after a yes."""
        from termmail.ui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - not needed for the first screen

        def answered(sure: bool | None) -> None:
            if sure:
                then()

        self.screen.app.push_screen(ConfirmScreen(question, yes, "Back"), answered)


# -- what a verb may require: "" where it applies, else the sentence that says why not

NO_MESSAGE = "There is no message here."
READ_ONLY = "The data folder cannot be written: nothing can be changed."


def on_row(mail: Mail) -> str:
    """Require a row of any kind."""
    return "" if mail.screen.messages.cursor_id else NO_MESSAGE


def on_changeable_row(mail: Mail) -> str:
    """Require a row of any kind, and a store that can be written."""
    return on_row(mail) or (READ_ONLY if mail.engine.read_only else "")


def on_message(mail: Mail) -> str:
    """Require a message: neither a draft nor an outgoing one."""
    if why := on_row(mail):
        return why
    if mail.list.listing is not Listing.MESSAGES:
        return f"That is for messages; this is {mail.list.view.folder}."
    return ""


def on_changeable_message(mail: Mail) -> str:
    """Require a message, and a store that can be written."""
    return on_row(mail) or (READ_ONLY if mail.engine.read_only else "") or on_message(mail)
