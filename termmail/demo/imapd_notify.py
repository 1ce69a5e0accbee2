"""NOTIFY of the embedded IMAP server: changes in folders that are not open are told with STATUS (RFC 5465)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.demo.imapd_folders import status_row
from termmail.demo.imapd_state import Reply
from termmail.demo.imapd_syntax import Bad, text

if TYPE_CHECKING:
    from termmail.demo.imap_mailbox import ImapFolder
    from termmail.demo.imapd_state import SessionState
    from termmail.demo.imapd_syntax import Value

_ITEMS = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ"]


class Notifications:
    """The folders that one session is told of, each with the mod-sequence up to which it knows them."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._told: dict[ImapFolder, int] = {}
        self._wake = partial(
            state.wake
        )  # another object than the one that FolderView removes when its folder is closed
        for folder in state.user_mailbox().folders.values():
            self._told[folder] = folder.highestmodseq
            folder.watchers.add(self._wake)

    def rows(self) -> list[bytes]:
        """Return STATUS of every folder that has changed since it was told; the open one is told by itself."""
        rows = []
        for folder, told in self._told.items():
            if folder.highestmodseq == told:
                continue
            self._told[folder] = folder.highestmodseq
            if self._state.view is None or self._state.view.folder is not folder:
                rows.append(status_row(self._state, folder, _ITEMS))
        return rows

    def close(self) -> None:
        """Watch no longer."""
        for folder in self._told:
            folder.watchers.discard(self._wake)


def notify(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute NOTIFY SET and NOTIFY NONE: all personal folders, whatever the events are."""
    what = text(arguments[0]).upper() if arguments else b""
    if what not in {b"SET", b"NONE"}:
        raise Bad("SET or NONE was expected")
    state.stop_notifying()
    if what == b"SET":
        state.notifications = Notifications(state)
    return Reply("done")
