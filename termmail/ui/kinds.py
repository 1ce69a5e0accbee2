"""What kind of thing a view lists, and how its folders are called."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from termmail.mail.model import DRAFTS_NAME, OUTBOX_NAME, ROLE_NAMES, Role
from termmail.mail.views import (
    DraftsView,
    FolderView,
    LabelView,
    OutboxView,
    ReadyView,
    RoleView,
    SavedView,
    SearchView,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from termmail.engine.folder_list import Counts
    from termmail.mail.model import Folder
    from termmail.mail.views import View

ALL_INBOXES = "All inboxes"
ALL_ACCOUNTS = "All accounts"


class Listing(Enum):
    """What kind of thing the rows of a list are."""

    MESSAGES = auto()
    DRAFTS = auto()
    OUTGOING = auto()


def home(folders: Iterable[Folder], accounts: Collection[str], *, threaded: bool) -> FolderView | RoleView:
    """Return the view that the program opens with: the inbox, or all of them where there are several accounts."""
    inboxes = [one for one in folders if one.role is Role.INBOX and one.account in accounts]
    if len(inboxes) == 1:
        return FolderView(inboxes[0].folder_id, threaded=threaded)
    return RoleView(Role.INBOX, threaded=threaded)


def listing(view: View) -> Listing:
    """Return what kind of thing a view lists."""
    if isinstance(view, DraftsView):
        return Listing.DRAFTS
    return Listing.OUTGOING if isinstance(view, OutboxView) else Listing.MESSAGES


def folder_of(view: View, counts: Counts) -> Folder | None:
    """Return the folder that a view shows; None for a search, a list over several accounts, and a removed folder."""
    if not isinstance(view, FolderView):
        return None
    return next((one for one in counts.folders if one.folder_id == view.folder_id), None)


def view_role(view: View, counts: Counts) -> Role:
    """Return the role of the folder that a view shows; NONE where it shows no folder."""
    if isinstance(view, RoleView):
        return view.role
    folder = folder_of(view, counts)
    return Role.NONE if folder is None else folder.role


def view_account(view: View, counts: Counts) -> str:
    """Return the account that a view belongs to; "" where it shows several."""
    if isinstance(view, DraftsView | OutboxView | SearchView):
        return view.account
    folder = folder_of(view, counts)
    return "" if folder is None else folder.account


def view_name(view: View, counts: Counts) -> str:
    """Return what a view is called, without its account."""
    match view:
        case DraftsView():
            return DRAFTS_NAME
        case OutboxView():
            return OUTBOX_NAME
        case SearchView():
            return "Search"
        case ReadyView(ready=ready):
            return ready.value
        case LabelView(label_id=label_id):
            return next((f"Label {one.name}" for one in counts.labels if one.label_id == label_id), "Label")
        case RoleView(role=role):
            return ALL_INBOXES if role is Role.INBOX else ROLE_NAMES[role]
        case SavedView(search_id=search_id):
            return next((one.name for one in counts.searches if one.search_id == search_id), "")
    folder = folder_of(view, counts)
    return "" if folder is None else folder.name
