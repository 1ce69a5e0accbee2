"""Searching all mail, filtering the view, sorting it."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.errors import UserError
from termmail.mail.model import FolderView, Order, RoleView
from termmail.ui.actions import finding
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_message
from termmail.ui.list_model import unfinished
from termmail.ui.widgets.prompt import Prompt
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from termmail.ui.actions.verb_context import Mail


class Asked(StrEnum):
    """What the words of the prompt are for."""

    SEARCH = "search"
    FILTER = "filter"
    SELECT = "select"


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


@verb("list.select-matching", ";", "Select by words", Group.SELECTING, applies=on_message)
def select_matching(mail: Mail) -> None:
    """Ask for words; the messages of the list that hold them are selected while they are typed."""
    mail.screen.query_one(Prompt).open(Asked.SELECT, f" Select in {mail.list.name}: ", "words, from:ada, subject:lunch")


async def _select(mail: Mail, text: str) -> None:
    messages = mail.screen.messages
    try:
        hits = await mail.engine.lists.matching(mail.list.view, unfinished(text), messages.ids) if text else set()
    except UserError as error:
        mail.fail(error)
        return
    messages.select_these(hits)
    mail.selection_changed()


def typed(mail: Mail, kind: str, text: str) -> None:
    """Let the list follow what is typed."""
    if kind == Asked.SELECT:
        start_worker(mail.screen, partial(_select, mail, text), "select", exclusive=True)
    elif kind == Asked.FILTER:
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
    if kind == Asked.SELECT:
        start_worker(mail.screen, partial(_select, mail, text if kept else ""), "select", exclusive=True)
    elif kind == Asked.FILTER:
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
