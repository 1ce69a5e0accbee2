"""Setup: address, password, done; both servers tried before anything is saved."""

from __future__ import annotations

import pytest
from textual.widgets import Input, Select, Static

from termmail.accounts import config, discovery
from termmail.accounts.credentials import PasswordError
from termmail.credential import Password
from termmail.demo.faults import Manners
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.setup import SetupScreen, account_name
from termmail.ui.widgets.account_form import AccountForm
from termmail.ui.widgets.checkbox import Checkbox
from termmail.ui.widgets.choice import Choice
from tests.conftest import PASSWORD, USER
from tests.net.imap.imap_script import Honest, mails
from tests.ui.stage import EVIL, SIZES, account, assert_harmless, engine_with, shown, staged, type_in, until, words_of


def steps_of(stage):
    """What the steps of the try say, each with its mark."""
    return [" ".join(str(part.render()) for part in step.query(Static)) for step in stage.screen.query(".setup-step")]


@pytest.fixture
async def engine(tmp_path, monkeypatch):
    """An Engine of someone who has no account yet, on a machine without a keyring."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    async with engine_with(tmp_path) as opened:
        yield opened


def put(stage, **fields):
    """Type into fields at once; `incoming_port` is the field #incoming-port."""
    for name, text in fields.items():
        widget = stage.screen.query_one(f"#{name.replace('_', '-')}")
        widget.value = text


def value(stage, name):
    return stage.screen.query_one(f"#{name}", Input).value


def fill(stage, incoming_port, smtp_port, protocol="pop3", **more):
    """Everything that is needed to reach servers without TLS at these ports of loopback."""
    stage.screen.query_one(Choice).choose(protocol)
    for kind, port in (("incoming", incoming_port), ("smtp", smtp_port)):
        put(stage, **{f"{kind}_host": "127.0.0.1", f"{kind}_user": USER})
        stage.screen.query_one(f"#{kind}-security", Select).value = "none"
        stage.screen.query_one(f"#{kind}-cleartext", Checkbox).value = True
        put(stage, **{f"{kind}_port": str(port)})
    put(stage, **{"address": USER, "name": "Ada Lovelace", "password": PASSWORD, **more})


