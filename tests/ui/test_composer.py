"""The composer: the cursor where one needs it, nothing lost, nothing sent by a slip."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from array import array
from contextlib import closing
from pathlib import Path

import pexpect
import pytest
from msgspec.structs import replace
from textual import events
from textual.widgets import Input, Select

from termmail.engine.events import DraftClosed
from termmail.mail.message import Draft
from termmail.store import imap_drafts
from termmail.ui.screens import composer
from termmail.ui.screens.composer import ComposeScreen
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.pick_path import PickPathScreen
from termmail.ui.widgets.address_input import AddressChoices, fragment
from termmail.ui.widgets.attachment_row import AttachmentRow
from termmail.ui.widgets.body_input import BodyInput
from termmail.ui.widgets.field import Field, LineInput
from tests.ui.stage import EVIL, SIZES, account, assert_harmless, engine_with, shown, staged, type_in, until, words_of
from tests.views import DRAFTS, OUTBOX


@pytest.fixture
async def engine(tmp_path):
    async with engine_with(tmp_path, ada=account()) as opened:
        yield opened


@pytest.fixture
def short_pause(monkeypatch):
    monkeypatch.setattr(composer, "BEAT", 0.05)


@pytest.fixture(autouse=True)
def long_pause(monkeypatch):
    """A pause that never ends, so that a test sees which other way a draft was saved."""
    monkeypatch.setattr(composer, "BEAT", 1000.0)


def value(stage, name):
    return stage.screen.query_one(f"#{name}", Input).value


async def drafts(engine):
    return [await engine.drafts.load(id_) for id_ in await engine.lists.ids(DRAFTS)]


async def kept(engine, pilot, count=1):
    while len(found := await drafts(engine)) != count:
        await pilot.pause()
    return found


# -- where the cursor is


@pytest.mark.parametrize(
    ("fields", "focused"),
    [
        ({}, "to"),
        ({"to": "bob@example.org"}, "subject"),
        ({"to": "bob@example.org", "subject": "Tea"}, "body"),
        ({"to": "bob@example.org", "cursor": "body"}, "body"),
        ({"cursor": "body-end", "body": "one\ntwo"}, "body"),
    ],
)
async def test_the_cursor_is_where_a_person_needs_it(engine, fields, focused):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", **fields))) as (stage, _):
        assert stage.focused.id == focused
        if fields.get("cursor") == "body-end":
            assert stage.screen.query_one(BodyInput).cursor_location == (1, 3)


async def test_copies_are_folded_away_until_asked_for(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        assert "ctrl+t Cc Bcc" in shown(stage)
        assert not stage.screen.query_one("#cc-field").display
        await pilot.press("ctrl+t")
        assert stage.focused.id == "cc"
        assert [field.id for field in stage.screen.query(".field.-active")] == ["cc-field"]
        assert stage.screen.query_one("#bcc-field").display
        assert "ctrl+t Cc Bcc" not in shown(stage)


async def test_copies_that_are_filled_are_shown(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", cc="bob@example.org"))) as (stage, _):
        assert "bob@example.org" in shown(stage)


async def test_copies_are_asked_for_also_where_they_are_shown_or_nothing_is_drawn_yet(engine):
    draft = replace(engine.drafts.new("ada", "bob@example.org"), cc="carol@example.org")
    async with staged(lambda: ComposeScreen(engine, draft)) as (stage, pilot):
        await pilot.press("ctrl+t")
        await until(pilot, lambda: stage.screen.focused.id == "cc")
        field = Field("Other", LineInput("text"), hint="some words")
        field.hint("")  # as a key does that comes before the screen is drawn
        await stage.screen.mount(field, before=0)
        await until(pilot, lambda: "Other" in shown(stage))
        assert "some words" not in shown(stage)


async def test_enter_goes_through_the_header_to_the_text(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        await pilot.press("enter")
        assert stage.focused.id == "subject"
        await pilot.press("enter")
        assert stage.focused.id == "body"


async def test_a_long_subject_shows_its_beginning_unless_it_is_written(engine):
    draft = engine.drafts.new("ada", "bob@example.org")
    subject = " ".join(f"word{number}" for number in range(30))
    async with staged(lambda: ComposeScreen(engine, replace(draft, subject=subject))) as (stage, pilot):
        await until(pilot, lambda: "word0 " in shown(stage) and "word29" not in shown(stage))
        for _ in range(2):
            stage.screen.query_one("#subject").focus()
            await until(pilot, lambda: "word29" in shown(stage) and "word0 " not in shown(stage))
            await pilot.press("tab")
            await until(pilot, lambda: "word0 " in shown(stage) and "word29" not in shown(stage))


async def test_keys_typed_ahead_over_a_slow_line_reach_their_fields_in_order(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        burst = ["b", "o", "b", "tab", "T", "e", "a", "enter", "H", "i", "enter", "shift+tab", "tab", "X"]
        for key in burst:
            stage.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: "X" in stage.screen._current().body)
        draft = stage.screen._current()
        assert (draft.to, draft.subject, draft.body) == ("bob", "Tea", "Hi\nX")


# -- nothing is lost


async def test_a_pause_saves_the_draft_and_says_when(engine, short_pause):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", to="bob@example.org"))) as (stage, pilot):
        await pilot.press("H", "i")
        await until(pilot, lambda: stage.screen.draft.subject == "Hi")
        (draft,) = await kept(engine, pilot)
        assert (draft.to, draft.subject) == ("bob@example.org", "Hi")
        await until(pilot, lambda: "Saved " in shown(stage))


async def test_leaving_a_field_saves_at_once(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (_, pilot):
        await type_in(pilot, "bob@example.org")
        await pilot.press("tab")
        (draft,) = await kept(engine, pilot)
        assert draft.to == "bob@example.org"


async def test_one_draft_is_kept_however_often_it_is_saved(engine, short_pause):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        await pilot.press("a")
        await kept(engine, pilot)
        await pilot.press("tab", "b", "tab", "c", "ctrl+s")
        await until(pilot, lambda: stage.screen.draft.body == "c")
        (draft,) = await drafts(engine)
        assert (draft.to, draft.subject, draft.body) == ("a", "b", "c")


async def test_esc_keeps_what_was_written_and_says_so(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", cursor="body"))) as (stage, pilot):
        screen = stage.screen
        await pilot.press("H", "i", "escape")
        await until(pilot, lambda: stage.left)
        assert stage.result is None
        (draft,) = await drafts(engine)
        assert draft.body == "Hi"
        assert screen.kept  # the inbox says it on its status line


async def test_a_slip_leaves_nothing_behind(engine):
    """A reply opened and left by Esc, its quote untouched."""
    reply = Draft(account="ada", to="bob@example.org, ", subject="Re: x", body="> x\r\n\x1b", cursor="body-end")
    async with staged(lambda: ComposeScreen(engine, reply)) as (stage, pilot):
        await pilot.press("tab", "tab", "escape")
        await until(pilot, lambda: stage.left)
        assert await drafts(engine) == []


async def test_a_forward_that_was_only_looked_at_is_thrown_away(engine):
    stored = await engine.drafts.save(Draft(account="ada", subject="Fwd: x", body="x", forwards=7))
    async with staged(lambda: ComposeScreen(engine, stored, fresh=True)) as (stage, pilot):
        await pilot.press("escape")
        await until(pilot, lambda: stage.left)
        assert await drafts(engine) == []


async def test_a_draft_that_was_opened_again_stays(engine):
    stored = await engine.drafts.save(Draft(account="ada", subject="Half", body="way"))
    async with staged(lambda: ComposeScreen(engine, stored)) as (stage, pilot):
        assert "Draft" in shown(stage)
        await pilot.press("escape")
        await until(pilot, lambda: stage.left)
        assert [draft.id for draft in await drafts(engine)] == [stored.id]


async def test_closing_tells_that_the_server_may_have_the_draft(engine):
    """It does not wait for the minute that one who writes gets."""
    told = []
    engine.context.subscribe(told.append)
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        stage.screen.query_one("#subject", Input).value = "Half"
        await pilot.press("escape")
        await until(pilot, lambda: stage.left)
    assert DraftClosed() in told
    due = await engine.context.db(imap_drafts.uploads, "ada", engine.context.clock())
    assert len(due) == 1


async def test_a_draft_that_two_write_at_once_is_kept_twice(engine, short_pause):
    stored = await engine.drafts.save(Draft(account="ada", subject="Half", body="way", cursor="body-end"))
    async with staged(lambda: ComposeScreen(engine, stored)) as (stage, pilot):
        await engine.drafts.save(replace(stored, body="theirs"))
        await pilot.press("!")
        await until(pilot, lambda: "kept beside it" in words_of(stage))
        await pilot.press("!", "escape")
        await until(pilot, lambda: stage.left)
        assert sorted(draft.body for draft in await drafts(engine)) == ["theirs", "way!!"]


async def test_a_send_that_fails_leaves_one_draft(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", subject="x", body="x"))) as (stage, pilot):
        await type_in(pilot, "jürgen@example.org")
        for letter in "abc":
            await pilot.press("f9")
            await until(pilot, lambda: "jürgen" in words_of(stage) and not stage.left)
            stage.screen.query_one(BodyInput).insert(letter)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: stage.screen.draft.body.count("c"))
        assert len(await drafts(engine)) == 1
        assert await engine.lists.ids(OUTBOX) == array("q")


async def test_sending_twice_while_the_store_is_busy_sends_once(engine):
    letter = Draft(account="ada", to="bob@example.org", subject="Once", body="x")
    stored = await engine.drafts.save(letter)
    async with staged(lambda: ComposeScreen(engine, stored)) as (stage, pilot):
        with closing(sqlite3.connect(engine.context.paths.data / "mail.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("f9", "f9", "escape", "f9")
            other.execute("ROLLBACK")
        await until(pilot, lambda: stage.left)
    assert len(await engine.lists.ids(OUTBOX)) == 1
    assert await drafts(engine) == []


async def test_taking_out_a_file_keeps_what_another_wrote_meanwhile(engine, tmp_path):
    (tmp_path / "a.txt").write_text("words")
    stored = await engine.drafts.attach(Draft(account="ada", subject="Half", body="ours"), tmp_path / "a.txt")
    async with staged(lambda: ComposeScreen(engine, stored)) as (stage, pilot):
        await engine.drafts.save(replace(stored, body="theirs"))
        await stage.screen._take_out(AttachmentRow.Remove(stored.attachments[0].id))
        await pilot.press("escape")
        await until(pilot, lambda: stage.left)
        assert sorted(draft.body for draft in await drafts(engine)) == ["ours", "theirs"]


async def test_quitting_with_the_composer_open_keeps_the_draft(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", cursor="body"))) as (_, pilot):
        await pilot.press("H", "i", "ctrl+q")
    (draft,) = await drafts(engine)
    assert draft.body == "Hi"


async def test_a_draft_that_cannot_be_saved_stays_on_the_screen(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", cursor="body"))) as (stage, pilot):
        await engine.close(0)
        await pilot.press("H", "i", "escape")
        await until(pilot, lambda: "not saved" in words_of(stage))
        assert not stage.left
        assert stage.screen.query_one(BodyInput).text == "Hi"


async def test_discard_asks_only_where_there_is_something_to_lose(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", body="\n\n-- \nAda"))) as (stage, pilot):
        await pilot.press("f8")
        await until(pilot, lambda: stage.left)


async def test_discard_throws_the_draft_away_after_a_yes(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", cursor="body"))) as (stage, pilot):
        await pilot.press("H", "i", "ctrl+s")
        await kept(engine, pilot)
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("enter")  # the safe answer
        await until(pilot, lambda: isinstance(stage.screen, ComposeScreen))
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: stage.left)
        assert await drafts(engine) == []


SCRIPT = """
import asyncio, sys
from array import array
from contextlib import closing
from pathlib import Path
from termmail.engine.engine import Engine
from termmail.engine.events import DraftClosed
from termmail.mail.message import Draft
from termmail.store import imap_drafts
from termmail.ui.screens.composer import ComposeScreen
from tests.ui.stage import Stage, account, engine_with

