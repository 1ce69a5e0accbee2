"""What is known of an account's server, and what one synchronization did."""

from __future__ import annotations

from msgspec import Struct


class Status(Struct, frozen=True):
    """What is known of an account's server. `last_sync` is UTC seconds or None, `online` None until it was tried.

    `waiting` counts the messages with a change that the server does not know yet.
    """

    last_sync: int | None = None
    online: bool | None = None
    syncing: bool = False
    words: str = ""
    waiting: int = 0


class SyncResult(Struct, frozen=True):
    """What one sync did: messages new in the store, messages deleted from the server, and a sentence that says so.

    `news` tells whether there is anything to say beyond that nothing is new.
    """

    new: int
    deleted: int
    words: str
    news: bool = False
