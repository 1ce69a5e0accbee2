"""Write files for the user: never over another file, never through a link, never readable by others."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

from termmail.mail import sanitize

SAVE_FOLDER = "save-folder"
"""The file below the data folder that names the folder in which files were saved last."""

OWNER = ".owner"
"""The file whose lock says that the process which made the folder still runs."""

BEING_MADE = 60.0
"""Seconds of age below which a folder without that file counts as owned: its process is about to make it."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def no_room(error: BaseException) -> bool:
    """Return whether the disk is the reason of an error: full, a quota, a limit on file sizes, a fault."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def save(folder: Path, name: str, data: bytes, *, mode: int = 0o600) -> Path:
    """Write `data` to a new file of this mode below `folder` and return its path.

    The name is made safe once more; where it is taken, " (2)" and so on is put before its ending.
    Raises OSError where the folder cannot be written or the disk is full; then no half file is left.
    """
    name = sanitize.safe_name(name)
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    for number in count(1):
        path = folder / (name if number == 1 else f"{stem} ({number}){dot}{ending}")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    raise AssertionError  # count() has no end


def remember_folder(data: Path, folder: Path) -> None:
    """Keep the folder that files were saved in, for the next time. Where the data folder takes no file, nothing is kept."""
    with suppress(OSError):
        handle, temporary = tempfile.mkstemp(prefix=f".{SAVE_FOLDER}.", dir=data)  # 0600
        with os.fdopen(handle, "wb") as file:
            file.write(os.fsencode(folder.absolute()))
        Path(temporary).replace(data / SAVE_FOLDER)


def remembered_folder(data: Path) -> Path | None:
    """Return the folder that files were saved in last; None where it was never kept or is gone."""
    try:
        folder = Path(os.fsdecode((data / SAVE_FOLDER).read_bytes()))
        return folder if folder.is_absolute() and folder.is_dir() else None
    except (OSError, ValueError):
        return None


class OwnedFolder:
    """A private folder (0700) that belongs to this process for as long as it runs.

    A lock on a file in it tells other processes so; the lock ends with the process, however that ends.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        """Make the folder below `parent`. Raises OSError."""
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._lock = os.open(self.path / OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Give the folder up; `ownerless` finds it from now on."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def ownerless(parent: Path) -> list[Path]:
    """Return the folders below `parent` whose process has ended."""
    try:
        folders = [folder for folder in parent.iterdir() if folder.is_dir() and not folder.is_symlink()]
    except OSError:
        return []
    return [folder for folder in folders if not _owned(folder)]


def _owned(folder: Path) -> bool:
    try:
        lock = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime < BEING_MADE
    except OSError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(lock)
