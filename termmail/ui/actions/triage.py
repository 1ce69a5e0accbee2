"""Selecting messages and sorting them out: delete, archive, move, spam, star, read, and undo of all of these.

Each verb changes the screen at once, then asks the engine, then says what was done.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.ui.actions.context import on_changeable_message, on_changeable_row, on_row
from termmail.ui.actions.folders import choose
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.writing import compose_on
from termmail.ui.humanize import count
from termmail.ui.roles import NAMES, Listing, Role, view_role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.ui.actions.context import Mail


# -- selecting


@verb("list.select", "x", "Select this message", Group.SELECTING, applies=on_row, rank=12, short="select")
def select(mail: Mail) -> None:
    """Select the message at the cursor, or take it out of the selection, and go to the next one."""
    messages = mail.screen.messages
    messages.select(messages.cursor_id)
    mail.selection_changed()
    if not mail.screen.whole:
        messages.go(messages.cursor + 1)


@verb("list.select-all", "X", "Select all shown, or none", Group.SELECTING)
def select_all(mail: Mail) -> None:
    """Select all messages of the list, or none where all were selected."""
    mail.screen.messages.select_all()
    mail.selection_changed()


# -- sorting out


def _delete_word(mail: Mail) -> str:
    return {Listing.MESSAGES: "delete", Listing.DRAFTS: "discard", Listing.OUTGOING: "take back"}[mail.list.listing]


@verb(
    "message.delete", "d,delete,#", "Delete", Group.SORTING_OUT,
    applies=on_changeable_row, rank=5, short=_delete_word,
)  # fmt: skip
def delete(mail: Mail) -> None:
    """Move to Trash; in Trash delete for good, of a draft discard it, of an outgoing message stop it."""
    ids = mail.targets()
    if mail.list.listing is Listing.DRAFTS:
        work = partial(mail.do, partial(_discard, mail, ids), ids, undo=False)
        mail.ask(f"Discard {count(len(ids), 'draft')}?", "Discard", work)
    elif mail.list.listing is Listing.OUTGOING:
        mail.do(partial(_take_back, mail, ids), ids, undo=False)
    elif view_role(mail.list.view) is Role.TRASH:
        question = f"Delete {count(len(ids), 'message')} for good, here and on the server?"
        mail.ask(question, "Delete", partial(mail.do, partial(mail.engine.delete, ids), ids, undo=False))
    else:
        mail.do(partial(mail.engine.delete, ids), ids)


async def _discard(mail: Mail, ids: Sequence[int]) -> str:
    for draft_id in ids:
        await mail.engine.discard_draft(draft_id)
    return f"{count(len(ids), 'draft')} discarded"


async def _take_back(mail: Mail, ids: Sequence[int]) -> str:
    """Stop outgoing messages; each goes back to its draft."""
    rows = [await mail.engine.outbox_row(outbox_id) for outbox_id in ids]
    back = [row for row in rows if row.draft_id and await mail.engine.cancel_outbox(row.id) is not None]
    if not all(row.draft_id for row in rows):
        return "A message from another program has no draft to go back to. Enter offers to delete it."
    if len(back) < len(ids):
        return "A message that is being sent already cannot be stopped."
    return f"Not sent: {count(len(back), 'message')} back in {NAMES[Role.DRAFTS]}"


@verb("message.archive", "e", "Archive", Group.SORTING_OUT, applies=on_changeable_message, rank=7, short="archive")
def archive(mail: Mail) -> None:
    """Move to Archive."""
    ids = mail.targets()
    mail.do(partial(mail.engine.archive, ids), ids)


@verb("message.spam", "!", "Move to Spam; there, not spam", Group.SORTING_OUT, applies=on_changeable_message)
def spam(mail: Mail) -> None:
    """Move to Spam; what is in Spam is no spam and goes back to the Inbox."""
    ids = mail.targets()
    if view_role(mail.list.view) is Role.JUNK:
        mail.do(partial(_no_spam, mail, ids), ids)
    else:
        mail.do(partial(mail.engine.spam, ids), ids)


async def _no_spam(mail: Mail, ids: Sequence[int]) -> str:
    await mail.engine.move(ids, NAMES[Role.INBOX])
    return f"Not spam: {count(len(ids), 'message')} moved to {NAMES[Role.INBOX]}"


@verb("message.move", "v", "Move to a folder", Group.SORTING_OUT, applies=on_changeable_message, rank=13, short="move")
def move(mail: Mail) -> None:
    """Ask for a folder and move the messages there."""
    ids = mail.targets()

    def chosen(folder: str) -> None:
        if folder != mail.list.view.folder:
            mail.do(partial(mail.engine.move, ids, folder), ids)

    choose(mail, f"Move {count(len(ids), 'message')} to", chosen, moving=True)


@verb(
    "message.star", "s,*", "Star, or take the star away", Group.SORTING_OUT,
    applies=on_changeable_message, rank=11, short="star",
)  # fmt: skip
def star(mail: Mail) -> None:
    """Star the messages; where the first one has a star, take the stars away."""
    rows, ids = mail.target_rows(), mail.targets()
    on = not (rows and rows[0].id == ids[0] and rows[0].starred)
    mail.screen.messages.change(ids, starred=on)
    mail.do(partial(mail.engine.star, ids, on=on), undo=False, shown=rows)


@verb(
    "message.read", "u", "Read or unread", Group.SORTING_OUT,
    applies=on_changeable_message, rank=14, short="unread",
)  # fmt: skip
def read(mail: Mail) -> None:
    """Mark as unread; where the first message is unread, mark as read."""
    rows, ids = mail.target_rows(), mail.targets()
    unread = not (rows and rows[0].id == ids[0] and rows[0].unread)
    mail.screen.messages.change(ids, unread=unread)
    mail.do(partial(mail.engine.mark_read, ids, unread=unread), undo=False, shown=rows)


@verb("message.undo", "z", "Undo", Group.SORTING_OUT, rank=10, short="undo")
def undo(mail: Mail) -> None:
    """Take back the newest step; in the Outbox, stop the message at the cursor. The next keys act on what comes back."""
    if mail.list.listing is Listing.OUTGOING and mail.targets():
        delete(mail)
        return
    mail.screen.termmail.hold_keys()
    mail.do(partial(_undo, mail), undo=False)


async def _undo(mail: Mail) -> str | None:
    try:
        mail.engine.last_draft = 0
        async with mail.in_turn:
            here = mail.taken_off.intersection(mail.screen.messages.ids)
            words = await mail.engine.undo()
            await _to_what_came_back(mail, mail.taken_off - here)
        if words and mail.engine.last_draft:
            await compose_on(mail, await mail.engine.load_draft(mail.engine.last_draft))
        return words or "There is nothing to undo."
    finally:
        mail.screen.app.call_after_refresh(mail.screen.termmail.release_keys)


async def _to_what_came_back(mail: Mail, away: set[int]) -> None:
    """Put the cursor on the first message that was away and is on the list again."""
    messages = mail.screen.messages
    view, ids = mail.list.view, await mail.list.ids()
    back = next((place for place, message_id in enumerate(ids) if message_id in away), None)
    if back is not None and view == mail.list.view:
        mail.taken_off -= away.intersection(ids)
        messages.update(ids)
        messages.go(back)


def _counting_down(mail: Mail) -> str:
    return "" if mail.sending.next_id else "Nothing is about to be sent."


@verb("mail.stop-sending", "Z", "Stop sending", Group.WRITING, applies=_counting_down)
def stop_sending(mail: Mail) -> None:
    """Stop the message that would go next and open it again. The next keys go to the composer."""
    mail.screen.termmail.hold_keys()
    mail.do(partial(_stop, mail, mail.sending.next_id), undo=False)


async def _stop(mail: Mail, outbox_id: int) -> str:
    try:
        draft = await mail.engine.cancel_outbox(outbox_id)
        if draft is None:
            return "The message is being sent already and cannot be stopped."
        await compose_on(mail, draft)
        return "Not sent: the message is a draft again."
    finally:
        mail.screen.app.call_after_refresh(mail.screen.termmail.release_keys)


@verb("mail.empty-trash", "", "Empty Trash for good", Group.PROGRAM)
def empty_trash(mail: Mail) -> None:
    """Delete everything in the account's Trash, after a question."""
    account = mail.list.view.account or mail.list.home.account
    held = mail.list.counts.get(account, {}).get(NAMES[Role.TRASH])
    if held is None or not held.total:
        mail.status.say("Trash is empty.", 3)
        return
    question = f"Delete {count(held.total, 'message')} in Trash for good, here and on the server?"
    mail.ask(question, "Empty Trash", partial(mail.do, partial(mail.engine.empty_trash, account), undo=False))
