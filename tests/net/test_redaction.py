"""No encoding of a password leaves the connection, and nothing else is hidden."""

from __future__ import annotations

import base64
import binascii
import html
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
    """P19"""
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


def test_a_password_in_latin_1_is_hidden():
    assert hiding("Käsekuchen").redact("-ERR Käsekuchen".encode("latin-1")) == b"-ERR [hidden]"
    assert hiding("日本語パス").redact("-ERR 日本語パス".encode()) == b"-ERR [hidden]"


def test_a_very_short_secret_hides_the_whole_line():
    """P19"""
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
