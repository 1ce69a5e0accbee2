"""Setup asks a domain for its servers only after a key or a button, and fills in what greets."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets import Input, Select

from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.setup import SetupScreen
from termmail.ui.widgets.account_form import AccountForm
from termmail.ui.widgets.choice import Choice
from termmail.ui.widgets.lookup_offer import LookupOffer
from tests.lookup_servers import config_xml, network_use, page, server_xml
from tests.ui.stage import SIZES, engine_with, shown, staged, type_in, until, words_of

ADDRESS = "ada@example.org"


@pytest.fixture
async def engine(tmp_path, monkeypatch, domain):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    async with engine_with(tmp_path) as opened:
        opened.context.network = domain.network
        yield opened


def value(stage, name):
    return stage.screen.query_one(f"#{name}", Input).value


async def asked(stage, pilot, address=ADDRESS):
    """Type the address and ask its domain by the key; wait for what it said."""
    await type_in(pilot, address)
    await pilot.press("tab", "f3")
    await until(pilot, lambda: stage.screen._looking is None)
    await pilot.pause()


async def named(domain, imap="imap.example.org", smtp="smtp.example.org", **more):
    """Let the domain name two servers; return their ports."""
    ports = await domain.mail_server("imap", imap), await domain.mail_server("smtp", smtp)
    domain.srv("_imaps", f"0 1 {ports[0]} {imap}.")
    domain.srv("_submissions", f"0 1 {ports[1]} {smtp}.")
    return ports


async def fill_in(stage, pilot):
    """Type the address and go on to the servers; the screen says who could be asked."""
    assert not stage.screen.query_one(LookupOffer).display
    await type_in(pilot, ADDRESS)
    await pilot.press("tab", "tab", "tab", "tab")
    assert "Ask example.org for its mail servers (F3)" in words_of(stage)
    assert "Asks DNS, https://autoconfig.example.org and https://example.org" in words_of(stage)
    assert value(stage, "incoming-host") == "imap.example.org"


async def test_nothing_is_asked_before_the_key_and_the_screen_says_who_will_be(engine, domain):
    """SECURITY.md, D1."""
    await named(domain)
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        with network_use() as used:
            await fill_in(stage, pilot)
        assert used == domain.questions == domain.requests == []
        with network_use() as used:
            await pilot.press("f3")
            await until(pilot, lambda: "example.org names imap.example.org" in words_of(stage))
        assert used
        assert domain.questions


@pytest.mark.parametrize("size", SIZES)
async def test_the_key_asks_only_where_the_words_are_on_the_screen_and_shows_them_first(engine, domain, size):
    await named(domain)
    async with staged(lambda: SetupScreen(engine), size) as (stage, pilot):
        await type_in(pilot, ADDRESS)
        await pilot.press("f3")  # the address has just been typed: there was nothing to read yet
        await until(pilot, lambda: "Your address is not sent." in words_of(stage))
        assert "Ask example.org for its mail servers" in words_of(stage)
        assert stage.focused.id == "look-up"
        last, form = stage.screen.query_one("#ca-file"), stage.screen.query_one("#setup")
        last.focus()
        await until(pilot, lambda: form.region.contains_region(last.region))
        offer = ("Ask example.org for its mail servers", "Your address is not sent.")
        if not all(words in words_of(stage) for words in offer):
            await pilot.press("f3")
            await until(pilot, lambda: all(words in words_of(stage) for words in offer))
        assert stage.screen._looking is None
        assert domain.questions == []
        await pilot.press("f3")
        await until(pilot, lambda: "names imap.example.org" in words_of(stage))


@pytest.mark.parametrize("size", SIZES)
async def test_the_longest_domain_is_named_whole_and_can_be_asked(engine, domain, size):
    longest = f"{'a' * 63}.{'b' * 63}.{'c' * 63}.example.org"
    async with staged(lambda: SetupScreen(engine), size) as (stage, pilot):
        stage.screen.query_one("#address", Input).value = f"ada@{longest}"
        await pilot.press("tab", "f3")
        await pilot.pause()
        label = stage.screen.query_one("#look-up")
        assert label.region.width <= size[0]
        assert label.region.height * (label.region.width - 4) >= len(longest)
        await until(pilot, lambda: stage.screen.query_one(LookupOffer).read_on(stage.screen.query_one("#setup")))
        await pilot.press("f3")
        await until(
            pilot,
            lambda: "No mail server was found by asking" in stage.screen.query_one("#lookup-words").render().plain,
        )


@pytest.mark.parametrize("size", SIZES)
async def test_the_servers_that_greet_are_filled_in_with_the_keyboard_alone(engine, domain, size):
    imap, smtp = await named(domain)
    async with staged(lambda: SetupScreen(engine), size) as (stage, pilot):
        await type_in(pilot, ADDRESS)
        await pilot.press("tab", "tab", "tab")
        assert stage.focused.id == "look-up"
        await pilot.press("enter")
        await until(pilot, lambda: "names imap.example.org and smtp.example.org" in words_of(stage))
        assert (value(stage, "incoming-host"), value(stage, "incoming-port")) == ("imap.example.org", str(imap))
        assert (value(stage, "smtp-host"), value(stage, "smtp-port")) == ("smtp.example.org", str(smtp))
        assert value(stage, "incoming-user") == ADDRESS
        assert not engine.context.paths.config.exists()


async def test_what_was_typed_stays(engine, domain):
    await named(domain)
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        await type_in(pilot, ADDRESS)
        await pilot.press("tab")
        stage.screen.query_one("#incoming-host", Input).value = "mine.example.net"
        await pilot.press("f3")
        await until(pilot, lambda: "names imap.example.org" in words_of(stage))
        assert value(stage, "incoming-host") == "mine.example.net"


async def test_a_domain_with_pop3_and_starttls_only_is_taken_as_it_is(engine, domain):
    port = await domain.mail_server("pop3", "pop.example.org", tls=False)
    domain.hosts["autoconfig.example.org"] = "127.0.0.1"
    domain.files["autoconfig.example.org"] = page(
        config_xml(server_xml("pop3", "pop.example.org", port, socket="STARTTLS", user="%EMAILLOCALPART%"))
    )
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        await asked(stage, pilot)
        assert stage.screen.query_one(Choice).value == "pop3"
        assert value(stage, "incoming-host") == "pop.example.org"
        assert value(stage, "incoming-port") == str(port)
        assert value(stage, "incoming-user") == "ada"
        assert stage.screen.query_one("#incoming-security", Select).value == "starttls"
        assert "No server for sending was found." in words_of(stage)
        stage.screen.query_one("#address").focus()
        await pilot.press("tab")  # the guess does not come back
        assert value(stage, "incoming-host") == "pop.example.org"
        await pilot.press("f2")
        await until(pilot, lambda: value(stage, "incoming-host") == "imap.example.org")


async def test_a_password_goes_to_a_host_outside_the_domain_only_after_a_yes(engine, domain):
    """SECURITY.md, D3."""
    await named(domain, "imap.example.net", "smtp.example.org")
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await asked(stage, pilot)
        assert "imap.example.net is not part of example.org." in words_of(stage)
        stage.screen.query_one("#password", Input).value = "analytical"
        before = len(domain.heard)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        assert "Send your password to imap.example.net?" in words_of(stage)
        assert "smtp.example.org?" not in words_of(stage)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.screen, SetupScreen))
        assert stage.screen._trying is None
        assert not stage.screen.query(".setup-step")
        assert len(domain.heard) == before
        stage.screen.query_one("#incoming-host", Input).value = "127.0.0.1"  # the user's own word needs no question
        stage.screen.query_one("#smtp-host", Input).value = "127.0.0.1"
        await pilot.press("f9")
        await until(pilot, lambda: "Nothing is saved yet." in words_of(stage))


async def test_after_a_yes_the_servers_are_tried(engine, domain):
    await named(domain, "imap.example.invalid", "smtp.example.org")
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await asked(stage, pilot)
        stage.screen.query_one("#password", Input).value = "analytical"
        stage.screen.query_one("#smtp-host", Input).value = "127.0.0.1"
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "Receiving from imap.example.invalid: " in words_of(stage))


async def test_microsoft_is_told_as_it_is_also_when_it_refuses(engine):
    async with staged(lambda: SetupScreen(engine), (80, 40)) as (stage, pilot):
        await type_in(pilot, "ada@outlook.com")
        await pilot.press("tab")
        assert "Microsoft takes no password from mail programs" in words_of(stage)
        stage.screen.query_one(AccountForm).refuse("imap")
        await until(pilot, lambda: "Not accepted. Microsoft takes no password" in words_of(stage))


async def test_the_question_stops_and_says_so(engine, domain):
    waiting = asyncio.Event()

    async def silent(_request, _writer):
        waiting.set()
        await asyncio.Event().wait()

    domain.hosts["autoconfig.example.org"] = "127.0.0.1"
    domain.files["autoconfig.example.org"] = silent
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await type_in(pilot, ADDRESS)
        await pilot.press("tab", "f3")
        await until(pilot, waiting.is_set)
        assert "Esc stops asking" in shown(stage)
        await pilot.press("escape")
        await until(pilot, lambda: "Stopped asking." in words_of(stage))
        assert not stage.left


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ada@gmail.com", "The servers of this provider are known. Gmail wants an app password"),
        ("ada@outlook.com", "The servers of this provider are known. Microsoft takes no password"),
        ("ada@127.0.0.1", "This address has no domain to ask."),
        ("ada@localhost", "This address has no domain to ask."),
    ],
)
async def test_nobody_is_asked_about_what_is_known_or_no_domain(engine, domain, address, words):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await type_in(pilot, address)
        await pilot.press("tab", "f3")
        await pilot.pause()
        assert words in words_of(stage)
        assert stage.screen._looking is None
        assert not stage.screen.query_one(LookupOffer).display
        assert domain.questions == []


async def test_nothing_found_is_said_and_the_guess_stays(engine, domain):
    async with staged(lambda: SetupScreen(engine)) as (stage, pilot):
        await asked(stage, pilot)
        assert "No mail server was found by asking example.org." in words_of(stage)
        assert value(stage, "incoming-host") == "imap.example.org"
