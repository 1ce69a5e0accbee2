"""Conversations in the list: fold and unfold them, list them or single messages, break them off and join them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.mail.model import MessageRow
from termmail.mail.step_words import done_words
from termmail.mail.views import FolderView, RoleView, Unfolded
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_changeable_message, on_message
from termmail.ui.kinds import Listing
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from termmail.mail.model import Done
    from termmail.ui.actions.verb_context import Mail


def _none_here(mail: Mail) -> str:
    return f"Only folders list conversations; {mail.key('thread.fold')} shows the conversation of this message."


def _lists_hits(mail: Mail) -> bool:
    """Return whether the list shows messages from anywhere, or what a filter keeps, each on a row of its own."""
    return mail.list.looks_in_many or bool(mail.list.filter)


def _in_conversations(mail: Mail) -> str:
    """Require a list of conversations, with the cursor on a row."""
    if why := on_message(mail):
        return why
    if not isinstance(mail.list.view, FolderView | RoleView):
        return _none_here(mail)
    if not mail.screen.messages.outline.threads:
        return f"This list shows single messages. {mail.key('thread.switch')} shows conversations."
    return ""


def _with_conversation(mail: Mail) -> str:
    """Require a message whose conversation can be unfolded or opened."""
    page = mail.screen.reader.has_focus and mail.screen.reader.conversation is not None
    return on_message(mail) if page or _lists_hits(mail) else _in_conversations(mail)


def _is_unfolded(mail: Mail) -> bool:
    """Return whether the cursor is on a message of an unfolded conversation."""
    messages = mail.screen.messages
    return messages.cursor_id in messages.outline.depths


def _is_folded(mail: Mail) -> bool:
    """Return whether the cursor is on a row that stands for several messages."""
    messages = mail.screen.messages
    row = messages.row(messages.cursor_id)
    return not _is_unfolded(mail) and isinstance(row, MessageRow) and row.conversation is not None


def fold_word(mail: Mail) -> str:
    """Return what the key bar calls folding here, "" where there is nothing to fold or unfold."""
    page = mail.screen.reader.conversation
    if mail.screen.reader.has_focus and page is not None:
        return "fold" if page.every else "unfold"
    if _lists_hits(mail):
        return "conversation" if mail.list.listing is Listing.MESSAGES else ""
    return "fold" if _is_unfolded(mail) else "unfold" if _is_folded(mail) else ""


@verb(
    "thread.fold", "o", "Unfold or fold the conversation", Group.CONVERSATIONS,
    applies=_with_conversation, rank=6, short=fold_word,
)  # fmt: skip
def fold(mail: Mail) -> None:
    """Show the messages of the conversation at the cursor as a tree, or as one row again; in the reader all whole.

    In a list of single messages from anywhere, show the page of the conversation.
    """
    reader = mail.screen.reader
    if reader.has_focus and reader.conversation is not None:
        reader.switch_every()
        mail.screen.retitle()
    elif _lists_hits(mail):
        start_worker(mail.screen, partial(_open_conversation, mail), "page", exclusive=True)
    elif _is_folded(mail) or _is_unfolded(mail):
        _unfold(mail, mail.list.unfolded.toggled(mail.screen.messages.spot.thread))
    else:
        mail.status.say("This message is alone: there is nothing to unfold.", 3)


async def _open_conversation(mail: Mail) -> None:
    """Read the whole conversation of the message at the cursor, in whatever folders its messages are."""
    row_id = mail.screen.messages.cursor_id
    try:
        row = await mail.engine.lists.conversation_row(row_id)
    except UserError as error:
        mail.fail(error)
        return
    if row is None or mail.screen.messages.cursor_id != row_id:
        return
    if row.conversation is None:
        mail.status.say("This message is alone: it has no conversation.", 3)
    else:
        mail.preview.read_page(row)


def _unfold(mail: Mail, unfolded: Unfolded) -> None:
    """Fold and unfold; keys typed meanwhile act on what the list shows then."""
    mail.screen.termmail.held_keys.hold()
    mail.list.unfold(unfolded, shown=mail.screen.termmail.held_keys.release)


@verb("thread.fold-all", "O", "Unfold or fold all conversations", Group.CONVERSATIONS, applies=_in_conversations)
def fold_all(mail: Mail) -> None:
    """Show all conversations of the list as trees, or each as one row where any is unfolded."""
    _unfold(mail, Unfolded(every=not mail.screen.messages.outline.depths))


def _can_switch(mail: Mail) -> str:
    return "" if isinstance(mail.list.view, FolderView | RoleView) else _none_here(mail)


@verb("thread.switch", "T", "Conversations or single messages", Group.CONVERSATIONS, applies=_can_switch)
def switch(mail: Mail) -> None:
    """List the conversations of folders, or single messages."""
    on = not mail.list.threaded
    mail.screen.termmail.held_keys.hold()
    mail.list.thread(on=on, shown=mail.screen.termmail.held_keys.release)
    mail.status.say("Conversations" if on else "Single messages", 3)


@verb(
    "thread.break-off", "", "Split the conversation here", Group.CONVERSATIONS,
    applies=on_changeable_message,
)  # fmt: skip
def break_off(mail: Mail) -> None:
    """Make the message at the cursor, with its answers, a conversation of its own."""
    _regroup(mail, mail.engine.messages.break_off, [mail.screen.messages.cursor_id])


def _several(mail: Mail) -> str:
    if why := on_changeable_message(mail):
        return why
    if len(mail.screen.messages.selected) < 2:
        return f"Select the messages to merge first: {mail.key('list.select')} selects."
    return ""


@verb("thread.join", "", "Merge selected into one conversation", Group.CONVERSATIONS, applies=_several)
def join(mail: Mail) -> None:
    """Make the selected messages, and the conversations they are in, one conversation."""
    _regroup(mail, mail.engine.messages.join, mail.targets())
    mail.screen.messages.select_none()
    mail.selection_changed()


def _regroup(mail: Mail, work: Callable[[Sequence[int]], Awaitable[Done]], ids: Sequence[int]) -> None:
    async def regroup() -> str:
        async with mail.in_turn:
            done = await work(ids)
        return mail.with_undo_hint(done_words(done)) if done.step is not None else done_words(done)

    mail.do(regroup)
