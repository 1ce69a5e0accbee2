"""Views, which say what a list shows, and outlines: the rows of a list, with conversations folded or unfolded."""

from __future__ import annotations

from array import array
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from termmail.mail.model import Order, Role

if TYPE_CHECKING:
    from collections.abc import Collection

    from termmail.mail.query import Query


class FolderView(Struct, frozen=True):
    """The messages of one folder, or its conversations where it is `threaded`."""

    folder_id: int
    order: Order = Order.NEWEST
    threaded: bool = False


class RoleView(Struct, frozen=True):
    """The messages of the folders with one role in every account: the unified inbox. `threaded` as in FolderView."""

    role: Role
    order: Order = Order.NEWEST
    threaded: bool = False


class SearchView(Struct, frozen=True):
    """The messages that match a query; `account` "" searches every account. `discarded` includes Junk and Trash."""

    query: Query
    account: str = ""
    discarded: bool = False
    order: Order = Order.NEWEST


class SavedView(Struct, frozen=True):
    """The messages that a kept search finds."""

    search_id: int
    order: Order = Order.NEWEST


class Ready(Enum):
    """The messages of a ready view, those in Junk and Trash left out."""

    STARRED = "Starred"
    UNREAD = "Unread"
    ATTACHMENTS = "Attachments"
    SNOOZED = "Snoozed"


class ReadyView(Struct, frozen=True):
    """The messages of every account that are starred, unread, with attachments, or snoozed (the next one first)."""

    ready: Ready


class LabelView(Struct, frozen=True):
    """The messages of every account that have a label."""

    label_id: int


class DraftsView(Struct, frozen=True):
    """The drafts of an account ("": of every account)."""

    account: str = ""


class OutboxView(Struct, frozen=True):
    """The messages of an account ("": of every account) that are not sent yet."""

    account: str = ""


View = FolderView | RoleView | SearchView | SavedView | ReadyView | LabelView | DraftsView | OutboxView


class Unfolded(Struct, frozen=True):
    """Which conversations of a list are unfolded: those `threads`; with `every`, all others."""

    threads: frozenset[int] = frozenset()
    every: bool = False

    def __contains__(self, thread: int) -> bool:
        return (thread in self.threads) != self.every

    def toggled(self, thread: int) -> Unfolded:
        """Return this with one conversation folded that was unfolded, or unfolded that was folded."""
        return Unfolded(self.threads ^ {thread}, self.every)


class Outline(Struct, frozen=True):
    """The rows of a list.

    `ids` are message ids, or those of drafts or outgoing messages. In a list of conversations `threads` has the
    conversation of each; else it is empty. A message with a depth in `depths` is one row of an unfolded conversation (0: it
    answers none of the others there). Every other one stands for its conversation: it is the newest in the view.
    """

    ids: array[int]
    threads: array[int]
    depths: dict[int, int]

    @classmethod
    def flat(cls, ids: array[int]) -> Outline:
        """Return the outline of a list without conversations."""
        return cls(ids, array("q"), {})

    def without(self, gone: Collection[int]) -> Outline:
        """Return this without some ids."""
        if not gone or not any(one in gone for one in self.ids):
            return self
        kept = [place for place, one in enumerate(self.ids) if one not in gone]
        threads = array("q", (self.threads[place] for place in kept)) if self.threads else self.threads
        return Outline(array("q", (self.ids[place] for place in kept)), threads, self.depths)


class Spot(NamedTuple):
    """A row of a list, and its conversation where the list shows conversations; 0 for none."""

    row_id: int = 0
    thread: int = 0


NOWHERE = Spot()
