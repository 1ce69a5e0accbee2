"""What a verb works on: the engine, the main screen and the parts it holds; and what a verb may require of them."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.mail.counting import count, number
from termmail.mail.model import MessageRow
from termmail.mail.step_words import done_words
from termmail.ui.kinds import Listing
from termmail.ui.list_model import ListModel, Stale
from termmail.ui.previewing import Previewing
from termmail.ui.sending_clock import SendingClock
from termmail.ui.triage_mode import TriageMode
from termmail.ui.widgets.list_row import facts
from termmail.ui.workers import VERBS, start_worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from termmail.engine.engine import Engine
    from termmail.mail.model import Done, Placement, Row, Step, Undone
    from termmail.mail.views import View
    from termmail.ui.first_page import First
    from termmail.ui.list_model import Seen
    from termmail.ui.screens.main import MainScreen
    from termmail.ui.widgets.status import Problems, StatusLine

log = logging.getLogger("termmail")

MANY = 20
"""Messages, at most, that a verb changes without a look at them before."""

SHOWN_OF_MANY = 4
"""Messages that are named where a verb will change many."""


class Mail:
    """The open mail: exists as long as the engine is open, and belongs to the main screen."""

    def __init__(self, first: First, screen: MainScreen) -> None:
        self.engine: Engine = first.engine
        self.screen = screen
        self.status: StatusLine = screen.status
        self.problems: Problems = screen.problems
        self.list = ListModel(first, screen, self.fail)
        self.preview = Previewing(self.engine, screen, self.list, self.fail)
        self.sending = SendingClock(self.engine, screen)
        self.next_step: Step | None = None
        """The step that undo takes back next."""
        self.in_turn = asyncio.Lock()
        """Held while a step is written, so that undo takes steps back in the order of their keys."""
        self.last_command = ""
        """The command that a message was piped to last."""
        self._looking = False
        self.triage: TriageMode | None = None
        """The triage that the screen is in, or None."""
        self.triage_over = False
        """The last message of the triage is being moved: its end is shown once that is done."""

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

    def amount(self, row_ids: Sequence[int]) -> str:
        """Return in words how many messages a verb changes that acts on these rows.

        Those of a conversation that lie in other folders are told apart: "1 of 3 messages", where the row says 3. Rows that
        are not loaded count as conversations.
        """
        found = self._messages_of(row_ids)
        if found is None:
            is_threaded = self.list.listing is Listing.MESSAGES and self.screen.messages.outline.threads
            return count(len(row_ids), "conversation" if is_threaded else "message")
        changed, whole = found
        return count(changed, "message") if changed == whole else f"{number(changed)} of {count(whole, 'message')}"

    def _messages_of(self, row_ids: Iterable[int]) -> tuple[int, int] | None:
        """Return how many messages these rows stand for, and their whole conversations; None if one is not loaded."""
        messages = self.screen.messages
        changed = whole = 0
        for one in row_ids:
            row = messages.row(one)
            if not isinstance(row, MessageRow):
                return None
            conversation = None if one in messages.outline.depths else row.conversation
            changed += len(messages.placements(one))
            whole += 1 if conversation is None else conversation.count
        return changed, whole

    def target_rows(self) -> list[MessageRow]:
        """Return the rows of the target messages that the list holds."""
        rows = map(self.screen.messages.row, self.targets())
        return [row for row in rows if isinstance(row, MessageRow)]

    def selection_changed(self) -> None:
        """Show how many messages are selected."""
        chosen = self.screen.messages.selected
        found = self._messages_of(chosen)
        words = f"{len(chosen)} selected" if chosen else ""
        if found is not None and found[0] != len(chosen):
            words = f"{words}: {count(found[0], 'message')}"
        self.status.right(words)
        self.screen.retitle()

    def go_to(self, view: View) -> None:
        """Show another folder, or the results of a search; keys typed meanwhile act on its messages."""
        self.status.say("")
        self.status.right("")
        self.screen.termmail.held_keys.hold()
        self.list.go_to(view, shown=self.screen.termmail.held_keys.release)

    def search(self, words: str, *, typing: bool = False) -> None:
        """Show the results of a search."""
        self.status.say("")
        self.status.right("")
        self.list.search(words, typing=typing)

    def fail(self, error: UserError, account: str = "") -> None:
        """Show an error until it is read. `account` is whose server was asked."""
        self.screen.fail(error, account)

    # -- other programs

    def look_elsewhere(self) -> None:
        """Read list, counts and journal again where another program has written to the store."""
        if not self._looking:
            self._looking = True
            start_worker(self.screen, self._look_elsewhere, "elsewhere")

    async def _look_elsewhere(self) -> None:
        try:
            if await self.engine.lists.changed_elsewhere():
                self.list.stale(Stale.IDS | Stale.ROWS | Stale.COUNTS)
                self.journal_changed()
        except UserError as error:
            log.info("the store could not be read: %s", error)
        finally:
            self._looking = False

    # -- undo

    def journal_changed(self) -> None:
        """Read again which step undo takes back next."""
        start_worker(self.screen, self._read_next_step, "journal", exclusive=True)

    async def _read_next_step(self) -> None:
        try:
            self.next_step = await self.engine.journal.next_step()
        except UserError as error:
            self.fail(error)
        self.screen.retitle()

    def with_undo_hint(self, words: str) -> str:
        """Add the key that brings back what these words say, if there is one."""
        key = self.key("message.undo")
        return f"{words} · {key} brings it back" if key else words

    # -- doing

    def act(
        self,
        verb: Callable[[list[Placement]], Awaitable[Done]],
        message_ids: Sequence[int],
        *,
        leaving: bool = True,
        seen: Seen | None = None,
        asking: str = "",
    ) -> None:
        """Run a verb of the engine on messages as the user sees them now; what it did is said, and can be undone.

        `leaving`: the messages leave the list at once. `seen`: as the user saw them before a question was asked. `asking`
        names the verb in the question that comes before many messages are changed; "" asks nothing.
        """
        act = partial(self._act, verb, message_ids, seen or self.list.seen(message_ids), leaving=leaving)
        if asking:
            self.sure(asking, message_ids, act)
        else:
            act()

    def _act(
        self,
        verb: Callable[[list[Placement]], Awaitable[Done]],
        message_ids: Sequence[int],
        seen: Seen,
        *,
        leaving: bool,
    ) -> None:
        async def work() -> str:
            async with self.in_turn:
                done = self.did(await verb(await self.list.placements(message_ids, seen)))
            words = done_words(done)
            return self.with_undo_hint(words) if leaving and done.step is not None else words

        self.do(work, message_ids if leaving else ())

    def do(
        self,
        work: Callable[[], Awaitable[str | None]],
        leaving: Sequence[int] = (),
        *,
        shown: Sequence[Row] = (),
    ) -> None:
        """Run the engine's part of a verb; the screen shows its effect at once.

        `leaving` are messages that leave the list. `shown` are the rows as they were before the list showed other
        flags: where the work fails they are shown again. Work that undo can take back holds `in_turn`.
        """
        self.list.leaving |= set(leaving)
        if leaving:
            self.screen.messages.take_out(leaving)
            self.selection_changed()
            if self.triage is not None and not self.triage.left(leaving):
                self.triage_over = True
        start_worker(self.screen, partial(self._done, work, leaving, shown), VERBS)

    async def _done(
        self,
        work: Callable[[], Awaitable[str | None]],
        leaving: Sequence[int],
        shown: Sequence[Row],
    ) -> None:
        try:
            if words := await work():
                self.status.say(words)
        except UserError as error:
            self.screen.messages.put_back(shown)
            self.fail(error, self.list.account)
        finally:
            self.list.leaving -= set(leaving)
            if leaving:
                self.list.stale(Stale.IDS | Stale.COUNTS)
            if self.triage_over:
                self.triage_over = False
                self.end_triage()

    def sure(self, doing: str, message_ids: Sequence[int], then: Callable[[], object]) -> None:
        """Do `then`; for several rows of many messages only after a look at what it will hit."""
        messages = sum(max(1, len(self.screen.messages.placements(one))) for one in message_ids)
        if len(message_ids) == 1 or messages <= MANY:
            then()
            return
        self.screen.termmail.held_keys.hold()
        start_worker(self.screen, partial(self._show_many, doing, message_ids, then), "many")

    async def _show_many(self, doing: str, message_ids: Sequence[int], then: Callable[[], object]) -> None:
        from termmail.ui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - not needed for the first screen

        try:
            rows = await self.list.rows(message_ids[:SHOWN_OF_MANY])
            lines = [f"{facts(row).who} · {facts(row).subject}" for row in rows]
            if (more := len(message_ids) - len(rows)) > 0:
                lines.append(f"and {number(more)} more")

            def answered(sure: bool | None) -> None:
                if sure:
                    then()

            question = f"{doing} {self.amount(message_ids)}?"
            await self.screen.app.push_screen(ConfirmScreen(question, doing.rstrip(":"), "Back", lines), answered)
        finally:
            self.screen.app.call_after_refresh(self.screen.termmail.held_keys.release)

    def did(self, done: Done) -> Done:
        """Note what a verb did, for the end of triage; return it."""
        if self.triage is not None:
            self.triage.did(done)
        return done

    def took_back(self, undone: Undone) -> None:
        """Note what an undo did, for the end of triage."""
        if self.triage is not None:
            self.triage.took_back(undone.step)

    # -- triage

    def start_triage(self, queue: Sequence[int]) -> None:
        """Show these messages one after the other on the whole screen."""
        noun = "conversation" if self.screen.messages.outline.threads else "message"
        self.triage = TriageMode(self.screen.messages, queue, noun)
        if not self.screen.whole:
            self.screen.set_whole(on=True)
        self.screen.retitle()

    def end_triage(self) -> None:
        """Go back to the list, and show what was done."""
        from termmail.ui.screens.triage_done import TriageDoneScreen  # noqa: PLC0415 - not needed for the first screen

        if self.triage is None:
            return
        triage, self.triage = self.triage, None
        triage.is_over = True
        self.screen.set_whole(on=False)
        title = f"Triage is done: {count(len(triage.queue), triage.noun)} seen"
        self.screen.app.push_screen(TriageDoneScreen(title, triage.summary(), self.key("message.undo")))

    def leave_triage(self) -> None:
        """Say what was done so far: the user leaves triage before its end."""
        if self.triage is not None and not self.triage_over:
            triage, self.triage = self.triage, None
            seen = f"Triage left at {number(triage.place + 1)} of {number(len(triage.queue))}"
            self.status.say(" · ".join([seen, *triage.summary()]))
            self.screen.retitle()

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


def changeable(mail: Mail) -> str:
    """Require a store that can be written."""
    return READ_ONLY if mail.engine.context.read_only else ""


def on_changeable_row(mail: Mail) -> str:
    """Require a row of any kind, and a store that can be written."""
    return on_row(mail) or changeable(mail)


def on_message(mail: Mail) -> str:
    """Require a message: neither a draft nor an outgoing one."""
    if why := on_row(mail):
        return why
    if mail.list.listing is not Listing.MESSAGES:
        return f"That is for messages; this is {mail.list.name}."
    return ""


def on_changeable_message(mail: Mail) -> str:
    """Require a message, and a store that can be written."""
    return on_row(mail) or changeable(mail) or on_message(mail)
