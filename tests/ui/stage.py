"""A bare app to show one screen on, over a real Engine, and what a test asks of it."""

from __future__ import annotations

import re
import time
import unicodedata
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.worker import Worker, WorkerState

from termmail.accounts.config import Account, Config, Pop3, Smtp
from termmail.accounts.credentials import Passwords
from termmail.accounts.paths import Paths
from termmail.engine.engine import Engine
from termmail.ui.theme import defaults
from termmail.ui.workers import no_eager_tasks
from tests.conftest import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.screen import Screen

PATIENCE = 20.0
"""Seconds after which a test gives up; a machine under load needs a few."""

SIZES = [(80, 24), (40, 12), (120, 36)]

EVIL = [
    "Re: [/foo] hello",
    "[@click=app.bell]x[/]",
    "[b]bold[/b] [link=http://x]y[/link] $who",
    "\x1b]52;c;ZXZpbA==\x07\x1b]0;title\x07\x1b[2J\x1b[31m",
    "\x9b2J\x9d0;title\x9c\x90q\x85",
    "\u202egpj.exe \u2066isolate\u2069 \u200b\ufeff",
    "x" * 10_000,
    "👩‍👩‍👧‍👦 ❤️ 🇩🇪 漢字 עברית",
    "a\x00b\rc\nd\te\x7f",
    "Z\u0353\u0354" + "\u0300" * 300,
    "\ud800 lone",
]


class Stage(App[None]):
    """Pushes the screen that `make` makes and keeps what it dismisses."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, make: Callable[[], Screen[Any]]) -> None:
        super().__init__()
        self._make = make
        self.left = False
        self.result: Any = None
        self.troubles: list[BaseException] = []
        self.copied: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return defaults(self.current_theme.to_color_system().generate())

    def on_load(self) -> None:
        no_eager_tasks()  # as TermmailApp does

    def on_mount(self) -> None:
        def dismissed(result: Any) -> None:
            self.left, self.result = True, result

        self.push_screen(self._make(), dismissed)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)
        super().copy_to_clipboard(text)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.troubles.append(event.worker.error)


@asynccontextmanager
async def staged(
    make: Callable[[], Screen[Any]], size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Stage, Pilot[None]]]:
    """The screen, shown and settled; what went wrong in a worker fails the test."""
    stage = Stage(make)
    async with stage.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield stage, pilot
    if stage.troubles:
        raise stage.troubles[0]


async def until(pilot: Pilot[Any], met: Callable[[], Any]) -> Any:
    """Let the app work until it is so; what never comes fails with what stood on the screen instead."""
    deadline = time.monotonic() + PATIENCE
    while not (value := met()):
        assert time.monotonic() < deadline, f"it never came; the screen:\n{shown(pilot.app)}"
        await pilot.pause()
    return value


async def type_in(pilot: Pilot[Any], text: str) -> None:
    """Type a text key by key."""
    await pilot.press(*({" ": "space", ",": "comma", "@": "at", ".": "full_stop"}.get(char, char) for char in text))


def shown(app: App[Any]) -> str:
    """What stands on the screen now."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def words_of(app: App[Any]) -> str:
    """What stands on the screen, without line breaks, frames and scroll bars: for sentences that may be wrapped."""
    return " ".join(re.sub("[│▁▂▃▄▅▆▇]", " ", shown(app)).split())


def assert_harmless(app: App[Any]) -> None:
    """No byte of what is on the screen would be a command to the terminal or turn the text around."""
    bad = {char for char in shown(app) if char != "\n" and unicodedata.category(char) in {"Cc", "Cs"}}
    assert not bad, bad
    assert not set(shown(app)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def account(pop3_port: int = 1, smtp_port: int = 1, address: str = USER, name: str = "Ada Lovelace") -> Account:
    """An account at these ports of loopback, without TLS."""
    plain: dict[str, Any] = {"host": "127.0.0.1", "security": "none", "allow_cleartext": True, "timeout_seconds": 5}
    return Account(
        name=name,
        address=address,
        pop3=Pop3(port=pop3_port, poll_minutes=0, **plain),
        smtp=Smtp(port=smtp_port, **plain),
    )


@asynccontextmanager
async def engine_with(folder: Path, **accounts: Account) -> AsyncIterator[Engine]:
    """An Engine with these accounts, its store and config in `folder`, passwords in memory."""
    passwords = Passwords()
    for name, settings in accounts.items():
        passwords.remember(name, "pop3", settings, PASSWORD)
    paths = Paths(config=folder / "config.toml", data=folder / "data")
    engine = await Engine.open(paths, Config(accounts=accounts), passwords=passwords)
    try:
        yield engine
    finally:
        await engine.close(0)
