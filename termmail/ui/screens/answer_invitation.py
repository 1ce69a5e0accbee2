"""Choose the answer to an invitation: accept, maybe or decline. What is chosen is sent by the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button

from termmail.mail import sanitize
from termmail.mail.invitation_reply import Answer, invited_as
from termmail.ui.screens import dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from termmail.mail.message import Identity, Message


class AnswerScreen(dialog.Dialog["Answer | None"]):
    """Dismisses the answer, or None. The focus begins on the way back: Enter and Down answer nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,a", "answer('accepted')", "Accept"),
        Binding("m,t", "answer('tentative')", "Maybe"),
        Binding("n,d", "answer('declined')", "Decline"),
        Binding("escape,q,i", "leave", "Back"),
        Binding("right,down", "next_button(1)", show=False),
        Binding("left,up", "next_button(-1)", show=False),
    ]

    def __init__(self, message: Message, writer: Identity, given: str) -> None:
        super().__init__()
        self._message = message
        self._writer = writer
        self._given = given

    def compose(self) -> ComposeResult:
        """Yield the event, who gets the answer, and the three answers."""
        invitation = self._message.invitation
        if invitation is None:
            return
        with dialog.Frame(classes="dialog"):
            yield dialog.title(invitation.summary)
            if invitation.when:
                yield dialog.text(invitation.when)
            yield dialog.text(f"Your answer goes to {sanitize.address_text(invitation.organizer)}{self._not_sender()}.")
            if not invited_as(invitation, self._writer):
                yield dialog.text(f"You are not named in it: you answer as {self._writer.address}.")
            if self._given:
                yield dialog.text(f"{self._given}.")
            with Horizontal(classes="dialog-buttons"):
                yield dialog.button("y", "Accept", "answer('accepted')")
                yield dialog.button("m", "Maybe", "answer('tentative')")
                yield dialog.button("n", "Decline", "answer('declined')")
                yield dialog.button("Esc", "Back", "leave", id="back")

    def _not_sender(self) -> str:
        """Return a remark where the organizer is not who sent the message."""
        senders = {one.email.casefold() for one in self._message.envelope.sender}
        invitation = self._message.invitation
        other = invitation is not None and invitation.organizer.email.casefold() not in senders
        return ", who is not the sender of this message" if other else ""

    def action_next_button(self, by: int) -> None:
        """Focus the next button or the previous one; at the ends the focus stays, so that no arrow jumps to an answer."""
        buttons = list(self.query(Button))
        place = next((place for place, button in enumerate(buttons) if button.has_focus), len(buttons) - 1)
        buttons[max(0, min(place + by, len(buttons) - 1))].focus()

    def on_mount(self) -> None:
        """Focus the way back."""
        self.query_one("#back").focus()

    def action_answer(self, answer: str) -> None:
        """Choose an answer."""
        self.dismiss(Answer(answer))

    def action_leave(self) -> None:
        """Go back without an answer."""
        self.dismiss(None)