async def test_the_address_fills_in_the_servers(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        assert "Welcome to termmail" in shown(stage)
        assert stage.focused.id == "address"
        await type_in(pilot, "ada@example.org")
        await pilot.press("tab")
        assert value(stage, "incoming-host") == "imap.example.org"
        assert (value(stage, "incoming-port"), value(stage, "incoming-user")) == ("993", "ada@example.org")
        assert (value(stage, "smtp-host"), value(stage, "smtp-port")) == ("smtp.example.org", "465")


async def test_a_guess_never_replaces_what_was_typed(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        put(stage, address="ada@example.org")
        await pilot.press("tab")
        put(stage, incoming_host="mail.example.net")
        stage.screen.query_one("#address").focus()
        put(stage, address="ada@example.com")
        await pilot.press("tab")
        assert value(stage, "incoming-host") == "mail.example.net"
        assert value(stage, "smtp-host") == "smtp.example.com"


async def test_typing_replaces_a_guess_and_adds_to_what_was_typed(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        put(stage, address="ada@example.org")
        await pilot.press("tab")
        assert value(stage, "incoming-host") == "imap.example.org"
        stage.screen.query_one("#incoming-host").focus()
        await type_in(pilot, "mail.example")
        await pilot.press("tab", "shift+tab")
        await type_in(pilot, ".net")
        assert value(stage, "incoming-host") == "mail.example.net"
        stage.screen.query_one("#incoming-port").focus()
        await type_in(pilot, "1995")
        assert value(stage, "incoming-port") == "1995"


@pytest.mark.parametrize("size", SIZES)
async def test_what_a_tick_means_is_never_cut(engine, size):
    async with staged(lambda: SetupScreen(engine), size) as (stage, pilot):
        stage.screen.query_one("#incoming-security", Select).value = "none"
        checkbox = stage.screen.query_one("#incoming-cleartext", Checkbox)
        await until(pilot, lambda: checkbox.display)
        checkbox.focus()
        await until(pilot, lambda: "[ ] Send my password without encryption" in words_of(stage))


async def test_what_a_known_provider_wants_is_said(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        put(stage, address="ada@gmail.com")
        await pilot.press("tab")
        assert "app password" in words_of(stage)
        assert value(stage, "incoming-host") == "imap.gmail.com"


async def test_security_and_port_follow_the_provider_until_one_chooses(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        security = stage.screen.query_one("#smtp-security", Select)

        async def typed(address: str, host: str) -> tuple[str, str]:
            stage.screen.query_one("#address").focus()
            put(stage, address=address)
            await pilot.press("tab")
            await until(pilot, lambda: value(stage, "smtp-host") == host)
            await pilot.pause()
            return security.value, value(stage, "smtp-port")

        assert await typed("ada@outlook.com", "smtp.office365.com") == ("starttls", "587")
        assert await typed("ada@gmail.com", "smtp.gmail.com") == ("tls", "465")
        security.value = "starttls"
        await until(pilot, lambda: value(stage, "smtp-port") == "587")
        assert await typed("ada@fastmail.com", "smtp.fastmail.com") == ("starttls", "587")


async def test_the_port_follows_the_security_unless_it_is_ones_own(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        security = stage.screen.query_one("#smtp-security", Select)
        security.value = "starttls"
        await until(pilot, lambda: value(stage, "smtp-port") == "587")
        put(stage, smtp_port="2525")
        security.value = "tls"
        await pilot.pause()
        assert value(stage, "smtp-port") == "2525"


@pytest.mark.parametrize(
    ("wrong", "words", "focused"),
    [
        ({"address": "ada"}, "Your address", "address"),
        ({"address": "ada@x\nevil"}, "Your address", "address"),
        ({"password": ""}, "password your provider gave", "password"),
        ({"incoming_host": "two words"}, "name of the server", "incoming-host"),
        ({"smtp_port": "65536"}, "1 to 65535", "smtp-port"),
    ],
)
async def test_what_is_missing_is_said_beside_its_field(engine, wrong, words, focused):
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        fill(stage, 1, 1)
        await pilot.pause()
        put(stage, **wrong)
        await pilot.press("f9")
        await until(pilot, lambda: words in words_of(stage))
        assert stage.focused.id == focused


async def test_a_password_in_clear_has_to_be_meant(engine):
    """SECURITY.md, T1."""
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        fill(stage, 1, 1)
        await pilot.pause()
        stage.screen.query_one("#smtp-cleartext", Checkbox).value = False
        await pilot.press("f9")
        await until(pilot, lambda: "Tick the line below" in words_of(stage))
        assert stage.focused.id == "smtp-cleartext"
        await pilot.press("space")
        assert "[x] Send my password without encryption" in shown(stage)


@pytest.mark.parametrize("size", SIZES)
async def test_both_servers_are_tried_and_then_the_account_is_saved(engine, pop3_server, smtp_server, size):
    pop3, smtp = await pop3_server([b"Subject: x\r\n\r\nx\r\n"]), await smtp_server()
    async with staged(lambda: SetupScreen(engine), size) as (stage, pilot):
        fill(stage, pop3.port, smtp.port)
        await pilot.pause()
        stage.screen.query_one("#password").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "Open your inbox" in shown(stage))
        steps = " ".join(steps_of(stage))
        assert "✓ Receiving from 127.0.0.1 works" in steps
        assert "✓ Sending through 127.0.0.1 works" in steps
        assert steps.count("once per session") == 1  # no keyring here, and it says so
        assert "✓ The account is saved." in steps
        assert "✓ The keyring" not in steps  # bad news bears no tick
        assert len(max(steps_of(stage), key=len)) < 200
        assert len({said.region.x for said in stage.screen.query(".setup-said")}) == 1
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == "example"
        saved = config.load(engine.context.paths.config).accounts["example"]
        assert (saved.address, saved.name, saved.pop3.port, saved.smtp.port) == (
            USER,
            "Ada Lovelace",
            pop3.port,
            smtp.port,
        )
        assert PASSWORD not in engine.context.paths.config.read_text()


async def test_a_refused_password_keeps_what_was_typed_and_saves_nothing(engine, pop3_server, smtp_server):
    pop3, smtp = await pop3_server(), await smtp_server()
    async with staged(lambda: SetupScreen(engine), (80, 24)) as (stage, pilot):
        fill(stage, pop3.port, smtp.port, password="wrong")
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: stage.focused.id == "password" and "Not accepted." in shown(stage))
        await until(pilot, lambda: "✗ Receiving from 127.0.0.1" in words_of(stage))
        assert "many providers want an app password" in words_of(stage)
        assert "termmail account password" not in words_of(stage)  # there is no account that could be named
        assert value(stage, "password") == "wrong"
        assert not engine.context.paths.config.exists()
        assert engine.accounts.names == []
        put(stage, password=PASSWORD)
        await pilot.press("f9")
        await until(pilot, lambda: "Open your inbox" in shown(stage))


async def test_sending_may_need_another_password(engine, pop3_server, smtp_server):
    pop3, smtp = await pop3_server(), await smtp_server(passwords={USER: "another"})
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        fill(stage, pop3.port, smtp.port)
        stage.screen.query_one("#other", Checkbox).value = True
        await pilot.pause()
        put(stage, smtp_password="another")
        await pilot.press("f9")
        await until(pilot, lambda: "Open your inbox" in shown(stage))
        settings = engine.accounts.settings("example")
        assert await engine.context.passwords.get("example", "smtp", settings) == Password("another")
        assert await engine.context.passwords.get("example", "pop3", settings) == Password(PASSWORD)


async def test_a_refused_password_for_sending_is_asked_for_where_it_was_typed(engine, pop3_server, smtp_server):
    pop3, smtp = await pop3_server(), await smtp_server(passwords={USER: "another"})
    async with staged(lambda: SetupScreen(engine), (80, 24)) as (stage, pilot):
        fill(stage, pop3.port, smtp.port)
        stage.screen.query_one("#other", Checkbox).value = True
        await pilot.pause()
        put(stage, smtp_password="wrong")
        await pilot.press("f9")
        await until(pilot, lambda: stage.focused.id == "smtp-password" and "Not accepted." in shown(stage))
        assert engine.accounts.names == []
        assert not engine.context.paths.config.exists()
        settings, *_ = stage.screen.query_one(AccountForm).read()
        for kind in ("pop3", "smtp"):
            with pytest.raises(PasswordError):
                await engine.context.passwords.get("example", kind, settings)


async def test_a_server_that_does_not_answer_is_a_matter_of_name_and_port(engine, smtp_server):
    smtp = await smtp_server()
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        fill(stage, 1, smtp.port)
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: "Nothing is saved yet" in words_of(stage))
        assert "Check the name of the server and the port, and the network." in words_of(stage)
        assert "by itself" not in words_of(stage)


async def test_the_focus_goes_to_the_server_that_was_not_reached_and_the_old_line_goes(
    engine, pop3_server, smtp_server
):
    pop3, smtp = await pop3_server(), await smtp_server()
    async with staged(lambda: SetupScreen(engine), (80, 24)) as (stage, pilot):
        fill(stage, 1, smtp.port)
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: stage.focused.id == "incoming-host" and "Not reached." in shown(stage))
        assert {"✗ Receiving", "✓ Sending"} == {" ".join(step.split()[:2]) for step in steps_of(stage)}
        put(stage, incoming_port=str(pop3.port))
        await until(pilot, lambda: "✗" not in shown(stage) and "✓ Sending" in shown(stage))
        assert "Not reached." not in shown(stage)
        await pilot.press("f9")
        await until(pilot, lambda: "Open your inbox" in shown(stage))


async def test_an_address_that_is_none_is_said_when_it_is_left(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await type_in(pilot, "ada")
        await pilot.press("enter")
        await until(pilot, lambda: "Your address is needed in full" in shown(stage))
        put(stage, address="ada@example.org")
        stage.screen.query_one("#address").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "Your address is needed" not in shown(stage))


async def test_a_port_takes_digits_only_and_says_where_it_ends(engine):
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        put(stage, incoming_host="pop.example.org", incoming_port="")
        stage.screen.query_one("#incoming-port").focus()
        await type_in(pilot, "0.0.0x")
        assert value(stage, "incoming-port") == "000"
        await pilot.press("tab")
        await until(pilot, lambda: "1 to 65535" in shown(stage))


async def test_what_stands_in_empty_fields_cannot_be_taken_for_a_value(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, _pilot):
        assert "you@example.org" in shown(stage)
        assert "such as Ada Lovelace" in shown(stage)


async def test_esc_stops_a_running_try(engine, pop3_server, smtp_server):
    pop3 = await pop3_server(manners=Manners(stall_at=frozenset({"CONNECT"})))
    smtp = await smtp_server()
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        fill(stage, pop3.port, smtp.port)
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: "asking 127.0.0.1" in words_of(stage))
        await pilot.press("escape")
        await until(pilot, lambda: "Stopped" in words_of(stage))
        assert not stage.left
        assert value(stage, "password") == PASSWORD
        assert not engine.context.paths.config.exists()


async def test_esc_leaves_at_once_where_nothing_was_typed(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await pilot.press("escape")
        await until(pilot, lambda: stage.left)
        assert stage.result is None


async def test_esc_asks_where_something_would_be_lost(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await pilot.press("a", "escape")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.screen, SetupScreen))
        assert value(stage, "address") == "a"


async def test_a_config_that_cannot_be_written_is_said(engine, pop3_server, smtp_server):
    pop3, smtp = await pop3_server(), await smtp_server()
    engine.context.paths.config.mkdir()
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        fill(stage, pop3.port, smtp.port)
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: "config.toml" in words_of(stage))
        assert "Open your inbox" not in shown(stage)


