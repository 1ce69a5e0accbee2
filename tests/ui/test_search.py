"""Searching on the screen: completion, explanation, what is marked, and how it is sorted."""

from __future__ import annotations

import pytest

from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import SIZES, assert_harmless, shown, type_in, until, words_of

MAILS = [
    letter(1, Subject="The loom", body="Jacquard weaves patterns"),
    letter(2, Subject="Patterns", body="Jacquard again"),
    letter(3, Subject="Lunch", From="Zoë Weber <zoe@example.org>", body="the loom is broken"),
]


def advice(app) -> str:
    """The line above the prompt."""
    return shown(app).splitlines()[app.query_one("#prompt-advice").region.y].strip()


def marked(widget) -> list[str]:
    """The words that are underlined in a widget."""
    strips = [widget.render_line(y) for y in range(widget.size.height)]
    return [part.text for strip in strips for part in strip if part.style and part.style.underline]


def typed(app) -> str:
    return app.query_one("#prompt-input").value


async def test_an_empty_prompt_teaches_operators(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("/")
        await until(pilot, lambda: advice(app).startswith("Tab  from:  to:  cc:  subject:"))


async def test_a_query_is_explained_and_tab_completes_it(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("/", *"fr")
        await until(pilot, lambda: "Tab  from:" in advice(app))
        await pilot.press("tab")
        await until(pilot, lambda: typed(app) == "from:")
        await until(pilot, lambda: advice(app).startswith("from: finds messages from this person"))
        await pilot.press("z")
        await until(pilot, lambda: "Zoë Weber <zoe@example" in advice(app))
        await pilot.press("tab")
        await until(pilot, lambda: typed(app) == "from:zoe@example.org ")
        await until(pilot, lambda: app.subjects() == ["Lunch"])
        await until(pilot, lambda: "Messages from “zoe@example.org”" in advice(app))


async def test_a_long_explanation_takes_the_lines_that_it_needs(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("/")
        app.query_one(
            "#prompt-input"
        ).value = "from:me subject:lunch -has:attachment after:2024-11-30 is:unread in:inbox "
        await until(pilot, lambda: "and in Inbox" in shown(app))
        lines = app.query_one("#prompt-advice").region.height
        first = app.query_one("#prompt-advice").region.y
        words = " ".join(" ".join(shown(app).splitlines()[first : first + lines]).split())
        assert lines == 2
        assert words.partition(" Tab")[0] == (
            "Messages from you, with “lunch” in the subject, without attachments, from 30 November 2024 on, "
            "that are unread and in Inbox"
        )
        app.query_one("#prompt-input").value = "lunch "
        await until(pilot, lambda: app.query_one("#prompt-advice").region.height == 1)
        assert advice(app).startswith("Messages with “lunch”")


async def test_enter_keeps_what_is_shown(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("/", *"jacquar")
        await until(pilot, lambda: app.subjects() == ["Patterns", "The loom"])
        await pilot.press("enter")
        await until(pilot, lambda: "Search: jacquar*" in shown(app) and app.main_screen.messages.has_focus)
        await until(pilot, lambda: "2 found" in shown(app))
        assert app.subjects() == ["Patterns", "The loom"]


async def test_a_word_that_was_mistyped_is_asked_about(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("/", *"jaqcuard", "enter")
        await until(pilot, lambda: "Nothing found outside Trash and Spam. Did you mean “jacquard”?" in words_of(app))
        await pilot.press("/", *"zzzzzz", "enter")
        await until(pilot, lambda: "Search: zzzzzz" in shown(app))
        await until(pilot, lambda: "Nothing found" in shown(app) and "Did you mean" not in shown(app))


async def test_an_unknown_operator_and_an_unknown_folder_are_said(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("/", *"form", "colon", *"zoe")
        await until(pilot, lambda: "There is no operator “form:”; did you mean from:?" in advice(app))
        await pilot.press("enter")
        await until(pilot, lambda: "There is no operator “form:”" in shown(app) and app.main_screen.messages.has_focus)
        await pilot.press("/", *"in", "colon", *"archiv")
        await until(pilot, lambda: "There is no folder “archiv”; did you mean in:archive?" in advice(app))


async def test_the_filter_speaks_the_same_language(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("backslash", *"-subject", "colon", *"lunch")
        await until(pilot, lambda: app.subjects() == ["Patterns", "The loom"])
        await until(pilot, lambda: "Messages without “lunch…” in the subject" in advice(app))


async def test_every_hit_is_reached_the_first_page_at_once_and_the_rest_when_typing_pauses(tmp_path):
    mails = [letter(number) for number in range(1, 461)]
    async with mailbox(tmp_path, mails, whole=False) as (app, pilot):
        await pilot.press("/", *"charles")
        await until(pilot, lambda: "200 or more found" in shown(app))
        await until(pilot, lambda: "460 found" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.messages.has_focus and "460 found" in shown(app))
        await pilot.press("end")
        await until(pilot, lambda: app.subject() == "Letter 1")
        await pilot.press("/", *"-zanzibar", "enter")
        await until(pilot, lambda: app.main_screen.messages.has_focus and "460 found" in shown(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Save this search as" in shown(app))
        await pilot.press("ctrl+u", *"All", "enter")
        await until(pilot, lambda: app.main_screen.mail.list.name == "All" and "460 messages" in shown(app))
        await pilot.press("end")
        await until(pilot, lambda: app.subject() == "Letter 1")


async def test_what_was_found_is_marked_and_names_its_folder(tmp_path):
    async with mailbox(tmp_path, MAILS, size=(120, 36)) as (app, pilot):
        await pilot.press("/", *"zoe loom", "enter")
        await until(pilot, lambda: app.subjects() == ["Lunch"] and "Inbox · the loom is broken" in shown(app))
        strip = app.main_screen.messages.render_line(0)
        assert [part.text for part in strip if part.style and part.style.underline] == ["Zoë", "loom"]
        reader = app.main_screen.reader
        await until(pilot, lambda: "the loom is broken" in [line.text for line in reader.rendered.lines])
        await until(pilot, lambda: marked(reader) == ["loom"])
        await pilot.press("escape")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 3)
        await until(pilot, lambda: marked(reader) == [])
        strip = app.main_screen.messages.render_line(0)
        assert not [part.text for part in strip if part.style and part.style.underline]


async def test_what_was_found_is_sorted_by_date_or_best_first(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("/", *"loom", "enter")
        await until(pilot, lambda: app.subjects() == ["Lunch", "The loom"] and app.main_screen.messages.has_focus)
        await pilot.press("S")
        await until(pilot, lambda: app.subjects() == ["The loom", "Lunch"] and "best first" in shown(app))
        await until(pilot, lambda: "Search: loom" in shown(app))
        await pilot.press("S")
        await until(pilot, lambda: app.subjects() == ["Lunch", "The loom"])


@pytest.mark.parametrize("size", SIZES)
async def test_the_prompt_is_harmless_and_fits(tmp_path, size):
    evil = letter(4, Subject="Re: [/x]", From='"[@click=app.bell]x[/] \u202e" <evil@example.org>')
    async with mailbox(tmp_path, [evil], size=size) as (app, pilot):
        await pilot.press("/")
        await type_in(pilot, "from")
        await pilot.press("colon", *"evil")
        await until(pilot, lambda: "Tab" in advice(app) or size[0] < 60)
        app.query_one("#prompt-input").value = "from:[/x] \x1b]52;c;eA==\x07 in:[b]"
        await until(pilot, lambda: "There is no folder" in advice(app))
        assert_harmless(app)
