"""Build the answer to an invitation (iMIP, RFC 6047): a text for people, and a calendar reply for their programs."""

from __future__ import annotations

import secrets
from datetime import UTC
from email.message import MIMEPart
from email.policy import SMTP
from enum import StrEnum
from typing import TYPE_CHECKING

from termmail.mail.message import Address, Draft, Outgoing
from termmail.mail.outgoing import (
    address_field,
    crlf,
    date_text,
    new_message_id,
    reference_fields,
    text_field,
)
from termmail.mail.recipients import ComposeError, ascii_domain, refuse_controls, wire_address
from termmail.mail.sanitize import address_text, clean_words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from termmail.mail.message import Envelope, Identity, Invitation

_OCTETS = 75  # of a line of a calendar (RFC 5545 section 3.1)
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class Answer(StrEnum):
    """What a person answers to an invitation (PARTSTAT, RFC 5545 section 3.2.12)."""

    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


SUBJECTS = {Answer.ACCEPTED: "Accepted", Answer.TENTATIVE: "Tentative", Answer.DECLINED: "Declined"}
_SENTENCES = {
    Answer.ACCEPTED: "{who} accepts this invitation.",
    Answer.TENTATIVE: "{who} may come: the invitation is accepted tentatively.",
    Answer.DECLINED: "{who} declines this invitation.",
}


def trouble(invitation: Invitation, identity: Identity) -> str:
    """Return why this invitation cannot be answered, in a sentence; "" where it can."""
    if not invitation.uid:
        return "This invitation names no event that an answer could be about."
    if "@" not in invitation.organizer.email:
        return "This invitation names no organizer who could be answered."
    if invitation.organizer.email.casefold() in _own(identity):
        return "You are the organizer of this event."
    return ""


def invited_as(invitation: Invitation, identity: Identity) -> str:
    """Return the address of the reader's that is invited; "" where none of them is named."""
    own = _own(identity)
    return next((one for one in invitation.attendees if one.casefold() in own), "")


def _own(identity: Identity) -> set[str]:
    return {address.casefold() for address in (identity.address, *identity.aliases)}


def build(invitation: Invitation, answer: Answer, identity: Identity, envelope: Envelope, *, now: datetime) -> Outgoing:
    """Return the message that answers an invitation, from this identity to its organizer alone.

    `envelope` is that of the invitation's message, `now` is aware. Raises ComposeError where it cannot be answered.
    """
    if why := trouble(invitation, identity):
        raise ComposeError(why)
    sender, recipient = wire_address(identity.address), wire_address(invitation.organizer.email)
    message_id = new_message_id(ascii_domain(identity.address.rpartition("@")[2]))
    known = Draft(in_reply_to=envelope.message_id, references=(*envelope.references, envelope.message_id))
    header = [
        address_field("From", [Address(identity.name, identity.address)]),
        address_field("To", [Address(clean_words(invitation.organizer.name), invitation.organizer.email)]),
        text_field("Subject", clean_words(f"{SUBJECTS[answer]}: {invitation.summary}")[:500]),
        f"Date: {date_text(now)}\r\n",
        f"Message-ID: <{message_id}>\r\n",
        *(reference_fields(known) if envelope.message_id else ()),
        "MIME-Version: 1.0\r\n",
    ]
    body = MIMEPart(policy=SMTP)
    body["Content-Type"] = "multipart/alternative"
    body.set_boundary(f"=_{secrets.token_hex(16)}")
    words, calendar = MIMEPart(policy=SMTP), MIMEPart(policy=SMTP)
    words.set_content(_words(invitation, answer, identity), charset="utf-8", cte="quoted-printable")
    reply = _reply(invitation, answer, identity, now)
    calendar.set_content(reply, subtype="calendar", charset="utf-8", cte="base64", params={"method": "REPLY"})
    body.attach(words)
    body.attach(calendar)
    raw = "".join(header).encode("utf-8") + crlf(body.as_bytes())
    return Outgoing(raw, sender, (recipient,), message_id)


def _words(invitation: Invitation, answer: Answer, identity: Identity) -> str:
    who = address_text(Address(identity.name, identity.address))
    lines = [_SENTENCES[answer].format(who=who), "", invitation.summary, invitation.when]
    return "\n".join(lines).rstrip() + "\n"


def _reply(invitation: Invitation, answer: Answer, identity: Identity, now: datetime) -> str:
    """Return the VCALENDAR of the answer (RFC 5546 section 3.2.3): of the attendees it names the reader alone."""
    own = invited_as(invitation, identity) or identity.address
    name = clean_words(refuse_controls(identity.name, "Your name")).replace('"', "'")
    common_name = f';CN="{name}"' if name else ""
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//termmail//termmail//EN",
        "VERSION:2.0",
        "METHOD:REPLY",
        *invitation.zones,
        "BEGIN:VEVENT",
        f"UID:{invitation.uid}",
        f"SEQUENCE:{invitation.sequence}",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        *invitation.times,
        f"SUMMARY:{invitation.summary.translate(_ESCAPES)}",
        f"ORGANIZER:mailto:{invitation.organizer.email}",
        f"ATTENDEE;PARTSTAT={answer.name}{common_name}:mailto:{own}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{line}\n" for line in _folded(lines))


def _folded(lines: Iterable[str]) -> Iterable[str]:
    """Yield lines of at most 75 octets; those that continue one begin with a space."""
    for line in lines:
        piece, room = "", _OCTETS
        for char in line:
            octets = len(char.encode("utf-8", "replace"))
            if octets > room:
                yield piece
                piece, room = " ", _OCTETS - 1
            piece += char
            room -= octets
        yield piece
