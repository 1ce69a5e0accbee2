"""The lists of `g` and `v`: a letter chooses where one stands before the line, and a typed name never acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual import events

from termmail.ui.screens.folder_picker import FolderPickerScreen, PickerRow
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, staged, until, words_of
from tests.ui.test_typing import burst

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App

PLACES = [
    PickerRow("Inbox", "i", value=1),
    PickerRow("Spam", "s", value=2),
    PickerRow("second / Inbox", value=3),
    PickerRow("Sent", "t", value=4),
]


def typed(app: App[Any], text: str, apart: float, later: float = 0.0) -> None:
    """Keys at this many seconds from one another, the first one `later`, by the clock of the events."""
    first: float | None = None
    for place, char in enumerate(text):
        key = events.Key("enter", "\r") if char == "\r" else events.Key(char, char)
        first = key.time if first is None else first
        key.time = first + later + place * apart
        app.post_message(key)


async def test_a_letter_before_a_line_chooses_its_value_at_once():
    async with staged(lambda: FolderPickerScreen("Go to", PLACES)) as (stage, pilot):
        await pilot.press("t")
        await until(pilot, lambda: stage.left)
        assert stage.result == 4


@pytest.mark.parametrize(
    ("keys", "value"), [("/second\r", 3), ("econd\r", 3), ("/spam\r", 2), ("/s\r", 2), ("nbo\r", 1)]
)
async def test_a_name_is_typed_after_a_slash_or_any_other_letter(keys, value):
    async with staged(lambda: FolderPickerScreen("Go to", PLACES)) as (stage, pilot):
        burst(stage, keys.replace("\r", "↵"))
        await until(pilot, lambda: stage.left)
        assert stage.result == value


@pytest.mark.parametrize(("before", "pasted"), [("", "second"), ("/s", "econd"), ("", "second\n/ Inbox")])
async def test_a_pasted_text_is_part_of_the_name(before, pasted):
    async with staged(lambda: FolderPickerScreen("Go to", PLACES)) as (stage, pilot):
        burst(stage, before)
        stage.post_message(events.Paste(pasted))
        await until(pilot, lambda: "Inbox" in shown(stage) and "Spam" not in shown(stage))
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == 3


async def test_where_mail_moves_no_letter_acts_by_itself():
    async with staged(lambda: FolderPickerScreen("Move to", PLACES, new="New folder")) as (stage, pilot):
        burst(stage, "sis")
        await until(pilot, lambda: "New folder “sis”" in shown(stage))
        assert not stage.left
        await pilot.press("ctrl+u")
        burst(stage, "second↵")
        await until(pilot, lambda: stage.left)
        assert stage.result == 3


async def test_a_new_name_is_dismissed_as_it_was_typed():
    async with staged(lambda: FolderPickerScreen("Move to", PLACES, new="New folder")) as (stage, pilot):
        burst(stage, "Bills / 2026↵")
        await until(pilot, lambda: stage.left)
        assert stage.result == "Bills / 2026"


async def test_what_nothing_matches_is_said_and_enter_stays():
    async with staged(lambda: FolderPickerScreen("Go to", PLACES)) as (stage, pilot):
        burst(stage, "/zzz↵")
        await until(pilot, lambda: "No matching folder" in words_of(stage))
        assert not stage.left


SECOND = letter(1, Subject="The only one")


@pytest.mark.parametrize("apart", [0.0, 0.12])
@pytest.mark.parametrize("rest", ["econd", "econd\r", "pamd", "pm"])
async def test_the_rest_of_a_name_whose_first_letter_acted_does_nothing(tmp_path: Path, apart: float, rest: str):
    """There is an account called "second" in the list, and `s` goes to Spam."""
    async with mailbox(tmp_path) as (app, pilot):
        before = list(app.main_screen.messages.ids)
        rows = [PickerRow("Spam", "s"), PickerRow("second / Inbox")]
        app.push_screen(FolderPickerScreen("Go to", rows))
        await until(pilot, lambda: "Spam" in shown(app))
        typed(app, f"s{rest}", apart)
        await until(pilot, lambda: app.screen is app.main_screen)
        await until(pilot, lambda: not app._order._waiting)
        await pilot.pause()
        assert app.screen is app.main_screen
        assert list(app.main_screen.messages.ids) == before
        assert not app.main_screen.whole
        if rest == "econd" and apart:
            typed(app, "d", 0.0, later=2.0)  # later, and no part of the name
            await until(pilot, lambda: len(app.main_screen.messages.ids) == len(before) - 1)


async def test_a_command_after_a_shortcut_at_the_speed_of_a_hand_acts(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        before = list(app.main_screen.messages.ids)
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, FolderPickerScreen))
        typed(app, "ij", 0.12)
        await until(pilot, lambda: app.main_screen.messages.cursor_id == before[1])


async def test_a_key_after_a_change_of_folder_acts_on_the_folder_that_came(tmp_path: Path):
    """`d` right behind `g t`: Sent is empty, and nothing of the Inbox may be touched."""
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, FolderPickerScreen))
        typed(app, "tdgij", 0.4)
        await until(pilot, lambda: app.main_screen.messages.cursor_id == list(app.main_screen.messages.ids)[1])
        assert len(app.main_screen.messages.ids) == 12
        assert "left alone" not in shown(app)


async def test_v_and_a_typed_name_in_one_read_moves_nothing_elsewhere(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        before = len(app.main_screen.messages.ids)
        burst(app, "vsec")
        await until(pilot, lambda: "New folder “sec”" in shown(app))
        burst(app, "ond↵")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == before - 1)
        await until(pilot, lambda: "second" in {one.name for one in app.main_screen.mail.list.counts.folders})
