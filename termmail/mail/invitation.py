"""Calendar parts (iCalendar, RFC 5545 and 5546) as readable lines: what, when, where, who."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from msgspec import Struct

from termmail.mail.sanitize import clean_lines, clean_words

SOURCE_LIMIT = 1_000_000  # characters of a calendar that are read
PEOPLE_LIMIT = 50  # attendees that are named
_FOLDED = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:]*)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z?))?")
_DURATION = re.compile(r"\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_ANSWERS = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "accepted tentatively",
    "DELEGATED": "delegated",
    "NEEDS-ACTION": "not answered yet",
}
_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year", "HOURLY": "hour"}
_LINKS = ("X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "URL")


class _Property(Struct, frozen=True):
    parameters: dict[str, str]
    value: str


_Properties: TypeAlias = dict[str, list[_Property]]


class Invitation(Struct, frozen=True):
    """A calendar event: a title, its facts in clean lines, and what its organizer wrote about it (clean, or "")."""

    title: str
    facts: str
    description: str


def _property(line: str) -> tuple[str, _Property] | None:
    """Split `NAME;PARAMETER=x:value`; None for anything else."""
    name = _NAME.match(line)
    if name is None:
        return None
    parameters: dict[str, str] = {}
    place = name.end()
    while match := _PARAMETER.match(line, place):
        parameters.setdefault(match[1].upper(), match[2].strip('"'))
        place = match.end()
    if not line.startswith(":", place):
        return None
    return name[0].upper(), _Property(parameters, line[place + 1 :])


def _read(source: str) -> tuple[str, _Properties, int]:
    """Return the method, the properties of the first event or task, and how many there are."""
    method = ""
    found: _Properties = {}
    stack: list[str] = []
    count = 0
    for line in _FOLDED.sub("", source[:SOURCE_LIMIT]).splitlines():
        named = _property(line)
        if named is None:
            continue
        name, content = named
        value = content.value.strip().upper()
        if name == "BEGIN":
            stack.append(value)
            count += value in ("VEVENT", "VTODO")
        elif name == "END":
            if stack:
                stack.pop()
        elif name == "METHOD" and len(stack) < 2:
            method = value
        elif count == 1 and stack and stack[-1] in ("VEVENT", "VTODO"):
            found.setdefault(name, []).append(content)
    return method, found, count


def _text(found: _Properties, name: str) -> str:
    """Return a text property with its escapes undone (RFC 5545 section 3.3.11), not yet cleaned."""
    if name not in found:
        return ""
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], found[name][0].value)


def _line(found: _Properties, name: str) -> str:
    return clean_words(_text(found, name))[:1000]


class _When(Struct, frozen=True):
    """A moment as the calendar names it. `day_only`: a whole day. `zone` is "" where it is the reader's own time."""

    moment: datetime
    day_only: bool
    zone: str


def _when(found: _Properties, name: str) -> _When | None:
    if name not in found:
        return None
    content = found[name][0]
    match = _DATE.fullmatch(content.value.strip())
    if match is None:
        return None
    year, month, day, hour, minute, _second, utc = match.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0))  # noqa: DTZ001 - the zone is a name
    except ValueError:
        return None
    return _When(moment, hour is None, "UTC" if utc else clean_words(content.parameters.get("TZID", ""))[:100])


def _end(found: _Properties, start: _When) -> _When | None:
    """Return when the event ends, from DTEND, DUE or DURATION."""
    end = _when(found, "DTEND") or _when(found, "DUE")
    match = _DURATION.fullmatch(found["DURATION"][0].value.strip()) if "DURATION" in found else None
    if end is None and match:
        weeks, days, hours, minutes, seconds = (int(each or 0) for each in match.groups())
        length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        try:
            return _When(start.moment + length, start.day_only, start.zone)
        except OverflowError:
            return None
    return end


def _day(moment: date) -> str:
    return f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _span(start: _When, end: _When | None) -> str:
    """Return when an event is, for people: its day, its times and their zone."""
    if start.day_only:
        last = end.moment - timedelta(days=1) if end and end.moment > start.moment else start.moment
        through = f" to {_day(last)}" if last.date() > start.moment.date() else ""
        return f"{_day(start.moment)}{through} (all day)"
    text = f"{_day(start.moment)}, {start.moment:%H:%M}"
    if end is not None and end.moment != start.moment:
        same_day = end.moment.date() == start.moment.date()
        text += f" to {end.moment:%H:%M}" if same_day else f" to {_day(end.moment)}, {end.moment:%H:%M}"
    return f"{text} ({start.zone}{_local(start)})" if start.zone else text