@pytest.mark.parametrize(
    ("address", "taken", "name"),
    [
        ("ada@example.org", (), "example"),
        ("ada@mail.example.org", (), "example"),
        ("ada@example.co.uk", (), "example"),
        ("ada@example.org", ("example",), "example-2"),
        ("ada@example.org", ("example", "example-2"), "example-3"),
        ("ada@localhost", (), "localhost"),
        ("ada@[127.0.0.1]", (), "127"),
        ("ada@---", (), "mail"),
    ],
)
def test_an_account_is_called_after_its_domain(address, taken, name):
    assert account_name(address, taken) == name


@pytest.mark.parametrize("size", SIZES)
async def test_no_text_speaks_to_the_terminal(tmp_path, size):
    async with engine_with(tmp_path, ada=account()) as engine:
        for address, name, host, user in zip(*[iter([*EVIL, EVIL[3]])] * 4, strict=True):
            async with staged(lambda: SetupScreen(engine), size) as (stage, pilot):
                put(stage, address=address, name=name, incoming_host=host, smtp_user=user, incoming_port=user)
                await pilot.press("f9")
                assert_harmless(stage)


async def test_what_was_wrong_with_a_field_goes_when_it_is_mended(engine):
    async with staged(lambda: SetupScreen(engine), (100, 50)) as (stage, pilot):
        await type_in(pilot, "ada")
        await pilot.press("tab")
        await until(pilot, lambda: "Your address is needed in full" in shown(stage))
        await pilot.press("shift+tab", "end")
        await type_in(pilot, "@")
        await until(pilot, lambda: "Your address is needed in full" not in shown(stage))
        await type_in(pilot, "example.org")
        await pilot.press("tab", "f9")
        await until(pilot, lambda: "The password your provider gave you" in words_of(stage))
        put(stage, password="x")
        await until(pilot, lambda: "The password your provider gave you" not in words_of(stage))


