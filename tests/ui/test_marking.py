"""Snooze, labels and reminders on the screen: what is typed, what is shown, and that `z` takes it back."""

from __future__ import annotations

import pytest

from termmail.mail.message import Draft
from termmail.mail.model import LABEL_COLORS, Label
from termmail.mail.views import LabelView
from termmail.ui.screens.composer import ComposeScreen
from termmail.ui.screens.label_picker import LABEL_STYLES, Labelling, LabelPickerScreen
from termmail.ui.screens.pick_time import NO_TIME, PickTimeScreen
from tests.ui.mailbox_stage import LETTERS, NOW, letter, mailbox
from tests.ui.stage import EVIL, account, assert_harmless, engine_with, shown, staged, type_in, until, words_of
from tests.views import DRAFTS

LABELS = [Label(1, "home", 0), Label(2, "work", 1)]


# -- the dialogs


async def test_a_time_is_understood_while_it_is_typed():
    async with staged(lambda: PickTimeScreen("Snooze 1 message until", NOW)) as (stage, pilot):
        assert "Tomorrow" in shown(stage)
        await type_in(pilot, "mon 14")
        await until(pilot, lambda: "Mon 9 Mar 14:00" in words_of(stage))
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result > NOW


async def test_what_is_no_time_is_said_and_enter_takes_nothing():
    async with staged(lambda: PickTimeScreen("Snooze 1 message until", NOW)) as (stage, pilot):
        await type_in(pilot, "soonish")
        await until(pilot, lambda: "That is not a time" in words_of(stage))
        await pilot.press("enter")
        assert not stage.left
        await pilot.press("escape")
        await until(pilot, lambda: stage.left)
        assert stage.result is None


async def test_a_time_is_taken_away():
    async with staged(lambda: PickTimeScreen("Snooze", NOW, without="Back now")) as (stage, pilot):
        await type_in(pilot, "back")
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == NO_TIME


def labels_of(present=None, total=1):
    return lambda: LabelPickerScreen("Label 1 message", LABELS, present or {}, total)


