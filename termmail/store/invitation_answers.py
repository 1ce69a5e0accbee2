"""What was answered to invitations, and how each answer stands in the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from termmail.mail.model import SendState
from termmail.store import journal, outbox

if TYPE_CHECKING:
    from termmail.mail.message import Invitation, Outgoing
    from termmail.store.store import Store


class Given(NamedTuple):
    """The newest answer to an invitation: how it stands, and when it was written (UTC seconds).

    `sequence` is that of the invitation it answers: a later change has a higher one.
    """

    answer: str
    sequence: int
    state: SendState
    created: int


def queue(  # noqa: PLR0917 - one caller
    store: Store,
    account: str,
    invitation: Invitation,
    answer: str,
    outgoing: Outgoing,
    subject: str,
    *,
    not_before: int,
    now: int,
) -> int:
    """Queue an answer, note it and write the step that takes it back, or none of these; return its outbox id."""
    with store.transaction(durable=True) as db:
        outbox_id = outbox.queue(store, account, outgoing, not_before=not_before, now=now)
        db.execute(
            "INSERT INTO invitation_answer (outbox, account, uid, recurrence_id, sequence, answer)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (outbox_id, account, invitation.uid, invitation.recurrence_id, invitation.sequence, answer),
        )
        journal.record_send(db, outbox_id, subject, now)
    return outbox_id


def newest(store: Store, account: str, invitation: Invitation) -> Given | None:
    """Return the newest answer to an invitation that was not taken back and not refused; None where there is none."""
    found = store.read_one(
        "SELECT a.answer, a.sequence, o.state, o.created FROM invitation_answer a JOIN outbox o ON o.id = a.outbox"
        " WHERE a.account = ? AND a.uid = ? AND a.recurrence_id = ? AND o.state NOT IN ('cancelled', 'failed')"
        " ORDER BY a.outbox DESC LIMIT 1",
        (account, invitation.uid, invitation.recurrence_id),
    )
    return None if found is None else Given(found[0], found[1], SendState(found[2]), found[3])
