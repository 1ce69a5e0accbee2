"""What the folders of an account are for. The only module of the screen that knows their names."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from termmail.engine.views import View
    from termmail.store.rows import Row


class Role(Enum):
    """What a folder is for."""

    INBOX = auto()
    DRAFTS = auto()
    OUTBOX = auto()
    SENT = auto()
    ARCHIVE = auto()
    JUNK = auto()
    TRASH = auto()
    OTHER = auto()
    """A folder made by the user."""


class Listing(Enum):
    """What kind of thing the rows of a list are."""

    MESSAGES = auto()
    DRAFTS = auto()
    OUTGOING = auto()


NAMES = {
    Role.INBOX: "Inbox",
    Role.DRAFTS: "Drafts",
    Role.OUTBOX: "Outbox",
    Role.SENT: "Sent",
    Role.ARCHIVE: "Archive",
    Role.JUNK: "Spam",
    Role.TRASH: "Trash",
}
"""The folders that every account has, in the order of the folder column."""

_ROLES = {name: role for role, name in NAMES.items()}


def role_of(folder: str) -> Role:
    """Return the role of the folder of this name."""
    return _ROLES.get(folder, Role.OTHER)


def listing_of(folder: str) -> Listing:
    """Return what kind of thing lies in the folder of this name."""
    match role_of(folder):
        case Role.DRAFTS:
            return Listing.DRAFTS
        case Role.OUTBOX:
            return Listing.OUTGOING
        case _:
            return Listing.MESSAGES


def view_role(view: View) -> Role:
    """Return the role of the folder a view shows; OTHER for a search."""
    return Role.OTHER if view.query is not None else role_of(view.folder)


def listing(view: View) -> Listing:
    """Return what kind of thing a view lists."""
    return Listing.MESSAGES if view.query is not None else listing_of(view.folder)


def is_message(row: Row) -> bool:
    """Return whether a row is a message, neither a draft nor on its way out."""
    return listing_of(row.folder) is Listing.MESSAGES


def shows_recipients(row: Row) -> bool:
    """Return whether a row is about the people it goes to, not about its sender."""
    return role_of(row.folder) in {Role.SENT, Role.DRAFTS, Role.OUTBOX}


def tells_place(row: Row) -> bool:
    """Return whether a search result names its folder: not the Inbox, and not Sent, where "To:" tells it."""
    return role_of(row.folder) not in {Role.INBOX, Role.SENT}
