"""Lock an account, so that one process at a time receives for it and one sends for it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from termmail.store.store_errors import from_os

if TYPE_CHECKING:
    from types import TracebackType

_KINDS = {"sync": "receiving mail for", "send": "sending mail for"}


class Locked(Exception):
    """Another process holds the lock. `str()` is a sentence for the user; `pid` is the process id, or 0."""

    def __init__(self, words: str, pid: int = 0) -> None:
        super().__init__(words)
        self.pid = pid


class AccountLock:
    """An exclusive lock: `with AccountLock(data_dir, "work", "sync"):`.

    Entering raises Locked at once where another process, or another lock in this one, holds it, and StoreError where
    the lock file cannot be created. The lock ends with the process, however that ends. Its file stays: removing it would
    let two processes hold the lock.
    """

    def __init__(self, data_dir: Path, account: str, kind: str) -> None:
        # An account may be named anything; a hash of the name is always a file name.
        name = hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._path = Path(data_dir) / f"{kind}-{name}.lock"
        self._doing = f"{_KINDS[kind]} {account}"
        self._file: int | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise from_os(error, self._path) from error
        try:
            _lock(file)
        except OSError as error:
            pid = _read_pid(file)
            os.close(file)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise from_os(error, self._path) from error
            raise Locked(f"Another termmail is {self._doing} just now.", pid) from error
        self._file = file
        with suppress(OSError):  # only for the reader of a message; a full disk takes nothing away from the lock
            os.ftruncate(file, 0)
            os.pwrite(file, b"%d\n" % os.getpid(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _lock(file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network file systems know the locks of POSIX alone.
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            raise
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read_pid(file: int) -> int:
    try:
        text = os.pread(file, 20, 0).strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
