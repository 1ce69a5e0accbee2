"""What is shown of a message whose body is more than one text: mixed parts, invitations, reports, S/MIME, PGP."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from termmail.mail import cms, search_text
from termmail.mail.body import MESSAGES_LIMIT, NESTING_LIMIT
from termmail.mail.compose import forward, reply
from termmail.mail.flowed import body, plain
from termmail.mail.message import Identity, SectionKind
from termmail.mail.parse import parse, part_bytes, snippet
from tests.mail.nasty import mail, multi, part, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

ADA = Identity("Ada", "ada@example.org")


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def shown(raw: bytes, *, html: bool | None = None) -> list[str]:
    return [line.text for line in body(parse(raw), 200, html=html).lines]


def nested(subtype: bytes, *parts: bytes, boundary: bytes = b"INNER") -> bytes:
    content = b"".join(b"--" + boundary + b"\r\n" + each + b"\r\n" for each in parts) + b"--" + boundary + b"--"
    return part(b"multipart/" + subtype + b"; boundary=" + boundary, content)


PICTURE = part(b"image/png; name=a.png", b"x", b"Content-Disposition: inline")


# --- mixed parts


@pytest.mark.parametrize("blank", [b"", b"\r\n\r\n", b"  \r\n", "\u200b\r\n".encode()])
def test_a_blank_first_text_does_not_hide_the_html_behind_it(blank: bytes) -> None:
    raw = multi(part(b"text/plain; charset=utf-8", blank), part(b"text/html", b"<p>hello"))
    assert shown(raw) == ["hello"]
    assert parse(raw).html == "<p>hello"
    assert parse(raw).sections == ()


def test_text_picture_text_is_shown_in_order() -> None:
    raw = multi(part(b"text/plain", b"one"), PICTURE, part(b"text/plain", b"two"))
    assert shown(raw) == ["one", "", "two"]
    assert [each.name for each in parse(raw).parts] == ["a.png"]
    assert (parse(raw).text, parse(raw).sections) == ("one\n\ntwo", ())


def test_html_picture_html_is_shown_in_order() -> None:
    raw = multi(part(b"text/html", b"<p>one"), PICTURE, part(b"text/html", b"<p>two"), part(b"text/plain", b"three"))
    assert shown(raw) == ["one", "", "two", "", "three"]
    assert plain(parse(raw)) == "one\n\ntwo\n\nthree"
    found = search_text.read(parse(raw))
    assert (found.text.split(), found.files, found.contents) == (["one", "two", "three"], "a.png", ())


def test_text_then_html_is_shown_in_order() -> None:
    assert shown(multi(part(b"text/plain", b"one"), part(b"text/html", b"<p>two"))) == ["one", "", "two"]


def test_apple_mail_gives_one_text_or_html_around_a_picture() -> None:
    mixed = nested(b"mixed", part(b"text/html", b"<p>one"), PICTURE, part(b"text/html", b"<p>two"))
    raw = multi(part(b"text/plain", b"one two"), mixed, subtype=b"alternative")
    assert shown(raw) == ["one two"]
    assert shown(raw, html=True) == ["one", "", "two"]
    assert (parse(raw).text, parse(raw).html) == ("one two", "<p>one")


def test_alternatives_inside_alternatives_give_one_of_each() -> None:
    inner = nested(b"alternative", part(b"text/plain", b"inner text"), part(b"text/html", b"<p>inner html"))
    raw = multi(part(b"text/plain", b"outer text"), inner, subtype=b"alternative")
    assert shown(raw) == ["outer text"]
    assert shown(raw, html=True) == ["inner html"]


@pytest.mark.parametrize("kind", [b"text/enriched", b"text/richtext"])
def test_enriched_text_loses_against_plain_text(kind: bytes) -> None:
    for alternatives in ([part(b"text/plain", b"plain"), part(kind, b"<bold>rich</bold>")],):
        assert shown(multi(*alternatives, subtype=b"alternative")) == ["plain"]
        assert shown(multi(*reversed(alternatives), subtype=b"alternative")) == ["plain"]


def test_enriched_text_alone_is_readable() -> None:
    raw = b"<bold>Now</bold> is\r\nthe <color><param>red</param>time</color> for <<all>.\r\n\r\n\r\nTwo<nofill>\r\na\r\nb</nofill>"
    assert shown(typed(b"text/enriched", raw)) == ["Now is the time for <all>.", "", "Two", "a", "b"]


def test_richtext_alone_is_readable() -> None:
    raw = b"<bold>Now</bold> is\r\nthe<comment>no</comment> time<nl>1 <lt> 2"
    assert shown(typed(b"text/richtext", raw)) == ["Now is the time", "1 < 2"]


def test_of_the_end_tags_of_richtext_only_that_of_a_paragraph_breaks_the_line() -> None:
    raw = b"one</paragraph>two<nl></nl>three</lt>four</np>five"
    assert shown(typed(b"text/richtext", raw)) == ["one", "", "two", "threefourfive"]


@pytest.mark.parametrize("kind", [b"text", b"text; charset=utf-8", b"TEXT", b"text/", b"plain"])
def test_a_type_that_is_none_is_text(kind: bytes) -> None:
    raw = mail(b"Content-Type: " + kind, body="grüße".encode())
    assert parse(raw).text == "grüße"
    assert parse(raw).parts == ()


def test_a_message_without_text_says_so() -> None:
    assert shown(mail(body=b"")) == ["There is no text in this message."]
    assert shown(typed(b"application/pdf; name=a.pdf", b"x")) == ["There is no text in this message, only attachments."]
    assert shown(typed(b"text/html", b"<p> </p>")) == ["There is no text in this message."]


# --- encrypted and signed


def test_pgp_mime_says_that_it_is_encrypted() -> None:
    raw = multi(
        part(b"application/pgp-encrypted", b"Version: 1"),
        part(b"application/octet-stream; name=encrypted.asc", b"-----BEGIN PGP MESSAGE-----"),
        subtype=b"encrypted",
    )
    assert shown(raw) == ["This message is encrypted with PGP. termmail cannot decrypt it."]
    assert "encrypted" in snippet(parse(raw))
    assert [each.name for each in parse(raw).parts] == ["part-1.asc", "encrypted.asc"]
    assert "decrypt" not in search_text.read(parse(raw)).text


def test_inline_pgp_says_that_it_is_encrypted_and_shows_the_text_around() -> None:
    lines = shown(mail(body=b"Hi\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----\r\n"))
    assert lines[0] == "This message holds text that is encrypted with PGP. termmail cannot decrypt it."
    assert lines[2] == "Hi"
    assert "PGP. termmail" not in "".join(shown(mail(body=b"> -----BEGIN PGP MESSAGE-----\r\n")))
    assert shown(mail(body=b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nHi"))[0].startswith("-----BEGIN")


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ada@example.org")])
CERTIFICATE = (
    x509.CertificateBuilder()
    .subject_name(NAME)
    .issuer_name(NAME)
    .public_key(KEY.public_key())
    .serial_number(1)
    .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    .not_valid_after(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=900))
    .sign(KEY, hashes.SHA256())
)
ENTITY = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "Grüße, signed".encode()


def signed(entity: bytes) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(entity).add_signer(CERTIFICATE, KEY, hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def smime(der: bytes, kind: bytes = b"application/pkcs7-mime; smime-type=signed-data; name=smime.p7m") -> bytes:
    return typed(kind, base64.encodebytes(der), b"base64", b"Content-Disposition: attachment; filename=smime.p7m")


SIGNED_NOTICE = "This message is signed with S/MIME. The signature was not checked."


@pytest.mark.parametrize(
    "kind", [b"application/pkcs7-mime", b"application/x-pkcs7-mime", b"application/octet-stream; name=smime.p7m"]
)
def test_opaque_signed_mail_is_unwrapped(kind: bytes) -> None:
    raw = smime(signed(ENTITY), kind)
    assert shown(raw) == [SIGNED_NOTICE, "", "Grüße, signed"]
    assert snippet(parse(raw)) == "Grüße, signed"
    assert reply(parse(raw), ADA).body.split("\n")[1] == "> Grüße, signed"


def test_the_attachments_of_opaque_signed_mail_can_be_saved() -> None:
    inner = b"MIME-Version: 1.0\r\n" + nested(
        b"mixed", part(b"text/plain", b"text"), part(b"application/pdf; name=a.pdf", b"%PDF")
    )
    raw = smime(signed(inner))
    message = parse(raw)
    assert [(each.path, each.name) for each in message.parts] == [("1", "smime.p7m"), ("1:2", "a.pdf")]
    assert part_bytes(raw, "1:2") == b"%PDF"
    for path in ("1:3", "1:1:1", "2:1"):
        with pytest.raises(KeyError):
            part_bytes(raw, path)


def test_a_signed_message_inside_a_signed_message_is_unwrapped() -> None:
    inner = b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = smime(signed(inner + base64.encodebytes(signed(ENTITY))))
    assert shown(raw) == [SIGNED_NOTICE, "", "Grüße, signed"]


def test_a_signed_file_is_only_an_attachment() -> None:
    raw = multi(part(b"text/plain", b"see"), part(b"application/pkcs7-mime; name=a.xml.p7m", signed(b"<x>secret</x>")))
    assert shown(raw) == ["see"]
    assert [each.name for each in parse(raw).parts] == ["a.xml.p7m"]
    assert shown(smime(signed(b"<x>secret</x>"))) == ["There is no text in this message, only attachments."]


def test_enveloped_mail_says_that_it_is_encrypted() -> None:
    der = (
        pkcs7.PKCS7EnvelopeBuilder()
        .set_data(ENTITY)
        .add_recipient(CERTIFICATE)
        .encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    assert cms.identify(der) is cms.Cms.ENCRYPTED
    assert shown(smime(der)) == ["This message is encrypted with S/MIME. termmail cannot decrypt it."]


def element(tag: int, content: bytes, *, endless: bool = False) -> bytes:
    if endless:
        return bytes([tag, 0x80]) + content + b"\0\0"
    length = len(content)
    size = bytes([length]) if length < 128 else b"\x84" + length.to_bytes(4)
    return bytes([tag]) + size + content


def ber(octets: bytes, *, kind: bytes = b"\x07\x02", endless: bool = True) -> bytes:
    prefix = b"\x2a\x86\x48\x86\xf7\x0d\x01"
    content = element(0x06, prefix + b"\x07\x01") + element(0xA0, octets, endless=endless)
    data = element(0x02, b"\1") + element(0x31, b"") + element(0x30, content, endless=endless)
    wrapped = element(0xA0, element(0x30, data, endless=endless), endless=endless)
    return element(0x30, element(0x06, prefix + kind) + wrapped, endless=endless)


def test_streamed_signed_data_is_unwrapped() -> None:
    pieces = element(0x04, ENTITY[:20]) + element(0x24, element(0x04, ENTITY[20:30]) + element(0x04, ENTITY[30:]))
    for endless in (True, False):
        assert cms.signed_content(ber(element(0x24, pieces, endless=endless), endless=endless)) == ENTITY
    assert cms.signed_content(ber(element(0x24, element(0x24, pieces, endless=True), endless=True))) == ENTITY
    assert cms.signed_content(ber(element(0x04, ENTITY))) == ENTITY
    assert cms.signed_content(ber(element(0x24, b"", endless=True))) == b""


@pytest.mark.timeout(20)
def test_broken_signed_data_ends_soon_and_says_so() -> None:
    whole = ber(element(0x24, element(0x04, ENTITY), endless=True))
    for end in range(len(whole)):
        assert cms.signed_content(whole[:end]) in (None, ENTITY)
        shown(smime(whole[:end]))
    for place in range(len(whole)):
        for byte in (0x00, 0x80, 0xFF, 0x84, 0x1F):
            cms.signed_content(whole[:place] + bytes([byte]) + whole[place + 1 :])
    assert cms.signed_content(ber(b"\x24\x80" * 500_000)) is None
    assert cms.signed_content(b"\x30\x80\x06\x8f" + b"\xff" * 15) is None
    assert shown(smime(b"garbage")) == ["This message is wrapped in an S/MIME format that termmail cannot read."]
    assert cms.identify(ber(b"", kind=b"\x09\x10\x01\x09")) is cms.Cms.COMPRESSED


def test_signed_mail_in_the_clear_is_read() -> None:
    raw = multi(
        nested(b"alternative", part(b"text/plain", b"text"), part(b"text/html", b"<p>html")),
        part(b"application/pkcs7-signature; name=smime.p7s", b"x"),
        subtype=b"signed",
    )
    assert shown(raw) == ["text"]
    assert [each.name for each in parse(raw).parts] == ["smime.p7s"]


# --- invitations

GOOGLE = b"""BEGIN:VCALENDAR\r
PRODID:-//Google Inc//Google Calendar 70.9054//EN\r
VERSION:2.0\r
CALSCALE:GREGORIAN\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
DTSTART:20261126T090000Z\r
DTEND:20261126T100000Z\r
DTSTAMP:20261120T101010Z\r
ORGANIZER;CN=Ada Lovelace:mailto:ada@example.org\r
UID:7kukuqrfedlm2f9t@google.com\r
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE\r
 ;CN=Ada Lovelace;X-NUM-GUESTS=0:mailto:ada@example.org\r
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=\r
 TRUE;CN=bob@example.net;X-NUM-GUESTS=0:mailto:bob@example.net\r
