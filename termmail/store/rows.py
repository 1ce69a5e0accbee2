"""What the store hands out: frozen Structs, one for each thing that is asked of it.

Times are UTC seconds since 1970, sizes are bytes. Strings of strangers were cleaned before they were stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from termmail.mail.message import Envelope, Outgoing
    from termmail.mail.model import RemoteState
    from termmail.store.derived import Derived


class New(Struct, frozen=True):
    """A message that the maildrop listed and whose header block was read.

    `raw` is the whole message where it came along. `nth` is its place, from 1, among those listed under the same UIDL
    where there are several, else 0. `fingerprint`, `envelope` and `whole` (what is derived from `raw`)
    are filled in by `pop3_identity.parse_page`.
    """

    uidl: bytes
    number: int
    size: int
    header: bytes
    raw: bytes | None = None
    nth: int = 0
    whole: Derived | None = None
    fingerprint: bytes | None = None
    envelope: Envelope | None = None


class Arrived(Struct, frozen=True):
    """The result of `pop3_identity.arrive`.

    `ids` are the new messages, newest first; `rebound` counts known messages that have a new UIDL.
    """

    ids: list[int]
    rebound: int = 0


class Known(Struct, frozen=True):
    """What is known of one message in a maildrop.

    `number` is a hint from the last listing (0: not found there). `message` is None for a tombstone. `fingerprint` is
    b"" where the header was never read.
    """

    remote_id: int
    message: int | None
    uidl: bytes
    nth: int
    number: int
    size: int
    fingerprint: bytes
    state: RemoteState
    due_at: int | None
    downloaded: bool


class Plan(Struct, frozen=True):
    """What a listing asks for.

    `new` and `unnamed` are places in the listing whose headers must be fetched and passed to `pop3_identity.arrive`;
    `unnamed` are those that their UIDL does not tell apart (blank or repeated).
    """

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
    """An outgoing message that this process alone may now send.

    `outgoing.recipients` leaves out those who have it already, `accepted`. `attempts` counts this one.
    """

    id: int
    account: str
    outgoing: Outgoing
    attempts: int
    draft_id: int
    accepted: tuple[str, ...] = ()


class Wait(Struct, frozen=True):
    """A queued message and how long it still waits. `not_before` is UTC seconds as stored, `seconds` from now."""

    outbox_id: int
    not_before: int
    seconds: int
