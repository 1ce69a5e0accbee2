"""What can go wrong with the store, each with the words a reader needs."""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import TYPE_CHECKING

from termmail.errors import ErrorCode, UserError

if TYPE_CHECKING:
    from pathlib import Path


class StoreError(UserError):
    """The store could not do what was asked; nothing was half-written. `str(error)` is ready for a reader.

    `advice` says what to do next, in a sentence.
    """

    code = ErrorCode.STORE
    advice = "termmail doctor tells more."


class StoreFull(StoreError):
    """No room: the disk, a quota or a file size limit."""

    code = ErrorCode.DISK_FULL
    advice = "Make room on the disk; then go on where you were."


class StoreBusy(StoreError):
    """Another process kept the store locked for longer than ten seconds."""

    code = ErrorCode.BUSY
    advice = "Wait for the other termmail to end, or close it."


class StoreReadOnly(StoreError):
    """The store may be read but not written."""

    code = ErrorCode.READ_ONLY
    advice = "Make the folder writable to receive, send or change anything."


class StoreDamaged(StoreError):
    """The file is not what was once written."""

    advice = "Keep a copy of the file, and restore a backup. What the server still has can be fetched again."


class StoreReplaced(StoreError):
    """The file was deleted or replaced while it was open: what is written now would be lost with the open one."""

    advice = "Quit termmail and start it again. Nothing was deleted from a server since."


class StoreTooNew(StoreError):
    """A newer termmail wrote this store."""

    advice = "Install the newer termmail again, or restore the backup next to the mail store."


# The low byte of SQLite's extended result codes is the primary one (sqlite.org/rescode.html).
_FULL = {
    sqlite3.SQLITE_FULL,
    # File size limit and quota arrive as failed writes.
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_TRUNCATE,
}


def from_sqlite(error: sqlite3.Error, path: Path) -> StoreError | None:
    """Turn an error of SQLite into plain words; None for one that only a mistake of ours can cause."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    primary = code & 0xFF
    if code in _FULL or primary == sqlite3.SQLITE_FULL or (_touches_disk(primary) and _no_room(path.parent)):
        return StoreFull(f"There is no room left to write the mail store in {path.parent}.")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy("Another program is writing to the mail store and did not finish.")
    if primary == sqlite3.SQLITE_READONLY:
        return StoreReadOnly(f"The mail store {path} can be read but not written.")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(f"The mail store {path} is damaged, or is not a mail store.")
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return StoreError(f"The mail store {path} cannot be opened.", advice="Look at the folder and its permissions.")
    if primary == sqlite3.SQLITE_IOERR:
        return StoreError(f"The disk that holds {path} reports an error.", advice="Check the disk, and make a backup.")
    if primary == sqlite3.SQLITE_NOMEM:
        return StoreError("There is not enough memory.", advice="Close other programs and try again.")
    return None


def from_os(error: OSError, path: Path) -> StoreError:
    """Turn an error of the operating system about `path` into plain words."""
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return StoreReadOnly(f"The mail store {path} cannot be written.")
    if error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT) or _no_room(path.parent):
        return StoreFull(f"There is no room left to write the mail store in {path.parent}.")
    return StoreError(f"The mail store {path} cannot be opened.", advice="Look at the folder and its permissions.")


def _touches_disk(primary: int) -> bool:
    return primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


def _no_room(folder: Path) -> bool:
    try:
        return os.statvfs(folder).f_bavail == 0
    except OSError:
        return False
