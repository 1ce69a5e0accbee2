"""The words for a step of the journal: after it was done, before it is taken back, and after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.counting import count
from termmail.mail.model import StepKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.mail.model import Done, Step, Undone
    from termmail.mail.rule import Ran

_DONE = {
    StepKind.READ: "Marked as read: {messages}",
    StepKind.UNREAD: "Marked as unread: {messages}",
    StepKind.STAR: "Starred: {messages}",
    StepKind.UNSTAR: "Star removed: {messages}",
    StepKind.MOVE: "Moved to {name}: {messages}",
    StepKind.COPY: "Copied to {name}: {messages}",
    StepKind.ARCHIVE: "Archived: {messages}",
    StepKind.JUNK: "Marked as spam: {messages}",
    StepKind.NOT_JUNK: "Not spam, moved to the Inbox: {messages}",
    StepKind.DELETE: "Deleted: {messages}",
    StepKind.SEND: "Sending “{name}”",
    StepKind.MAKE_FOLDER: "Folder “{name}” created",
    StepKind.RENAME_FOLDER: "Folder renamed to “{name}”",
    StepKind.REMOVE_FOLDER: "Folder “{name}” removed",
    StepKind.SNOOZE: "Snoozed until {name}: {messages}",
    StepKind.UNSNOOZE: "No longer snoozed: {messages}",
    StepKind.LABEL: "Labelled {name}: {messages}",
    StepKind.UNLABEL: "Label {name} removed: {messages}",
    StepKind.REMIND: "Reminder set for {name}, if nobody answers: {messages}",
    StepKind.NO_REMINDER: "Reminder removed: {messages}",
    StepKind.MUTE: "Muted: {messages} · new replies skip the Inbox",
    StepKind.UNMUTE: "Unmuted: {messages}",
    StepKind.RULE: "Rule “{name}”: {messages}",
    StepKind.REMOVE_SEARCH: "Search “{name}” removed",
    StepKind.RENAME_LABEL: "Label renamed to {name}",
    StepKind.MAKE_RULE: "Rule “{name}” made",
    StepKind.EDIT_RULE: "Rule “{name}” changed",
    StepKind.REMOVE_RULE: "Rule “{name}” removed",
    StepKind.BREAK_OFF: "Conversation split: {messages} in the new one",
    StepKind.JOIN: "Merged into one conversation: {messages}",
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
    StepKind.SNOOZE: "snooze",
    StepKind.UNSNOOZE: "unsnooze",
    StepKind.LABEL: "label",
    StepKind.UNLABEL: "label",
    StepKind.REMIND: "reminder",
    StepKind.NO_REMINDER: "reminder",
    StepKind.MUTE: "mute",
    StepKind.UNMUTE: "unmute",
    StepKind.RULE: "rule",
    StepKind.REMOVE_SEARCH: "remove search",
    StepKind.RENAME_LABEL: "rename",
    StepKind.MAKE_RULE: "new rule",
    StepKind.EDIT_RULE: "rule change",
    StepKind.REMOVE_RULE: "remove rule",
    StepKind.BREAK_OFF: "split",
    StepKind.JOIN: "merge",
}
_WITHOUT_MESSAGES = {
    *(StepKind.MAKE_FOLDER, StepKind.RENAME_FOLDER, StepKind.REMOVE_FOLDER, StepKind.REMOVE_SEARCH),
    *(StepKind.RENAME_LABEL, StepKind.MAKE_RULE, StepKind.EDIT_RULE, StepKind.REMOVE_RULE),
}
_IN_PLACE = {
    *(StepKind.READ, StepKind.UNREAD, StepKind.STAR, StepKind.UNSTAR),
    *(StepKind.BREAK_OFF, StepKind.JOIN),
    *(StepKind.LABEL, StepKind.UNLABEL, StepKind.REMIND, StepKind.NO_REMINDER, StepKind.UNSNOOZE),
    *(StepKind.MUTE, StepKind.UNMUTE, StepKind.RULE),
}
"""Steps that leave messages where they are: after their undo nothing is said to be back."""


def step_words(step: Step) -> str:
    """Return what a step did: "Archived: 2 messages"."""
    return _DONE[step.kind].format(messages=count(step.count, "message"), name=step.name)


def done_words(done: Done) -> str:
    """Return what a verb did, in a sentence; also how many messages it left alone."""
    left = []
    if done.already:
        left.append(f"{count(len(done.already), 'message')} already there")
    if done.skipped:
        left.append(skipped_words(done.skipped))
    if done.step is None:
        return f"Nothing to do: {', '.join(left)}." if left else ""
    return " · ".join([step_words(done.step), *left])


def skipped_words(skipped: Sequence[int]) -> str:
    """Return how many messages a verb left alone because they are no longer where the user saw them."""
    return f"{count(len(skipped), 'message')} moved elsewhere meanwhile, left alone"


def renamed_label_words(before: str, step: Step, keyword: str) -> str:
    """Return that a label has another name, and the keyword that it keeps on IMAP servers."""
    return f"Label {before} is now {step.name}; on IMAP servers its keyword stays {keyword}"


def ran_words(ran: Ran) -> str:
    """Return what a rule did because the user asked for it."""
    changed = "Stopped, and taken back" if ran.is_stopped else "Nothing to do"
    return " · ".join([changed if ran.step is None else step_words(ran.step), *ran.trouble])


def undo_word(step: Step) -> str:
    """Return the word of the key bar for taking a step back: "undo delete"."""
    return f"undo {_NAMES[step.kind]}"


def undone_words(undone: Undone) -> str:
    """Return what an undo did, in a sentence."""
    step = undone.step
    if step.kind is StepKind.SEND:
        return "Not sent: the message is a draft again" if undone.draft_id else "Not sent"
    if step.kind in _WITHOUT_MESSAGES:
        return f"Undone: {step_words(step)}"
    messages = count(len(undone.message_ids), "message")
    how = "" if step.kind in _IN_PLACE else " back"
    words = f"Undone: {_NAMES[step.kind]} ({messages}{how})"
    return f"{words} · {len(undone.skipped)} changed since and left alone" if undone.skipped else words
