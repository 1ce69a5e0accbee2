"""What the server says of the open folder: when it is opened, and afterwards (RFC 3501 section 7, RFC 7162)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.net.imap.fetch_parser import read_flags
from termmail.net.imap.response_parser import read_number
from termmail.net.imap.uid_set import UidSet
from termmail.net.imap.untagged import (
    Condition,
    Exists,
    Expunge,
    Fetch,
    FolderFlags,
    FolderStatus,
    ListRow,
    Status,
    Vanished,
)

if TYPE_CHECKING:
    from termmail.net.imap.untagged import Untagged

KEPT = 100_000
"""Rows of changes that are kept until they are read."""


class FolderState(Struct, frozen=True):
    r"""A folder as it was when it was opened.

    `highestmodseq` is None without mod-sequences; `permanent_flags` may hold "\*", new keywords are then allowed.
    `changed` and `vanished` are what happened since the mod-sequence that was asked for, if `resynced`. `arrived` are the
    headers that were asked for with the folder.
    """

    name: bytes
    uidvalidity: int
    exists: int
    uidnext: int | None
    highestmodseq: int | None
    flags: frozenset[str]
    permanent_flags: frozenset[str]
    read_only: bool
    mailbox_id: bytes | None
    resynced: bool
    changed: tuple[Fetch, ...]
    vanished: UidSet
    arrived: tuple[Fetch, ...] = ()

    def storable(self, flags: frozenset[str]) -> frozenset[str]:
        r"""Return those flags that this folder keeps: those of PERMANENTFLAGS, and keywords where it holds "\*"."""
        if self.read_only:
            return frozenset()
        new = r"\*" in self.permanent_flags
        known = {flag.lower() for flag in self.permanent_flags}
        return frozenset(flag for flag in flags if flag.lower() in known or (new and not flag.startswith("\\")))


class Changes(Struct, frozen=True):
    """What the server told about the open folder since the last call.

    `expunged` counts messages that are gone without a unique id; `incomplete`: more changed than was told or kept.
    """

    exists: int
    rows: tuple[Fetch, ...]
    vanished: UidSet
    expunged: int
    incomplete: bool

    def __bool__(self) -> bool:
        return bool(self.rows or self.vanished or self.expunged or self.incomplete)


class Opening:
    """Collects what SELECT says. Every response that may concern the folder is taken."""

    def __init__(self, *, resync: bool) -> None:
        self.resync = resync
        self._begin()

    def _begin(self) -> None:
        self._exists = 0
        self._flags: frozenset[str] = frozenset()
        self._permanent: frozenset[str] | None = None
        self._numbers: dict[str, int] = {}
        self._mailbox_id: bytes | None = None
        self._rows: dict[int, Fetch] = {}
        self._vanished: list[UidSet] = []

    def take(self, response: Untagged) -> bool:
        """Take one untagged response; return whether it belongs to the folder that is being opened."""
        if isinstance(response, Exists):
            self._exists = response.count
        elif isinstance(response, FolderFlags):
            self._flags = response.flags
        elif isinstance(response, Vanished):
            if self.resync:
                self._vanished.append(response.uids)
        elif isinstance(response, Fetch):
            if response.sections is not None:
                return False
            if self.resync and response.uid is not None:
                self._rows[response.uid] = response
        elif isinstance(response, Status) and response.condition is Condition.OK and response.code != "ALERT":
            self._take_code(response)
        else:
            return isinstance(response, Expunge)
        return True

    def _take_code(self, status: Status) -> None:
        if status.code == "CLOSED":
            self._begin()  # what came before was about the folder before (RFC 7162 section 3.2.11)
        elif status.code == "PERMANENTFLAGS":
            self._permanent = read_flags(tuple(status.argument.strip(b"()").split()))
        elif status.code == "MAILBOXID":
            self._mailbox_id = status.argument.strip(b"()")
        elif (number := read_number(status.argument, 19 if status.code == "HIGHESTMODSEQ" else 10)) is not None:
            self._numbers[status.code] = number

    def state(self, name: bytes, status: Status) -> FolderState:
        """Return the state; `status` is the tagged answer."""
        if status.code:
            self._take_code(status)
        return FolderState(
            name,
            self._numbers.get("UIDVALIDITY", 0),
            self._exists,
            self._numbers.get("UIDNEXT"),
            self._numbers.get("HIGHESTMODSEQ") or None,
            self._flags,
            self._flags if self._permanent is None else self._permanent,
            status.code == "READ-ONLY",
            self._mailbox_id,
            self.resync,
            tuple(self._rows.values()),
            UidSet(one for uids in self._vanished for one in uids.ranges),
        )


class News:
    """Collects what the server says of a folder that is open."""

    def __init__(self) -> None:
        self.exists = 0
        self.highestmodseq: int | None = None
        """As of the last tagged answer: what passes by in between may be incomplete."""
        self.stale = False
        """Whether the folder is no longer the one that was opened."""
        self._uidvalidity = 0
        self._passing: int | None = None
        self._forget()

    def _forget(self) -> None:
        self._rows: dict[int, Fetch] = {}
        self._vanished: list[UidSet] = []
        self._expunged = 0
        self._incomplete = False

    def opened(self, state: FolderState) -> None:
        """Start from the state of the folder."""
        self._uidvalidity = state.uidvalidity
        self.exists, self.highestmodseq = state.exists, state.highestmodseq

    def take(self, response: Untagged) -> bool:
        """Take one untagged response; return whether it is news. What comes before `opened` is about another folder."""
        if not self._uidvalidity:
            return False
        if isinstance(response, Exists):
            self._incomplete = self._incomplete or response.count != self.exists
            self.exists = response.count
        elif isinstance(response, Expunge):
            self.exists = max(0, self.exists - 1)
            self._expunged += 1
        elif isinstance(response, Vanished):
            if not response.earlier:
                self.exists = max(0, self.exists - len(response.uids))
            self._vanished.append(response.uids)
        elif isinstance(response, Fetch):
            self._take_row(response)
        elif isinstance(response, Status):
            return self._take_code(response)
        else:
            return isinstance(response, FolderStatus | ListRow)  # NOTIFY: another folder has changed
        return True

    def _take_row(self, row: Fetch) -> None:
        if row.uid is None or len(self._rows) >= KEPT:
            self._incomplete = True
        else:
            self._rows[row.uid] = merged(self._rows.get(row.uid), row)

    def _take_code(self, status: Status) -> bool:
        if status.code == "HIGHESTMODSEQ":
            self._passing = read_number(status.argument, 19)
        elif status.code == "NOMODSEQ":
            self.highestmodseq = self._passing = None
        elif status.code == "CLOSED" or (
            status.code == "UIDVALIDITY" and read_number(status.argument) != self._uidvalidity
        ):
            self.stale = True
            return True
        return False

    def answered(self, status: Status) -> None:
        """Take a tagged answer: only now does a mod-sequence count."""
        if status.code == "HIGHESTMODSEQ":
            self._passing = read_number(status.argument, 19)
        if status.ok and self._passing and self.highestmodseq is not None:
            self.highestmodseq = max(self.highestmodseq, self._passing)
        self._passing = None

    def changes(self) -> Changes:
        """Return what is new, and forget it."""
        vanished = UidSet(one for uids in self._vanished for one in uids.ranges)
        changes = Changes(self.exists, tuple(self._rows.values()), vanished, self._expunged, self._incomplete)
        self._forget()
        return changes


def merged(known: Fetch | None, row: Fetch) -> Fetch:
    """Return what two rows say of one message: the later flags, and the first of what cannot change."""
    if known is None:
        return row
    return Fetch(
        row.number,
        row.uid,
        known.flags if row.flags is None else row.flags,
        row.internal_date if known.internal_date is None else known.internal_date,
        row.size if known.size is None else known.size,
        known.modseq if row.modseq is None else row.modseq,
        known.email_id or row.email_id,
        known.gmail_id or row.gmail_id,
        {**(row.sections or {}), **(known.sections or {})} or None,
    )
