"""account: what mail is received by, as the options say, and the passwords of the servers."""

from __future__ import annotations

import io
import tomllib

import pytest

from termmail.accounts.config import Account, Imap, Smtp
from termmail.command_line import build_parser
from termmail.commands import account
from tests.accounts.test_credentials import InMemory
from tests.net.imap.imap_script import FULL, PLAIN, Honest, mails
from tests.ui.stage import engine_with

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
    added = saved(termmail, "new")
    assert added[protocol]["host"] == host
    assert ("imap" in added, "pop3" in added) == (protocol == "imap", protocol == "pop3")
    (row,) = [row for row in (await termmail("account", "list", "--json")).json if row["name"] == "new"]
    assert row[protocol]["host"] == host
    assert f"{protocol} {host}:" in (await termmail("account", "list")).out.decode()


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
async def test_the_options_choose_which_messages_are_fetched_whole(termmail, protocol):
    added = ("account", "add", "new", ADDRESS, f"--{protocol}", "--no-test")
    await termmail(*added, "--download", "365 days", stdin=b"x\n")
    assert saved(termmail, "new")[protocol]["download"] == "365 days"
    assert "download" not in saved(termmail, "new")["smtp"]
    ran = await termmail(
        "account", "add", "other", ADDRESS, "--no-test", "--download", "some days", stdin=b"x\n", code=64
    )
    assert "--download 'some days' is not one of open, all, 365 days" in ran.err


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
async def test_the_options_choose_of_how_many_days_bodies_are_fetched_in_the_background(termmail, protocol):
    added = ("account", "add", "new", ADDRESS, f"--{protocol}", "--no-test")
    await termmail(*added, "--prefetch-days", "90", stdin=b"x\n")
    assert saved(termmail, "new")[protocol]["prefetch_days"] == 90
    assert "prefetch_days" not in saved(termmail, "new")["smtp"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--prefetch-days", "-1"], "--prefetch-days -1 is not a number of days from 0 to 36500"),
        (["--prefetch-days", "40000"], "--prefetch-days 40000 is not a number of days from 0 to 36500"),
        (["--prefetch-days", "9", "--download", "all"], "--prefetch-days needs --download open"),
    ],
)
async def test_days_that_make_no_sense_are_said_and_nothing_is_saved(termmail, options, words):
    ran = await termmail("account", "add", "new", ADDRESS, "--no-test", *options, stdin=b"x\n", code=64)
    assert words in ran.err
    assert [row["name"] for row in (await termmail("account", "list", "--json")).json].count("new") == 0


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


async def test_a_password_is_stored_for_the_server_of_incoming_mail_unless_another_is_named(tmp_path, monkeypatch):
    backend = InMemory()
    settings = Account(address=ADDRESS, imap=Imap(host="imap.example.org"), smtp=Smtp(host="smtp.example.org"))
    async with engine_with(tmp_path, ada=settings) as engine:
        engine.context.passwords._backend = backend
        for options, password in (([], "one"), (["--server", "imap"], "two"), (["--server", "smtp"], "three")):
            args = build_parser().parse_args(["account", "password", "ada", "--password-stdin", *options])
            monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
            assert await account.account(engine, args) == 0
            server = "smtp" if "smtp" in options else "imap"
            port = settings.server(server).port
            assert backend.entries[f"{server}://{ADDRESS}@{server}.example.org:{port}"] == password
    assert len(backend.entries) == 2


async def test_a_password_that_cannot_be_had_is_said_once_for_both_servers(termmail):
    await termmail("account", "add", "new", ADDRESS, "--no-test", "--password-command", "false")
    tested = (await termmail("account", "test", "new", code=77)).out.decode()
    assert tested.startswith("new: ✗ The password command 'false' failed")
    assert tested.count("✗") == 1


