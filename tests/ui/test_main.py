"""The main screen: verbs and their undo, folders, search, problems that stay until they are read."""

from __future__ import annotations

import re
import time

import pytest
from msgspec.structs import replace
from textual import events

from termmail.accounts.config import Ui
from termmail.demo.faults import Manners
from termmail.engine.engine import opened
from termmail.engine.events import Failed, SyncProgress
from termmail.mail.message import Draft, Outgoing
from termmail.mail.model import Role, StepKind
from termmail.mail.views import FolderView
from termmail.store import outbox
from termmail.ui.actions import ACTIONS, Group
from termmail.ui.screens.folder_picker import FolderPickerScreen
from termmail.ui.screens.help import HelpScreen
from termmail.ui.screens.palette import FindActionScreen
from termmail.ui.workers import start_worker
from tests.ui.mailbox_stage import LETTERS, letter, mailbox
from tests.ui.stage import account, engine_with, shown, until, words_of
from tests.views import DRAFTS, OUTBOX, SENT, TRASH, delete, move


async def there(app, folder):
    """Return the subjects of the messages in a folder."""
    views = {"Drafts": DRAFTS, "Outbox": OUTBOX}
    found = await app.engine.folders.by_name("ada", folder)
    view = FolderView(found.folder_id) if found is not None else views.get(folder)
    if view is None:
        return set()
    return {row.subject for row in await app.engine.lists.rows(view, await app.engine.lists.ids(view))}


# -- verbs


async def test_delete_says_what_it_did_and_undo_brings_it_back(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("d")
        assert app.subject() == "Letter 11"
        await until(pilot, lambda: "z brings it back" in shown(app))
        assert await there(app, "Trash") == {"Letter 12"}
        await pilot.press("z")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12)
        assert await there(app, "Trash") == set()


@pytest.mark.parametrize("key", ["d", "e", "exclamation_mark"])
async def test_undo_puts_the_cursor_on_what_came_back(tmp_path, key):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("j", "j", key, "j", "j", "z")
        await until(pilot, lambda: app.subject() == "Letter 10")
        assert len(app.main_screen.messages.ids) == 12


async def test_keys_right_behind_undo_are_for_what_came_back(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message)
        for key in "dzde":
            app.post_message(events.Key(key, key))
        await until(pilot, lambda: app.subject() == "Letter 10" and len(app.main_screen.messages.ids) == 10)
        await app.workers.wait_for_complete()
        assert (await there(app, "Trash"), await there(app, "Archive")) == ({"Letter 12"}, {"Letter 11"})


