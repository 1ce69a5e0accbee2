"""Links by their number: the real target is shown before anything opens, and no key acts on the message meanwhile."""

from __future__ import annotations

import pytest

from termmail.ui.screens.composer import ComposeScreen
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.widgets.link_prompt import LinkPrompt
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import EVIL, assert_harmless, shown, until, words_of

HTML = letter(
    1,
    Content_Type="text/html",
    body='<p>Dear Ada,</p><p><a href="https://story.example/one">A story</a> and '
    '<a href="http://evil.example/login">https://bank.example</a>, or '
    '<a href="mailto:grace@example.org?subject=Hello">write</a>.</p>'
    + "".join(f'<p><a href="https://more.example/{number}">more {number}</a></p>' for number in range(4, 13)),
)
PLAIN = letter(1, body="See [2] at https://one.example/a, www.two.example\r\nand https://three.example/x.")


async def opened(app, pilot, words: str) -> None:
    await pilot.press("enter")
    await until(pilot, lambda: words in shown(app) and app.main_screen.reader.text.links)


async def test_a_number_shows_where_its_link_goes_and_enter_asks_before_it_opens(tmp_path, desktop):
    async with mailbox(tmp_path, [HTML]) as (app, pilot):
        await opened(app, pilot, "Dear Ada")
        await pilot.press("full_stop")
        await until(pilot, lambda: "Link number: ▏  1 to 12" in shown(app))
        await pilot.press("1")
        await until(pilot, lambda: "1▏  https://story.example/one" in shown(app))
        await pilot.press("1")
        await until(pilot, lambda: "11▏  https://more.example/11" in shown(app))
        await pilot.press("backspace", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "Open story.example in the browser?" in shown(app)
        assert shown(app).count("https://story.example/one") == 2
        assert desktop() == []
        await pilot.press("y")
        assert await until(pilot, desktop) == ["1", "https://story.example/one"]
        await until(pilot, lambda: app.main_screen.reader.has_focus)
        assert "Link number" not in shown(app)


async def test_a_text_that_names_another_host_is_told_before_the_question_and_in_it(tmp_path, desktop):
    async with mailbox(tmp_path, [HTML]) as (app, pilot):
        await opened(app, pilot, "Dear Ada")
        await pilot.press("full_stop", "2")
        await until(pilot, lambda: "! says bank.example, goes to evil.example" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "The message shows bank.example, but this goes to evil.example." in words_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert app.main_screen.query_one(LinkPrompt).line.has_focus
        assert desktop() == []


async def test_y_copies_and_an_address_to_write_to_begins_a_message(tmp_path):
    async with mailbox(tmp_path, [HTML]) as (app, pilot):
        await opened(app, pilot, "Dear Ada")
        await pilot.press("full_stop", "5", "y")
        await until(pilot, lambda: "Copied https://more.example/5" in shown(app))
        assert app.clipboard == "https://more.example/5"
        await pilot.press("full_stop", "3", "enter")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and "grace@example.org" in shown(app))


async def test_the_number_of_the_only_link_is_there_already(tmp_path):
    async with mailbox(tmp_path, [letter(1, body="At https://one.example/a we meet.")], size=(40, 12)) as (app, pilot):
        await opened(app, pilot, "we meet")
        await pilot.press("full_stop")
        await until(pilot, lambda: "1▏  https://one.example" in shown(app) and "[1]ps://one" in shown(app))
        assert "Enter open  y copy  Esc close" in shown(app)
        await pilot.press("1", "y")
        await until(pilot, lambda: app.clipboard == "https://one.example/a")


async def test_written_out_addresses_get_numbers_and_the_writers_own_marks_do_not(tmp_path):
    async with mailbox(tmp_path, [PLAIN]) as (app, pilot):
        await opened(app, pilot, "See [2] at")
        await pilot.press("full_stop")
        await until(pilot, lambda: "[1]ps://one.example/a, [2].two.example" in shown(app))
        assert "See [2] at" in shown(app)
        assert "and [3]ps://three.example/x." in shown(app)
        await pilot.press("2")
        await until(pilot, lambda: "2▏  https://www.two.example" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: "https://one.example/a, www.two.example" in shown(app))
        assert app.main_screen.reader.has_focus


async def test_no_letter_acts_on_the_message_while_a_number_is_typed(tmp_path):
    async with mailbox(tmp_path, [PLAIN, letter(2, body="Without any.")]) as (app, pilot):
        await pilot.press("down")
        await opened(app, pilot, "See [2] at")
        await pilot.press("full_stop", "d", "e", "9", "enter", "y", "j", "bracketleft", "q")
        await until(pilot, lambda: "Link number: ▏" in shown(app))
        assert app.subject() == "Letter 1"
        assert len(app.main_screen.messages.ids) == 2
        await pilot.press("escape")
        await until(pilot, lambda: app.main_screen.reader.has_focus)
        await pilot.press("left_square_bracket", "full_stop")
        await until(pilot, lambda: "Without any." in shown(app))
        await pilot.press("full_stop")
        await until(pilot, lambda: "This message has no links." in shown(app))


async def test_without_a_desktop_the_line_says_so_and_y_still_copies(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    async with mailbox(tmp_path, [PLAIN]) as (app, pilot):
        await opened(app, pilot, "See [2] at")
        await pilot.press("full_stop", "1", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "There is no desktop here to open it on. y copies the address." in shown(app))
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "https://one.example/a")


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_hostile_links_are_drawn_harmlessly(tmp_path, size):
    links = "".join(f'<p><a href="https://x.example/{evil}">{evil}</a></p>' for evil in EVIL if "\ud800" not in evil)
    hostile = letter(1, Content_Type="text/html; charset=utf-8", body=f"<p>Dear Ada</p>{links}")
    async with mailbox(tmp_path, [hostile], size=size) as (app, pilot):
        await opened(app, pilot, "Dear Ada")
        await pilot.press("full_stop")
        for number in range(1, 10):
            await pilot.press("backspace" if number > 1 else "tab", str(number))
            await until(pilot, lambda number=number: f"{number}▏" in shown(app))
            assert_harmless(app)
