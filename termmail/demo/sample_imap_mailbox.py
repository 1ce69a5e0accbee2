"""The IMAP mailbox of the demo: about 30 messages in nine folders, with dates relative to a given day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.demo import python_list, society_folders
from termmail.demo import society_letters as letters
from termmail.demo.imap_mailbox import ImapMailbox

if TYPE_CHECKING:
    from datetime import datetime

NAME = "Ada King"
USER = letters.SECRETARY_ADDRESS

_FOLDERS = (
    ("INBOX", "", letters.INBOX),
    ("Archive", "\\Archive", letters.ARCHIVE),
    ("Sent", "\\Sent", letters.SENT),
    ("Drafts", "\\Drafts", letters.DRAFTS),
    ("Junk", "\\Junk", letters.JUNK),
    ("Trash", "\\Trash", letters.TRASH),
    ("Travel", "", society_folders.TRAVEL),
    ("Übersetzungen", "", society_folders.TRANSLATIONS),
    ("Lists/Python", "", python_list.LETTERS),
)
_UNREAD = {
    "society-curve",
    "society-channels",
    "society-nano-2",
    "society-lottery",
    "society-change",
    "society-python-4",
}
_FLAGS = {
    "society-programme-1": {"\\Answered"},
    "society-letterhead": {"\\Answered"},
    "society-witch": {"\\Answered"},
    "society-account": {"\\Flagged"},
    "society-station": {"\\Flagged"},
    "society-prize": {"$Forwarded"},
    "society-hall-draft": {"\\Draft"},
}


def mailbox(now: datetime, password: str) -> ImapMailbox:
    """Return the mailbox; its messages are byte for byte the same for the same `now`, which needs a time zone."""
    filled = ImapMailbox(password, [(name, role) for name, role, _ in _FOLDERS if name != "INBOX"])
    for name, _, written in _FOLDERS:
        for letter in sorted(written, key=lambda one: one.ago, reverse=True):
            flags = _FLAGS.get(letter.key, set()) | (set() if letter.key in _UNREAD else {"\\Seen"})
            filled.folder(name).add(letter.raw(now), flags, int((now - letter.ago).timestamp()))
    return filled
