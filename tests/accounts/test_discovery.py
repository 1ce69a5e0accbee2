from __future__ import annotations

import pytest

from termmail.accounts import config, config_writer, discovery


@pytest.mark.parametrize(
    ("address", "pop3", "smtp", "user"),
    [
        ("ada@gmail.com", ("pop.gmail.com", 995, "tls"), ("smtp.gmail.com", 465, "tls"), "ada@gmail.com"),
        ("ada@GMX.de", ("pop.gmx.net", 995, "tls"), ("mail.gmx.net", 465, "tls"), "ada@GMX.de"),
        ("ada@web.de", ("pop3.web.de", 995, "tls"), ("smtp.web.de", 465, "tls"), "ada"),
        (
            "ada@hotmail.com",
            ("outlook.office365.com", 995, "tls"),
            ("smtp.office365.com", 587, "starttls"),
            "ada@hotmail.com",
        ),
        ("ada@proton.me", ("127.0.0.1", 995, "tls"), ("127.0.0.1", 1025, "starttls"), "ada@proton.me"),
        ("ada@example.org", ("pop.example.org", 995, "tls"), ("smtp.example.org", 465, "tls"), "ada@example.org"),
        (
            "ada@bücher.example",
            ("pop.xn--bcher-kva.example", 995, "tls"),
            ("smtp.xn--bcher-kva.example", 465, "tls"),
            "ada@bücher.example",
        ),
    ],
)
def test_an_address_names_its_servers(address, pop3, smtp, user):
    account = discovery.guess(address)
    assert (account.pop3.host, account.pop3.port, account.pop3.security) == pop3
    assert (account.smtp.host, account.smtp.port, account.smtp.security) == smtp
    assert (account.pop3.username, account.smtp.username) == (user, user)


@pytest.mark.parametrize("provider", discovery.PROVIDERS, ids=lambda provider: provider.domains[0])
def test_every_guess_is_a_valid_account_that_is_never_in_the_clear(provider, tmp_path):
    for domain in provider.domains:
        account = discovery.guess(f"ada@{domain}")
        config_writer.add_account(tmp_path / "config.toml", "a", account)
        assert config.load(tmp_path / "config.toml").accounts["a"] == account
        assert "none" not in (account.pop3.security, account.smtp.security)


@pytest.mark.parametrize("provider", discovery.PROVIDERS, ids=lambda provider: provider.domains[0])
def test_a_guess_takes_all_that_is_known_of_the_provider(provider):
    account = discovery.guess(f"ada@{provider.domains[0]}")
    assert (account.pop3.host, account.smtp.host) == (provider.pop3, provider.smtp)
    assert account.smtp.security == provider.smtp_security
    assert account.pop3.poll_minutes == provider.poll_minutes
    assert account.pop3.username == ("ada" if provider.local_user else f"ada@{provider.domains[0]}")
    note = discovery.note(f"ada@{provider.domains[0]}")
    assert note == provider.note
    assert not note or (note.endswith(".") and len(note.split()) > 4)


def test_only_providers_that_ask_for_it_are_polled_more_rarely():
    every = {provider.poll_minutes for provider in discovery.PROVIDERS}
    assert min(every) == 5
    assert discovery.guess("ada@example.org").pop3.poll_minutes == 5


def test_no_domain_belongs_to_two_providers():
    domains = [domain for provider in discovery.PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))


def test_who_needs_an_app_password_is_told():
    assert "app password" in discovery.note("ada@gmail.com")
    assert "no POP3" in discovery.note("ada@icloud.com")
    assert discovery.note("ada@example.org") == ""
