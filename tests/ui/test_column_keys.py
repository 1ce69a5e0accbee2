"""The folder column with the focus: its cursor and keys are seen, and keys for messages do nothing to the list."""

from __future__ import annotations

import pytest

from termmail.ui.widgets.keybar import KeyBar
from tests.ui.mailbox_stage import mailbox
from tests.ui.stage import shown, until


async def in_column(app, pilot):
    await pilot.press("shift+tab")
    await until(pilot, lambda: app.main_screen.folders.has_focus)


def column(app) -> list[str]:
    folders = app.main_screen.folders
    return [folders.render_line(y).text.rstrip() for y in range(4)]


@pytest.mark.parametrize("no_color", ["", "1"])
async def test_the_cursor_of_the_column_has_a_mark_of_its_own(tmp_path, monkeypatch, no_color):
    monkeypatch.setenv("NO_COLOR", no_color)
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await until(pilot, lambda: column(app)[0].startswith("▌ Inbox"))
        await in_column(app, pilot)
        assert column(app)[0].startswith("▸ Inbox")
        await pilot.press("j")
        await until(pilot, lambda: "▸ Drafts" in shown(app))
        assert column(app)[0].startswith("• Inbox")
        await pilot.press("escape")
        await until(pilot, lambda: "▌ Inbox" in shown(app))
        assert column(app)[1].startswith("  Drafts")


async def test_the_key_bar_has_the_keys_of_the_column(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        bar = app.main_screen.query_one(KeyBar)
        await in_column(app, pilot)
        await until(pilot, lambda: "j next folder" in bar.render().plain)
        words = bar.render().plain
        assert "Enter open" in words
        assert "Esc to the messages" in words
        assert "delete" not in words
        assert "reply" not in words
        await pilot.press("escape")
        await until(pilot, lambda: "d delete" in bar.render().plain)


@pytest.mark.parametrize("key", ["d", "e", "v", "s", "x", "r", "f", "o"])
async def test_keys_for_messages_say_where_the_focus_is_and_do_nothing(tmp_path, key):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await in_column(app, pilot)
        await pilot.press(key)
        await until(pilot, lambda: "You are in the folder column: Esc goes to the messages first." in shown(app))
        assert app.screen is app.main_screen
        assert len(app.main_screen.messages.ids) == 12
        assert not app.main_screen.messages.selected


async def test_undo_and_search_work_from_the_column(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: "z brings it back" in shown(app))
        await in_column(app, pilot)
        await pilot.press("z")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12)
        await pilot.press("slash")
        await until(pilot, lambda: app.main_screen.asking)
