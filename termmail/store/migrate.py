"""Bringing a store up to date: numbered SQL files, a backup before, one transaction for all of them (SECURITY.md, L9)."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.store.store_errors import StoreDamaged, StoreError, StoreTooNew, from_os

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# In the file's header, so that `file` and we know it: "tmml" (sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x746D6D6C


CONVERSATIONS = 6
"""The version from which messages have a conversation, which is more than SQL can tell."""


def scripts() -> list[str]:
    """Return the SQL of each version, oldest first, so that version n is the n-th."""
    folder = Path(__file__).parent / "schema"
    return [file.read_text("utf-8") for file in sorted(folder.glob("[0-9][0-9][0-9].sql"))]


def latest() -> int:
    """Return the version this termmail writes."""
    return sum(1 for _ in (Path(__file__).parent / "schema").glob("[0-9][0-9][0-9].sql"))


def check_owner(db: sqlite3.Connection, path: Path) -> None:
    """Check before anything is written that the file is ours.

    Raises StoreDamaged for a database of another program, StoreTooNew for one of a newer termmail.
    """
    _version(db, path, latest())


def check_version(db: sqlite3.Connection, path: Path) -> int:
    """Return the version of the store.

    Raises StoreTooNew for a newer one, StoreError for an older one, StoreDamaged for a file that is no mail store.
    """
    version = _version(db, path, latest())
    if version < latest():
        words = f"The mail store {path} was written by an older termmail and must be brought up to date once."
        raise StoreError(words, advice="Start termmail where it may write to the folder.")
    return version


def create(db: sqlite3.Connection) -> None:
    """Make every table in an empty database."""
    _run(db, scripts(), 0)


def is_outdated(path: Path) -> bool:
    """Return whether the file is a store of an older termmail, by its header alone (sqlite.org/fileformat.html 1.3)."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError:
        return False
    version = int.from_bytes(header[60:64], "big")
    return header.startswith(b"SQLite format 3\0") and 0 < version < latest()


def _silent(_words: str) -> None: ...


def migrate(
    db: sqlite3.Connection,
    path: Path,
    steps: Sequence[str] | None = None,
    progress: Callable[[str], None] = _silent,
) -> None:
    """Bring the store up to date with `steps` (all versions, oldest first; those of this termmail when None).

    A store that holds anything is copied first, to `NAME.before-VERSION` beside it. Two processes may do this at
    once: the second finds it done. `progress` gets words for the user as it goes on. Raises StoreTooNew, StoreDamaged,
    StoreError, or sqlite3.Error.
    """
    steps = scripts() if steps is None and _version(db, path, latest()) < latest() else steps
    if steps is None:
        return
    while (version := _version(db, path, len(steps))) < len(steps):
        seen = _changes(db)
        copy = _copy(db, path, progress) if version else None
        try:
            _step(db, path, steps, copy, seen, progress if version else _silent)
        finally:
            if copy is not None:
                _remove(copy)


def remove_leftovers(path: Path) -> None:
    """Remove the copies of the store, and their journals, that a process which has ended did not rename or remove."""
    try:
        files = list(path.parent.iterdir())
    except OSError:
        return
    for file in files:
        found = re.fullmatch(re.escape(path.name) + r"\.copy-([0-9]{1,9})(?:-journal)?", file.name)
        if found and not _is_running(int(found[1])):
            with suppress(OSError):
                file.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def _remove(copy: Path) -> None:
    for file in (copy, copy.with_name(f"{copy.name}-journal")):
        file.unlink(missing_ok=True)


def _step(  # noqa: PLR0917 - one caller
    db: sqlite3.Connection,
    path: Path,
    steps: Sequence[str],
    copy: Path | None,
    seen: int,
    progress: Callable[[str], None],
) -> None:
    """Migrate in one transaction, unless another process wrote since the copy was made."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _version(db, path, len(steps))
        if version < len(steps) and (copy is None) == (version == 0) and _changes(db) == seen:
            if copy is not None:
                copy.replace(path.with_name(f"{path.name}.before-{version + 1}"))
            _run(db, steps, version, progress)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _changes(db: sqlite3.Connection) -> int:
    """Return a number that changes when another connection writes (sqlite.org/pragma.html#pragma_data_version)."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _version(db: sqlite3.Connection, path: Path, newest: int) -> int:
    # One statement sees one moment: another process may be making the tables just now.
    version, owner, tables = db.execute(
        "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),"
        " (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if tables and owner != APPLICATION_ID:
        raise StoreDamaged(f"The file {path} is a database of another program.", advice="Name another data folder.")
    if version > newest:
        raise StoreTooNew(f"The mail store {path} was written by a newer termmail; this one would spoil it.")
    return int(version)


def _run(db: sqlite3.Connection, steps: Sequence[str], version: int, progress: Callable[[str], None] = _silent) -> None:
    db.create_function("casefold", 1, str.casefold, deterministic=True)
    statements = [statement for step in steps[version:] for statement in _statements(step)]
    for done, statement in enumerate(statements):
        progress(f"Updating the mail store for this version of termmail: {100 * done // len(statements)} %")
        db.execute(statement)
    if version < CONVERSATIONS <= len(steps):
        from termmail.store import conversations  # noqa: PLC0415 - it needs the store, which needs this module

        progress("Updating the mail store for this version of termmail: putting conversations together")
        conversations.group_all(db)
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


def _copy(db: sqlite3.Connection, path: Path, progress: Callable[[str], None]) -> Path:
    """Copy the store as it is to a file of this process beside it: 0600, and on the disk before this returns."""
    copy = path.with_name(f"{path.name}.copy-{os.getpid()}")
    try:
        _remove(copy)
        os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(copy)) as target:
            db.backup(
                target,
                pages=2000,
                progress=lambda _status, left, total: progress(
                    f"Copying the mail store before it is updated: {100 * (total - left) // max(total, 1)} %"
                ),
            )
            # One file that needs nothing beside it.
            target.execute("PRAGMA journal_mode = DELETE")
    except OSError as error:
        _remove(copy)
        raise from_os(error, copy) from error
    except sqlite3.Error:
        _remove(copy)
        raise
    return copy
