"""What is told of a sender: only the reader's own server is believed, and nothing is told where all is fine."""

from __future__ import annotations

import pytest

from termmail.mail import trust
from termmail.mail.message import Address, Envelope, Message
from termmail.mail.trust import Known
from tests.timing import assert_soon

OWN = ["ada@example.org"]
HOSTS = ["imap.example.org", "example.org"]
KNOWN = [
    Known("charles@babbage.net", "Charles Babbage"),
    Known("billing@paypal.com", "PayPal"),
    Known("a@wayland.org", ""),
    Known("b@goodwill.org", ""),
]


def message(email: str, name: str = "", *results: str, **headers: str) -> Message:
    fields = [("Authentication-Results", result) for result in results]
    fields += [(key.replace("_", "-"), value) for key, value in headers.items()]
    return Message(Envelope(sender=(Address(name, email),)), tuple(fields))


def told(one: Message, known: list[Known] | None = None) -> list[str]:
    judged = trust.judge(one, OWN, HOSTS, known)
    return [*(f"! {words}" for words in judged.warnings), *judged.notes]


def test_a_known_sender_is_no_news():
    assert told(message("charles@babbage.net", "", "mx.example.org; dmarc=pass; spf=pass")) == []
    assert told(message("charles@babbage.net")) == []


def test_a_first_message_is_told():
    assert told(message("new@else.net", "New"), KNOWN) == ["First mail from this address."]


def test_a_known_name_at_another_address_is_told_with_the_address_before():
    assert told(message("cb@free.example", "charles  babbage"), KNOWN) == [
        "First mail from this address. Charles Babbage wrote from charles@babbage.net before."
    ]


@pytest.mark.parametrize(
    ("domain", "like"),
    [
        ("paypa1.com", "paypal.com"),
        ("paypall.com", "paypal.com"),
        ("xaypal.com", "paypal.com"),
        ("aypal.com", "paypal.com"),
        ("paypal.con", "paypal.com"),
        ("babb4ge.net", "babbage.net"),
        ("vvayland.org", "wayland.org"),
        ("wayIand.org".lower(), "wayland.org"),
        ("go0dwill.org", "goodwill.org"),
        ("papyal.com", "paypal.com"),
        ("pay-pal.com", "paypal.com"),
        ("mail.paypai.com", "paypal.com"),
        ("exarnple.org", "example.org"),
        ("babbagc.net", "babbage.net"),
    ],
)
def test_a_domain_that_looks_like_a_known_one_is_warned_of(domain, like):
    warning, _first = told(message(f"x@{domain}"), KNOWN)
    assert warning == f"! {trust.organization(domain)} is not {like}, from where you know people."


@pytest.mark.parametrize("domain", ["paypal.com", "mail.paypal.com", "other.net", "mail.com", "pay.com", "abbage.org"])
def test_other_domains_are_not(domain):
    assert [words for words in told(message(f"x@{domain}"), KNOWN) if words.startswith("!")] == []


def test_two_free_providers_do_not_look_alike():
    assert told(message("x@mail.com"), [Known("y@gmail.com", "")]) == ["First mail from this address."]


# -- Authentication-Results (RFC 8601)

FAILED = "Your server mx.example.org could not confirm that this is from bank.net (DMARC failed)"


@pytest.mark.parametrize(
    "results",
    [
        ("mx.example.org; dmarc=fail header.from=bank.net",),
        ("mx.example.org 1; spf=pass; dmarc=fail (p=REJECT; a=(nested)) header.from=bank.net",),
        ("MX.Example.ORG;dmarc = fail",),
        ("evil.net; dmarc=pass", "mx.example.org; dmarc=fail"),
        ("mx.example.org; dmarc=fail", "mx.example.org; dmarc=pass"),
    ],
)
def test_what_the_own_server_found_is_warned_of(results):
    assert [words.lower() for words in told(message("x@bank.net", "", *results))] == [f"! {FAILED}.".lower()]


@pytest.mark.parametrize(
    "results",
    [
        ("evil.net; dmarc=fail",),
        ("example.org.evil.net; dmarc=fail",),
        ("evilexample.org; dmarc=fail",),
        ("(mx.example.org) evil.net; dmarc=fail",),
        ("; dmarc=fail",),
        ("mx.example.org; none",),
        ("mx.example.org; spf=softfail; dkim=fail",),
        ("mx.example.org; spf=fail; dkim=pass",),
        ('mx.example.org; x="; dmarc=fail"; dmarc=pass',),
        ("mx.example.org; dmarc=pass (was dmarc=fail)",),
        ("mx.example.org; dkim=fail; dkim=pass; spf=fail",),
        ("org; dmarc=fail",),
    ],
)
def test_nothing_else_is(results):
    assert told(message("x@bank.net", "", *results)) == []


def test_spf_alone_counts_where_no_signature_passed():
    assert told(message("x@bank.net", "", "mx.example.org; spf=fail; dkim=none")) == [
        f"! {FAILED.replace('DMARC', 'SPF')}."
    ]


def test_a_mailing_list_breaks_signatures_and_is_no_reason_to_warn():
    found = told(message("x@bank.net", "", "mx.example.org; dmarc=fail", List_Id="<list.example.net>"))
    assert found == [f"{FAILED}, as often on mailing lists."]


def test_the_servers_of_a_provider_with_another_name_are_its_own():
    one = message("x@bank.net", "", "mx.google.com; dmarc=fail")
    assert trust.judge(one, ["ada@gmail.com"], ["imap.gmail.com"], None).warnings
    assert not trust.judge(one, OWN, HOSTS, None).warnings


@pytest.mark.parametrize("unit", ["(", "\\", '"', ";", "dmarc=", " ", "mx.example.org;"])
def test_a_field_of_any_length_is_read_soon(unit):
    one = message("x@bank.net", "", *([unit * (1_000_000 // len(unit))] * 30))
    assert_soon(lambda: told(one, [Known(f"a@domain{number}.net", "") for number in range(5_000)]), 2)
