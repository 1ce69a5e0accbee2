"""The events of the engine: frozen, with ids and never data. A listener reads the store again."""

from __future__ import annotations

from msgspec import Struct


class SyncOf(Struct, frozen=True, tag=True):
    """The synchronization of an account with its server."""

    account: str


class SendOf(Struct, frozen=True, tag=True):
    """The sending of one outgoing message."""

    outbox_id: int


Subject = SyncOf | SendOf
"""What a failure is about. A newer failure of the same subject replaces the older one; success clears it."""


class MailArrived(Struct, frozen=True):
    """New messages are in the store, newest first."""

    account: str
    ids: tuple[int, ...]


class MessageChanged(Struct, frozen=True):
    """Flags, body or server state of these messages changed, but not the folder they are in."""

    ids: tuple[int, ...]


class FolderChanged(Struct, frozen=True):
    """Messages were added to or removed from this folder (or drafts, or the outbox)."""

    account: str
    folder: str


class OutboxChanged(Struct, frozen=True):
    """An outgoing message has a new state: queued, sending, sent, failed, unsure or cancelled."""

    id: int
    account: str
    state: str


class SyncProgress(Struct, frozen=True):
    """Progress of a sync.

    `what` names the phase on the screen ("headers", "messages", "deletes"). `running` is False in the last event of a
    sync; then `words` sums it up ("3 new messages") and `well` tells whether the server did everything it was asked.
    """

    account: str
    what: str
    done: int
    total: int
    running: bool = True
    words: str = ""
    well: bool = True


class Failed(Struct, frozen=True):
    """A failure that the user must see: one sentence, and what to do next.

    It stays on the screen until it is dismissed, or until its `about` succeeds or fails anew.
    """

    account: str
    words: str
    advice: str = ""
    about: Subject | None = None


Event = MailArrived | MessageChanged | FolderChanged | OutboxChanged | SyncProgress | Failed
