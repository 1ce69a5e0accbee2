"""Files written for the user: never over another file, never through a link, never readable by others."""

from __future__ import annotations

import errno
import os
from itertools import count
from typing import TYPE_CHECKING

from termmail.mail import sanitize

if TYPE_CHECKING:
    from pathlib import Path


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def no_room(error: BaseException) -> bool:
    """Whether the disk is why something could not be written: full, a quota, a limit on file sizes, a fault."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def save(folder: Path, name: str, data: bytes) -> Path:
    """Write `data` to a new file below `folder` (mode 0600) and return its path.

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
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
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


def private_folder(folder: Path) -> Path:
    """A folder of ours alone (0700), made where it is missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def escaped(text: str) -> str:
    """Text as HTML that shows it."""
    from html import escape  # noqa: PLC0415 - its table of names is large, and the first screen needs none

    return escape(text)
