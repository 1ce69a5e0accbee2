r"""A mailbox with the labels of Gmail: every folder but Trash and Spam is a label, and All Mail has every message.

A message has one set of flags, whatever labels it has. What goes to Trash or Spam loses its labels, and removing a message
from a label leaves it in All Mail (developers.google.com/workspace/gmail/imap/imap-extensions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.demo.imap_mailbox import ImapFolder, ImapMailbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from termmail.demo.imap_mailbox import StoredMessage

FOLDERS = (
    ("[Gmail]/All Mail", "\\All"),
    ("[Gmail]/Sent Mail", "\\Sent"),
    ("[Gmail]/Drafts", "\\Drafts"),
    ("[Gmail]/Spam", "\\Junk"),
    ("[Gmail]/Trash", "\\Trash"),
)
_APART = {"\\Junk", "\\Trash"}


class GmailFolder(ImapFolder):
    """A label, or All Mail, Spam or Trash; `everything` are the folders of the mailbox."""

    everything: dict[bytes, ImapFolder]

    def add(self, raw: bytes, flags: Iterable[str] = (), internal_date: int | None = None) -> int:
        """Add a message, to All Mail too; in Trash and Spam it is alone."""
        uid = super().add(raw, flags, internal_date)
        message = self.messages[uid]
        if (twin := self._twin_in(self, message)) is not None:
            super().expunge([uid])
            return twin
        for folder in self._others():
            held = self._twin_in(folder, message)
            if self.role in _APART or folder.role in _APART:
                if held is not None:
                    folder.expunge([held])
            elif folder.role == "\\All" and held is None:
                ImapFolder.add(folder, raw, flags, message.internal_date)
        return uid

    def _set_flags(
        self, uids: Iterable[int], change: Callable[[frozenset[str]], frozenset[str]]
    ) -> dict[int, StoredMessage]:
        changed = super()._set_flags(uids, change)
        for message in changed.values():
            for folder in self._others():
                if (held := self._twin_in(folder, message)) is not None:
                    ImapFolder._set_flags(folder, [held], change)  # noqa: SLF001 - of the class above
        return changed

    def _others(self) -> list[ImapFolder]:
        return [one for one in self.everything.values() if one is not self and one.selectable]

    def _twin_in(self, folder: ImapFolder, message: StoredMessage) -> int | None:
        """Return the unique id of the same message in a folder."""
        return next(
            (one.uid for one in folder.messages.values() if one.email_id == message.email_id and one is not message),
            None,
        )


class GmailMailbox(ImapMailbox):
    """The folders of a Gmail account."""

    def __init__(self, password: str, labels: Iterable[str] = ()) -> None:
        super().__init__(password, [*FOLDERS, *((name, "") for name in labels)])

    def new_folder(self, name: bytes, role: str, uidvalidity: int) -> ImapFolder:
        """Return a folder that knows the others."""
        folder = GmailFolder(name, role, uidvalidity)
        folder.everything = self.folders
        return folder
