"""The mailbox of one user of the embedded IMAP server: folders and messages with their lasting numbers.

It is the state that sessions see. Tests change it as a second client would: every change gets a mod-sequence
(RFC 7162), and sessions that have the folder open are woken.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from termmail.net.imap.folder_names import encode_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
_SYSTEM = {flag.lower(): flag for flag in SYSTEM_FLAGS}
FIRST_UIDVALIDITY = 1_700_000_000


class StoredMessage:
    r"""One message. `flags` holds keywords too; `internal_date` is in seconds UTC, `modseq` that of the last change."""

    __slots__ = ("flags", "internal_date", "modseq", "raw", "uid")

    def __init__(self, uid: int, raw: bytes, flags: frozenset[str], internal_date: int, modseq: int) -> None:
        self.uid = uid
        self.raw = raw
        self.flags = flags
        self.internal_date = internal_date
        self.modseq = modseq

    @property
    def header_size(self) -> int:
        """Bytes of the header block, with the empty line behind it."""
        if self.raw.startswith(b"\r\n"):
            return 2
        end = self.raw.find(b"\r\n\r\n")
        return len(self.raw) if end < 0 else end + 4

    @property
    def email_id(self) -> str:
        """What all copies of the message have in common, and no other message (RFC 8474 section 5.1)."""
        return "M" + hashlib.sha256(b"%d %b" % (self.internal_date, self.raw)).hexdigest()[:24]


class ImapFolder:
    r"""One folder; `ImapMailbox` creates it. `messages` has them by unique id, ascending.

    `name` is modified UTF-7 with "/" between the levels, whatever delimiter the server shows; `role` is a special use
    such as "\Sent", or ""; `expunged` has the mod-sequence at which each unique id went. A folder that is not
    `selectable` only holds others. `watchers` are called after each change.
    """

    def __init__(self, name: bytes, role: str, uidvalidity: int, *, selectable: bool = True) -> None:
        self.name = name
        self.role = role
        self.uidvalidity = uidvalidity
        self.selectable = selectable
        self.read_only = False
        """Whether every SELECT of it is answered as EXAMINE is."""
        self.takes_keywords = True
        self.uidnext = 1
        self.highestmodseq = 1
        self.subscribed = True
        self.messages: dict[int, StoredMessage] = {}
        self.expunged: dict[int, int] = {}
        self.watchers: set[Callable[[], None]] = set()
        self._keywords: dict[str, str] = {}

    @property
    def mailbox_id(self) -> str:
        """What stays when the folder is renamed (RFC 8474 section 4.1)."""
        return f"F{self.uidvalidity}"

    @property
    def uids(self) -> list[int]:
        """The unique ids, ascending."""
        return list(self.messages)

    @property
    def keywords(self) -> list[str]:
        """The keywords that were ever used in the folder."""
        return list(self._keywords.values())

    def canonical(self, flags: Iterable[str]) -> frozenset[str]:
        """Return flags in the spelling that the folder knows: they have no case (RFC 3501 section 2.3.2)."""
        named = (_SYSTEM.get(flag.lower()) or self._keywords.setdefault(flag.lower(), flag) for flag in flags)
        return frozenset(named)

    def add(self, raw: bytes, flags: Iterable[str] = (), internal_date: int | None = None) -> int:
        """Add a message and return its unique id. `internal_date` is in seconds UTC, now if it is None."""
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        date = int(time.time()) if internal_date is None else internal_date
        self.messages[uid] = StoredMessage(uid, raw, self.canonical(flags), date, self.highestmodseq + 1)
        self._changed()
        return uid

    def store(
        self, uids: Iterable[int], *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> dict[int, StoredMessage]:
        """Add and remove flags; return the messages whose flags are different now."""
        more, less = self.canonical(add), self.canonical(remove)
        return self._set_flags(uids, lambda flags: (flags | more) - less)

    def replace_flags(self, uids: Iterable[int], flags: Iterable[str]) -> dict[int, StoredMessage]:
        """Set exactly these flags; return the messages whose flags are different now."""
        wanted = self.canonical(flags)
        return self._set_flags(uids, lambda _: wanted)

    def _set_flags(
        self, uids: Iterable[int], change: Callable[[frozenset[str]], frozenset[str]]
    ) -> dict[int, StoredMessage]:
        changed: dict[int, StoredMessage] = {}
        for uid in uids:
            message = self.messages.get(uid)
            if message is not None and (flags := change(message.flags)) != message.flags:
                message.flags = flags
                message.modseq = self.highestmodseq + 1
                changed[uid] = message
        if changed:
            self._changed()
        return changed

    def expunge(self, uids: Iterable[int]) -> list[int]:
        """Remove messages, whatever their flags; return the unique ids that were there."""
        gone = [uid for uid in uids if self.messages.pop(uid, None) is not None]
        if gone:
            self.expunged.update(dict.fromkeys(gone, self.highestmodseq + 1))
            self._changed()
        return gone

    def copy(self, uids: Iterable[int], target: ImapFolder) -> dict[int, int]:
        """Copy messages to another folder; return the new unique id of each that was there."""
        found = [self.messages[uid] for uid in uids if uid in self.messages]
        return {one.uid: target.add(one.raw, one.flags, one.internal_date) for one in found}

    def move(self, uids: Iterable[int], target: ImapFolder) -> dict[int, int]:
        """Move messages to another folder; return the new unique id of each that was there."""
        pairs = self.copy(uids, target)
        self.expunge(pairs)
        return pairs

    def renumber(self, uidvalidity: int, first: int = 1) -> None:
        """Give the folder a new UIDVALIDITY and its messages new unique ids from `first` up, in their order.

        Sessions that have it open are disconnected.
        """
        messages = list(self.messages.values())
        self.uidvalidity = uidvalidity
        self.uidnext = first + len(messages)
        self.expunged.clear()
        self.messages.clear()
        for uid, message in enumerate(messages, first):
            message.uid = uid
            self.messages[uid] = message
        self.wake()

    def wake(self) -> None:
        """Call the watchers."""
        for watcher in tuple(self.watchers):
            watcher()

    def _changed(self) -> None:
        self.highestmodseq += 1
        self.wake()


class ImapMailbox:
    """The folders of one user, INBOX among them. Names are text with "/" between the levels, or bytes as stored."""

    def __init__(self, password: str, folders: Iterable[tuple[str, str]] = ()) -> None:
        """Create INBOX and `folders`, each with its name and its role, "" for none."""
        self.password = password
        self.folders: dict[bytes, ImapFolder] = {}
        self._uidvalidity = FIRST_UIDVALIDITY
        self.create("INBOX")
        for name, role in folders:
            self.create(name, role)

    def folder(self, name: str | bytes) -> ImapFolder:
        """Return a folder. Raises KeyError if there is none of that name."""
        return self.folders[stored_name(name)]

    def find(self, name: bytes) -> ImapFolder | None:
        """Return a folder that can be opened, or None."""
        folder = self.folders.get(stored_name(name))
        return folder if folder is not None and folder.selectable else None

    def create(self, name: str | bytes, role: str = "") -> ImapFolder:
        """Create a folder and, above it, what is missing. Raises ValueError if it exists."""
        name = stored_name(name)
        known = self.folders.get(name)
        if known is not None and known.selectable:
            raise ValueError("the folder exists")
        self._add_parents(name)
        folder = self.folders[name] = self.new_folder(name, role, self._next_uidvalidity())
        return folder

    def new_folder(self, name: bytes, role: str, uidvalidity: int) -> ImapFolder:
        """Return an empty folder, to be put among the others."""
        return ImapFolder(name, role, uidvalidity)

    def delete(self, name: str | bytes) -> None:
        """Delete a folder; with others below it the name stays, and cannot be opened. Raises KeyError."""
        name = stored_name(name)
        folder = self.folders.pop(name)
        if self.below(name):
            self.folders[name] = ImapFolder(name, "", folder.uidvalidity, selectable=False)
        folder.wake()
        self._drop_empty_parents(name)

    def rename(self, name: str | bytes, new: str | bytes) -> None:
        """Rename a folder and those below it. Of INBOX only the messages move (RFC 3501 section 6.3.5).

        Raises KeyError or ValueError.
        """
        name, new = stored_name(name), stored_name(new)
        folder = self.folders[name]
        if new in self.folders:
            raise ValueError("the folder exists")
        if name == b"INBOX":
            folder.move(folder.uids, self.create(new))
            return
        if new.startswith(name + b"/"):
            raise ValueError("a folder cannot be below itself")
        for old in [name, *self.below(name)]:
            moved = self.folders.pop(old)
            moved.name = new + old[len(name) :]
            self.folders[moved.name] = moved
            moved.wake()
        self._add_parents(new)
        self._drop_empty_parents(name)

    def change_uidvalidity(self, name: str | bytes, first: int = 1) -> None:
        """Give a folder a new UIDVALIDITY and its messages new unique ids, from `first` up."""
        self.folder(name).renumber(self._next_uidvalidity(), first)

    def below(self, name: bytes) -> list[bytes]:
        """Return the names of the folders below this one."""
        return [other for other in self.folders if other.startswith(name + b"/")]

    def _next_uidvalidity(self) -> int:
        self._uidvalidity += 1
        return self._uidvalidity

    def _add_parents(self, name: bytes) -> None:
        levels = name.split(b"/")
        for depth in range(1, len(levels)):
            parent = b"/".join(levels[:depth])
            if parent and parent not in self.folders:
                self.folders[parent] = ImapFolder(parent, "", 0, selectable=False)

    def _drop_empty_parents(self, name: bytes) -> None:
        while b"/" in name:
            name = name.rpartition(b"/")[0]
            parent = self.folders.get(name)
            if parent is None or parent.selectable or self.below(name):
                return
            del self.folders[name]


def stored_name(name: str | bytes) -> bytes:
    """Return a name as the mailbox stores it: modified UTF-7, and INBOX in capitals."""
    wire = encode_name(name) if isinstance(name, str) else name
    return b"INBOX" if wire.upper() == b"INBOX" else wire