async def test_a_ca_file_is_taken_for_both_servers(engine, tmp_path):
    async with staged(lambda: SetupScreen(engine), (100, 50)) as (stage, pilot):
        (tmp_path / "ca.pem").touch()
        fill(stage, 1, 1, ca_file=str(tmp_path / "ca.pem"))
        await pilot.pause()
        typed, _, _ = stage.screen.query_one(AccountForm).read()
        assert (typed.pop3.tls_ca_file, typed.smtp.tls_ca_file) == (str(tmp_path / "ca.pem"),) * 2
        for missing in ("~nobody-at-all/ca.pem", str(tmp_path)):
            put(stage, ca_file=missing)
            await pilot.press("f9")
            await until(pilot, lambda: "There is no such file." in shown(stage))
            assert stage.focused.id == "ca-file"
            assert "✗" not in shown(stage)


# -- IMAP or POP3

IMAP_MEANS = "What you read, move and file is the same on all your devices."
POP3_MEANS = "Mail is fetched to this machine; folders and flags stay here."


@pytest.mark.parametrize("size", SIZES)
async def test_the_protocol_is_one_key_away_and_says_what_it_means(engine, size):
    async with staged(lambda: SetupScreen(engine), size) as (stage, pilot):
        put(stage, address="ada@example.org")
        await pilot.press("tab")
        stage.screen.query_one("#protocol", Choice).focus()
        for key, other in (("f2", "f2"), ("space", "left"), ("right", "right")):
            await until(pilot, lambda: "(x) IMAP   ( ) POP3" in shown(stage) and IMAP_MEANS in words_of(stage))
            assert value(stage, "incoming-host") == "imap.example.org"
            await pilot.press(key)
            await until(pilot, lambda: "( ) IMAP   (x) POP3" in shown(stage) and POP3_MEANS in words_of(stage))
            assert "Incoming mail, POP3" in shown(stage)
            assert (value(stage, "incoming-host"), value(stage, "incoming-port")) == ("pop.example.org", "995")
            await pilot.press(other)
        assert stage.focused.id == "protocol"


