"""Run as a program: does one thing to a store, again and again, and breaks it off at every place there is.

`breaker.py kill FOLDER`: kill -9 before every statement and every few steps inside one.
`breaker.py migrate FOLDER`: the same during a migration.
`breaker.py full FOLDER`: ever fewer free pages on the small disk that FOLDER is.
`breaker.py limit FOLDER`: the same with a limit on the size of files.

PART and PARTS may follow FOLDER: every PARTS-th scenario from PART on. Prints one JSON object a line for each scenario: what was broken off how often, and what went wrong.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.store.migrate import migrate, scripts
from termmail.store.store import Store
from termmail.store.store_errors import StoreFull
from tests.store.parts import new, picture, session
from tests.store.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = 4096


def _prepared(folder: Path, scenario: Scenario) -> tuple[Path, dict, dict]:
    """A store ready for the act, and pictures of it before and after the act."""
    template, done = folder / "template" / "mail.db", folder / "done" / "mail.db"
    with Store.open(template) as store:
        scenario.before(store)
        before = picture(store)
    done.parent.mkdir(exist_ok=True)
    shutil.copy(template, done)
    with Store.open(done) as store:
        scenario.act(store)
        after = picture(store)
    shutil.rmtree(done.parent)
    return template, before, after


def _copy(template: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Path(shutil.copy(template, folder / "mail.db"))


def _wrong(path: Path, allowed: list[dict], where: str) -> list[str]:
    """What is wrong with a store after it was broken off: it must open, be sound, and be as before or as after."""
    with Store.open(path) as store:
        found = [f"{where}: {words}" for words in store.check()]
        now = picture(store)
        if now not in allowed:
            tables = [table for table in now if all(now[table] != one[table] for one in allowed)]
            found.append(f"{where}: half-written ({', '.join(tables) or 'of two transactions'})")
    return found


# -- kill -9


def _killer(at: int) -> Callable[[object], None]:
    left = at

    def step(*_: object) -> int:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    return step


def _killed(path: Path, act: Callable[[Store], object], at: int) -> bool:
    """Do it in a child that kills itself at the `at`-th step; False when it came to its end before."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store = Store.open(path)
            step = _killer(at)
            store.db.set_trace_callback(step)
            store.db.set_progress_handler(step, 40)
            act(store)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0, f"the child failed at {at}"
    return os.WIFSIGNALED(status)


def kill(folder: Path, scenario: Scenario) -> tuple[int, list[str]]:
    template, before, after = _prepared(folder, scenario)
    found: list[str] = []
    at = 0
    while _killed(path := _copy(template, folder / "work"), scenario.act, at):
        found += _wrong(path, [before, after], f"step {at}")
        at += 1
    return at, found + _wrong(path, [after], "end")


NEXT = [*scripts(), "ALTER TABLE message ADD COLUMN colour TEXT;\nUPDATE message SET subject = 'new';\n"]


def kill_migration(folder: Path) -> tuple[int, list[str]]:
    """Kill the step to a next version, wherever: the old store or the new one is there, and each copy is the old."""
    template = folder / "template" / "mail.db"
    with Store.open(template) as store:
        session(store, [new(n) for n in range(1, 50)])
        before = picture(store)
    found: list[str] = []
    at, killed = 0, True
    while killed:
        path = _copy(template, folder / "work")
        killed = _killed(path, lambda store: migrate(store.db, store.path, NEXT), at)
        with closing(sqlite3.connect(path)) as db:
            found += [f"step {at}: {words}" for (words,) in db.execute("PRAGMA integrity_check") if words != "ok"]
            (version,) = db.execute("PRAGMA user_version").fetchone()
            subjects = {subject for (subject,) in db.execute("SELECT subject FROM message")}
        newest = version == len(NEXT)
        if newest != (subjects == {"new"}) or not (killed or newest):
            found.append(f"step {at}: half-migrated")
        copy = path.with_name(f"mail.db.before-{len(NEXT)}")
        if newest or copy.exists():
            found += _wrong(copy, [before], f"the copy of step {at}")
        at += 1
    return at - 1, found


# -- no room


def _free_pages(folder: Path) -> int:
    return os.statvfs(folder).f_bavail


def _attempt(
    path: Path, scenario: Scenario, pictures: tuple[dict, dict], room: Callable[[Path], Iterator[None]], where: str
) -> tuple[bool, list[str]]:
    """Act with the store open; whether there was no room, and what is wrong then: nothing must have changed, and
    the open store goes on."""
    before, after = pictures
    with Store.open(path) as store:
        shortage = room(path)
        next(shortage)
        try:
            scenario.act(store)
            full = False
        except StoreFull:
            full = True
        wrong = [] if picture(store) == (before if full else after) else [f"{where}: half-written, full: {full}"]
        next(shortage, None)
        if full:
            scenario.act(store)
    return full, wrong + _wrong(path, [after], f"{where}, with room again")


def _room_on_disk(pages: int) -> Callable[[Path], Iterator[None]]:
    def room(path: Path) -> Iterator[None]:
        ballast = path.parent.parent / "ballast"
        with ballast.open("wb") as file:
            file.write(b"x" * PAGE * max(_free_pages(path.parent) - pages, 0))
        yield
        ballast.unlink()

    return room


def _room_by_limit(pages: int) -> Callable[[Path], Iterator[None]]:
    def room(path: Path) -> Iterator[None]:
        log = path.with_name(path.name + "-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (log + pages * PAGE, resource.RLIM_INFINITY))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    return room


def short(
    folder: Path, scenario: Scenario, room: Callable[[int], Callable[[Path], Iterator[None]]]
) -> tuple[int, list[str]]:
    """Act with 0, 1, 2, 4, 8, ... pages of room."""
    template, before, after = _prepared(folder, scenario)
    times, found = 0, []
    for pages in (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80):
        path = _copy(template, folder / "work")
        full, wrong = _attempt(path, scenario, (before, after), room(pages), f"{pages} pages")
        times += full
        found += wrong
    if scenario.large and not times:
        found.append("there was room where there is none")
    return times, found


def main(how: str, folder: Path, part: int = 0, parts: int = 1) -> None:
    if how == "migrate":
        times, wrong = kill_migration(folder)
        print(json.dumps({"times": times, "wrong": wrong}))
        return
    for name, scenario in list(SCENARIOS.items())[part::parts]:
        here = folder / "store"
        here.mkdir()
        if how == "kill":
            times, wrong = kill(here, scenario)
        else:
            times, wrong = short(here, scenario, _room_on_disk if how == "full" else _room_by_limit)
        shutil.rmtree(here)
        print(json.dumps({"name": name, "times": times, "wrong": wrong}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