async def test_a_password_is_not_stored_for_a_server_that_the_account_does_not_have(termmail):
    ran = await termmail("account", "password", "demo", "--server", "imap", stdin=b"x\n", code=64)
    assert "demo receives its mail by POP3" in ran.err


# -- doctor


async def doctor(termmail, imap, **folders):
    """What doctor says of an account on this IMAP server."""
    demo = termmail.demo
    options = [*plain("imap", imap.port), *plain("smtp", demo.smtp_port), "--allow-cleartext", "--no-test"]
    await termmail("account", "add", "new", ADDRESS, *options, "--password-command", "echo", demo.password)
    if folders:
        with (termmail.folder / "config.toml").open("a") as file:
            file.write("\n[accounts.new.folders]\n" + "".join(f'{role} = "{name}"\n' for role, name in folders.items()))
    ran = await termmail("doctor", "--account", "new")
    assert demo.password not in ran.out.decode() + ran.err
    return ran


async def test_doctor_explains_what_an_imap_server_offers(termmail):
    async with Honest(mails=mails(1200), capabilities=(*FULL, "NOTIFY")).running() as imap:
        ran = await doctor(termmail, imap)
    out = ran.out.decode()
    assert "✓ Receiving from 127.0.0.1 works: 1 200 messages wait there." in out
    assert "  The server is Honest.\n" in out
    for word in ("IDLE", "NOTIFY", "QRESYNC", "MOVE", "UIDPLUS", "SPECIAL-USE"):
        assert any(line.startswith("  ✓") and f"({word})" in line for line in out.splitlines()), word
    assert "  - " not in out
    assert (
        out.index("3 folders:")
        < out.index("    INBOX: 1 200 messages\n")
        < out.index("    Trash (trash): 0 messages\n")
    )
    assert "    a b: holds folders only\n" in out
    assert "LIST" in ran.err
    assert not any(command.startswith("STATUS") for command in imap.commands), "LIST told it already"
    assert "AUTHENTICATE" in ran.err
    assert sum("AUTHENTICATE" in command for command in imap.commands) == 1


async def test_doctor_says_what_is_slower_on_an_old_imap_server(termmail):
    names = b"INBOX", b'"Gel&APY-scht"', b'"a\x1b[31mb"', b"Sent"
    rows = b"".join(b'* LIST () "/" %b\r\n' % name for name in names) + b"TAG OK\r\n"
    status = b"* STATUS INBOX (MESSAGES 7 UNSEEN 2)\r\nTAG OK\r\n"
    old = Honest(
        capabilities=PLAIN,
        answers={"LIST": rows, "STATUS": lambda words: status if "INBOX" in words else b"TAG NO no\r\n"},
    )
    async with old.running() as imap:
        out = (await doctor(termmail, imap, sent="Sent", trash="Müll")).out.decode()
    assert "- New mail is not pushed (no IDLE): termmail looks every 5 minutes." in out
    for word in ("CONDSTORE", "MOVE", "UIDPLUS", "LIST-STATUS", "SPECIAL-USE"):
        assert f"- No {word}:" in out
    assert "✗ config.toml names Müll for trash, and the server has no such folder." in out
    assert "names Sent" not in out
    assert "    INBOX: 7 messages, 2 unread\n" in out
    assert "    Sent (sent, by config.toml): the server gave no count\n" in out
    assert "    Gelöscht (trash, by its name): the server gave no count\n" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("count", [100, 151])
async def test_doctor_lists_only_the_first_hundred_folders(termmail, count):
    rows = b"".join(b'* LIST () "/" f%d\r\n' % n for n in range(count - 1)) + b'* LIST () "/" INBOX\r\nTAG OK\r\n'
    async with Honest(answers={"LIST": rows}).running() as imap:
        out = (await doctor(termmail, imap)).out.decode()
    assert f"{count} folders:" in out
    assert ("    and 51 more folders\n" in out) == (count > 100)
    assert ("more folder" in out) == (count > 100)
    assert out.count("the server gave no count") == 100
