"""Find in the message: hits are marked while typing, in folded quotes too, and nothing but the message is searched."""

from __future__ import annotations

import pytest

from termmail.ui.widgets.text_view import CURRENT
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import EVIL, assert_harmless, shown, until

BODY = "\r\n".join(
    ["The first café.", *(f"line {number}" for number in range(60)), "The second cafe.", *["> quoted CAFÉ"] * 3, "end"]
)


def current(app) -> str:
    """The line of the current hit, "" where there is none on the screen."""
    return next((line.strip() for line in shown(app).split("\n") if line.strip(" │").startswith(CURRENT)), "")


async def opened(app, pilot) -> None:
    await pilot.press("enter")
    await until(pilot, lambda: "The first café." in shown(app))


async def test_each_letter_moves_to_a_hit_and_enter_to_the_next_and_around(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=BODY)]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("ctrl+f", *"cafe")
        await until(pilot, lambda: "1 of 5" in shown(app))
        assert "The first café." in current(app)
        await pilot.press("enter")
        await until(pilot, lambda: "2 of 5" in shown(app) and "The second cafe." in current(app))
        await pilot.press("up", "up")
        await until(pilot, lambda: "5 of 5" in shown(app) and "quoted CAFÉ" in current(app))
        await pilot.press("enter")
        await until(pilot, lambda: "1 of 5" in shown(app) and "The first café." in current(app))


async def test_the_slash_finds_in_the_message_only_where_that_has_the_focus(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=BODY)]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("slash", *"end")
        await until(pilot, lambda: "1 of 1" in shown(app))
        await pilot.press("escape", "escape", "escape", "slash")
        assert "Search all mail:" in shown(app)


async def test_escape_keeps_the_marks_once_and_f3_goes_on(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=BODY)]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("ctrl+f", *"cafe")
        await until(pilot, lambda: "1 of 5" in shown(app))
        await pilot.press("escape")
        assert app.main_screen.reader.has_focus
        assert current(app)
        await pilot.press("f3")
        await until(pilot, lambda: "“cafe”: 2 of 5" in shown(app))
        await pilot.press("escape")
        assert not current(app)
        assert app.main_screen.whole
        await pilot.press("shift+f3", "shift+f3")
        await until(pilot, lambda: "“cafe”: 1 of 5" in shown(app))


async def test_folded_quotes_unfold_for_what_is_found(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=BODY)]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("Q", "ctrl+f", *"quoted")
        await until(pilot, lambda: "1 of 3" in shown(app) and "> quoted CAFÉ" in current(app))


async def test_what_is_not_there_is_said_and_leaves_the_place(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=BODY)]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("ctrl+f", *"carriage")
        await until(pilot, lambda: "not found" in shown(app))
        assert "The first café." in shown(app)
        await pilot.press("enter", "escape")
        assert app.main_screen.reader.has_focus


async def test_the_marks_follow_a_new_width_and_the_next_message(tmp_path):
    mails = [letter(1, body="a cafe in the older one"), letter(2, body=BODY)]
    async with mailbox(tmp_path, mails) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("ctrl+f", *"cafe", "enter")
        await until(pilot, lambda: "2 of 5" in shown(app))
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: "2 of 5" in shown(app) and "The second cafe." in current(app))
        await pilot.press("escape", "escape", "]")
        await until(pilot, lambda: "a cafe in the older one" in shown(app))
        assert not current(app)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: "1 of 1" in shown(app))


async def test_words_that_are_typed_at_once_are_all_looked_for(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=BODY)]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("ctrl+f", *"the second", "enter", "enter", "escape", "d")
        await until(pilot, lambda: "Inbox is empty." in shown(app))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
async def test_the_prompt_fits_every_screen(tmp_path, size):
    async with mailbox(tmp_path, [letter(1, body=BODY)], size=size) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("ctrl+f", *"cafe")
        await until(pilot, lambda: "1 of 5" in shown(app))


@pytest.mark.parametrize("evil", EVIL)
async def test_evil_words_are_only_words(tmp_path, evil):
    async with mailbox(tmp_path, [letter(1, body=BODY)]) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("ctrl+f")
        app.main_screen.query_one("#find-input").value = evil[:500]
        await until(pilot, lambda: "not found" in shown(app) or " of " in shown(app))
        assert_harmless(app)
        await pilot.press("escape", "f3")
        await pilot.pause()
        assert_harmless(app)


async def test_words_that_a_conversation_hides_as_quotes_are_found(tmp_path):
    mails = [
        letter(1, body="The carriage anticipates."),
        letter(
            2,
            body="Yes.\r\n\r\n> The carriage anticipates.\r\n> And so does the lever.",
            In_Reply_To="<letter1@example.net>",
            References="<letter1@example.net>",
        ),
    ]
    async with mailbox(tmp_path, mails, synced=False) as (app, pilot):
        await app.engine.accounts.sync("ada")
        await until(pilot, lambda: app.main_screen.messages.row(app.main_screen.messages.cursor_id))
        await pilot.press("enter")
        await until(pilot, lambda: "2 quoted lines" in shown(app))
        assert "lever" not in shown(app)
        await pilot.press("ctrl+f", *"lever")
        await until(pilot, lambda: "1 of 1" in shown(app) and "> And so does the lever." in current(app))
