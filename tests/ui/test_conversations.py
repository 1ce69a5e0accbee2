"""Conversations on the screen: folded and unfolded rows, the page in the reader, verbs that act on all of one."""

from __future__ import annotations

import pytest
from textual import events

from termmail.mail.model import MessageRow, Role
from termmail.mail.views import Ready, ReadyView, RoleView
from termmail.ui.conversation_page import WHOLE_AT_MOST, shown_whole
from termmail.ui.widgets.keybar import KeyBar
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import EVIL, shown, type_in, until, words_of
from tests.views import INBOX

ADA = "Ada Lovelace <ada@example.org>"


def answer(number: int, *references: int, **headers: str) -> bytes:
    """A letter that refers to others."""
    line = " ".join(f"<letter{one}@example.net>" for one in references)
    return letter(number, References=line, Subject=headers.pop("subject", "Re: Lunch"), **headers)


LUNCH = (
    letter(1, Subject="Lunch", body="Shall we eat?"),
    letter(2, Subject="Cards"),
    answer(3, 1, From="Mary Somerville <mary@example.org>", body="Gladly. At one?\n\n> Shall we eat?\n> "),
    letter(4, Subject="Loom"),
    answer(5, 1, 3, body="One it is."),
)


def rows(app) -> list[str]:
    """The lines of the list, as far as they are drawn, without marks and dates."""
    messages = app.main_screen.messages
    return [messages.render_line(y).text.strip("▌ ").removeprefix("●").strip() for y in range(len(messages.ids))]


async def opened(pilot, app, count: int) -> None:
    """Wait until the list has so many rows, all of them loaded."""
    messages = app.main_screen.messages
    await until(pilot, lambda: len(messages.ids) == count and all(messages.row(one) for one in messages.ids))


@pytest.fixture
async def lunch(tmp_path):
    async with mailbox(tmp_path, LUNCH, size=(120, 36), rows=3) as (app, pilot):
        yield app, pilot


async def test_a_conversation_is_one_row_with_its_people_and_how_many_messages(lunch):
    app, pilot = lunch
    await opened(pilot, app, 3)
    found = rows(app)
    assert found[0].startswith("Charles, Mary 3")
    assert "Re: Lunch" in found[0]
    assert [row.split("  ")[0] for row in found[1:]] == ["Charles Babbage"] * 2
    await until(pilot, lambda: "5 unread  5 messages" in shown(app))


async def test_o_unfolds_the_conversation_and_the_cursor_stays_on_its_message(lunch):
    app, pilot = lunch
    messages = app.main_screen.messages
    newest = messages.cursor_id
    await pilot.press("o")
    await opened(pilot, app, 5)
    assert messages.cursor_id == newest
    assert messages.cursor == 2
    await until(pilot, lambda: "Charles, Mary" not in rows(app)[0])
    found = rows(app)
    assert "Lunch" in found[0]
    assert "└ Gladly. At one?" in found[1]
    assert "  └ One it is." in found[2]
    await pilot.press("k", "k", "o")
    await opened(pilot, app, 3)
    assert messages.cursor_id == newest


async def test_all_conversations_unfold_and_fold_with_one_key(lunch):
    app, pilot = lunch
    await pilot.press("O")
    await opened(pilot, app, 5)
    await pilot.press("O")
    await opened(pilot, app, 3)
    await pilot.press("T")
    await opened(pilot, app, 5)
    assert app.subjects()[1] == "Loom"
    await pilot.press("o")
    await until(pilot, lambda: "T shows conversations" in shown(app))
    await pilot.press("T")
    await opened(pilot, app, 3)


async def test_keys_in_one_burst_fold_and_unfold_in_their_order(lunch):
    app, pilot = lunch
    await pilot.press("o", "o", "O", "T", "T", "o")
    await opened(pilot, app, 5)
    assert app.main_screen.messages.outline.depths


async def test_verbs_act_on_all_of_a_folded_conversation_and_say_on_how_many(lunch):
    app, pilot = lunch
    await pilot.press("e")
    await until(pilot, lambda: "Archived: 3 messages" in shown(app))
    await opened(pilot, app, 2)
    await pilot.press("z")
    await opened(pilot, app, 3)
    assert len(await app.engine.lists.ids(INBOX)) == 5
    await pilot.press("s")
    await until(pilot, lambda: "Starred: 3 messages" in shown(app))
    await pilot.press("o")
    await opened(pilot, app, 5)
    await pilot.press("d")
    await until(pilot, lambda: "Deleted: 1 message " in shown(app))
    await opened(pilot, app, 4)


