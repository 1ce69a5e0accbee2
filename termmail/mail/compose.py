"""Writing: new mail, replies, forwards, mailto links, and the warnings before sending."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING
from urllib.parse import unquote

from termmail.mail.flowed import paragraphs, plain
from termmail.mail.message import Address, Draft, SectionKind
from termmail.mail.outgoing import build, unique
from termmail.mail.recipients import ComposeError, checked, format_addresses, parse_addresses
from termmail.mail.sanitize import clean, clean_lines, sender_text
from termmail.mail.sendmail import from_raw
from termmail.mail.wrap import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from termmail.mail.message import Identity, Message

__all__ = [
    "ComposeError",
    "Place",
    "build",
    "concerns",
    "format_addresses",
    "forward",
    "forward_attached",
    "from_raw",
    "mailto",
    "new",
    "parse_addresses",
    "reply",
    "writing_place",
]

QUOTE_LIMIT = 2_000  # lines of the answered message that are quoted
FORWARD_LIMIT = 10_000  # lines of a message that are forwarded in the text
_LINE_LENGTH = 78  # of a line to be quoted (RFC 5322 section 2.1.1): what others have wrapped stays as they did
_LOOKED_AT = 100_000  # characters of a body: nobody types more, and the search holds up everything else
_MANY = 10
_REPLY = r"(?:re|aw|antw|antwort|sv|vs|odp|res|ynt|回复|回覆|答复|答覆|返信)"
_FORWARD = r"(?:fwd|fw|wg|tr|rv|enc|ilt|doorst|vb|轉寄|转发)"
_COUNT = r"(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?"
_REPLY_PREFIX = re.compile(rf"(?:{_REPLY}{_COUNT} ?[:：] *)+", re.IGNORECASE)
_FORWARD_PREFIX = re.compile(rf"(?:{_FORWARD}{_COUNT} ?[:：] *)+", re.IGNORECASE)
_TAGGED_REPLY = re.compile(rf"(\[[^\[\]]{{1,60}}\] *)(?:{_REPLY}{_COUNT} ?[:：] *)+", re.IGNORECASE)
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905 - reads better
)
_ATTACHED = re.compile(
    r"\b(?:attached|attaching|attachments?|enclosed"  # en
    r"|anhang|anbei|angehängte?[nrs]?|beigefügte?[nrs]?|anlagen?"  # de
    r"|ci-jointe?s?|pièces? jointes?|jointe?s?"  # fr
    r"|adjunt[oa]s?|adjuntad[oa]s?|archivos? adjuntos?"  # es
    r"|bijlagen?|bijgevoegde?|bijgesloten"  # nl
    r"|allegat[oi]|anexos?|em anexo"  # it, pt
    r"|bifogad|bifogat|bifogar|vedhæftet|vedlagt|vedlegg"  # sv, da, no
    r"|załącznik\w*|załączam|liitteenä|příloh\w{1,3})\b",  # pl, fi, cs
    re.IGNORECASE,
)
_FORWARD_START = "---------- Forwarded message ----------"
_FORWARD_END = "---------- End of forwarded message ----------"
_MAILTO_BODY = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text: its line and the column in it, both counted from 0."""

    line: int
    column: int


def _signature(identity: Identity) -> str:
    return f"\n\n-- \n{identity.signature}\n" if identity.signature.strip() else ""


def writing_place(draft: Draft) -> Place:
    """Return where writing starts in the body: its top, or for "body-end" the empty line before the signature."""
    if draft.cursor != "body-end":
        return Place(0, 0)
    lines = draft.body.split("\n")
    starts = [number for number, line in enumerate(lines) if line == "-- "]
    line = max(starts[-1] - 2, 0) if starts else len(lines) - 1
    return Place(line, len(lines[line]))


def new(identity: Identity) -> Draft:
    """Return an empty draft with the signature."""
    return Draft(body=_signature(identity), cursor="to")


def _own(identity: Identity) -> set[str]:
    return {one.casefold() for one in (identity.address, *identity.aliases)}


def _people(groups: Iterable[Address], without: Collection[str] = ()) -> list[Address]:
    """Return the addresses that mail can go to, each once. A name that looks like an address is left out as misleading."""
    found: dict[str, Address] = {}
    for one in groups:
        try:
            checked(one.email)
        except ComposeError:
            continue
        key = one.email.casefold()
        if key not in without and key not in found:
            found[key] = Address("" if "@" in one.name else one.name, one.email)
    return list(found.values())


