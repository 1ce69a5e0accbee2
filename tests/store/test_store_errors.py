"""Errors of SQLite and of the system, in words."""

from __future__ import annotations

import errno
import re
import sqlite3
from pathlib import Path

import pytest

from termmail.store.store_errors import (
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreReadOnly,
    from_os,
    from_sqlite,
)


def _sqlite_error(code):
    error = sqlite3.OperationalError("words of SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_FULL, StoreFull, "no room"),
        (sqlite3.SQLITE_IOERR_WRITE, StoreFull, "no room"),
        (sqlite3.SQLITE_IOERR_SHMSIZE, StoreFull, "no room"),
        (sqlite3.SQLITE_IOERR_TRUNCATE, StoreFull, "no room"),
        (sqlite3.SQLITE_BUSY, StoreBusy, "did not finish"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy, "did not finish"),
        (sqlite3.SQLITE_LOCKED, StoreBusy, "did not finish"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, StoreReadOnly, "not written"),
        (sqlite3.SQLITE_CORRUPT_VTAB, StoreDamaged, "damaged"),
        (sqlite3.SQLITE_NOTADB, StoreDamaged, "damaged"),
        (sqlite3.SQLITE_CANTOPEN, StoreError, "cannot be opened"),
        (sqlite3.SQLITE_PERM, StoreError, "cannot be opened"),
        (sqlite3.SQLITE_AUTH, StoreError, "cannot be opened"),
        (sqlite3.SQLITE_IOERR_READ, StoreError, "disk .* error"),
        (sqlite3.SQLITE_NOMEM, StoreError, "not enough memory"),
    ],
)
def test_what_sqlite_reports_is_told_in_words_with_what_to_do(tmp_path, code, kind, words):
    told = from_sqlite(_sqlite_error(code), tmp_path / "mail.db")
    assert type(told) is kind
    assert re.search(words, str(told))
    assert told.advice.endswith(".")
    assert str(tmp_path) in str(told) or kind is StoreBusy or "memory" in words


def test_an_error_that_only_a_mistake_of_ours_causes_has_no_words(tmp_path):
    assert from_sqlite(_sqlite_error(sqlite3.SQLITE_CONSTRAINT), tmp_path / "mail.db") is None
    assert from_sqlite(sqlite3.Error("no code"), tmp_path / "mail.db") is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, StoreReadOnly),
        (errno.EPERM, StoreReadOnly),
        (errno.EROFS, StoreReadOnly),
        (errno.EFBIG, StoreFull),
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.ELOOP, StoreError),
    ],
)
def test_what_the_system_reports_is_told_in_words_with_what_to_do(tmp_path, number, kind):
    told = from_os(OSError(number, "words of the system"), tmp_path / "mail.db")
    assert type(told) is kind
    assert str(tmp_path) in str(told)
    assert told.advice == ("Look at the folder and its permissions." if kind is StoreError else kind.advice)


def test_a_file_system_without_room_is_told_from_an_error_that_has_another_cause(tmp_path):
    full = Path("/proc/mail.db")  # a file system that never has room
    for code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR_READ):
        assert type(from_sqlite(_sqlite_error(code), full)) is StoreFull
    assert type(from_sqlite(_sqlite_error(sqlite3.SQLITE_CORRUPT), full)) is StoreDamaged
    assert type(from_os(OSError(errno.ENOENT, ""), full)) is StoreFull
    assert type(from_os(OSError(errno.ENOENT, ""), tmp_path / "none" / "mail.db")) is StoreError