async def test_what_arrived_after_the_row_was_drawn_is_not_deleted_with_it(lunch):
    app, pilot = lunch
    messages = app.main_screen.messages
    before = set(await app.engine.lists.ids(INBOX))
    reread = app.main_screen.mail.list.stale
    app.main_screen.mail.list.stale = lambda _what: None  # the list does not follow
    app.maildrop.add(answer(6, 1, body="I come too."))
    await app.engine.accounts.sync("ada")
    new = set(await app.engine.lists.ids(INBOX)) - before
    assert len(new) == 1
    app.main_screen.mail.list.stale = reread
    await pilot.press("d")
    await until(pilot, lambda: "Deleted: 3 messages" in shown(app))
    await opened(pilot, app, 3)
    assert set(messages.ids) & new


async def test_what_arrives_while_a_question_is_open_is_not_among_what_it_asks_for(lunch):
    app, pilot = lunch
    await opened(pilot, app, 3)
    messages = app.main_screen.messages
    await pilot.press("b")
    await until(pilot, lambda: "Snooze 3 messages until" in words_of(app))
    app.maildrop.add(answer(6, 1, body="I come too.", Date="Sun, 1 Mar 2026 09:00:00 +0000"))
    await app.engine.accounts.sync("ada")
    messages.reread()
    await until(pilot, lambda: len(messages.placements(messages.ids[0])) == 4)
    await pilot.press("enter")
    await until(pilot, lambda: "Snoozed until" in shown(app))
    assert len(await app.engine.lists.ids(ReadyView(Ready.SNOOZED))) == 3


async def test_all_selected_conversations_go_with_all_their_messages(lunch):
    app, pilot = lunch
    await pilot.press("X", "d")
    await until(pilot, lambda: "Deleted: 5 messages" in shown(app))
    await until(pilot, lambda: not app.main_screen.messages.ids)


async def test_messages_of_unfolded_conversations_that_are_not_loaded_go_too_and_alone(lunch):
    app, pilot = lunch
    messages, model = app.main_screen.messages, app.main_screen.mail.list
    await pilot.press("O")
    await opened(pilot, app, 5)
    messages.show(messages.outline)  # no row is loaded
    for ids in ([*messages.ids], [messages.ids[0]]):
        found = await model.placements(ids, model.seen(ids))
        assert sorted(one.message_id for one in found) == sorted(ids)


async def test_rows_that_are_not_loaded_are_looked_up_in_the_folder_in_which_the_key_was_pressed(lunch):
    app, pilot = lunch
    messages, model = app.main_screen.messages, app.main_screen.mail.list
    await opened(pilot, app, 3)
    loom = messages.ids[1]
    messages.show(messages.outline)  # no row is loaded
    seen = model.seen([loom])
    model.go_to(RoleView(Role.SENT))
    assert [one.message_id for one in await model.placements([loom], seen)] == [loom]


async def test_a_new_answer_brings_its_conversation_to_the_top_and_leaves_the_cursor(lunch):
    app, pilot = lunch
    await pilot.press("j", "j")
    here = app.main_screen.messages.cursor_id
    app.maildrop.add(answer(7, 2, subject="Re: Cards", Date="Wed, 4 Mar 2026 23:00:00 +0000"))
    await app.engine.accounts.sync("ada")
    await until(pilot, lambda: "Re: Cards" in rows(app)[0])
    assert app.subject() == "Re: Cards"
    assert app.main_screen.messages.cursor == 0
    assert app.main_screen.messages.cursor_id != here


async def test_a_folded_conversation_opens_as_one_page_and_is_read_then(lunch):
    app, pilot = lunch
    await pilot.press("enter")
    reader = app.main_screen.reader
    await until(pilot, lambda: "One it is." in shown(app))
    assert [line.text for line in reader.rendered.lines if line.kind == "from"] == [
        line.text for line in reader.rendered.lines if "@" in line.text
    ]
    assert sum(line.kind == "from" for line in reader.rendered.lines) == 3
    assert "Shall we eat?" in shown(app)
    assert "> Shall we eat?" not in shown(app)
    assert "2 quoted lines · Q shows quotes" in shown(app)
    await pilot.press("Q")
    await until(pilot, lambda: "> Shall we eat?" in shown(app))
    await until(pilot, lambda: "2 unread" in shown(app))