def _local(start: _When) -> str:
    """Return when an event in UTC starts in the zone of this machine, or "" where that is the same."""
    if start.zone != "UTC":
        return ""
    try:
        here = start.moment.replace(tzinfo=UTC).astimezone()
    except (OverflowError, OSError, ValueError):
        return ""
    if not here.utcoffset():
        return ""
    day = "" if here.date() == start.moment.date() else f"{_day(here)}, "
    return f"; starts {day}{here:%H:%M} {clean_words(here.tzname() or '')}".rstrip()


def _person(content: _Property) -> str:
    name = clean_words(content.parameters.get("CN", ""))[:200]
    value = content.value.strip()
    email = clean_words(value[7:] if value[:7].lower() == "mailto:" else value)[:320]
    return f"{name} <{email}>" if name and name.lower() != email.lower() else email


def _attendee(content: _Property) -> str:
    answer = _ANSWERS.get(content.parameters.get("PARTSTAT", "").upper(), "")
    return f"{_person(content)} ({answer})" if answer else _person(content)


def _repeats(rule: str) -> str:
    """Return how an event repeats (RFC 5545 section 3.3.10): how often, until when."""
    parts = dict(part.split("=", 1) for part in rule.upper().split(";")[:20] if "=" in part)
    unit = _UNITS.get(parts.get("FREQ", ""))
    if unit is None:
        return clean_words(rule)[:200]
    interval = parts.get("INTERVAL", "1")
    text = f"every {unit}" if interval == "1" else f"every {clean_words(interval)[:5]} {unit}s"
    if "COUNT" in parts:
        text += f", {clean_words(parts['COUNT'])[:6]} times"
    if until := _DATE.match(parts.get("UNTIL", "")):
        text += f", until {until[1]}-{until[2]}-{until[3]}"
    return text


def _title(method: str, found: _Properties) -> str:
    summary = _line(found, "SUMMARY") or "(no title)"
    attendees = found.get("ATTENDEE", [])
    if method == "CANCEL" or _line(found, "STATUS").upper() == "CANCELLED":
        return f"Cancelled: {summary}"
    if method == "REPLY" and attendees:
        answer = _ANSWERS.get(attendees[0].parameters.get("PARTSTAT", "").upper(), "answered")
        return f"{_person(attendees[0])} {answer}: {summary}"
    if method == "COUNTER":
        return f"Other time proposed: {summary}"
    if method == "REQUEST":
        changed = _line(found, "SEQUENCE").strip("0") != ""
        return f"Changed invitation: {summary}" if changed else f"Invitation: {summary}"
    return f"Event: {summary}"


def read(source: str) -> Invitation | None:
    """Return the first event or task of a calendar in words; None where there is none. Never raises. Linear."""
    method, found, count = _read(source)
    if not count:
        return None
    start = _when(found, "DTSTART") or _when(found, "DUE")
    attendees = found.get("ATTENDEE", [])
    people = [_attendee(one) for one in attendees[:PEOPLE_LIMIT]]
    if len(attendees) > PEOPLE_LIMIT:
        people.append(f"and {len(attendees) - PEOPLE_LIMIT} more")
    links = [link for link in (_line(found, name) for name in _LINKS) if link.startswith("https://")]
    facts = (
        ("When", _span(start, _end(found, start)) if start else ""),
        ("Repeats", _repeats(found["RRULE"][0].value) if "RRULE" in found else ""),
        ("Where", _line(found, "LOCATION")),
        ("Link", links[0] if links else ""),
        ("From", _person(found["ORGANIZER"][0]) if "ORGANIZER" in found else ""),
        ("With", ", ".join(people)),
        ("Status", "tentative" if _line(found, "STATUS").upper() == "TENTATIVE" else ""),
        ("Note", f"{count - 1} more events are in the attached calendar file." if count > 1 else ""),
    )
    return Invitation(
        title=_title(method, found),
        facts="\n".join(f"{name}: {value}" for name, value in facts if value),
        description=clean_lines(_text(found, "DESCRIPTION")).strip(),
    )
