"""What is told of a sender stands in the block above the body, and nothing where all is fine."""

from __future__ import annotations

import pytest

from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import assert_harmless, shown, until, words_of

FIRST = "First mail from this address."


async def test_the_first_message_of_a_sender_is_told_and_the_second_is_not(tmp_path):
    mails = [letter(1), letter(2), letter(3, From="Mary <mary@somerville.net>")]
    async with mailbox(tmp_path, mails) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 3." in shown(app) and FIRST in shown(app))
        await pilot.press("]")
        await until(pilot, lambda: "This is letter 2." in shown(app))
        assert FIRST not in shown(app)


async def test_a_look_alike_is_a_warning(tmp_path):
    mails = [letter(1), letter(2), letter(3), letter(4, From="Ada <ada@exarnple.net>")]
    async with mailbox(tmp_path, mails) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "! exarnple.net is not example.net, from where you know people." in words_of(app))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
async def test_what_the_own_server_says_is_a_warning_above_the_body(tmp_path, size):
    mails = [letter(1, Authentication_Results="mx.example.org; dmarc=fail")]
    async with mailbox(tmp_path, mails, size=size) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "could not confirm" in shown(app) or "1 warning · h" in shown(app))


async def test_a_name_of_the_sender_is_only_text(tmp_path):
    mails = [letter(1, From='"[/x] \\"Ada\\"" <x@[@click=app.bell]>')]
    async with mailbox(tmp_path, mails) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 1." in shown(app))
        assert_harmless(app)
