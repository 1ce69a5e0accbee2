"""The question before quitting while messages are not sent yet; it follows the Outbox, and quits when that is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from termmail.engine.events import OutboxChanged
from termmail.errors import UserError
from termmail.mail.model import SendState
from termmail.ui.screens import dialog
from termmail.ui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event

SENDING = "Sending; termmail quits when the server has accepted it."


class LeaveScreen(ConfirmScreen):
    """Asks whether to quit. `unsent` returns what is not sent by now in words, "" where nothing is left to ask about.

    Dismisses True to quit, else False.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "send_now", "Send now and quit")]

    def __init__(self, engine: Engine, question: str, unsent: Callable[[], Awaitable[str]]) -> None:
        super().__init__(question, "Quit", "Back")
        self._engine = engine
        self._unsent = unsent
        self._unsubscribe: Callable[[], None] | None = None
        self._hurried: dict[int, int] = {}
        """The messages that are sent now, with the attempts before."""

    def compose(self) -> ComposeResult:
        """Yield the question, what came of sending, and the answers."""
        with dialog.Frame(classes="dialog"):
            yield dialog.title(self._question)
            yield dialog.Trouble()
            with Horizontal(classes="dialog-buttons"):
                yield dialog.button("y", self._yes, "yes")
                yield dialog.button("s", "Send now and quit", "send_now")
                yield dialog.button("n", self._no, "no", id="no")

    def on_mount(self) -> None:
        """Follow the Outbox."""
        self._unsubscribe = self._engine.context.subscribe(self._hear)

    def on_unmount(self) -> None:
        """Unsubscribe from the engine's events."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    def _hear(self, event: Event) -> None:
        if isinstance(event, OutboxChanged):
            self._look_again()

    @work(exclusive=True, group="leave", exit_on_error=False)
    async def _look_again(self) -> None:
        """Ask about what is not sent by now; quit where nothing is left."""
        if question := await self._unsent():
            self.query_one(".dialog-title", Static).update(Content(question))
            await self._say_what_failed()
        else:
            self.dismiss(True)

    async def _say_what_failed(self) -> None:
        if not self._hurried:
            return
        try:
            rows = await self._engine.outbox.rows()
        except UserError as error:
            self.query_one(dialog.Trouble).say(str(error))
            return
        tried = [row for row in rows if row.outbox_id in self._hurried and row.state is not SendState.SENDING]
        if words := [row.words for row in tried if row.words and row.attempts > self._hurried[row.outbox_id]]:
            self.query_one(dialog.Trouble).say(f"Not sent: {words[0]}")

    @work(exclusive=True, group="send", exit_on_error=False)
    async def action_send_now(self) -> None:
        """Send everything that waits for its time; `_look_again` quits once it is sent."""
        trouble = self.query_one(dialog.Trouble)
        try:
            waiting = [row for row in await self._engine.outbox.rows() if row.state is SendState.QUEUED]
            self._hurried = {row.outbox_id: row.attempts for row in waiting}
            if waiting:
                trouble.say_done(SENDING)
            for account in dict.fromkeys(row.account for row in waiting):
                await self._engine.outbox.retry_all(account)
        except UserError as error:
            trouble.say(str(error))
        self._look_again()
