"""Bytes to text: labels that lie, labels that are missing, letters that were cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail import charset
from termmail.mail.charset import decode, decode_lines
from termmail.mail.header import decode_words, is_base64
from termmail.mail.parse import envelope, parse, split_header
from tests.mail.nasty import mail, multi, part, typed
from tests.timing import assert_soon

RUSSIAN = "Привет, как дела у тебя сегодня? Мы встретимся завтра в офисе."
WRITTEN = {
    "cp1251": (RUSSIAN, "Счёт на оплату", "СРОЧНО: ОТЧЁТ ЗА НОЯБРЬ"),
    "koi8-r": (RUSSIAN, "Иванов Иван Иванович", "СРОЧНО: ОТЧЁТ ЗА НОЯБРЬ"),
    "cp866": (RUSSIAN,),
    "cp1253": ("Καλημέρα, σας στέλνω το τιμολόγιο για τις υπηρεσίες",),
    "cp1255": ("שלום רב, מצורפת החשבונית עבור השירותים",),
    "cp1252": (
        "Schöne Grüße aus München, die Straße", "Été à la plage, ça va bien. L'élève français naïf",
        "El niño comió mañana ¿qué tal? ¡Adiós!", "São Paulo não é a capital", "It’s a “quote” – really…", "Grüße",
    ),
    "cp932": ("こんにちは、お元気ですか。明日の会議についてご連絡いたします。", "会議の件"),
    "euc-jp": ("こんにちは、お元気ですか。明日の会議についてご連絡いたします。",),
    "gb18030": ("你好，我们明天在办公室开会讨论新项目。请准时参加", "会议通知"),
    "big5": ("您好，我們明天在辦公室開會討論新專案，請準時參加。", "會議通知"),
    "euc-kr": ("안녕하세요, 내일 회의에 대해 연락드립니다. 감사합니다.", "회의 안내", "“안녕하세요” … 내일·모레, 「회의」 안내"),
}  # fmt: skip


@pytest.mark.parametrize(("codec", "text"), [(codec, text) for codec, texts in WRITTEN.items() for text in texts])
def test_text_without_a_label_is_read_by_what_it_looks_like(codec: str, text: str) -> None:
    data = text.encode(codec)
    for label in ("", "us-ascii", "unknown-8bit", "x-klingon"):
        assert decode(data, label) == text
    assert decode_lines(data) == text
    assert parse(mail(body=data)).text == text
    assert envelope(b"Subject: " + data + b"\r\n").subject == text


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r", "cp932", "gb18030", "big5", "euc-kr"])
def test_foreign_text_among_ascii_lines_is_read(codec: str) -> None:
    text = f"Hello team,\n\nplease see below.\n{WRITTEN[codec][0]}\nBest regards\nhttps://example.org/\n"
    assert parse(mail(body=text.encode(codec))).text == text


@pytest.mark.parametrize("text", ["Grüße aus Köln, 日本", "Привет", "日本語のテキスト", "Grüße 😀"])
def test_a_letter_cut_at_the_end_does_not_garble_the_line(text: str) -> None:
    data = text.encode()[:-1]
    for shown in (decode(data, "utf-8"), decode(data), decode_lines(data), decode(data, "iso-8859-1")):
        assert shown == text[:-1] + "\ufffd"


def test_one_cut_letter_alone_is_told_from_latin_letters() -> None:
    assert decode(b"Angebot f\xc3", "utf-8") == "Angebot f\ufffd"
    assert decode(b"caf\xe9", "utf-8") == "café"
    assert decode(b"Gru\xdf", "utf-8") == "Gruß"
    assert decode_words("=?utf-8?Q?Angebot_f=C3?=") == "Angebot f\ufffd"
    name = parse(multi(part(b'application/pdf; name="' + "Übersicht für".encode()[:-2] + b'"', b"x"))).parts[0].name
    assert name == "Übersicht f_"


def test_a_file_name_cut_inside_a_letter_keeps_its_other_letters() -> None:
    value = b"Content-Disposition: attachment; filename*=utf-8''%C3%9Cbersicht%20f%C3"
    assert parse(multi(part(b"application/pdf", b"x", value))).parts[0].name == "Übersicht f_"


def test_iso_2022_jp_may_hold_characters_of_nec_and_kana() -> None:
    assert decode(b"\x1b$B-j-!-b\x1b(B No.1 \x1b$BF|K\\\x1b(B \x1b(I3:6\x1b(B.", "iso-2022-jp") == "㈱①№ No.1 日本 ｳｺｶ."
    assert decode("日本①".encode("cp932"), "iso-2022-jp") == "日本①"
    assert decode("日本①".encode(), "iso-2022-jp") == "日本①"
    assert decode(b"\x1b$BF|K\\\x1b(B", "iso-2022-jp") == "日本"
    assert decode(b"\x1b$BF|K\\-!\nplain", "iso-2022-jp").startswith("日本①\n")
    assert decode_words("=?ISO-2022-JP?B?GyRCLWobKEI=?=") == "㈱"


def test_every_character_of_jis_is_read_as_the_codec_reads_it() -> None:
    for row in range(0x21, 0x75):
        for cell in range(0x21, 0x7F):
            data = b"\x1b$B" + bytes((row, cell)) + b"\x1b(B"
            try:
                expected = data.decode("iso2022_jp")
            except UnicodeDecodeError:
                continue
            # one more character of NEC makes the standard codec give up
            shown = decode(data + b"\x1b$B-!\x1b(B", "iso-2022-jp")
            assert shown in (
                f"{expected}①",
                f"{expected}①".translate(
                    {
                        0x301C: 0xFF5E,
                        0x2016: 0x2225,
                        0x2212: 0xFF0D,
                        0xA2: 0xFFE0,
                        0xA3: 0xFFE1,
                        0xAC: 0xFFE2,
                        0x5C: 0xFF3C,
                    }
                ),
            )


def test_bytes_that_no_charset_has_are_replaced() -> None:
    assert decode(b"\x1b$B\x01\x01\x1b(B-", "iso-2022-jp").endswith("-")
    assert decode(b"a\x81", "windows-1252") == "a\ufffd"


@given(st.binary(max_size=200), st.sampled_from(["", "utf-8", "iso-2022-jp", "x-klingon", "cp932", "us-ascii"]))
def test_decoding_never_raises(data: bytes, label: str) -> None:
    decode(data, label)
    decode(b"\x1b$B" + data + b"\x1b(I" + data, label)
    decode_lines(data, label)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_utf_8_is_always_utf_8(text: str) -> None:
    for label in ("", "utf-8", "iso-8859-1", "x-klingon"):
        assert decode(text.encode(), label) == text


@pytest.mark.parametrize("unit", [b"\xa1", b"\x1b$B-!\x1b(B", b"\x82\xa0", b"\xff", "Привет ".encode("cp1251")])
def test_a_megabyte_of_anything_is_read_soon(unit: bytes) -> None:
    data = unit * (1_000_000 // len(unit))
    assert_soon(lambda: (decode(data), decode(data, "iso-2022-jp")), 3)


# --- the byte order mark and false labels


def test_a_byte_order_mark_before_the_header_loses_no_field() -> None:
    raw = b"\xef\xbb\xbf" + mail(b"From: Ada <ada@example.org>", body=b"hello")
    message = parse(raw)
    assert message.envelope.sender[0].email == "ada@example.org"
    assert envelope(split_header(raw)) == message.envelope
    assert message.headers[0][0] == "From"
    assert message.text == "hello"


@pytest.mark.parametrize("text", ["Hello Ada, this is plain text.\nBye", "Grüße aus Köln, alles gut?", "Hi, Bob!"])
def test_plain_text_that_is_labelled_base64_is_read(text: str) -> None:
    message = parse(typed(b"text/plain; charset=utf-8", text.encode(), b"base64"))
    assert message.text == text
    assert not is_base64(text.encode())


def test_real_base64_is_decoded_whatever_stands_around_it() -> None:
    for data in (b"SU5O\r\nT0NFTlQ=", b"\r\n\r\nSU5OT0NFTlQ=\r\n\r\n", b"SU5OT0NFTlQ", b"SU5OT0NFTlQ=\r\n" + b" " * 9):
        assert parse(typed(b"text/plain", data, b"base64")).text == "INNOCENT"
    assert is_base64(b"")


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        *((f"latin{n}", f"iso8859-{m}") for n, m in ((2, 2), (3, 3), (4, 4), (5, 9), (6, 10), (7, 13), (8, 14), (9, 15))),
        *((f"ISO-8859-{n}", f"iso8859-{n}") for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)),
        *((f"windows-125{n}", f"cp125{n}") for n in range(9)),
        *((f"x-cp125{n}", f"cp125{n}") for n in range(9)),
        *((f"IBM{n}", f"cp{n}") for n in (437, 850, 852, 855, 857, 858, 862, 865, 866)),
        ("latin1", "cp1252"), ("iso-8859-1", "cp1252"), ("tis-620", "cp874"), ("gb2312", "gb18030"), ("big5", "cp950"),
        ("shift_jis", "cp932"), ("euc-jp", "euc_jis_2004"), ("euc-kr", "cp949"), ("ks_c_5601-1987", "cp949"),
        ("koi8-r", "koi8-r"), ("koi8-u", "koi8-u"), ("macintosh", "mac-roman"), ("hz-gb-2312", "hz"),
    ],
)  # fmt: skip
def test_each_label_is_read_by_its_codec(label: str, codec: str) -> None:
    data = bytes(range(0xA1, 0xFF)) + b"\xb0\xa1\xb0\xa2" * 3
    assert decode(data, label) == data.decode(codec, "replace")


def test_half_width_kana_are_read_to_both_ends_of_their_range() -> None:
    assert decode(b"\x1b$B-!\x1b(I !_`\x1b(B", "iso-2022-jp") == "① ｡ﾟ`"


def test_a_line_break_ends_two_byte_characters() -> None:
    assert decode(b"\x1b$BF|K\\-!F\nF|K\\", "iso-2022-jp") == "日本①\n日本"


@pytest.mark.parametrize("label", ["windows-1251", "cp1251", "x-cp1251", "ms1251", "win-1251"])
def test_a_code_page_of_windows_has_many_names(label: str) -> None:
    assert decode("Ёлка".encode("cp1251"), label) == "Ёлка"


@pytest.mark.parametrize("label", charset.CHOICES)
def test_every_set_that_can_be_chosen_reads_any_bytes(label):
    for data in (b"", bytes(range(256)) * 3, b"\x1b$B$", b"\xff\xfe\x00"):
        assert isinstance(charset.decode_as(data, label), str)


@pytest.mark.parametrize("label", ["unicode_escape", "rot13", "zlib", "", "undefined", "utf-7"])
def test_no_other_set_can_be_chosen(label):
    with pytest.raises(KeyError):
        charset.decode_as(b"x", label)


def test_a_chosen_set_is_not_guessed_about():
    assert charset.decode_as("é".encode(), "windows-1252") == "Ã©"
    assert charset.decode_as("日本".encode("shift_jis"), "shift_jis") == "日本"
