"""An open store: what it forbids, how SQLite is set, and what others write."""

from __future__ import annotations

import os
import sqlite3
import stat

import pytest

from termmail.store import folders, migrate, permissions
from termmail.store.store import Store
from termmail.store.store_errors import StoreReadOnly, StoreReplaced, StoreTooNew
from tests.store.parts import new, session


def test_a_store_for_reading_only_is_written_by_nobody(path):
    with Store.open(path) as store:
        session(store, [new(1)])
    for place in (path, path.with_name("none.db")):
        with Store.open(place, read_only=True) as store:
            with pytest.raises(sqlite3.OperationalError):
                store.db.execute("CREATE TABLE another (n)")
            with pytest.raises(StoreReadOnly, match="reading only"), store.transaction():
                pass


def test_sqlite_is_set_for_mail(store):
    for name, value in (("cache_size", -8000), ("temp_store", 2), ("wal_autocheckpoint", 12000), ("foreign_keys", 1)):
        assert store.read_one(f"PRAGMA {name}") == (value,)
    assert store.read_one("PRAGMA journal_size_limit") == (16 * 1024 * 1024,)
    assert store.read_one("PRAGMA busy_timeout") == (10_000,)


def test_inside_a_transaction_a_replaced_file_is_told_only_by_the_outer_one(store, path):
    with pytest.raises(StoreReplaced), store.transaction(durable=True):
        path.rename(path.with_name("moved.db"))
        with store.transaction():
            pass
    path.with_name("moved.db").rename(path)


def test_a_write_of_another_process_is_noticed_once(store, path):
    assert not store.changed_elsewhere()
    answers = iter(range(9))
    assert [store.remember("key", lambda: next(answers)) for _ in range(2)] == [0, 0]
    with Store.open(path) as other:
        folders.ensure(other, "work")
    assert store.changed_elsewhere()
    assert not store.changed_elsewhere()
    assert [store.remember("key", lambda: next(answers)) for _ in range(2)] == [1, 1]
    assert store.remember("other", lambda: next(answers)) == 2


def test_rights_are_taken_from_a_journal_even_where_others_files_are_missing(tmp_path):
    journal = tmp_path / "mail.db-journal"
    journal.touch(0o644)
    journal.chmod(0o644)
    permissions.protect(tmp_path / "mail.db")
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def test_a_mount_point_whose_name_is_no_utf_8_hides_nothing(tmp_path):
    device = tmp_path.stat().st_dev
    line = f"30 22 {os.major(device)}:{os.minor(device)} / /home\udcff rw shared:5 - nfs4 server:/home rw\n"
    (tmp_path / "mountinfo").write_bytes(line.encode("utf-8", "surrogateescape"))
    assert permissions.file_system(tmp_path, str(tmp_path / "mountinfo")) == "nfs4"


def test_only_a_store_of_an_older_termmail_is_outdated(store, path):
    assert migrate.is_outdated(path) is False
    assert migrate.is_outdated(path.with_name("none.db")) is False
    other = path.with_name("other.db")
    header = bytearray(path.read_bytes()[:100])
    for version, outdated in ((0, False), (1, True), (migrate.latest() - 1, True), (migrate.latest(), False)):
        header[60:64] = version.to_bytes(4, "big")
        other.write_bytes(header)
        assert migrate.is_outdated(other) is outdated
    other.write_bytes(b"another" + header[7:60] + b"\0\0\0\1")
    assert migrate.is_outdated(other) is False


def test_a_store_of_a_newer_termmail_cannot_be_read_either(store, path):
    store.db.execute(f"PRAGMA user_version = {migrate.latest() + 1}")
    with pytest.raises(StoreTooNew, match="newer termmail"):
        Store.open(path, read_only=True)
    store.db.execute(f"PRAGMA user_version = {migrate.latest()}")
