"""The screen on mailboxes of 1 000 and 100 000: first mail, keys, memory, bytes to the terminal, loop lag.

    python -m benchmarks.screen [--quick]

Everything runs in a pseudo-terminal of 120x36 as a user's would; beside it an empty Textual app, as the floor.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time
from fcntl import ioctl
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.rig import Effort, amount, engine_for, mailhost, parser, ratio, row, scratch
from termmail.mail import parse
from termmail.store import pop3_identity
from termmail.store.rows import New
from termmail.store.store import Store
from tests import mailbox

if TYPE_CHECKING:
    from collections.abc import Mapping

EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("ready to go")
Empty().run()
"""
CONFIG = """
[accounts.ada]
address = "ada@example.org"
[accounts.ada.pop3]
host = "127.0.0.1"
port = 1
security = "none"
allow_cleartext = true
poll_minutes = 0
password_command = ["echo", "x"]
[accounts.ada.smtp]
host = "127.0.0.1"
port = 1
security = "none"
allow_cleartext = true
password_command = ["echo", "x"]
"""


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(
        self, argv: list[str], columns: int = 120, lines: int = 36, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", TEXTUAL_ANIMATIONS="none")
            os.environ.update(environment or {})
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
            os.execv(argv[0], argv)
        ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds; b"" when nothing does."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        return os.read(self.fd, 1 << 16) if ready else b""

    def until(self, words: bytes, seconds: float = 60) -> float:
        """Seconds since the start when these words were on the screen."""
        seen = b""
        while words not in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen):
            seen += self.read(seconds)
            if time.perf_counter() - self.started > seconds:
                raise TimeoutError(words, seen[-2000:])
        return time.perf_counter() - self.started

    def quiet(self, seconds: float = 1.0) -> bytes:
        """Everything that still comes, until nothing does for so long."""
        seen = b""
        while data := self.read(seconds):
            seen += data
        return seen

    def press(self, key: bytes, settle: float = 0.12) -> tuple[float, int]:
        """Milliseconds until the screen has begun to change, and the bytes of that change (before the reading pane
        follows, which waits until the cursor rests)."""
        start = time.perf_counter()
        os.write(self.fd, key)
        first = self.read(5)
        elapsed = (time.perf_counter() - start) * 1000
        count = len(first)
        end = time.perf_counter() + settle
        while (left := end - time.perf_counter()) > 0:
            count += len(self.read(left))
        return elapsed, count

    def memory(self) -> float:
        """Peak resident MB of the program."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1000

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def fill(folder: Path, count: int) -> bytes:
    """A profile with so many messages, headers only; the newest one's sender as the list shows it."""
    (folder / "config.toml").write_text(CONFIG)
    newest = b""
    with Store.open(folder / "data" / "mail.db") as store:
        page: list[New] = []
        for number, raw in enumerate(mailbox.build(count, light=True), 1):
            header = parse.split_header(raw)
            page.append(New(b"%08x" % number, number, len(raw), header))
            newest = header
            if len(page) == 5000 or number == count:
                pop3_identity.arrive(store, "ada", page, received=int(mailbox.NOW.timestamp()), listed=())
                page = []
    return parse.envelope(newest).subject.encode()[:12]


def start(argv: list[str], words: bytes) -> tuple[float, float]:
    """Seconds to these words, and peak memory then."""
    terminal = Terminal(argv)
    try:
        seconds = terminal.until(words)
        terminal.quiet(0.5)
        return seconds, terminal.memory()
    finally:
        terminal.end()


def keys(argv: list[str], words: bytes, presses: int) -> tuple[list[tuple[float, int]], float]:
    """So many presses of j: milliseconds and bytes of each, and peak memory after them."""
    terminal = Terminal(argv)
    try:
        terminal.until(words)
        terminal.quiet()
        pressed = []
        for _ in range(presses):
            pressed.append(terminal.press(b"j"))
            terminal.quiet(0.3)
        return pressed, terminal.memory()
    finally:
        terminal.end()


async def lag_of(work) -> float:
    """The longest time, in ms, that a ticker of 5 ms was kept waiting while `work` ran."""
    loop = asyncio.get_running_loop()
    worst = 0.0
    running = asyncio.ensure_future(work)
    while not running.done():
        begin = loop.time()
        await asyncio.sleep(0.005)
        worst = max(worst, loop.time() - begin - 0.005)
    await running
    return worst * 1000


