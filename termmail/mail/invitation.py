"""Invitations and other calendar events (RFC 5545 and 5546) in words: what, when, where, who."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.mail import icalendar, recurrence
from termmail.mail.message import Address, Invitation
from termmail.mail.sanitize import clean_address, clean_lines, clean_words
from termmail.mail.time_zone import local_zone

if TYPE_CHECKING:
    from termmail.mail.icalendar import Calendar, Property, When

PEOPLE_LIMIT = 50  # attendees that are named
ATTENDEES_LIMIT = 5_000  # attendees among whom the reader is looked for
LINK_LIMIT = 2_000  # characters of the address of a meeting
ZONE_LIMIT = 8_000  # characters of a time zone that an answer repeats
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ANSWERS = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "accepted tentatively",
    "DELEGATED": "delegated",
}
"""What a person has answered. Who has not is named without a word: that was so when the invitation was sent."""
_LINKS = ("X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "URL")
_TOO_LONG = "A calendar is attached that is too long to be read here"
_REPEATED = ("RECURRENCE-ID", "DTSTART", "DTEND")
_TIME_LINE = re.compile(
    r'(?:RECURRENCE-ID|DTSTART|DTEND)(?:;VALUE=DATE(?:-TIME)?|;TZID=(?:"[^";:\x00-\x1f\x7f-\x9f]{1,100}"|[^";:\x00-\x1f\x7f-\x9f]{1,100}))*'
    r":\d{8}(?:T\d{6}Z?)?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Event(Struct, frozen=True):
    """A calendar event: a title, its facts in clean lines, what its organizer wrote about it (clean, or "").

    `invitation` is what an answer to it repeats; None where it asks for none.
    """

    title: str
    facts: str
    description: str
    invitation: Invitation | None = None


def day(moment: date) -> str:
    """Return a day as in "Tuesday 3 March 2026"."""
    return f"{_DAYS[moment.weekday()]} {moment.day} {recurrence.MONTHS[moment.month - 1]} {moment.year}"


def _span(start: datetime, end: datetime | None) -> str:
    """Return when an event is, for people: its day and its times."""
    text = f"{day(start)}, {start:%H:%M}"
    if end is not None and end != start:
        text += f" to {end:%H:%M}" if end.date() == start.date() else f" to {day(end)}, {end:%H:%M}"
    return text


def _all_day(start: datetime, end: datetime | None) -> str:
    last = end - timedelta(days=1) if end and end > start else start
    through = f" to {day(last)}" if last.date() > start.date() else ""
    return f"{day(start)}{through} (all day)"


def _times(calendar: Calendar, start: When | None) -> tuple[str, str]:
    """Return when an event is in the zone of this machine, and in its own where that is another one, else ""."""
    if start is None:
        return "", ""
    end = calendar.end(start)
    if start.day_only:
        return _all_day(start.moment, end.moment if end else None), ""
    own = _span(start.moment, end.moment if end else None)
    if not start.zone:
        return own, ""
    zone = local_zone(start.moment, start.zone, calendar.zones)
    if zone is None:
        return f"{own} ({start.zone})", ""
    try:
        begins = _here(start.moment, zone)
        ends = None if end is None else _here(end.moment, _zone_of_end(calendar, start, end, zone))
    except (OverflowError, OSError, ValueError):
        return f"{own} ({start.zone})", ""
    here = _span(begins, ends)
    if here == own:
        return f"{own} ({start.zone})", ""
    name = clean_words(begins.tzname() or "")
    return f"{here} ({name})" if name else here, "" if start.zone == "UTC" else f"{own} ({start.zone})"


def _zone_of_end(calendar: Calendar, start: When, end: When, zone: tzinfo) -> tzinfo:
    same = end.zone in ("", start.zone) and not end.day_only
    return (zone if same else local_zone(end.moment, end.zone, calendar.zones)) or zone


def _here(moment: datetime, zone: tzinfo) -> datetime:
    """Return a moment of a zone in the zone of this machine."""
    return moment.replace(tzinfo=zone).astimezone(UTC).astimezone()


def _email(content: Property) -> str:
    value = content.value.strip()
    email = value[7:] if value[:7].lower() == "mailto:" else value
    return clean_address(clean_words(email))[:320]


def _person(content: Property) -> str:
    name, email = clean_words(content.parameters.get("CN", ""))[:200], _email(content)
    return f"{name} <{email}>" if name and name.lower() != email.lower() else email


def _attendee(content: Property) -> str:
    answer = _ANSWERS.get(content.parameters.get("PARTSTAT", "").upper(), "")
    return f"{_person(content)} ({answer})" if answer else _person(content)


def _is_cancelled(calendar: Calendar) -> bool:
    return calendar.method == "CANCEL" or calendar.words("STATUS").upper() == "CANCELLED"


def _title(calendar: Calendar, summary: str) -> str:
    attendees = calendar.found.get("ATTENDEE", [])
    if _is_cancelled(calendar):
        return f"Cancelled: {summary}"
    if calendar.method == "REPLY" and attendees:
        answer = _ANSWERS.get(attendees[0].parameters.get("PARTSTAT", "").upper(), "answered")
        return f"{_person(attendees[0])} {answer}: {summary}"
    if calendar.method == "COUNTER":
        return f"Other time proposed: {summary}"
    if calendar.method == "REQUEST":
        changed = calendar.words("SEQUENCE").strip("0") != ""
        return f"Changed invitation: {summary}" if changed else f"Invitation: {summary}"
    return f"Event: {summary}"


def _repeats(calendar: Calendar) -> str:
    if "RRULE" not in calendar.found:
        return ""
    text = recurrence.words(calendar.found["RRULE"][0].value)
    left_out = sum(one.value.count(",") + 1 for one in calendar.found.get("EXDATE", ()))
    return f"{text}, except {left_out} {'date' if left_out == 1 else 'dates'}" if left_out else text


def _one_of_a_series(calendar: Calendar) -> str:
    which = calendar.when("RECURRENCE-ID")
    if which is None:
        return ""
    return f"this is about {day(which.moment)} alone, one of several"


def _invitation(calendar: Calendar, summary: str, when: str) -> Invitation | None:
    """Return what an answer repeats; None for what is no invitation."""
    if calendar.method != "REQUEST" or _is_cancelled(calendar):
        return None
    uid = calendar.found["UID"][0].value.strip() if "UID" in calendar.found else ""
    organizer = calendar.found.get("ORGANIZER")
    sequence = calendar.words("SEQUENCE")
    times = [calendar.found[name][0] for name in _REPEATED if name in calendar.found]
    lines = [one.line for one in times if _TIME_LINE.fullmatch(one.line)]
    which = calendar.found["RECURRENCE-ID"][0].value.strip() if "RECURRENCE-ID" in calendar.found else ""
    return Invitation(
        uid=uid if len(uid) <= 1000 and not _CONTROL.search(uid) else "",
        recurrence_id=clean_words(which)[:40],
        sequence=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 10 else 0,
        organizer=Address(clean_words(organizer[0].parameters.get("CN", ""))[:200], _email(organizer[0]))
        if organizer
        else Address("", ""),
        attendees=tuple(map(_email, calendar.found.get("ATTENDEE", [])[:ATTENDEES_LIMIT])),
        summary=summary,
        when=when,
        times=tuple(lines),
        zones=_zone_lines(calendar, times),
    )


def _zone_lines(calendar: Calendar, times: list[Property]) -> tuple[str, ...]:
    """Return the time zones that the times need, as they came; none that is long or holds a control character."""
    lines: list[str] = []
    for name in dict.fromkeys(one.parameters.get("TZID", "") for one in times):
        zone = calendar.zones.get(name, []) if name else []
        whole = sum(map(len, zone)) <= ZONE_LIMIT and len(zone) <= icalendar.ZONE_LINES
        if whole and zone[-1:] == ["END:VTIMEZONE"] and not any(map(_CONTROL.search, zone)):
            lines += zone
    return tuple(lines)


def read(source: str) -> Event | None:
    """Return the first event or task of a calendar in words; None where there is none. Never raises. Linear."""
    calendar = icalendar.read(source)
    if not calendar.count:
        return Event(_TOO_LONG, "", "") if len(source) >= icalendar.SOURCE_LIMIT else None
    attendees = calendar.found.get("ATTENDEE", [])
    people = [_attendee(one) for one in attendees[:PEOPLE_LIMIT]]
    if len(attendees) > PEOPLE_LIMIT:
        people.append(f"and {len(attendees) - PEOPLE_LIMIT} more")
    links = [link for name in _LINKS if (link := clean_words(calendar.text(name))).startswith("https://")]
    links = [link for link in links if len(link) <= LINK_LIMIT]  # a piece of an address leads elsewhere
    summary = calendar.words("SUMMARY") or "(no title)"
    here, there = _times(calendar, calendar.when("DTSTART") or calendar.when("DUE"))
    more = calendar.count - 1
    facts = (
        ("When", here),
        ("There", there),
        ("Repeats", _repeats(calendar)),
        ("Series", _one_of_a_series(calendar)),
        ("Where", calendar.words("LOCATION")),
        ("Link", links[0] if links else ""),
        ("From", _person(calendar.found["ORGANIZER"][0]) if "ORGANIZER" in calendar.found else ""),
        ("With", ", ".join(people)),
        ("Status", "tentative" if calendar.words("STATUS").upper() == "TENTATIVE" else ""),
        (
            "Note",
            f"{more} more {'event is' if more == 1 else 'events are'} in the attached calendar file." if more else "",
        ),
    )
    return Event(
        title=_title(calendar, summary),
        facts="\n".join(f"{name}: {value}" for name, value in facts if value),
        description=clean_lines(calendar.text("DESCRIPTION")).strip(),
        invitation=_invitation(calendar, summary, here),
    )