async def test_read_messages_of_a_page_are_one_line_each_and_o_shows_them_whole(lunch):
    app, pilot = lunch
    await pilot.press("u")
    await until(pilot, lambda: "Marked as read: 3 messages" in shown(app))
    await pilot.press("enter")
    reader = app.main_screen.reader
    await until(pilot, lambda: "One it is." in shown(app))
    assert [line.kind for line in reader.rendered.lines][:2] == ["closed", "closed"]
    assert "3 messages, 2 of them folded" in shown(app)
    await pilot.press("o")
    await until(pilot, lambda: sum(line.kind == "from" for line in reader.rendered.lines) == 3)
    await pilot.press("o")
    await until(pilot, lambda: sum(line.kind == "from" for line in reader.rendered.lines) == 1)


def test_the_message_at_the_cursor_is_shown_whole_however_many_unread_ones_are_newer():
    listed = [
        MessageRow(message_id=number, account="a", folder_id=1, folder="Inbox", role=Role.INBOX, sender="x", recipients="",
                   subject="", snippet="", date=number, size=1, unread=True, starred=False, answered=False, forwarded=False,
                   attachments=0, downloaded=True, state=None, uidl=b"", rfc_message_id="")
        for number in range(1, WHOLE_AT_MOST + 6)
    ]  # fmt: skip
    whole = [row.message_id for row in shown_whole(listed, 2, every=False)]
    assert whole == [2, *range(6, WHOLE_AT_MOST + 6)]


async def test_a_reply_goes_to_the_newest_message_of_a_conversation(lunch):
    app, pilot = lunch
    await pilot.press("r")
    await until(pilot, lambda: "One it is." in shown(app) and app.screen is not app.main_screen)


async def test_a_conversation_is_broken_off_and_joined_by_hand(lunch):
    app, pilot = lunch
    await pilot.press("o")
    await opened(pilot, app, 5)
    await app.main_screen.action_do("thread.break-off")
    await until(pilot, lambda: "Conversation split" in shown(app))
    await opened(pilot, app, 5)
    await until(pilot, lambda: len(app.main_screen.messages.outline.depths) == 2)
    await pilot.press("z")
    await until(pilot, lambda: len(app.main_screen.messages.outline.depths) == 3)
    await pilot.press("O", "x", "x")
    await app.main_screen.action_do("thread.join")
    await opened(pilot, app, 2)
    assert rows(app)[0].startswith("Charles, Mary 4")


async def test_hostile_people_and_subjects_in_a_conversation_stay_text(tmp_path):
    letters = [letter(1, Subject="x")]
    letters += [
        answer(
            number, 1, subject=f"Re: {evil}".replace("\r", " ").replace("\n", " "), From=f'"{evil[:50]}" <e@e.example>'
        )
        for number, evil in enumerate(EVIL[:-1], 2)  # the last one is no text of a message
    ]
    async with mailbox(tmp_path, letters, size=(80, 24), rows=1) as (app, pilot):
        await pilot.press("o")
        await opened(pilot, app, len(letters))
        await pilot.press("o")
        await opened(pilot, app, 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.reader.rendered.lines)
        for size in ((40, 12), (120, 36)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: app.size == size)
        assert "\x1b" not in shown(app)
        assert app.troubles == []


async def test_sorting_leaves_the_cursor_on_its_conversation(lunch):
    app, pilot = lunch
    await pilot.press("j")
    here = app.main_screen.messages.cursor_id
    for _ in range(3):
        await pilot.press("S")
        await opened(pilot, app, 3)
        assert app.main_screen.messages.cursor_id == here


async def test_keys_typed_behind_o_act_on_the_unfolded_conversation(lunch):
    app, pilot = lunch
    for key in "okd":
        app.post_message(events.Key(key, key))
    await until(pilot, lambda: "Deleted: 1 message " in shown(app))
    await opened(pilot, app, 4)
    left = {app.main_screen.messages.row(one).sender for one in app.main_screen.messages.ids}
    assert left == {"Charles Babbage"}, "the message before the newest one is gone"


async def test_all_are_selected_that_are_shown_after_the_switch_to_single_messages(lunch):
    app, pilot = lunch
    for key in "TX":
        app.post_message(events.Key(key, key))
    await until(pilot, lambda: "5 messages selected" in shown(app))


