"""What other programs hand to sendmail, made fit for the wire."""

import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from termmail.mail.compose import ComposeError, from_raw
from termmail.mail.message import Address, Identity, Outgoing
from termmail.mail.outgoing import goes_as_it_is
from termmail.mail.parse import parse, part_bytes
from termmail.mail.sendmail import SignedError, to_seven_bit

ADA = Identity("Ada Lovelace", "ada@example.org")
NOW = datetime(2026, 3, 3, 9, 12, tzinfo=UTC)


def made(raw: bytes, *recipients: str, sender: str | None = None, t: bool = False) -> Outgoing:
    outgoing = from_raw(raw, sender=sender, recipients=recipients, identity=ADA, read_recipients=t, now=NOW)
    assert outgoing.raw.isascii()
    assert b"\0" not in outgoing.raw
    assert outgoing.raw.count(b"\r") == outgoing.raw.count(b"\n") == outgoing.raw.count(b"\r\n")
    assert b"\r\n\r\n" in outgoing.raw
    return outgoing


WHOLE = (
    b"From: Bob <bob@example.net>\r\nTo: x@example.org\r\nSubject: s\r\nDate: Tue, 03 Mar 2026 09:00:00 +0000\r\n"
    b"Message-ID: <id@example.net>\r\n\r\nbody\r\n"
)


def test_a_whole_message_goes_as_it_is() -> None:
    outgoing = made(WHOLE, "y@example.org")
    assert outgoing == Outgoing(WHOLE, "bob@example.net", ("y@example.org",), "id@example.net")


def test_unix_line_ends_become_crlf() -> None:
    assert made(WHOLE.replace(b"\r\n", b"\n"), "y@example.org").raw == WHOLE
    assert made(WHOLE.replace(b"body", b"a\rb\n.\r.\n"), "y@example.org").raw.endswith(
        b"\r\n\r\na\r\nb\r\n.\r\n.\r\n\r\n"
    )


def test_missing_fields_are_added() -> None:
    outgoing = made(b"Subject: cron\n\nhello\n", "root@example.org")
    read = parse(outgoing.raw).envelope
    assert read.sender == (Address("Ada Lovelace", "ada@example.org"),)
    assert read.date == int(NOW.timestamp())
    assert read.message_id == outgoing.message_id
    assert outgoing.message_id.endswith("@example.org")
    assert outgoing.sender == "ada@example.org"


def test_a_text_without_header_is_all_body() -> None:
    outgoing = made(b"just text\nmore: text\n", "a@example.org")
    assert outgoing.raw.endswith(b"\r\n\r\njust text\r\nmore: text\r\n")


def test_recipients_are_read_from_the_header_when_asked() -> None:
    raw = b"To: A <a@x.org>,\n b@x.org\nCc: c@x.org\nBcc: d@x.org,\n\te@x.org\nSubject: s\n\nx\n"
    outgoing = made(raw, "f@x.org", t=True)
    assert outgoing.recipients == ("f@x.org", "a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org")


@pytest.mark.parametrize("name", ["Bcc", "BCC", "bcc ", "Resent-Bcc", "Return-Path"])
def test_hidden_recipients_never_reach_the_bytes(name: str) -> None:
    outgoing = made(f"To: a@x.org\n{name}: secret@x.org,\n more-secret@x.org\nSubject: s\n\nx\n".encode(), t=True)
    assert b"secret" not in outgoing.raw
    assert b"Subject: s\r\n" in outgoing.raw


def test_no_recipients_is_refused() -> None:
    with pytest.raises(ComposeError, match="no one"):
        made(b"Subject: s\n\nx")
    with pytest.raises(ComposeError, match="no one"):
        made(b"To: a@x.org\n\nx")


@pytest.mark.parametrize("bad", ["a@x.org\r\nDATA", "a@x.org\nRCPT TO:<b@x.org>", "a b@x.org", "a", "a@x.org\0"])
def test_a_bad_recipient_or_sender_is_refused(bad: str) -> None:
    with pytest.raises(ComposeError):
        made(WHOLE, bad)
    with pytest.raises(ComposeError):
        made(WHOLE, "ok@x.org", sender=bad)


