"""The status line: a text that does not fit takes more lines, the selection stays, and answers to older keys go."""

from __future__ import annotations

import pytest

from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, type_in, until

LONG = "There is no desktop here to open it on. The file is /home/ada/.cache/termmail/browser/message-12345678.html."


def joined(app):
    """The screen without line breaks and runs of spaces."""
    return " ".join(shown(app).split())


@pytest.mark.parametrize("size", [(40, 12), (60, 24), (80, 24), (120, 36)])
async def test_a_long_text_is_shown_whole_and_gives_its_lines_back(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        height = app.main_screen.messages.size.height
        app.main_screen.status.say("Short", 60)
        await pilot.pause()
        assert app.main_screen.messages.size.height == height
        app.main_screen.status.say(LONG, 60)
        end = "/home/ada" if size[0] == 40 else "12345678.html."
        await until(pilot, lambda: "The file is" in joined(app) and end in shown(app).replace("\n ", ""))
        assert app.main_screen.status.size.height <= 3
        app.main_screen.status.say("")
        await until(pilot, lambda: app.main_screen.messages.size.height == height)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 36)])
async def test_a_long_text_does_not_hide_the_selection_and_the_countdown(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        await pilot.press("x")
        app.main_screen.status.say("Archived: 1 message · Labelled Family: 12 messages · z brings it back", 60)
        app.main_screen.status.count_down("Sending in 9 s · Z stops it" if size[0] > 40 else "")
        await until(pilot, lambda: "1 conversation selected" in joined(app))
        await until(pilot, lambda: size[0] == 40 or ("z brings it back" in joined(app) and "Z stops it" in joined(app)))


async def test_the_cursor_stays_on_the_screen_while_a_long_text_is_shown(tmp_path):
    async with mailbox(tmp_path, [letter(number) for number in range(1, 60)]) as (app, pilot):
        await pilot.press("end")
        await until(pilot, lambda: "Letter 1 " in shown(app))
        app.main_screen.status.say(LONG, 60)
        await until(pilot, lambda: "12345678.html." in shown(app))
        assert "Letter 1 " in shown(app)


@pytest.mark.parametrize("key", ["right_square_bracket", "escape"])
async def test_what_was_found_is_no_longer_said_over_another_message_and_without_marks(tmp_path, key):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 12" in shown(app))
        await pilot.press("slash")
        await type_in(pilot, "letter")
        await pilot.press("escape", "f3")
        await until(pilot, lambda: "“letter”: " in shown(app))
        await pilot.press(key)
        await until(pilot, lambda: "“letter”: " not in shown(app))


async def test_what_was_said_about_a_message_goes_when_the_cursor_does(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        app.main_screen.status.say("This message has no links.", 60, about=app.main_screen.messages.cursor_id)
        await until(pilot, lambda: "no links" in shown(app))
        await pilot.press("down")
        await until(pilot, lambda: "no links" not in shown(app))


async def test_news_stay_whatever_is_done(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        app.main_screen.status.announce("Sent: the server has accepted it.", 60)
        await pilot.press("x", "u", "down")
        await until(pilot, lambda: "1 conversation selected" in shown(app))
        assert "Sent: the server has accepted it." in shown(app)
