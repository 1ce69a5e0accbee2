"""The palette finds actions and places by their words, by those of other programs, and with a letter wrong."""

from __future__ import annotations

import pytest

from termmail.ui.action_search import SYNONYMS, elsewhere, matching
from termmail.ui.actions import ACTIONS, BY_ID
from tests.ui.mailbox_stage import mailbox
from tests.ui.stage import shown, type_in, until, words_of


@pytest.mark.parametrize(
    ("typed", "action_id"),
    [
        *(("theme", "app.settings"), ("colour", "app.settings"), ("color", "app.settings"), ("dark", "app.settings")),
        *(("tag", "message.label"), ("split", "thread.break-off"), ("merge", "thread.join"), ("junk", "message.spam")),
        *(("trash", "go.trash"), ("inbox", "go.inbox"), ("go to spam", "go.spam"), ("sent", "go.sent")),
        *(("snoze", "message.snooze"), ("archvie", "message.archive"), ("unmuet", "message.mute")),
        *(("lable", "message.label"), ("setings", "app.settings"), ("forwardd", "message.forward")),
    ],
)
def test_an_action_is_found(typed, action_id):
    assert action_id in [action.id for action in matching(ACTIONS, typed)]


def test_no_letter_may_be_wrong_in_a_short_word_and_one_only_in_a_long_one():
    assert matching(ACTIONS, "xqz") == []
    assert matching(ACTIONS, "snxxze") == []


def test_words_that_begin_so_come_before_synonyms():
    assert matching(ACTIONS, "archive")[0].id == "message.archive"
    assert matching(ACTIONS, "delete")[0].id == "message.delete"


def test_what_no_action_does_is_said_where_to_do():
    assert "termmail import" in elsewhere("impor")
    assert "config.toml" in elsewhere("signature")
    assert elsewhere("xy") == ""


def test_synonyms_are_of_actions():
    assert SYNONYMS.keys() <= BY_ID.keys()


async def test_the_palette_goes_to_a_folder(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Find an action" in words_of(app))
        await type_in(pilot, "trash")
        await until(pilot, lambda: "Go to Trash" in shown(app))
        await type_in(pilot, "")
        await pilot.press("ctrl+u")
        await type_in(pilot, "go to trash")
        await pilot.press("enter")
        await until(pilot, lambda: "Trash is empty." in shown(app))


async def test_the_palette_goes_to_a_folder_of_the_users_own(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await app.engine.folders.make("ada", "Weaving")
        await until(pilot, lambda: any(one.name == "Weaving" for one in app.main_screen.mail.list.counts.folders))
        await pilot.press("ctrl+p")
        await type_in(pilot, "weav")
        await until(pilot, lambda: "Go to Weaving" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Weaving")


async def test_the_palette_says_where_else_something_is_done(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("ctrl+p")
        await type_in(pilot, "import")
        await until(pilot, lambda: "termmail import" in words_of(app))
