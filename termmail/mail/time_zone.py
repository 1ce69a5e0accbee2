"""The offset from UTC of a time zone that a calendar names: by its IANA name, else by the rules that came with it."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.mail import icalendar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,2}")
_PREFIXED = re.compile(r"/[^/]{1,60}/(?:[^/]{1,60}/)?(?=[A-Z][a-z]+/)")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?")
_BY_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class _Observance(Struct):
    """Standard or daylight time: from when on, every year or once, and the offsets before and in it.

    In every year it begins on the `nth` `weekday` of `month` (from the end where `nth` is negative), until `last`.
    """

    start: datetime
    before: timedelta
    offset: timedelta
    month: int = 0
    nth: int = 0
    weekday: int = 0
    last: int = 9999

    def onset(self, local: datetime) -> datetime | None:
        """Return when it began last before a local time; None where it had not begun."""
        if not self.month:
            return self.start if self.start <= local else None
        for year in (min(local.year, self.last), min(local.year, self.last) - 1):
            if year >= self.start.year and (found := self._in(year)) <= local:
                return found
        return None

    def _in(self, year: int) -> datetime:
        first, days = calendar.monthrange(year, self.month)
        day = 1 + (self.weekday - first) % 7 + 7 * (self.nth - 1) if self.nth > 0 else 0
        if self.nth < 0:
            day = days - (first + days - 1 - self.weekday) % 7 + 7 * (self.nth + 1)
        return self.start.replace(year=year, month=self.month, day=min(max(day, 1), days))


def local_zone(moment: datetime, name: str, zones: Mapping[str, Sequence[str]]) -> tzinfo | None:
    """Return the zone of this name, or its offset at a local time; None where neither is known.

    `zones` has the lines of the VTIMEZONE components (RFC 5545 section 3.6.5) that came with the name.
    """
    if name == "UTC":
        return UTC
    if (known := _by_name(name)) is not None:
        return known
    try:
        offset = _by_rules(zones.get(name, ()), moment)
    except (ValueError, OverflowError):
        return None
    return None if offset is None or abs(offset) >= timedelta(days=1) else timezone(offset)


def _by_name(name: str) -> tzinfo | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - few messages are invitations

    name = _PREFIXED.sub("", name)  # "/mozilla.org/20050126_1/Europe/Berlin"
    if not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _by_rules(lines: Sequence[str], local: datetime) -> timedelta | None:
    """Return the offset at a local time by the rules of a VTIMEZONE."""
    observances = [one for one in _observances(lines) if one is not None]
    begun = [(onset, one) for one in observances if (onset := one.onset(local)) is not None]
    if begun:
        return max(begun, key=lambda pair: pair[0])[1].offset
    return min(observances, key=lambda one: one.start).before if observances else None


def _observances(lines: Sequence[str]) -> list[_Observance | None]:
    found: list[_Observance | None] = []
    values: dict[str, icalendar.Property] = {}
    for line in lines[: icalendar.ZONE_LINES]:
        named = icalendar.parse_property(line)
        if named is None:
            continue
        name, content = named
        if name == "BEGIN":
            values = {}
        elif name == "END":
            found.append(_observance(values))
        values[name] = content
    return found


def _observance(values: Mapping[str, icalendar.Property]) -> _Observance | None:
    start = icalendar.moment(values["DTSTART"]) if "DTSTART" in values else None
    offset = _offset(values, "TZOFFSETTO")
    if start is None or offset is None:
        return None
    before = _offset(values, "TZOFFSETFROM")
    found = _Observance(start.moment, offset if before is None else before, offset)
    rule = values["RRULE"].value.upper() if "RRULE" in values else ""
    parts = dict(part.split("=", 1) for part in rule.split(";")[:20] if "=" in part)
    day = _BY_DAY.fullmatch(parts.get("BYDAY", ""))
    if (
        parts.get("FREQ") == "YEARLY"
        and day
        and (month := parts.get("BYMONTH", "")).isdecimal()
        and int(month) in range(1, 13)
    ):
        found.month, found.nth, found.weekday = int(month), int(day[1] or 1), _WEEKDAYS.index(day[2])
        if (until := parts.get("UNTIL", "")[:4]).isdecimal():
            found.last = int(until)
    return found


def _offset(values: Mapping[str, icalendar.Property], name: str) -> timedelta | None:
    match = _OFFSET.fullmatch(values[name].value.strip()) if name in values else None
    if match is None:
        return None
    length = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -length if match[1] == "-" else length
