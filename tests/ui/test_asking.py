"""A password that no keyring has is asked for on the screen, and what is typed reaches the server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from termmail.accounts.config import Config
from termmail.accounts.credentials import Passwords
from termmail.accounts.paths import Paths
from termmail.demo.pop3d import Pop3Server
from termmail.demo.server_maildrop import Maildrop
from termmail.demo.smtpd import SmtpServer
from termmail.engine.engine import Engine
from termmail.ui.screens.ask_password import AskPasswordScreen
from tests.conftest import PASSWORD, USER
from tests.ui.mailbox_stage import NOW, Mail, letter
from tests.ui.stage import account, shown, type_in, until, words_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@asynccontextmanager
async def locked_mailbox(folder: Path, *, poll_minutes: int = 0) -> AsyncIterator[tuple[Mail, Pilot[None]]]:
    """The app with an account whose password nobody has told it yet."""
    async with (
        Pop3Server({USER: Maildrop(PASSWORD, [letter(1)])}) as pop3,
        SmtpServer({USER: PASSWORD}) as smtp,
    ):
        settings = account(pop3.port, smtp.port)
        settings = replace(settings, pop3=replace(settings.pop3, poll_minutes=poll_minutes))
        paths = Paths(config=folder / "config.toml", data=folder / "data")
        engine = await Engine.open(paths, Config(accounts={"ada": settings}), passwords=Passwords())
        try:
            app = Mail(engine, lambda: NOW)
            app.smtp = smtp
            async with app.run_test(size=(80, 24), notifications=True) as pilot:
                await until(pilot, lambda: app.engine is not None and app.engine.context.passwords.ask is not None)
                yield app, pilot
            assert not app.troubles
        finally:
            await engine.close(0)


WAITS = "A password is needed. You are asked when you are done here."


def toast_of(app: Mail) -> str:
    """What floats over the right half of the screen."""
    return " ".join(" ".join(line[40:].lstrip(" ▌") for line in shown(app).splitlines()).split())


async def answer(app: Mail, pilot: Pilot[None], password: str = PASSWORD) -> None:
    """Type the password into the dialog that asks for it."""
    await until(pilot, lambda: isinstance(app.screen, AskPasswordScreen) and app.screen.focused)
    await type_in(pilot, password)
    await pilot.press("enter")


async def test_a_password_typed_for_the_first_check_reaches_the_server(tmp_path):
    async with locked_mailbox(tmp_path, poll_minutes=5) as (app, pilot):
        await answer(app, pilot)
        await until(pilot, lambda: "Letter 1" in shown(app))


async def test_a_password_typed_for_f5_reaches_the_server(tmp_path):
    async with locked_mailbox(tmp_path) as (app, pilot):
        await pilot.press("f5")
        await answer(app, pilot)
        await until(pilot, lambda: "Letter 1" in shown(app))


async def test_a_password_typed_for_sending_reaches_the_server(tmp_path):
    async with locked_mailbox(tmp_path) as (app, pilot):
        draft = app.engine.drafts.new("ada", "bob@example.org")
        await app.engine.outbox.send(replace(draft, subject="Cards", body="Dear Bob"), 0)
        await answer(app, pilot)
        await until(pilot, lambda: [received.recipients for received in app.smtp.received] == [("bob@example.org",)])


async def test_what_no_password_was_given_for_comes_once_it_is_there(tmp_path):
    async with locked_mailbox(tmp_path) as (app, pilot):
        await pilot.press("f5")
        await answer(app, pilot)
        await until(pilot, lambda: "Letter 1" in shown(app) and not app.engine.accounts.status("ada").syncing)
        app.engine.context.passwords.forget("pop3", app.engine.accounts.settings("ada"))
        await app.engine.servers.source("ada").session.give_back()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AskPasswordScreen))
        await pilot.press("escape")
        words = f"No password was given for {USER} at 127.0.0.1. It is asked for again when you check for mail."
        await until(pilot, lambda: words in words_of(app))
        await pilot.resize_terminal(40, 20)
        await until(pilot, lambda: words in words_of(app))
        app.engine.context.passwords.forget("pop3", app.engine.accounts.settings("ada"))
        await pilot.press("f5")
        await answer(app, pilot)
        await until(pilot, lambda: "This is letter 1." in shown(app))


async def test_two_questions_come_one_after_the_other(tmp_path):
    async with locked_mailbox(tmp_path) as (app, pilot):
        ask = app.engine.context.passwords.ask
        asked = [asyncio.ensure_future(ask(f"Password for server {number}.")) for number in (1, 2)]
        await until(pilot, lambda: "server 1" in words_of(app))
        await answer(app, pilot, "one")
        await until(pilot, lambda: "server 2" in words_of(app))
        await answer(app, pilot, "two")
        assert await asyncio.gather(*asked) == ["one", "two"]


@pytest.mark.parametrize("field", ["composer", "search"])
async def test_a_question_waits_while_somebody_types(tmp_path, field):
    async with locked_mailbox(tmp_path) as (app, pilot):
        await pilot.press("c" if field == "composer" else "slash")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await type_in(pilot, "bo")
        asked = asyncio.ensure_future(app.engine.context.passwords.ask("The password for ada is needed."))
        await until(pilot, lambda: WAITS in toast_of(app))
        await type_in(pilot, "b d")
        assert app.focused.value == "bob d"
        await pilot.press("escape")
        await answer(app, pilot)
        assert await asked == PASSWORD


async def test_a_question_that_waited_in_vain_does_not_come(tmp_path):
    async with locked_mailbox(tmp_path) as (app, pilot):
        await pilot.press("slash")
        asked = asyncio.ensure_future(app.engine.context.passwords.ask("Password for nobody."))
        await until(pilot, lambda: WAITS in toast_of(app))
        asked.cancel()
        await pilot.press("escape")
        again = asyncio.ensure_future(app.engine.context.passwords.ask("Password for somebody."))
        await until(pilot, lambda: isinstance(app.screen, AskPasswordScreen))
        assert "somebody" in words_of(app)
        again.cancel()
        await until(pilot, lambda: app.screen is app.main_screen)


async def test_a_question_nobody_waits_for_any_more_goes_away(tmp_path):
    async with locked_mailbox(tmp_path) as (app, pilot):
        asked = asyncio.ensure_future(app.engine.context.passwords.ask("Password for nobody."))
        await until(pilot, lambda: isinstance(app.screen, AskPasswordScreen))
        asked.cancel()
        await until(pilot, lambda: app.screen is app.main_screen)
