"""account add --look-up: the domain is asked, what it names is told and saved, strangers only after a yes."""

from __future__ import annotations

import io
import tomllib

import pytest

from termmail.command_line import build_parser
from termmail.commands import account
from termmail.commands.exit_codes import USAGE, CommandError
from tests.ui.stage import engine_with

ADDRESS = "ada@example.org"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
async def add(tmp_path, domain, monkeypatch):
    """`await add("--look-up", said="y\\n")` adds an account for ADDRESS without a test; returns what was saved."""
    async with engine_with(tmp_path) as engine:
        engine.context.network = domain.network

        async def run(*options, address=ADDRESS, said=None):
            words = ["account", "add", "new", address, "--no-test", *options, "--password-command", "true"]
            args = build_parser().parse_args(words)
            monkeypatch.setattr("sys.stdin", io.StringIO() if said is None else Terminal(said))
            assert await account.account(engine, args) == 0
            return tomllib.loads((tmp_path / "config.toml").read_text())["accounts"]["new"]

        yield run


async def named(domain, host):
    port = await domain.mail_server("imap", host)
    domain.srv("_imaps", f"0 0 {port} {host}.")
    return port


async def test_without_the_option_nobody_is_asked(add, domain):
    assert (await add())["imap"]["host"] == "imap.example.org"
    assert domain.questions == []
    assert domain.requests == []


async def test_what_the_domain_names_is_told_and_saved(add, domain, capsys):
    port = await named(domain, "mail.example.org")
    saved = await add("--look-up")
    assert (saved["imap"]["host"], saved["imap"]["port"]) == ("mail.example.org", port)
    assert saved["smtp"]["host"] == "smtp.example.org"
    said = capsys.readouterr().err
    assert "Asking example.org for its mail servers" in said
    assert "example.org names mail.example.org." in said
    assert "No server for sending was found." in said


async def test_what_the_options_say_counts(add, domain):
    port = await domain.mail_server("pop3", "pop.example.org")
    await named(domain, "mail.example.org")
    domain.srv("_pop3s", f"0 0 {port} pop.example.org.")
    saved = await add("--look-up", "--pop3", "--pop3-username", "ada")
    assert saved["pop3"]["host"] == "pop.example.org"
    assert saved["pop3"]["username"] == "ada"


async def test_a_host_outside_the_domain_needs_its_name_or_a_yes(add, domain, tmp_path, capsys):
    """SECURITY.md, D3."""
    port = await named(domain, "mail.example.net")
    with pytest.raises(CommandError, match=r"example.org names mail.example.net, which is not part") as refused:
        await add("--look-up")
    assert refused.value.exit_code == USAGE
    assert "--imap-host mail.example.net" in refused.value.advice
    with pytest.raises(CommandError, match=r"Nothing was saved"):
        await add("--look-up", said="\n")
    assert "Send your password there? [y/N]" in capsys.readouterr().err
    assert not (tmp_path / "config.toml").exists()
    assert (await add("--look-up", said="y\n"))["imap"]["port"] == port


async def test_a_host_that_the_options_name_needs_no_yes(add, domain):
    port = await named(domain, "mail.example.net")
    saved = await add("--look-up", "--imap-host", "mail.example.net")
    assert (saved["imap"]["host"], saved["imap"]["port"]) == ("mail.example.net", port)


async def test_nothing_found_is_told_and_the_usual_names_are_taken(add, capsys):
    assert (await add("--look-up"))["imap"]["host"] == "imap.example.org"
    said = capsys.readouterr().err
    assert "No mail server was found by asking example.org." in said
    assert "The usual names of servers are tried instead." in said


async def test_a_known_provider_is_not_asked_and_microsoft_is_told_as_it_is(add, domain, capsys):
    await add("--look-up", address="ada@outlook.com")
    assert domain.questions == []
    said = capsys.readouterr().err
    assert "Nothing was looked up" in said
    assert "Microsoft takes no password from mail programs" in said
