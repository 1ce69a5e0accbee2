"""The screen of server space: what lies there, the question, and what is deleted there and stays here."""

from __future__ import annotations

import asyncio

import pytest

from tests.ui.mailbox_stage import NOW, letter, mailbox
from tests.ui.stage import EVIL, SIZES, assert_harmless, shown, until, words_of

MAILS = [letter(1), letter(2, body="x" * 70_000, From="Ada Byron <ada@example.net>"), letter(3)]


async def opened(app, pilot):
    app.engine.context.clock = lambda: int(NOW)
    await pilot.press("colon", *"server", "space", *"space", "enter")
    await until(pilot, lambda: "the largest messages" in words_of(app))


async def test_a_message_is_deleted_there_after_a_question_and_stays_here(tmp_path):
    async with mailbox(tmp_path, MAILS, size=(100, 30)) as (app, pilot):
        await opened(app, pilot)
        await until(pilot, lambda: "71 KB in 3 messages on the server" in words_of(app))
        assert "Letter 2 · Ada Byron" in words_of(app)
        await pilot.press("d")
        await until(pilot, lambda: "Delete 1 message (Letter 2 · Ada Byron) on 127.0.0.1?" in words_of(app))
        assert "It stays on this computer" in words_of(app)
        await pilot.press("n")
        await until(pilot, lambda: "the largest messages" in words_of(app))
        assert len(app.maildrop.messages) == 3
        await pilot.press("enter")
        await until(pilot, lambda: "Delete there (y)" in words_of(app))
        await pilot.press("y")
        await until(pilot, lambda: len(app.maildrop.messages) == 2)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)
        assert sorted(app.subjects()) == ["Letter 1", "Letter 2", "Letter 3"]


async def test_the_groups_are_size_sender_and_age(tmp_path):
    async with mailbox(tmp_path, MAILS, size=(80, 24)) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("right")
        await until(pilot, lambda: "by sender" in words_of(app) and "Charles Babbage" in words_of(app))
        await pilot.press("right")
        await until(pilot, lambda: "by age" in words_of(app) and "of the last three months" in words_of(app))
        await pilot.press("left", "left")
        await until(pilot, lambda: "the largest messages" in words_of(app))


async def test_nothing_can_be_deleted_while_another_list_is_read(tmp_path):
    async with mailbox(tmp_path, MAILS, size=(100, 30)) as (app, pilot):
        await opened(app, pilot)
        await until(pilot, lambda: "Letter 2 · Ada Byron" in words_of(app))
        read, go_on = app.engine.space.shares, asyncio.Event()

        async def shares(*which):
            await go_on.wait()
            return await read(*which)

        app.engine.space.shares = shares
        await pilot.press("right", "d")
        assert "Reading …" in words_of(app)
        assert "Delete there (y)" not in words_of(app)
        go_on.set()
        await until(pilot, lambda: "Charles Babbage" in words_of(app))


async def test_an_empty_server_says_so(tmp_path):
    async with mailbox(tmp_path, [], synced=False) as (app, pilot):
        await opened(app, pilot)
        await until(pilot, lambda: "Nothing is on the server" in words_of(app))
        await pilot.press("d")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)


@pytest.mark.parametrize("size", SIZES)
async def test_it_fits_and_hostile_subjects_are_only_text(tmp_path, size):
    mails = [
        letter(number, Subject=" ".join(evil.encode("utf-8", "replace").decode().split()) or "x")
        for number, evil in enumerate(EVIL, 1)
    ]
    async with mailbox(tmp_path, mails, size=size) as (app, pilot):
        await pilot.press("colon", *"server", "space", *"space", "enter")
        await until(pilot, lambda: "on the server" in words_of(app))
        assert_harmless(app)
        await pilot.press("d")
        await until(pilot, lambda: "(y)" in words_of(app))
        assert_harmless(app)
        assert shown(app)
