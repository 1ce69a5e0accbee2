"""What a step of the journal is called: after it was done, before it is taken back, and after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import StepKind
from termmail.mail.wording import count

if TYPE_CHECKING:
    from termmail.mail.model import Done, Step, Undone

_DONE = {
    StepKind.READ: "Marked as read: {messages}",
    StepKind.UNREAD: "Marked as unread: {messages}",
    StepKind.STAR: "Starred: {messages}",
    StepKind.UNSTAR: "Star removed: {messages}",
    StepKind.MOVE: "Moved to {name}: {messages}",
    StepKind.COPY: "Copied to {name}: {messages}",
    StepKind.ARCHIVE: "Archived: {messages}",
    StepKind.JUNK: "Marked as spam: {messages}",
    StepKind.NOT_JUNK: "Not spam: {messages}, back in the Inbox",
    StepKind.DELETE: "Deleted: {messages}",
    StepKind.SEND: "Sending “{name}”",
    StepKind.MAKE_FOLDER: "Folder {name} created",
    StepKind.RENAME_FOLDER: "Folder renamed to {name}",
    StepKind.REMOVE_FOLDER: "Folder {name} removed",
}
_NAMES = {
    StepKind.READ: "read",
    StepKind.UNREAD: "unread",
    StepKind.STAR: "star",
    StepKind.UNSTAR: "star",
    StepKind.MOVE: "move",
    StepKind.COPY: "copy",
    StepKind.ARCHIVE: "archive",
    StepKind.JUNK: "spam",
    StepKind.NOT_JUNK: "not spam",
    StepKind.DELETE: "delete",
    StepKind.SEND: "send",
    StepKind.MAKE_FOLDER: "new folder",
    StepKind.RENAME_FOLDER: "rename",
    StepKind.REMOVE_FOLDER: "remove folder",
}
_FOLDER_STEPS = {StepKind.MAKE_FOLDER, StepKind.RENAME_FOLDER, StepKind.REMOVE_FOLDER}
_FLAG_STEPS = {StepKind.READ, StepKind.UNREAD, StepKind.STAR, StepKind.UNSTAR}


def done_words(done: Done) -> str:
    """Return what a verb did, in a sentence; also how many messages it left alone."""
    words = ""
    if done.step is not None:
        words = _DONE[done.step.kind].format(messages=count(done.step.count, "message"), name=done.step.name)
    left = []
    if done.already:
        left.append(f"{count(len(done.already), 'message')} there already")
    if done.skipped:
        left.append(f"{count(len(done.skipped), 'message')} moved meanwhile and left alone")
    if words or not left:
        return " · ".join([words, *left])
    return f"Nothing was changed: {', '.join(left)}."


def undo_word(step: Step) -> str:
    """Return the word of the key bar for taking a step back: "undo delete"."""
    return f"undo {_NAMES[step.kind]}"


def undone_words(undone: Undone) -> str:
    """Return what an undo did, in a sentence."""
    step = undone.step
    if step.kind is StepKind.SEND:
        return "Not sent: the message is a draft again"
    if step.kind in _FOLDER_STEPS:
        return f"Undone: {_NAMES[step.kind]} {step.name}"
    messages = count(len(undone.message_ids), "message")
    words = f"{messages} as before" if step.kind in _FLAG_STEPS else f"{messages} back"
    return f"{words} · {len(undone.skipped)} changed since and left alone" if undone.skipped else words
