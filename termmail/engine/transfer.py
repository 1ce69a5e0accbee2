"""Mail in and out as files: mbox, Maildir, .eml; byte for byte, nothing taken twice, nothing written over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import socket
import stat
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, BinaryIO, Protocol

from termmail.accounts.credentials import PasswordError
from termmail.engine import saved_files
from termmail.engine.clock import now
from termmail.engine.events import FolderChanged
from termmail.engine.views import View
from termmail.errors import ErrorCode, UserError
from termmail.mail import parse, sanitize
from termmail.net.net_errors import NetError
from termmail.store import messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from termmail.engine.engine import Engine
    from termmail.mail.message import Message
    from termmail.store.store import Store

LARGEST = 128 << 20
"""Bytes of one message, at most."""

MANY = 200
"""Messages a transaction, at most: others use the store in between."""

_PIECE = 1 << 20
_BLANK = (b"\n", b"\r\n")


@dataclass(frozen=True, slots=True)
class Moved:
    """How it went: messages done, those passed over because they were there already, and a sentence per failure."""

    done: int
    passed: int = 0
    failed: tuple[str, ...] = ()


class TransferError(UserError):
    """A file or folder cannot be read or written as asked; `str(error)` says why in plain words."""

    code = ErrorCode.CANNOT_CREATE


class DiskError(TransferError):
    """The disk took no more: what was written so far is there, the rest is not."""

    code = ErrorCode.DISK_FULL


# -- in


async def import_mail(engine: Engine, account: str, path: Path, folder: str) -> Moved:
    """Read every message of `path` into `folder`. Raises TransferError where there is nothing readable."""
    source = await asyncio.to_thread(_open_source, path)
    done = passed = 0
    failed: list[str] = []
    while (batch := await asyncio.to_thread(_next_batch, source)) is not None:
        mail: list[tuple[bytes, Message]] = []
        for name, raw in batch:
            if raw is None:
                failed.append(f"{sanitize.clean(name)} is larger than {LARGEST >> 20} MB.")
            elif not _looks_like_mail(raw):
                failed.append(f"{sanitize.clean(name)} is not a mail message.")
            else:
                mail.append((raw, await asyncio.to_thread(parse.parse, raw)))
        taken = await engine.db(_take, account, folder, mail)
        done += taken
        passed += len(mail) - taken
    engine.tell(FolderChanged(account, folder))
    return Moved(done, passed, tuple(failed))


def _next_batch(
    source: Iterator[tuple[str, bytes | None]], most: int = 4 << 20
) -> list[tuple[str, bytes | None]] | None:
    """The next few messages, at most MANY and about 4 MB of them (None for one that is too large); None at the end."""
    batch: list[tuple[str, bytes | None]] = []
    size = 0
    try:
        for name, raw in source:
            batch.append((name, raw))
            size += len(raw or b"")
            if size > most or len(batch) == MANY:
                break
    except OSError as error:
        raise TransferError(f"{error.filename or 'The file'} cannot be read: {_why(error)}.") from None
    return batch or None


def _looks_like_mail(raw: bytes) -> bool:
    return re.match(rb"[!-9;-~]+[ \t]*:", raw) is not None


def _take(store: Store, account: str, folder: str, mail: Sequence[tuple[bytes, Message]]) -> int:
    """Put the messages that are not here yet into the folder, in one transaction; how many those were."""
    taken = 0
    with store.transaction(durable=True):
        alike = messages.find(store, account, [message.envelope.message_id for _, message in mail])
        for raw, message in mail:
            same = alike.setdefault(message.envelope.message_id, [])
            if not any(messages.raw(store, id_) == (raw, True) for id_ in same):
                same.append(
                    messages.add_local(store, account, folder, raw, unread=False, received=now(), message=message)
                )
                taken += 1
    return taken


def _open_source(path: Path) -> Iterator[tuple[str, bytes | None]]:
    try:
        if path.is_dir():
            return _read_files(_files_in(path))
        with _regular(path) as file:
            is_mbox = file.read(5) == b"From "
        return _read_mbox(path) if is_mbox else _read_files([path])
    except OSError as error:
        raise TransferError(f"{path} cannot be read: {_why(error)}.") from None


def _files_in(folder: Path) -> list[Path]:
    """The messages of a Maildir or of a folder of .eml files; links in it are not followed, for they lead outside."""
    if (folder / "cur").is_dir() or (folder / "new").is_dir():
        found = sorted([*(folder / "cur").glob("*"), *(folder / "new").glob("*")])
    else:
        found = sorted(folder.glob("*.eml"))
        if not found:
            raise TransferError(f"{folder} is neither a Maildir nor a folder with .eml files.")
    return [path for path in found if path.is_file() and not path.is_symlink()]


def _regular(path: Path) -> BinaryIO:
    """Open a file, and nothing that only looks like one: a pipe would keep us waiting, a device would never end."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise TransferError(f"{path} is neither a file nor a folder.")
    return os.fdopen(handle, "rb")


def _read_files(paths: list[Path]) -> Iterator[tuple[str, bytes | None]]:
    for path in paths:
        with _regular(path) as file:
            raw = file.read(LARGEST + 1)
        yield path.name, raw if len(raw) <= LARGEST else None


