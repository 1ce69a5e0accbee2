"""No encoding of a password leaves the connection, and nothing else is hidden."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import json
import quopri
import urllib.parse

import pytest

from termmail.net.redaction import Secrets

PASSWORD = "analytical-engine"
ODD = 'pä"ss\\w;o&r<d% 7'


def hiding(password: str = PASSWORD, username: str = "ada") -> Secrets:
    secrets = Secrets()
    secrets.hide_login(username, password)
    return secrets


@pytest.mark.parametrize("name", ["", "a", "ad", "ada", "ada@example.org"])
@pytest.mark.parametrize("behind", ["", "x", "xy", "xyz"])
def test_no_base64_shows_any_of_a_secret(name, behind):
    coded = base64.b64encode(f"\0{name}\0{PASSWORD}{behind}".encode())
    for echo in (coded, coded.rstrip(b"="), base64.urlsafe_b64encode(base64.b64decode(coded))):
        assert hiding().redact(b"-ERR " + echo + b" is wrong") == b"-ERR [hidden] is wrong"


@pytest.mark.parametrize("password", ["q", "qx", "qxz", "qxz7", "qxz7w", PASSWORD, ODD])
@pytest.mark.parametrize("authorization", ["", "ada"])
def test_an_echoed_auth_plain_shows_nothing_of_a_password_of_any_length(password, authorization):
    payload = f"{authorization}\0ada\0{password}".encode()
    left = hiding(password).redact(b"500 what is " + base64.b64encode(payload))
    assert left in {b"500 what is [hidden]", b"[hidden]"}


def test_a_part_of_an_echoed_login_is_hidden_too():
    coded = base64.b64encode(f"\0ada\0{PASSWORD}".encode())
    for start in range(len(coded) - 8):
        assert hiding().redact(b"-ERR " + coded[start : start + 8]) == b"-ERR [hidden]"
    wrapped = coded[:10] + b"\r\n " + coded[10:]
    assert hiding().redact(wrapped) == b"[hidden]\r\n [hidden]"


@pytest.mark.parametrize("before", [b"", b"A", b"AB"])
def test_base64_of_a_short_password_among_unknown_text_is_hidden(before):
    coded = base64.b64encode(before + b"qxz7w" + b"CDEFG")
    assert hiding("qxz7w").redact(b"-ERR " + coded) == b"-ERR [hidden]"


def test_base64_with_the_url_safe_alphabet_is_hidden():
    coded = base64.urlsafe_b64encode("\0ada\0~~~???ÿÿÿþþþ>>>".encode())
    assert b"_" in coded or b"-" in coded
    for start in range(len(coded) - 8):
        assert hiding("~~~???ÿÿÿþþþ>>>").redact(b"-ERR " + coded[start : start + 8]) == b"-ERR [hidden]"


def encodings(text: str) -> list[bytes]:
    data = text.encode()
    return [
        data,
        urllib.parse.quote(text, safe="").encode(),
        urllib.parse.quote(text).encode(),
        urllib.parse.quote_plus(text).encode(),
        "".join(f"%{byte:02x}" for byte in data).encode(),
        quopri.encodestring(data, quotetabs=True).rstrip(b"=\n"),
        "".join(f"={byte:02X}" for byte in data).encode(),
        binascii.hexlify(data),
        data.hex().upper().encode(),
        binascii.hexlify(data, ":"),
        binascii.hexlify(data, " "),
        base64.b64encode(data),
        html.escape(text).encode(),
        "".join(f"&#{byte};" for byte in data).encode(),
        text.replace("\\", "\\\\").replace('"', '\\"').encode(),
        "".join(f"\\x{byte:02x}" for byte in data).encode(),
        "".join(f"\\{byte:03o}" for byte in data).encode(),
        repr(data).encode(),
    ]


@pytest.mark.parametrize("password", [PASSWORD, ODD, "12345"])
def test_every_encoding_of_a_secret_is_hidden(password):
    for echo in encodings(password):
        left = hiding(password).redact(b"-ERR [AUTH] no: " + echo + b" !")
        assert left in {b"-ERR [AUTH] no: [hidden] !", b"-ERR [AUTH] no: b'[hidden]' !", b"[hidden]"}, (echo, left)


def disguises(text: str) -> dict[str, bytes]:
    data = text.encode()
    return {
        "json": json.dumps(text).encode(),
        "json in base64": base64.b64encode(json.dumps(text).encode()),
        "every character as \\u": "".join(f"\\u{ord(one):04x}" for one in text).encode(),
        "no first character": text[1:].encode(),
        "no last character": text[:-1].encode(),
        "UTF-16": text.encode("utf-16-le"),
        "UTF-16, the other order": text.encode("utf-16-be"),
        "UTF-16 in hex": text.encode("utf-16-le").hex().encode(),
        "UTF-16 in base64": base64.b64encode(text.encode("utf-16-le")),
        "base32": base64.b32encode(data),
        "base32, cut": base64.b32encode(data)[1:].rstrip(b"="),
        "base64 twice": base64.b64encode(base64.b64encode(data)),
        "hex in base64": base64.b64encode(data.hex().encode()),
        "upper case": text.upper().encode(),
        "swapped case": text.swapcase().encode(),
        "reversed": text[::-1].encode(),
        "spaced": " ".join(text).encode(),
        "dashes": "-".join(text).encode(),
        "rot13": codecs.encode(text, "rot13").encode(),
    }


@pytest.mark.parametrize("password", [PASSWORD, ODD, "S3cr#t pä\"<&>ss'w/ord", "hunter2"])
def test_a_disguised_or_cut_secret_is_hidden(password):
    for name, echo in disguises(password).items():
        for before in (b"-ERR [AUTH] bad: ", b"-ERR  bad: "):
            left = hiding(password).redact(before + echo + b" !")
            assert left in {b"[hidden]", before + b"[hidden] !", before + b'"[hidden]" !'}, (name, left)


@pytest.mark.parametrize("length", range(5, 40))
def test_half_of_a_secret_is_hidden_and_a_word_of_it_is_not(length):
    password = "kX7pQ2mZ9wL4vR8tB3nJ6sH1dF5gY0cTaEuWoIqP"[:length]
    shown = max(password[at : at + (length + 1) // 2 + 1] for at in range(length // 2)) if length > 12 else password[1:]
    assert hiding(password).redact(f"-ERR {shown} is wrong".encode()) == b"[hidden]"
    assert hiding(password).redact(f"-ERR {password[:3]} is wrong".encode()) == f"-ERR {password[:3]} is wrong".encode()


def test_a_line_longer_than_any_error_is_hidden():
    assert hiding().redact(b"-ERR " + b"x " * 4000) == b"[hidden]"
    assert Secrets().redact(b"-ERR " + b"x " * 4000) == b"-ERR " + b"x " * 4000


def test_a_password_in_latin_1_is_hidden():
    assert hiding("Käsekuchen").redact("-ERR Käsekuchen".encode("latin-1")) == b"-ERR [hidden]"
    assert hiding("日本語パス").redact("-ERR 日本語パス".encode()) == b"-ERR [hidden]"


def test_a_very_short_secret_hides_the_whole_line():
    assert hiding("e").redact(b"-ERR password e is wrong") == b"[hidden]"


@pytest.mark.parametrize(
    "line",
    [
        b"-ERR [AUTH] Authentication failed for ada",
        b"250-SIZE 52428800",
        b"+OK <1896.697170952@dbc.mtview.ca.us>",
        b"535 5.7.8 https://support.google.com/mail/?p=BadCredentials d9443c01a7336-1f5 - gsmtp",
        b"100% of 5 & more = \\o/ +1",
    ],
)
def test_what_is_no_secret_is_left_alone(line):
    assert hiding().redact(line) == line
    assert hiding("hunter2").redact(line) == line
    assert hiding("", "ada").redact(line) == line
    assert Secrets().redact(line) == line
