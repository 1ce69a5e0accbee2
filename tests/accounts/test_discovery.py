from __future__ import annotations

import pytest

from termmail.accounts import config, config_writer, discovery


@pytest.mark.parametrize(
    ("address", "imap", "pop3", "smtp", "user"),
    [
        (
            "ada@gmail.com",
            ("imap.gmail.com", 993, "tls"),
            ("pop.gmail.com", 995, "tls"),
            ("smtp.gmail.com", 465, "tls"),
            "ada@gmail.com",
        ),
        (
            "ada@GMX.de",
            ("imap.gmx.net", 993, "tls"),
            ("pop.gmx.net", 995, "tls"),
            ("mail.gmx.net", 465, "tls"),
            "ada@GMX.de",
        ),
        ("ada@web.de", ("imap.web.de", 993, "tls"), ("pop3.web.de", 995, "tls"), ("smtp.web.de", 465, "tls"), "ada"),
        (
            "ada@hotmail.com",
            ("outlook.office365.com", 993, "tls"),
            ("outlook.office365.com", 995, "tls"),
            ("smtp.office365.com", 587, "starttls"),
            "ada@hotmail.com",
        ),
        (
            "ada@example.org",
            ("imap.example.org", 993, "tls"),
            ("pop.example.org", 995, "tls"),
            ("smtp.example.org", 465, "tls"),
            "ada@example.org",
        ),
        (
            "ada@bücher.example",
            ("imap.xn--bcher-kva.example", 993, "tls"),
            ("pop.xn--bcher-kva.example", 995, "tls"),
            ("smtp.xn--bcher-kva.example", 465, "tls"),
            "ada@bücher.example",
        ),
    ],
)
def test_an_address_names_its_servers(address, imap, pop3, smtp, user):
    assert discovery.protocols(address) == ("imap", "pop3")
    for protocol, incoming in (("imap", imap), ("pop3", pop3)):
        account = discovery.guess(address, protocol)
        assert account.protocol == protocol
        assert (account.incoming.host, account.incoming.port, account.incoming.security) == incoming
        assert (account.smtp.host, account.smtp.port, account.smtp.security) == smtp
        assert (account.incoming.username, account.smtp.username) == (user, user)
    assert discovery.guess(address) == discovery.guess(address, "imap")


def test_a_bridge_on_this_computer_is_reached_over_starttls():
    account = discovery.guess("ada@proton.me")
    assert (account.imap.host, account.imap.port, account.imap.security) == ("127.0.0.1", 1143, "starttls")
    assert (account.smtp.host, account.smtp.port, account.smtp.security) == ("127.0.0.1", 1025, "starttls")


def test_icloud_takes_the_local_part_for_receiving_and_the_address_for_sending():
    account = discovery.guess("ada@icloud.com")
    assert (account.imap.host, account.imap.username) == ("imap.mail.me.com", "ada")
    assert (account.smtp.host, account.smtp.username) == ("smtp.mail.me.com", "ada@icloud.com")


def test_what_a_provider_does_not_have_is_known():
    for address in ("ada@icloud.com", "ada@proton.me"):
        assert discovery.protocols(address) == ("imap",)
        assert discovery.guess(address).protocol == "imap"
    assert discovery.guess("ada@icloud.com", "pop3").pop3.host == "pop.icloud.com"


def test_a_provider_without_imap_is_guessed_with_pop3(monkeypatch):
    old = discovery.Provider(("old.example",), "", "pop3.old.example", "smtp.old.example", pop3_note="It is slow here.")
    monkeypatch.setitem(discovery._BY_DOMAIN, "old.example", old)
    assert discovery.protocols("ada@old.example") == ("pop3",)
    assert discovery.guess("ada@old.example").pop3.host == "pop3.old.example"
    assert discovery.guess("ada@old.example", "imap").imap.host == "imap.old.example"
    assert discovery.note("ada@old.example") == "It is slow here."
    assert discovery.note("ada@old.example", "imap") == ""


@pytest.mark.parametrize("provider", discovery.PROVIDERS, ids=lambda provider: provider.domains[0])
def test_every_guess_is_a_valid_account_that_is_never_in_the_clear(provider, tmp_path):
    for number, domain in enumerate(provider.domains):
        for protocol in discovery.protocols(f"ada@{domain}"):
            account = discovery.guess(f"ada@{domain}", protocol)
            name = f"{protocol}-{number}"
            config_writer.add_account(tmp_path / "config.toml", name, account)
            assert config.load(tmp_path / "config.toml").accounts[name] == account
            assert "none" not in (account.incoming.security, account.smtp.security)


@pytest.mark.parametrize("provider", discovery.PROVIDERS, ids=lambda provider: provider.domains[0])
def test_a_guess_takes_all_that_is_known_of_the_provider(provider):
    address = f"ada@{provider.domains[0]}"
    for protocol in discovery.protocols(address):
        account = discovery.guess(address, protocol)
        assert (account.incoming.host, account.smtp.host) == (getattr(provider, protocol), provider.smtp)
        assert account.smtp.security == provider.smtp_security
        assert account.incoming.username == ("ada" if protocol in provider.local_user else address)
        assert account.smtp.username == ("ada" if "smtp" in provider.local_user else address)
        if protocol == "pop3":
            assert account.pop3.poll_minutes == provider.poll_minutes
        else:
            assert (account.imap.poll_minutes, account.imap.security) == (5, provider.imap_security)
        note = discovery.note(address, protocol)
        assert {provider.note, getattr(provider, f"{protocol}_note")} - {""} == {
            words for words in (provider.note, provider.imap_note, provider.pop3_note) if words and words in note
        }
        assert not note or (note.endswith(".") and len(note.split()) > 4)
        assert note == " ".join(note.split()), "a name is missing in it"


def test_only_providers_that_ask_for_it_are_polled_more_rarely():
    every = {provider.poll_minutes for provider in discovery.PROVIDERS}
    assert min(every) == 5
    assert discovery.guess("ada@example.org", "pop3").pop3.poll_minutes == 5


def test_no_domain_belongs_to_two_providers():
    domains = [domain for provider in discovery.PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))


def test_who_needs_an_app_password_is_told():
    assert "app password" in discovery.note("ada@gmail.com")
    assert "app password" in discovery.note("ada@icloud.com")
    assert discovery.note("ada@example.org") == ""


def test_a_note_is_about_the_protocol():
    assert "POP" not in discovery.note("ada@gmail.com", "imap")
    assert "Switch POP on" in discovery.note("ada@gmail.com", "pop3")
    for protocol in ("imap", "pop3"):
        assert "OAuth" in discovery.note("ada@outlook.com", protocol)
