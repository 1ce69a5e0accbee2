"""Selecting messages and sorting them out: delete, archive, move, spam, star, read, and undo of all of these.

Each verb changes the screen at once, then asks the engine, then says what was done.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.mail.counting import count
from termmail.mail.model import DRAFTS_NAME, Role, StepKind
from termmail.mail.step_words import done_words, skipped_words, undo_word, undone_words
from termmail.ui.actions.folder_verbs import choose_target
from termmail.ui.actions.reading import read_here
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_changeable_message, on_changeable_row, on_row
from termmail.ui.actions.writing import compose_on
from termmail.ui.kinds import Listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.mail.model import Done, Placement
    from termmail.ui.actions.verb_context import Mail
    from termmail.ui.list_model import Seen


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


@verb("list.extend-down", "shift+down", "Select down to the next message", Group.SELECTING, applies=on_row)
def extend_down(mail: Mail) -> None:
    """Select the message at the cursor and the next one, or take the last one of a range out of it."""
    _extend(mail, mail.screen.messages.cursor + 1)


@verb("list.extend-up", "shift+up", "Select up to the previous message", Group.SELECTING, applies=on_row)
def extend_up(mail: Mail) -> None:
    """Select the message at the cursor and the previous one, or take the last one of a range out of it."""
    _extend(mail, mail.screen.messages.cursor - 1)


@verb("list.extend-bottom", "shift+end", "Select from here to the end", Group.SELECTING, applies=on_row)
def extend_bottom(mail: Mail) -> None:
    """Select everything from the message at the cursor to the last one."""
    _extend(mail, len(mail.screen.messages.ids) - 1)


@verb("list.extend-top", "shift+home", "Select from here to the top", Group.SELECTING, applies=on_row)
def extend_top(mail: Mail) -> None:
    """Select everything from the message at the cursor to the first one."""
    _extend(mail, 0)


def _extend(mail: Mail, index: int) -> None:
    mail.screen.messages.extend(index)
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
        work = partial(mail.do, partial(_discard, mail, ids), ids)
        mail.ask(f"Discard {count(len(ids), 'draft')}?", "Discard", work)
    elif mail.list.listing is Listing.OUTGOING:
        mail.do(partial(_take_back, mail, ids), ids)
    elif mail.list.role is Role.TRASH:
        seen = mail.list.seen(ids)
        question = f"Delete {mail.amount(ids)} for good, here and on the server?"
        mail.ask(question, "Delete", partial(mail.do, partial(_erase, mail, ids, seen), ids))
    else:
        mail.act(mail.engine.messages.delete, ids, asking="Delete")


async def _erase(mail: Mail, ids: Sequence[int], seen: Seen) -> str:
    done = await mail.engine.messages.erase(await mail.list.placements(ids, seen))
    words = []
    if done.message_ids or not done.kept:
        words.append(f"Deleted for good: {count(len(done.message_ids), 'message')}")
    if done.kept:
        words.append(f"{count(len(done.kept), 'message')} taken out of Trash and kept in another folder")
    if done.skipped:
        words.append(skipped_words(done.skipped))
    return " · ".join(words)


async def _discard(mail: Mail, ids: Sequence[int]) -> str:
    for draft_id in ids:
        await mail.engine.drafts.discard(draft_id)
    return f"{count(len(ids), 'draft')} discarded"


async def _take_back(mail: Mail, ids: Sequence[int]) -> str:
    """Stop outgoing messages; each goes back to its draft."""
    rows = [await mail.engine.outbox.row(outbox_id) for outbox_id in ids]
    if not all(row.draft_id for row in rows):
        return "This message has no draft to go back to. Enter offers to delete it."
    for row in rows:
        await mail.engine.outbox.cancel(row.outbox_id)
    return f"Not sent: {count(len(rows), 'message')} back in {DRAFTS_NAME}"


@verb("message.archive", "e", "Archive", Group.SORTING_OUT, applies=on_changeable_message, rank=7, short="archive")
def archive(mail: Mail) -> None:
    """Move to Archive."""
    mail.act(mail.engine.messages.archive, mail.targets(), asking="Archive")


@verb("message.spam", "!", "Spam / not spam", Group.SORTING_OUT, applies=on_changeable_message)
def spam(mail: Mail) -> None:
    """Move to Spam; what is in Spam is no spam and goes back to the Inbox."""
    messages = mail.engine.messages
    if mail.list.role is Role.JUNK:
        mail.act(messages.not_junk, mail.targets(), asking="Move out of Spam")
    else:
        mail.act(messages.junk, mail.targets(), asking="Move to Spam")


@verb("message.move", "v", "Move to a folder", Group.SORTING_OUT, applies=on_changeable_message, rank=13, short="move")
def move(mail: Mail) -> None:
    """Ask for a folder and move the messages there."""
    ids = mail.targets()
    seen = mail.list.seen(ids)

    def chosen(folder_id: int) -> None:
        mail.act(partial(_move_to, mail, folder_id), ids, seen=seen, asking="Move")

    choose_target(mail, f"Move {mail.amount(ids)} to", chosen)


async def _move_to(mail: Mail, folder_id: int, seen: list[Placement]) -> Done:
    return await mail.engine.messages.move(seen, folder_id)


@verb("message.copy", "", "Copy to another folder", Group.SORTING_OUT, applies=on_changeable_message)
def copy(mail: Mail) -> None:
    """Ask for a folder in which the messages are shown too."""
    ids = mail.targets()
    seen = mail.list.seen(ids)

    def chosen(folder_id: int) -> None:
        mail.act(partial(_copy_to, mail, folder_id), ids, leaving=False, seen=seen)

    choose_target(mail, f"Copy {mail.amount(ids)} to", chosen)


async def _copy_to(mail: Mail, folder_id: int, seen: list[Placement]) -> Done:
    return await mail.engine.messages.copy(seen, folder_id)


@verb(
    "message.star", "s,*", "Star or unstar", Group.SORTING_OUT,
    applies=on_changeable_message, rank=11, short="star",
)  # fmt: skip
def star(mail: Mail) -> None:
    """Star the messages; where the first one has a star, take the stars away."""
    rows, ids = mail.target_rows(), mail.targets()
    on = not (rows and rows[0].message_id == ids[0] and rows[0].starred)

    seen = mail.list.seen(ids)

    def work() -> None:
        mail.screen.messages.change(ids, starred=on)
        mail.do(partial(_mark, mail, ids, seen, StepKind.STAR if on else StepKind.UNSTAR), shown=rows)

    mail.sure("Star" if on else "Take the star from", ids, work)


@verb(
    "message.read", "u", "Mark as read or unread", Group.SORTING_OUT,
    applies=on_changeable_message, rank=14, short="unread",
)  # fmt: skip
def read(mail: Mail) -> None:
    """Mark as unread; where the first message is unread, mark as read."""
    rows, ids = mail.target_rows(), mail.targets()
    unread = not (rows and rows[0].message_id == ids[0] and rows[0].unread)

    seen = mail.list.seen(ids)

    def work() -> None:
        mail.screen.messages.change(ids, unread=unread)
        mail.do(partial(_mark, mail, ids, seen, StepKind.UNREAD if unread else StepKind.READ), shown=rows)

    mail.sure("Mark as unread:" if unread else "Mark as read:", ids, work)


async def _mark(mail: Mail, ids: Sequence[int], seen: Seen, kind: StepKind) -> str:
    async with mail.in_turn:
        wanted = [one.message_id for one in await mail.list.placements(ids, seen)]
        done = mail.did(await mail.engine.messages.mark(wanted, kind))
    return done_words(done) if len(wanted) > 1 else ""


def _undo_word(mail: Mail) -> str:
    if mail.next_step is None:
        return ""
    return "undo" if mail.triage is not None else undo_word(mail.next_step)


@verb("message.undo", "z", "Undo", Group.SORTING_OUT, rank=10, short=_undo_word)
def undo(mail: Mail) -> None:
    """Take back the newest step; in the Outbox, stop the message at the cursor. The next keys act on what comes back."""
    if mail.list.listing is Listing.OUTGOING and mail.targets():
        delete(mail)
        return
    mail.screen.termmail.held_keys.hold()
    mail.do(partial(_undo, mail))


async def _undo(mail: Mail) -> str | None:
    try:
        async with mail.in_turn:
            undone = await mail.engine.journal.undo()
            if undone is not None:
                mail.took_back(undone)
                await _to_what_came_back(mail, set(undone.message_ids))
        if undone is None:
            return "There is nothing to undo."
        if undone.draft_id:
            await compose_on(mail, await mail.engine.drafts.load(undone.draft_id))
        return undone_words(undone)
    finally:
        mail.screen.app.call_after_refresh(mail.screen.termmail.held_keys.release)


async def _to_what_came_back(mail: Mail, changed: set[int]) -> None:
    """Put the cursor on the first message that an undo has brought back to the list."""
    messages = mail.screen.messages
    here = changed.intersection(messages.ids)
    view, outline = mail.list.view, await mail.list.outline()
    back = next((place for place, one in enumerate(outline.ids) if one in changed and one not in here), None)
    if back is not None and view == mail.list.view:
        messages.update(outline)
        messages.go(back)


@verb("mail.empty-trash", "", "Empty Trash for good", Group.SORTING_OUT)
def empty_trash(mail: Mail) -> None:
    """Delete everything in the account's Trash, after a question."""
    account = mail.list.account
    trash = next((one for one in mail.list.counts.folders if one.account == account and one.role is Role.TRASH), None)
    held = mail.list.counts.messages.get(trash.folder_id) if trash is not None else None
    if held is None or not held.total:
        mail.status.say("Trash is empty.", 3)
        return
    question = f"Delete {count(held.total, 'message')} in Trash for good, here and on the server?"
    mail.ask(question, "Empty Trash", partial(mail.do, partial(_empty_trash, mail, account)))


async def _empty_trash(mail: Mail, account: str) -> str:
    return f"Deleted for good: {count(await mail.engine.messages.empty_trash(account), 'message')}"


# -- one after the other


def _triage_word(mail: Mail) -> str:
    return "skip" if mail.triage is not None else "triage"


@verb(
    "list.triage", "t", "Triage: one message after the other", Group.SORTING_OUT,
    applies=on_changeable_message, rank=9, short=_triage_word,
)  # fmt: skip
def triage(mail: Mail) -> None:
    """Show the messages from here on one by one on the whole screen, the next as soon as one is done; there, skip one."""
    messages = mail.screen.messages
    if mail.triage is not None:
        if not mail.triage.advance():
            mail.end_triage()
        return
    queue = mail.targets() if messages.selected else list(messages.ids[messages.cursor :])
    messages.select_none()
    mail.selection_changed()
    messages.go(messages.ids.index(queue[0]))
    mail.start_triage(queue)
    read_here(mail)
