"""The width of text in cells is the one that Textual draws by."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from termmail.mail import cell_table
from termmail.mail.width import cells, widths
from tests.mail import make_cell_table

SEQUENCES = (
    "abc", "日本語", "👩‍👩‍👧", "❤️", "❤", "1️⃣", "e\u0301", "🇫🇷", "👋🏽", "👩🏽‍💻", "🏳️‍🌈", "🏴\U000e0067\U000e007f", "한국", "각",
    "ﾊﾝｶｸ", "１２", "…—“", "क्षत्रिय", "தமிழ்", "ที่นี่", "שָׁלוֹם", "بِسْمِ", "ᅠ\u1160", "\u0600", "☺️☺", "©️", "\u200d", "\ufe0f",
    "a\u200d", "\u200da", "a\ufe0f", "❤\u0301\ufe0f", "❤️\ufe0f", "\ufe0f\u200d❤", "\x00\x1b\x9b\n", "\U0001fae9", "\U00016ff0",
)  # fmt: skip


@pytest.mark.parametrize("text", SEQUENCES)
def test_cells_agree_with_what_draws_the_screen(text: str) -> None:
    assert cells(text) == cell_len(text)


def test_every_character_is_as_wide_as_it_is_drawn() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        assert cells(char) == cell_len(char), hex(code)
        assert cells(f"a{char}\ufe0f") == cell_len(f"a{char}\ufe0f"), hex(code)


@settings(max_examples=500)
@given(
    st.one_of(
        st.text("ab1日é👩👧😀❤☺\u0301\ufe0f\u200d 한\u094d\u0915🏽🇫©", max_size=40),
        st.text(st.characters(codec=None, exclude_categories=()), max_size=40),
    )
)
def test_any_sequence_is_as_wide_as_it_is_drawn(text: str) -> None:
    assert cells(text) == cell_len(text)
    found = list(widths(text))
    assert len(found) == len(text)
    assert sum(found) == cell_len(text)


def test_the_table_is_the_one_textual_has() -> None:
    written = make_cell_table.table()
    made: dict[str, str] = {}
    exec(written, made)
    assert [made[name] for name in ("ZERO", "WIDE", "WIDE_AS_EMOJI")] == [
        cell_table.ZERO,
        cell_table.WIDE,
        cell_table.WIDE_AS_EMOJI,
    ]