def _read_mbox(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Mboxrd (RFC 4155 has the frame): `From ` lines part the messages, `>From ` is unquoted by one. A line may be of
    any length: it comes in pieces.
    """
    raw = bytearray()
    number, last, begins, too_large = 0, b"", True, False
    with _regular(path) as file:
        while line := file.readline(_PIECE):
            if begins and line.startswith(b"From ") and (not number or not raw or last in _BLANK):
                if number:
                    yield f"message {number}", None if too_large else _unframed(raw, last)
                raw, number, last, too_large = bytearray(), number + 1, b"", False
            elif len(raw) > LARGEST:
                too_large = True
                last = line if begins else b""
            else:
                raw += line[1:] if begins and re.match(rb">+From ", line) else line
                last = line if begins else b""
            begins = line.endswith(b"\n")
    if number:
        yield f"message {number}", None if too_large else _unframed(raw, last)


def _unframed(raw: bytearray, last: bytes) -> bytes:
    """Without the blank line that the frame adds."""
    return bytes(raw[: -len(last)] if last in _BLANK else raw)


def _why(error: OSError) -> str:
    return (error.strerror or "refused").lower()


# -- out


async def export_mail(engine: Engine, query: str, dest: Path, form: str) -> Moved:
    """Write the messages that answer `query` (empty: all of all accounts) below or into `dest`.

    Messages known only by their header are fetched first; one that cannot be is told in `failed`.
    Raises TransferError where `dest` cannot be used.
    """
    if query:
        chosen = list(await engine.ids(View.search("", query), limit=1 << 30))
    else:
        chosen = list(await engine.db(messages.all_ids))
    writer = await asyncio.to_thread(_WRITERS[form], dest)
    done = passed = 0
    failed: list[str] = []
    try:
        for id_ in chosen:
            row = await engine.row(id_)
            if row is None:
                continue
            try:
                if not row.downloaded and row.account in engine.config.accounts:
                    await engine.receiver(row.account).fetch(id_)
                raw = await engine.raw(id_)
            except (NetError, PasswordError) as error:
                failed.append(f"Message {id_}: {error}")
                continue
            except KeyError:
                continue  # erased in the meantime
            new = await asyncio.to_thread(writer.write, id_, raw, row.date, row.unread)
            done += new
            passed += not new
        await asyncio.to_thread(writer.finish)
    except OSError as error:
        kind = DiskError if saved_files.no_room(error) else TransferError
        raise kind(f"{dest} cannot be written: {_why(error)}.") from None
    return Moved(done, passed, tuple(failed))


class _Writer(Protocol):
    """Takes messages one by one, and says which it did not have; `finish` returns when all of it is on the disk."""

    def __init__(self, dest: Path) -> None: ...
    def write(self, id_: int, raw: bytes, date: int, unread: bool) -> bool: ...
    def finish(self) -> None: ...


class _EmlWriter:
    """A folder with one file of the raw bytes per message."""

    def __init__(self, dest: Path) -> None:
        self.folder = _new_folder(dest)

    def write(self, id_: int, raw: bytes, _date: int, _unread: bool) -> bool:
        path = self.folder / f"{id_}.eml"
        if path.is_file() and not path.is_symlink() and path.read_bytes() == raw:
            return False  # from the last backup into this folder
        saved_files.save(self.folder, path.name, raw)
        return True

    def finish(self) -> None:
        """Every file was synced as it was written."""


class _MaildirWriter:
    """A Maildir: tmp, then a rename into new or cur, as the format has it."""

    def __init__(self, dest: Path) -> None:
        self.folder = _new_folder(dest)
        for name in ("tmp", "new", "cur"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        self._host = re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())

    def write(self, id_: int, raw: bytes, date: int, unread: bool) -> bool:
        name = f"{max(date, 0)}.M{id_}R{secrets.token_hex(4)}.{self._host}"
        temporary = saved_files.save(self.folder / "tmp", name, raw)
        temporary.rename(self.folder / ("new" if unread else "cur") / (name if unread else f"{name}:2,S"))
        return True

    def finish(self) -> None:
        """Every file was synced as it was written."""


class _MboxWriter:
    """One new mbox file, mboxrd: `From ` at the start of a line gets a `>`, and so does `>From `."""

    def __init__(self, dest: Path) -> None:
        try:
            handle = os.open(dest, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise TransferError(f"{dest} is there already; termmail never writes over a file.") from None
        except OSError as error:
            raise TransferError(f"{dest} cannot be made: {_why(error)}.") from None
        self.file = os.fdopen(handle, "wb")

    def write(self, _id: int, raw: bytes, date: int, _unread: bool) -> bool:
        stamp = time.asctime(time.gmtime(max(date, 0))) if abs(date) < 1 << 34 else formatdate(0)
        self.file.write(f"From termmail@localhost {stamp}\n".encode())
        self.file.write(re.sub(rb"(?m)^(>*From )", rb">\1", raw))
        self.file.write(b"\n" if raw.endswith(b"\n") else b"\n\n")
        return True

    def finish(self) -> None:
        with contextlib.closing(self.file):
            self.file.flush()
            os.fsync(self.file.fileno())


_WRITERS: dict[str, type[_Writer]] = {"mbox": _MboxWriter, "maildir": _MaildirWriter, "eml": _EmlWriter}


def _new_folder(dest: Path) -> Path:
    try:
        dest.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TransferError(f"{dest} cannot be made: {(error.strerror or 'it is a file').lower()}.") from None
    return dest
