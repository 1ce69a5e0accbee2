"""An answer to an invitation is what RFC 6047 and 5546 ask for, goes to the organizer alone, and names only us."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email import policy

import pytest
from msgspec.structs import replace

from termmail.mail import icalendar, invitation_reply
from termmail.mail.invitation_reply import Answer
from termmail.mail.message import Address, Envelope, Identity, Invitation
from termmail.mail.recipients import ComposeError

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ADA = Identity("Ada Lovelace", "ada@example.org", aliases=("countess@example.org",))
TEA = Invitation(
    uid="tea-1@example.net",
    sequence=2,
    organizer=Address("Olga Ö", "olga@example.net"),
    attendees=("bob@example.net", "Countess@Example.org"),
    summary="Tea, cake; and\\more",
    when="Tuesday 3 March 2026, 14:00",
    times=("DTSTART:20260303T140000Z",),
)
ENVELOPE = Envelope(subject="Invitation: Tea", message_id="invite@example.net", references=("first@example.net",))


def built(answer: Answer = Answer.ACCEPTED, invitation: Invitation = TEA, identity: Identity = ADA):
    outgoing = invitation_reply.build(invitation, answer, identity, ENVELOPE, now=NOW)
    return outgoing, email.message_from_bytes(outgoing.raw, policy=policy.default)


def calendar(message) -> str:
    part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    assert part.get_param("method") == "REPLY"
    return str(part.get_content())


@pytest.mark.parametrize(
    ("answer", "status", "subject"),
    [
        (Answer.ACCEPTED, "ACCEPTED", "Accepted: Tea, cake; and\\more"),
        (Answer.TENTATIVE, "TENTATIVE", "Tentative: Tea, cake; and\\more"),
        (Answer.DECLINED, "DECLINED", "Declined: Tea, cake; and\\more"),
    ],
)
def test_an_answer_goes_to_the_organizer_with_text_and_calendar(answer, status, subject):
    outgoing, message = built(answer)
    assert outgoing.recipients == ("olga@example.net",)
    assert outgoing.sender == "ada@example.org"
    assert message["To"] == "Olga Ö <olga@example.net>"
    assert message["Subject"] == subject
    assert message["In-Reply-To"] == "<invite@example.net>"
    assert message["References"] == "<first@example.net> <invite@example.net>"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/calendar"]
    lines = calendar(message).splitlines()
    assert "METHOD:REPLY" in lines
    assert "UID:tea-1@example.net" in lines
    assert "SEQUENCE:2" in lines
    assert "DTSTAMP:20260301T093000Z" in lines
    assert "DTSTART:20260303T140000Z" in lines
    assert "ORGANIZER:mailto:olga@example.net" in lines
    attendees = [line for line in lines if line.startswith("ATTENDEE")]
    assert attendees == [f'ATTENDEE;PARTSTAT={status};CN="Ada Lovelace":mailto:Countess@Example.org']


def test_the_calendar_reads_back_and_its_lines_are_short():
    long = replace(TEA, summary="日本語の長い題" * 40, uid="u" * 300)
    _, message = built(invitation=long)
    text = calendar(message)
    assert all(len(line.encode()) <= 75 for line in text.splitlines())
    read = icalendar.read(text)
    assert read.method == "REPLY"
    assert read.words("UID") == "u" * 300
    assert read.words("SUMMARY") == "日本語の長い題" * 40


def test_the_text_of_the_event_survives_its_escapes():
    _, message = built()
    assert icalendar.read(calendar(message)).words("SUMMARY") == TEA.summary


def test_who_is_not_named_answers_with_the_address_of_the_account():
    _, message = built(invitation=replace(TEA, attendees=("list@example.net",)))
    assert 'CN="Ada Lovelace":mailto:ada@example.org' in calendar(message).replace("\r\n ", "")


def test_the_zone_of_a_repeated_time_comes_with_it():
    zones = ("BEGIN:VTIMEZONE", "TZID:x", "END:VTIMEZONE")
    _, message = built(invitation=replace(TEA, times=("RECURRENCE-ID;TZID=x:20260303T140000",), zones=zones))
    text = calendar(message)
    assert text.index("BEGIN:VTIMEZONE") < text.index("BEGIN:VEVENT") < text.index("RECURRENCE-ID;TZID=x:")


@pytest.mark.parametrize(
    ("invitation", "words"),
    [
        (replace(TEA, uid=""), "names no event"),
        (replace(TEA, organizer=Address("", "")), "names no organizer"),
        (replace(TEA, organizer=Address("", "not an address")), "names no organizer"),
        (replace(TEA, organizer=Address("", "Ada@example.org")), "You are the organizer"),
    ],
)
def test_what_cannot_be_answered_is_said(invitation, words):
    assert words in invitation_reply.trouble(invitation, ADA)
    with pytest.raises(ComposeError, match=words):
        invitation_reply.build(invitation, Answer.ACCEPTED, ADA, ENVELOPE, now=NOW)


@pytest.mark.parametrize("name", ["Ada\r\nBcc: x@y.org", 'A"d;a:,', "\x1b[2J"])
def test_no_name_breaks_a_line(name):
    evil = replace(TEA, organizer=Address(name, "olga@example.net"), summary=f"s{name}")
    try:
        outgoing, message = built(invitation=evil, identity=replace(ADA, name=name))
    except ComposeError:
        return
    assert message["Bcc"] is None
    assert outgoing.recipients == ("olga@example.net",)
    assert len([line for line in calendar(message).splitlines() if line.startswith("ATTENDEE")]) == 1


@pytest.mark.parametrize("address", ["a@b.org\r\nBcc: x@y.org", "a@b.org, x@y.org", "<a@b.org>", "a b@c.org"])
def test_an_organizer_that_is_no_single_address_is_refused(address):
    with pytest.raises(ComposeError):
        built(invitation=replace(TEA, organizer=Address("", address)))
