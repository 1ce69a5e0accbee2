"""Words are found whatever their case and accents, over line breaks, and in East Asian text; each hit is where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail import needle
from termmail.mail.needle import HITS_LIMIT, find, index
from tests.timing import assert_grows_less


def texts(lines: list[str], words: str) -> list[str]:
    """Return what is marked for each hit, its lines divided by "|"."""
    return ["|".join(lines[line][start:end] for line, start, end in hit) for hit in find(index(lines), words)]


@pytest.mark.parametrize(
    ("line", "words", "marked"),
    [
        ("The Engine and the engine", "engine", ["Engine", "engine"]),
        ("Café, cafe\u0301 and CAFE", "cafe", ["Café", "cafe\u0301", "CAFE"]),
        ("a cafe", "CAFÉ", ["cafe"]),
        ("Straße und STRASSE", "strasse", ["Straße", "STRASSE"]),
        ("İstanbul", "istanbul", ["İstanbul"]),
        ("Ｆｕｌｌ width", "full", ["Ｆｕｌｌ"]),
        ("これは日本語メールです", "日本語", ["日本語"]),
        ("かがか", "か", ["か", "か"]),
        ("ｶﾞス", "ガス", ["ｶﾞス"]),
        ("하한", "하", ["하"]),
        ("שָׁלוֹם", "שלום", ["שָׁלוֹם"]),
        ("two   spaces", "two spaces", ["two   spaces"]),
        ("  an indented line", "an indented", ["an indented"]),
        ("price: [1] (50%) a.b", "[1] (50%) a.b", ["[1] (50%) a.b"]),
        ("nothing here", "other", []),
        ("nothing here", "  ", []),
        ("aaaa", "aa", ["aa", "aa"]),
    ],
)
def test_words_are_found_without_case_and_accents(line, words, marked):
    assert texts([line], words) == marked


@pytest.mark.parametrize(
    ("lines", "words", "marked"),
    [
        (["the analytical", "engine works"], "analytical engine", ["analytical|engine"]),
        (["> the analytical", "> engine works"], "analytical engine", ["analytical|engine"]),
        (["> > a deep", "> > quote"], "deep quote", ["deep|quote"]),
        (["これは日本", "語です"], "日本語", ["日本|語"]),
        (["one", "two", "three"], "one two three", ["one|two|three"]),
        (["one", "", "two"], "one two", []),
        (["one", "> two"], "one two", []),
        (["> one", "> > two"], "one two", []),
    ],
)
def test_words_are_found_over_line_breaks_but_not_over_paragraphs(lines, words, marked):
    assert texts(lines, words) == marked


def test_a_quote_mark_is_no_part_of_what_is_found():
    assert texts(["> > the quoted words"], "quoted") == ["quoted"]
    assert texts(["> quoted"], "> quoted") == []


def test_hits_have_a_limit():
    assert len(find(index(["a" * 30_000]), "a")) == HITS_LIMIT


@given(st.lists(st.text(max_size=40), max_size=8), st.text(max_size=6))
def test_every_hit_lies_within_its_lines(lines, words):
    for hit in find(index(lines), words):
        assert hit
        for line, start, end in hit:
            assert 0 <= start < end <= len(lines[line])


@given(st.text(alphabet="aäAÄ bß日本ガ\u0301", min_size=1, max_size=30), st.data())
def test_any_piece_of_a_line_is_found_in_it(line, data):
    start = data.draw(st.integers(0, len(line) - 1))
    piece = line[start : data.draw(st.integers(start + 1, len(line)))]
    if needle.folded(piece):
        assert find(index([line]), piece)


def test_looking_through_a_text_takes_linear_time():
    def look(length: int) -> None:
        find(index(["déjà vu 日本語 and plain words " * 4] * length), "vu 日本語 and")

    assert_grows_less(lambda: look(500), lambda: look(4000), 14)
