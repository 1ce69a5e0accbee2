"""Leaving termmail: from every dialog, with a draft that cannot be saved, and what was left in an editor."""

from __future__ import annotations

import gc
import re
import sqlite3
import time
import weakref
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from textual.selection import SELECT_ALL

from termmail.engine.saved_files import OWNER
from termmail.mail.message import Draft
from termmail.ui.screens import composer
from termmail.ui.screens.composer import ComposeScreen
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.widgets.body_input import BodyInput
from tests.ui.mailbox_stage import mailbox
from tests.ui.stage import account, engine_with, shown, type_in, until, words_of
from tests.ui.test_bursts import WITH_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from termmail.engine.engine import Engine

OPENED = {
    "help": ["question_mark"],
    "palette": ["ctrl+p"],
    "source": ["enter", "V"],
    "attachments": ["enter", "A"],
    "save in": ["enter", "A", "s"],
    "links": ["enter", "U"],
    "go": ["g"],
    "move": ["v"],
    "move, a name typed": ["v", "a", "b"],
    "search": ["slash", "a"],
    "composer": ["c"],
    "attach": ["c", "ctrl+o"],
    "discard": ["c", "x", "f8"],
}


@pytest.mark.parametrize("keys", OPENED.values(), ids=OPENED.keys())
async def test_ctrl_q_leaves_from_every_dialog(tmp_path: Path, keys: list[str]):
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, pilot):
        for key in keys:
            screen = app.screen
            await pilot.press(key)
            if key in {"V", "A", "U", "g", "v", "c", "s", "ctrl+o", "f8", "ctrl+p", "question_mark"}:
                await until(pilot, lambda screen=screen: app.screen is not screen)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)


async def test_ctrl_q_leaves_from_the_password_and_the_setup(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE]) as (app, pilot):
        app.main_screen.add_account()
        await until(pilot, lambda: "Another account" in shown(app))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)


async def test_with_mail_waiting_the_question_comes_though_another_process_holds_the_store(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE]) as (app, pilot):
        draft = replace(app.engine.drafts.new("ada", "bob@example.org"), subject="Cards")
        await app.engine.outbox.send(draft, delay=600)
        await until(pilot, lambda: app.main_screen.mail.sending.waiting)
        with closing(sqlite3.connect(tmp_path / "data" / "mail.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            start = time.monotonic()
            await pilot.press("ctrl+q")
            await until(pilot, lambda: "1 message not sent yet" in words_of(app))
            await pilot.press("y")
            await until(pilot, lambda: app._exit)
            assert time.monotonic() - start < 3
            other.execute("ROLLBACK")


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quitting_asks_while_a_change_waits_for_the_store_and_loses_none(tmp_path: Path, key: str):
    async with mailbox(tmp_path, [WITH_FILE]) as (app, pilot):
        with closing(sqlite3.connect(tmp_path / "data" / "mail.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("d", "s", key)
            await until(pilot, lambda: "not in the mail store yet" in words_of(app))
            assert not app._exit
            await pilot.press("n")
            other.execute("ROLLBACK")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen) and "Deleted" in words_of(app))
        await pilot.press(key)
        await until(pilot, lambda: app._exit)
    with closing(sqlite3.connect(tmp_path / "data" / "mail.db")) as store:
        trashed = "SELECT count(*) FROM placement JOIN folder ON folder.id = folder WHERE role = 'trash'"
        assert store.execute(trashed).fetchone() == (1,)


def fill_the_disk(engine: Engine, *, full: bool) -> Any:
    """Let SQLite find no room for another page, or room again."""

    def limit(store: Any) -> None:
        (pages,) = store.db.execute("PRAGMA page_count").fetchone()
        store.db.execute(f"PRAGMA max_page_count = {pages if full else 1_000_000}")

    return engine.context.db(limit)


async def test_a_draft_that_cannot_be_saved_is_asked_for_and_saved_when_there_is_room(tmp_path: Path, monkeypatch: Any):
    monkeypatch.setattr(composer, "BEAT", 0.02)
    monkeypatch.setattr(composer, "RETRY", 0.1)
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, pilot):
        await fill_the_disk(app.engine, full=True)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        await type_in(pilot, "bob")
        app.screen.query_one(BodyInput).load_text("long " * 20_000)
        await until(pilot, lambda: "The draft is not saved" in words_of(app))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "Quit and lose what is named here?" in words_of(app))
        await pilot.press("ctrl+q")
        assert sum(isinstance(screen, ConfirmScreen) for screen in app.screen_stack) == 1
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        await fill_the_disk(app.engine, full=False)
        await until(pilot, lambda: "Saved " in shown(app) and "not saved" not in words_of(app))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)


