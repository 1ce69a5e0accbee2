"""Address fields as people type them: what is read, what is refused, and that nothing goes to someone else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.compose import ComposeError, format_addresses, parse_addresses
from termmail.mail.message import Address
from termmail.mail.recipients import ascii_domain, wire_address
from termmail.mail.sanitize import clean
from tests.timing import assert_grows_less


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("", []),
        (" , ;; ", []),
        ("ada@example.org", [("", "ada@example.org")]),
        ("Ada Lovelace <ada@example.org>", [("Ada Lovelace", "ada@example.org")]),
        ("a@x.org, b@x.org; c@x.org,", [("", "a@x.org"), ("", "b@x.org"), ("", "c@x.org")]),
        (
            '"Lovelace, Ada" <ada@example.org>, Bob <b@x.org>',
            [("Lovelace, Ada", "ada@example.org"), ("Bob", "b@x.org")],
        ),
        (r'"Ada \"Countess\" L" <ada@example.org>', [('Ada "Countess" L', "ada@example.org")]),
        ("ada@example.org (Ada)", [("Ada", "ada@example.org")]),
        ("Ada (of (old) London) <ada@example.org>", [("Ada", "ada@example.org")]),
        ("Team: a@x.org, B <b@x.org>;", [("", "a@x.org"), ("B", "b@x.org")]),
        ("undisclosed-recipients:;", []),
        ("Jörg Müller <joerg@müller.example>", [("Jörg Müller", "joerg@müller.example")]),
        ('"a b"@x.org', [("", '"a b"@x.org')]),
        ("a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
        ("ada+tag@localhost", [("", "ada+tag@localhost")]),
        ("mailto:ada@example.org", [("", "ada@example.org")]),
        ("O'Brien <ob@x.org>", [("O'Brien", "ob@x.org")]),
        ("  Ada   L \t <ada@example.org>", [("Ada L", "ada@example.org")]),
    ],
)
def test_typed_fields_are_read(typed: str, read: list[tuple[str, str]]) -> None:
    assert parse_addresses(typed) == tuple(Address(*one) for one in read)


@pytest.mark.parametrize(
    "typed",
    [
        "ada",
        "ada@",
        "@example.org",
        "ada lovelace@example.org",
        "Lovelace, Ada <ada@example.org>",
        "a@x.org b@x.org",
        "<a@x.org> <b@x.org>",
        "Ada <ada@example.org",
        'Ada "L <ada@example.org>',
        "Ada (x <ada@example.org>",
        "a@b@c.org",
        "a@x..org",
        "a@-x.org",
        "a@x.org>",
        "Ada <a@x.org, b@x.org>",
        "a@exa\uff0emple.org",
        "a@x.org\u202e",
        "a\u200b@x.org",
        "a@x.org/b",
        "a@" + "x" * 64 + ".org",
        "\ud800@x.org",
        "Ada <>",
    ],
)
def test_what_is_no_address_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ComposeError) as caught:
        parse_addresses(typed)
    assert str(caught.value).endswith(".") or "<ada@example.org>" in str(caught.value)
    assert clean(str(caught.value)) == str(caught.value)


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\n", "\x1b", "\x7f"])
@pytest.mark.parametrize(
    "place", ["a{}@x.org", "a@x.org{}Bcc: b@x.org", "N{}ame <a@x.org>", '"N{}ame" <a@x.org>', "<a@x{}.org>"]
)
def test_line_breaks_and_controls_are_refused(bad: str, place: str) -> None:
    with pytest.raises(ComposeError):
        parse_addresses(place.format(bad))


def test_a_domain_goes_out_in_punycode_without_changing_its_letters() -> None:
    assert ascii_domain("Bücher.example") == "xn--bcher-kva.example"
    assert ascii_domain("straße.example") == "xn--strae-oqa.example"
    assert wire_address("a@例え.テスト") == "a@xn--r8jz45g.xn--zckzah"


def test_a_local_part_that_is_not_ascii_needs_smtputf8() -> None:
    with pytest.raises(ComposeError, match="before the @"):
        wire_address("jörg@x.org")
    assert wire_address("jörg@müller.example", smtputf8=True) == "jörg@xn--mller-kva.example"


NAMES = st.text(max_size=40).map(lambda text: " ".join(clean(text).replace("\ufffd", "").split()))
EMAILS = st.from_regex(r"[a-z0-9][a-z0-9.+_'=-]{0,20}@[a-z0-9]{1,10}(\.[a-z]{2,5}){0,2}", fullmatch=True)


@given(st.lists(st.builds(Address, NAMES, EMAILS), max_size=6))
def test_formatted_addresses_read_back_the_same(people: list[Address]) -> None:
    assert parse_addresses(format_addresses(people)) == tuple(people)


@given(st.text(st.sampled_from("aA1@.,;:<>\"\\() \u00e9'=?-[]"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        people = parse_addresses(text)
    except ComposeError:
        return
    for one in people:
        assert one.email in text
        wire_address(one.email, smtputf8=True)


@pytest.mark.parametrize(
    "unit", ["(", ")", '"', "<", ">", "\\", ":", "a:", "@:", ",", "a@b.org,", "a.", "(a)", '"a"', "a "]
)
def test_time_grows_with_the_size_and_not_with_its_square(unit: str) -> None:
    def read(size: int) -> None:
        with contextlib.suppress(ComposeError):
            parse_addresses(unit * (size // len(unit)))

    assert_grows_less(lambda: read(40_000), lambda: read(160_000), 9)


def test_a_domain_may_end_in_a_dot_and_an_address_holds_no_blank() -> None:
    assert ascii_domain("example.org.") == "example.org"
    for typed in ("a b@x.org", "a\u00a0b@x.org", "a@b\ufffd.org"):
        with pytest.raises(ComposeError, match="characters that an address cannot hold"):
            wire_address(typed)
