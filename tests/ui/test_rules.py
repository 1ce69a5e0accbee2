"""Rules on the screen: made from a message, tried while they are typed, listed with what they did."""

from __future__ import annotations

import pytest

from tests.ui.mailbox_stage import LETTERS, letter, mailbox
from tests.ui.stage import assert_harmless, shown, type_in, until, words_of

OTHERS = [letter(20, From="Grace <grace@example.org>"), letter(21, From="Grace <grace@example.org>")]


async def test_a_rule_is_made_from_a_message_and_shows_what_it_would_have_hit(tmp_path):
    async with mailbox(tmp_path, [*LETTERS, *OTHERS], size=(100, 36)) as (app, pilot):
        await pilot.press("C")
        await until(pilot, lambda: "2 messages of the Inbox match" in words_of(app))
        assert "from:grace@example.org" in shown(app)
        assert "Grace · Letter 21" in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: "A rule needs something to do" in words_of(app))
        assert await app.engine.rules.listing() == []
        await type_in(pilot, "archive")
        await pilot.press("enter")
        await until(pilot, lambda: "Rule saved, for mail that arrives" in words_of(app))
        (rule,) = await app.engine.rules.listing()
        assert (rule.query, rule.verbs) == ("from:grace@example.org", "archive")
        assert len(app.main_screen.messages.ids) == 14


async def test_a_rule_is_applied_to_the_mail_that_is_here_and_undone(tmp_path):
    async with mailbox(tmp_path, [*LETTERS, *OTHERS], size=(100, 36)) as (app, pilot):
        await pilot.press("C")
        await until(pilot, lambda: "2 messages of the Inbox match" in words_of(app))
        await type_in(pilot, "archive")
        await pilot.press("tab", "space", "f9")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12)
        await until(pilot, lambda: "Rule “from:grace@example.org → archive”: 2 messages" in words_of(app))
        await pilot.press("z")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 14)


@pytest.mark.parametrize(
    ("typed", "words"), [("explode", "nothing a rule can do"), ("move:x", "No account has a folder")]
)
async def test_what_cannot_be_a_rule_is_said_in_the_dialog(tmp_path, typed, words):
    async with mailbox(tmp_path, LETTERS[:2]) as (app, pilot):
        await pilot.press("C")
        await until(pilot, lambda: "of the Inbox match" in words_of(app))
        await pilot.press("ctrl+u")
        await type_in(pilot, typed)
        await pilot.press("enter")
        await until(pilot, lambda: words in words_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert await app.engine.rules.listing() == []


async def test_rules_are_listed_switched_and_removed(tmp_path):
    async with mailbox(tmp_path, LETTERS[:2], size=(100, 36)) as (app, pilot):
        await app.engine.rules.add("subject:letter", "star", "[/x] [@click=app.bell]x[/]")
        await pilot.press("colon")
        await type_in(pilot, "what they did")
        await pilot.press("enter")
        await until(pilot, lambda: "[x] [/x]" in shown(app))
        await pilot.press("a")
        await until(pilot, lambda: "What they did" in shown(app))
        await pilot.press("space")
        await until(pilot, lambda: "[ ] [/x]" in shown(app))
        await pilot.press("down", "z")
        await until(pilot, lambda: "taken back, or final" in words_of(app))
        await pilot.press("up", "d")
        await until(pilot, lambda: "No rules yet. C on a message makes one" in words_of(app))
        assert_harmless(app)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
async def test_the_form_fits_other_terminals(tmp_path, size):
    evil = letter(30, From='"[/x] \x1b[31m" <evil@example.org>', Subject="[@click=app.bell]x[/]")
    async with mailbox(tmp_path, [evil], size=size) as (app, pilot):
        await pilot.press("C")
        await until(pilot, lambda: "Rule for mail" in words_of(app))
        await pilot.pause()
        assert_harmless(app)