async def test_closed_composers_leave_nothing_behind(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE]) as (app, pilot):
        seen = []
        for number in range(30):
            screen = ComposeScreen(app.engine, Draft(account="ada", body=f"{number} " * 1000))
            app.push_screen(screen)
            await until(pilot, lambda screen=screen: screen.query(BodyInput))
            seen += [weakref.ref(screen), weakref.ref(screen.query_one(BodyInput))]
            screen.dismiss(None)
            await until(pilot, lambda: app.screen is app.main_screen)
        del screen
        await pilot.pause()
        await pilot.press("j")
        gc.collect()
        assert len(getattr(app, "__watchers", {}).get("theme", [])) <= 1
        assert sum(ref() is not None for ref in seen) <= 4


async def test_a_text_left_in_an_editor_is_offered(tmp_path: Path):
    left = tmp_path / "data" / "editing" / "draft-x"
    async with engine_with(tmp_path, ada=account()):
        left.mkdir(parents=True)
    (left / OWNER).touch()
    (left / "draft.json").write_text('{"draft": 99, "given": ""}')
    (left / "text.eml").write_text("Dear Bob,\nwritten elsewhere\n")
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, pilot):
        await until(pilot, lambda: "A text was open in your editor" in words_of(app))
        assert "Dear Bob," in shown(app)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and "written elsewhere" in shown(app))
        assert not left.exists()
        draft_id = app.screen.draft.id
        assert (await app.engine.drafts.load(draft_id)).body == "Dear Bob,\nwritten elsewhere"


async def test_ctrl_l_paints_the_screen_again(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE]) as (app, pilot):
        await pilot.press("ctrl+l")
        await until(pilot, lambda: "Letter 1" in shown(app))
        await pilot.press("question_mark", "ctrl+l")
        await until(pilot, lambda: "All keys" in shown(app))


async def test_copying_says_so_and_the_selection_is_visible(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, pilot):
        await pilot.press("enter")
        reader = app.main_screen.reader
        await until(pilot, lambda: "https://example.org" in shown(app) and app.main_screen.whole)
        app.screen.selections = {reader: SELECT_ALL}
        await until(
            pilot, lambda: any(part.style and part.style.reverse for y in range(9) for part in reader._strip(y))
        )
        await pilot.press("ctrl+c")
        await until(pilot, lambda: re.search(r"Copied \d+ characters, if your terminal", words_of(app)))


async def test_copying_nothing_keeps_what_was_copied_before(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE], size=(100, 30)) as (app, _):
        app.copy_to_clipboard("kept")
        app.copy_to_clipboard("")
        assert app.clipboard == "kept"


async def test_the_quit_question_is_over_once_the_message_has_been_sent_meanwhile(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE]) as (app, pilot):
        draft = replace(app.engine.drafts.new("ada", "bob@example.org"), subject="Cards")
        sent = await app.engine.outbox.send(draft, delay=600)
        await until(pilot, lambda: app.main_screen.mail.sending.waiting)
        await pilot.press("q")
        await until(pilot, lambda: "1 message not sent yet" in words_of(app))
        await app.engine.outbox.retry(sent)
        await until(pilot, lambda: app._exit)
        assert len(app.smtp.received) == 1


async def test_quitting_can_send_what_waits_first(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE]) as (app, pilot):
        for subject in ("Cards", "Looms"):
            draft = replace(app.engine.drafts.new("ada", "bob@example.org"), subject=subject)
            await app.engine.outbox.send(draft, delay=600)
        await until(pilot, lambda: app.main_screen.mail.sending.waiting == 2)
        await pilot.press("q")
        await until(pilot, lambda: "2 messages not sent yet" in words_of(app) and "Send now and quit" in words_of(app))
        await pilot.press("s")
        await until(pilot, lambda: app._exit)
        assert len(app.smtp.received) == 2


async def test_what_cannot_be_sent_before_quitting_is_said_and_nothing_quits(tmp_path: Path):
    async with mailbox(tmp_path, [WITH_FILE]) as (app, pilot):
        draft = replace(app.engine.drafts.new("ada", "bob@example.org"), subject="Cards")
        await app.engine.outbox.send(draft, delay=600)
        await until(pilot, lambda: app.main_screen.mail.sending.waiting)
        await app.smtp.stop()
        await pilot.press("q")
        await until(pilot, lambda: "1 message not sent yet" in words_of(app))
        await pilot.press("s")
        await until(pilot, lambda: "Not sent:" in words_of(app))
        assert not app._exit
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.main_screen)
