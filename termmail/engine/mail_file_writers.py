"""Write messages as mbox, Maildir or .eml files. Bytes are kept exactly, and no file is overwritten."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, BinaryIO, Protocol

from termmail.accounts.paths import reason
from termmail.engine import saved_files
from termmail.engine.transfer_errors import TransferError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Writer(Protocol):
    """Writes messages in one format."""

    def write(self, message_id: int, raw: bytes, date: int, unread: bool) -> bool:
        """Write a message; return False where it was there already. `date` is UTC seconds."""

    def finish(self) -> None:
        """Return when everything is on the disk."""


class EmlWriter:
    """Writes one file of raw bytes a message into a folder."""

    def __init__(self, dest: Path) -> None:
        self.folder = _new_folder(dest)

    def write(self, message_id: int, raw: bytes, _date: int, _unread: bool) -> bool:
        """Write a file named after the message; return False where it was there already."""
        path = self.folder / f"{message_id}.eml"
        if path.is_file() and not path.is_symlink() and path.read_bytes() == raw:
            return False  # written by an earlier export into this folder
        saved_files.save(self.folder, path.name, raw)
        return True

    def finish(self) -> None:
        """Every file was synced as it was written."""


class MaildirWriter:
    """Writes a Maildir: first to tmp, then by a rename to new or cur, as the format asks."""

    def __init__(self, dest: Path) -> None:
        self.folder = _new_folder(dest)
        for name in ("tmp", "new", "cur"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        self._host = re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())

    def write(self, message_id: int, raw: bytes, date: int, unread: bool) -> bool:
        """Write the message; a Maildir keeps whether it is unread."""
        name = f"{max(date, 0)}.M{message_id}R{secrets.token_hex(4)}.{self._host}"
        temporary = saved_files.save(self.folder / "tmp", name, raw)
        temporary.rename(self.folder / ("new" if unread else "cur") / (name if unread else f"{name}:2,S"))
        return True

    def finish(self) -> None:
        """Every file was synced as it was written."""


class MboxWriter:
    """Writes an mbox in its mboxrd form: a line that begins with `From `, `>From ` and so on gets another `>`."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, _message_id: int, raw: bytes, date: int, _unread: bool) -> bool:
        """Append the message behind its `From ` line."""
        stamp = time.asctime(time.gmtime(max(date, 0))) if abs(date) < 1 << 34 else formatdate(0)
        self.file.write(f"From termmail@localhost {stamp}\n".encode())
        self.file.write(re.sub(rb"(?m)^(>*From )", rb">\1", raw))
        self.file.write(b"\n" if raw.endswith(b"\n") else b"\n\n")
        return True

    def finish(self) -> None:
        """Hand everything to the file."""
        self.file.flush()


class MboxFileWriter(MboxWriter):
    """Writes a new mbox file. Raises TransferError where there is one already."""

    def __init__(self, dest: Path) -> None:
        try:
            handle = os.open(dest, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise TransferError(f"{dest} is there already; termmail never overwrites a file.") from None
        except OSError as error:
            raise TransferError(f"{dest} cannot be created: {reason(error)}.") from None
        super().__init__(os.fdopen(handle, "wb"))

    def finish(self) -> None:
        """Sync the file and close it."""
        with contextlib.closing(self.file):
            self.file.flush()
            os.fsync(self.file.fileno())


WRITERS: dict[str, Callable[[Path], Writer]] = {
    "mbox": MboxFileWriter,
    "maildir": MaildirWriter,
    "eml": EmlWriter,
}


def _new_folder(dest: Path) -> Path:
    try:
        dest.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TransferError(f"{dest} cannot be created: {reason(error)}.") from None
    return dest
