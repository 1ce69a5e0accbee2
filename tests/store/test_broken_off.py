"""Every write, broken off at every place: by kill -9, by a full disk, by a limit. Then the store opens and holds all of
it or nothing of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from termmail.store import folders
from termmail.store.store_errors import StoreFull
from tests.store import sealed
from tests.store.parts import NOW, add_local, new, picture, session, whole
from tests.store.scenarios import LONG, SCENARIOS

if TYPE_CHECKING:
    from pathlib import Path

# A limit on file sizes works everywhere; a small disk must be mounted.
SHORTAGES = ["limit", pytest.param("full", marks=pytest.mark.mount)]


def _broken(how: str, folder: Path, part: int = 0, parts: int = 1) -> dict[str, dict]:
    mount = sealed.small_disk(folder) if how == "full" else ""
    words = ["-m", "tests.store.breaker", how, str(folder), str(part), str(parts)]
    said = [json.loads(line) for line in sealed.run(words, mount).splitlines()]
    assert [one["name"] for one in said] == list(SCENARIOS)[part::parts]
    return {one["name"]: one for one in said}


KILL_PARTS = 6


@pytest.mark.parametrize("part", range(KILL_PARTS))
def test_kill_9_at_any_step_leaves_all_or_nothing(tmp_path, part):
    said = _broken("kill", tmp_path, part, KILL_PARTS)
    assert {name: one["wrong"] for name, one in said.items() if one["wrong"]} == {}
    assert min(one["times"] for one in said.values()) >= 3


@pytest.mark.parametrize("how", SHORTAGES)
def test_no_room_leaves_nothing_half_written_and_the_store_goes_on(tmp_path, how):
    said = _broken(how, tmp_path)
    assert {name: one["wrong"] for name, one in said.items() if one["wrong"]} == {}
    assert sum(one["times"] > 0 for one in said.values()) > 25


def test_a_store_that_may_not_grow_says_so(store):
    session(store, [new(1)])
    folders.ensure(store, "work")
    before = picture(store)
    store.db.execute(f"PRAGMA max_page_count = {store.read_one('PRAGMA page_count')[0]}")
    with pytest.raises(StoreFull, match="no room left"):
        add_local(store, "Inbox", whole(2, LONG), received=NOW)
    assert picture(store) == before


FULL_AT_START = """
import os, sys
from pathlib import Path
from termmail.store import messages
from termmail.store.store_errors import StoreFull
from termmail.store.store import Store
from tests.store.parts import NOW, new, session
disk = Path(sys.argv[1])
with Store.open(disk / "s" / "mail.db") as store:
    session(store, [new(1)])
(disk / "ballast").write_bytes(b"x" * 4096 * os.statvfs(disk).f_bavail)
for path in (disk / "s" / "mail.db", disk / "t" / "mail.db"):
    try:
        Store.open(path)
    except StoreFull as error:
        print(error)
with Store.open(disk / "s" / "mail.db", read_only=True) as store:
    print(len(messages.all_ids(store)))
(disk / "ballast").unlink()
for path in (disk / "s" / "mail.db", disk / "t" / "mail.db"):
    with Store.open(path) as store:
        print(len(messages.all_ids(store)), store.check())
"""


@pytest.mark.mount
def test_on_a_disk_full_from_the_start_mail_can_be_read_and_later_written(tmp_path):
    said = sealed.run(["-c", FULL_AT_START, str(tmp_path)], sealed.small_disk(tmp_path, "2m")).splitlines()
    words = "There is no room left to write the mail store in"
    assert said == [f"{words} {tmp_path}/s.", f"{words} {tmp_path}/t.", "1", "1 []", "0 []"]


def test_kill_9_at_any_step_of_a_migration_leaves_the_old_store_or_the_new_one(tmp_path):
    said = json.loads(sealed.run(["-m", "tests.store.breaker", "migrate", str(tmp_path)]))
    assert said["wrong"] == []
    assert said["times"] > 20
