"""Rules on the screen: made from a message, tried while they are typed, listed with what they did."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from textual.widgets import Input

from termmail.store import rule_runs
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
        await until(pilot, lambda: "z removes it" in words_of(app))
        await pilot.press("z")
        await until(pilot, lambda: "Undone: Rule “from:grace@example.org → archive” made" in words_of(app))
        assert await app.engine.rules.listing() == []


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


async def test_the_open_message_shows_what_a_rule_did_with_it(tmp_path):
    async with mailbox(tmp_path, [*LETTERS, *OTHERS], size=(120, 36)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message is not None)
        await pilot.press("C")
        await until(pilot, lambda: "2 messages of the Inbox match" in words_of(app))
        await type_in(pilot, "label:cats")
        await pilot.press("tab", "space", "f9")
        await until(pilot, lambda: "Marks ‹cats›" in words_of(app))


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


# -- changed, ordered, brought back


async def rule_list(app, pilot):
    """Open the list of rules."""
    await pilot.press("colon")
    await type_in(pilot, "what they did")
    await pilot.press("enter")
    await until(pilot, lambda: "Enter edit" in words_of(app))


async def test_a_rule_is_changed_in_the_form_it_was_made_in_and_z_takes_it_back(tmp_path):
    async with mailbox(tmp_path, LETTERS[:2], size=(100, 36)) as (app, pilot):
        await app.engine.rules.add("subject:letter", "star")
        await rule_list(app, pilot)
        await pilot.press("enter")
        await until(
            pilot, lambda: "Change the rule" in words_of(app) and "2 messages of the Inbox match" in words_of(app)
        )
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing to change" in words_of(app))
        await pilot.press("e")
        await until(pilot, lambda: "Change the rule" in words_of(app))
        await type_in(pilot, ", label:new one")
        await until(pilot, lambda: "labels it new one (a new label)" in words_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Changed · z takes it back" in words_of(app))
        await pilot.press("z")
        await until(pilot, lambda: "Undone" in words_of(app))
        (rule,) = await app.engine.rules.listing()
        assert rule.verbs == "star"


async def test_rules_are_put_in_another_order_and_a_removed_one_comes_back(tmp_path):
    async with mailbox(tmp_path, LETTERS[:2], size=(100, 36)) as (app, pilot):
        for word in ("one", "two", "three"):
            await app.engine.rules.add(f"subject:{word}", "star")
        await rule_list(app, pilot)
        await pilot.press("J")

        async def queries():
            return [rule.query for rule in await app.engine.rules.listing()]

        await until(pilot, lambda: shown(app).index("subject:two") < shown(app).index("subject:one"))
        await pilot.press("J", "K", "K")
        await until(pilot, lambda: shown(app).index("subject:one") < shown(app).index("subject:two"))
        assert await queries() == ["subject:one", "subject:two", "subject:three"]
        await pilot.press("d")
        await until(pilot, lambda: "z brings it back" in words_of(app))
        await pilot.press("z")
        await until(pilot, lambda: "Undone" in words_of(app))
        assert await queries() == ["subject:one", "subject:two", "subject:three"]


async def test_a_rule_without_its_folder_says_so_in_the_list(tmp_path):
    async with mailbox(tmp_path, LETTERS[:2], size=(120, 36)) as (app, pilot):
        folder = await app.engine.folders.make("ada", "Aside")
        await app.engine.rules.add("subject:letter", "move:Aside")
        await app.engine.folders.remove(folder.folder_id)
        await rule_list(app, pilot)
        assert "there is no folder “Aside” any more" in words_of(app)
        await pilot.press("a")
        await until(pilot, lambda: "Nothing to do · ada has no folder “Aside”" in words_of(app))


async def test_what_a_rule_hits_at_once_is_shown_before_it_is_done(tmp_path):
    async with mailbox(tmp_path, [*LETTERS, *OTHERS], size=(100, 36)) as (app, pilot):
        await pilot.press("C")
        await until(pilot, lambda: "2 messages of the Inbox match" in words_of(app))
        form = app.screen
        form.query_one("#rule-verbs").value = "archive"
        form.query_one("#rule-now").value = True
        with form.prevent(Input.Changed):  # as if Enter came before the pause after which the query is tried
            form.query_one("#rule-query").value = "subject:letter"
        await pilot.press("f9")
        await until(pilot, lambda: "14 messages of the Inbox match" in words_of(app) and "press again" in words_of(app))
        assert await app.engine.rules.listing() == []
        await pilot.press("f9")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 0)


@pytest.mark.parametrize("size", [(40, 12), (80, 24)])
async def test_the_form_shows_everything_and_its_keys(tmp_path, size):
    async with mailbox(tmp_path, LETTERS[:2], size=size) as (app, pilot):
        await pilot.press("C")
        await until(pilot, lambda: "of the Inbox match" in words_of(app))
        await type_in(pilot, "label:work, archive")
        await until(pilot, lambda: "Labels it work (a new label), archives it" in words_of(app))
        for words in ("Rule for mail", "If", "Then", "of the Inbox", "Do it now", "F9 saves · Esc back"):
            assert words in words_of(app)


async def test_the_list_of_rules_shows_its_keys_in_a_small_terminal_beside_a_log(tmp_path):
    async with mailbox(tmp_path, LETTERS[:3], size=(40, 12)) as (app, pilot):
        await app.engine.rules.add("subject:letter", "star, label:a long name of a label, label:another")
        await rule_list(app, pilot)
        await pilot.press("a")
        await until(pilot, lambda: "Applied: 3 messages · z takes it back" in words_of(app))
        for words in ("Rules", "[x] subject:letter", "Enter edit · Space on/off", "J K order · z undo · Esc"):
            assert words in words_of(app)


async def test_escape_stops_a_rule_that_runs_and_its_entry_takes_back_what_it_did(tmp_path, monkeypatch):
    monkeypatch.setattr(rule_runs, "PAGE", 1)
    async with mailbox(tmp_path, LETTERS, size=(100, 36)) as (app, pilot):
        await app.engine.rules.add("subject:letter", "archive")
        await rule_list(app, pilot)
        store, pages = app.engine.context.db, count(1)

        async def three_pages(function, *arguments):
            if function is rule_runs.run and next(pages) > 3:
                await asyncio.Event().wait()
            return await store(function, *arguments)

        monkeypatch.setattr(app.engine.context, "db", three_pages)
        await pilot.press("a")
        await until(pilot, lambda: "3 of 12 messages · Esc stops" in words_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: "Stopped" in words_of(app) and "Archived: 3 messages" in words_of(app))
        await pilot.press("down", "z")
        await until(pilot, lambda: "Undone: rule (3 messages)" in words_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1 and len(app.main_screen.messages.ids) == 12)
