"""Conversations in the list: fold and unfold them, list them or single messages, break them off and join them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import MessageRow
from termmail.mail.step_words import done_words
from termmail.mail.views import FolderView, RoleView, Unfolded
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_changeable_message, on_message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from termmail.mail.model import Done
    from termmail.ui.actions.verb_context import Mail

NONE_HERE = "Only folders show conversations; this list shows single messages."


def _in_conversations(mail: Mail) -> str:
    """Require a list of conversations, with the cursor on a row."""
    if why := on_message(mail):
        return why
    if not isinstance(mail.list.view, FolderView | RoleView):
        return NONE_HERE
    if not mail.screen.messages.outline.threads:
        return f"This list shows single messages. {mail.key('thread.switch')} shows conversations."
    return ""


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
    return "fold" if _is_unfolded(mail) else "unfold" if _is_folded(mail) else ""


@verb(
    "thread.fold", "o", "Unfold or fold the conversation", Group.CONVERSATIONS,
    applies=_in_conversations, rank=6, short=fold_word,
)  # fmt: skip
def fold(mail: Mail) -> None:
    """Show the messages of the conversation at the cursor as a tree, or as one row again; in the reader all whole."""
    reader = mail.screen.reader
    if reader.has_focus and reader.conversation is not None:
        reader.switch_every()
        mail.screen.retitle()
    elif _is_folded(mail) or _is_unfolded(mail):
        _unfold(mail, mail.list.unfolded.toggled(mail.screen.messages.spot.thread))
    else:
        mail.status.say("This message is alone: there is nothing to unfold.", 3)


def _unfold(mail: Mail, unfolded: Unfolded) -> None:
    """Fold and unfold; keys typed meanwhile act on what the list shows then."""
    mail.screen.termmail.held_keys.hold()
    mail.list.unfold(unfolded, shown=mail.screen.termmail.held_keys.release)


@verb("thread.fold-all", "O", "Unfold or fold all conversations", Group.CONVERSATIONS, applies=_in_conversations)
def fold_all(mail: Mail) -> None:
    """Show all conversations of the list as trees, or each as one row where any is unfolded."""
    _unfold(mail, Unfolded(every=not mail.screen.messages.outline.depths))


def _can_switch(mail: Mail) -> str:
    return "" if isinstance(mail.list.view, FolderView | RoleView) else NONE_HERE


@verb("thread.switch", "T", "Conversations or single messages", Group.CONVERSATIONS, applies=_can_switch)
def switch(mail: Mail) -> None:
    """List the conversations of folders, or single messages."""
    on = not mail.list.threaded
    mail.screen.termmail.held_keys.hold()
    mail.list.thread(on=on, shown=mail.screen.termmail.held_keys.release)
    mail.status.say("Conversations" if on else "Single messages", 3)


@verb(
    "thread.break-off", "", "Break off a conversation from here", Group.CONVERSATIONS,
    applies=on_changeable_message,
)  # fmt: skip
def break_off(mail: Mail) -> None:
    """Make the message at the cursor, with its answers, a conversation of its own."""
    _regroup(mail, mail.engine.messages.break_off, [mail.screen.messages.cursor_id])


def _several(mail: Mail) -> str:
    if why := on_changeable_message(mail):
        return why
    if len(mail.screen.messages.selected) < 2:
        return f"Select the messages to join first: {mail.key('list.select')} selects."
    return ""


@verb("thread.join", "", "Join the selected in a conversation", Group.CONVERSATIONS, applies=_several)
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