def _followup(message: Message) -> list[Address]:
    """Return the addresses that the sender asks answers to go to (Mail-Followup-To), or none."""
    for name, value in message.headers:
        if name.lower() == "mail-followup-to":
            try:
                return _people(parse_addresses(value))
            except ComposeError:
                return []
    return []


def _answer_to(message: Message, identity: Identity, *, everyone: bool) -> tuple[list[Address], list[Address]]:
    """Return To and Cc of an answer, without the user's own addresses unless there are no others."""
    envelope, own = message.envelope, _own(identity)
    if any(one.email.casefold() in own for one in envelope.sender):
        to = _people(envelope.to, own) or _people(envelope.to) or _people(envelope.sender)
        return to, _people(envelope.cc, own | {one.email.casefold() for one in to}) if everyone else []
    asked = _followup(message) if everyone else []
    if asked:
        return [one for one in asked if one.email.casefold() not in own] or asked, []
    to = _people(envelope.reply_to) or _people(envelope.sender)
    if not everyone:
        return to, []
    to = [one for one in to if one.email.casefold() not in own] or to
    return to, _people((*envelope.to, *envelope.cc), own | {one.email.casefold() for one in to})


def reply_subject(subject: str) -> str:
    """Return the subject with one `Re: ` instead of its reply prefixes (AW:, SV:, RE[2]:), also behind a list's tag."""
    rest = _REPLY_PREFIX.sub("", subject.strip(), count=1) if _REPLY_PREFIX.match(subject.strip()) else subject.strip()
    tagged = _TAGGED_REPLY.match(rest)
    return "Re: " + (tagged.group(1) + rest[tagged.end() :] if tagged else rest)


def forward_subject(subject: str) -> str:
    """Return the subject with one `Fwd: ` instead of its forward prefixes (WG:, TR:, FW:)."""
    subject = subject.strip()
    match = _FORWARD_PREFIX.match(subject)
    return "Fwd: " + (subject[match.end() :] if match else subject)


def _when(seconds: int) -> str:
    """Return a date for people in the zone of this machine: `3 March 2026 at 09:12`."""
    try:
        at = datetime.fromtimestamp(seconds, UTC).astimezone()
    except (OverflowError, OSError, ValueError):
        return "an unknown day"
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year} at {at:%H:%M}"


def _quoted(message: Message) -> str:
    """Return the message as at most 2 000 quoted lines under a date line, without its signature."""
    sender = message.envelope.sender
    writer = sender_text(sender[0]) if sender else "someone"
    on = f"On {_when(message.envelope.date)}, " if message.envelope.date is not None else ""
    lines = [f"{on}{writer} wrote:"]
    found = [one for one in paragraphs(_own_text(message)) if one.kind != "signature"]
    while found and not found[-1].text.strip():
        found.pop()
    fits = _fitting((one.text for one in found), QUOTE_LIMIT)
    for one in found[:fits]:
        marks = ">" * (one.quote + 1)
        lines += [f"{marks} {text}".rstrip() for text in fold(one.text, _LINE_LENGTH)]
    if fits < len(found):
        lines.append(f"> [{len(found) - fits} more lines are not quoted]")
    return "\n".join(lines)


def _own_text(message: Message) -> str:
    """Return what the sender wrote, else what the message holds instead (an invitation, an attached message)."""
    return plain(message, {SectionKind.BODY}) or plain(message, set(SectionKind) - {SectionKind.NOTICE})


