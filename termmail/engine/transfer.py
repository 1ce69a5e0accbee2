"""Mail in and out as files: mbox, Maildir, .eml; byte for byte, nothing taken twice, nothing written over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import socket
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol

from termmail.engine import files
from termmail.engine.clock import now
from termmail.engine.events import FolderChanged
from termmail.engine.views import View
from termmail.mail import parse
from termmail.net.errors import NetError
from termmail.store import messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from termmail.engine.engine import Engine
    from termmail.store.store import Store

FORMATS = ("mbox", "maildir", "eml")

LARGEST = 128 << 20
"""Bytes of one message, at most."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How it went: messages done, those passed over because they were there already, and a sentence per failure."""

    done: int
    passed: int = 0
    failed: tuple[str, ...] = ()


class TransferError(Exception):
    """A file or folder cannot be read or written as asked; `str(error)` says why in plain words."""


# -- in


async def import_mail(engine: Engine, account: str, path: Path, folder: str) -> Moved:
    """Read every message of `path` into `folder`. Raises TransferError where there is nothing readable."""
    source = await asyncio.to_thread(_open_source, path)
    done = passed = 0
    failed: list[str] = []
    while (batch := await asyncio.to_thread(_next_batch, source)) is not None:
        for name, raw in batch:
            if not raw.strip() or not _looks_like_mail(raw):
                failed.append(f"{name} is not a mail message.")
            elif await engine.db(_is_here, account, raw):
                passed += 1
            else:
                await engine.db(messages.add_local, account, folder, raw, unread=False, received=now())
                done += 1
    engine.tell(FolderChanged(account, folder))
    return Moved(done, passed, tuple(failed))


def _next_batch(source: Iterator[tuple[str, bytes]], most: int = 4 << 20) -> list[tuple[str, bytes]] | None:
    """The next few messages, about 4 MB of them; None at the end."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for name, raw in source:
        batch.append((name, raw))
        size += len(raw)
        if size > most:
            break
    return batch or None


def _looks_like_mail(raw: bytes) -> bool:
    return re.match(rb"[!-9;-~]+[ \t]*:", raw) is not None


def _is_here(store: Store, account: str, raw: bytes) -> bool:
    """Whether the store has these very bytes already."""
    message_id = parse.envelope(parse.split_header(raw)).message_id
    alike = messages.rows(store, messages.find(store, account, message_id))
    return any(row.size == len(raw) and messages.raw(store, row.id) == (raw, True) for row in alike)


def _open_source(path: Path) -> Iterator[tuple[str, bytes]]:
    if not path.exists():
        raise TransferError(f"{path} does not exist.")
    if path.is_dir():
        if (path / "cur").is_dir() or (path / "new").is_dir():
            return _read_files(sorted([*(path / "cur").glob("*"), *(path / "new").glob("*")]))
        found = sorted(path.glob("*.eml"))
        if not found:
            raise TransferError(f"{path} is neither a Maildir nor a folder with .eml files.")
        return _read_files(found)
    with path.open("rb") as file:
        return _read_mbox(path) if file.read(5) == b"From " else _read_files([path])


def _read_files(paths: list[Path]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if path.is_file() and path.stat().st_size <= LARGEST:
            yield path.name, path.read_bytes()


def _read_mbox(path: Path) -> Iterator[tuple[str, bytes]]:
    """Mboxrd (RFC 4155 has the frame): `From ` lines part the messages, `>From ` is unquoted by one."""
    lines: list[bytes] = []
    number = 0
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"From ") and (not lines or lines[-1] in {b"\n", b"\r\n"} or not number):
                if number:
                    yield f"message {number}", _unframed(lines)
                lines, number = [], number + 1
            else:
                lines.append(line[1:] if re.match(rb">+From ", line) else line)
    if number:
        yield f"message {number}", _unframed(lines)


def _unframed(lines: list[bytes]) -> bytes:
    if lines and lines[-1] in {b"\n", b"\r\n"}:
        lines = lines[:-1]
    return b"".join(lines)


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
    done = 0
    failed: list[str] = []
    try:
        for id_ in chosen:
            row = await engine.row(id_)
            if row is None:
                continue
            try:
                if not row.downloaded and row.account in engine.config.accounts:
                    await engine.receiver(row.account).fetch(id_)
            except NetError as error:
                failed.append(f"Message {id_}: {error}")
                continue
            raw = await engine.raw(id_)
            await asyncio.to_thread(writer.write, id_, raw, row.date, row.unread)
            done += 1
        await asyncio.to_thread(writer.finish)
    except OSError as error:
        raise TransferError(f"{dest} cannot be written: {(error.strerror or 'refused').lower()}.") from None
    return Moved(done, 0, tuple(failed))


class _Writer(Protocol):
    """Takes messages one by one; `finish` returns when all of it is on the disk."""

    def __init__(self, dest: Path) -> None: ...
    def write(self, id_: int, raw: bytes, date: int, unread: bool) -> None: ...
    def finish(self) -> None: ...


class _EmlWriter:
    """A folder with one file of the raw bytes per message."""

    def __init__(self, dest: Path) -> None:
        self.folder = _new_folder(dest)

    def write(self, id_: int, raw: bytes, _date: int, _unread: bool) -> None:
        files.save(self.folder, f"{id_}.eml", raw)

    def finish(self) -> None:
        """Every file was synced as it was written."""


class _MaildirWriter:
    """A Maildir: tmp, then a rename into new or cur, as the format has it."""

    def __init__(self, dest: Path) -> None:
        self.folder = _new_folder(dest)
        for name in ("tmp", "new", "cur"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        self._host = re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())

    def write(self, id_: int, raw: bytes, date: int, unread: bool) -> None:
        name = f"{max(date, 0)}.M{id_}R{secrets.token_hex(4)}.{self._host}"
        temporary = files.save(self.folder / "tmp", name, raw)
        temporary.rename(self.folder / ("new" if unread else "cur") / (name if unread else f"{name}:2,S"))

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
            raise TransferError(f"{dest} cannot be made: {(error.strerror or 'refused').lower()}.") from None
        self.file = os.fdopen(handle, "wb")

    def write(self, _id: int, raw: bytes, date: int, _unread: bool) -> None:
        stamp = time.asctime(time.gmtime(max(date, 0))) if abs(date) < 1 << 34 else formatdate(0)
        self.file.write(f"From termmail@localhost {stamp}\n".encode())
        self.file.write(re.sub(rb"(?m)^(>*From )", rb">\1", raw))
        self.file.write(b"\n" if raw.endswith(b"\n") else b"\n\n")

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
