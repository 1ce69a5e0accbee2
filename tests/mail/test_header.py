from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail import charset
from termmail.mail.header import (
    decode_base64,
    decode_words,
    fields,
    message_id,
    message_ids,
    one_line,
    parameters,
    parse_date,
)

# --- fields


def test_fields_keep_order_case_and_folding() -> None:
    block = b"From: a\r\nSubject : b\r\n\tc\r\nnot a field\r\n: nameless\r\nX-A:\r\nFrom: d\r\n"
    assert [(name, value.split()) for name, value in fields(block)] == [
        ("From", ["a"]),
        ("Subject", ["b", "c"]),
        ("X-A", []),
        ("From", ["d"]),
    ]


def test_raw_bytes_are_utf8_or_the_charset_of_the_body_or_windows_1252() -> None:
    assert one_line(fields("Subject: Grüße\r\n".encode())[0][1]) == "Grüße"
    assert one_line(fields("Subject: Grüße\r\n".encode("latin-1"))[0][1]) == "Grüße"
    block = b"Subject: " + "Привет".encode("koi8-r") + b"\r\nContent-Type: text/plain; charset=koi8-r\r\n"
    assert one_line(fields(block)[0][1]) == "Привет"


# --- encoded-words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?b?R3LDvMOfZQ==?=", "Grüße"),
        ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        ("=?utf-8?Q?a?=\r\n =?iso-8859-1?Q?=FC?=", "aü"),
        ("x =?utf-8?Q?a?= y", "x a y"),
        ("=?utf-8?Q?a_b?=", "a b"),
        ("=?utf-8?Q?=E6=97?= =?utf-8?Q?=A5?=", "日"),
        ("=?utf-8?B?5pc=?= =?utf-8?Q?=A5?=", "日"),
        ("=?utf-8?Q?with spaces inside?=", "with spaces inside"),
        ("=?utf-8?Q?Really??_Yes?=", "Really?? Yes"),
        ("a=?utf-8?Q?b?=c", "abc"),
        ('"=?utf-8?Q?quoted?="', '"quoted"'),
        ("=?us-ascii*en?Q?language?=", "language"),
        ("=?utf-8?Q??=", ""),
        ("=?utf-8?Q?no end", "=?utf-8?Q?no end"),
        ("=?utf-8?X?what?=", "=?utf-8?X?what?="),
        ("=?utf-8?Q?no end =?utf-8?Q?then?=", "=?utf-8?Q?no end then"),
        ("=?utf-8?B?SU5OT0NFTlQ?=", "INNOCENT"),
        ("=?iso-8859-1?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?Q?Gr=FC=DFe?=", "Grüße"),
        ("=?x-klingon?Q?caf=C3=A9?=", "café"),
        ("=?x-klingon?Q?caf=E9?=", "café"),
        ("=?rot13?Q?uryyb?=", "uryyb"),
        ("=?unicode_escape?Q?=5Cx41?=", "\\x41"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?windows-1251?B?z/Do4uXy?=", "Привет"),
        ("=?utf-8?B?PT91dGYtOD9RP2E/PQ==?=", "=?utf-8?Q?a?="),
    ],
)
def test_encoded_words_as_they_really_come(value: str, shown: str) -> None:
    assert decode_words(value) == shown


def test_what_hides_in_an_encoded_word_is_cleaned() -> None:
    assert one_line("=?utf-8?Q?=1B[2J=00a=0D=0ABcc:_x=E2=80=AE?=") == "\ufffd[2J\ufffda Bcc: x"


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60), st.booleans())
def test_any_text_survives_its_encoded_words(text: str, halved: bool) -> None:
    data = text.encode()
    pieces = [data[: len(data) // 2], data[len(data) // 2 :]] if halved else [data]
    value = " ".join(f"=?utf-8?B?{base64.b64encode(piece).decode()}?=" for piece in pieces)
    assert decode_words(value) == text


@given(st.text(max_size=200))
def test_decoding_never_raises(value: str) -> None:
    decode_words(value)
    one_line(value)
    parameters(value)
    parse_date(value)
    message_id(value)
    message_ids(value)


@given(st.text("=?utf-8QqBb_ a", max_size=80))
def test_decoding_never_raises_on_what_looks_like_words(value: str) -> None:
    decode_words(value)


# --- base64


def test_base64_is_forgiving() -> None:
    assert decode_base64(b"SU5O\r\nT0NF\r\nTlQ=") == b"INNOCENT"
    assert decode_base64(b"SU5OT0NFTlQ") == b"INNOCENT"
    assert decode_base64(b"SU5O!!T0NF\xffTlQ") == b"INNOCENT"
    assert decode_base64(b"A") == b""


@given(st.binary(max_size=200))
def test_base64_never_raises(data: bytes) -> None:
    decode_base64(data)
    assert decode_base64(base64.encodebytes(data)) == data


# --- parameters


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ('attachment; filename="a b.pdf"', "filename", "a b.pdf"),
        ("attachment; FileName=a.pdf", "filename", "a.pdf"),
        ("attachment; filename=a b.pdf", "filename", "a b.pdf"),
        ('attachment; filename="a\\"b.pdf"', "filename", 'a"b.pdf'),
        ('attachment; filename="a;b.pdf"', "filename", "a;b.pdf"),
        ("attachment; filename*=utf-8'en'%C3%BC.pdf", "filename", "ü.pdf"),
        ("attachment; filename*=iso-8859-1''%FC.pdf", "filename", "ü.pdf"),
        ("attachment; filename*=%41.pdf", "filename", "A.pdf"),
        ("attachment; filename*0=a; filename*1=b.pdf", "filename", "ab.pdf"),
        ("attachment; filename*1=b.pdf; filename*0=a", "filename", "ab.pdf"),
        ("attachment; filename*0*=utf-8''%E6%97; filename*1*=%A5.pdf", "filename", "日.pdf"),
        ("attachment; filename*0*=utf-8''a%20; filename*1=b.pdf", "filename", "a b.pdf"),
        ("attachment; filename*0=a; filename*2=c", "filename", "a"),
        ("attachment; filename*2=c; filename*3=d; filename*0=a", "filename", "a"),
        ('attachment; filename="=?utf-8?Q?=C3=BC.pdf?="', "filename", "ü.pdf"),
        ("attachment; filename=x; filename*=utf-8''y", "filename", "y"),
        ("attachment; filename=x; filename=y", "filename", "x"),
        ("attachment;;;; ; filename=x", "filename", "x"),
        ('attachment; filename="no end', "filename", "no end"),
        ('multipart/mixed;\r\n\tboundary="a\r\n b"', "boundary", "a b"),
        ("text/plain; charset = utf-8", "charset", "utf-8"),
        ("attachment; filename*=rot13''%61", "filename", "a"),
    ],
)
def test_parameters_as_they_really_come(value: str, name: str, expected: str) -> None:
    assert parameters(value)[1][name] == expected


