"""The inbox on a real terminal before Textual is loaded: what is typed, resized and killed then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

pytestmark = [pytest.mark.tty, pytest.mark.timeout(400)]

LATE = """
import importlib, sys
open({fifo!r}).read()
sys.path.remove({folder!r})
del sys.modules["textual"]
importlib.import_module("textual")
"""


@pytest.fixture
def filled(demo, profile, home):
    """The options of a profile that has all mail of the demo."""
    options = profile(demo())
    command = [sys.executable, "-m", "termmail", *options, "sync"]
    subprocess.run(command, check=True, env=home, capture_output=True, timeout=90)
    return options


@pytest.fixture
def late(tmp_path):
    """The environment in which Textual is loaded only when `release` is called."""
    folder, fifo = tmp_path / "late", tmp_path / "fifo"
    (folder / "textual").mkdir(parents=True)
    os.mkfifo(fifo)
    (folder / "textual" / "__init__.py").write_text(LATE.format(fifo=str(fifo), folder=str(folder)))

    class Late:
        environment: ClassVar = {"PYTHONPATH": f"{folder}:{Path.cwd()}"}

        @staticmethod
        def release():
            fifo.write_text("go")

    return Late


def test_the_mail_is_there_before_textual_and_stays_in_its_place(terminal, filled, late):
    with terminal(*filled, size=(100, 30), **late.environment) as shown:
        shown.wait("Welcome to termmail")
        assert shown.told("alternate_on") == "1"
        assert shown.told("cursor_flag") == "0"
        before = [line for line in shown.screen().split("\n")[1:11] if line.strip()]
        late.release()
        shown.wait("62 messages", "r reply")
        after = shown.screen().split("\n")[1:]
        assert len(before) > 5
        assert [line.rstrip("█▁▂▃▄▅▆▇ ") for line in after[: len(before)]] == [line.rstrip() for line in before]
        shown.press("q")
        shown.ended(0)


def test_keys_that_are_typed_before_the_program_is_there_count(terminal, filled, late):
    with terminal(*filled, size=(100, 30), **late.environment) as shown:
        shown.wait("Welcome to termmail")
        shown.press("j", "j", "c")
        late.release()
        shown.wait("New message")
        shown.press("Escape")
        shown.wait("r reply", gone=["New message"])
        lines = shown.screen().split("\n")
        assert lines[3].startswith("▌"), "two down"
        shown.press("q")
        shown.ended(0)


def test_a_terminal_that_is_resized_meanwhile_is_drawn_at_its_new_size(terminal, filled, late):
    with terminal(*filled, size=(100, 30), **late.environment) as shown:
        shown.wait("Welcome to termmail")
        shown.resize(80, 24)
        late.release()
        shown.wait("62 messages", "r reply")
        assert len(shown.screen().split("\n")) <= 24
        assert "Enter open" in shown.screen().split("\n")[23]
        shown.press("q")
        shown.ended(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_a_signal_before_textual_leaves_the_terminal_to_the_shell(terminal, filled, late, number):
    with terminal(*filled, size=(100, 30), **late.environment) as shown:
        shown.wait("Welcome to termmail")
        os.kill(shown.pid, number)
        shown.ended(128 + number)
