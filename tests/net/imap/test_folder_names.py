"""Folder names in modified UTF-7: what RFC 3501 shows, every text, and names that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.net.imap.folder_names import decode_name, encode_name

NAMES = st.text(
    st.characters(blacklist_categories=("Cs",), min_codepoint=0x20, blacklist_characters="\x7f"), max_size=60
)


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", b"INBOX"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Entwürfe & Müll", b"Entw&APw-rfe &- M&APw-ll"),
        ("😀", b"&2D3eAA-"),
        ("&", b"&-"),
        ("", b""),
    ],
)
def test_names_are_written_as_the_rfc_shows(name, wire):
    assert encode_name(name) == wire
    assert decode_name(wire) == name


@given(NAMES)
def test_every_name_comes_back(name):
    wire = encode_name(name)
    assert decode_name(wire) == name
    assert all(0x20 <= byte < 0x7F for byte in wire)


@pytest.mark.parametrize("name", ["a\r\nA1 DELETE INBOX", "\x00", "\x7f", "\ud800"])
def test_a_name_that_could_become_a_command_is_refused(name):
    with pytest.raises(ValueError):
        encode_name(name)


@pytest.mark.parametrize(
    "wire",
    [b"&", b"&AA", b"&A-", b"&2D0-", b"&AGE-", b"&U,BTFw-&ZeVnLIqe-", b"a&&-", b"&Jjo!-", b"&AA0ACg-", "Müll".encode()],
)
def test_names_that_are_not_well_formed_are_shown_as_they_are(wire):
    assert decode_name(wire) == wire.decode("utf-8")


@given(st.binary(max_size=40))
def test_no_bytes_fail(wire):
    assert isinstance(decode_name(wire), str)
