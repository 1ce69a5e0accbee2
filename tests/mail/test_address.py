from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.address import addresses
from termmail.mail.message import Address
from tests.mail.test_sanitize import unsafe


def pairs(value: str) -> list[tuple[str, str]]:
    return [(each.name, each.email) for each in addresses(value)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ada Lovelace <ada@example.org>", [("Ada Lovelace", "ada@example.org")]),
        ("ada@example.org", [("", "ada@example.org")]),
        ("<ada@example.org>", [("", "ada@example.org")]),
        ('"Lovelace, Ada" <ada@example.org>', [("Lovelace, Ada", "ada@example.org")]),
        ('"Ada \\"A\\" L" <ada@example.org>', [('Ada "A" L', "ada@example.org")]),
        ("ada@example.org (Ada Lovelace)", [("Ada Lovelace", "ada@example.org")]),
        ("Ada (the (first) programmer) <ada@example.org>", [("Ada (the (first) programmer)", "ada@example.org")]),
        ("a@x.org, B <b@x.org>,\r\n\tc@x.org", [("", "a@x.org"), ("B", "b@x.org"), ("", "c@x.org")]),
        ("a@x.org,, ,b@x.org,", [("", "a@x.org"), ("", "b@x.org")]),
        ("a@x.org; b@x.org", [("", "a@x.org"), ("", "b@x.org")]),
        ("Friends: a@x.org, B <b@x.org>;, c@x.org", [("", "a@x.org"), ("B", "b@x.org"), ("", "c@x.org")]),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?Q?J=C3=BCrgen?= <j@x.org>", [("Jürgen", "j@x.org")]),
        ('"=?utf-8?Q?J=C3=BCrgen?=" <j@x.org>', [("Jürgen", "j@x.org")]),
        ("=?utf-8?Q?Lovelace,_Ada?= <ada@x.org>", [("Lovelace, Ada", "ada@x.org")]),
        ("Lovelace, Ada <ada@x.org>, b@x.org", [("Lovelace, Ada", "ada@x.org"), ("", "b@x.org")]),
        ('"ada <x>, l"@x.org', [("", '"ada <x>, l"@x.org')]),
        ("Ada < ada @ x . org >", [("Ada", "ada@x.org")]),
        ("<@a,@b:ada@x.org>", [("", "ada@x.org")]),
        ("Ada <ada@[192.0.2.1]>", [("Ada", "ada@[192.0.2.1]")]),
        ("MAILER-DAEMON", [("", "MAILER-DAEMON")]),
        ('"Ada <ada@x.org>', [('"Ada', "ada@x.org")]),
        ("Ada <ada@x.org", [("Ada", "ada@x.org")]),
        ("mailto:ada@x.org", [("", "ada@x.org")]),
        ("", []),
        ("<>", []),
        (" , ; ", []),
        ("Jürgen <jürgen@bücher.example>", [("Jürgen", "jürgen@bücher.example")]),
    ],
)
def test_addresses_as_they_really_come(value: str, expected: list[tuple[str, str]]) -> None:
    assert pairs(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # the address is what stands in the angle brackets, never what a name says
        ("boss@good.example <evil@bad.example>", [("boss@good.example", "evil@bad.example")]),
        ("<evil@bad.example> boss@good.example", [("boss@good.example", "evil@bad.example")]),
        ("<boss@good.example> <evil@bad.example>", [("<boss@good.example>", "evil@bad.example")]),
        # what is malformed stays whole (CVE-2023-27043, CVE-2019-16056)
        ("alice@good.example)bob@bad.example", [("", "alice@good.example)bob@bad.example")]),
        ("alice@good.example@bad.example", [("", "alice@good.example@bad.example")]),
        ("alice@good.example[bob@bad.example", [("", "alice@good.example[bob@bad.example")]),
        # an encoded-word is never decoded inside an address (Mailsploit)
        ("=?utf-8?Q?boss=40good.example=00?=@bad.example", [("", "=?utf-8?Q?boss=40good.example=00?=@bad.example")]),
        ("=?utf-8?Q?boss=40good.ex?=@bad.example (x)", [("x", "=?utf-8?Q?boss=40good.ex?=@bad.example")]),
        ("<=?utf-8?Q?boss=40good.example=3E?=@bad.example>", [("", "=?utf-8?Q?boss=40good.example=3E?=@bad.example")]),
        ("=?utf-8?Q?=3Cboss=40good.example=3E?= <e@bad.example>", [("<boss@good.example>", "e@bad.example")]),
        # nothing is dropped in silence
        ("<boss@good\u200b.example>", [("", "boss@good\ufffd.example")]),
        ("<boss@good.example\x00@bad.example>", [("", "boss@good.example\ufffd@bad.example")]),
        ("evil@bad.example: <boss@good.example>", [("evil@bad.example:", "boss@good.example")]),
    ],
)
def test_no_address_is_picked_out_of_a_lie(value: str, expected: list[tuple[str, str]]) -> None:
    assert pairs(value) == expected


@given(st.text('a@.,;:<>()"\\ \r\n=?q\x00\u200b', max_size=60))
def test_any_address_field_is_read_clean(value: str) -> None:
    for person in addresses(value):
        assert unsafe(person.name + person.email) == []
        assert person.name or person.email


@given(st.lists(st.tuples(st.text("ab ,.\"'", max_size=8), st.sampled_from(["a@x.org", "b.c@y.example"])), max_size=5))
def test_what_was_written_well_is_read_back(people: list[tuple[str, str]]) -> None:
    written = ", ".join('"' + name.replace('"', '\\"') + f'" <{email}>' for name, email in people)
    assert pairs(written) == [(" ".join(name.split()), email) for name, email in people]


def test_no_more_than_five_thousand_are_read() -> None:
    assert len(addresses(",".join(["a@b"] * 16_000))) == 5000
    assert len(addresses("(x)" + ",".join(["a@b"] * 16_000))) == 5000


def test_a_comment_behind_a_name_is_kept() -> None:
    assert addresses("Jason Lee (李展锋) <jason@example.org>") == (Address("Jason Lee (李展锋)", "jason@example.org"),)
    assert addresses('"Lee, Jason" (=?utf-8?B?5p2O?=) <j@example.org>') == (
        Address("Lee, Jason (李)", "j@example.org"),
    )
    assert addresses("jason@example.org (Jason)") == (Address("Jason", "jason@example.org"),)
    assert addresses("(Jason) <jason@example.org>") == (Address("Jason", "jason@example.org"),)
