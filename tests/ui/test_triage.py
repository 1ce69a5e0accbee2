"""Triage: one message after the other, the next by itself, everything undone by `z`, and an end that says what was done."""

from __future__ import annotations

import pytest

from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, type_in, until, words_of

FOUR = [letter(number) for number in (1, 2, 3, 4)]


def at(app, words):
    return lambda: words in shown(app).splitlines()[0]


async def test_a_key_a_message_until_the_end_says_what_was_done(tmp_path):
    async with mailbox(tmp_path, FOUR) as (app, pilot):
        await pilot.press("t")
        await until(pilot, at(app, "1 of 4"))
        assert app.main_screen.whole
        await pilot.press("e")
        await until(pilot, lambda: "2 of 4" in shown(app).splitlines()[0] and app.subject() == "Letter 3")
        await pilot.press("d")
        await until(pilot, at(app, "3 of 4"))
        await pilot.press("t")
        await until(pilot, lambda: "4 of 4" in shown(app).splitlines()[0] and app.subject() == "Letter 1")
        await pilot.press("b")
        await until(pilot, lambda: "Snooze 1 message until" in words_of(app))
        await type_in(pilot, "in 2 days")
        await pilot.press("enter")
        await until(pilot, lambda: "Triage is done: 4 conversations seen" in words_of(app))
        words = words_of(app)
        assert "Archived: 1 message" in words
        assert "Deleted: 1 message" in words
        assert "Snoozed until" in words
        assert "Left as they are: 1 conversation" in words
        await pilot.press("enter")
        await until(pilot, lambda: not app.main_screen.whole and app.subjects() == ["Letter 2"])
        await pilot.press("z", "z", "z")
        await until(pilot, lambda: len(app.subjects()) == 4)


async def test_undo_in_triage_goes_back_to_the_message_and_counts_it_no_more(tmp_path):
    async with mailbox(tmp_path, FOUR) as (app, pilot):
        await pilot.press("t")
        await until(pilot, at(app, "1 of 4"))
        await pilot.press("e")
        await until(pilot, at(app, "2 of 4"))
        await pilot.press("z")
        await until(pilot, lambda: "1 of 4" in shown(app).splitlines()[0] and app.subject() == "Letter 4")
        await pilot.press("t", "t", "t", "t")
        await until(pilot, lambda: "Left as they are: 4 conversations" in words_of(app))
        assert "Archived" not in words_of(app)


async def test_triage_of_selected_messages_passes_over_the_others(tmp_path):
    async with mailbox(tmp_path, FOUR) as (app, pilot):
        await pilot.press("x", "down", "x", "t")  # Letter 4 and Letter 2
        await until(pilot, lambda: "1 of 2" in shown(app).splitlines()[0] and app.subject() == "Letter 4")
        await pilot.press("e")
        await until(pilot, lambda: "2 of 2" in shown(app).splitlines()[0] and app.subject() == "Letter 2")


async def test_escape_leaves_triage_and_says_how_far_it_came(tmp_path):
    async with mailbox(tmp_path, FOUR) as (app, pilot):
        await pilot.press("t")
        await until(pilot, at(app, "1 of 4"))
        await pilot.press("e")
        await until(pilot, at(app, "2 of 4"))
        await pilot.press("escape")
        await until(pilot, lambda: "Triage left at 2 of 4" in words_of(app) and not app.main_screen.whole)
        assert "Archived: 1 message" in words_of(app)
        assert len(app.screen_stack) == 1


async def test_the_last_message_of_the_list_ends_triage_too(tmp_path):
    async with mailbox(tmp_path, FOUR[:1]) as (app, pilot):
        await pilot.press("t")
        await until(pilot, at(app, "1 of 1"))
        await pilot.press("d")
        await until(pilot, lambda: "Triage is done: 1 conversation seen" in words_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: "Inbox is empty" in words_of(app))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
async def test_triage_fits_other_terminals(tmp_path, size):
    async with mailbox(tmp_path, FOUR, size=size) as (app, pilot):
        await pilot.press("t")
        await until(pilot, at(app, "1 of 4"))
        await until(pilot, lambda: "This is letter 4" in words_of(app))
        await pilot.press("e")
        await until(pilot, at(app, "2 of 4"))
        keys = ("e archive", "d delete", "t skip", "b snooze", "z undo", "l label", "? keys", "Esc end")
        await until(pilot, lambda: all(one in shown(app) for one in keys))
        await pilot.press("escape")
        await until(pilot, lambda: "Enter open" in shown(app).splitlines()[-1])
