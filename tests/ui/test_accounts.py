"""Several accounts on one screen, and verbs that act on what the user saw."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from termmail.accounts.config import Ui
from termmail.demo.pop3d import Pop3Server
from termmail.demo.server_maildrop import Maildrop
from termmail.engine.engine import opened
from termmail.mail.model import Role, StepKind
from termmail.mail.views import RoleView
from tests.conftest import PASSWORD, USER
from tests.ui.mailbox_stage import NOW, Mail, letter, mailbox
from tests.ui.stage import account, engine_with, shown, until
from tests.views import ARCHIVE, INBOX, TRASH, delete

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot


@asynccontextmanager
async def two_accounts(folder: Path, size: tuple[int, int] = (160, 36)) -> AsyncIterator[tuple[Mail, Pilot[None]]]:
    """The app on two accounts: "ada" has letters 1 and 3, "work" has letters 2 and 4."""
    home, work = Maildrop(PASSWORD, [letter(1), letter(3)]), Maildrop(PASSWORD, [letter(2), letter(4)])
    async with (
        Pop3Server({USER: home}) as first,
        Pop3Server({USER: work}) as second,
        engine_with(folder, ada=account(first.port, 1), work=account(second.port, 1)) as engine,
    ):
        for name in ("ada", "work"):
            await engine.accounts.sync(name)
            await engine.lists.index()
        app = Mail(engine, lambda: NOW)
        app.maildrops = [home, work]
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: app.engine is not None and len(app.main_screen.messages.ids) == 4)
            yield app, pilot
        if app.troubles:
            raise app.troubles[0]


async def test_the_first_list_is_that_of_all_inboxes_and_its_rows_name_their_account(tmp_path):
    async with two_accounts(tmp_path) as (app, pilot):
        await until(pilot, lambda: app.subjects() == [f"Letter {number}" for number in (4, 3, 2, 1)])
        await until(pilot, lambda: "All inboxes" in shown(app).splitlines()[0])
        rows = [line for line in shown(app).splitlines() if "Letter 4" in line or "Letter 3" in line]
        assert any("work" in line for line in rows)
        assert any("ada" in line for line in rows)


@pytest.mark.parametrize("width", [120, 80])
async def test_the_account_stands_in_a_column_of_its_own_or_in_brackets(tmp_path, width):
    async with two_accounts(tmp_path, (width, 36)) as (app, pilot):
        await until(pilot, lambda: app.subjects() == [f"Letter {number}" for number in (4, 3, 2, 1)])
        rows = [line for line in shown(app).splitlines() if re.search(r"Babbage.*Letter [1-4]", line)]
        if width == 120:
            assert len({line.index("Letter") for line in rows}) == 1
            assert all(re.search(r"Babbage +(ada |work)  Letter \d", line) for line in rows)
        else:
            assert all(re.search(r"Letter \d  \[(ada|work)\]", line) for line in rows)


async def test_what_came_for_each_account_is_reported_beside_its_name(tmp_path):
    async with two_accounts(tmp_path) as (app, pilot):
        app.maildrops[0].add(letter(5))
        app.maildrops[1].add(letter(6))
        app.maildrops[1].add(letter(7))
        await pilot.press("f5")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 7)
        either = r"ada: 1 new message · work: 2 new messages|work: 2 new messages · ada: 1 new message"
        await until(pilot, lambda: re.search(either, shown(app)))


async def test_the_answer_to_a_key_is_not_replaced_by_what_a_sync_reports(tmp_path):
    async with two_accounts(tmp_path) as (app, pilot):
        status = app.main_screen.status
        status.report("ada", "ada: 1 new message")
        status.say("Deleted")
        status.report("work", "work: 2 new messages")
        await until(pilot, lambda: "Deleted" in shown(app))
        assert "new message" not in shown(app)
        status.say("")
        status.report("work", "work: 2 new messages")
        status.report("work", "work: 3 new messages")
        await until(pilot, lambda: "work: 3 new messages" in shown(app))
        assert "ada: 1" not in shown(app)
        assert "work: 2" not in shown(app)


async def test_a_folder_name_that_is_too_long_for_the_column_ends_in_dots(tmp_path):
    async with two_accounts(tmp_path, (120, 36)) as (app, pilot):
        await app.engine.folders.make("ada", "Punched cards of 1843")
        await app.engine.folders.make("ada", "Cards")
        await until(pilot, lambda: "Punched cards" in shown(app) and "  Cards " in shown(app))
        (row,) = [line for line in shown(app).splitlines() if "Punched cards" in line]
        assert row.startswith("  Punched cards o… │"), row


async def test_a_digit_goes_to_the_inbox_of_an_account_and_zero_to_all_of_them(tmp_path):
    async with two_accounts(tmp_path) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: app.subjects() == ["Letter 4", "Letter 2"])
        await until(pilot, lambda: "work · Inbox" in shown(app).splitlines()[0])
        await pilot.press("1")
        await until(pilot, lambda: app.subjects() == ["Letter 3", "Letter 1"])
        await pilot.press("3")
        await until(pilot, lambda: "There is no account 3." in shown(app))
        await pilot.press("0")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 4)


async def test_the_go_menu_counts_all_and_unread_and_shows_the_key_of_all_inboxes(tmp_path):
    async with two_accounts(tmp_path) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: "work · Inbox" in shown(app).splitlines()[0])
        await pilot.press("g")
        await until(pilot, lambda: re.search(r"i +Inbox  2, 2 unread", shown(app)))
        assert re.search(r"0 +All inboxes", shown(app))
        await pilot.press("0")
        await until(pilot, lambda: "All inboxes" in shown(app).splitlines()[0])


async def test_each_message_of_a_mixed_list_goes_to_the_folder_of_its_account(tmp_path):
    async with two_accounts(tmp_path) as (app, pilot):
        await pilot.press("x", "x", "e")
        await until(pilot, lambda: "Archived: 2 messages" in shown(app))
        rows = await app.engine.lists.rows(ARCHIVE, await app.engine.lists.ids(ARCHIVE))
        assert {(row.account, row.subject) for row in rows} == {("work", "Letter 4"), ("ada", "Letter 3")}
        await pilot.press("z")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 4)


async def test_a_reply_is_written_from_the_account_of_its_message(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: app.screen is not app.main_screen)
        assert app.screen.draft.account == "ada"


# -- what the user saw


async def test_d_on_a_message_that_another_termmail_deleted_does_not_erase_it(tmp_path):
    async with mailbox(tmp_path) as (app, pilot), opened(app.engine.context.paths, app.engine.context.config) as other:
        gone = app.main_screen.messages.cursor_id
        await delete(other, [gone])
        await pilot.press("d")
        await until(pilot, lambda: "moved elsewhere meanwhile, left alone" in shown(app))
        row = await app.engine.lists.row(gone)
        assert row is not None
        assert row.role is Role.TRASH
        await until(pilot, lambda: gone not in app.main_screen.messages.ids)


async def test_d_on_a_search_result_that_lies_in_trash_by_now_does_not_erase_it(tmp_path):
    async with mailbox(tmp_path) as (app, pilot), opened(app.engine.context.paths, app.engine.context.config) as other:
        await app.engine.lists.index()
        await pilot.press("/", *"letter", "enter")
        await until(
            pilot,
            lambda: app.main_screen.mail.list.searching and len(app.main_screen.messages.ids) == 12 and app.subject(),
        )
        gone = app.main_screen.messages.cursor_id
        await delete(other, [gone])
        await pilot.press("d")
        await until(pilot, lambda: "left alone" in shown(app))
        assert (await app.engine.lists.row(gone)).role is Role.TRASH


async def test_z_takes_back_what_was_done_before_a_restart(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("d", "j", "s")
        await until(
            pilot,
            lambda: app.main_screen.mail.next_step is not None and app.main_screen.mail.next_step.kind is StepKind.STAR,
        )
    async with mailbox(tmp_path, synced=False) as (app, pilot):
        await until(pilot, lambda: app.main_screen.mail.next_step is not None)
        await pilot.press("z")
        await until(pilot, lambda: "(1 message)" in shown(app))
        await pilot.press("z")
        await until(pilot, lambda: "1 message back" in shown(app) and len(app.main_screen.messages.ids) == 12)
        await pilot.press("z")
        await until(pilot, lambda: "There is nothing to undo." in shown(app))


async def test_a_folder_is_made_filled_renamed_and_removed_by_its_name_in_the_palette(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):

        async def run(words: str) -> None:
            await pilot.press("ctrl+p", *words, "enter")

        await run("new folder")
        await until(pilot, lambda: app.screen is not app.main_screen and app.screen.query("#name"))
        await pilot.press(*"Punch", "enter")
        await until(pilot, lambda: "Punch" in {one.name for one in app.main_screen.mail.list.counts.folders})
        await pilot.press("v", *"punch", "enter")
        await until(pilot, lambda: "Moved to Punch: 1 message" in shown(app))
        await pilot.press("g", "/", *"punch", "enter")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Punch" and app.subject() == "Letter 12")
        await run("rename this")
        await until(pilot, lambda: app.screen is not app.main_screen and app.screen.query("#name"))
        await pilot.press("ctrl+u", *"Cards", "enter")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Cards")
        await until(pilot, lambda: "Folder “Punch” is now “Cards”" in shown(app))
        await run("remove this folder")
        await until(
            pilot, lambda: "Folder “Cards” removed · its messages are in Archive · z brings it back" in shown(app)
        )
        await until(pilot, lambda: "Cards" not in {one.name for one in app.main_screen.mail.list.counts.folders})
        assert len(await app.engine.lists.ids(ARCHIVE)) == 1
        await pilot.press("z")
        await until(pilot, lambda: "Cards" in {one.name for one in app.main_screen.mail.list.counts.folders})
        assert len(await app.engine.lists.ids(ARCHIVE)) == 0
        assert len(await app.engine.lists.ids(INBOX)) == 11
        assert len(await app.engine.lists.ids(TRASH)) == 0
        assert RoleView(Role.INBOX) == INBOX


async def test_no_key_is_named_for_undo_where_none_is_bound(tmp_path):
    async with mailbox(tmp_path, ui=Ui(keys={"message.undo": ""})) as (app, pilot):
        folder = await app.engine.folders.make("ada", "Cards")
        await until(pilot, lambda: folder in app.main_screen.mail.list.counts.folders)
        await pilot.press("g", "/", *"cards", "enter")
        await until(pilot, lambda: app.main_screen.mail.list.name == "Cards")
        await pilot.press("ctrl+p", *"remove this folder", "enter")
        await until(pilot, lambda: "Folder “Cards” removed" in shown(app))
        assert "brings it back" not in shown(app)


async def test_what_another_program_does_is_on_the_screen_soon(tmp_path: Path):
    async with mailbox(tmp_path, [letter(n) for n in range(3)]) as (app, pilot):
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 3)
        async with engine_with(tmp_path, ada=account()) as other:
            await other.folders.make("ada", "Made elsewhere")
            await delete(other, list(app.main_screen.messages.ids[:1]))
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 2)
        await until(pilot, lambda: app.main_screen.mail.next_step.kind is StepKind.DELETE)
