"""What is said about a server that was only tried, and about a login that was refused."""

from __future__ import annotations

import pytest

from termmail.accounts.config import Account, Pop3, Smtp
from termmail.engine.account_setup import advice_while_trying, login_advice
from termmail.net.net_errors import Busy, LoginRefused, Offline

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
