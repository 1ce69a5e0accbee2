"""The pictures of the README: the demo's mailbox on a fixed day, one screen after the other, as SVG and as PNG.

python screenshots/make.py [NAME ...]      all of them, or those named
Needs Debian's chromium with fonts-firacode, fonts-noto-cjk and fonts-noto-color-emoji.
"""

from __future__ import annotations

import asyncio
import html
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.widgets import Input, TextArea

from termmail.accounts import config
from termmail.accounts.paths import Paths
from termmail.demo.loopback_servers import config_for, demo_servers
from termmail.engine.engine import opened
from termmail.mail.model import Role, StepKind
from termmail.mail.views import RoleView
from termmail.ui.app import TermmailApp

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from termmail.engine.engine import Engine

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)
LETTER = "Dear Luigi,\n\nYou are right, and the cards are being cut anew."


PICTURES: dict[str, tuple[tuple[int, int], str, tuple[str, ...], str]] = {
    "inbox": ((120, 36), "Note G", (), "Gentile Signora,"),
    "inbox-80": ((80, 24), "Note G", (), "Gentile Signora,"),
    "reader": ((120, 36), "Patterns of the week", ("enter", "enter"), "Unsubscribe"),
    "compose": ((100, 30), "Note G", ("r", *LETTER), "cut anew."),
    "setup": ((80, 24), "", (*"ada@example.org", "tab", *"Ada Lovelace", "tab", *"loom"), "••••"),
    "settings": ((120, 36), "Note G", ("comma", "down", "down", "down", "right"), "Reading pane"),
    "help": ((100, 40), "", ("question_mark",), "All keys"),
    "palette": ((100, 30), "", ("ctrl+p", *"reply"), "Reply to the mailing list"),
    "attachments": ((100, 30), "Scan of the big drawing", ("A",), "3.7 MB"),
    "search": ((120, 36), "", ("slash", *"engine"), "found"),
    "phishing": ((120, 36), "Urgent", ("enter",), "Urgent: your"),
    "narrow": ((40, 12), "Note G", (), "Note G"),
}
"""Its size; the subject the cursor goes to; the keys that follow; what is on the screen at the end."""


async def take(name: str, home: Path) -> str:
    """The SVG of a picture, made with its home in this folder."""
    (home / "Downloads").mkdir()
    os.environ["HOME"] = str(home)
    async with demo_servers(now=NOW) as demo:
        paths = Paths(config=home / "config.toml", data=home / "data")
        paths.config.touch(0o600)
        paths.config.write_text("" if name == "setup" else config_for(demo), encoding="utf-8")
        async with opened(paths, config.load(paths.config)) as engine:
            if engine.accounts.names:
                await fill(engine)
            return await play(engine, *PICTURES[name])


async def fill(engine: Engine) -> None:
    """All mail is here, bodies too; some of it unread, some starred."""
    for account in engine.accounts.names:
        await engine.accounts.sync(account)
    inbox = RoleView(Role.INBOX)
    ids = await engine.lists.ids(inbox)
    for one in ids:
        await engine.reader.read(one)
    read = [one for at, one in enumerate(ids) if at >= 5 and at != 7 and at not in range(12, 50, 9)]
    await engine.messages.mark(read, StepKind.READ)
    await engine.messages.mark([ids[4], ids[9], ids[26]], StepKind.STAR)


async def play(engine: Engine, size: tuple[int, int], subject: str, keys: tuple[str, ...], end: str) -> str:
    app = TermmailApp(lambda: asyncio.sleep(0, engine))
    app.main_screen.clock = NOW.timestamp  # the servers were asked later than that: always “just now”
    async with app.run_test(size=size, notifications=True) as pilot:
        await see(pilot, "70 messages" if engine.accounts.names else "Welcome")
        messages = app.main_screen.messages
        for _ in messages.ids:
            if (row := messages.row(messages.cursor_id)) is not None and subject in row.subject:
                break
            await pilot.press("j")
        await pilot.pause(0.5)
        for key in keys:
            await pilot.press("enter" if key == "\n" else key)
            await pilot.pause(0 if len(key) == 1 else 0.2)
        await see(pilot, end)
        if isinstance(app.focused, Input | TextArea):
            app.focused.cursor_blink = False
            await pilot.pause()
        return aligned(app.export_screenshot(title="termmail"))


async def see(pilot: Pilot[None], words: str) -> None:
    """Wait until these words stand on the screen, and all is drawn."""
    async with asyncio.timeout(20):
        while not any(words in strip.text for strip in pilot.app.screen._compositor.render_strips()):  # noqa: SLF001
            await pilot.pause()
    await pilot.pause(0.5)


def aligned(svg: str) -> str:
    """Rich gives a text the width of its letters, as if none were wide: put each run of wide ones on its cells."""

    def runs(found: re.Match[str]) -> str:
        before, x, between, width, after, words = found.groups()
        text, start, out = html.unescape(words), float(x), ""
        if cell_len(text) == len(text):
            return found[0]
        for _, run in itertools.groupby(text, lambda char: cell_len(char) == 1):
            letters = html.escape(drawn := "".join(run), quote=False).replace(" ", "&#160;")
            wide = cell_len(drawn) * float(width) / len(text)
            out += f'{before}x="{start:.1f}"{between}textLength="{wide:.1f}"{after}{letters}</text>'
            start += wide
        return out

    return re.sub(r'(<text [^>]*?)\bx="([\d.]+)"([^>]*?)textLength="([\d.]+)"([^>]*>)([^<]*)</text>', runs, svg)


def to_png(svg: Path) -> None:
    sides = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.read_text(encoding="utf-8"))[0]
    window = ",".join(str(round(float(side))) for side in sides)
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--default-background-color=00000000",
    ]
    options += [f"--window-size={window}", f"--screenshot={svg.with_suffix('.png')}"]
    subprocess.run(["chromium", *options, svg.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    time.tzset()
    for name in sys.argv[1:] or PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            (HERE / f"{name}.svg").write_text(asyncio.run(take(name, Path(folder))), encoding="utf-8")
        to_png(HERE / f"{name}.svg")
        print(name)
