"""account: what mail is received by, as the options say, and the passwords of the servers."""

from __future__ import annotations

import tomllib

import pytest

from tests.net.imap.imap_script import Honest, mails

ADDRESS = "ada@example.org"


def saved(termmail, name):
    """The account in config.toml."""
    return tomllib.loads((termmail.folder / "config.toml").read_text())["accounts"][name]


def plain(kind, port):
    """Options for a server without TLS at this port of loopback."""
    return [f"--{kind}-host", "127.0.0.1", f"--{kind}-port", str(port), f"--{kind}-security", "none"]


@pytest.mark.parametrize(
    ("address", "options", "protocol", "host"),
    [
        (ADDRESS, [], "imap", "imap.example.org"),
        (ADDRESS, ["--imap"], "imap", "imap.example.org"),
        (ADDRESS, ["--pop3"], "pop3", "pop.example.org"),
        (ADDRESS, ["--pop3-username", "ada"], "pop3", "pop.example.org"),
        (ADDRESS, ["--pop3", "--pop3-host", "mail.example.net"], "pop3", "mail.example.net"),
        (ADDRESS, ["--imap-host", "mail.example.net"], "imap", "mail.example.net"),
        ("ada@gmail.com", [], "imap", "imap.gmail.com"),
        ("ada@gmail.com", ["--pop3"], "pop3", "pop.gmail.com"),
        ("ada@icloud.com", [], "imap", "imap.mail.me.com"),
        ("ada@icloud.com", ["--pop3-host", "pop.example.org"], "pop3", "pop.example.org"),
    ],
)
async def test_the_options_choose_the_protocol_and_without_them_the_address(termmail, address, options, protocol, host):
    await termmail("account", "add", "new", address, "--no-test", *options, stdin=b"x\n")
    account = saved(termmail, "new")
    assert account[protocol]["host"] == host
    assert ("imap" in account, "pop3" in account) == (protocol == "imap", protocol == "pop3")
    (row,) = [row for row in (await termmail("account", "list", "--json")).json if row["name"] == "new"]
    assert row[protocol]["host"] == host
    assert f"{protocol} {host}:" in (await termmail("account", "list")).out.decode()


@pytest.mark.parametrize(
    ("address", "options", "words"),
    [
        (ADDRESS, ["--imap", "--pop3"], "not allowed with"),
        (ADDRESS, ["--imap", "--pop3-host", "pop.example.org"], "not by both"),
        (ADDRESS, ["--pop3", "--imap-port", "993"], "not by both"),
        (ADDRESS, ["--imap-username", "a", "--pop3-username", "a"], "not by both"),
        ("ada@icloud.com", ["--pop3"], "has no POP3, only IMAP"),
        ("ada@icloud.com", ["--pop3-port", "995"], "has no POP3, only IMAP"),
    ],
)
async def test_options_that_contradict_each_other_are_wrong_usage(termmail, address, options, words):
    ran = await termmail("account", "add", "new", address, "--no-test", *options, stdin=b"x\n", code=64)
    assert words in ran.err
    assert "new" not in tomllib.loads((termmail.folder / "config.toml").read_text())["accounts"]


async def test_what_the_provider_wants_is_said_of_the_protocol(termmail):
    for name, options in (("one", []), ("two", ["--pop3"])):
        ran = await termmail("account", "add", name, "ada@gmail.com", "--no-test", *options, stdin=b"x\n")
        assert "app password" in ran.err
        assert ("Switch POP on" in ran.err) == bool(options)


async def test_an_imap_account_is_tried_added_and_tested(termmail):
    demo = termmail.demo
    async with Honest(mails=mails(2)).running() as imap:
        options = [*plain("imap", imap.port), *plain("smtp", demo.smtp_port), "--allow-cleartext"]
        ran = await termmail(
            "account", "add", "new", ADDRESS, *options, "--password-command", "echo", demo.password
        )  # fmt: skip
        assert "Receiving from 127.0.0.1 works: 2 messages wait there." in ran.err
        logins = sum("AUTHENTICATE" in command for command in imap.commands)
        tested = (await termmail("account", "test", "new")).out.decode()
        assert tested.count("✓ Receiving from 127.0.0.1 works") == 1
        assert sum("AUTHENTICATE" in command for command in imap.commands) == logins + 1
        imap.answers["AUTHENTICATE"] = b"TAG NO [AUTHENTICATIONFAILED] no\r\n"
        await termmail("account", "test", "new", code=77)


async def test_a_pop3_account_is_tested_with_one_login(termmail):
    tested = (await termmail("account", "test", "demo")).out.decode()
    assert tested.count("✓ Receiving") == 1
    assert len(termmail.demo.pop3.heard("STAT")) == 1


async def test_a_password_is_not_stored_for_a_server_that_the_account_does_not_have(termmail):
    ran = await termmail("account", "password", "demo", "--server", "imap", stdin=b"x\n", code=64)
    assert "demo receives its mail by POP3" in ran.err
