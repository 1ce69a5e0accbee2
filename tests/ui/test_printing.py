"""Printing asks first, piping runs what was typed; errors stay to be read."""

from __future__ import annotations

import os

import pytest
from textual.widgets import Input

from termmail.accounts.config import Ui
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, until, words_of


@pytest.fixture
def printer(tmp_path):
    """A program that keeps what it is given in the file `printed`."""
    program = tmp_path / "printer"
    program.write_text(f"#!/bin/sh\ncat > {tmp_path}/printed.part\nmv {tmp_path}/printed.part {tmp_path}/printed\n")
    program.chmod(0o700)
    return program


async def test_print_gives_the_text_to_the_program_after_a_question(tmp_path, printer):
    ui = Ui(print_command=(os.fspath(printer),))
    async with mailbox(tmp_path, [letter(1)], ui=ui) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 1." in shown(app))
        await pilot.press("P")
        await until(pilot, lambda: "Print “Letter 1” with" in words_of(app))
        await pilot.press("enter", "P")
        await until(pilot, lambda: "Print “Letter 1” with" in words_of(app))
        assert not (tmp_path / "printed").exists()
        await pilot.press("y")
        await until(pilot, (tmp_path / "printed").exists)
        assert "Subject: Letter 1\n\nThis is letter 1." in (tmp_path / "printed").read_text()
        await until(pilot, lambda: "Printed: " in shown(app))


async def test_without_a_program_that_prints_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    async with mailbox(tmp_path, [letter(1)]) as (app, pilot):
        await pilot.press("enter", "P")
        await until(pilot, lambda: "There is no program here that prints (lp or lpr)." in words_of(app))


async def test_pipe_gives_the_message_as_it_came_and_shows_the_output(tmp_path):
    async with mailbox(tmp_path, [letter(1, body="$(touch evil)")]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "touch evil" in shown(app))
        await pilot.press("|")
        await until(pilot, lambda: "Pipe the message" in words_of(app))
        app.screen.query_one(Input).value = "grep -c ''"
        await pilot.press("enter")
        await until(pilot, lambda: "Piped: grep" in shown(app) and "\n 7 " in shown(app))
        await pilot.press("escape", "|")
        await until(pilot, lambda: "grep -c ''" in words_of(app))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("/nowhere/x", "There is no program /nowhere/x."),
        ("false", "false ended with an error (1)."),
        ("cat 'x", "A quotation mark in the command is not closed."),
    ],
)
async def test_what_fails_is_said_until_it_is_read(tmp_path, words, told):
    async with mailbox(tmp_path, [letter(1)]) as (app, pilot):
        await pilot.press("enter", "|")
        await until(pilot, lambda: "Pipe the message" in words_of(app))
        app.screen.query_one(Input).value = words
        await pilot.press("enter")
        await until(pilot, lambda: told in words_of(app))
