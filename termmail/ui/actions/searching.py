"""Searching all mail, filtering the view, sorting it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from termmail.engine.views import ORDERS
from termmail.ui.actions.registry import Group, verb
from termmail.ui.list_model import unfinished
from termmail.ui.roles import Listing
from termmail.ui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from termmail.ui.actions.context import Mail


class Asked(StrEnum):
    """What the words of the prompt are for."""

    SEARCH = "search"
    FILTER = "filter"


@verb("mail.search", "/", "Search all mail", Group.FINDING, rank=8, short="search")
def search(mail: Mail) -> None:
    """Ask for words to search for; the list follows the typing."""
    label = " Search all accounts: " if len(mail.engine.accounts) > 1 else " Search all mail: "
    mail.screen.query_one(Prompt).open(Asked.SEARCH, label, "words, from:ada, subject:lunch")


@verb("mail.filter", "\\", "Filter this view", Group.FINDING)
def narrow(mail: Mail) -> None:
    """Ask for words that messages of this folder must hold; the list follows the typing."""
    mail.screen.query_one(Prompt).open(
        Asked.FILTER, f" Filter {mail.list.home.folder}: ", "words of the messages to keep"
    )


def typed(mail: Mail, kind: str, text: str) -> None:
    """Let the list follow what is typed."""
    if kind == Asked.FILTER:
        mail.list.keep_only(text)
    elif text:
        mail.go_to(mail.list.results(unfinished(text)))
    elif mail.list.view.query is not None:
        mail.go_to(mail.list.home)


def closed(mail: Mail, kind: str, text: str, *, kept: bool) -> None:
    """Keep what was found (Enter), or go back to the folder (Esc)."""
    if mail.screen.whole:
        mail.screen.set_whole(on=False)
    mail.screen.set_focus(mail.screen.messages)
    if kind == Asked.FILTER:
        mail.list.keep_only(text if kept else "")
    elif kept and text:
        mail.go_to(mail.list.results(text))
    elif mail.list.view.query is not None:
        mail.go_to(mail.list.home)


def _sortable(mail: Mail) -> str:
    if mail.list.view.query is not None or mail.list.listing is not Listing.MESSAGES:
        return "Only folders of messages can be sorted."
    return ""


@verb("view.sort", "S", "Sort another way", Group.PROGRAM, applies=_sortable)
def sort(mail: Mail) -> None:
    """Sort the folder in the next of the orders there are."""
    orders = list(ORDERS)
    view = mail.list.view
    order = orders[(orders.index(view.order) + 1) % len(orders)]
    mail.go_to(view._replace(order=order))
    mail.status.say(f"{view.folder}, {ORDERS[order]}", 5)
