"""Import with its index, and each keystroke of a search, on a mailbox of 100 000; beside it Debian's notmuch.

    python -m benchmarks.search [--quick]

The queries run in process on the store; the keystrokes in a pseudo-terminal of 120x36, to the list with the new hits.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.rig import Effort, Host, amount, engine_for, parser, ratio, row, scratch
from benchmarks.screen import CONFIG, Terminal
from termmail.mail.query_parser import parse_typed
from termmail.store import search
from termmail.store.store import Store
from tests import mailbox

if TYPE_CHECKING:
    from pathlib import Path

NOW = int(mailbox.NOW.timestamp())
REST = 0.6
"""Seconds between two keys: all hits have been read by then."""
QUERIES = {
    "a rare word": [mailbox.RARE, f"{mailbox.RARE[:5]}*"],
    "common words": ["sent", "sent train", '"sent from a train"', "example OR sent", "sent -train"],
    "a word being typed": ["s", "se", "sen", "sent"],
    "operators": ["from:anna", "subject:re", "list:talk", "has:attachment", "is:unread", "in:inbox", "larger:1m"],
    "dates": ["after:7d", "on:march", "before:2020 sent", "on:last month sent"],
    "a common word and rare flags": ["sent is:unread", "sent is:starred"],
    "flags and folders in OR": [
        "is:unread OR is:starred",
        "is:unread OR in:trash",
        f"is:starred OR {mailbox.RARE}",
        "in:archive OR sent",
        "sent (is:unread OR in:trash)",
        "is:answered OR label:tax",
    ],
    "excluded folders and flags": [
        "-in:inbox",
        "-in:archive",
        "-is:read",
        "-(in:inbox OR is:unread)",
        "-in:inbox sent",
    ],
    "what was sorted out": ["is:labelled", "label:tax", "is:snoozed", "is:muted", "label:tax -is:read"],
    "people": ["to:me", "from:me", "to:me -from:me is:unread"],
}
"""What is asked; of each group the slowest is told."""
TYPED = ("from:anna sent", "is:unread OR is:starred", f"-in:inbox {mailbox.RARE}")
"""The searches that are typed key by key."""
ME = ("ada@example.org",)


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def imported(folder: Path, box: Path) -> float:
    """Seconds that importing and indexing an mbox takes."""
    async with engine_for(Host(1, "none"), folder) as engine:
        start = time.perf_counter()
        await engine.transfer.import_mail("ada", box)
        return time.perf_counter() - start


def notmuch(folder: Path, count: int) -> tuple[float, int]:
    """Seconds and bytes beside the mail that notmuch takes for the same messages."""
    mailbox.write_maildir(folder / "mail", mailbox.build(count, light=True))
    config = folder / "config"
    config.write_text(f"[database]\npath={folder / 'mail'}\n[user]\nname=Ada\nprimary_email=ada@example.org\n")
    start = time.perf_counter()
    subprocess.run(["notmuch", "new", "--quiet"], env={**os.environ, "NOTMUCH_CONFIG": str(config)}, check=True)
    return time.perf_counter() - start, size_of(folder / "mail" / ".notmuch")


def queries(path: Path) -> None:
    """The time of each query, newest 200 hits."""
    with Store.open(path) as store:
        with store.transaction() as db:
            db.execute("UPDATE message SET unread = 1 WHERE id % 1000 = 3")
            db.execute("UPDATE message SET starred = 1 WHERE id % 30000 = 17")
            db.execute(f"UPDATE placement SET folder = {_folder('archive')} WHERE message % 10 = 5")
            db.execute(f"UPDATE placement SET folder = {_folder('trash')} WHERE message % 50 = 1")
            db.execute("INSERT INTO label (name, color, keyword) VALUES ('tax', 1, 'tax')")
            db.execute("INSERT INTO message_label SELECT m.id, l.id FROM message m, label l WHERE m.id % 100 = 9")
        for name, texts in QUERIES.items():
            times = []
            for text in texts:
                query = parse_typed(text, NOW, ME).query
                runs = []
                for _ in range(5):
                    start = time.perf_counter()
                    search.search(store, query, discarded=False)
                    runs.append((time.perf_counter() - start) * 1000)
                times.append((statistics.median(runs), text))
            worst, text = max(times)
            row(f"query: {name}", f"{worst:.2f} ms", text, "goal < 5 ms")


def _folder(role: str) -> str:
    return f"(SELECT id FROM folder WHERE role = '{role}')"


def whole(path: Path) -> None:
    """The time of reading all hits of a common word, and of the longest part: what other store work waits for."""
    with Store.open(path, read_only=True) as store:
        query, hits, parts = parse_typed("sent ", NOW).query, 0, []
        start: search.Start | None = search.Start()
        while start is not None:
            began = time.perf_counter()
            found = search.part(store, query, start, discarded=False)
            parts.append((time.perf_counter() - began) * 1000)
            hits, start = hits + len(found.hits), found.following
        row(f"all {amount(hits)} hits of a common word", f"{sum(parts):.0f} ms", f"longest part {max(parts):.1f}")


def keystrokes(argv: list[str], words: bytes, typed: str) -> list[float]:
    """Milliseconds from each key of a search to the title that counts the new hits."""
    terminal = Terminal(argv)
    try:
        terminal.until(words)
        terminal.quiet()
        os.write(terminal.fd, b"/")
        terminal.quiet(0.5)
        times = []
        for key in typed:
            start = time.perf_counter()
            os.write(terminal.fd, key.encode())
            seen = b""
            while b" found" not in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen) and time.perf_counter() - start < 2:
                seen += terminal.read(0.5)
            times.append((time.perf_counter() - start) * 1000)
            end = time.perf_counter() + REST  # the cursor blinks: it is never quiet for long
            while (left := end - time.perf_counter()) > 0:
                terminal.read(left)
        return times
    finally:
        terminal.end()


def main() -> None:
    effort = Effort(parser(__doc__).parse_args().quick)
    count = effort.count(100_000)
    with scratch() as folder:
        box = folder / "box"
        mailbox.write_mbox(box, mailbox.build(count, light=True))
        size = box.stat().st_size
        seconds = asyncio.run(imported(folder, box))
        kept = size_of(folder / "data")
        beside = ""
        if effort.compares_with("notmuch"):
            theirs, index = notmuch(folder / "notmuch", count)
            beside = ratio(seconds, theirs, "notmuch")
            row(
                f"notmuch: {amount(count)} messages indexed", f"{theirs:.1f} s", f"{index / 1e6:.0f} MB beside the mail"
            )
        row(f"{amount(count)} messages imported and indexed", f"{seconds:.1f} s", beside, "goal 0.5")
        row("  stored, everything included", f"{kept / 1e6:.0f} MB", ratio(kept, size, "the mail"), "goal 1.5")
        queries(folder / "data" / "mail.db")
        (folder / "config.toml").write_text(CONFIG)
        argv = [sys.executable, "-m", "termmail"]
        argv += ["--config", f"{folder}/config.toml", "--data", f"{folder}/data"]
        whole(folder / "data" / "mail.db")
        for typed in TYPED:
            times = keystrokes(argv, b"Inbox", typed)
            row(
                f"keystroke of a search: {typed}",
                f"{statistics.median(times):.1f} ms",
                f"worst {max(times):.0f}",
                "goal 30 ms",
            )


if __name__ == "__main__":
    main()
