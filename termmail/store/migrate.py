"""Bringing a store up to date: numbered SQL files, a backup before, one transaction for all of them (SAFETY L9)."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.store.errors import StoreDamaged, StoreError, StoreTooNew, from_os

if TYPE_CHECKING:
    from collections.abc import Sequence

# In the file's header, so that `file` and we know it: "tmml" (sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x746D6D6C


def scripts() -> list[str]:
    """The SQL of each version, oldest first, so that version n is the n-th."""
    folder = Path(__file__).parent / "schema"
    return [file.read_text("utf-8") for file in sorted(folder.glob("[0-9][0-9][0-9].sql"))]


def latest() -> int:
    """The version this termmail writes."""
    return sum(1 for _ in (Path(__file__).parent / "schema").glob("[0-9][0-9][0-9].sql"))


def check_version(db: sqlite3.Connection, path: Path) -> int:
    """The version of the store. Raises StoreTooNew for a newer one, StoreError for an older one, StoreDamaged for a
    file that is no mail store."""
    version = _version(db, path, latest())
    if version < latest():
        words = f"The mail store {path} was written by an older termmail and must be brought up to date once."
        raise StoreError(words, advice="Start termmail where it may write to the folder.")
    return version


def create(db: sqlite3.Connection) -> None:
    """Make every table in an empty database."""
    _run(db, scripts(), 0)


def migrate(db: sqlite3.Connection, path: Path, steps: Sequence[str] | None = None, *, vfs: str | None = None) -> None:
    """Bring the store up to date with `steps` (all versions, oldest first; those of this termmail when None).

    A store that holds anything is copied first, to `NAME.before-VERSION` beside it. Two processes may do this at
    once: the second finds it done. Raises StoreTooNew, StoreDamaged, StoreError, or sqlite3.Error.
    """
    newest = len(steps) if steps is not None else latest()
    if _version(db, path, newest) == newest:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _version(db, path, newest)
        if version < newest:
            if version:
                _backup(path, version, vfs)
            _run(db, steps if steps is not None else scripts(), version)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection, path: Path, newest: int) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (owner,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and owner != APPLICATION_ID:
        raise StoreDamaged(f"The file {path} is a database of another program.", advice="Name another data folder.")
    if version > newest:
        raise StoreTooNew(f"The mail store {path} was written by a newer termmail; this one would spoil it.")
    return int(version)


def _run(db: sqlite3.Connection, steps: Sequence[str], version: int) -> None:
    for step in steps[version:]:
        for statement in _statements(step):
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {len(steps)}")


def _statements(script: str) -> list[str]:
    """Single statements: sqlite3's executescript would commit the transaction it stands in."""
    found, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            found.append(begun)
            begun = ""
    return found


def _backup(path: Path, version: int, vfs: str | None) -> None:
    """Copy the store as it is to `NAME.before-VERSION`, 0600 and on the disk before this returns."""
    copy = path.with_name(f"{path.name}.before-{version + 1}")
    unfinished = copy.with_name(copy.name + ".part")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        layer = f"&vfs={vfs}" if vfs else ""
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{layer}", uri=True)) as source,
            closing(sqlite3.connect(unfinished)) as target,
        ):
            source.backup(target)
            # One file that needs nothing beside it.
            target.execute("PRAGMA journal_mode = DELETE")
        unfinished.replace(copy)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise from_os(error, copy) from error
    except sqlite3.Error:
        unfinished.unlink(missing_ok=True)
        raise
