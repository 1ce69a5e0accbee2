"""A window that shrinks to a few columns and rows ends nothing, whatever is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from termmail.mail.model import Role
from termmail.ui import titles
from termmail.ui.kinds import Listing
from termmail.ui.screens.composer import ComposeScreen
from tests.ui.mailbox_stage import mailbox
from tests.ui.stage import shown, until
from tests.ui.test_bursts import WITH_FILE
from tests.ui.test_leaving import OPENED

if TYPE_CHECKING:
    from pathlib import Path

TINY = [(20, 5), (6, 3), (3, 2), (2, 1), (1, 1)]


MORE = {
    "headers": ["enter", "h"],
    "filter": ["backslash", "x"],
    "help 2": ["f1"],
    "snooze": ["b"],
    "remind": ["D"],
    "label": ["l"],
    "rule": ["C"],
    "rules": ["ctrl+p", *"rules", "enter"],
    "settings": ["comma"],
    "space": ["ctrl+p", *"space", "enter"],
    "character set": ["enter", "E"],
    "pipe": ["enter", "vertical_line"],
    "find": ["enter", "ctrl+f", "x"],
    "triage": ["t"],
    "select by words": ["semicolon"],
}


@pytest.mark.parametrize("keys", [*OPENED.values(), *MORE.values()], ids=[*OPENED, *MORE])
async def test_a_window_of_a_few_cells_ends_nothing(tmp_path: Path, keys: list[str]):
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, pilot):
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        for size in TINY:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            await pilot.press("j", "down")
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: app.screen.size == (100, 30) and shown(app).strip())


async def test_a_draft_with_files_in_a_window_of_a_few_cells_ends_nothing(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, pilot):
        await pilot.press("enter", "f")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and "a.txt" in shown(app))
        for width in range(1, 8):
            for height in (1, 3, 12):
                await pilot.resize_terminal(width, height)
                await until(pilot, lambda size=(width, height): app.screen.size == size)
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: app.screen.size == (100, 30) and "a.txt" in shown(app))


async def test_the_setup_in_a_window_of_a_few_cells_ends_nothing(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, pilot):
        app.main_screen.add_account()
        await until(pilot, lambda: "Another account" in shown(app))
        for size in TINY:
            await pilot.resize_terminal(*size)
            await pilot.press("tab", "x")
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: app.screen.size == (100, 30) and "Address" in shown(app))


def test_an_empty_folder_does_not_say_so_while_mail_is_being_received():
    words = titles.nothing(Listing.MESSAGES, Role.INBOX, "Inbox", str, syncing=True)
    assert words == "Nothing in Inbox yet: mail is being received."
    assert titles.nothing(Listing.DRAFTS, Role.NONE, "Drafts", str, syncing=True).startswith("No drafts.")