async def lags(effort: Effort) -> None:
    """Loop lag during a sync of whole messages, an import, opening the largest message, and a search."""
    from termmail.mail import query_parser
    from termmail.mail.model import Role
    from termmail.mail.views import FolderView, SearchView

    goal = "goal < 50 ms"
    count, imported = effort.count(2000), effort.count(500)
    with mailhost(count, effort) as host, scratch() as folder:
        box = folder / "old.mbox"
        mailbox.write_mbox(box, mailbox.build(imported, seed=8))
        async with engine_for(host, folder, download="all") as engine:
            lag = await lag_of(engine.accounts.sync("ada"))
            row(f"loop lag: sync of {amount(count)} whole messages", f"{lag:.0f} ms", "", goal)
            row("loop lag: indexing them", f"{await lag_of(engine.lists.index()):.0f} ms", "", goal)
            inbox = await engine.folders.by_role("ada", Role.INBOX)
            lag = await lag_of(engine.transfer.import_mail("ada", box, inbox.name))
            row(f"loop lag: import of {imported}", f"{lag:.0f} ms", "", goal)
            view = FolderView(inbox.folder_id)
            rows = await engine.lists.rows(view, list(await engine.lists.ids(view)))
            largest = max(rows, key=lambda one: one.size)
            lag = await lag_of(engine.reader.rendered(largest.message_id))
            row(f"loop lag: opening a message of {largest.size / 1e6:.1f} MB", f"{lag:.0f} ms", "", goal)
            lag = await lag_of(
                engine.lists.ids(SearchView(query_parser.parse("the", int(mailbox.NOW.timestamp())).query, "ada"))
            )
            row("loop lag: search", f"{lag:.0f} ms", "", goal)


def main() -> None:
    effort = Effort(parser(__doc__).parse_args().quick)
    few, many = effort.count(1000), effort.count(100_000)
    with scratch() as small, scratch() as large:
        found = {few: fill(small, few), many: fill(large, many)}
        folders = {few: small, many: large}

        def argv(count: int) -> list[str]:
            folder = folders[count]
            return [
                sys.executable, "-m", "termmail", "--config", f"{folder}/config.toml", "--data", f"{folder}/data",
            ]  # fmt: skip

        (small / "empty.py").write_text(EMPTY)
        empty = [sys.executable, str(small / "empty.py")]
        runs = {"empty": [], few: [], many: []}
        for _ in range(effort.runs(7)):  # in turns, so that a noisy moment meets all of them
            runs["empty"].append(start(empty, b"ready to go"))
            for count in (few, many):
                runs[count].append(start(argv(count), found[count]))
        times = {name: statistics.median(seconds for seconds, _ in values) for name, values in runs.items()}
        row("an empty Textual app, first text", f"{times['empty'] * 1000:.0f} ms")
        row(
            f"termmail, {amount(few)}: first mail on screen",
            f"{times[few] * 1000:.0f} ms",
            ratio(times[few], times["empty"], "empty app"),
        )
        row(
            f"termmail, {amount(many)}: first mail on screen",
            f"{times[many] * 1000:.0f} ms",
            ratio(times[many], times["empty"], "empty app"),
            "goal 1.5",
        )
        row(f"  against {amount(few)}", "", ratio(times[many], times[few], amount(few)), "goal 1")
        row(f"  peak memory, {amount(many)}", f"{max(m for _, m in runs[many]):.0f} MB", "", "goal 80 MB")
        pressed, memory = keys(argv(many), found[many], effort.runs(40))
        row(
            "an arrow key, to the first byte of the answer",
            f"{statistics.median(p[0] for p in pressed):.1f} ms",
            "",
            "goal 8 ms",
        )
        row(
            "  the slowest of twenty (p95)",
            f"{sorted(p[0] for p in pressed)[len(pressed) * 19 // 20 - 1]:.1f} ms",
            "",
            "goal 20 ms: aerc",
        )
        row(
            "bytes to the terminal for one cursor move",
            f"{statistics.median(p[1] for p in pressed):.0f}",
            f"worst {max(p[1] for p in pressed)}",
            "goal < 1 024",
        )
        row("  peak memory after the keys", f"{memory:.0f} MB", "", "goal 80 MB")
    asyncio.run(lags(effort))


if __name__ == "__main__":
    main()
