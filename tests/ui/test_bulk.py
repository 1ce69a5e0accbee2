"""Many messages at once: ranges, by words, a look before a large batch, and the keys that count then."""

from __future__ import annotations

from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, type_in, until, words_of

MANY = [letter(number) for number in range(1, 31)]


async def test_a_range_grows_and_shrinks_with_shift_and_the_arrows(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        messages = app.main_screen.messages
        await pilot.press("x", "shift+down", "shift+down")
        await until(pilot, lambda: "4 conversations selected" in words_of(app))
        await pilot.press("shift+up")
        await until(pilot, lambda: messages.selected == set(messages.ids[:3]))
        await pilot.press("shift+up", "shift+up")
        await until(pilot, lambda: messages.selected == set(messages.ids[:2]))
        await pilot.press("escape")
        await until(pilot, lambda: not messages.selected)


async def test_everything_from_here_on_is_selected(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        messages = app.main_screen.messages
        await pilot.press("down", "down", "shift+end")
        await until(pilot, lambda: messages.selected == set(messages.ids[2:]))
        await pilot.press("shift+home")
        await until(pilot, lambda: messages.selected == set(messages.ids[:3]))


async def test_messages_are_selected_by_words_while_they_are_typed(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        messages = app.main_screen.messages
        await pilot.press("semicolon")
        await type_in(pilot, "letter 11")
        await until(pilot, lambda: messages.selected == {messages.ids[1]})
        await pilot.press("enter")
        await until(pilot, lambda: messages.has_focus and "1 conversation selected" in words_of(app))
        await pilot.press("semicolon")
        await type_in(pilot, "2")
        await pilot.press("escape")
        await until(pilot, lambda: messages.has_focus and not messages.selected)


async def test_the_key_bar_shows_what_counts_for_a_selection(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        bar = shown(app).splitlines()[-1]
        assert "write" in bar
        await pilot.press("x")
        await until(pilot, lambda: "write" not in shown(app).splitlines()[-1])
        assert "select none" in shown(app).splitlines()[-1]
        await pilot.press("escape")
        await until(pilot, lambda: "write" in shown(app).splitlines()[-1])


async def test_a_large_batch_shows_what_it_hits_and_is_one_step(tmp_path):
    async with mailbox(tmp_path, MANY) as (app, pilot):
        await pilot.press("X", "e")
        await until(pilot, lambda: "Archive 30 messages?" in words_of(app))
        assert "Letter 30" in shown(app)
        assert "and 20 more" in words_of(app)
        await pilot.press("n")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 30 and len(app.screen_stack) == 1)
        await pilot.press("e", "y")
        await until(pilot, lambda: not app.main_screen.messages.ids and "Archived: 30 messages" in words_of(app))
        await pilot.press("z")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 30)


async def test_twenty_messages_are_not_asked_about(tmp_path):
    async with mailbox(tmp_path, MANY[:20]) as (app, pilot):
        await pilot.press("X", "s")
        await until(pilot, lambda: shown(app).count("★") >= 5)
        assert len(app.screen_stack) == 1


CONVERSATION = (
    letter(1, Subject="Lunch"),
    letter(2, Subject="Cards", From="Mary Somerville <mary@example.org>"),
    letter(3, Subject="Re: Lunch", References="<letter1@example.net>", From="Mary Somerville <mary@example.org>"),
    letter(4, Subject="Loom", From="Mary Somerville <mary@example.org>"),
)


async def test_words_select_every_conversation_with_a_message_that_holds_them_and_say_how_many(tmp_path):
    async with mailbox(tmp_path, CONVERSATION, size=(120, 36), rows=3) as (app, pilot):
        messages = app.main_screen.messages
        await pilot.press("semicolon")
        await type_in(pilot, "babbage")
        await until(pilot, lambda: messages.selected == {messages.ids[1]})
        await until(pilot, lambda: "1 of 3 conversations, 2 messages" in words_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Selected: 1 of 3 conversations, 2 messages" in words_of(app))
        assert messages.cursor == 1
        await pilot.press("o")
        await until(pilot, lambda: len(messages.ids) == 4)
        await pilot.press("semicolon")
        await type_in(pilot, "babbage")
        await until(pilot, lambda: "1 of 4 " in words_of(app))
        assert messages.selected == {messages.ids[1]}
        await pilot.press("enter")
        await until(pilot, lambda: "Selected: 1 of 4" in words_of(app))


async def test_words_that_select_nothing_say_so_and_the_cursor_stays(tmp_path):
    async with mailbox(tmp_path, CONVERSATION, rows=3) as (app, pilot):
        await pilot.press("j", "semicolon")
        await type_in(pilot, "nobody")
        await until(pilot, lambda: "0 of 3 conversations" in words_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Selected: 0 of 3 conversations" in words_of(app))
        assert app.main_screen.messages.cursor == 1
