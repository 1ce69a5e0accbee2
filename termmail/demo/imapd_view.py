"""What one session of the embedded IMAP server knows of the folder it has open, and what is news to it."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from termmail.demo.imapd_syntax import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from termmail.demo.imap_mailbox import ImapFolder, ImapMailbox, StoredMessage


class FolderView:
    """An open folder. `known` are the unique ids that the client was told of, ascending: the place is the number.

    Close it when the folder is left. `wake` is called after each change.
    """

    def __init__(self, mailbox: ImapMailbox, folder: ImapFolder, wake: Callable[[], None], *, read_only: bool) -> None:
        self.folder = folder
        self.read_only = read_only
        self.known = folder.uids
        self._mailbox = mailbox
        self._name = folder.name
        self._uidvalidity = folder.uidvalidity
        self._wake = wake
        self._flags_at = self._set_at = folder.highestmodseq
        self._told: dict[int, int] = {}
        folder.watchers.add(wake)

    def close(self) -> None:
        """Watch no longer."""
        self.folder.watchers.discard(self._wake)

    @property
    def lost(self) -> bool:
        """Whether the folder was deleted, renamed or renumbered: its numbers mean nothing any more."""
        return self._mailbox.folders.get(self._name) is not self.folder or (
            self.folder.uidvalidity != self._uidvalidity
        )

    def number(self, uid: int) -> int:
        """Return the message number of a known unique id."""
        return bisect_left(self.known, uid) + 1

    def flags_told(self, messages: Iterable[StoredMessage]) -> None:
        """Take note that the client knows the flags of these messages as they are now."""
        self._told.update((one.uid, one.modseq) for one in messages)

    def news(self, *, removals: bool, vanished: bool, modseq: bool, uid: bool) -> list[bytes]:
        """Return the untagged responses that bring the client up to date.

        `removals` says whether messages may leave now (RFC 3501 section 7.4.1), `vanished` how that is told, and
        `modseq` and `uid` what FETCH tells besides flags.
        """
        folder, rows = self.folder, []
        if self._set_at != folder.highestmodseq:
            if removals:
                rows += self._removals(vanished=vanished)
                self._set_at = folder.highestmodseq
            rows += self._arrivals()
        if self._flags_at != folder.highestmodseq:
            rows += self._flags(modseq=modseq, uid=uid)
            self._flags_at = folder.highestmodseq
            self._told.clear()
        return rows

    def _removals(self, *, vanished: bool) -> list[bytes]:
        messages = self.folder.messages
        gone = [place for place, uid in enumerate(self.known) if uid not in messages]
        if not gone:
            return []
        uids = [self.known[place] for place in gone]
        self.known = [uid for uid in self.known if uid in messages]
        if vanished:
            return [b"* VANISHED %b\r\n" % compact(uids)]
        return [b"* %d EXPUNGE\r\n" % (place + 1) for place in reversed(gone)]

    def _arrivals(self) -> list[bytes]:
        last = self.known[-1] if self.known else 0
        arrived = []
        for uid in reversed(self.folder.messages):
            if uid <= last:
                break
            arrived.append(uid)
        if not arrived:
            return []
        self.known += reversed(arrived)
        # They are new, so a client asks for their flags anyway; but what changes later is told.
        self._told.update((uid, self.folder.messages[uid].modseq) for uid in arrived)
        return [b"* %d EXISTS\r\n" % len(self.known)]

    def _flags(self, *, modseq: bool, uid: bool) -> list[bytes]:
        rows = []
        for number, known in enumerate(self.known, 1):
            message = self.folder.messages.get(known)
            if message is None or message.modseq <= self._flags_at or self._told.get(known) == message.modseq:
                continue
            words = [b"UID %d" % known] if uid else []
            words.append(b"FLAGS (%b)" % flags_text(message.flags))
            words += [b"MODSEQ (%d)" % message.modseq] if modseq else []
            rows.append(b"* %d FETCH (%b)\r\n" % (number, b" ".join(words)))
        return rows


def flags_text(flags: Iterable[str]) -> bytes:
    """Return flags as they are written, without the parentheses."""
    return " ".join(sorted(flags)).encode("utf-8", "surrogateescape")