async def test_star_and_unread_show_at_once_and_reach_the_store(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        id_ = app.main_screen.messages.cursor_id
        await app.main_screen.action_do("message.star")
        assert app.main_screen.messages.row(id_).starred
        await app.main_screen.action_do("message.read")
        assert not app.main_screen.messages.row(id_).unread
        await app.workers.wait_for_complete()
        row = await app.engine.lists.row(id_)
        assert (row.starred, row.unread) == (True, False)
        await pilot.press("u", "s")
        await app.workers.wait_for_complete()
        row = await app.engine.lists.row(id_)
        assert (row.starred, row.unread) == (False, True)


async def test_move_offers_folders_and_makes_new_ones(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("v")
        await until(pilot, lambda: "Move 1 message to" in shown(app))
        assert "Inbox" not in app.screen._found
        await pilot.press("P", "u", "n", "c", "h")
        assert "New folder “Punch”" in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: "Moved to Punch" in shown(app))
        assert await there(app, "Punch") == {"Letter 12"}


async def test_archive_and_spam(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("e", "!")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 10)
        await app.workers.wait_for_complete()
        assert await there(app, "Archive") == {"Letter 12"}
        assert await there(app, "Spam") == {"Letter 11"}


async def test_spam_that_is_none_goes_back_to_the_inbox(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("!", "g", "s")
        await until(pilot, lambda: app.subjects() == ["Letter 12"])
        await pilot.press("!")
        await until(pilot, lambda: "Not spam, moved to the Inbox: 1 message" in shown(app))
        assert await there(app, "Spam") == set()
        await pilot.press("z")
        await until(pilot, lambda: app.subjects() == ["Letter 12"])


async def test_marking_read_can_be_undone_like_marking_unread(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        message_id = app.main_screen.messages.cursor_id
        for unread in (False, True):
            await pilot.press("u")
            await app.workers.wait_for_complete()
            assert (await app.engine.lists.row(message_id)).unread is unread
        for unread in (False, True):
            await pilot.press("z")
            await until(pilot, lambda: "(1 message)" in shown(app))
            await app.workers.wait_for_complete()
            assert (await app.engine.lists.row(message_id)).unread is unread
            app.main_screen.status.say("")


async def test_undo_does_not_make_unread_what_was_only_opened(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("enter")
        await until(
            pilot,
            lambda: (
                "11 unread" in shown(app) or not app.main_screen.messages.row(app.main_screen.messages.cursor_id).unread
            ),
        )
        await pilot.press("q", "z")
        await until(pilot, lambda: "There is nothing to undo." in shown(app))


async def test_archiving_what_is_archived_says_so_and_leaves_undo_alone(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("/", *"letter", "enter")
        await until(pilot, lambda: "12 found" in shown(app) and app.main_screen.messages.has_focus and app.subject())
        await pilot.press("e")
        await until(pilot, lambda: "Archived: 1 message" in shown(app) and "12 found" in shown(app))
        await pilot.press("home", "e")
        await until(pilot, lambda: "1 message already there" in shown(app))
        await pilot.press("z")
        await until(pilot, lambda: "1 message back" in shown(app))
        assert await there(app, "Archive") == set()


async def test_the_preview_of_another_folder_is_gone_at_once(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await until(pilot, lambda: "This is letter 12." in shown(app))
        app.main_screen.mail.go_to(SENT)
        await until(pilot, lambda: "Nothing was sent from here yet." in shown(app))
        assert "This is letter 12." not in shown(app)


async def test_what_is_selected_can_be_read_and_copying_says_so(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message)
        app.main_screen.text_select_all()
        chosen = [
            part.style for y in range(12) for part in app.main_screen.reader.render_line(y) if "letter 12." in part.text
        ]
        assert chosen
        assert all(style.color != style.bgcolor for style in chosen)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "Copied" in shown(app))
        assert "This is letter 12." in app.clipboard


async def test_what_cannot_be_undone_is_asked_first(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("d", "g", "x")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Trash" and app.subject() == "Letter 12")
        await pilot.press("d")
        await until(pilot, lambda: "for good, here and on the server?" in words_of(app))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert await there(app, "Trash") == {"Letter 12"}
        await pilot.press("d", "y")
        await until(pilot, lambda: "Trash is empty." in shown(app))
        assert await there(app, "Trash") == set()


async def test_verbs_on_nothing_say_so(tmp_path):
    async with mailbox(tmp_path, []) as (app, pilot):
        await until(pilot, lambda: "Inbox is empty." in shown(app))
        await pilot.press("d")
        await until(pilot, lambda: "There is no message here." in shown(app))
        await pilot.press(
            "e", "s", "u", "r", "x", "X", "n", "]", "space", "enter", "V", "U", "h", "A", "B", "v", "G", "k"
        )
        await app.workers.wait_for_complete()
        assert app.screen is app.main_screen


async def test_verbs_for_messages_leave_drafts_alone(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await app.engine.drafts.save(app.engine.drafts.new("ada", "bob@example.org"))
        await pilot.press("g", "d")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Drafts" and app.main_screen.messages.ids)
        await pilot.press("e")
        await until(pilot, lambda: "this is Drafts" in shown(app))
        await pilot.press("d", "y")
        await until(pilot, lambda: "No drafts." in shown(app))


# -- writing and sending


async def test_reply_opens_the_composer_and_esc_leaves_it(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: "Re: Letter 12" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)


async def test_reply_to_the_list_says_where_there_is_none(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("L")
        await until(pilot, lambda: "did not come through a mailing list" in shown(app))
        assert app.screen is app.main_screen


async def test_a_bug_behind_the_screen_is_told_and_the_program_goes_on(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):

        async def broken() -> None:
            raise ZeroDivisionError

        start_worker(app.main_screen.messages, broken, "verbs")
        await until(pilot, lambda: "Something in termmail went wrong" in words_of(app))
        assert isinstance(app.troubles.pop(), ZeroDivisionError)
        await pilot.press("j")
        await until(pilot, lambda: app.main_screen.messages.cursor == 1)


async def test_a_send_counts_down_and_undo_brings_the_draft_back(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        draft = app.engine.drafts.new("ada", "bob@example.org")
        await app.engine.outbox.send(
            type(draft)(account="ada", to="bob@example.org", subject="Cards", body="Dear Bob"), 60
        )
        await until(pilot, lambda: "Z stops it" in shown(app))
        assert "Sending in " in shown(app)
        await pilot.press("z")
        await until(pilot, lambda: app.screen is not app.main_screen and "Cards" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert "Sending in" not in shown(app)


async def test_what_counts_down_is_stopped_by_its_own_key_whatever_z_takes_back(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        draft = app.engine.drafts.new("ada", "bob@example.org")
        await app.engine.outbox.send(
            type(draft)(account="ada", to="bob@example.org", subject="Cards", body="Dear Bob"), 600
        )
        await until(pilot, lambda: "Z stops it" in shown(app))
        await pilot.press("d")
        await until(pilot, lambda: "z brings it back" in shown(app).splitlines()[-2])
        assert "Z stops it" in shown(app).splitlines()[-2]
        await pilot.press("z")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12 and "1 message back" in shown(app))
        assert app.screen is app.main_screen
        assert "Z stops it" in shown(app)
        await pilot.press("Z", "!")
        await until(pilot, lambda: app.screen is not app.main_screen and "Cards" in shown(app))
        await until(pilot, lambda: "!Dear Bob" in shown(app) or "Dear Bob!" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert "Sending in" not in shown(app)
        await pilot.press("Z")
        await until(pilot, lambda: "Nothing is about to be sent." in shown(app))


@pytest.mark.parametrize("key", ["z", "d"])
async def test_a_message_is_stopped_from_its_row_in_the_outbox(tmp_path, key):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        await pilot.press("s")
        await app.workers.wait_for_complete()
        draft = app.engine.drafts.new("ada", "bob@example.org")
        await app.engine.outbox.send(
            type(draft)(account="ada", to="bob@example.org", subject="Cards", body="Dear Bob"), 600
        )
        await app.engine.messages.mark([app.main_screen.messages.ids[1]], StepKind.STAR)
        await pilot.press("g", "o")
        await until(pilot, lambda: app.subject() == "Cards")
        await pilot.press(key)
        await until(pilot, lambda: "1 message back in Drafts" in shown(app) and "Nothing waits" in shown(app))
        assert await there(app, "Drafts") == {"Cards"}


async def test_sent_is_said_only_after_the_server_took_it(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        draft = app.engine.drafts.new("ada", "bob@example.org")
        await app.engine.outbox.send(
            type(draft)(account="ada", to="bob@example.org", subject="Cards", body="Dear Bob"), 0
        )
        await until(pilot, lambda: "Sent: the server has accepted it." in shown(app))
        assert [received.recipients for received in app.smtp.received] == [("bob@example.org",)]


async def test_what_was_sent_is_no_longer_offered_to_be_undone(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        draft = app.engine.drafts.new("ada", "bob@example.org")
        id_ = await app.engine.outbox.send(
            type(draft)(account="ada", to="bob@example.org", subject="Cards", body="Dear Bob"), 600
        )
        await until(pilot, lambda: app.main_screen.mail.next_step is not None)
        await app.engine.outbox.retry(id_)
        await until(pilot, lambda: "Sent: the server has accepted it." in shown(app))
        await until(pilot, lambda: app.main_screen.mail.next_step is None)


async def test_the_reader_shows_a_draft_as_it_is_now(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        draft = await app.engine.drafts.save(Draft(account="ada", subject="Half", body="first words"))
        await pilot.press("g", "d")
        await until(pilot, lambda: "first words" in shown(app))
        await app.engine.drafts.save(replace(draft, body="other words"))
        await until(pilot, lambda: "other words" in shown(app) and "first words" not in shown(app))


async def test_a_message_that_waits_for_another_attempt_is_no_countdown_of_a_send(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        app.smtp.manners = Manners(answers={"MAIL": b"451 not now\r\n"})
        draft = app.engine.drafts.new("ada", "bob@example.org")
        await app.engine.outbox.send(type(draft)(account="ada", to="bob@example.org", subject="Cards", body="x"), 0)
        await until(pilot, lambda: re.search(r"Not sent yet: trying again in \d+ s · Z stops it", shown(app)))
        assert "Sending in" not in shown(app)


async def test_a_refused_message_is_told_and_stays_told(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        app.smtp.manners = Manners(answers={"RCPT": b"550 no such user here\r\n"})
        draft = app.engine.drafts.new("ada", "nobody@example.org")
        await app.engine.outbox.send(type(draft)(account="ada", to="nobody@example.org", subject="Cards", body="x"), 0)
        await until(pilot, lambda: "“Cards” was not sent." in words_of(app))
        await pilot.press("j", "j")
        assert "“Cards” was not sent." in words_of(app)


async def test_quitting_with_unsent_mail_is_asked(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        draft = app.engine.drafts.new("ada", "bob@example.org")
        await app.engine.outbox.send(
            type(draft)(account="ada", to="bob@example.org", subject="Cards", body="Dear Bob"), 60
        )
        await until(pilot, lambda: "Sending in " in shown(app))
        await pilot.press("q")
        await until(pilot, lambda: "1 message not sent yet." in words_of(app))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert app.is_running


# -- places, search


async def test_the_go_menu_shows_places_and_goes(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, FolderPickerScreen))
        for name in ("Inbox", "Sent", "Drafts", "Outbox", "Archive", "Spam", "Trash"):
            assert name in shown(app)
        await pilot.press("t")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Sent")


async def test_a_place_is_found_by_typing_its_name(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await move(app.engine, [app.main_screen.messages.ids[0]], "Punch cards")
        await until(pilot, lambda: "Punch cards" in {one.name for one in app.main_screen.mail.list.counts.folders})
        await pilot.press("g", "/", "c", "a", "r", "d")
        await until(pilot, lambda: "Name: card" in shown(app))
        await pilot.press("backspace", "enter")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Punch cards")


async def test_search_follows_typing_and_goes_back(tmp_path):
    mails = [*LETTERS, letter(50, Subject="The loom", body="Jacquard weaves")]
    async with mailbox(tmp_path, mails) as (app, pilot):
        await pilot.press("/", "j", "a", "c", "q")
        await until(pilot, lambda: app.subjects() == ["The loom"])
        await pilot.press("u", "a", "r", "d", "enter")
        await until(pilot, lambda: "Search: jacquard*  1 found" in shown(app) and app.subjects() == ["The loom"])
        assert app.main_screen.messages.has_focus
        assert "bodies of" not in shown(app)  # all were searched: nothing to say
        await pilot.press("escape")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 13)


async def test_search_says_how_many_bodies_it_covers_where_some_are_not_here(tmp_path):
    async with mailbox(tmp_path, whole=False) as (app, pilot):
        await pilot.press("/", *"letter", "enter")
        await until(pilot, lambda: re.search(r"bodies of \d of 12 messages searched", shown(app)))
        await until(pilot, lambda: "F6 fetches the messages that are only on the server" in shown(app))
        await pilot.press("f6")
        await until(pilot, lambda: "Fetching the messages" in shown(app))
        await pilot.press("escape", "/", *"letter", "enter")
        await until(pilot, lambda: "12 found" in shown(app) and "bodies of" not in shown(app))


async def test_search_says_nothing_of_bodies_where_headers_answer_it(tmp_path):
    async with mailbox(tmp_path, whole=False) as (app, pilot):
        await pilot.press("/", *"in", "colon", *"inbox", "enter")
        await until(pilot, lambda: "12 found" in shown(app) and app.main_screen.messages.has_focus)
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "bodies of" not in shown(app)
        assert "F6" not in shown(app)


@pytest.mark.parametrize(("key", "folder"), [("d", "Trash"), ("!", "Spam")])
async def test_what_is_thrown_away_leaves_what_was_found_and_undo_brings_it_back(tmp_path, key, folder):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("/", *"letter", "enter")
        await until(pilot, lambda: "12 found" in shown(app) and app.main_screen.messages.has_focus and app.subject())
        await pilot.press(key)
        await until(pilot, lambda: "11 found" in shown(app) and "z brings it back" in shown(app))
        await app.workers.wait_for_complete()
        assert await there(app, folder) == {"Letter 12"}
        assert "Letter 12" not in app.subjects()
        await pilot.press("z")
        await until(pilot, lambda: "12 found" in shown(app) and "Letter 12" in app.subjects())


async def test_trash_is_not_searched_and_an_empty_search_says_so(tmp_path):
    async with mailbox(tmp_path, [letter(1, Subject="The loom")]) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: "z brings it back" in shown(app))
        await pilot.press("/", *"loom", "enter")
        await until(pilot, lambda: "Nothing found outside Trash and Spam." in shown(app))
        await pilot.press("g", "x")
        await until(pilot, lambda: app.subjects() == ["The loom"])
        await pilot.press("backslash", *"loom", "enter")
        await until(pilot, lambda: "1 of 1" in shown(app) and app.subjects() == ["The loom"])


async def test_what_was_found_says_where_it_is(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await pilot.press("/", *"letter", "enter")
        await until(pilot, lambda: "12 found" in shown(app) and app.main_screen.messages.has_focus)
        await pilot.press("e")
        await until(pilot, lambda: "Letter 12  Archive · This is" in shown(app) and "12 found" in shown(app))
        assert app.subject() == "Letter 11"


async def test_filter_keeps_to_this_view_and_esc_ends_it(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("backslash", "1", "2")
        await until(pilot, lambda: app.subjects() == ["Letter 12"])
        await pilot.press("enter")
        await until(pilot, lambda: "1 of 12" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12)


@pytest.mark.parametrize("query", ['"', "from:", "AND OR (", "*", "a" * 3000, "[/x]", "🐈"])
async def test_odd_searches_find_nothing_and_break_nothing(tmp_path, query):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("/")
        app.main_screen.query_one("#prompt-input").value = query
        await until(pilot, lambda: app.main_screen.mail.list.searching and not app.main_screen.messages.ids)
        await until(pilot, lambda: "Nothing found outside Trash and Spam." in shown(app))


async def test_while_a_search_is_typed_the_keys_that_end_it_are_shown(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("/")
        await until(
            pilot, lambda: shown(app).splitlines()[-1].split("  ")[:2] == [" Enter to the results", " Tab complete"]
        )
        await pilot.press("escape")
        await until(pilot, lambda: "to the results" not in shown(app))


async def test_letters_typed_into_search_are_no_verbs(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("/", "d", "e", "q", "u", "x")
        await pilot.press("escape")
        await until(pilot, lambda: app.main_screen.messages.has_focus and len(app.main_screen.messages.ids) == 12)


async def test_what_another_termmail_did_shows_after_the_next_look(tmp_path):
    async with mailbox(tmp_path) as (app, pilot), opened(app.engine.context.paths, app.engine.context.config) as other:
        gone, starred = app.main_screen.messages.ids[:2]
        await delete(other, [gone])
        await other.messages.mark([starred], StepKind.STAR)
        await pilot.press("f5")
        await until(pilot, lambda: app.subject() == "Letter 11" and len(app.main_screen.messages.ids) == 11)
        await until(pilot, lambda: app.main_screen.messages.row(starred).starred)
        await until(
            pilot,
            lambda: any(
                one.role is Role.TRASH and one.folder_id in app.main_screen.mail.list.counts.messages
                for one in app.main_screen.mail.list.counts.folders
            ),
        )
        await other.journal.undo()
        await other.journal.undo()
        await pilot.press("f5")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12)


# -- what goes on and what goes wrong


async def test_progress_is_a_bar_with_counts(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        app.engine.context.tell(SyncProgress("ada", "headers", 312, 1000))
        await until(pilot, lambda: "Receiving: headers ━" in shown(app) and "312 of 1 000" in shown(app))
        app.engine.context.tell(SyncProgress("ada", "done", 0, 0, running=False))
        await until(pilot, lambda: "Receiving" not in shown(app))


async def test_trouble_stays_until_it_is_read(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        app.engine.context.tell(Failed("ada", "The server could not be reached.", "Look at the network."))
        await until(pilot, lambda: "ada: The server could not be reached. Look at the network." in words_of(app))
        await pilot.press("j", "s", "p")
        assert "could not be reached" in words_of(app)
        await pilot.press("escape")
        assert "could not be reached" not in words_of(app)


async def test_trouble_that_was_read_is_not_told_again_until_it_went_well_between(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        trouble = Failed("ada", "The server could not be reached.", "Look at the network.")
        app.engine.context.tell(trouble)
        await until(pilot, lambda: "could not be reached" in words_of(app))
        await pilot.press("escape")
        app.engine.context.tell(trouble)
        app.engine.context.tell(SyncProgress("ada", "headers", 1, 2))
        await until(pilot, lambda: "1 of 2" in shown(app))
        assert "could not be reached" not in words_of(app)
        await pilot.press("f5")
        await until(pilot, lambda: "checked" in shown(app) and not app.engine.accounts.status("ada").syncing)
        app.engine.context.tell(trouble)
        await until(pilot, lambda: "could not be reached" in words_of(app))


async def test_a_server_that_is_down_is_told_in_words(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        app.pop3.manners = Manners(drop_at=frozenset({"CONNECT"}))
        await pilot.press("f5")
        await until(pilot, lambda: "offline" in shown(app) and "! ada: " in words_of(app))
        assert "Error" not in shown(app)


async def test_of_one_server_only_the_newest_trouble_is_told_and_none_once_it_answers(tmp_path):
    async with mailbox(tmp_path, whole=False) as (app, pilot):
        app.pop3.manners = Manners(drop_at=frozenset({"CONNECT"}))
        await pilot.press("f5")
        await until(pilot, lambda: "! ada: " in words_of(app))
        app.pop3.manners = Manners(login=b"-ERR [IN-USE] locked\r\n")
        for key in ("f5", "V"):  # what was asked for by hand fails for the same reason
            await pilot.press(key)
            await until(pilot, lambda: "! ada: Another program has this mailbox open." in words_of(app))
            await app.workers.wait_for_complete()
        assert words_of(app).count("! ") == 1
        app.pop3.manners = Manners()
        await pilot.press("f5")
        await until(pilot, lambda: "! " not in words_of(app) and "checked just now" in words_of(app))


async def test_a_text_that_comes_after_all_ends_the_trouble_with_its_server(tmp_path):
    async with mailbox(tmp_path, whole=False) as (app, pilot):
        app.pop3.manners = Manners(drop_at=frozenset({"CONNECT"}))
        await pilot.press("f5")
        await until(pilot, lambda: "! ada: " in words_of(app))
        app.pop3.manners = Manners()
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 12." in shown(app) and "! ada: " not in words_of(app))


@pytest.mark.parametrize("end", ["taken back", "sent"])
async def test_a_message_that_is_not_sent_yet_is_told_so_only_as_long_as_that_is_so(tmp_path, end):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        app.smtp.manners = Manners(drop_at=frozenset({"CONNECT"}))
        draft = app.engine.drafts.new("ada", "bob@example.org")
        draft = type(draft)(account="ada", to="bob@example.org", subject="Cards", body="Dear Bob")
        id_ = await app.engine.outbox.send(draft, 0)
        await until(pilot, lambda: "! ada: Not sent yet." in words_of(app))
        await until(pilot, lambda: app.main_screen.mail.list.counts.outbox.get("ada") == 1)
        app.smtp.manners = Manners()
        if end == "sent":
            await pilot.press("f5")
            await until(pilot, lambda: app.smtp.received)
        else:
            await app.engine.outbox.cancel(id_)
        await until(pilot, lambda: "Not sent yet." not in words_of(app))


async def test_whom_a_sent_message_did_not_reach_stays_told(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        app.smtp.manners = Manners(answers={"RCPT bob@example.org": b"550 no such user here\r\n"})
        draft = app.engine.drafts.new("ada")
        draft = type(draft)(account="ada", to="bob@example.org, eve@example.org", subject="Cards", body="x")
        await app.engine.outbox.send(draft, 0)
        await until(pilot, lambda: "Sent: the server has accepted it." in shown(app))
        assert "Sent, but not to bob@example.org." in words_of(app)


# -- keys, help, palette


async def test_every_action_on_this_screen_can_be_done(tmp_path):
    async with mailbox(tmp_path, []) as (app, _):
        nodes = {
            "app": app,
            "mail": app.main_screen,
            "list": app.main_screen.messages,
            "reader": app.main_screen.reader,
        }
        nodes["folders"] = app.main_screen.query_one("#folders")
        missing = [
            action.id
            for action in ACTIONS
            if action.where in nodes
            and not (action.run if action.where == "mail" else hasattr(nodes[action.where], f"action_{action.method}"))
        ]
        assert missing == []


async def test_help_tells_every_key(tmp_path):
    async with mailbox(tmp_path, size=(120, 200)) as (app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until(pilot, lambda: "Moving" in shown(app) and "The marks of a message" in shown(app))
        for action in ACTIONS:
            if action.where != "composer":
                assert action.words in shown(app), action.id
        assert shown(app).count("Next folder") == 1
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)


@pytest.mark.parametrize(("size", "columns"), [((80, 24), 1), ((120, 36), 2), ((200, 60), 3), ((40, 12), 1)])
async def test_help_uses_the_width_there_is(tmp_path, size, columns):
    async with mailbox(tmp_path, [letter(1)], size=size) as (app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: "Next message" in shown(app))
        assert "Esc goes back" in words_of(app)
        (line,) = (line for line in shown(app).splitlines() if "Moving" in line)
        assert sum(heading in line for heading in Group) == columns
        if size == (120, 36):
            await pilot.resize_terminal(80, 24)
            await until(pilot, lambda: "Sorting out" not in shown(app))


async def test_help_begins_with_where_one_is(tmp_path):
    async with mailbox(tmp_path, [letter(1)], size=(120, 36)) as (app, pilot):
        for place, heading in ((app.main_screen.folders, "Folder column"), (app.main_screen.reader, "Reading")):
            app.main_screen.set_focus(place)
            await pilot.press("question_mark")
            await until(pilot, lambda heading=heading: "All keys" in shown(app) and heading in shown(app))
            first = next(line for line in shown(app).splitlines()[3:] if "│" in line and line.strip(" │"))
            assert heading in first
            await pilot.press("escape")


async def test_the_palette_finds_an_action_and_does_it(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Find an action" in shown(app))
        await pilot.press(*"archive")
        await until(pilot, lambda: "Archive" in shown(app) and "Go to a folder" not in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main_screen and len(app.main_screen.messages.ids) == 11)
        await app.workers.wait_for_complete()
        assert await there(app, "Archive") == {"Letter 12"}


async def test_what_is_copied_to_a_folder_is_in_both(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Find an action" in shown(app))
        await pilot.press(*"copy", "space", *"to", "space", *"another")
        await until(pilot, lambda: "Copy to another folder" in shown(app) and "Go to a folder" not in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Copy 1 message to" in shown(app))
        await pilot.press(*"archive", "enter")
        await until(pilot, lambda: app.screen is app.main_screen)
        await app.workers.wait_for_complete()
        assert await there(app, "Archive") == {"Letter 12"}
        assert app.subject() == "Letter 12"
        assert len(app.main_screen.messages.ids) == 12


@pytest.mark.parametrize("words", [":", ":q!", ":zzz", ":delete it"])
async def test_the_palette_does_nothing_but_what_its_name_was_typed_for(tmp_path, words):
    """However fast the keys come, Enter takes only an action that matches what was typed."""
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press(*("colon" if key == ":" else "exclamation_mark" if key == "!" else key for key in words))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FindActionScreen))
        await pilot.press("enter", "escape")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert len(app.main_screen.messages.ids) == 12


async def test_keys_of_the_config_work_and_are_shown(tmp_path):
    ui = Ui(keys={"message.archive": "y", "go.sent": "g 1"})
    async with mailbox(tmp_path, ui=ui) as (app, pilot):
        await pilot.press("e")
        assert len(app.main_screen.messages.ids) == 12
        await pilot.press("y")
        assert len(app.main_screen.messages.ids) == 11
        assert "y archive" in shown(app)
        await pilot.press("g", "1")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Sent")


@pytest.mark.parametrize("preset", ["mutt", "alpine", "gmail"])
async def test_presets_work(tmp_path, preset):
    async with mailbox(tmp_path, ui=Ui(keymap=preset)) as (app, pilot):
        await pilot.press("j")
        if preset == "alpine":
            await pilot.press("n")
        await pilot.press("numbersign" if preset == "gmail" else "d")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == (12 if preset == "gmail" else 11))


async def test_a_wrong_config_is_told_at_start(tmp_path):
    ui = Ui(keys={"message.archve": "y"}, theme="textual-drak")
    async with mailbox(tmp_path, ui=ui, size=(120, 36)) as (app, pilot):
        await until(pilot, lambda: "Did you mean message.archive?" in words_of(app))
        assert "There is no theme “textual-drak”." in words_of(app)


# -- layouts and states


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (120, 36), (200, 60), (20, 5)])
async def test_every_size_shows_the_list_and_survives_a_resize(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        assert app.main_screen.messages.display
        assert app.main_screen.query_one("#folders").display == (size[0] >= 120)
        assert app.main_screen.reader.display == (size[0] >= 80)
        for again in ((40, 12), (200, 60), (80, 24), size):
            await pilot.resize_terminal(*again)
            await pilot.press("j")
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter" in words_of(app) or size[1] < 6)
        await pilot.resize_terminal(40, 12)
        await pilot.press("escape", "p")
        assert app.main_screen.messages.has_focus


async def test_p_takes_the_pane_away_and_brings_it_back(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("p")
        assert not app.main_screen.reader.display
        await pilot.press("p")
        assert app.main_screen.reader.display
        await until(pilot, lambda: "This is letter 12." in shown(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (170, 40)])
async def test_without_the_pane_a_message_opens_on_the_whole_screen(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        await pilot.press("p", "j", "enter")
        await until(pilot, lambda: "This is letter 11." in shown(app))
        assert app.main_screen.whole
        await pilot.press("escape")
        await until(pilot, lambda: "Letter 12" in shown(app))
        assert not app.main_screen.reader.display


async def test_folders_of_every_account_with_what_is_unread(tmp_path):
    async with engine_with(tmp_path, ada=account(), work=account(address="countess@example.org")) as engine:
        from tests.ui.mailbox_stage import NOW, Mail

        app = Mail(engine, lambda: NOW)
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            await until(pilot, lambda: "All inboxes" in shown(app) and "work" in shown(app))
            await pilot.press("shift+tab")
            await until(pilot, lambda: app.main_screen.query_one("#folders").has_focus)
            await pilot.press(*["j"] * 8, "enter")
            await until(pilot, lambda: "work · Inbox" in shown(app))


async def test_without_an_account_the_setup_opens(tmp_path):
    async with engine_with(tmp_path) as engine:
        from tests.ui.mailbox_stage import NOW, Mail

        app = Mail(engine, lambda: NOW)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await until(pilot, lambda: app.screen is not app.main_screen)
            assert type(app.screen).__name__ == "SetupScreen"
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.main_screen)
            await until(pilot, lambda: "There is no account yet." in shown(app))
            await until(pilot, lambda: last_line(app).split() == ["Enter", "set", "up", "?", "keys", "q", "quit"])


async def test_q_goes_back_and_quits_only_at_the_list(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.whole)
        await pilot.press("q")
        assert not app.main_screen.whole
        assert app._exit is False
        await pilot.press("q")
        assert app._exit is True


# -- what the lines below the list say


def last_line(app):
    """Return the key bar as it is on the screen."""
    return shown(app).splitlines()[-1]


async def test_ctrl_c_tells_how_to_quit_and_ctrl_z_breaks_nothing(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await pilot.press("ctrl+c")
        await until(pilot, lambda: " q quits " in shown(app))
        await pilot.press("enter", "ctrl+c")
        await until(pilot, lambda: " ctrl+q quits " in shown(app))
        await pilot.press("ctrl+z")
        assert app.screen is app.main_screen


async def test_the_key_bar_tells_what_q_does_here(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await until(pilot, lambda: "q quit" in last_line(app))
        await pilot.press("slash", *"letter", "enter")
        await until(pilot, lambda: "Esc back" in last_line(app) and "q quit" not in last_line(app))
        await pilot.press("escape")
        await until(pilot, lambda: "q quit" in last_line(app) and "Esc back" not in last_line(app))


async def test_the_key_bar_offers_nothing_that_needs_a_message_where_there_is_none(tmp_path):
    async with mailbox(tmp_path, []) as (app, pilot):
        await until(pilot, lambda: "reply" not in last_line(app))
        assert "c write" in last_line(app)
        assert not {"open", "delete", "archive"} & set(last_line(app).split())


async def test_the_key_bar_offers_only_what_works_where_nothing_is_sent_yet(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        draft = await app.engine.drafts.save(app.engine.drafts.new("ada", "bob@example.org"))
        await pilot.press("g", "d")
        await until(pilot, lambda: "Enter edit" in last_line(app))
        assert {"discard", "write", "keys"} <= set(last_line(app).split())
        assert not {"reply", "archive", "star", "delete"} & set(last_line(app).split())
        await app.engine.outbox.send(draft, 600)
        await pilot.press("g", "o")
        await until(pilot, lambda: "d take back" in last_line(app) and "Enter options" in last_line(app))
        assert not {"reply", "archive", "star", "delete"} & set(last_line(app).split())
        await pilot.press("g", "i")
        await until(pilot, lambda: "r reply" in last_line(app) and "d delete" in last_line(app))


async def test_on_a_small_screen_the_key_bar_tells_how_to_find_the_others(tmp_path):
    async with mailbox(tmp_path, size=(40, 12)) as (app, pilot):
        await until(pilot, lambda: "? keys" in last_line(app))
        await pilot.press("slash", *"letter", "enter")
        await until(pilot, lambda: "Esc back" in last_line(app) and "? keys" in last_line(app))


@pytest.mark.parametrize("key", ["enter", "c"])
async def test_without_an_account_writing_and_opening_set_one_up(tmp_path, key):
    async with engine_with(tmp_path) as engine:
        from tests.ui.mailbox_stage import NOW, Mail

        app = Mail(engine, lambda: NOW)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await until(pilot, lambda: app.screen is not app.main_screen)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.main_screen and "Enter sets one up." in shown(app))
            await pilot.press(key)
            await until(pilot, lambda: type(app.screen).__name__ == "SetupScreen")


async def test_what_was_done_is_no_longer_said_in_another_view_or_after_a_while(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        app.main_screen.status.say("Archived", 60)
        app.main_screen.mail.go_to(TRASH)
        await until(pilot, lambda: "Trash is empty." in shown(app))
        assert "Archived" not in shown(app)
        app.main_screen.status.say("1 new message", 0.05)
        await until(pilot, lambda: "1 new message" in shown(app))
        await until(pilot, lambda: "1 new message" not in shown(app))


async def test_a_kept_draft_is_told_on_the_status_line(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: app.screen is not app.main_screen and app.screen.focused)
        await pilot.press("h", "i", "escape")
        await until(
            pilot, lambda: app.screen is app.main_screen and "The draft is in Drafts." in shown(app).splitlines()[-2]
        )


async def test_quitting_tells_what_waits_from_what_needs_a_decision(tmp_path):
    async with mailbox(tmp_path, clock=time.time) as (app, pilot):
        app.smtp.manners = Manners(answers={"RCPT": b"550 no such user here\r\n"})
        draft = app.engine.drafts.new("ada", "nobody@example.org")
        await app.engine.outbox.send(type(draft)(account="ada", to="nobody@example.org", subject="Cards", body="x"), 0)
        await until(pilot, lambda: "“Cards” was not sent." in words_of(app))
        await app.engine.outbox.send(type(draft)(account="ada", to="bob@example.org", subject="Later", body="x"), 60)
        await until(pilot, lambda: app.main_screen.mail.list.counts.outbox.get("ada") == 2)
        await pilot.press("q")
        await until(pilot, lambda: "1 message not sent yet." in words_of(app))
        assert "1 message in the Outbox needs a decision" in words_of(app)


async def test_the_key_bar_offers_the_whole_screen_to_a_message_that_does_not_have_it(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "Enter whole screen" in last_line(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.whole and "whole screen" not in last_line(app))
        await pilot.press("enter")
        await until(pilot, lambda: not app.main_screen.whole and app.main_screen.messages.has_focus)


@pytest.mark.parametrize("width", range(37, 43))
async def test_the_key_bar_has_a_blank_at_each_end(tmp_path, width):
    async with mailbox(tmp_path, [letter(1)], size=(width, 24)) as (app, _pilot):
        line = shown(app).splitlines()[-1]
        assert (line[0], line[-1]) == (" ", " ")


async def test_an_outgoing_message_without_a_draft_is_not_deleted_by_d(tmp_path):
    async with mailbox(tmp_path, [letter(1)]) as (app, pilot):
        outgoing = Outgoing(b"Subject: Patch\r\n\r\n+1\r\n", "ada@example.org", ("bob@example.org",), "a@b")
        id_ = await app.engine.context.db(outbox.queue, "ada", outgoing, not_before=1 << 40, now=0)
        app.main_screen.mail.go_to(OUTBOX)
        await until(pilot, lambda: "Patch" in shown(app))
        await pilot.press("d")
        await until(pilot, lambda: "has no draft to go back to" in shown(app) and "Patch" in shown(app))
        assert (await app.engine.outbox.row(id_)).state == "queued"


async def test_the_words_of_an_action_go_with_the_next_one_and_not_with_a_move_of_the_cursor(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: "brings it back" in shown(app))
        await pilot.press("j", "k")
        assert "brings it back" in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 11." in shown(app) and "brings it back" not in shown(app))
        await pilot.press("H")
        await until(pilot, lambda: "This message has no HTML." in shown(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "This is letter 10." in shown(app) and "has no HTML" not in shown(app))
