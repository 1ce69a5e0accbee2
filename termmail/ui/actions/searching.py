"""Searching all mail, filtering the view, sorting it."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.engine import queries
from termmail.errors import UserError
from termmail.mail import query_words
from termmail.mail.counting import count, number
from termmail.mail.model import Order
from termmail.mail.views import FolderView, RoleView, SavedView, SearchView
from termmail.ui import titles
from termmail.ui.actions import finding
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import changeable, on_message
from termmail.ui.kinds import Listing
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


@verb("mail.search", "/", "Search all mail, or in the message", Group.FINDING, rank=8, short=_search_word)
def search(mail: Mail) -> None:
    """Ask for words to search for; the list follows the typing. Where the message has the focus, find in it."""
    if mail.screen.reader.has_focus:
        finding.find(mail)
        return
    label = " Search all accounts: " if len(mail.engine.accounts.names) > 1 else " Search all mail: "
    mail.screen.query_one(Prompt).open(Asked.SEARCH, label, "words, from:ada, after:last week, -subject:lunch")
    _advise(mail, "")


@verb("mail.filter", "\\", "Filter this view", Group.FINDING)
def narrow(mail: Mail) -> None:
    """Ask for words that messages of this folder must hold; the list follows the typing."""
    mail.screen.query_one(Prompt).open(Asked.FILTER, f" Filter {mail.list.name}: ", "words of the messages to keep")
    _advise(mail, "")


@verb("list.select-matching", ";", "Select by words", Group.SELECTING, applies=on_message)
def select_matching(mail: Mail) -> None:
    """Ask for words; the messages of the list that hold them are selected while they are typed."""
    mail.screen.query_one(Prompt).open(Asked.SELECT, f" Select in {mail.list.name}: ", "words, from:ada, subject:lunch")


async def _select(mail: Mail, text: str) -> None:
    """Select the rows with a message that holds the words, and say in the prompt how many they are."""
    mail.screen.query_one(Prompt).count(await _selected(mail, text))


async def _select_for_good(mail: Mail, text: str) -> None:
    """Select these rows, say how many they are, and put the cursor on the first one."""
    messages = mail.screen.messages
    if words := await _selected(mail, text):
        mail.status.say(f"Selected: {words}")
        if (first := next((place for place, one in enumerate(messages.ids) if one in messages.selected), -1)) >= 0:
            messages.go(first)


async def _selected(mail: Mail, text: str) -> str:
    """Select the rows with a message that holds the words; return how many they are, "" for no words."""
    messages = mail.screen.messages
    if not text:
        messages.select_none()
        mail.selection_changed()
        return ""
    outline = messages.outline
    try:
        found = await mail.engine.lists.rows_with(mail.list.listed, text, outline)
    except UserError as error:
        mail.fail(error)
        return ""
    messages.select_these(found.rows)
    mail.selection_changed()
    noun = "conversation" if outline.threads else "message"
    words = f"{number(len(found.rows))} of {count(len(outline.ids), noun)}"
    return words if found.messages == len(found.rows) else f"{words}, {count(found.messages, 'message')}"


def typed(mail: Mail, kind: str, text: str) -> None:
    """Let the list follow what is typed, and say what it means."""
    if kind == Asked.SELECT:
        start_worker(mail.screen, partial(_select, mail, text.strip()), "select", exclusive=True)
    elif kind == Asked.FILTER:
        mail.list.keep_only(text if text.strip() else "")
    elif text.strip():
        mail.search(text, typing=True)
    elif mail.list.searching:
        mail.go_to(mail.list.home)
    _advise(mail, text)  # the list comes first


def _advise(mail: Mail, text: str) -> None:
    """Say what the typed text means and what would complete it; Drafts and Outbox are filtered by plain words."""
    if mail.list.listing is Listing.MESSAGES:
        start_worker(mail.screen, partial(_say, mail, text), "advice", exclusive=True)


async def _say(mail: Mail, text: str) -> None:
    prompt = mail.screen.query_one(Prompt)
    typed, cursor = prompt.text, prompt.cursor
    try:
        known = await mail.engine.lists.known(query_words.person_wanted(typed, cursor))
    except UserError as error:
        mail.fail(error)
        return
    if prompt.text == typed:
        parsed = mail.list.parsed(text, typing=True)
        problems = [*parsed.problems, *query_words.unknown_names(parsed.query, known)]
        found = query_words.completions(typed, cursor, known)
        words = query_words.explanation(typed, cursor, replace(parsed, problems=tuple(problems)))
        prompt.advise(words, found, is_problem=bool(problems) and words == problems[0])


def closed(mail: Mail, kind: str, text: str, *, kept: bool) -> None:
    """Keep what was found (Enter), or go back to the folder (Esc)."""
    if mail.screen.whole:
        mail.screen.set_whole(on=False)
    mail.screen.set_focus(mail.screen.messages)
    if kind == Asked.SELECT:
        start_worker(mail.screen, partial(_select_for_good, mail, text if kept else ""), "select", exclusive=True)
    elif kind == Asked.FILTER:
        mail.list.keep_only(text if kept else "")
    elif kept and text:
        mail.search(text)
        if problems := mail.list.parsed(text, typing=False).problems:
            mail.status.say(" ".join(problems))
    elif mail.list.searching:
        mail.go_to(mail.list.home)


FOLDER_ORDERS = (Order.NEWEST, Order.OLDEST, Order.SENDER, Order.SUBJECT, Order.SIZE)
"""How a folder can be sorted."""

SEARCH_ORDERS = {Order.NEWEST: "newest first", Order.BEST: "best first: the words in subject or people"}


def _sortable(mail: Mail) -> str:
    known = FolderView | RoleView | SearchView | SavedView
    return "" if isinstance(mail.list.view, known) else "Only folders of messages and searches can be sorted."


@verb("view.sort", "S", "Change the sort order", Group.FINDING, applies=_sortable)
def sort(mail: Mail) -> None:
    """Sort the folder or what was found in the next of the orders there are."""
    view = mail.list.view
    if isinstance(view, SearchView | SavedView):
        order = Order.BEST if view.order is Order.NEWEST else Order.NEWEST
        mail.list.go_to(replace(view, order=order), mail.list.words)
        mail.status.say(f"{mail.list.name}, {SEARCH_ORDERS[order]}", 5)
    elif isinstance(view, FolderView | RoleView):
        order = FOLDER_ORDERS[(FOLDER_ORDERS.index(view.order) + 1) % len(FOLDER_ORDERS)]
        mail.go_to(replace(view, order=order))
        mail.status.say(f"{mail.list.name}, {titles.ORDERS[order]}", 5)


def _without_bodies(mail: Mail) -> str:
    return changeable(mail) or ("" if mail.engine.accounts.names else "There is no account yet.")


@verb("mail.fetch-bodies", "f6", "Download all messages, for search", Group.FINDING, applies=_without_bodies)
def fetch_bodies(mail: Mail) -> None:
    """Fetch the text of every message that is only on a server."""
    for account in mail.engine.accounts.names:
        mail.problems.forget(account)
        mail.engine.accounts.fetch_bodies(account)
    mail.status.say("Fetching the messages that are only on the server", 5)


def _in_search(mail: Mail) -> str:
    return changeable(mail) or ("" if mail.list.searching else f"Search first: {mail.key('mail.search')}.")


@verb("search.keep", "ctrl+s", "Save this search as a folder", Group.FINDING, applies=_in_search)
def keep(mail: Mail) -> None:
    """Ask for a name and keep the search in the folder column."""
    from termmail.ui.screens.ask_name import AskNameScreen  # noqa: PLC0415 - not needed for the first screen

    typed = words = mail.list.words
    if mail.screen.asking:
        words = queries.words_as_typed(mail.engine.context, typed)

    async def run(name: str) -> str:
        kept = await mail.engine.folders.save_search(name, words)
        if mail.screen.asking:
            mail.screen.query_one(Prompt).put_away()
            mail.screen.set_focus(mail.screen.messages)
        mail.go_to(SavedView(kept.search_id))
        return f"Search saved as “{kept.name}” in the folder column"

    def answered(name: str | None) -> None:
        if name:
            mail.do(partial(run, name))

    mail.screen.app.push_screen(
        AskNameScreen("Save this search as", typed, "Enter saves it among the folders"), answered
    )


def _kept(mail: Mail) -> str:
    return changeable(mail) or (
        "" if isinstance(mail.list.view, SavedView) else "Only saved searches can be moved up and down."
    )


@verb("search.up", "", "Move this saved search up", Group.FOLDER_COLUMN, applies=_kept)
def move_up(mail: Mail) -> None:
    """Move the kept search that is shown one place up in the folder column."""
    _move(mail, -1)


@verb("search.down", "", "Move this saved search down", Group.FOLDER_COLUMN, applies=_kept)
def move_down(mail: Mail) -> None:
    """Move the kept search that is shown one place down in the folder column."""
    _move(mail, 1)


def _move(mail: Mail, places: int) -> None:
    if isinstance(view := mail.list.view, SavedView):

        async def run() -> None:
            await mail.engine.folders.move_search(view.search_id, places)

        mail.do(run)