async def test_the_protocol_is_in_the_order_of_the_fields_and_the_focus_shows(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        choice = stage.screen.query_one("#protocol")
        calm = choice.rich_style
        stage.screen.query_one("#password").focus()
        await pilot.press("tab")
        assert stage.focused is choice
        assert choice.rich_style.bold
        assert choice.rich_style != calm
        await pilot.press("enter")
        assert stage.focused.id == "incoming-host"
        await pilot.press("up", "up")
        assert stage.focused.id == "password"


async def test_a_click_chooses_the_protocol(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await pilot.click("#protocol", offset=(14, 0))
        assert stage.screen.query_one(Choice).value == "pop3"
        await pilot.click("#protocol", offset=(0, 0))
        assert stage.screen.query_one(Choice).value == "imap"
        await pilot.click("#protocol", offset=(9, 0))  # between the two
        assert stage.screen.query_one(Choice).value == "imap"


async def test_what_was_typed_stays_when_the_protocol_changes(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        put(stage, address="ada@example.org")
        await pilot.press("tab")
        put(stage, incoming_host="mail.example.net", incoming_user="countess", incoming_port="1993")
        await pilot.press("f2")
        await until(pilot, lambda: POP3_MEANS in words_of(stage))
        assert [value(stage, f"incoming-{name}") for name in ("host", "port", "user")] == [
            "mail.example.net",
            "1993",
            "countess",
        ]


async def test_the_port_follows_protocol_and_security(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        stage.screen.query_one("#incoming-security", Select).value = "starttls"
        await until(pilot, lambda: value(stage, "incoming-port") == "143")
        await pilot.press("f2")
        await until(pilot, lambda: value(stage, "incoming-port") == "110")
        stage.screen.query_one("#address").focus()
        put(stage, address="ada@example.org")
        await pilot.press("tab")
        await until(pilot, lambda: value(stage, "incoming-host") == "pop.example.org")
        assert value(stage, "incoming-port") == "110"


async def test_a_chosen_protocol_does_not_follow_the_address(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await pilot.press("f2")
        stage.screen.query_one("#address").focus()
        put(stage, address="ada@gmail.com")
        await pilot.press("tab")
        assert value(stage, "incoming-host") == "pop.gmail.com"
        assert "Switch POP on" in words_of(stage)
        await pilot.press("f2")
        await until(pilot, lambda: value(stage, "incoming-host") == "imap.gmail.com")
        assert "Switch POP on" not in words_of(stage)
        assert "app password" in words_of(stage)


async def test_a_provider_with_one_protocol_only_is_said(engine):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        put(stage, address="ada@icloud.com")
        await pilot.press("tab")
        await until(pilot, lambda: f"This provider has IMAP only. {IMAP_MEANS}" in words_of(stage))
        assert value(stage, "incoming-user") == "ada"
        await pilot.press("f2")
        await until(pilot, lambda: "This provider has no POP3, only IMAP." in words_of(stage))
        assert value(stage, "incoming-host") == ""
        put(stage, password=PASSWORD)
        await pilot.press("f9")
        await until(pilot, lambda: "name of the server" in words_of(stage))
        assert stage.focused.id == "incoming-host"


async def test_the_protocol_follows_the_address_until_it_is_chosen(engine, monkeypatch):
    old = discovery.Provider(("old.example",), "", "pop3.old.example", "smtp.old.example")
    monkeypatch.setitem(discovery._BY_DOMAIN, "old.example", old)
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        put(stage, address="ada@old.example")
        await pilot.press("tab")
        await until(pilot, lambda: f"This provider has POP3 only. {POP3_MEANS}" in words_of(stage))
        assert "Incoming mail, POP3" in shown(stage)
        assert (value(stage, "incoming-host"), value(stage, "incoming-port")) == ("pop3.old.example", "995")
        stage.screen.query_one("#address").focus()
        put(stage, address="ada@example.org")
        await pilot.press("tab")
        await until(pilot, lambda: "Incoming mail, IMAP" in shown(stage) and f" {IMAP_MEANS}" in words_of(stage))
        assert (value(stage, "incoming-host"), value(stage, "incoming-port")) == ("imap.example.org", "993")


@pytest.mark.parametrize("size", SIZES)
async def test_an_imap_account_is_tried_and_saved(engine, smtp_server, size):
    smtp = await smtp_server()
    async with (
        Honest(mails=mails(3)).running() as imap,
        staged(lambda: SetupScreen(engine), size) as (stage, pilot),
    ):
        fill(stage, imap.port, smtp.port, "imap")
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: "Open your inbox" in shown(stage))
        assert "✓ Receiving from 127.0.0.1 works: 3 messages wait there." in " ".join(steps_of(stage))
        await pilot.press("f2")  # it is saved: too late
        saved = config.load(engine.context.paths.config).accounts["example"]
        assert (saved.protocol, saved.imap.port, saved.imap.username) == ("imap", imap.port, USER)
        assert await engine.context.passwords.get("example", "imap", saved) == Password(PASSWORD)


async def test_an_imap_server_that_refuses_the_password_focuses_it(engine, smtp_server):
    smtp = await smtp_server()
    refuses = Honest(answers={"AUTHENTICATE": b"TAG NO [AUTHENTICATIONFAILED] no\r\n"})
    async with refuses.running() as imap, staged(lambda: SetupScreen(engine), (80, 24)) as (stage, pilot):
        fill(stage, imap.port, smtp.port, "imap")
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: stage.focused.id == "password" and "Not accepted." in shown(stage))
        assert {"✗ Receiving", "✓ Sending"} == {" ".join(step.split()[:2]) for step in steps_of(stage)}
        assert not engine.context.paths.config.exists()
        put(stage, incoming_user="countess")  # it may have been the wrong name
        await until(pilot, lambda: "Not accepted." not in shown(stage))


async def test_another_protocol_clears_what_the_last_try_said_of_the_server(engine, smtp_server):
    smtp = await smtp_server()
    async with staged(lambda: SetupScreen(engine), (80, 24)) as (stage, pilot):
        fill(stage, 1, smtp.port, "imap")
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: stage.focused.id == "incoming-host" and "Not reached." in shown(stage))
        await pilot.press("f2")
        await until(pilot, lambda: "✗" not in shown(stage) and "Not reached." not in shown(stage))
        assert [step.has_class("smtp") for step in stage.screen.query(".setup-step") if step.display] == [True]


async def test_one_password_serves_two_user_names(engine, smtp_server):
    smtp = await smtp_server()
    async with Honest().running() as imap, staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        fill(stage, imap.port, smtp.port, "imap", incoming_user="ada")
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: "Open your inbox" in shown(stage))
        settings = engine.accounts.settings("example")
        assert await engine.context.passwords.get("example", "smtp", settings) == Password(PASSWORD)


@pytest.mark.parametrize(
    ("downs", "chosen", "download", "days"),
    [
        (-1, "when opened", "open", 0),
        (0, "last 30 days", "open", 30),
        (1, "last 90 days", "open", 90),
        (2, "a year at once", "365 days", 30),
        (3, "all at once", "all", 30),
    ],
)
@pytest.mark.parametrize("protocol", ["pop3", "imap"])
async def test_setup_asks_once_which_bodies_are_fetched_before_they_are_opened(
    engine, pop3_server, smtp_server, protocol, downs, chosen, download, days
):
    smtp = await smtp_server()
    async with (
        Honest().running() as imap,
        staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot),
    ):
        port = imap.port if protocol == "imap" else (await pop3_server()).port
        fill(stage, port, smtp.port, protocol)
        if protocol == "imap":
            put(stage, incoming_user="ada")
        await pilot.pause()
        assert "Bodies last 30 days" in words_of(stage)
        assert "Fetched quietly in the background, so that search covers them." in words_of(stage)
        stage.screen.query_one("#bodies").focus()
        if downs:
            await pilot.press("enter", *(["down"] if downs > 0 else ["up"]) * abs(downs), "enter")
        await until(pilot, lambda: f"Bodies {chosen}" in words_of(stage))
        await pilot.press("f9")
        await until(pilot, lambda: "Open your inbox" in shown(stage))
        incoming = config.load(engine.context.paths.config).accounts["example"].incoming
        assert (incoming.download, incoming.prefetch_days) == (download, days)


async def test_a_choice_of_bodies_says_what_search_covers(engine):
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        for chosen, words in (
            ("when opened", "Fetched when you open a message; search covers them from then on."),
            ("all at once", "Fetched as soon as mail is received, so that search covers them."),
        ):
            stage.screen.query_one("#bodies", Select).value = chosen
            await until(pilot, lambda words=words: words in words_of(stage))