async def test_a_conversation_whose_other_messages_are_elsewhere_unfolds_too(lunch):
    app, pilot = lunch
    (reply,) = [
        one for one in await app.engine.lists.rows(INBOX, await app.engine.lists.ids(INBOX)) if one.sender[0] == "M"
    ]
    first = next(one for one in await app.engine.lists.conversation(reply.message_id) if one.subject == "Lunch")
    await app.engine.messages.archive([first.placement, reply.placement])
    await until(pilot, lambda: "5 unread" not in shown(app) and "o unfold" in shown(app))
    assert len(app.main_screen.messages.placements(app.main_screen.messages.cursor_id)) == 1
    await pilot.press("o")
    await opened(pilot, app, 5)
    await until(pilot, lambda: "o fold" in shown(app))


async def test_a_filter_lists_single_messages_and_its_end_the_conversations_again(lunch):
    app, pilot = lunch
    messages = app.main_screen.messages
    newest = messages.cursor_id
    await until(pilot, lambda: "3 messages" in shown(app))
    await pilot.press("backslash")
    await type_in(pilot, "from:babbage")
    await pilot.press("enter")
    await opened(pilot, app, 4)
    await until(pilot, lambda: "Charles, Mary" not in rows(app)[0])
    assert newest in messages.ids
    assert len(messages.placements(newest)) == 1
    await until(pilot, lambda: "3 messages" not in shown(app) and "One it is." in shown(app))
    await pilot.press("escape")
    await opened(pilot, app, 3)
    await until(pilot, lambda: rows(app)[0].startswith("Charles, Mary 3"))
    assert len(messages.placements(newest)) == 3


async def test_pane_and_key_bar_follow_what_the_row_of_the_cursor_stands_for(lunch):
    app, pilot = lunch
    bar = app.main_screen.query_one(KeyBar)
    await until(pilot, lambda: "With   Charles, Mary" in shown(app) and "o unfold" in bar.render().plain)
    await pilot.press("o")
    await until(pilot, lambda: "o fold" in bar.render().plain)
    await until(pilot, lambda: "With   Charles, Mary" not in shown(app))
    assert app.main_screen.reader.conversation is None
    await pilot.press("o")
    await until(pilot, lambda: "With   Charles, Mary" in shown(app) and "o unfold" in bar.render().plain)
    await pilot.press("j")
    await until(pilot, lambda: "o unfold" not in bar.render().plain)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_o_on_a_hit_shows_its_conversation_and_esc_the_hits_again(tmp_path, size):
    async with mailbox(tmp_path, LUNCH, size=size, rows=3) as (app, pilot):
        await opened(pilot, app, 3)
        await pilot.press("slash")
        await type_in(pilot, "from:mary")
        await pilot.press("enter")
        await opened(pilot, app, 1)
        bar = app.main_screen.query_one(KeyBar)
        await until(pilot, lambda: "o conversation" in bar.render().plain)
        hit = app.main_screen.messages.cursor_id
        await pilot.press("T")
        await until(pilot, lambda: "o shows the conversation of this message" in words_of(app))
        await pilot.press("o")
        await until(pilot, lambda: app.main_screen.whole and "With   Charles, Mary" in shown(app))
        await until(pilot, lambda: "Shall we eat?" in shown(app) and "One it is." in shown(app))
        assert app.main_screen.messages.cursor_id == hit
        await pilot.press("escape")
        await until(pilot, lambda: not app.main_screen.whole and "Search: from:mary" in shown(app))
        await until(pilot, lambda: "With   Charles, Mary" not in shown(app))
        assert app.main_screen.messages.ids.tolist() == [hit]


async def test_the_conversation_of_a_hit_has_messages_of_other_folders(lunch):
    app, pilot = lunch
    await opened(pilot, app, 3)
    await pilot.press("o")
    await opened(pilot, app, 5)
    await pilot.press("s", "e")
    await until(pilot, lambda: "4 messages" in shown(app))
    app.main_screen.mail.go_to(ReadyView(Ready.STARRED))
    await opened(pilot, app, 1)
    await pilot.press("o")
    await until(pilot, lambda: "Shall we eat?" in shown(app) and "One it is." in shown(app))
    await pilot.press("escape")
    await until(pilot, lambda: not app.main_screen.whole)


async def test_a_hit_that_is_alone_says_so(lunch):
    app, pilot = lunch
    await pilot.press("slash")
    await type_in(pilot, "loom")
    await pilot.press("enter")
    await opened(pilot, app, 1)
    await pilot.press("o")
    await until(pilot, lambda: "This message is alone" in shown(app))
    assert not app.main_screen.whole
