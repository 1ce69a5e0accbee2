"""The title line says how the list is sorted and whether its rows are single messages."""

from __future__ import annotations

import pytest

from tests.ui.mailbox_stage import LETTERS, mailbox
from tests.ui.stage import SIZES, shown, until


def title(app) -> str:
    return shown(app).splitlines()[0]


@pytest.mark.parametrize("size", SIZES)
async def test_sorting_stands_in_the_title(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        assert "first" not in title(app)
        await pilot.press("S")
        await until(pilot, lambda: "Inbox  oldest first" in title(app))
        await pilot.press("S")
        await until(pilot, lambda: "Inbox  by sender" in title(app))
        await pilot.press("S", "S")
        await until(pilot, lambda: "Inbox  largest first" in title(app))
        await pilot.press("S")
        await until(pilot, lambda: "Inbox  12 unread" in title(app))


@pytest.mark.parametrize("size", SIZES)
async def test_single_messages_instead_of_conversations_stand_in_the_title(tmp_path, size):
    async with mailbox(tmp_path, LETTERS, size=size) as (app, pilot):
        await pilot.press("T")
        await until(pilot, lambda: "Inbox  single messages" in title(app))
        await pilot.press("S", "S")
        await until(pilot, lambda: "Inbox  by sender  single messages" in title(app))
        await pilot.press("T")
        await until(pilot, lambda: "single messages" not in title(app))