def test_the_given_sender_is_the_envelope_sender() -> None:
    assert made(WHOLE, "y@x.org", sender="list-bounces@x.org").sender == "list-bounces@x.org"


def test_the_divider_of_an_mbox_is_taken_off() -> None:
    assert made(b"From bob Tue Mar  3 09:00:00 2026\n" + WHOLE, "y@x.org").raw == WHOLE


def test_an_eight_bit_body_is_sent_in_seven_bits() -> None:
    raw = "From: Bob <bob@x.org>\nTo: a@x.org\nSubject: Grüße\nContent-Type: text/plain; charset=utf-8\n"
    raw += "Content-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n\nhällo\n.\n" + "lang " * 400
    message = parse(made(raw.encode(), t=True).raw)
    assert message.envelope.subject == "Grüße"
    assert message.text.rstrip() == "hällo\n.\n" + ("lang " * 400).rstrip()


def test_an_eight_bit_body_without_a_type_is_utf_8_or_latin_1() -> None:
    assert parse(made("To: a@x.org\n\nhällo\n".encode(), t=True).raw).text == "hällo\n"
    assert parse(made("To: a@x.org\n\nhällo\n".encode("latin-1"), t=True).raw).text == "hällo\n"


def test_eight_bit_parts_of_a_multipart_are_sent_in_seven_bits() -> None:
    raw = (
        "To: a@x.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain;"
        " charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nhällo\n--b\nContent-Type: application/pdf\n"
        "Content-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64\n\nAAEC\n--b--\n"
    )
    modern = email.message_from_bytes(made(raw.encode(), t=True).raw, policy=email.policy.default)
    text, pdf = modern.iter_parts()
    assert text.get_content().rstrip() == "hällo"
    assert pdf.get_content() == b"\0\1\2"


def test_foreign_names_in_raw_headers_are_encoded() -> None:
    raw = "From: Jörg Müller, Chef <j@x.org>\nTo: a@x.org\n\nx"
    with pytest.raises(ComposeError):
        made(raw.encode(), t=True)
    raw = '"Müller, Jörg" <j@bücher.example>'
    read = parse(made(f"From: {raw}\nTo: a@x.org\nX-Note: süß\n\nx".encode(), t=True).raw)
    assert read.envelope.sender == (Address("Müller, Jörg", "j@xn--bcher-kva.example"),)
    assert ("X-Note", "süß") in read.headers


def test_a_long_header_line_is_folded() -> None:
    outgoing = made(b"To: a@x.org\nSubject: " + b"word " * 400 + b"\n\nx", t=True)
    assert max(map(len, outgoing.raw.split(b"\r\n"))) <= 998


def test_too_many_nested_parts_are_refused() -> None:
    raw = b"To: a@x.org\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number) for number in range(3000)
    )
    with pytest.raises(ComposeError, match="nests"):
        made(raw + b"\n\xff", t=True)


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"To: a@x.org\n", b"Bcc: b@x.org\n", b"\n", b" x\n"])))
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_made_fit_or_refused(pieces: list[bytes]) -> None:
    try:
        outgoing = made(b"".join(pieces), "z@x.org", t=True)
    except ComposeError:
        return
    header = outgoing.raw.partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nbcc" not in b"\r\n" + header
    assert header.count(b"message-id:") >= 1


# --- for servers without 8BITMIME


def eight_bit(*parts: str, subtype: str = "mixed") -> bytes:
    lines = ["From: Ada <ada@x.org>", "To: a@x.org", "Subject: Grüße", f"Content-Type: multipart/{subtype}; boundary=b"]
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return ("\r\n".join([*lines, "", ""]) + body + "--b--\r\n").encode()


TEXT = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nhällo, Ada"
FILE = "Content-Type: application/x; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC"


def test_an_eight_bit_message_is_encoded_in_seven_bits() -> None:
    made_of = to_seven_bit(eight_bit(TEXT, FILE))
    assert goes_as_it_is(made_of)
    read = parse(made_of)
    assert (read.envelope.subject, read.text) == ("Grüße", "hällo, Ada")
    assert part_bytes(made_of, "2") == b"\0\1\2"
    assert read.envelope.sender == (Address("Ada", "ada@x.org"),)
    assert b"quoted-printable" in made_of


