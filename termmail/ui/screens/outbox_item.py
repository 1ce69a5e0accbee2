"""One outgoing message: its state, what the server said, and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from termmail.engine.events import OutboxChanged
from termmail.errors import Gone, UserError
from termmail.mail import sanitize
from termmail.mail.counting import count
from termmail.mail.message import Draft
from termmail.mail.model import SendState
from termmail.ui.screens import dialog
from termmail.ui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event
    from termmail.mail.model import OutgoingRow

STATES = {
    SendState.QUEUED: "It waits to be sent.",
    SendState.SENDING: "It is being sent now.",
    SendState.SENT: "It was sent: the server has accepted it.",
    SendState.FAILED: "The server refused it. Nothing more happens until you decide.",
    SendState.UNSURE: "It may have arrived: the line broke after the message went out, before the server answered.",
    SendState.CANCELLED: "It was taken back.",
}

OFFERS = {
    SendState.QUEUED: ("retry", "edit"),
    SendState.FAILED: ("edit", "retry"),
    SendState.UNSURE: ("assume_sent", "send_again"),
}
"""The actions of each state, the usual one first; none while the message is being sent."""

BUTTONS = {
    "retry": ("r", "Try now"),
    "edit": ("e", "Back to the draft"),
    "remove": ("d", "Delete it"),
    "assume_sent": ("m", "It arrived: mark as sent"),
    "send_again": ("a", "Send again"),
}


class OutboxItemScreen(dialog.Dialog[Draft | None]):
    """Shows an outgoing message as it changes. Dismisses its draft where the user takes it back, else None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("r", "retry", "Try now"),
        Binding("e", "edit", "Back to the draft"),
        Binding("d", "remove", "Delete it"),
        Binding("m", "assume_sent", "It arrived: mark as sent"),
        Binding("a", "send_again", "Send again"),
        Binding("right,down", "app.focus_next", show=False),
        Binding("left,up", "app.focus_previous", show=False),
    ]

    def __init__(self, engine: Engine, outbox_id: int) -> None:
        super().__init__()
        self._engine = engine
        self._outbox_id = outbox_id
        self._row: OutgoingRow | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def compose(self) -> ComposeResult:
        """Yield the parts, which are filled as soon as the store has answered."""
        with dialog.Frame(classes="dialog dialog-wide"):
            yield Vertical(id="outbox-item", classes="dialog-part")
            yield dialog.Trouble()
            yield Horizontal(id="outbox-buttons", classes="dialog-buttons")

    def on_mount(self) -> None:
        """Read the row now, and again whenever it changes."""
        self._unsubscribe = self._engine.context.subscribe(self._hear)
        self._show()

    def on_unmount(self) -> None:
        """Unsubscribe from the engine's events."""
        if self._unsubscribe:
            self._unsubscribe()

    def _hear(self, event: Event) -> None:
        if isinstance(event, OutboxChanged) and event.outbox_id == self._outbox_id:
            self._show()

    @work(exclusive=True, group="show", exit_on_error=False)
    async def _show(self) -> None:
        try:
            row = self._row = await self._engine.outbox.row(self._outbox_id)
        except Gone:
            self.dismiss(None)
            return
        except UserError as error:
            self._say(error)
            return
        item = self.query_one("#outbox-item", Vertical)
        buttons = self.query_one("#outbox-buttons", Horizontal)
        with self.app.batch_update():
            await item.remove_children()
            await buttons.remove_children()
            await item.mount(dialog.title(sanitize.clean(row.subject) or "(no subject)"), *map(dialog.text, story(row)))
            offered = [dialog.button(*BUTTONS[name], name) for name in offers(row)]
            await buttons.mount(*offered, dialog.button("Esc", "Close", "leave"))
            self.query(Button).last().focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow only the actions of the state."""
        if action in BUTTONS:
            return self._row is not None and action in offers(self._row)
        return super().check_action(action, parameters)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_retry(self) -> None:
        """Send now."""
        await self._do(sure=False)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_send_again(self) -> None:
        """Send a message that may have arrived once more, after a question."""
        question = ConfirmScreen(
            "Send it a second time?",
            "Send again",
            "Back",
            ["If the first one did arrive, the recipients get it twice; many programs then show it once."],
        )
        if await self.app.push_screen_wait(question):
            await self._do(sure=True)

    async def _do(self, *, sure: bool) -> None:
        try:
            await self._engine.outbox.retry(self._outbox_id, sure=sure)
        except UserError as error:
            self._say(error)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_assume_sent(self) -> None:
        """Mark as sent a message that the user saw arrive."""
        try:
            await self._engine.outbox.assume_sent(self._outbox_id)
        except UserError as error:
            self._say(error)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_edit(self) -> None:
        """Take the message back as a draft."""
        await self._take_back()

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_remove(self) -> None:
        """Delete a message that has no draft to go back to, after a question."""
        question = ConfirmScreen("Delete this message without sending it? No copy is kept.", "Delete", "Back")
        if await self.app.push_screen_wait(question):
            await self._take_back()

    async def _take_back(self) -> None:
        try:
            draft = await self._engine.outbox.cancel(self._outbox_id)
        except UserError as error:
            self._say(error)
            return
        self.dismiss(draft)

    def _say(self, error: UserError) -> None:
        self.query_one(dialog.Trouble).say(f"{error} {error.advice}".strip())

    def action_leave(self) -> None:
        """Go back to the list."""
        self.dismiss(None)


def offers(row: OutgoingRow) -> list[str]:
    """Return the actions for a message. One that a program handed over has no draft to go back to."""
    return ["remove" if name == "edit" and not row.draft_id else name for name in OFFERS.get(row.state, ())]


def story(row: OutgoingRow) -> list[str]:
    """Return the state of a message, paragraph by paragraph."""
    said = sanitize.clean(row.words)
    paragraphs = [STATES[row.state]]
    if said:
        paragraphs.append(said)
    for address, answer in row.refused.items():
        paragraphs.append(f"{sanitize.clean(address)} was refused. The server says: {sanitize.clean(answer)}")
    paragraphs.append("To " + ", ".join(sanitize.clean(address) for address in row.recipients))
    if row.attempts:
        paragraphs.append(f"Tried {count(row.attempts, 'time')} so far.")
    return paragraphs
