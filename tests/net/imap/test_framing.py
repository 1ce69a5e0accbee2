"""Responses and their literals: any split of the bytes gives the same ones, and nothing is without a limit."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.net.imap.framing import DRAIN_LIMIT, Framing, Missing
from termmail.net.net_errors import ProtocolError, TooLarge

CONVERSATION = (
    b"* OK [CAPABILITY IMAP4rev1] costs {5}\r\n"
    b'* LIST () "/" {3}\r\na\r\n\r\n'
    b"* 1 FETCH (UID 5 BODY[HEADER] {11}\r\nA1 OK \r\n{3} BODY[TEXT] ~{0+}\r\n)\r\n"
    b"\r\n"
    b"A1 NO said {4}\r\n"
    b"+ go on {9}\r\n"
    b"* BYE\r\n"
)
FRAMES = [
    [b"* OK [CAPABILITY IMAP4rev1] costs {5}"],
    [b'* LIST () "/" ', b"a\r\n", b""],
    [b"* 1 FETCH (UID 5 BODY[HEADER] ", b"A1 OK \r\n{3}"[:11], b" BODY[TEXT] ", b"", b")"],
    [b""],
    [b"A1 NO said {4}"],
    [b"+ go on {9}"],
    [b"* BYE"],
]


def frames_of(pieces, **limits):
    framing = Framing()
    for name, value in limits.items():
        setattr(framing, name, value)
    found = []
    for piece in pieces:
        framing.receive(piece)
        while (frame := framing.next_frame()) is not None:
            found.append(frame)
    return found, framing


def test_literals_are_taken_by_their_length_and_words_that_look_like_one_are_words():
    assert frames_of([CONVERSATION])[0] == FRAMES


@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=30))
def test_any_split_of_the_bytes_gives_the_same_responses(cuts):
    edges = [0, *sorted(cuts), len(CONVERSATION)]
    pieces = [CONVERSATION[a:b] for a, b in itertools.pairwise(edges)]
    found, framing = frames_of(pieces)
    assert found == FRAMES
    assert framing.pending_bytes == 0


def test_byte_by_byte_too():
    assert frames_of([bytes([byte]) for byte in CONVERSATION])[0] == FRAMES


def test_only_crlf_ends_a_line():
    assert frames_of([b"* OK a\nb\rc\r\n"])[0] == [[b"* OK a\nb\rc"]]


@pytest.mark.parametrize("size", [b"4294967296", b"99999999999999999999"])
def test_a_literal_of_four_gigabytes_ends_the_session_before_it_comes(size):
    with pytest.raises(TooLarge):
        frames_of([b"* 1 FETCH (BODY[] {" + size + b"}\r\n"])


def test_a_literal_beyond_the_limit_is_read_past_and_the_next_response_is_whole():
    data = b"* 1 FETCH (BODY[] {3000}\r\n" + b"x" * 3000 + b" UID 4)\r\n* 2 EXISTS\r\n"
    found, _ = frames_of([data[at : at + 100] for at in range(0, len(data), 100)], literal_limit=2999)
    assert found == [[b"* 1 FETCH (BODY[] ", Missing.TOO_LARGE, b" UID 4)"], [b"* 2 EXISTS"]]


def test_the_literals_of_one_response_share_their_limit():
    data = b"* 1 FETCH (A {60}\r\n" + b"x" * 60 + b" B {60}\r\n" + b"y" * 60 + b")\r\n"
    assert frames_of([data], literal_limit=100)[0][0][1::2] == [b"x" * 60, Missing.TOO_LARGE]
    assert frames_of([data], literal_limit=120)[0][0][1::2] == [b"x" * 60, b"y" * 60]


def test_an_announced_size_allocates_nothing():
    tracemalloc.start()
    try:
        framing = Framing()
        framing.literal_limit = 1 << 30
        framing.receive(b"* 1 FETCH (BODY[] {1000000000}\r\nabc")
        assert framing.next_frame() is None
        assert framing.pending_bytes < 100
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_discarded_literal_needs_no_memory():
    tracemalloc.start()
    try:
        framing = Framing()
        framing.receive(b"* 1 FETCH (BODY[] {%d}\r\n" % DRAIN_LIMIT)
        for _ in range(DRAIN_LIMIT >> 18):
            framing.receive(bytes(1 << 18))
            assert framing.next_frame() is None
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        framing.receive(b")\r\n")
        assert framing.next_frame() == [b"* 1 FETCH (BODY[] ", Missing.TOO_LARGE, b")"]
    finally:
        tracemalloc.stop()


def test_a_line_of_fifty_megabytes_ends_the_session_at_once():
    framing = Framing()
    with pytest.raises(ProtocolError, match="line without an end"):
        for _ in range(50 << 4):
            framing.receive(b"x" * (1 << 16))
            framing.next_frame()
    assert framing.pending_bytes <= 2 << 16


@pytest.mark.parametrize("keyword", [b"SEARCH", b"search", b"ESEARCH", b"VANISHED"])
def test_lists_of_numbers_may_be_longer(keyword):
    line = b"* " + keyword + b" 1" * 50_000
    assert frames_of([line[:70_000], line[70_000:], b"\r\n"], long_line_limit=110_000)[0] == [[line]]
    with pytest.raises(ProtocolError):
        frames_of([line, b"\r\n"], long_line_limit=90_000)
    with pytest.raises(ProtocolError):
        frames_of([b"* LIST" + b" 1" * 50_000 + b"\r\n"], long_line_limit=110_000)


def test_a_response_of_endless_literals_ends_the_session():
    framing = Framing()
    framing.receive(b"* LIST () ")
    with pytest.raises(ProtocolError, match="does not end"):
        for _ in range(5000):
            framing.receive(b"{0}\r\n ")
            framing.next_frame()
