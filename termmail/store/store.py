"""Opening the store, and its transactions.

One SQLite file, used on one thread. Every write is a transaction that starts with BEGIN IMMEDIATE, so two processes
never write over each other; a promise (a message may be deleted from the server, a message was sent) is a transaction
that is on the disk before it returns.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from termmail.store import migrate, permissions
from termmail.store.store_errors import StoreDamaged, StoreError, StoreReadOnly, StoreReplaced, from_os, from_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

BUSY_SECONDS = 10.0

T = TypeVar("T")

__all__ = ["IN_IDS", "Store", "StoreError", "StoreReadOnly", "id_list"]


class Store:
    """An open mail store. Make one with `Store.open`; use it on the thread that opened it."""

    def __init__(self, db: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        self.db = db
        self.path = path
        self.read_only = read_only
        self._depth = 0
        self._durable = False
        self._version: tuple[int, ...] | None = None
        self._memo: dict[object, Any] = {}
        self._memo_token: object = None
        self._inode = _inode(path)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        read_only: bool = False,
        vfs: str | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Self:
        """Open the store at `path`, making it (0600, in a folder 0700) where it is missing, and bring it up to date.

        `read_only` opens what is there and never writes; a missing store then is an empty one. `vfs` names another
        of SQLite's file layers, for file systems on which the usual locks do not work ("unix-dotfile").
        Raises StoreReadOnly, StoreFull, StoreBusy, StoreDamaged, StoreTooNew or StoreError.
        """
        path = Path(path)
        store = cls(_connect_read_only(path) if read_only else _connect(path, vfs), path, read_only=read_only)
        try:
            store._prepare(progress)
            store.changed_elsewhere()
        except sqlite3.Error as error:
            store.close()
            raise from_sqlite(error, path) or StoreDamaged(f"The mail store {path} is damaged.") from error
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self, progress: Callable[[str], None] | None) -> None:
        db = self.db
        migrate.check_owner(db, self.path)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA cache_size = -8000")
        if self.read_only:
            migrate.check_version(db, self.path)
            db.execute("PRAGMA query_only = ON")
            return
        wal = permissions.may_use_wal(self.path.parent)
        mode = _journal(db, "WAL" if wal else "DELETE")
        # Without WAL a commit must reach the disk or a power cut may damage the file: sqlite.org/pragma.html.
        self._lazy, self._strict = ("NORMAL", "FULL") if mode == "wal" else ("FULL", "EXTRA")
        # 48 MB between checkpoints: a first sync writes a lot in small commits, and one takes some 90 ms then.
        db.execute("PRAGMA wal_autocheckpoint = 12000")
        db.execute(f"PRAGMA journal_size_limit = {16 << 20}")
        db.execute(f"PRAGMA synchronous = {self._strict}")
        if progress is None:
            migrate.migrate(db, self.path)
        else:
            migrate.migrate(db, self.path, progress=progress)
        db.execute(f"PRAGMA synchronous = {self._lazy}")
        permissions.protect(self.path)

    def close(self) -> None:
        """Close the file. An unfinished transaction is undone."""
        with suppress(sqlite3.Error):
            self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """All or nothing. `durable` comes back only when the disk has it (SECURITY.md, L1).

        Transactions nest: an inner one joins the outer, and is undone alone when it fails. A durable one inside one
        that is not durable is a mistake. Raises StoreFull, StoreBusy, StoreReadOnly, StoreDamaged or StoreError.
        """
        if self.read_only:
            raise StoreReadOnly(f"The mail store {self.path} is open for reading only.")
        if self._depth and durable and not self._durable:
            raise RuntimeError("a durable transaction inside one that is not")
        if self._depth == 0:
            self.check_same_file()
        try:
            with self._outer(durable=durable) if self._depth == 0 else self._inner():
                yield self.db
        except sqlite3.Error as error:
            plain = from_sqlite(error, self.path)
            if plain is None:
                raise
            raise plain from error

    @contextmanager
    def _outer(self, *, durable: bool) -> Iterator[None]:
        db = self.db
        if durable:
            db.execute(f"PRAGMA synchronous = {self._strict}")
        try:
            db.execute("BEGIN IMMEDIATE")
            self._depth, self._durable = 1, durable
            try:
                yield
                db.execute("COMMIT")
            except BaseException:
                # A full disk may have undone it already.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        finally:
            self._depth, self._durable = 0, False
            if durable:
                db.execute(f"PRAGMA synchronous = {self._lazy}")
        if durable:
            self.check_same_file()

    @contextmanager
    def _inner(self) -> Iterator[None]:
        db, name = self.db, f"level{self._depth}"
        db.execute(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
        except BaseException:
            if db.in_transaction:
                db.execute(f"ROLLBACK TO {name}")
                db.execute(f"RELEASE {name}")
            raise
        else:
            db.execute(f"RELEASE {name}")
        finally:
            self._depth -= 1

    def check_same_file(self) -> None:
        """Raise StoreReplaced where the path no longer names the open file.

        Then a commit reaches only a file that nobody finds again, and nothing may be told as saved, sent or safe.
        """
        if self._inode is not None and _inode(self.path) != self._inode:
            raise StoreReplaced(f"The mail store {self.path} was deleted or replaced while termmail was running.")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Several reads whose SQLite errors become StoreError."""
        try:
            yield self.db
        except sqlite3.Error as error:
            plain = from_sqlite(error, self.path)
            if plain is None:
                raise
            raise plain from error

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return every row of a SELECT. Raises StoreDamaged, StoreBusy or StoreError."""
        with self.reading() as db:
            return db.execute(sql, values).fetchall()

    def iterate(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a SELECT one by one, for a caller that stops early. Raises as `read`."""
        with self.reading() as db:
            yield from db.execute(sql, values)

    def read_one(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a SELECT, or None. Raises as `read`."""
        rows = self.read(sql, values)
        return rows[0] if rows else None

    def changed_elsewhere(self) -> bool:
        """Whether anybody else has written since this was last asked, or since the store was opened."""
        before, self._version = self._version, self.read_one("PRAGMA data_version")
        return self._version != before

    def remember(self, key: object, compute: Callable[[], T]) -> T:
        """Return what `compute` returned the last time, as long as nobody has written to the store since."""
        token = (self.db.total_changes, self.read_one("PRAGMA data_version"))
        if token != self._memo_token:
            self._memo_token = token
            self._memo.clear()
        if key not in self._memo:
            self._memo[key] = compute()
        return self._memo[key]  # type: ignore[no-any-return]

    def check(self) -> list[str]:
        """Return what is wrong inside the file, in SQLite's words; [] when it is sound. Reads all of it."""
        found: list[str] = []
        try:
            for (line,) in self.db.execute("PRAGMA integrity_check"):
                found.append(str(line))
            found += [f"a row of {table} belongs to nothing" for table, *_ in self.read("PRAGMA foreign_key_check")]
        except (sqlite3.Error, StoreError) as error:
            found.append(str(error))
        return [line for line in found if line != "ok"]


def _inode(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file, or None where it is missing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _journal(db: sqlite3.Connection, mode: str) -> str:
    """Set the journal mode; the mode it then has. SQLite does not wait for others here, so we do."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return str(db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


IN_IDS = "IN (SELECT value FROM json_each(?))"
"""The condition whose value is an `id_list`, as in f"WHERE id {IN_IDS}"."""


def id_list(ids: Iterable[int]) -> str:
    """Return ids, of any number, as the value of IN_IDS."""
    return f"[{','.join(str(int(one)) for one in ids)}]"


def _connect(path: Path, vfs: str | None) -> sqlite3.Connection:
    try:
        permissions.make(path)
    except OSError as error:
        raise from_os(error, path) from error
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw" + (f"&vfs={vfs}" if vfs else "")
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise from_sqlite(error, path) or StoreError(f"The mail store {path} cannot be opened.") from error


def _connect_read_only(path: Path) -> sqlite3.Connection:
    try:
        missing, file = not path.exists(), path.is_file()
    except OSError as error:  # a folder on the way that we may not enter
        raise StoreError(f"The mail store {path} cannot be opened.") from error
    if missing:
        db = sqlite3.connect(":memory:", isolation_level=None)
        migrate.create(db)
        return db
    if not file:
        raise StoreError(f"The mail store {path} cannot be opened: it is no file.")
    try:
        return _open_and_look(path, "mode=ro")
    except sqlite3.OperationalError:
        pass
    except sqlite3.Error as error:
        raise from_sqlite(error, path) or StoreError(f"The mail store {path} cannot be opened.") from error
    try:
        # WAL wants to make its -shm file; where the folder forbids that, nobody else writes either.
        return _open_and_look(path, "immutable=1")
    except sqlite3.Error as error:
        raise from_sqlite(error, path) or StoreError(f"The mail store {path} cannot be opened.") from error


def _open_and_look(path: Path, how: str) -> sqlite3.Connection:
    """Open the file and read from it, for SQLite reads nothing before that."""
    uri = f"{path.absolute().as_uri()}?{how}"
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    return db
