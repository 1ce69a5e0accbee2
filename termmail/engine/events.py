"""What the engine tells: frozen, carrying ids and never data. Whoever listens reads the store again."""

from __future__ import annotations

from msgspec import Struct


class MailArrived(Struct, frozen=True):
    """New messages are in the store, newest first."""

    account: str
    ids: tuple[int, ...]


class MessageChanged(Struct, frozen=True):
    """Flags, body or server state of these messages changed, but not the folder they are in."""

    ids: tuple[int, ...]


class FolderChanged(Struct, frozen=True):
    """Messages came to or left this folder (or drafts, or the outbox)."""

    account: str
    folder: str


class OutboxChanged(Struct, frozen=True):
    """An outgoing message has a new state: queued, sending, sent, failed, unsure or cancelled."""

    id: int
    account: str
    state: str


class SyncProgress(Struct, frozen=True):
    """A sync moved on. `what` is a word for the reader ("headers", "messages", "deletes"); `running` is False at its
    end, then `words` sums it up ("3 new messages") and `well` says whether the server gave what it was asked for.
    """

    account: str
    what: str
    done: int
    total: int
    running: bool = True
    words: str = ""
    well: bool = True


class Failed(Struct, frozen=True):
    """Something went wrong that the reader should know: one sentence, and what to do next. Stays until read, or until
    what it is `about` (`receiving`, `sending`) is told anew or goes well.
    """

    account: str
    words: str
    advice: str = ""
    about: str = ""


def receiving(account: str) -> str:
    """What the failures of looking for an account's mail are about."""
    return f"receiving {account}"


def sending(outbox_id: int) -> str:
    """What the failures of an outgoing message are about."""
    return f"sending {outbox_id}"


Event = MailArrived | MessageChanged | FolderChanged | OutboxChanged | SyncProgress | Failed
