"""Read calendar data (iCalendar, RFC 5545): the first event or task, its time zones, nothing that repeats expanded."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct, field

from termmail.mail.sanitize import clean_words

SOURCE_LIMIT = 1_000_000  # characters of a calendar that are read
WORDS_LIMIT = 300  # characters of a text property on one line, such as the place
ZONES_LIMIT = 20  # time zones that are kept
ZONE_LINES = 200  # lines of a time zone that are kept
_FOLDED = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:]*)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z?))?")
_DURATION = re.compile(r"\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?")
_SHOWN = ("VEVENT", "VTODO")


class Property(Struct, frozen=True):
    """One property: its parameters, its value with the escapes of the source, and the unfolded line it was read from."""

    parameters: dict[str, str]
    value: str
    line: str


Properties: TypeAlias = dict[str, list[Property]]


class When(Struct, frozen=True):
    """A moment as the calendar names it. `day_only`: a whole day. `zone` is "" where it is the reader's own time."""

    moment: datetime
    day_only: bool
    zone: str


class Calendar(Struct):
    """The method, the properties of the first event or task, how many there are, and the lines of each time zone."""

    method: str = ""
    found: Properties = field(default_factory=dict)
    count: int = 0
    zones: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a text property with its escapes undone (RFC 5545 section 3.3.11), not yet cleaned."""
        if name not in self.found:
            return ""
        value = self.found[name][0].value
        return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)

    def words(self, name: str) -> str:
        """Return a text property as one clean line of at most WORDS_LIMIT characters."""
        words = clean_words(self.text(name)[: 10 * WORDS_LIMIT])
        return words if len(words) <= WORDS_LIMIT else words[: WORDS_LIMIT - 1] + "…"

    def when(self, name: str) -> When | None:
        """Return the moment of a property; None where it has none."""
        return moment(self.found[name][0]) if name in self.found else None

    def end(self, start: When) -> When | None:
        """Return when the event ends, from DTEND, DUE or DURATION."""
        end = self.when("DTEND") or self.when("DUE")
        match = _DURATION.fullmatch(self.found["DURATION"][0].value.strip()) if "DURATION" in self.found else None
        if end is None and match:
            weeks, days, hours, minutes, seconds = (int(each or 0) for each in match.groups())
            length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
            try:
                return When(start.moment + length, start.day_only, start.zone)
            except OverflowError:
                return None
        return end


def parse_property(line: str) -> tuple[str, Property] | None:
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
    return name[0].upper(), Property(parameters, line[place + 1 :], line)


def read(source: str) -> Calendar:
    """Return the first event or task of a calendar; its `count` is 0 where there is none. Never raises. Linear."""
    calendar = Calendar()
    stack: list[str] = []
    zone: list[str] = []
    for line in _FOLDED.sub("", source[:SOURCE_LIMIT]).splitlines():
        named = parse_property(line)
        if named is None:
            continue
        name, content = named
        value = content.value.strip().upper()
        if name == "BEGIN":
            stack.append(value)
            calendar.count += value in _SHOWN
            zone = [] if value == "VTIMEZONE" else zone
        if "VTIMEZONE" in stack[:2]:
            if len(zone) <= ZONE_LINES:
                zone.append(line)
            if name == "TZID" and len(calendar.zones) < ZONES_LIMIT:
                calendar.zones.setdefault(content.value.strip(), zone)
        if name == "END":
            if stack:
                stack.pop()
        elif name == "METHOD" and len(stack) < 2:
            calendar.method = value
        elif calendar.count == 1 and stack and stack[-1] in _SHOWN:
            calendar.found.setdefault(name, []).append(content)
    return calendar


def moment(content: Property) -> When | None:
    """Return the date, or the date and time, of a property; None where it is neither."""
    match = _DATE.fullmatch(content.value.strip())
    if match is None:
        return None
    year, month, day, hour, minute, _second, utc = match.groups()
    try:
        found = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0))  # noqa: DTZ001 - the zone is a name
    except ValueError:
        return None
    return When(found, hour is None, "UTC" if utc else clean_words(content.parameters.get("TZID", ""))[:100])