def test_a_text_of_foreign_letters_is_encoded_as_base64() -> None:
    raw = ("Content-Type: text/plain; charset=utf-8\r\n\r\n" + "Привет " * 50).encode()
    made_of = to_seven_bit(raw)
    assert b"base64" in made_of
    assert parse(made_of).text.strip() == ("Привет " * 50).strip()


def test_a_text_without_a_type_gets_one() -> None:
    for codec, text in (("utf-8", "Привет"), ("latin-1", "Grüße")):
        assert parse(to_seven_bit(b"Subject: s\r\n\r\n" + text.encode(codec))).text.strip() == text


def test_a_seven_bit_message_stays_as_it_is() -> None:
    assert to_seven_bit(WHOLE) == WHOLE


def test_overlong_lines_are_encoded() -> None:
    made_of = to_seven_bit(b"Subject: s\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 2000)
    assert goes_as_it_is(made_of)
    assert parse(made_of).text.strip() == "x" * 2000


def test_signed_text_of_eight_bits_is_not_encoded() -> None:
    raw = eight_bit(TEXT, "Content-Type: application/pgp-signature\r\n\r\nx", subtype="signed")
    with pytest.raises(SignedError, match="signed"):
        to_seven_bit(raw)
    outgoing = from_raw(raw, sender=None, recipients=["a@x.org"], identity=ADA, read_recipients=False, now=NOW)
    assert raw.partition(b"\r\n\r\n")[2] in outgoing.raw
    with pytest.raises(ComposeError, match="signed"):
        made(raw.replace(b", Ada", b"x" * 2000), "a@x.org")


def test_a_signed_part_beside_eight_bit_text_is_not_touched() -> None:
    part = "--s\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\nContent-Type:  text/plain\r\n\r\nhi \r\n--i--\r\n"
    part = f"Content-Type: multipart/signed; boundary=s\r\n\r\n{part}\r\n--s\r\nContent-Type: application/x\r\n\r\nx\r\n--s--"
    made_of = to_seven_bit(eight_bit(TEXT, part))
    assert goes_as_it_is(made_of)
    assert part.encode() in made_of


def test_an_attached_message_is_encoded_inside() -> None:
    inner = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: ä\r\n" + TEXT
    made_of = to_seven_bit(eight_bit(inner))
    assert goes_as_it_is(made_of)
    attached = part_bytes(made_of, "1")
    assert (parse(attached).envelope.subject, parse(attached).text) == ("ä", "hällo, Ada")
    assert b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n" in made_of


def test_messages_that_nest_without_end_are_refused() -> None:
    raw = b"Content-Type: message/rfc822\r\n\r\n" * 500 + "ä".encode()
    with pytest.raises(ComposeError, match="nests"):
        to_seven_bit(raw)


def test_eight_bit_text_between_the_parts_is_refused() -> None:
    with pytest.raises(ComposeError, match="outside its parts"):
        to_seven_bit(
            eight_bit(FILE)
            .replace(b"--b--", "grüße\r\n--b--".encode())
            .replace(b"\r\n\r\n--b", "\r\n\r\nä\r\n--b".encode(), 1)
        )


@given(
    st.lists(st.sampled_from([b"a", b"\r\n", b"--b", b"--b--", b"\xc3\xa4", b"Content-Type: text/plain", b"", b"\xff"]))
)
def test_what_comes_out_is_fit_for_seven_bits(pieces: list[bytes]) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"\r\n".join(pieces)
    try:
        assert goes_as_it_is(to_seven_bit(raw))
    except ComposeError:
        return


def test_only_the_parts_that_need_it_are_encoded() -> None:
    plain = "Content-Type: text/plain\r\n\r\nplain"
    made_of = to_seven_bit(eight_bit(plain, TEXT, FILE, TEXT.replace("hällo", "größe"), plain))
    assert goes_as_it_is(made_of)
    assert [part_bytes(made_of, f"{n}").decode("utf-8") for n in (1, 2, 4, 5)] == [
        "plain",
        "hällo, Ada",
        "größe, Ada",
        "plain",
    ]
    assert made_of.count(plain.encode()) == 2
