"""Paragraphs wrap at the pane and come back as sent; a text that names the wrong character set can be read."""

from __future__ import annotations

from textual.widgets import OptionList

from termmail.accounts.config import Ui
from tests.mail.test_reflow import PROSE
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import assert_harmless, shown, until, words_of

BODY = PROSE.replace("\n", "\r\n")


async def test_paragraphs_wrap_at_a_narrow_screen_and_come_back_as_sent(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=BODY)], size=(50, 24)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "Jacquard loom weaves" in shown(app))
        await pilot.press("w")
        await until(pilot, lambda: "Lines as sent" in shown(app))
        await until(pilot, lambda: "Jacquard loom" not in shown(app))
        await pilot.press("w")
        await until(pilot, lambda: "Jacquard loom weaves" in shown(app))
        await pilot.resize_terminal(90, 24)
        await until(pilot, lambda: "just as the Jacquard\n" in "\n".join(map(str.rstrip, shown(app).split("\n"))))


async def test_the_config_keeps_lines_as_they_were_sent(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=BODY)], size=(50, 24), ui=Ui(reflow=False)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "The analytical engine" in shown(app))
        assert "Jacquard loom" not in shown(app)


async def test_a_text_is_read_in_the_set_that_was_chosen_until_another_message_is_shown(tmp_path):
    wrong = "Привет".encode("koi8-r").decode("utf-8", "surrogateescape")
    mails = [letter(1), letter(2, body=wrong, Content_Type="text/plain; charset=windows-1252")]
    async with mailbox(tmp_path, mails) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "ðÒÉ×ÅÔ" in shown(app))
        await pilot.press("E")
        await until(pilot, lambda: "Read this message in" in shown(app))
        app.screen.query_one(OptionList).highlighted = 6
        await pilot.press("enter")
        await until(pilot, lambda: "Привет" in shown(app) and "Read as koi8-r" in words_of(app))
        await pilot.press("E")
        await until(pilot, lambda: "← now" in shown(app))
        app.screen.query_one(OptionList).highlighted = 0
        await pilot.press("enter")
        await until(pilot, lambda: "ðÒÉ×ÅÔ" in shown(app))
        await pilot.press("]")
        await until(pilot, lambda: "This is letter 1." in shown(app))
        assert app.main_screen.reader.charset == ""
        assert_harmless(app)
