from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.message import Address
from termmail.mail.sanitize import (
    address_text,
    cells,
    clean,
    clean_address,
    clean_bytes,
    clean_lines,
    clean_words,
    cut,
    cut_sender,
    domain_warning,
    name_warning,
    safe_name,
    sender_text,
)
from tests.mail.nasty import ESCAPES, FILE_NAMES, MARKUP

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
# format characters that are drawn: Arabic number signs, Kaithi and Egyptian marks
VISIBLE_FORMAT = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}


def unsafe(text: str, lines: bool = False) -> list[str]:
    """The characters of `text` that must never reach a terminal, judged by Unicode's own tables."""
    found = []
    for char in text:
        kind, code = unicodedata.category(char), ord(char)
        if (
            (kind == "Cc" and not (lines and char == "\n"))
            or kind in ("Cs", "Zl", "Zp")
            or (kind == "Cf" and char != "\u200d" and code not in VISIBLE_FORMAT)
            or code & 0xFFFE == 0xFFFE
            or 0xFDD0 <= code <= 0xFDEF
            or 0xE0000 <= code <= 0xE0FFF
        ):
            found.append(char)
    return found


def test_no_character_of_unicode_gets_through_that_a_terminal_would_obey() -> None:
    for start in range(0, sys.maxunicode + 1, 64):
        text = "a".join(map(chr, range(start, start + 64)))
        assert unsafe(clean(text)) == []
        assert unsafe(clean_lines(text), lines=True) == []


@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once, lines = clean(text), clean_lines(text)
    assert clean(once) == once
    assert clean_lines(lines) == lines
    assert clean_address(clean_address(text)) == clean_address(text)
    assert unsafe(once) == []
    assert unsafe(lines, lines=True) == []


