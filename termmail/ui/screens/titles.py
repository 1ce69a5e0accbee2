"""What the title line and an empty list say, from the facts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine.views import SEARCH
from termmail.ui.humanize import ago, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.engine.views import Status
    from termmail.store.rows import Count

NOTHING = {
    "Inbox": "Inbox is empty.\n{check} checks for mail.",
    "Drafts": "No drafts.\n{compose} writes a message.",
    "Outbox": "Nothing waits to be sent.",
    "Sent": "Nothing was sent from here yet.\n{compose} writes a message.",
    "Archive": "Nothing is archived.\n{archive} in a list puts a message here.",
    "Spam": "No spam.",
    "Trash": "Trash is empty.",
}


def nothing(folder: str, key: Callable[[str], str], *, has_account: bool) -> str:
    """What an empty list says: never only that it is empty. `folder` may be a search, or "" for one that is filtered;
    `key` gives the key of an action.
    """
    if not has_account:
        return f"There is no account yet.\n{key('message.open')} sets one up."
    if not folder or folder.startswith(SEARCH):
        outside = " outside Trash and Spam" if folder else ""
        return f"Nothing found{outside}.\n{key('view.back')} goes back."
    words = NOTHING.get(folder, f"{folder} is empty.")
    return words.format(check=key("mail.check"), compose=key("mail.compose"), archive=key("message.archive"))


def amounts(shown: int, held: Count | None, filtered: str) -> tuple[str, ...]:
    """How many messages a folder holds, how many of them are unread, or how many of them a filter shows."""
    if filtered:
        return (f"“{filtered}”: {number(shown)} of {number(held.total if held is not None else 0)}",)
    unread = f"{number(held.unread)} unread" if held is not None and held.unread else ""
    return (unread, f"{number(shown)} in all" if shown else "")


def server(status: Status, now: float) -> str:
    """When the server was last looked at, and whether it answers."""
    if status.syncing:
        return "checking …"
    checked = f"checked {ago(now - status.last_sync)}" if status.last_sync else "not checked yet"
    return f"offline · {checked}" if status.online is False else checked