X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij\r
DESCRIPTION:The engine\\, again.\\nBring cards\\; many.\r
LOCATION:12 St James's Square\\, London\r
SEQUENCE:0\r
STATUS:CONFIRMED\r
SUMMARY:Weaving numbers\r
BEGIN:VALARM\r
TRIGGER:-PT10M\r
DESCRIPTION:Reminder\r
END:VALARM\r
END:VEVENT\r
END:VCALENDAR\r
"""

OUTLOOK = """BEGIN:VCALENDAR\r
METHOD:REQUEST\r
PRODID:Microsoft Exchange Server 2010\r
VERSION:2.0\r
BEGIN:VTIMEZONE\r
TZID:W. Europe Standard Time\r
BEGIN:STANDARD\r
DTSTART:16010101T030000\r
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
ORGANIZER;CN="Müller, Jörg":mailto:joerg@example.com\r
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN="Lovelace, Ad\r
 a":mailto:ada@example.org\r
DESCRIPTION;LANGUAGE=de-DE:Hallo\\n\\n\r
RRULE:FREQ=WEEKLY;UNTIL=20270301T090000Z;INTERVAL=2;BYDAY=TH;WKST=MO\r
SUMMARY;LANGUAGE=de-DE:Jour fixe\r
DTSTART;TZID=W. Europe Standard Time:20261126T230000\r
DTEND;TZID=W. Europe Standard Time:20261127T003000\r
CLASS:PUBLIC\r
SEQUENCE:2\r
LOCATION;LANGUAGE=de-DE:Microsoft Teams-Besprechung\r
X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com/l/meetup\r
END:VEVENT\r
END:VCALENDAR\r
""".encode()


def test_google_invitation_stands_above_the_text_once() -> None:
    alternative = nested(
        b"alternative",
        part(b"text/plain", b"You have been invited"),
        part(b"text/html", b"<p>You have been invited in HTML"),
        part(b"text/calendar; charset=UTF-8; method=REQUEST", GOOGLE),
    )
    raw = multi(alternative, part(b"application/ics; name=invite.ics", GOOGLE, b"Content-Disposition: attachment"))
    facts = [
        "Invitation: Weaving numbers",
        "",  # the screen says here what was answered
        "When     Thursday 26 November 2026, 09:00 to 10:00 (UTC)",
        "Where    12 St James's Square, London",
        "Link     https://meet.google.com/abc-defg-hij",
        "From     Ada Lovelace <ada@example.org>",
        "With     Ada Lovelace <ada@example.org> (accepted), bob@example.net",
        "",
    ]
    assert shown(raw) == [*facts, "You have been invited"]
    assert shown(raw, html=True) == [*facts, "You have been invited in HTML"]
    message = parse(raw)
    assert (message.text, message.html) == ("You have been invited", "<p>You have been invited in HTML")
    assert [each.name for each in message.parts] == ["invite.ics", "invite.ics"]
    assert "London" in search_text.read(message).text
    assert snippet(message) == "You have been invited"
    assert reply(message, ADA).body.split("\n")[1:3] == ["> You have been invited", ""]
    assert "12 St James" in forward(message, ADA).body


def test_an_event_in_utc_tells_when_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST")
    time.tzset()
    assert "When     Thursday 26 November 2026, 11:00 (CET)" in event("DTSTART:20261126T100000Z")
    assert "When     Friday 27 November 2026, 00:30 (CET)" in event("DTSTART:20261126T233000Z")


def test_outlook_invitation_tells_zone_days_repeats_and_change() -> None:
    raw = multi(part(b"text/calendar; charset=utf-8; method=REQUEST", OUTLOOK), subtype=b"alternative")
    assert shown(raw) == [
        "Changed invitation: Jour fixe",
        "",  # the screen says here what was answered
        "When     Thursday 26 November 2026, 23:00 to Friday 27 November 2026, 00:30 (W. Europe Standard Time)",
        "Repeats  every 2 weeks on Thursday, until 1 March 2027",
        "Where    Microsoft Teams-Besprechung",
        "Link     https://teams.microsoft.com/l/meetup",
        "From     Müller, Jörg <joerg@example.com>",
        "With     Lovelace, Ada <ada@example.org>",
        "",
        "Hallo",
    ]


def event(*lines: str, method: str = "REQUEST") -> list[str]:
    content = "\r\n".join(
        ["BEGIN:VCALENDAR", f"METHOD:{method}", "BEGIN:VEVENT", "SUMMARY:s", *lines, "END:VEVENT", "END:VCALENDAR"]
    )
    return shown(typed(b"text/calendar", content.encode()))


@pytest.mark.parametrize(
    ("lines", "method", "title"),
    [
        ((), "CANCEL", "Cancelled: s"),
        (("STATUS:CANCELLED",), "REQUEST", "Cancelled: s"),
        (("ATTENDEE;PARTSTAT=DECLINED;CN=Bob:mailto:b@x.org",), "REPLY", "Bob <b@x.org> declined: s"),
        (("ATTENDEE;PARTSTAT=TENTATIVE:MAILTO:b@x.org",), "REPLY", "b@x.org accepted tentatively: s"),
        ((), "COUNTER", "Other time proposed: s"),
        ((), "PUBLISH", "Event: s"),
        (("SEQUENCE:0",), "REQUEST", "Invitation: s"),
        (("no property at all", "SEQUENCE:1"), "REQUEST", "Changed invitation: s"),
        (("SEQUENCE:1",), "REQUEST", "Changed invitation: s"),
    ],
)
def test_the_title_tells_what_an_invitation_is(lines: tuple[str, ...], method: str, title: str) -> None:
    assert event(*lines, method=method)[0] == title


@pytest.mark.parametrize(
    ("lines", "when"),
    [
        (("DTSTART;VALUE=DATE:20261224",), "Thursday 24 December 2026 (all day)"),
        (("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261225"), "Thursday 24 December 2026 (all day)"),
        (
            ("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"),
            "Thursday 24 December 2026 to Saturday 26 December 2026 (all day)",
        ),
        (("DTSTART:20261224T1000",), "Thursday 24 December 2026, 10:00"),
        (("DTSTART:20261224T100000", "DURATION:PT1H30M"), "Thursday 24 December 2026, 10:00 to 11:30"),
        (
            ("DTSTART:20261224T100000", "DTEND;VALUE=DATE:20261225"),
            "Thursday 24 December 2026, 10:00 to Friday 25 December 2026, 00:00",
        ),
        (("DUE;TZID=Europe/Berlin:20261224T100000",), "Thursday 24 December 2026, 09:00 (UTC)"),
    ],
)
def test_times_of_events_are_told_with_their_zone(lines: tuple[str, ...], when: str) -> None:
    assert f"When     {when}" in event(*lines)


@pytest.mark.parametrize(
    "line",
    ["DTSTART:99999999T999999Z", "DTSTART:", "DTSTART", "DTSTART;TZID=x", ":x", "RRULE:", "RRULE:x", "DURATION:P"],
)
def test_broken_events_are_shown_as_far_as_they_go(line: str) -> None:
    assert event(line)[0] == "Invitation: s"
    assert event("DTSTART:99991231T235959", "DURATION:P99999D", line)[0] == "Invitation: s"


@pytest.mark.timeout(20)
def test_a_hostile_calendar_is_bounded() -> None:
    people = "\r\n".join(f"ATTENDEE:mailto:a{n}@x.org" for n in range(5000))
    lines = event(people)
    assert "and 4950 more" in " ".join(lines)
    for unit in ("BEGIN:VEVENT\r\n", ";A=b", '"', "A:\r\n ", "\\n"):
        shown(typed(b"text/calendar", b"BEGIN:VEVENT\r\nSUMMARY" + unit.encode() * (1_000_000 // len(unit))))


# --- reports and attached messages

BOUNCE = multi(
    part(b"text/plain", b"Your message could not be delivered."),
    part(
        b"message/delivery-status",
        b"Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; bob@example.net\r\nAction: failed\r\n"
        b"Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 No such\r\n user here\r\n\r\n"
        b"Original-Recipient: rfc822;carol@example.net\r\nFinal-Recipient: rfc822;x@y\r\nAction: delayed\r\nStatus: 4.0.0\r\n",
    ),
    part(
        b"text/rfc822-headers", b"From: ada@example.org\r\nTo: bob@example.net\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?="
    ),
    subtype=b"report; report-type=delivery-status",
)


def test_a_delivery_report_tells_who_did_not_get_what() -> None:
    assert shown(BOUNCE) == [
        "Your message could not be delivered.",
        "",
        "Delivery report",
        "bob@example.net: was not delivered (550 5.1.1 No such user here)",
        "carol@example.net: is delayed (4.0.0)",
        "",
        "Headers of the returned message",
        "From: ada@example.org",
        "To: bob@example.net",
        "Subject: Grüße",
    ]
    message = parse(BOUNCE)
    assert message.text == "Your message could not be delivered."
    assert "bob@example.net" in search_text.read(message).text
    assert snippet(message) == "Your message could not be delivered."
    assert [each.kind for each in message.sections] == [SectionKind.BODY, SectionKind.REPORT, SectionKind.MESSAGE]


def test_a_read_receipt_tells_what_happened() -> None:
    raw = multi(
        part(
            b"message/disposition-notification",
            b"Final-Recipient: rfc822; bob@example.net\r\nDisposition: manual-action/MDN-sent-manually; displayed",
        ),
        subtype=b"report",
    )
    assert shown(raw) == ["Read receipt", "bob@example.net: displayed"]


def attached(subject: str, content: bytes = b"inner words", *headers: bytes) -> bytes:
    return part(b"message/rfc822", mail(b"Subject: " + subject.encode(), *headers, body=content))


def test_an_attached_message_is_read_in_place_and_found() -> None:
    raw = multi(part(b"text/plain", b"see below"), attached("Inner one"))
    assert shown(raw) == [
        "see below",
        "",
        "Attached message: Inner one",
        "From: Ada <ada@example.org>",
        "To: Bob <bob@example.org>",
        "Date: Mon, 23 Nov 2026 10:12:30 +0100",
        "Subject: Inner one",
        "",
        "inner words",
    ]
    assert [each.name for each in parse(raw).parts] == ["Inner one.eml"]
    assert "inner words" in search_text.read(parse(raw)).text
    assert "inner words" not in reply(parse(raw), ADA).body
    assert "inner words" in forward(parse(raw), ADA).body
    assert snippet(parse(raw)) == "see below"
    assert parse(raw).text == "see below"


def test_an_attached_message_names_its_files() -> None:
    inner = multi(part(b"text/plain", b"hi"), part(b"application/pdf; name=a.pdf", b"x"), boundary=b"X")
    lines = shown(multi(part(b"text/plain", b"see"), part(b"message/rfc822", inner)))
    assert "Attachments: a.pdf" in lines
    assert lines[-1] == "hi"


def test_a_returned_message_is_called_so() -> None:
    raw = multi(part(b"text/plain", b"no"), attached("Mine"), subtype=b"report")
    assert "Returned message: Mine" in shown(raw)


def test_a_digest_is_read_in_place() -> None:
    raw = multi(*(b"\r\n" + mail(b"Subject: s%d" % n, body=b"text %d" % n) for n in range(3)), subtype=b"digest")
    lines = shown(raw)
    assert [line for line in lines if line.startswith(("Attached", "text"))] == [
        f"{words} {n}" if words == "text" else f"{words}{n}"
        for n in range(3)
        for words in ("Attached message: s", "text")
    ]


@pytest.mark.timeout(20)
def test_attached_messages_are_bounded_in_depth_and_number() -> None:
    raw = mail(b"Subject: s0", body=b"deepest")
    for n in range(1, 200):
        raw = mail(b"Subject: s%d" % n, b"Content-Type: message/rfc822", body=raw)
    lines = shown(raw)
    assert sum(line.startswith("Attached message") for line in lines) == NESTING_LIMIT
    assert sum("More messages are attached" in line for line in lines) == 1
    lines = shown(multi(*(attached(f"s{n}") for n in range(500))))
    assert sum(line.startswith("Attached message") for line in lines) == MESSAGES_LIMIT
    assert sum("More messages are attached" in line for line in lines) == 1
    assert len(parse(multi(*(attached(f"s{n}") for n in range(500)))).parts) == 500


# --- broken multiparts


@pytest.mark.parametrize(
    "kind",
    [
        b'multipart/*; boundary="B"',
        b'multipart/mixed boundary="B"',
        b"multipart/mixed charset=utf-8 boundary=B",
        b"multipart/mixed; charset=utf-8 boundary=B",
        b'multipart/; boundary="B"',
        b"multipart/mixed;\r\n\tboundary = B",
        b"Multipart/Mixed; Boundary=B",
    ],
)
def test_sloppy_multiparts_are_taken_apart(kind: bytes) -> None:
    raw = typed(
        kind, b"--B\r\n" + part(b"text/plain", b"one") + b"\r\n--B\r\n" + part(b"text/plain", b"two") + b"\r\n--B--"
    )
    assert shown(raw) == ["one", "", "two"]
    assert parse(raw).warnings == ()


def test_a_multipart_without_anything_in_it_does_not_announce_a_source() -> None:
    raw = typed(b"multipart/mixed; boundary=B", b"\r\n")
    assert shown(raw) == ["There is no text in this message."]
    assert not any("source" in words for words in parse(raw).warnings)


def test_a_method_inside_the_event_is_not_that_of_the_calendar() -> None:
    assert event("METHOD:CANCEL")[0] == "Invitation: s"