@given(st.text("a\u200d\ufe0f\u200b❤👩👧🏽1\u20e3\u0301\u202e\r\n\t", max_size=30))
def test_cleaning_twice_is_cleaning_once_among_joiners(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_lines(clean_lines(text)) == clean_lines(text)


@pytest.mark.parametrize("name", ESCAPES)
def test_escape_sequences_lose_their_escape_and_keep_their_words(name: str) -> None:
    assert unsafe(clean(f"before {ESCAPES[name]} after")) == []
    assert clean(f"before {ESCAPES[name]} after").startswith("before ")
    assert clean(f"before {ESCAPES[name]} after").endswith(" after")


def test_an_unterminated_sequence_does_not_swallow_what_follows() -> None:
    assert clean("\x1b]0;never ends, INNOCENT") == "\ufffd]0;never ends, INNOCENT"


def test_breaks_and_tabs_become_spaces_in_one_line() -> None:
    assert clean("a\r\nb\nc\rd\te\x0bf\x0cg\x85h\u2028i\u2029j") == "a b c d e f g h i j"


def test_every_kind_of_break_is_a_line_and_tabs_stop_at_eight() -> None:
    assert clean_lines("a\r\nb\nc\rd\x0be\x0cf\x85g\u2028h\u2029i") == "\n".join("abcdefghi")
    assert clean_lines("ab\tc\n\td") == "ab      c\n        d"


def test_invisible_and_turning_characters_are_gone() -> None:
    assert clean("pay\u200bpal\u202egpj.exe\u2066\u00ad\ufeff") == "paypalgpj.exe"


def test_emoji_stay_whole() -> None:
    for emoji in ("👩‍👩‍👧", "❤️", "1️⃣", "🏳️‍🌈", "👋🏽", "🇫🇷", "👩🏽‍💻"):
        assert clean(emoji) == emoji


def test_joiners_outside_emoji_are_gone() -> None:
    assert clean("a\u200db\ufe0f 1\ufe0f2 👩\u200d") == "ab 12 👩"
    assert clean("a\u200db") == "ab"
    assert clean("a\ufe0fb") == "ab"


def test_towers_of_marks_are_cut_and_real_scripts_are_not() -> None:
    assert clean("z" + "\u0310" * 50) == "z" + "\u0310" * 4
    assert clean("z" + "\U0001e8d0" * 50) == "z" + "\U0001e8d0" * 4
    for words in ("हम कल योजनाओं पर", "ที่นี่", "שָׁלוֹם", "Việt Nam", "بِسْمِ ٱللَّٰهِ"):
        assert clean(words) == words


def test_lone_surrogates_are_replaced() -> None:
    assert clean("\ud800\udfff").encode() == "\ufffd\ufffd".encode()


def test_server_words_are_cut_and_clean() -> None:
    assert clean_bytes(b"-ERR \x1b[2J\xff no\r\n") == "-ERR \ufffd[2J\ufffd no"
    assert len(clean_bytes(b"x" * 10_000)) == 500
    assert len(clean_bytes("ü".encode() * 10_000, 20)) == 20


# --- cells


@given(st.text("ab日本é👩😀\u0301 한❤", max_size=40), st.integers(1, 30))
def test_cut_never_takes_more_cells_than_given(text: str, room: int) -> None:
    text = clean(text)
    short = cut(text, room)
    assert cells(short) <= room
    assert short == text or short.endswith("…")
    if cells(text) <= room:
        assert short == text


def test_cut_of_a_megabyte_looks_only_at_its_start() -> None:
    assert cut("日" * 1_000_000, 10) == "日日日日…"


# --- file names


@pytest.mark.parametrize("name", FILE_NAMES)
def test_file_names_stay_in_the_folder(name: str) -> None:
    made = safe_name(FILE_NAMES[name])
    assert made
    assert not set(made) & set('/\\:*?"<>|\x00\r\n')
    assert made[0] not in ".-~ "
    assert made[-1] not in ". "
    assert len(made.encode()) <= 200
    assert unsafe(made) == []
    assert made.partition(".")[0].upper() not in ("CON", "NUL", "AUX", "PRN", "COM1")


@given(ANY_TEXT)
def test_any_file_name_is_safe_and_stable(name: str) -> None:
    made = safe_name(name)
    assert safe_name(made) == made
    assert made not in ("", ".", "..")
    assert len(made.encode()) <= 200
    assert not set(made) & set("/\\:\x00")
    assert made[0] not in ".-~ "


def test_ordinary_file_names_stay_as_they_are() -> None:
    for name in ("Report 2026.pdf", "Übersicht.docx", "写真.jpg", "a.tar.gz", "it's (1).txt", "no extension"):
        assert safe_name(name) == name


def test_the_extension_survives_a_long_name() -> None:
    assert safe_name("語" * 500 + ".pdf").endswith("語.pdf")


def test_nothing_left_means_the_default() -> None:
    assert safe_name("///", "photo.png") == "photo.png"
    assert safe_name(" . - ~ ") == "attachment"


def test_programs_are_called_programs() -> None:
    assert name_warning("report.pdf", "application/pdf") == ""
    assert "program" in name_warning("setup.exe", "application/octet-stream")
    assert ".pdf" in name_warning("invoice.pdf.exe", "application/pdf")
    assert "program" in name_warning(safe_name("invoice.pdf" + " " * 200 + ".exe"), "application/pdf")
    assert "program" in name_warning("innocent", "application/x-msdownload")


# --- people


def test_the_whole_address_always_stands_beside_the_name() -> None:
    assert address_text(Address("Ada Lovelace", "ada@example.org")) == "Ada Lovelace <ada@example.org>"
    assert address_text(Address("", "ada@example.org")) == "ada@example.org"
    long = address_text(Address("x" * 500, "a" * 100 + "@example.org"))
    assert long.endswith(f"… <{'a' * 100}@example.org>")


def test_a_name_cannot_draw_a_second_address() -> None:
    shown = address_text(Address("Bank <support@bank.example>", "evil@example.net"))
    assert shown == '"Bank <support@bank.example>" <evil@example.net>'
    assert address_text(Address('" <a@b> "', "evil@example.net")) == "\"' <a@b> '\" <evil@example.net>"


def test_a_foreign_domain_shows_what_it_really_is() -> None:
    assert address_text(Address("", "ada@bücher.example")) == "ada@bücher.example (xn--bcher-kva.example)"


def test_a_list_shows_the_address_when_the_name_poses_as_one() -> None:
    assert sender_text(Address("Ada", "ada@example.org")) == "Ada"
    assert sender_text(Address("", "ada@example.org")) == "ada@example.org"
    for name in ("boss@example.org", "boss＠example.org", "boss﹫example.org"):
        assert sender_text(Address(name, "evil@example.net")) == "evil@example.net"
    assert sender_text(Address("\u2800\u3164 ", "ada@example.org")) == "ada@example.org"
    assert "@" not in sender_text(Address("boss@example.org", ""))


def test_domains_that_pose_as_others_are_told() -> None:
    assert "mixes" in domain_warning("service@p\u0430ypal.com")
    assert "xn--80ak6aa92e.com" in domain_warning("id@\u0430\u0440\u0440\u04cf\u0435.com")
    assert "“apple”" in domain_warning("id@xn--80ak6aa92e.com")
    assert "bücher.example" in domain_warning("ada@xn--bcher-kva.example")
    assert "cannot be shown" in domain_warning("ada@ba\u200bnk.example")


def test_honest_domains_are_not_told() -> None:
    for email in (
        "ada@example.org",
        "ada@bücher.example",
        "ada@例え.テスト",
        "ada@почта.рф",
        "ada@한국.kr",
        "ada@x漢ひカ.example",
        "ada@x漢한.example",
        "ada@x漢ㄅ.example",
        "nobody",
        "",
    ):
        assert domain_warning(email) == ""


def test_an_invisible_character_in_an_address_is_seen() -> None:
    assert clean_address("ada@ba\u200bnk.example") == "ada@ba\ufffdnk.example"


@given(ANY_TEXT, ANY_TEXT)
def test_people_are_always_clean(name: str, email: str) -> None:
    person = Address(name, email)
    for text in (address_text(person), sender_text(person), domain_warning(email)):
        assert unsafe(text) == []


@pytest.mark.parametrize("name", MARKUP)
def test_markup_is_left_alone_for_it_is_only_text(name: str) -> None:
    assert clean(MARKUP[name]) == MARKUP[name]


@given(st.text(alphabet="abc@.…漢é", max_size=40), st.integers(1, 30))
def test_a_bare_address_keeps_its_end_where_it_is_cut(text: str, room: int) -> None:
    shown = cut_sender(text, room)
    assert cells(shown) <= max(room, 1)
    if "@" in text and cells(text) > room:
        assert shown[0] == "…"
        assert text.endswith(shown[1:])


def test_a_long_address_is_cut_at_once() -> None:
    assert cut_sender("x" * 1_000_000 + "@bank.example.verify.example.net", 24) == "…mple.verify.example.net"


@pytest.mark.parametrize("blank", ["⠀", "ㅤ", "ᅟ", "ﾠ", "\u180e", "\u2060", "\u3000", "\xa0", "𝅙", "𓑁"])
def test_runs_of_characters_that_look_blank_are_one_space_or_nothing(blank: str) -> None:
    assert " ".join(clean_words(f"Ada{blank * 50} Lovelace{blank * 9}").split()) == "Ada Lovelace"
    assert clean_words(blank * 3) == ""
    assert clean_words(f"Ada {blank} {blank} L") == "Ada L"
    assert sender_text(Address(blank * 4, "ada@example.org")) == "ada@example.org"


def test_a_file_name_is_cut_where_it_is_longer_than_200_bytes() -> None:
    assert safe_name("x" * 196 + ".txt", "d") == "x" * 196 + ".txt"
    assert safe_name("x" * 197 + ".txt", "d") == "x" * 196 + ".txt"
    assert safe_name("x" * 250, "d") == "x" * 200
    assert safe_name("x" * 190 + "." + "y" * 20, "d") == "x" * 179 + "." + "y" * 20
    assert safe_name("x" * 190 + "." + "y" * 21, "d") == "x" * 190 + "." + "y" * 9
    assert safe_name("ä" * 150, "d") == "ä" * 100
    assert safe_name("CON.txt", "d") == "_CON.txt"
