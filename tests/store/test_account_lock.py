"""One process at a time receives, and one sends, for an account."""

from __future__ import annotations

import fcntl
import stat
import subprocess
import sys

import pytest

from termmail.store.account_lock import AccountLock, Locked
from termmail.store.store_errors import StoreError

HOLD = """
import sys
from pathlib import Path
from termmail.store.account_lock import AccountLock
with AccountLock(Path(sys.argv[1]), sys.argv[2], "sync"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_told_who_has_it_and_gets_it_when_that_one_dies(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), "work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Locked, match="Another termmail is receiving mail for work just now") as told:
            AccountLock(tmp_path, "work", "sync").__enter__()
        assert told.value.pid == holder.pid
        with AccountLock(tmp_path, "home", "sync"), AccountLock(tmp_path, "work", "send"):
            pass
        holder.kill()
        holder.communicate()
    with AccountLock(tmp_path, "work", "sync"):
        pass


def test_a_holder_that_has_not_written_its_id_yet_is_told_as_0(tmp_path):
    with AccountLock(tmp_path, "work", "sync"):
        pass
    (file,) = tmp_path.iterdir()
    with file.open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(Locked) as told:
            AccountLock(tmp_path, "work", "sync").__enter__()
    assert told.value.pid == 0
    assert Locked("words").pid == 0


def test_where_no_lock_can_be_made_it_is_said_in_words(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        AccountLock(tmp_path / "file" / "data", "work", "sync").__enter__()
    lock = AccountLock(tmp_path, "work", "sync")
    with lock:
        pass
    lock.__exit__(None, None, None)  # leaving twice changes nothing


def test_two_in_one_process_exclude_each_other_too(tmp_path):
    with AccountLock(tmp_path, "work", "send"):
        with pytest.raises(Locked, match="sending mail"), AccountLock(tmp_path, "work", "send"):
            pass
        # Being refused does not let go of what the other holds.
        with pytest.raises(Locked), AccountLock(tmp_path, "work", "send"):
            pass
    with AccountLock(tmp_path, "work", "send"):
        pass


def test_an_account_named_like_a_path_stays_in_the_folder(tmp_path):
    with AccountLock(tmp_path / "data", "../../x\x00\n" + "y" * 500, "sync"):
        pass
    (file,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "data"]