async def test_enter_takes_the_highlighted_label():
    async with staged(labels_of()) as (stage, pilot):
        await pilot.press("down", "enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == Labelling(("work",))


async def test_several_labels_are_marked_with_space_and_set_with_enter():
    async with staged(labels_of({2: 3}, 3)) as (stage, pilot):
        assert "[x] ‹work›" in shown(stage)
        await pilot.press("space", "down", "space", "enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == Labelling(("home",), (2,))


async def test_a_label_that_some_of_the_messages_have_is_put_on_all():
    async with staged(labels_of({1: 1}, 3)) as (stage, pilot):
        assert "[-] ‹home›" in shown(stage)
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == Labelling(("home",))


async def test_a_name_that_is_typed_makes_a_new_label():
    async with staged(labels_of()) as (stage, pilot):
        await type_in(pilot, "tax 2026")
        await until(pilot, lambda: "New label “tax 2026”" in words_of(stage))
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == Labelling(("tax 2026",))


async def test_tab_gives_a_label_its_next_colour():
    async with staged(labels_of()) as (stage, pilot):
        await pilot.press("tab", "enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == Labelling(colors={1: 1})
    assert len(LABEL_STYLES) == LABEL_COLORS


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
async def test_hostile_names_of_labels_are_harmless(evil):
    labels = [Label(1, evil[:40].replace("\ud800", ""), 0)]
    async with staged(lambda: LabelPickerScreen("Label", labels, {}, 1)) as (stage, pilot):
        await pilot.press("space")
        assert_harmless(stage)


# -- in the mailbox


async def test_a_snoozed_message_leaves_the_inbox_and_undo_brings_it_back(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: "Snooze 1 message until" in words_of(app))
        await type_in(pilot, "in 2 days")
        await pilot.press("enter")
        await until(pilot, lambda: "Letter 12" not in app.subjects() and "Snoozed until" in words_of(app))
        assert "z brings it back" in words_of(app)
        await pilot.press("z")
        await until(pilot, lambda: "Letter 12" in app.subjects())


async def test_the_view_of_the_snoozed_messages_says_until_when(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await pilot.press("b")
        await type_in(pilot, "in 2 days")
        await pilot.press("enter")
        await until(pilot, lambda: "Snoozed until" in words_of(app))
        await pilot.press("g", "b")
        await until(pilot, lambda: app.subjects() == ["Letter 12"])
        await pilot.press("b")
        await until(pilot, lambda: "Back now" in words_of(app))
        await type_in(pilot, "back")
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing is snoozed" in words_of(app))


async def test_labels_are_in_the_list_the_header_and_the_column(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await pilot.press("x", "x", "l")
        await until(pilot, lambda: "Label 2 messages" in words_of(app))
        await type_in(pilot, "tax")
        await pilot.press("enter")
        await until(pilot, lambda: shown(app).count("‹tax›") >= 3)
        assert "Labelled tax: 2 messages" in words_of(app)
        await pilot.press("z")
        await until(pilot, lambda: "‹tax› Letter" not in shown(app))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
async def test_long_labels_leave_room_for_the_subject(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        ids = list(app.main_screen.messages.ids)[:1]
        names = ["[/x] markup", "日本語のラベル", "a very long name of a label indeed"]
        await app.engine.marks.change_labels(ids, names, ())
        await until(pilot, lambda: "‹" in shown(app) or "+3" in shown(app))
        assert "Letter 12" in shown(app)
        assert_harmless(app)


async def test_a_reminder_is_shown_and_taken_away(tmp_path):
    async with mailbox(tmp_path, [letter(1)], size=(120, 36)) as (app, pilot):
        await pilot.press("D")
        await type_in(pilot, "in 3 days")
        await pilot.press("enter")
        await until(pilot, lambda: "reminder" in shown(app) and "Reminder" in shown(app))
        await pilot.press("D")
        await type_in(pilot, "no rem")
        await pilot.press("enter")
        await until(pilot, lambda: "Reminder removed" in words_of(app))


async def test_the_composer_takes_a_reminder_and_keeps_it_with_the_draft(tmp_path):
    async with engine_with(tmp_path, ada=account()) as engine:
        draft = Draft(account="ada", to="bob@example.org", cursor="body")
        async with staged(lambda: ComposeScreen(engine, draft), (100, 30)) as (stage, pilot):
            await pilot.press("H", "i", "f5")
            await until(pilot, lambda: "If nobody answers, remind me" in words_of(stage))
            await type_in(pilot, "in 3 days")
            await pilot.press("enter")
            await until(pilot, lambda: "Reminder" in words_of(stage))
            await pilot.press("escape")
            await until(pilot, lambda: stage.left)
        (saved,) = [await engine.drafts.load(one) for one in await engine.lists.ids(DRAFTS)]
        assert saved.remind_at > engine.context.clock()


async def test_a_star_and_a_label_show_in_the_open_message_at_once(tmp_path):
    async with mailbox(tmp_path, LETTERS[:2], size=(80, 24)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 2." in shown(app) and app.main_screen.whole)
        await pilot.press("s")
        await until(pilot, lambda: "Marks  ★" in shown(app))
        await app.engine.marks.change_labels([app.main_screen.messages.cursor_id], ["tax"], [])
        await until(pilot, lambda: "Marks  ★ ‹tax›" in shown(app))
        await pilot.press("s")
        await until(pilot, lambda: "Marks  ‹tax›" in shown(app))


# -- the labels themselves


async def labelled(app, *names):
    await app.engine.marks.change_labels(list(app.main_screen.messages.ids)[:2], names, ())


@pytest.mark.parametrize("size", [(40, 12), (100, 36)])
async def test_labels_are_renamed_coloured_and_removed_in_their_list(tmp_path, size):
    async with mailbox(tmp_path, LETTERS[:3], size=size) as (app, pilot):
        await labelled(app, "home", "work")
        await pilot.press("l")
        await until(pilot, lambda: "F2 change" in words_of(app))
        await pilot.press("f2")
        await until(pilot, lambda: "‹work› 2 messages" in words_of(app) and "Enter renames" in words_of(app))
        await pilot.press("down", "c")
        await until(pilot, lambda: "‹work›" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Rename work" in words_of(app))
        await pilot.press("ctrl+u")
        await type_in(pilot, "tax 2026")
        await pilot.press("enter")
        await until(pilot, lambda: "‹tax 2026› 2 messages" in words_of(app))
        assert "Label work is now tax 2026" in words_of(app)
        (home, tax) = await app.engine.marks.labels()
        assert (home.color, tax.name, tax.color) == (0, "tax 2026", 2)
        await pilot.press("d")
        await until(pilot, lambda: "Label tax 2026 removed: 2 messages · z brings it back" in words_of(app))
        await pilot.press("z")
        await until(pilot, lambda: "‹tax 2026› 2 messages" in words_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: "F2 change" in words_of(app) and "‹tax 2026›" in shown(app))
        assert_harmless(app)


async def test_a_name_that_is_taken_is_said_in_the_list_of_labels(tmp_path):
    async with mailbox(tmp_path, LETTERS[:3], size=(100, 36)) as (app, pilot):
        await labelled(app, "home", "work")
        await pilot.press("colon")
        await type_in(pilot, "manage labels")
        await pilot.press("enter")
        await until(pilot, lambda: "‹work› 2 messages" in words_of(app))
        await pilot.press("r")
        await until(pilot, lambda: "Rename home" in words_of(app))
        await pilot.press("ctrl+u")
        await type_in(pilot, "WORK")
        await pilot.press("enter")
        await until(pilot, lambda: "There is a label “work” already." in words_of(app))


async def test_the_label_that_is_shown_is_renamed_and_removed_as_a_folder_is(tmp_path):
    async with mailbox(tmp_path, LETTERS[:3], size=(120, 36)) as (app, pilot):
        await labelled(app, "work")
        (label,) = await app.engine.marks.labels()
        await until(pilot, lambda: app.main_screen.mail.list.counts.labels)
        app.main_screen.mail.go_to(LabelView(label.label_id))
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 2)
        await pilot.press("colon")
        await type_in(pilot, "rename this folder")
        await pilot.press("enter")
        await until(pilot, lambda: "Rename work" in words_of(app))
        await type_in(pilot, "s")
        await pilot.press("enter")
        await until(pilot, lambda: "Label work is now works" in words_of(app))
        await pilot.press("colon")
        await type_in(pilot, "remove this folder")
        await pilot.press("enter")
        await until(pilot, lambda: "Label works removed: 2 messages · z brings it back" in words_of(app))
        assert await app.engine.marks.labels() == []
        await pilot.press("z")
        await until(pilot, lambda: app.main_screen.mail.list.counts.labels)


# -- how many


async def test_a_question_tells_how_many_of_the_messages_of_a_conversation_it_is_about(tmp_path):
    replies = [letter(n, Subject="Re: Letter 1", In_Reply_To="<letter1@example.net>") for n in (2, 3)]
    async with mailbox(tmp_path, [letter(1), *replies, letter(4)], size=(100, 30), rows=2) as (app, pilot):
        await pilot.press("down", "b")
        await until(pilot, lambda: "Snooze 3 messages until" in words_of(app))
        await pilot.press("escape")
        ids = {row.subject: row for row in [app.main_screen.messages.row(one) for one in app.main_screen.messages.ids]}
        newest = ids["Re: Letter 1"].placements[0]
        await app.engine.messages.archive([newest])
        await until(pilot, lambda: len(app.main_screen.mail.target_rows()[0].placements) == 2)
        await pilot.press("b")
        await until(pilot, lambda: "Snooze 2 of 3 messages until" in words_of(app))
        await type_in(pilot, "in 2 days")
        await pilot.press("enter")
        await until(pilot, lambda: "2 messages · z brings it back" in words_of(app))
        await pilot.press("z")
        await until(pilot, lambda: "2 messages back" in words_of(app))


async def test_the_selection_tells_how_many_messages_its_rows_stand_for(tmp_path):
    replies = [letter(n, Subject="Re: Letter 1", In_Reply_To="<letter1@example.net>") for n in (2, 3)]
    async with mailbox(tmp_path, [letter(1), *replies, letter(4)], size=(100, 30), rows=2) as (app, pilot):
        await pilot.press("X")
        await until(pilot, lambda: "2 conversations selected: 4 messages" in words_of(app))
