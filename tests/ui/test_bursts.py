"""Several keys in one read of the terminal, as over a slow line or from a paste: no second one finds a closed dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from termmail.ui.screens.ask_password import AskPasswordScreen
from termmail.ui.screens.attachments import AttachmentsScreen
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.help import HelpScreen
from termmail.ui.screens.link_list import LinksScreen
from termmail.ui.screens.message_source import SourceScreen
from termmail.ui.screens.palette import FindActionScreen
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, until
from tests.ui.test_folder_picker import typed
from tests.ui.test_typing import burst

if TYPE_CHECKING:
    from pathlib import Path

WITH_FILE = letter(
    1,
    Content_Type="multipart/mixed; boundary=x",
    body="--x\r\nContent-Type: text/plain\r\n\r\nhttps://example.org\r\n"
    "--x\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\na file\r\n--x--",
)

DIALOGS = [
    ("question_mark", "qq", HelpScreen),
    ("ctrl+p", "⎋⎋", FindActionScreen),
    ("V", "qq", SourceScreen),
    ("A", "qq", AttachmentsScreen),
    ("U", "qq", LinksScreen),
]


@pytest.mark.parametrize(("key", "leave", "kind"), DIALOGS)
async def test_a_dialog_left_twice_in_one_read_is_left_once(tmp_path: Path, key: str, leave: str, kind: type[Any]):
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, pilot):
        stayed: list[bool] = []
        app.main_screen.leave = lambda: stayed.append(True)  # type: ignore[method-assign]  # the second q means to quit
        await pilot.press("enter", key)
        await until(pilot, lambda: isinstance(app.screen, kind))
        burst(app, leave)
        await until(pilot, lambda: app.screen is app.main_screen)
        await pilot.pause()
        assert app.screen is app.main_screen


async def test_two_letters_of_the_folder_list_in_one_read_choose_once(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        burst(app, "gii")
        await until(pilot, lambda: app.screen is app.main_screen and app.main_screen.mail.list.name == "Inbox")
        typed(app, "gaa", 0.0, later=1.0)
        await until(pilot, lambda: app.screen is app.main_screen and app.main_screen.mail.list.name == "Archive")


async def test_a_question_answered_twice_is_answered_once(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        answers: list[bool | None] = []
        app.push_screen(ConfirmScreen("Really?"), answers.append)
        await until(pilot, lambda: "Really?" in shown(app))
        burst(app, "yyn")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert answers == [True]


async def test_keys_after_the_one_that_closes_a_dialog_go_to_what_is_below(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        before = list(app.main_screen.messages.ids)
        app.push_screen(AskPasswordScreen("Password of ada"), lambda _: None)
        await until(pilot, lambda: "Password of ada" in shown(app))
        burst(app, "loom↵jjd")
        await until(pilot, lambda: list(app.main_screen.messages.ids) == [*before[:2], *before[3:]])


async def test_a_dialog_that_another_one_covers_closes_when_it_is_uncovered(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        below, above = ConfirmScreen("Below?"), ConfirmScreen("Above?")
        answers: list[object] = []
        app.push_screen(below, lambda answer: answers.append(("below", answer)))
        app.push_screen(above, lambda answer: answers.append(("above", answer)))
        await until(pilot, lambda: "Above?" in shown(app))
        below.dismiss(True)
        await pilot.pause()
        assert answers == []
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert answers == [("above", False), ("below", True)]


async def test_enter_right_after_the_letter_that_shortens_the_palette_takes_what_is_listed(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, FindActionScreen))
        burst(app, "all keys↵")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
