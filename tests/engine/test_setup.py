"""What is said about a server that was only tried, and about a login that was refused."""

from __future__ import annotations

import pytest

from termmail.accounts.config import Account, Pop3, Smtp
from termmail.accounts.credentials import ASKED_AGAIN, PasswordError
from termmail.credential import Password
from termmail.engine.account_setup import (
    advice_while_trying,
    background_advice,
    keep_password,
    login_advice,
    try_account,
    try_server,
)
from termmail.net.net_errors import Busy, LoginRefused, Offline, Refused
from tests.conftest import PASSWORD
from tests.engine.conftest import account, mail

PLAIN = Account(
    address="ada@example.org", pop3=Pop3(host="pop.example.org"), smtp=Smtp(host="smtp.example.org", username="ada")
)
COMMAND = Account(
    address="ada@example.org",
    pop3=Pop3(host="pop.example.org", username="ada", password_command=("pass", "mail")),
    smtp=Smtp(host="smtp.example.org", username="ada"),
)


@pytest.mark.parametrize("kind", ["pop3", "smtp"])
def test_a_password_that_a_command_prints_is_mended_there(kind):
    said = login_advice(LoginRefused("No."), COMMAND, kind, "ada")
    assert said == "Check what your password_command prints."


def test_the_command_that_is_printed_names_the_account_and_the_server():
    assert login_advice(LoginRefused("No."), PLAIN, "pop3", "ada").endswith(": termmail account password ada")
    assert login_advice(LoginRefused("No."), PLAIN, "smtp", "ada").endswith("account password ada --server smtp")


def test_without_an_account_no_command_is_printed_that_needs_one():
    assert "termmail account" not in login_advice(LoginRefused("No."), PLAIN, "pop3")
    assert "termmail account" not in LoginRefused("No.").advice


@pytest.mark.parametrize("error", [Offline("Nothing answers."), Busy("Not now.")])
def test_what_was_only_tried_is_not_tried_again_by_itself(error):
    assert "by itself" not in advice_while_trying(error, PLAIN, "pop3")


def test_advice_of_its_own_is_left_as_it_is():
    error = LoginRefused("No way to log in.", advice="Ask your provider.")
    assert login_advice(error, PLAIN, "pop3", "ada") == "Ask your provider."
    assert advice_while_trying(error, PLAIN, "pop3") == "Ask your provider."


def test_what_to_do_depends_on_the_failure_and_on_where_the_password_comes_from():
    refused = LoginRefused("No.")
    assert login_advice(refused, PLAIN, "pop3").startswith("Check the user name and the password, then try again;")
    assert login_advice(refused, PLAIN, "pop3", "ada", typed=True).endswith(ASKED_AGAIN)
    other = Account(address="a@x", pop3=COMMAND.pop3, smtp=Smtp(host="smtp.example.org", username="else"))
    assert "password_command" not in login_advice(refused, other, "smtp", "ada")
    own = Account(
        address="a@x", pop3=PLAIN.pop3, smtp=Smtp(host="s.example.org", username="else", password_command=("pass",))
    )
    assert "password_command" in login_advice(refused, own, "smtp", "ada")
    assert advice_while_trying(refused, PLAIN, "smtp", "ada") == login_advice(refused, PLAIN, "smtp", "ada")
    assert advice_while_trying(Offline("x"), PLAIN, "pop3").startswith("Check the name of the server and the port")
    assert advice_while_trying(Busy("x"), PLAIN, "pop3") == "Try again in a moment."
    assert advice_while_trying(Refused("x"), PLAIN, "pop3") == Refused.advice


def test_only_a_server_out_of_reach_is_tried_again_by_itself():
    again = " termmail tries again by itself."
    assert background_advice(Offline("x")) == Offline.advice + again
    assert background_advice(Busy("x")) == Busy.advice + again
    assert background_advice(PasswordError("x", "Type it.")) == "Type it."


@pytest.mark.parametrize(("count", "said"), [(0, "0 messages wait"), (1, "1 message waits"), (2, "2 messages wait")])
async def test_a_server_that_works_says_what_waits(pop3_server, smtp_server, count, said):
    pop3, smtp = await pop3_server([mail(n) for n in range(count)]), await smtp_server()
    settings = account(pop3.port, smtp.port)
    assert await try_server(settings, "pop3", Password(PASSWORD)) == f"Receiving from 127.0.0.1 works: {said} there."
    assert await try_server(settings, "smtp", Password(PASSWORD)) == "Sending through 127.0.0.1 works."


async def test_both_servers_are_tried_and_each_tells_whether_it_refused_the_login(pop3_server, smtp_server):
    pop3, smtp = await pop3_server(), await smtp_server()
    settings = account(pop3.port, smtp.port)
    steps = [step async for step in try_account(settings, Password(PASSWORD))]
    assert [(step.well, step.refused) for step in steps] == [(True, None), (True, None)]
    steps = [step async for step in try_account(settings, Password("wrong"), Password(PASSWORD))]
    assert [(step.well, step.refused) for step in steps] == [(False, "pop3"), (True, None)]
    assert steps[0].words.startswith("Receiving from 127.0.0.1: ")
    steps = [step async for step in try_account(settings, Password(PASSWORD), Password("wrong"))]
    assert [(step.well, step.refused) for step in steps] == [(True, None), (False, "smtp")]
    assert steps[1].words.startswith("Sending through 127.0.0.1: ")
    await smtp.stop()
    steps = [step async for step in try_account(settings, Password(PASSWORD))]
    assert [(step.well, step.refused) for step in steps] == [(True, None), (False, None)]
    assert steps[1].words.endswith("Check the name of the server and the port, and the network.")


async def test_without_a_keyring_a_password_is_kept_for_the_session_and_that_is_said(engine_at, monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    async with engine_at() as engine:
        assert await keep_password(engine.context, "ada", "pop3", "") == "No password was given."
        words = await keep_password(engine.context, "ada", "pop3", "new secret")
        assert words.startswith("The keyring is turned off (by PYTHON_KEYRING_BACKEND or keyringrc.cfg): termmail asks")
        settings = engine.accounts.settings("ada")
        assert await engine.context.passwords.get("ada", "pop3", settings) == Password("new secret")
