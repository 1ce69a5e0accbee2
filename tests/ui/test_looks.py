"""Snapshots of the screens as grids of text, and their colours."""

from __future__ import annotations

import re
import time

import pytest

from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, until, words_of

QUOTE = "I agree.\r\n\r\n> The engine weaves algebraical patterns\r\n> just as the loom weaves flowers.\r\n\r\n-- \r\nCharles"
MAILS = [
    letter(1, Subject="An invoice of last year", Date="Fri, 28 Nov 2025 10:00:00 +0000"),
    letter(2, Subject="The card reader", Date="Sat, 7 Feb 2026 10:00:00 +0000", From="Ada <ada@example.net>"),
    letter(3, Subject="=?utf-8?B?5Lya6K2w44Gu6LOH5paZ?=", From="=?utf-8?B?5bGx55Sw5aSq6YOO?= <yamada@example.net>"),
    letter(4, From='"billing@bank.example" <thief@example.net>', Subject="Your account"),
    letter(5, Subject="Re: Note G", Date="Thu, 5 Mar 2026 08:15:00 +0000", body=QUOTE),
]


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


BAR = "▁▂▃▄▅▆▇"
"""The end of the thumb of a scroll bar: where it is depends on how many actions there are."""


def grid(app):
    """Return the screen without blanks at line ends."""
    return "\n".join(line.rstrip() for line in shown(app).splitlines())


async def settled(app, pilot):
    """Set a star and a selection, and wait for the preview."""
    app.engine.accounts.status("ada")
    app.main_screen.status.say("")
    await pilot.press("j", "s", "j", "x", "k", "k", "k")
    await until(pilot, lambda: app.main_screen.messages.cursor == 0)
    await app.workers.wait_for_complete()
    reader, messages = app.main_screen.reader, app.main_screen.messages
    await until(
        pilot,
        lambda: not reader.display or (reader.message and reader.row and reader.row.message_id == messages.cursor_id),
    )
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (120, 30)], ids=["80x24", "40x12", "120x30"])
async def test_inbox(tmp_path, snapshot, size):
    async with mailbox(tmp_path, MAILS, size=size) as (app, pilot):
        await settled(app, pilot)
        assert grid(app) == snapshot


async def test_reader(tmp_path, snapshot):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.whole and "the loom" in shown(app))
        await until(pilot, lambda: "4 unread" in shown(app))
        assert grid(app) == snapshot


async def test_go_menu(tmp_path, snapshot):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await settled(app, pilot)
        await pilot.press("g")
        await until(pilot, lambda: "A letter at the left goes" in words_of(app))
        assert grid(app) == snapshot


async def test_help(tmp_path, snapshot):
    async with mailbox(tmp_path, MAILS, size=(80, 40)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message)
        await pilot.press("question_mark")
        await until(pilot, lambda: "All keys" in shown(app) and set(BAR) & set(shown(app)))  # the scroll bar comes last
        assert re.sub(f"[{BAR}]", " ", grid(app)) == snapshot
