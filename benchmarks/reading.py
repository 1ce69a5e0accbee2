"""From the key press to the first lines: a newsletter of 80 KB of HTML, beside a short plain message in the same run.

    python -m benchmarks.reading [--quick]

The program runs in a pseudo-terminal of 120x36 with the message on the whole screen; `]` opens the next one, which was
never parsed before. Newsletters and short messages take turns.
"""

from __future__ import annotations

import os
import statistics
import sys
from email.utils import formatdate
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.rig import Effort, parser, ratio, row, scratch
from benchmarks.screen import CONFIG, Terminal
from termmail.mail.model import Role
from termmail.store import derived, folders, messages
from termmail.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_772_500_000
SIZE = 80_000
"""Bytes of HTML of a newsletter."""

CELL = (
    '<table width="100%" cellpadding="0" cellspacing="0" border="0" role="presentation"><tr>'
    '<td style="padding:12px 24px;font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:24px;color:#333333">'
    '<h2 style="margin:0 0 8px;font-size:20px;color:#111111">{title}</h2>'
    '<p style="margin:0 0 12px">{words}</p><img src="https://img.example.org/{title}.png" width="560" alt="{title}">'
    '<a href="https://news.example.org/c/{title}?utm_source=mail" style="color:#0066cc;text-decoration:none">'
    "Read <b>more</b></a></td></tr></table>"
)
WORDS = (
    "The loom weaves algebraic patterns just as it weaves flowers and leaves, said the engine to its first reader. " * 4
)


def newsletter(number: int) -> str:
    """Return the HTML of a newsletter that begins with its number."""
    cells: list[str] = []
    while sum(map(len, cells)) < SIZE:
        cells.append(CELL.format(title=f"story-{number}-{len(cells)}", words=WORDS))
    style = (
        "<style>" + "".join(f".c{one} td {{ padding: {one}px; color: #{one:06x} }}" for one in range(100)) + "</style>"
    )
    return f"<html><head>{style}</head><body><h1>Begin {number:04}</h1>{''.join(cells)}</body></html>"


def mail(number: int) -> bytes:
    """Return a message: a newsletter where the number is even, else a short text."""
    content_type, body = "text/plain", f"Begin {number:04}\r\n\r\nSee you at one."
    if number % 2 == 0:
        content_type, body = "text/html", newsletter(number)
    return (
        f"From: News <news@example.org>\r\nTo: ada@example.org\r\nSubject: Message {number}\r\n"
        f"Message-ID: <{number}@news.example>\r\nDate: {formatdate(NOW - 60 * number)}\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: {content_type}; charset=utf-8\r\n\r\n{body}\r\n"
    ).encode()


def fill(folder: Path, count: int) -> None:
    """Write a profile with so many messages."""
    (folder / "config.toml").write_text(CONFIG)
    with Store.open(folder / "data" / "mail.db") as store:
        folders.ensure(store, "ada")
        inbox = folders.by_role(store, "ada", Role.INBOX).folder_id
        for number in range(count):
            raw = mail(number)
            found = derived.from_raw(raw, complete=True)
            messages.add_local(store, "ada", inbox, raw, found, unread=False, received=NOW - 60 * number)


def opened(terminal: Terminal, number: int) -> float:
    """Return the seconds from the key press until the first line of a message is on the screen."""
    terminal.started = perf_counter()
    os.write(terminal.fd, b"]")
    seconds = terminal.until(f"Begin {number:04}".encode(), 10)
    terminal.quiet(0.3)
    return seconds


def main() -> None:
    effort = Effort(parser(__doc__).parse_args().quick)
    count = effort.runs(20) * 2 + 2
    with scratch() as folder:
        (folder / "data").mkdir(mode=0o700)
        fill(folder, count)
        where = ["--config", str(folder / "config.toml"), "--data", str(folder / "data")]
        terminal = Terminal([sys.executable, "-m", "termmail", *where])
        try:
            terminal.until(b"Message 0")
            terminal.quiet()
            terminal.press(b"\r")
            terminal.press(b"\r")
            terminal.quiet()
            times = [opened(terminal, number) for number in range(1, count)]
        finally:
            terminal.end()
    short, long = statistics.median(times[::2]), statistics.median(times[1::2])
    row("a short text, from the key to its first line", f"{short * 1000:.0f} ms")
    row(f"a newsletter of {SIZE // 1000} KB", f"{long * 1000:.0f} ms", ratio(long, short, "a short text"), "goal 50 ms")


if __name__ == "__main__":
    main()
