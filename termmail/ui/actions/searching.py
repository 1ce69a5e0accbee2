"""Searching all mail, filtering the view, sorting it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.mail.model import FolderView, Order, RoleView
from termmail.ui.actions import finding
from termmail.ui.actions.registry import Group, verb
from termmail.ui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from termmail.ui.actions.verb_context import Mail


class Asked(StrEnum):
    """What the words of the prompt are for."""

    SEARCH = "search"
    FILTER = "filter"


def _search_word(mail: Mail) -> str:
    return "find" if mail.screen.reader.has_focus else "search"


@verb("mail.search", "/", "Search all mail; in a message, find there", Group.FINDING, rank=8, short=_search_word)
def search(mail: Mail) -> None:
    """Ask for words to search for; the list follows the typing. Where the message has the focus, find in it."""
    if mail.screen.reader.has_focus:
        finding.find(mail)
        return
    label = " Search all accounts: " if len(mail.engine.accounts.names) > 1 else " Search all mail: "
    mail.screen.query_one(Prompt).open(Asked.SEARCH, label, "words, from:ada, subject:lunch")


@verb("mail.filter", "\\", "Filter this view", Group.FINDING)
def narrow(mail: Mail) -> None:
    """Ask for words that messages of this folder must hold; the list follows the typing."""
    mail.screen.query_one(Prompt).open(Asked.FILTER, f" Filter {mail.list.name}: ", "words of the messages to keep")


def typed(mail: Mail, kind: str, text: str) -> None:
    """Let the list follow what is typed."""
    if kind == Asked.FILTER:
        mail.list.keep_only(text)
    elif text:
        mail.search(text, typing=True)
    elif mail.list.searching:
        mail.go_to(mail.list.home)


def closed(mail: Mail, kind: str, text: str, *, kept: bool) -> None:
    """Keep what was found (Enter), or go back to the folder (Esc)."""
    if mail.screen.whole:
        mail.screen.set_whole(on=False)
    mail.screen.set_focus(mail.screen.messages)
    if kind == Asked.FILTER:
        mail.list.keep_only(text if kept else "")
    elif kept and text:
        mail.search(text)
    elif mail.list.searching:
        mail.go_to(mail.list.home)


ORDERS = {
    Order.NEWEST: "newest first",
    Order.OLDEST: "oldest first",
    Order.SENDER: "by sender",
    Order.SUBJECT: "by subject",
    Order.SIZE: "largest first",
}


def _sortable(mail: Mail) -> str:
    return "" if isinstance(mail.list.view, FolderView | RoleView) else "Only folders of messages can be sorted."


@verb("view.sort", "S", "Sort another way", Group.FINDING, applies=_sortable)
def sort(mail: Mail) -> None:
    """Sort the folder in the next of the orders there are."""
    view = mail.list.view
    if isinstance(view, FolderView | RoleView):
        orders = list(ORDERS)
        order = orders[(orders.index(view.order) + 1) % len(orders)]
        mail.go_to(replace(view, order=order))
        mail.status.say(f"{mail.list.name}, {ORDERS[order]}", 5)
