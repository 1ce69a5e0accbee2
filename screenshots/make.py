"""The pictures of the README: the demo's mailbox on a fixed day, one screen after the other, as SVG and as PNG.

python screenshots/make.py [NAME ...]      all of them, or those named
PNG needs Debian's chromium with fonts-firacode, fonts-noto-cjk and fonts-noto-color-emoji.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.accounts import config
from termmail.accounts.paths import Paths
from termmail.demo.servers import config_for, demo_servers
from termmail.engine.engine import Engine
from termmail.engine.views import View
from termmail.ui.app import TermmailApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from textual.pilot import Pilot

    Play = Callable[["Stage"], Awaitable[None]]

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)
PATIENCE = 20.0


class Stage:
    """The app on a stage: keys in, words out."""

    def __init__(self, app: TermmailApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    def shown(self) -> str:
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())  # noqa: SLF001

    async def see(self, words: str) -> None:
        """Wait until these words stand on the screen."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.shown():
            if time.monotonic() > deadline:
                raise SystemExit(f"“{words}” never came; the screen:\n{self.shown()}")
            await self.pilot.pause()
        await self.pilot.pause(0.2)

    async def press(self, *keys: str, see: str = "") -> None:
        await self.pilot.press(*keys)
        await self.see(see)

    async def at(self, subject: str) -> None:
        """The cursor on the message with these words in its subject."""
        messages = self.app.inbox.messages
        while (row := messages.row(messages.cursor_id)) is None or subject not in row.subject:
            await self.pilot.press("j")
        await self.pilot.pause(0.3)


@asynccontextmanager
async def stage(size: tuple[int, int], *, account: bool = True) -> AsyncIterator[Stage]:
    """The app over the demo's servers: all mail received and read in, some of it starred or unread."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "Downloads").mkdir()
        os.environ["HOME"] = folder
        async with demo_servers(now=NOW) as demo:
            paths = Paths(config=home / "config.toml", data=home / "data")
            if account:
                paths.config.write_text(config_for(demo), encoding="utf-8")
                paths.config.chmod(0o600)
            engine = await Engine.open(paths, config.load(paths.config))
            if account:
                await fill(engine)
            app = TermmailApp(lambda: asyncio.sleep(0, engine))
            app.inbox.clock = NOW.timestamp  # the server was looked at after that: “just now”
            try:
                async with app.run_test(size=size, notifications=True) as pilot:
                    yield Stage(app, pilot)
            finally:
                await engine.close(0)


async def fill(engine: Engine) -> None:
    await engine.sync("demo")
    ids = await engine.ids(View("demo", "Inbox"))
    for id_ in ids:
        await engine.read(id_)
    unread = [*ids[:5], ids[7], *ids[12:50:9]]
    await engine.mark_read([id_ for id_ in ids if id_ not in unread])
    await engine.star([ids[4], ids[9], ids[26]], on=True)


async def inbox(stage: Stage) -> None:
    await stage.at("Note G")
    await stage.see("Note G")


async def reader(stage: Stage) -> None:
    await stage.at("Patterns of the week")
    await stage.press("enter", "enter", see="Unsubscribe")


async def compose(stage: Stage) -> None:
    await stage.at("Note G")
    await stage.press("r", see="wrote:")
    words = "Dear Luigi,\n\nthe table for B7 is on its way; have the cards ready."
    await stage.pilot.press(*("enter" if char == "\n" else char for char in words))
    await stage.see("cards ready")


async def setup(stage: Stage) -> None:
    await stage.see("Welcome")
    await stage.pilot.press(*"ada@example.org", "tab", *"Ada Lovelace", "tab", *"analytical")
    await stage.see("Ada Lovelace")


async def search(stage: Stage) -> None:
    await stage.press("slash", see="Search all mail")
    await stage.pilot.press(*"engine from:charles")
    await stage.see("found")


async def phishing(stage: Stage) -> None:
    await stage.at("Urgent")
    await stage.press("enter", see="verify")


async def attachments(stage: Stage) -> None:
    await stage.at("Scan of the big drawing")
    await stage.press("A", see="MB")


async def palette(stage: Stage) -> None:
    await stage.press("ctrl+p", see="Find an action")
    await stage.pilot.press(*"reply")
    await stage.see("Reply to the mailing list")


PICTURES: dict[str, tuple[tuple[int, int], Play]] = {
    "inbox": ((120, 36), inbox),
    "inbox-80": ((80, 24), inbox),
    "reader": ((120, 36), reader),
    "compose": ((100, 30), compose),
    "setup": ((80, 24), setup),
    "help": ((100, 40), lambda stage: stage.press("question_mark", see="All keys")),
    "palette": ((100, 30), palette),
    "attachments": ((100, 30), attachments),
    "search": ((120, 36), search),
    "phishing": ((120, 36), phishing),
    "narrow": ((40, 12), inbox),
}


async def take(name: str) -> None:
    size, play = PICTURES[name]
    async with stage(size, account=name != "setup") as on_stage:
        await play(on_stage)
        svg = HERE / f"{name}.svg"
        svg.write_text(on_stage.app.export_screenshot(title="termmail"), encoding="utf-8")
    await asyncio.to_thread(to_png, svg)


def to_png(svg: Path) -> None:
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.read_text(encoding="utf-8"))
    assert box is not None
    window = ",".join(str(round(float(side))) for side in box.groups())
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={window}"]
    png = svg.with_suffix(".png")
    subprocess.run(["chromium", *options, f"--screenshot={png}", svg.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    if shutil.which("chromium") is None:
        raise SystemExit(
            "chromium is missing: apt-get install chromium fonts-firacode fonts-noto-cjk fonts-noto-color-emoji"
        )
    for picture in sys.argv[1:] or PICTURES:
        asyncio.run(take(picture))
        print(picture)
