"""Hostile text in every field of a message, through the real parser and store, is drawn as text and nothing else."""

from __future__ import annotations

import base64

import pytest

from termmail.engine.events import Failed, SyncProgress
from tests.mail.nasty import NASTY
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import EVIL, SIZES, assert_harmless, shown, until
from tests.views import move


def encoded(text: str) -> str:
    """Return a text as an encoded-word, which can carry any byte into a header."""
    raw = text.encode("utf-8", "surrogatepass")
    return f"=?utf-8?B?{base64.b64encode(raw).decode()}?="


def evil_letter(number: int, evil: str) -> bytes:
    """Return a message with the same hostile text in every field that is drawn."""
    word = encoded(evil)
    evil = evil.encode("utf-8", "replace").decode()
    body = "\r\n".join([evil, "> " + evil, "-- ", evil]).replace("\x00", "\x01")
    return letter(
        number,
        From=f"{word} <evil@example.net>",
        To=f"{word} <ada@example.org>, {evil[:40]!r} <bob@example.org>",
        Subject=word,
        X_Evil=word,
        Content_Type=f'text/plain; charset="utf-8"; name="{word}"',
        body=body,
    )


LETTERS = [evil_letter(number, evil) for number, evil in enumerate(EVIL)]


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_a_mailbox_of_evil_words_is_drawn_harmlessly_in_list_and_reader(tmp_path, size):
    async with mailbox(tmp_path, LETTERS, size=size) as (app, pilot):
        assert_harmless(app)
        await pilot.press("enter")
        for _ in LETTERS:
            await until(pilot, lambda: app.main_screen.reader.message is not None)
            assert_harmless(app)
            await pilot.press("h")
            assert_harmless(app)
            await pilot.press("h", "Q", "]")
        await pilot.press("escape", "X")
        assert_harmless(app)


async def test_evil_words_go_through_every_verb_unharmed(tmp_path):
    async with mailbox(tmp_path, LETTERS) as (app, pilot):
        for keys in (
            ["s"],
            ["u"],
            ["V"],
            ["escape"],
            ["r"],
            ["escape"],
            ["f"],
            ["escape"],
            ["v"],
            ["escape"],
            ["d"],
            ["z"],
        ):
            await pilot.press(*keys)
            await app.workers.wait_for_complete()
            assert_harmless(app)


@pytest.mark.parametrize("evil", EVIL)
async def test_evil_names_of_folders_queries_and_troubles(tmp_path, evil):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        from termmail.mail import sanitize

        await move(
            app.engine, [app.main_screen.messages.ids[0]], sanitize.clean(evil)[:50].replace("/", "-").strip() or "x"
        )
        app.engine.context.tell(Failed("ada", sanitize.clean(evil), sanitize.clean(evil)))
        app.engine.context.tell(SyncProgress("ada", "headers", 1, 2, running=False, words=sanitize.clean(evil)))
        await pilot.pause()
        assert_harmless(app)
        await pilot.press("escape", "g")
        await until(pilot, lambda: app.screen is not app.main_screen)
        assert_harmless(app)
        await pilot.press("escape", "/")
        app.main_screen.query_one("#prompt-input").value = evil
        await until(pilot, lambda: app.main_screen.mail.list.searching or not evil.strip())
        assert_harmless(app)


async def test_four_hundred_nasty_mails_are_listed_and_read_without_a_word_of_trouble(tmp_path):
    async with mailbox(
        tmp_path, [raw for _, raw in sorted(NASTY.items()) if len(raw) < 1_000_000], size=(100, 40), whole=False
    ) as (
        app,
        pilot,
    ):
        await pilot.press("enter")
        for _ in app.main_screen.messages.ids:
            await until(pilot, lambda: app.main_screen.reader.message is not None)
            assert_harmless(app)
            await app.main_screen.action_do("message.next")
            await pilot.pause()
        assert "went wrong" not in shown(app)
