"""Import and export of mbox, Maildir and .eml files.

Bytes are kept exactly. Nothing is imported twice, and no file is overwritten.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from termmail.accounts.credentials import PasswordError
from termmail.accounts.paths import reason
from termmail.engine import queries, saved_files
from termmail.engine.events import FolderChanged
from termmail.engine.mail_file_writers import WRITERS, MboxWriter
from termmail.engine.transfer_errors import DiskError, TransferError
from termmail.errors import Gone
from termmail.mail import parse, sanitize
from termmail.mail.model import ROLE_NAMES, Role
from termmail.mail.views import SearchView
from termmail.net.net_errors import NetError
from termmail.store import derived, messages
from termmail.store.folders import FolderGone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from termmail.engine.context import Context
    from termmail.engine.folder_list import Folders
    from termmail.engine.lists import Lists
    from termmail.engine.mail_file_writers import Writer
    from termmail.engine.message_reader import Reader
    from termmail.mail.model import Folder
    from termmail.store.derived import Derived
    from termmail.store.store import Store

LARGEST = 128 << 20
"""The largest message that is imported, in bytes."""

MANY = 200
"""The most messages in one batch, which is parsed in a thread and stored in one transaction: others use the store in
between."""

_PIECE = 1 << 20
_BLANK = (b"\n", b"\r\n")
_QUOTE = ord(">")
_QUOTED_FRAME = re.compile(rb">+From ")


@dataclass(frozen=True, slots=True)
class Moved:
    """The result of a transfer: messages moved, messages that were there already, and a sentence for each failure.

    `unfetched` tells of how many messages the text is still on the server, by reason.
    """

    done: int
    passed: int = 0
    failed: tuple[str, ...] = ()
    unfetched: dict[str, int] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """How many messages were not moved."""
        return len(self.failed) + sum(self.unfetched.values())


class Transfer:
    """Imports and exports mail. Every method may raise StoreError."""

    def __init__(self, context: Context, lists: Lists, folders: Folders, reader: Reader) -> None:
        self.context = context
        self.lists = lists
        self.folders = folders
        self.reader = reader

    async def import_mail(self, account: str, path: Path, folder_name: str = ROLE_NAMES[Role.INBOX]) -> Moved:
        """Store every message of `path` in a folder, which is created where it is missing.

        Reading and parsing happen in a worker thread, a batch at a time. Raises TransferError where the path cannot be
        read, FolderError where there can be no such folder.
        """
        source = await asyncio.to_thread(_open_source, path)
        done = passed = 0
        failed: list[str] = []
        upcoming = asyncio.ensure_future(asyncio.to_thread(_next_batch, source))
        try:
            while (batch := await upcoming) is not None:
                upcoming = asyncio.ensure_future(
                    asyncio.to_thread(_next_batch, source)
                )  # read while this one is stored
                failed += batch.failed
                if batch.mail:
                    taken = await self._keep(account, folder_name, batch.mail)
                    done += taken
                    passed += len(batch.mail) - taken
        finally:
            await asyncio.gather(upcoming, return_exceptions=True)
        self.context.tell(FolderChanged(account))
        return Moved(done, passed, tuple(failed))

    async def _keep(self, account: str, folder_name: str, mail: Sequence[tuple[bytes, Derived]]) -> int:
        """Store messages in the folder of this name, making it where it is missing. Return how many were not here yet.

        Another process may remove the folder at any time: then it is made again.
        """
        while True:
            folder = await self.folders.by_name(account, folder_name) or await self.folders.make(account, folder_name)
            with contextlib.suppress(FolderGone):
                return await self.context.db(_take, folder, mail, self.context.clock())

    async def export_mail(self, query: str, dest: Path | BinaryIO, form: str) -> Moved:
        """Write the messages that match `query` ("": all of all accounts) to `dest`.

        `form` is "mbox", "maildir" or "eml". `dest` is the new mbox file or the folder, or an open stream, which then
        gets an mbox. Messages whose body is not here are downloaded first; those that cannot be are in `unfetched`.
        Raises TransferError where `dest` cannot be used, and BrokenPipeError where the reader of a stream is gone.
        """
        if query:
            chosen = list(await self.lists.ids(SearchView(queries.parsed(self.context, query).query, discarded=True)))
        else:
            chosen = list(await self.context.db(messages.all_ids))
        if isinstance(dest, Path):
            name = str(dest)
            writer = await asyncio.to_thread(WRITERS[form], dest)
        else:
            name = "Standard output"
            writer = MboxWriter(dest)
        try:
            return await self._write_all(writer, chosen)
        except BrokenPipeError:
            raise
        except OSError as error:
            kind = DiskError if saved_files.no_room(error) else TransferError
            raise kind(f"{name} cannot be written: {reason(error)}.") from None

    async def _write_all(self, writer: Writer, chosen: Sequence[int]) -> Moved:
        done = passed = 0
        unfetched: Counter[str] = Counter()
        for message_id in chosen:
            row = await self.lists.row(message_id)
            if row is None:
                continue  # erased in the meantime
            try:
                if not row.downloaded and row.account in self.context.accounts:
                    await self.reader.read(message_id)
                raw = await self.reader.raw(message_id)
            except Gone:
                continue
            except (NetError, PasswordError) as error:
                unfetched[str(error)] += 1
                continue
            new = await asyncio.to_thread(writer.write, message_id, raw, row.date, row.unread)
            done += new
            passed += not new
        await asyncio.to_thread(writer.finish)
        return Moved(done, passed, unfetched=dict(unfetched))


# -- in


@dataclass(slots=True)
class _Batch:
    """Messages of a source with what is derived from them, and a sentence for each that is not taken."""

    mail: list[tuple[bytes, Derived]]
    failed: list[str]


def _next_batch(source: Iterator[tuple[str, bytes | None]], most: int = 4 << 20) -> _Batch | None:
    """Read and parse the next messages, up to MANY of them or about `most` bytes; None at the end of the source."""
    batch = _Batch([], [])
    size = 0
    try:
        for number, (name, raw) in enumerate(source, 1):
            size += len(raw or b"")
            if raw is None:
                batch.failed.append(f"{sanitize.clean(name)} is larger than {LARGEST >> 20} MB.")
            elif not _is_mail(raw):
                batch.failed.append(f"{sanitize.clean(name)} is not a mail message.")
            else:
                batch.mail.append((raw, derived.from_raw(raw, complete=True)))
            if size > most or number == MANY:
                break
    except OSError as error:
        raise TransferError(f"{error.filename or 'The file'} cannot be read: {reason(error)}.") from None
    return batch if batch.mail or batch.failed else None


_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_MAIL_FIELDS = frozenset(
    b"from sender reply-to to cc bcc date subject message-id received return-path delivered-to mime-version".split()
)
"""Header fields that make a file a mail message (RFC 5322 section 3.6): other formats begin with `name: value` too."""


def _is_mail(raw: bytes) -> bool:
    """Return whether a file begins with a header field, and its header has one of the fields of mail."""
    if not _FIELD.match(raw):
        return False
    fields = (_FIELD.match(line) for line in parse.split_header(raw).splitlines())
    return any(field is not None and field[1].lower() in _MAIL_FIELDS for field in fields)


def _take(store: Store, folder: Folder, mail: Sequence[tuple[bytes, Derived]], now: int) -> int:
    """Store the messages that are not here yet, in one transaction, and return how many those were."""
    new: list[tuple[bytes, Derived]] = []
    taken: dict[str, list[bytes]] = {}
    with store.transaction(durable=True):
        alike = messages.find(store, folder.account, [found.envelope.message_id for _, found in mail])
        for raw, found in mail:
            rfc_message_id = found.envelope.message_id
            same = taken.setdefault(rfc_message_id, [])
            known = alike.get(rfc_message_id, [])
            if raw not in same and not any(messages.raw(store, one) == (raw, True) for one in known):
                same.append(raw)
                new.append((raw, found))
        written = folder.role is Role.SENT
        messages.add_locals(store, folder.account, folder.folder_id, new, received=now, written=written)
    return len(new)


def _open_source(path: Path) -> Iterator[tuple[str, bytes | None]]:
    try:
        if path.is_dir():
            return _read_files(_files_in(path))
        with _regular(path) as file:
            is_mbox = file.read(5) == b"From "
        return _read_mbox(path) if is_mbox else _read_files([path])
    except OSError as error:
        raise TransferError(f"{path} cannot be read: {reason(error)}.") from None


def _files_in(folder: Path) -> list[Path]:
    """Return the messages of a Maildir or of a folder of .eml files. Links are left out: they may lead outside."""
    if (folder / "cur").is_dir() or (folder / "new").is_dir():
        found = sorted([*(folder / "cur").glob("*"), *(folder / "new").glob("*")])
    else:
        found = sorted(folder.glob("*.eml"))
        if not found:
            raise TransferError(f"{folder} is neither a Maildir nor a folder with .eml files.")
    return [path for path in found if path.is_file() and not path.is_symlink()]


def _regular(path: Path) -> BinaryIO:
    """Open a regular file. A pipe is refused because it could block for ever, a device because it may never end."""
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
    """Read an mbox in its mboxrd form: `From ` lines separate messages (RFC 4155), `>From ` loses one `>`.

    A line of any length is read in pieces.
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
                raw += line[1:] if line[0] == _QUOTE and begins and _QUOTED_FRAME.match(line) else line
                last = line if begins else b""
            begins = line.endswith(b"\n")
    if number:
        yield f"message {number}", None if too_large else _unframed(raw, last)


def _unframed(raw: bytearray, last: bytes) -> bytes:
    """Return the message without the blank line that separates it from the next."""
    return bytes(raw[: -len(last)] if last in _BLANK else raw)
