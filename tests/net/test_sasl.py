"""The proofs of login, against the vectors of their RFCs."""

from __future__ import annotations

import base64

import pytest

from termmail.net import sasl
from termmail.net.net_errors import LoginRefused, ProtocolError

NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = f"r={NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
PROOF = f"c=biws,r={NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="


def b64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def begun() -> sasl.Scram:
    return sasl.Scram("user", "pencil", NONCE)


def test_plain_is_name_and_password_between_nuls():
    assert base64.b64decode(sasl.plain("tim", "tanstaaftanstaaf")) == b"\0tim\0tanstaaftanstaaf"


def test_apop_is_what_rfc_1939_says():
    assert sasl.apop(b"<1896.697170952@dbc.mtview.ca.us>", "tanstaaf") == "c4c9334bac560ecc979e58001b3e22fb"


def test_scram_is_what_rfc_7677_says():
    scram = begun()
    assert base64.b64decode(scram.first()) == f"n,,n=user,r={NONCE}".encode()
    assert base64.b64decode(scram.answer(b64(SERVER_FIRST))) == PROOF.encode()
    scram.verify(b64("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="))


def test_blanks_and_marks_of_other_scripts_are_mapped_as_people_type_them():
    same = sasl.Scram("user", "pen cil \u00bd", NONCE), sasl.Scram("us\u00ader", "pen\u00a0cil\u3000\u00bd", NONCE)
    first, second = [scram.answer(b64(SERVER_FIRST)) for scram in same]
    assert first == second
    assert first != sasl.Scram("user", "pencil\u00bd", NONCE).answer(b64(SERVER_FIRST))


@pytest.mark.parametrize(
    "last", ["v=" + "A" * 43 + "=", "v=", "", "e=invalid-proof", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95Q=="]
)
def test_a_server_that_does_not_know_the_password_is_refused(last):
    scram = begun()
    scram.answer(b64(SERVER_FIRST))
    with pytest.raises((LoginRefused, ProtocolError)):
        scram.verify(b64(last))


def test_a_server_cannot_prove_itself_before_it_asked():
    with pytest.raises(LoginRefused):
        begun().verify(b64("v="))


@pytest.mark.parametrize(
    "first",
    [
        SERVER_FIRST.replace(NONCE, "other"),
        f"r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        SERVER_FIRST.replace("i=4096", "i=1"),
        SERVER_FIRST.replace("i=4096", "i=99999999"),
        SERVER_FIRST.replace("i=4096", "i=-4096"),
        SERVER_FIRST.replace("i=4096", "i=٤٠٩٦"),
        SERVER_FIRST.replace("s=W22", "s=!!!"),
        "",
        "\0",
    ],
)
def test_a_first_message_that_would_weaken_the_proof_is_refused(first):
    with pytest.raises(ProtocolError):
        begun().answer(b64(first))


@pytest.mark.parametrize("garbage", [b"!!!", b"\xff", base64.b64encode(b"\xff\xfe")])
def test_what_is_no_base64_or_no_text_is_refused(garbage):
    with pytest.raises(ProtocolError):
        begun().answer(garbage)


def test_names_are_escaped_so_that_they_cannot_add_a_field():
    assert b"n=a=2Cr=3Dx,r=" in base64.b64decode(sasl.Scram("a,r=x", "p").first())