async def main():
    async with engine_with(Path(sys.argv[1]), ada=account()) as engine:
        await Stage(lambda: ComposeScreen(engine, Draft(account="ada", cursor="body"))).run_async()

asyncio.run(main())
"""


def in_a_terminal(folder, **environment):
    """The composer with an empty draft in a real terminal of 80x24."""
    child = pexpect.spawn(
        sys.executable,
        ["-c", SCRIPT, str(folder)],
        env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        cwd=Path(__file__).parents[2],
        dimensions=(24, 80),
        timeout=30,
    )
    child.expect("Subject")
    return child


async def test_kill_9_keeps_what_was_written_before_the_pause(tmp_path):
    child = in_a_terminal(tmp_path)
    child.send("Not yet lost")
    child.expect(r"Saved \d\d:\d\d")
    os.kill(child.pid, signal.SIGKILL)
    child.expect(pexpect.EOF)
    child.close()
    async with engine_with(tmp_path, ada=account()) as engine:
        (draft,) = await drafts(engine)
        assert draft.body == "Not yet lost"


async def test_f4_lends_the_terminal_to_the_editor_and_takes_back_the_text(tmp_path):
    program = tmp_path / "ed"
    program.write_text('#!/bin/sh\necho "the editor has $(cat "$1")"\nread answer\necho "$answer" >> "$1"\n')
    program.chmod(0o700)
    child = in_a_terminal(tmp_path, VISUAL=str(program))
    child.send("one")
    child.expect("one")
    child.send("\x1bOS")  # F4
    child.expect_exact("\x1b[?1049l")
    child.expect("the editor has one")
    child.send("+two\r")
    child.expect_exact("\x1b[?1049h")
    child.expect_exact("+two")
    child.send("\x11")  # ctrl+q
    child.expect(pexpect.EOF)
    child.close()
    async with engine_with(tmp_path, ada=account()) as engine:
        (draft,) = await drafts(engine)
        assert draft.body == "one+two"


# -- sending


@pytest.mark.parametrize("key", ["ctrl+j", "ctrl+enter", "alt+enter", "f9"])
async def test_sending_closes_the_screen_and_queues_the_message(engine, key):
    draft = Draft(account="ada", to="bob@example.org,", bcc="eve@example.org", subject="Tea", body="At nine?")
    async with staged(lambda: ComposeScreen(engine, draft)) as (stage, pilot):
        await pilot.press(key)
        await until(pilot, lambda: stage.left)
        row = await engine.outbox.row(stage.result)
        assert (row.state, row.subject) == ("queued", "Tea")
        assert row.recipients == ("bob@example.org", "eve@example.org")


@pytest.mark.parametrize(
    ("fields", "words", "focused"),
    [
        ({"cc": ""}, "Who is it for?", "to"),
        ({"to": "bob at example"}, "bob at example", "to"),
        ({"to": "bob@example.org", "bcc": "eve at"}, "eve at", "bcc"),
    ],
)
async def test_what_is_wrong_with_an_address_is_said_beside_its_field(engine, fields, words, focused):
    draft = Draft(account="ada", subject="Tea", body="At nine?", cursor="body", **fields)
    async with staged(lambda: ComposeScreen(engine, draft)) as (stage, pilot):
        await pilot.press("f9")
        await until(pilot, lambda: words in str(stage.screen.query_one(f"#{focused}-field .field-note").render()))
        assert stage.focused.id == focused
        assert not stage.left
        assert len(await engine.lists.ids(OUTBOX)) == 0
        await type_in(pilot, "x")
        await until(pilot, lambda: not stage.screen.query_one(f"#{focused}-field .field-note").display)


async def test_a_header_that_would_inject_another_is_refused_in_words(engine):
    """SECURITY.md, S1: what is typed on one line stays on one line."""
    draft = Draft(account="ada", to="bob@example.org", subject="Tea\r\nBcc: eve@example.org", body="x")
    async with staged(lambda: ComposeScreen(engine, draft)) as (stage, pilot):
        await pilot.press("f9")
        await until(pilot, lambda: stage.left)
        row = await engine.outbox.row(stage.result)
        assert row.recipients == ("bob@example.org",)
        assert "\n" not in row.subject


async def test_a_concern_is_asked_once_and_back_goes_back(engine):
    draft = Draft(account="ada", to="bob@example.org", subject="", body="I have attached the plan.")
    async with staged(lambda: ComposeScreen(engine, draft)) as (stage, pilot):
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        assert "attach" in words_of(stage)
        assert "subject" in words_of(stage).lower()
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(stage.screen, ComposeScreen))
        assert len(await engine.lists.ids(OUTBOX)) == 0
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: stage.left)
        assert stage.result


async def test_the_message_goes_out_from_the_account_that_was_chosen(tmp_path):
    work = account(address="countess@example.org", name="Countess")
    async with engine_with(tmp_path, ada=account(), work=work) as engine:
        draft = Draft(account="ada", to="bob@example.org", subject="Tea", body="x")
        async with staged(lambda: ComposeScreen(engine, draft)) as (stage, pilot):
            assert "Ada Lovelace <ada@example.org>" in shown(stage)
            stage.screen.query_one("#from", Select).value = "work"
            await pilot.press("f9")
            await until(pilot, lambda: stage.left)
            assert (await engine.outbox.row(stage.result)).account == "work"


# -- addresses


@pytest.mark.parametrize(
    ("text", "cursor", "expected"),
    [
        ("bob", 3, "bob"),
        ("bob@x.y, al", 11, " al"),
        ('"Last, First" <a@b.c>, bo', 25, " bo"),
        ('"Last, Fi', 9, '"Last, Fi'),
        ("a, b, c", 4, " b"),
        ('"a \\" b, c', 9, '"a \\" b, c'),
        ("", 0, ""),
    ],
)
def test_the_address_being_typed_is_found_between_commas(text, cursor, expected):
    start, end = fragment(text, cursor)
    assert text[start:end] == expected


async def written_to(engine, *addresses):
    """Each address written to once more than the one before it."""
    for times, address in enumerate(addresses, 1):
        for _ in range(times):
            draft = replace(engine.drafts.new("ada", to=address), subject="x", body="x")
            await engine.outbox.assume_sent(await engine.outbox.send(draft))


async def test_tab_takes_the_most_used_address_and_waits_for_the_next(engine):
    await written_to(engine, "Bob Babbage <bob@example.org>", "Bobby <bobby@example.org>")
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        choices = stage.screen.query_one("#to-field AddressChoices", AddressChoices)
        await pilot.press("b", "o")
        await until(pilot, lambda: choices.shown)
        assert "Bobby <bobby@example.org>" in shown(stage)
        await pilot.press("tab")
        assert value(stage, "to") == "Bobby <bobby@example.org>, "
        assert stage.focused.id == "to"
        await pilot.press("b", "o")
        await until(pilot, lambda: choices.shown)
        await pilot.press("down", "enter")
        assert value(stage, "to") == "Bobby <bobby@example.org>, Bob Babbage <bob@example.org>, "
        await pilot.press("tab")
        assert stage.focused.id == "subject"


async def test_a_choice_offered_for_other_letters_is_never_taken(engine):
    """Tab right after a letter must not send the mail to whoever was offered before that letter."""
    await written_to(engine, "barbara@example.org", "bob@example.org")
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        choices = stage.screen.query_one("#to-field AddressChoices", AddressChoices)
        await pilot.press("b")
        await until(pilot, lambda: choices.cursor is not None)
        stage.post_message(events.Key("a", "a"))
        stage.post_message(events.Key("tab", None))
        await until(pilot, lambda: value(stage, "to") != "b")
        await pilot.pause()
        assert "bob@example.org" not in value(stage, "to")


async def test_a_whole_address_is_not_replaced_by_a_longer_one(engine):
    await written_to(engine, "bob@example.org.example")
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        choices = stage.screen.query_one("#to-field AddressChoices", AddressChoices)
        await type_in(pilot, "bob@example.org")
        await until(pilot, lambda: choices.shown and choices.cursor is None)
        await pilot.press("tab")
        assert value(stage, "to") == "bob@example.org"
        assert stage.focused.id == "subject"


async def test_esc_hides_the_choices_before_it_leaves(engine):
    await written_to(engine, "bob@example.org")
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        choices = stage.screen.query_one("#to-field AddressChoices", AddressChoices)
        await pilot.press("b")
        await until(pilot, lambda: choices.shown)
        await pilot.press("escape")
        assert not choices.shown
        await pilot.press("enter")
        assert (value(stage, "to"), stage.focused.id, stage.left) == ("b", "subject", False)


# -- attachments


async def test_a_file_is_attached_by_its_path_and_taken_out_again(engine, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "plans").mkdir(parents=True)
    (home / "plans" / "engine.txt").write_text("wheels" * 300)
    monkeypatch.setenv("HOME", str(home))
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", cursor="body"))) as (stage, pilot):
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(stage.screen, PickPathScreen) and "plans/" in shown(stage))
        await pilot.press("p", "l")
        await until(pilot, lambda: len(stage.screen._names) == 1)
        await pilot.press("tab")
        await until(pilot, lambda: "engine.txt" in shown(stage))
        await pilot.press("down", "enter")
        row = await until(
            pilot, lambda: isinstance(stage.screen, ComposeScreen) and stage.screen.query_one(AttachmentRow)
        )
        await until(pilot, lambda: "engine.txt  2 KB" in shown(stage))
        (draft,) = await kept(engine, pilot)
        assert [(file.name, file.size) for file in draft.attachments] == [("engine.txt", 1800)]
        row.focus()
        await pilot.press("down", "delete")
        await until(pilot, lambda: not stage.screen.draft.attachments)
        assert not row.display
        assert stage.focused.id == "body"
        (draft,) = await drafts(engine)
        assert draft.attachments == ()


async def test_a_path_that_is_not_there_is_said_in_words(engine, tmp_path):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
        stage.screen.query_one(Input).value = f"{tmp_path}/no such file"
        await pilot.press("enter")
        await until(pilot, lambda: "There is no file" in words_of(stage))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(stage.screen, ComposeScreen))


# -- strangers' text


@pytest.mark.parametrize("size", SIZES)
async def test_no_text_of_a_stranger_speaks_to_the_terminal(engine, size):
    everything = "\n> ".join(EVIL)
    for to, cc, bcc, subject in zip(*[iter([*EVIL, EVIL[3]])] * 4, strict=True):
        draft = Draft(account="ada", to=to, cc=cc, bcc=bcc, subject=subject, body=everything, cursor="body")
        async with staged(lambda draft=draft: ComposeScreen(engine, draft), size) as (stage, pilot):
            assert_harmless(stage)
            await pilot.press("pagedown", "f9")
            assert_harmless(stage)


async def test_pasted_text_cannot_speak_to_the_terminal_either(engine):
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada"))) as (stage, pilot):
        for widget in ("to", "subject", "body"):
            stage.screen.query_one(f"#{widget}").focus()
            stage.post_message(events.Paste("one\x1b]52;c;eA==\x07\x9b2J\u202etwo"))
            await pilot.pause()
        assert_harmless(stage)
        assert "\x1b" not in stage.screen._current().body + value(stage, "to") + value(stage, "subject")


async def test_lines_and_joiners_of_the_users_own_text_stay(engine):
    """Persian is written with U+200C; a tab and CRLF in a paste are text too."""
    async with staged(lambda: ComposeScreen(engine, Draft(account="ada", cursor="body"))) as (stage, pilot):
        stage.post_message(events.Paste("می\u200cخواهم\r\n\tزیرا"))
        await pilot.pause()
        assert stage.screen._current().body == "می\u200cخواهم\n\tزیرا"


@pytest.mark.parametrize("size", SIZES)
async def test_every_size_has_room_for_people_subject_and_text(engine, size):
    draft = Draft(account="ada", to="bob@example.org", subject="Tea", body="At nine?", cursor="body")
    async with staged(lambda: ComposeScreen(engine, draft), size) as (stage, _):
        for words in ("To", "bob@example.org", "Subject", "Tea", "At nine?"):
            assert words in shown(stage)