def _fitting(texts: Iterable[str], limit: int) -> int:
    """Return how many of the texts fit into `limit` lines; a long one counts as several."""
    used = accumulate(1 + len(text) // _LINE_LENGTH for text in texts)
    return sum(lines <= limit for lines in used)


def _references(message: Message) -> tuple[str, ...]:
    """Return the references of an answer (RFC 5322 section 3.6.4): those of the parent, then the parent itself."""
    envelope = message.envelope
    before = envelope.references or ((envelope.in_reply_to,) if envelope.in_reply_to else ())
    return tuple(dict.fromkeys((*before, envelope.message_id))) if envelope.message_id else before


def reply(
    message: Message, identity: Identity, *, everyone: bool = False, to_list: bool = False, above: bool = False
) -> Draft:
    """Return a draft that answers a message: to Reply-To or the sender, to `everyone`, or `to_list`.

    With `above` the answer is written above the quoted text. Raises ComposeError where `to_list` finds no list.
    """
    envelope = message.envelope
    to, cc = _answer_to(message, identity, everyone=everyone)
    if to_list:
        to, cc = _people([Address("", envelope.list_post)] if envelope.list_post else []), []
        if not to:
            raise ComposeError("This message did not come through a mailing list. Use reply or reply all.")
    quote = _quoted(message)
    signature = _signature(identity)
    return Draft(
        to=format_addresses(to),
        cc=format_addresses(cc),
        subject=reply_subject(envelope.subject),
        body=f"{signature or chr(10)}\n{quote}\n" if above else f"{quote}\n\n{signature}",
        in_reply_to=envelope.message_id,
        references=_references(message),
        cursor="body" if above else "body-end",
    )


def forward(message: Message, identity: Identity) -> Draft:
    """Return a draft that forwards a message in its text: its header and its body between two marks."""
    envelope = message.envelope
    fields = [
        ("From", format_addresses(envelope.sender)),
        ("Date", _when(envelope.date) if envelope.date is not None else ""),
        ("Subject", envelope.subject),
        ("To", format_addresses(envelope.to)),
        ("Cc", format_addresses(envelope.cc)),
    ]
    block = "\n".join(f"{name}: {value}" for name, value in fields if value)
    lines = plain(message, set(SectionKind) - {SectionKind.NOTICE}).strip("\n").split("\n")
    fits = _fitting(lines, FORWARD_LIMIT)
    rest = len(lines) - fits
    if rest:
        cut = f"[{rest} more lines are not in this copy. Forward it as an attachment to pass on all of it.]"
        lines = [*lines[:fits], cut]
    text = "\n".join(lines)
    body = f"\n\n{_FORWARD_START}\n{block}\n\n{text}\n\n{_FORWARD_END}\n{_signature(identity)}"
    return Draft(subject=forward_subject(envelope.subject), body=body, cursor="to")


def forward_attached(message: Message, identity: Identity) -> Draft:
    """Return a draft that forwards a message as a file; the caller attaches its bytes as message/rfc822."""
    return Draft(subject=forward_subject(message.envelope.subject), body=_signature(identity), cursor="to")


def mailto(url: str, identity: Identity) -> Draft:
    """Return the draft of a mailto link (RFC 6068).

    Only to, cc, subject, body and in-reply-to are read; never attach, bcc, from.

    Raises ComposeError for another scheme and for addresses that are none.
    """
    scheme, colon, rest = url.strip().partition(":")
    if not colon or scheme.lower() != "mailto":
        raise ComposeError("This is not a mailto link.")
    path, _, query = rest.partition("?")
    to = [unquote(path)] if path else []
    fields: dict[str, list[str]] = {"cc": [], "subject": [], "body": [], "in-reply-to": []}
    for pair in query.split("#")[0].replace("&amp;", "&").split("&")[:100]:
        key, _, value = pair.partition("=")
        key = unquote(key).lower()
        if key == "to":
            to.append(unquote(value))
        elif key in fields:
            fields[key].append(unquote(value))
    body = clean_lines("\n".join(fields["body"])[:_MAILTO_BODY])
    return Draft(
        to=format_addresses(_people(parse_addresses(", ".join(to)))),
        cc=format_addresses(_people(parse_addresses(", ".join(fields["cc"])))),
        subject=clean(" ".join(fields["subject"]))[:1000],
        body=body + _signature(identity),
        in_reply_to=clean("".join(fields["in-reply-to"][:1])).strip("<> "),
        cursor="body" if to else "to",
    )


def _own_words(body: str) -> str:
    """Return the start of a text without quotes, signature and forwarded message."""
    own = body[:_LOOKED_AT].partition(_FORWARD_START)[0].split("\n")
    return "\n".join(line for line in own if not line.startswith(">")).partition("\n-- \n")[0]


def concerns(draft: Draft) -> tuple[str, ...]:
    """Return the warnings to confirm before sending, one sentence each."""
    found = []
    if not draft.attachments and _ATTACHED.search(f"{draft.subject}\n{_own_words(draft.body)}"):
        found.append("You mention an attachment, but nothing is attached.")
    if not draft.subject.strip():
        found.append("The subject is empty.")
    try:
        people = unique(one.email for text in (draft.to, draft.cc, draft.bcc) for one in parse_addresses(text))
    except ComposeError:
        people = ()  # build says what is wrong with them
    if len(people) >= _MANY:
        found.append(f"This goes to {len(people)} people.")
    return tuple(found)
