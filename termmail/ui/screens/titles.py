"""The words of the title line and of an empty list, from the facts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.ui.humanize import ago, number
from termmail.ui.roles import Role, view_role

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.engine.views import Status, View
    from termmail.store.rows import Count

NOTHING = {
    Role.INBOX: "Inbox is empty.\n{check} checks for mail.",
    Role.DRAFTS: "No drafts.\n{compose} writes a message.",
    Role.OUTBOX: "Nothing waits to be sent.",
    Role.SENT: "Nothing was sent from here yet.\n{compose} writes a message.",
    Role.ARCHIVE: "Nothing is archived.\n{archive} in a list puts a message here.",
    Role.JUNK: "No spam.",
    Role.TRASH: "Trash is empty.",
}


def nothing(view: View, key: Callable[[str], str], *, has_account: bool, filtered: bool = False) -> str:
    """Return what an empty list says: never only that it is empty. `key` returns the key of an action."""
    if not has_account:
        return f"There is no account yet.\n{key('message.open')} sets one up."
    if filtered or view.query is not None:
        outside = "" if filtered else " outside Trash and Spam"
        return f"Nothing found{outside}.\n{key('view.back')} goes back."
    words = NOTHING.get(view_role(view))
    if words is None:
        return f"{view.folder} is empty."
    return words.format(check=key("mail.check"), compose=key("mail.compose"), archive=key("message.archive"))


def amounts(shown: int, held: Count | None, filtered: str) -> tuple[str, ...]:
    """Return how many messages a folder holds and how many are unread, or how many of them a filter shows."""
    if filtered:
        return (f"“{filtered}”: {number(shown)} of {number(held.total if held is not None else 0)}",)
    unread = f"{number(held.unread)} unread" if held is not None and held.unread else ""
    return (unread, f"{number(shown)} in all" if shown else "")


def server(status: Status, now: float) -> str:
    """Return when the server was last asked, and whether it answers. `now` is UTC seconds."""
    if status.syncing:
        return "checking …"
    checked = f"checked {ago(now - status.last_sync)}" if status.last_sync else "not checked yet"
    return f"offline · {checked}" if status.online is False else checked
