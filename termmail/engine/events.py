"""The events of the engine: frozen, with ids and never data. A listener reads the store again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from termmail.mail.model import SendState


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
    """Messages were added to or removed from folders of an account ("": of any), or the folders themselves changed."""

    account: str = ""


class DraftsChanged(Struct, frozen=True):
    """A draft of an account was added, saved or removed."""

    account: str


class DraftClosed(Struct, frozen=True):
    """A draft is not being written any more, or was discarded."""


class OutboxChanged(Struct, frozen=True):
    """An outgoing message has a new state."""

    outbox_id: int
    account: str
    state: SendState


class JournalChanged(Struct, frozen=True):
    """What undo takes back next may be another step now."""


class SyncProgress(Struct, frozen=True):
    """Progress of a sync.

    `what` names the phase on the screen ("headers", "messages", "deletes"). `running` is False in the last event of a
    sync; then `words` sums it up ("3 new messages") `well` tells whether the server did everything it was asked, and
    `news` whether `words` say more than that nothing is new.
    """

    account: str
    what: str
    done: int
    total: int
    running: bool = True
    words: str = ""
    well: bool = True
    news: bool = False


class Failed(Struct, frozen=True):
    """A failure that the user must see: one sentence, and what to do next.

    It stays on the screen until it is dismissed, or until its `about` succeeds or fails anew.
    """

    account: str
    words: str
    advice: str = ""
    about: Subject | None = None


Event = (
    MailArrived
    | MessageChanged
    | FolderChanged
    | DraftsChanged
    | DraftClosed
    | OutboxChanged
    | JournalChanged
    | SyncProgress
    | Failed
)
