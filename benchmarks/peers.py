"""The list of 100 000 messages beside alot, aerc and mutt, where they are installed: first mail, memory, an arrow key.

    python -m benchmarks.peers [--quick]

Each program opens the same messages in a pseudo-terminal of 120x36, in turns: termmail its store, aerc and mutt a
maildir (mutt with a warm header cache), alot a ready index of notmuch.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.rig import Effort, amount, parser, ratio, row, scratch
from benchmarks.screen import Terminal, fill
from tests import mailbox

if TYPE_CHECKING:
    from pathlib import Path

AERC_ACCOUNTS = """
[mail]
source = maildir://{mail}
default = INBOX
from = Ada <ada@example.org>
"""
MUTT = """
set mbox_type=Maildir folder="{mail}" spoolfile="{mail}/INBOX" header_cache="{folder}/cache" sort=reverse-date
"""
NOTMUCH = """
[database]
path={mail}
[user]
name=Ada
primary_email=ada@example.org
"""


@dataclass
class Program:
    """A mail client: how it starts, and what was measured of each run: seconds, MB, milliseconds of each key."""

    name: str
    argv: list[str]
    environment: dict[str, str]
    starts: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)

    def run(self, words: bytes, presses: int) -> None:
        """Start it, wait for these words, press `j` so many times."""
        terminal = Terminal(self.argv, environment=self.environment)
        try:
            self.starts.append(terminal.until(words, 300))
            terminal.quiet(1.0)
            self.memory.append(terminal.memory())
            for _ in range(presses):
                self.keys.append(terminal.press(b"j")[0])
                terminal.quiet(0.2)
        finally:
            terminal.end()


def programs(folder: Path, effort: Effort) -> list[Program]:
    """The installed programs, termmail first, each with its configuration below `folder`."""
    mail = folder / "mail"
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "XDG_CACHE_HOME": str(folder / "cache")}
    argv = [sys.executable, "-m", "termmail", "--config", f"{folder}/config.toml", "--data", f"{folder}/data"]
    found = [Program("termmail", argv, {})]
    if effort.compares_with("alot") and effort.compares_with("notmuch"):
        (folder / "notmuch").write_text(NOTMUCH.format(mail=mail))
        home["NOTMUCH_CONFIG"] = str(folder / "notmuch")
        subprocess.run(["notmuch", "new", "--quiet"], env={**os.environ, **home}, check=True)
        found.append(Program("alot", [shutil.which("alot"), "search", "*"], home))
    if effort.compares_with("aerc"):
        config = folder / "config" / "aerc"
        config.mkdir(parents=True)
        (config / "accounts.conf").write_text(AERC_ACCOUNTS.format(mail=mail))
        (config / "accounts.conf").chmod(0o600)
        found.append(Program("aerc", [shutil.which("aerc")], home))
    if effort.compares_with("mutt"):
        (folder / "muttrc").write_text(MUTT.format(mail=mail, folder=folder))
        found.append(Program("mutt", [shutil.which("mutt"), "-n", "-F", str(folder / "muttrc")], home))
    return found


def main() -> None:
    effort = Effort(parser(__doc__).parse_args().quick)
    count = effort.count(100_000)
    with scratch() as folder:
        words = fill(folder, count).removeprefix(b"Re: ")  # notmuch leaves it out
        mailbox.write_maildir(folder / "mail" / "INBOX", mailbox.build(count, light=True))
        found = programs(folder, effort)
        for one in found:  # page cache, header cache, bytecode
            one.run(words, 0)
            one.starts.clear()
        for _ in range(effort.runs(5)):  # in turns, so that a noisy moment meets all of them
            for one in found:
                one.run(words, effort.runs(8))
        for one in found:
            told(one, found[0], count)


def told(one: Program, mine: Program, count: int) -> None:
    """Print what was measured of a program, and how termmail compares."""
    measured = {
        f"{one.name}: first of {amount(count)} messages on screen": ("ms", _start),
        "  peak memory": ("MB", _memory),
        "  an arrow key": ("ms", _key),
        "  the slowest of twenty (p95)": ("ms", _late_key),
    }
    for name, (unit, value) in measured.items():
        beside = ratio(value(mine), value(one), one.name) if one is not mine else ""
        row(name, f"{value(one):.1f} {unit}", beside, GOALS.get((one.name, value), ""))


def _start(one: Program) -> float:
    return statistics.median(one.starts) * 1000


def _memory(one: Program) -> float:
    return max(one.memory)


def _key(one: Program) -> float:
    return statistics.median(one.keys)


def _late_key(one: Program) -> float:
    return sorted(one.keys)[len(one.keys) * 19 // 20 - 1]


GOALS = {("alot", _start): "goal 0.5", ("alot", _memory): "goal 1", ("aerc", _late_key): "goal 1"}


if __name__ == "__main__":
    main()
