"""The words of the title line and of an empty list, from the facts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.counting import count, number
from termmail.mail.model import Order, Role
from termmail.mail.views import FolderView, Ready, RoleView, SavedView, SearchView
from termmail.ui.humanize import ago
from termmail.ui.kinds import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from termmail.engine.sync_status import Status
    from termmail.mail.model import Count, Coverage
    from termmail.mail.views import View

ORDERS = {
    Order.NEWEST: "newest first",
    Order.OLDEST: "oldest first",
    Order.SENDER: "by sender",
    Order.SUBJECT: "by subject",
    Order.SIZE: "largest first",
    Order.BEST: "best first",
}

EMPTY_FOLDERS = {
    Role.INBOX: "Inbox is empty.\n{check} checks for mail.",
    Role.SENT: "Nothing was sent from here yet.\n{compose} writes a message.",
    Role.ARCHIVE: "Nothing is archived.\n{archive} in a list puts a message here.",
    Role.JUNK: "No spam.",
    Role.TRASH: "Trash is empty.",
}
EMPTY_LISTS = {
    Listing.DRAFTS: "No drafts.\n{compose} writes a message.",
    Listing.OUTGOING: "Nothing waits to be sent.",
}

EMPTY_READY = {
    Ready.STARRED: "No message has a star.\n{star} stars one.",
    Ready.UNREAD: "Everything is read.",
    Ready.ATTACHMENTS: "No message has attachments.",
    Ready.SNOOZED: "Nothing is snoozed.\n{snooze} on a message puts it here until a time.",
}


def nothing_ready(ready: Ready, key: Callable[[str], str]) -> str:
    """Return what an empty ready view says. `key` returns the key of an action."""
    return EMPTY_READY[ready].format(star=key("message.star"), snooze=key("message.snooze"))


def no_account(key: Callable[[str], str]) -> str:
    """Return what the list says before there is an account. `key` returns the key of an action."""
    return f"There is no account yet.\n{key('message.open')} sets one up."


def nothing_found(key: Callable[[str], str], meant: Sequence[str] = (), *, filtered: bool) -> str:
    """Return what the list says where a search or a filter finds nothing. `meant` are words that perhaps were meant."""
    outside = "" if filtered else " outside Trash and Spam"
    asked = f" Did you mean {' '.join(f'“{word}”' for word in meant)}?" if meant else ""
    return f"Nothing found{outside}.{asked}\n{key('view.back')} goes back."


def nothing(kind: Listing, role: Role, name: str, key: Callable[[str], str], *, syncing: bool = False) -> str:
    """Return what an empty folder says: never only that it is empty. `key` returns the key of an action."""
    if syncing and kind is Listing.MESSAGES:
        return f"Nothing in {name} yet: mail is being received."
    words = EMPTY_LISTS.get(kind) or EMPTY_FOLDERS.get(role)
    if words is None:
        return f"{name} is empty."
    return words.format(check=key("mail.check"), compose=key("mail.compose"), archive=key("message.archive"))


def coverage(found: Coverage) -> str:
    """Return how much of the mail a search covers, "" where that is all of it."""
    if found.waiting:
        return f"{number(found.waiting)} of {number(found.total)} messages are still being indexed"
    if found.bodies == found.total:
        return ""
    return f"bodies of {number(found.bodies)} of {number(found.total)} messages searched"


def found(shown: int, *, whole: bool) -> str:
    """Return how many messages a search has found; not `whole`: the list does not have all of them yet."""
    return f"{number(shown)} found" if whole else f"{number(shown)} or more found"


def amounts(shown: int, held: Count, filtered: str, noun: str, *, whole: bool) -> tuple[str, ...]:
    """Return how many messages a folder holds and how many are unread, or how many of them a filter shows.

    `noun` is what is counted. Not `whole`: the list does not have all of them yet.
    """
    if filtered:
        return (f"“{filtered}”: {number(shown)} of {number(held.total)}",)
    unread = f"{number(held.unread)} unread" if held.unread else ""
    return (unread, (count(shown, noun) if whole else f"{number(shown)} or more {noun}s") if shown else "")


def arranged(view: View, *, threaded: bool) -> tuple[str, ...]:
    """Return how a list is sorted and what its rows are, as far as they are not as usual.

    `threaded`: lists of folders usually show conversations.
    """
    words = []
    if isinstance(view, FolderView | RoleView | SearchView | SavedView) and view.order is not Order.NEWEST:
        words.append(ORDERS[view.order])
    if isinstance(view, FolderView | RoleView) and view.threaded is not threaded:
        words.append("conversations" if view.threaded else "single messages")
    return tuple(words)


def server(status: Status, now: float) -> str:
    """Return when the server was last asked, and whether it answers. `now` is UTC seconds."""
    if status.syncing:
        return "checking …"
    checked = f"checked {ago(now - status.last_sync)}" if status.last_sync else "not checked yet"
    if status.online is not False:
        return checked
    verb = "waits" if status.waiting == 1 else "wait"
    waiting = f"{count(status.waiting, 'change')} {verb} for the server · " if status.waiting else ""
    return f"offline · {waiting}{checked}"