# --- dates


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Mon, 23 Nov 2026 10:12:30 +0100", 1795425150),
        ("23 Nov 2026 09:12:30 GMT", 1795425150),
        ("Mon, 23 Nov 2026 04:12:30 EST", 1795425150),
        ("Mon, 23 Nov 26 09:12:30 -0000", 1795425150),
        ("Monday, 23-Nov-26 09:12:30 UTC", 1795425150),
        ("Mon Nov 23 09:12:30 2026", 1795425150),
        ("2026-11-23T10:12:30+01:00", 1795425150),
        ("Mon, 23 November 2026 09.12.30 +0000 (UTC)", 1795425150),
        ("Thu, 1 Jan 1970 00:00:00 +0000", 0),
        ("Sat, 31 Dec 2016 23:59:60 +0000", 1483228800),
        ("1 Jan 1970 00:00:00 +0200", None),
        ("1 Jan 99999 00:00:00 +0000", None),
        ("1 Jan 2100 00:00:00 +0000", None),
        ("31 Dec 2099 23:59:59 +0000", 4102444799),
        ("32 Jan 2026 00:00:00 +0000", None),
        ("1 Foo 2026 00:00:00 +0000", None),
        ("1 Jan 2026 99:99:99 +0000", None),
        ("1 Jan 2026 00:00:00 +9999", None),
        ("yesterday", None),
        ("", None),
        ("9" * 100_000, None),
    ],
)
def test_dates(value: str, seconds: int | None) -> None:
    assert parse_date(value) == seconds


# --- ids


def test_message_ids_lose_their_brackets() -> None:
    assert message_id(" <a@b> (comment)") == "a@b"
    assert message_id("Message of Monday <a@b>") == "a@b"
    assert message_id("a@b") == "a@b"
    assert message_id("<>") == ""
    assert message_ids("<a@b> <c@d>,<e@f>") == ("a@b", "c@d", "e@f")


def test_of_endless_references_the_first_and_the_newest_stay() -> None:
    found = message_ids(" ".join(f"<{n}@x>" for n in range(5000)))
    assert len(found) == 100
    assert found[0] == "0@x"
    assert found[-1] == "4999@x"


# --- charsets


@pytest.mark.parametrize(
    "label",
    [
        "rot13",
        "zlib",
        "bz2",
        "hex",
        "base64",
        "uu",
        "unicode_escape",
        "raw_unicode_escape",
        "undefined",
        "idna",
        "mbcs",
    ],
)
def test_labels_that_are_codecs_are_no_charsets(label: str) -> None:
    assert not charset.known(label)
    assert charset.decode(b"\\x41 caf\xc3\xa9 \xff", label) == "\\x41 café \ufffd"


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("iso-8859-2", "iso8859-2"),
        ("ISO_8859-15", "iso8859-15"),
        ("windows-1251", "cp1251"),
        ("CP1250", "cp1250"),
        ("koi8-r", "koi8-r"),
        ("Shift_JIS", "cp932"),
        ("EUC-JP", "euc-jp"),
        ("iso-2022-jp", "iso2022_jp"),
        ("GB2312", "gb2312"),
        ("gb18030", "gb18030"),
        ("big5", "big5"),
        ("euc-kr", "euc-kr"),
        ("ks_c_5601-1987", "cp949"),
        ("tis-620", "tis-620"),
        ("utf-16le", "utf-16-le"),
        ("utf-7", "utf-7"),
        ("ibm437", "cp437"),
        ("macintosh", "mac-roman"),
    ],
)
def test_charsets_of_mail_are_read(label: str, codec: str) -> None:
    text = ""
    for word in ("Grüße", "Žluťoučký", "Привет", "日本", "你好", "한국", "ไทย"):
        try:
            word.encode(codec)
        except UnicodeEncodeError:
            continue
        text = text or word
    assert charset.known(label)
    assert charset.decode(text.encode(codec), label) == text


@given(st.binary(max_size=100), st.sampled_from([*charset._CODECS, "", "ascii", "rot13", "x" * 1000]))
def test_decoding_bytes_never_raises(data: bytes, label: str) -> None:
    charset.decode(data, label)
    charset.decode_lines(data, label)
