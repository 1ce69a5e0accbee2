"""Terminals for tests, with an environment in which nothing of the user's can be reached."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from termmail.demo.loopback_servers import Demo, demo_servers
from tests.one_account import one_account
from tests.tty.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_LEFT_OUT = ("COLUMNS", "DBUS_", "EDITOR", "LC_", "LINES", "NO_COLOR", "TERM", "TEXTUAL", "TMUX", "VISUAL", "XDG_")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a person who has just moved in: an empty home, no keyring, a terminal in colour."""
    home = tmp_path / "home"
    temporary = tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_ANIMATIONS": "none",
        "TZ": "UTC",
    }


@pytest.fixture
def terminal(home: dict[str, str]) -> Callable[..., AbstractContextManager[Terminal]]:
    """`with terminal("demo", size=(80, 24)) as shown`: termmail with these words in a terminal of its own."""

    def start(*words: str, size: tuple[int, int] = (80, 24), **variables: str) -> Terminal:
        return Terminal([sys.executable, "-m", "termmail", *words], size, home | variables)

    return start


@pytest.fixture
def demo() -> Iterator[Callable[..., Demo]]:
    """`demo(filled=False)` starts the demo's servers, on a thread and a loop of their own, for the test drives a
    terminal on this one. They stop with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(_running(**options))


@contextlib.contextmanager
def _running(**options: object) -> Iterator[Demo]:
    ready: list[Demo] = []
    loop = asyncio.new_event_loop()
    started, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with demo_servers(**options) as demo:  # type: ignore[arg-type]  # what the test gave, as it gave it
            ready.append(demo)
            started.set()
            await over.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            loop.close()
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


@pytest.fixture
def profile(tmp_path: Path) -> Callable[[Demo], tuple[str, ...]]:
    """`profile(demo)` writes a profile that reads from these servers; the options that choose it."""

    def write(demo: Demo) -> tuple[str, ...]:
        config = tmp_path / "config.toml"
        config.write_text(one_account(demo))
        return ("--config", str(config), "--data", str(tmp_path / "data"))

    return write
