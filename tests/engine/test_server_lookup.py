"""What is made of the answer of a domain: settings, and sentences that are true."""

from __future__ import annotations

import pytest

from termmail.accounts.config import Imap, Pop3, Smtp
from termmail.accounts.discovery import guess
from termmail.engine.account_setup import login_advice
from termmail.engine.server_lookup import LookedUp, can_ask, look_up, what_is_asked
from termmail.net.net_errors import LoginRefused
from tests.lookup_servers import Domain, config_xml, page, server_xml, serving

ADDRESS = "ada@example.org"


@pytest.fixture
async def domain(certificates):
    async with serving(Domain(certificates.authority, certificates.ca_file)) as served:
        served.hosts["autoconfig.example.org"] = "127.0.0.1"
        yield served


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        (ADDRESS, "example.org"),
        ("ada@EXAMPLE.org", "example.org"),
        ("ada@bücher.example", "xn--bcher-kva.example"),
        ("ada@gmail.com", ""),
        ("ada@localhost", ""),
        ("ada@192.0.2.1", ""),
        ("ada", ""),
    ],
)
def test_only_the_domain_of_an_unknown_provider_can_be_asked(address, domain):
    assert can_ask(address) == domain


def test_whoever_is_asked_is_named():
    words = what_is_asked("example.org")
    for who in ("DNS", "https://autoconfig.example.org", "https://example.org", "the servers they name"):
        assert who in words


async def test_settings_have_the_address_as_user_name_unless_the_domain_tells_another(domain):
    imap = await domain.mail_server("imap", "imap.example.org")
    smtp = await domain.mail_server("smtp", "smtp.example.net", tls=False)
    domain.files["autoconfig.example.org"] = page(
        config_xml(
            server_xml("imap", "imap.example.org", imap, user="%EMAILLOCALPART%"),
            server_xml("smtp", "smtp.example.net", smtp, socket="STARTTLS", user=""),
        )
    )
    found = await look_up(ADDRESS, domain.network)
    assert found == LookedUp(
        "example.org",
        imap=Imap(host="imap.example.org", port=imap, username="ada"),
        smtp=Smtp(host="smtp.example.net", port=smtp, security="starttls", username=ADDRESS),
        outside=("smtp.example.net",),
        lines=(
            "example.org names imap.example.org and smtp.example.net.",
            "smtp.example.net is not part of example.org.",
        ),
    )
    assert found.found
    assert found.protocols == ("imap",)


async def test_both_protocols_are_kept_and_hosts_outside_are_named_first(domain):
    pop3 = await domain.mail_server("pop3", "pop.gmail.com")
    imap = await domain.mail_server("imap", "imap.gmail.com")
    domain.srv("_imaps", f"0 0 {imap} imap.gmail.com.")
    domain.srv("_pop3s", f"0 0 {pop3} pop.gmail.com.")
    found = await look_up(ADDRESS, domain.network)
    assert found.protocols == ("imap", "pop3")
    assert found.server("pop3") == found.pop3 == Pop3(host="pop.gmail.com", port=pop3, username=ADDRESS)
    assert found.lines[:2] == (
        "example.org names imap.gmail.com and pop.gmail.com.",
        "imap.gmail.com and pop.gmail.com are not part of example.org.",
    )
    assert "app password" in found.lines[2]


async def test_a_domain_that_takes_only_oauth_is_told_as_it_is(domain):
    oauth = server_xml("imap", "imap.example.org", 993, authentication="OAuth2")
    domain.files["autoconfig.example.org"] = page(config_xml(oauth))
    found = await look_up(ADDRESS, domain.network)
    assert not found.found
    assert found.lines == ("example.org takes only logins over OAuth, which termmail cannot do yet.",)


async def test_what_a_provider_wants_is_told_for_a_domain_of_ones_own(domain):
    port = await domain.mail_server("imap", "outlook.office365.com")
    domain.srv("_imaps", f"0 0 {port} outlook.office365.com.")
    lines = (await look_up(ADDRESS, domain.network)).lines
    assert any(line.startswith("Microsoft takes no password from mail programs") for line in lines)
    assert "outlook.office365.com is not part of example.org." in lines
    assert "No server for sending was found." in lines


async def test_a_server_that_does_not_answer_is_told(domain):
    port = await domain.mail_server("smtp", "smtp.example.org")
    domain.srv("_submissions", f"0 0 {port} smtp.example.org.")
    domain.srv("_imaps", "0 0 993 imap.example.org.")
    lines = (await look_up(ADDRESS, domain.network)).lines
    assert "No server called imap.example.org could be found." in lines
    assert "No server to receive from was found." in lines


def test_a_refused_password_at_microsoft_is_told_as_it_is():
    account = guess("ada@outlook.com")
    assert "OAuth" in login_advice(LoginRefused("No."), account, "imap")
    assert "OAuth" in login_advice(LoginRefused("No."), account, "smtp", "work")
    assert "OAuth" not in login_advice(LoginRefused("No."), guess("ada@gmail.com"), "imap")
