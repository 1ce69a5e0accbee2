"""Every promise of reading, held against every nasty mail and against any bytes at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from termmail.mail import search_text
from termmail.mail.flowed import body, plain
from termmail.mail.message import shown_sections
from termmail.mail.parse import envelope, fingerprint, parse, part_bytes, snippet, split_header
from termmail.mail.sanitize import address_text, clean, clean_lines, safe_name, sender_text
from tests.mail.nasty import NASTY, UNREADABLE
from tests.mail.test_sanitize import unsafe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from termmail.mail.message import Message

MANY_LINES = frozenset({"text", "html"})


def strings(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every string inside a Struct, with the name of the field that holds it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, tuple):
        for each in value:
            yield from strings(each, name)
    elif isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            yield from strings(getattr(value, field.name), field.name)


def assert_clean(message: Message) -> None:
    for name, text in strings(message):
        lines = name in MANY_LINES
        assert unsafe(text, lines=lines) == [], name
        assert text == (clean_lines(text) if lines else clean(text)), name


def read_everything(raw: bytes) -> Message:
    """Call everything that reads a message; nothing of it may raise."""
    block = split_header(raw)
    assert raw.startswith(block)
    assert len(fingerprint(block)) == 32
    message = parse(raw)
    assert_clean(message)
    if len(block) < 1 << 20:
        assert envelope(block) == message.envelope
    assert any(line.text.strip() for line in body(message).lines)
    assert unsafe(plain(message), lines=True) == []
    for part in message.parts[:50]:
        assert len(part_bytes(raw, part.path)) == part.size
        assert safe_name(part.name) == part.name
    assert unsafe(snippet(message)) == []
    searched = search_text.read(message)
    assert unsafe(searched.text, lines=True) == unsafe(searched.files, lines=True) == []
    assert len(snippet(message)) <= 160
    assert len(searched.text) <= search_text.TEXT_LIMIT
    assert message.envelope.date is None or 0 <= message.envelope.date < 4102444800
    for person in (*message.envelope.sender, *message.envelope.to):
        assert unsafe(address_text(person) + sender_text(person)) == []
    return message


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", NASTY)
def test_nasty_mail_is_read_clean_and_soon(name: str) -> None:
    message = read_everything(NASTY[name])
    if name not in UNREADABLE:
        shown = "".join(each.title + each.text + each.html for each in shown_sections(message))
        assert "INNOCENT" in message.envelope.subject + shown


@pytest.mark.parametrize("name", NASTY)
def test_no_nasty_mail_forges_an_address_beyond_its_own(name: str) -> None:
    for person in parse(NASTY[name]).envelope.sender:
        assert "\n" not in person.email
        assert person.email == clean(person.email)


LINES = st.sampled_from(
    [
        b"From: a@b",
        b"Subject: =?utf-8?Q?=1B",
        b"?= =?utf-8?B?G1s=?=",
        b"Content-Type: multipart/mixed; boundary=x",
        b"Content-Type: multipart/alternative; boundary=y",
        b"Content-Type: text/html; charset=utf-16",
        b"Content-Type: text/plain; charset=iso-2022-jp",
        b"Content-Type: message/rfc822",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable",
        b"Content-Disposition: attachment; filename*0*=utf-8''%1b",
        b'; filename*1="../x',
        b"--x",
        b"--x--",
        b"--y",
        b"--y--",
        b"",
        b" ",
        b"\x1b]52;c;\x07",
        b"\x9b2J \xe2\x80\xae",
        b"GxtbMko=",
        b"=1B[2J=",
        b"\x00",
        b":",
        b"hello",
    ]
)
BROKEN_MAIL = st.lists(LINES, max_size=40).flatmap(
    lambda lines: st.sampled_from([b"\r\n", b"\n", b"\r"]).map(lambda end: end.join(lines))
)


@settings(max_examples=400)
@given(BROKEN_MAIL)
@example(b"Content-Type: multipart/mixed; boundary=x\n\n--x")
@example(b"Content-Type: multipart/mixed; boundary=x\n\n--x\n--x--\n--x")
@example(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n--x\r\n")
def test_any_heap_of_mail_lines_is_read_clean(raw: bytes) -> None:
    read_everything(raw)


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_clean(raw: bytes) -> None:
    read_everything(raw)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(name for name, raw in NASTY.items() if len(raw) < 4000)), st.data())
def test_nasty_mail_with_a_piece_cut_out_is_read_clean(name: str, data: st.DataObject) -> None:
    raw = NASTY[name]
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, len(raw)))
    read_everything(raw[:start] + raw[end:])


def test_the_collection_is_as_large_as_it_says() -> None:
    assert len(NASTY) >= 200
