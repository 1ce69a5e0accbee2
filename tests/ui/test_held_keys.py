"""Keys typed while a screen opens wait for it, also when screens open in quick succession."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.demo.faults import Manners
from termmail.ui import held_keys
from tests.ui.mailbox_stage import mailbox
from tests.ui.stage import shown, until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_the_end_of_one_wait_drops_no_key_of_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with mailbox(tmp_path) as (app, pilot):
        monkeypatch.setattr(held_keys, "LONGEST_HOLD", 0.01)
        app.held_keys.hold()
        app.held_keys.release()
        monkeypatch.setattr(held_keys, "LONGEST_HOLD", 60)
        app.held_keys.hold()
        await pilot.press("d")
        later = asyncio.Event()
        app.set_timer(0.05, later.set)
        await later.wait()
        app.held_keys.release()
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 11)


async def test_keys_typed_for_a_reply_that_cannot_be_made_do_nothing_to_the_list(tmp_path: Path):
    async with mailbox(tmp_path, whole=False) as (app, pilot):
        app.pop3.manners = Manners(answers={"RETR": b"-ERR not now\r\n"})
        before = list(app.main_screen.messages.ids)
        await pilot.press("r", "d", "e", "a", "r")
        await until(pilot, lambda: "refused" in shown(app))
        assert list(app.main_screen.messages.ids) == before
        await until(pilot, lambda: not app.held_keys.holding)
        await pilot.press("j")
        assert list(app.main_screen.messages.ids) == before
        assert app.main_screen.messages.cursor_id == before[1]
