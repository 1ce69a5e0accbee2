"""What a list shows and what the title line says, as small facts."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

SEARCH = "search:"

ORDERS = {
    "newest": "newest first",
    "oldest": "oldest first",
    "sender": "by sender",
    "subject": "by subject",
    "size": "largest first",
}


class View(NamedTuple):
    """One list of one account: a folder, or the answers to a search (`search:QUERY`). An empty account means all."""

    account: str
    folder: str
    order: str = "newest"
    """How a folder is sorted: a key of ORDERS."""
    kept_only: bool = False
    """A search that finds nothing in Trash and Spam."""

    @property
    def query(self) -> str | None:
        """The words searched for, or None where this is a folder."""
        return self.folder.removeprefix(SEARCH) if self.folder.startswith(SEARCH) else None

    @classmethod
    def search(cls, account: str, query: str, *, kept_only: bool = False) -> View:
        """The view of everything that answers `query`; with `kept_only`, nothing of it in Trash or Spam."""
        return cls(account, SEARCH + query, kept_only=kept_only)


class Status(Struct, frozen=True):
    """What is known of an account's server. `last_sync` is UTC seconds or None, `online` None until it was tried."""

    last_sync: int | None = None
    online: bool | None = None
    syncing: bool = False
    words: str = ""


class SyncResult(Struct, frozen=True):
    """What one sync did: messages new in the store, messages deleted from the server, and a sentence that says so."""

    new: int
    deleted: int
    words: str
