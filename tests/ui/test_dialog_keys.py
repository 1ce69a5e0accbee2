"""Every dialog shows its keys, also where it is too tall for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ui.mailbox_stage import LETTERS, mailbox
from tests.ui.stage import SIZES, until, words_of
from tests.ui.test_bursts import WITH_FILE
from tests.ui.test_space import opened

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.ui.mailbox_stage import Mail


@pytest.fixture(autouse=True)
def many_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the home folder hold more folders than any list has room for."""
    for number in range(60):
        (tmp_path / "home" / f"folder {number}").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "home")


async def open_by(app: Mail, pilot: Pilot[None], *steps: tuple[str, str]) -> None:
    """Press a key, and wait for words, for each step."""
    for key, words in steps:
        await pilot.press(key)
        await until(pilot, lambda words=words: words in words_of(app))


@pytest.mark.parametrize("size", SIZES)
async def test_the_question_for_a_folder_shows_its_keys(tmp_path, size):
    async with mailbox(tmp_path, [WITH_FILE], size=size) as (app, pilot):
        await until(pilot, lambda: app.main_screen.messages.cursor_id)
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.reader.message and "Esc back" in words_of(app))
        await open_by(app, pilot, ("A", "S save all · Esc back"), ("enter", "Enter accept · Esc cancel"))
        await until(pilot, lambda: "folder 1" in words_of(app))
        assert "Save a.txt in" in words_of(app)
        await pilot.press("x", "y", "z", "enter")
        await until(pilot, lambda: "There is no folder" in words_of(app))
        assert "Enter accept · Esc cancel" in words_of(app)


@pytest.mark.parametrize("size", SIZES)
async def test_keeping_a_search_shows_its_keys(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        await open_by(app, pilot, ("slash", "Search"))
        await pilot.press(*"letter", "enter")
        await until(pilot, lambda: "12 found" in words_of(app))
        await open_by(app, pilot, ("ctrl+s", "Enter keeps it among the folders · Esc back"))


@pytest.mark.parametrize("size", SIZES)
async def test_the_settings_show_their_keys_wherever_the_focus_is(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        await open_by(app, pilot, ("comma", "Keep (Enter)"))
        for _ in range(10):
            assert "Keep (Enter)" in words_of(app)
            assert "Take back (Esc)" in words_of(app)
            assert app.screen.focused is not None
            await pilot.press("tab")
            await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_the_space_on_the_server_has_one_line_for_each_message_and_shows_its_keys(tmp_path, size):
    async with mailbox(tmp_path, LETTERS, size=size) as (app, pilot):
        await opened(app, pilot)
        await until(pilot, lambda: "Letter 9" in words_of(app))
        assert ("4 March 2026" in words_of(app)) == (size[0] > 40)
        assert words_of(app).count(" B ") > 3
        await until(pilot, lambda: "← → other groups · Esc back" in words_of(app))
