"""What the store hands out: frozen Structs, one for each thing that is asked of it.

Times are UTC seconds since 1970, sizes are bytes. Strings of strangers were cleaned before they were stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from termmail.mail.message import Envelope, Message, Outgoing


class Row(Struct, frozen=True):
    """One line of a list. `state` is where the server stands with it: "kept", "trashed", "due", "sent", "gone",
    "absent", "skipped", or "" for a message that is only here. `note` says why it was not fetched (skipped), or in
    the Outbox how it stands."""

    id: int
    account: str
    folder: str
    sender: str
    recipients: str
    subject: str
    snippet: str
    date: int
    size: int
    unread: bool
    starred: bool
    answered: bool
    forwarded: bool
    attachments: int
    downloaded: bool
    state: str
    uidl: bytes
    message_id: str
    note: str = ""


class Count(Struct, frozen=True):
    """How many messages a folder holds, and how many of them are unread."""

    total: int
    unread: int


class New(Struct, frozen=True):
    """A message that the maildrop listed and whose header block was read.

    `raw` is the whole message where it came along. `nth` is its place, from 1, among those listed under the same UIDL
    where there are several, else 0. `fingerprint`, `envelope` and `message` are filled in by `pop3_identity.parse_page`.
    """

    uidl: bytes
    number: int
    size: int
    header: bytes
    raw: bytes | None = None
    nth: int = 0
    message: Message | None = None
    fingerprint: bytes | None = None
    envelope: Envelope | None = None


class Arrived(Struct, frozen=True):
    """What `remote.arrive` did: the ids of the new messages, newest first; how many known messages were re-bound to
    a new UIDL; how many were known already, `again` counting those that were deleted and have come back."""

    ids: list[int]
    rebound: int = 0
    again: int = 0


class Known(Struct, frozen=True):
    """What is known of one message in a maildrop. `number` is a hint of the last listing (0: not found there).
    `message` is None for a tombstone. `fingerprint` is b"" where the header was never read."""

    remote_id: int
    message: int | None
    uidl: bytes
    nth: int
    number: int
    size: int
    fingerprint: bytes
    state: str
    due_at: int | None
    downloaded: bool


class Plan(Struct, frozen=True):
    """What a listing asks for. `new` and `unnamed` are places in that listing: headers to fetch and pass to
    `remote.arrive`; `unnamed` are those which their UIDL does not tell apart (blank or doubled)."""

    new: list[int]
    unnamed: list[int]
    again: int = 0
    missing: int = 0


class State(Struct, frozen=True):
    """What the last session of an account left: STAT's two numbers, the UIDL of the last message, and when."""

    stat_count: int | None = None
    stat_size: int | None = None
    last_uidl: bytes | None = None
    last_sync: int | None = None


class Claimed(Struct, frozen=True):
    """An outgoing message that this process alone may now send. `outgoing.recipients` leaves out who has it already.
    `attempts` counts this one."""

    id: int
    account: str
    outgoing: Outgoing
    attempts: int
    draft_id: int


class Wait(Struct, frozen=True):
    """A queued message and how long it still waits. `not_before` is UTC seconds as stored, `seconds` from now."""

    outbox_id: int
    not_before: int
    seconds: int


class OutboxRow(Struct, frozen=True):
    """How an outgoing message stands. `state` is queued, sending, sent, failed, unsure or cancelled.
    `message` is the Sent copy once there is one."""

    id: int
    account: str
    state: str
    words: str
    recipients: tuple[str, ...]
    refused: dict[str, str]
    attempts: int
    not_before: int
    subject: str
    message_id: str
    draft_id: int
    accepted: tuple[str, ...] = ()
    created: int = 0
    size: int = 0
    message: int | None = None
