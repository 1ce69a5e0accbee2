"""Times to come as people write them: "tomorrow 9", "mon", "in 2 hours", "3 dec", "next week".

Times are UTC seconds. `zone` is where the writer is; None is the time zone of this machine.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from termmail.mail.calendar_names import DAYS, MONTHS, NUMBERS, full_name

if TYPE_CHECKING:
    from datetime import tzinfo

MORNING, AFTERNOON, EVENING = 8, 13, 18
"""The hours that "morning", "afternoon" and "evening" stand for, and MORNING a day without an hour."""

LONGEST = 100
"""Characters of a text that are read."""

MOST_YEARS = 10
"""Years ahead, at most."""

_UNITS = {"min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800}
_PARTS = {"morning": MORNING, "noon": 12, "afternoon": AFTERNOON, "evening": EVENING, "tonight": 20}

_CLOCK = re.compile(r"(?:(?:at|@)\s*)?(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|h|o'clock)?", re.ASCII)
_SPAN = re.compile(rf"(?:in\s+)?(\d{{1,4}}|{'|'.join(sorted(NUMBERS, reverse=True))})\s*([a-z]+)", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_POINTS = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.(?:\s?(\d{4}))?", re.ASCII)
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?([a-z]{3,9})\.?(?:,?\s+(\d{4}))?", re.ASCII)
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?(?![:\d])", re.ASCII)


class Choice(NamedTuple):
    """A time that is offered: what it is called, and when it is (UTC seconds)."""

    name: str
    when: int


def parse(text: str, now: float, zone: tzinfo | None = None) -> int | None:
    """Return the time to come that `text` stands for, or None where it stands for none. Never raises.

    A day without an hour is MORNING; an hour without a day is the next time the clock shows it. A time that is over, or
    more than MOST_YEARS ahead, is none.
    """
    words = " ".join(text[:LONGEST].casefold().replace(",", " ").split())
    try:
        found = _parsed(words, now, zone)
    except (ValueError, OverflowError, OSError):
        return None
    if not words or found is None or not now < found <= now + MOST_YEARS * 366 * 86_400:
        return None
    return int(found)


def _parsed(words: str, now: float, zone: tzinfo | None) -> float | None:
    if (span := _span(words, now, zone)) is not None:
        return span
    here = datetime.fromtimestamp(now, zone)
    for day, rest in _days(words, here):
        hour = _hour(rest.strip())
        if hour is not None:
            moment = day.replace(hour=hour[0], minute=hour[1], second=0, microsecond=0)
            if not words.startswith(("today", "this", *_PARTS)) and rest == words and moment <= here:
                moment += timedelta(days=1)  # an hour alone: the next time the clock shows it
            return moment.timestamp()
    return None


def _span(words: str, now: float, zone: tzinfo | None) -> float | None:
    """Return the end of a span: "in 2 hours", "3d", "in a month"."""
    found = _SPAN.fullmatch(words)
    if found is None:
        return None
    number = NUMBERS[found[1]] if found[1] in NUMBERS else int(found[1])
    unit = found[2] if found[2] in _UNITS else found[2].removesuffix("s")
    if unit in {"month", "year"}:
        here = datetime.fromtimestamp(now, zone)
        return _month_on(here, number * (12 if unit == "year" else 1)).timestamp()
    if unit not in _UNITS:
        return None
    if _UNITS[unit] < 86_400:
        return now + number * _UNITS[unit]
    # Days are days of the calendar: the hour stays, also over a change of the clocks.
    return (datetime.fromtimestamp(now, zone) + timedelta(seconds=number * _UNITS[unit])).timestamp()


def _month_on(here: datetime, months: int) -> datetime:
    year, month = divmod(here.year * 12 + here.month - 1 + months, 12)
    for day in range(here.day, 0, -1):
        try:
            return here.replace(year=year, month=month + 1, day=day)
        except ValueError:  # 31 June
            continue
    raise ValueError(here.day)


def _days(words: str, here: datetime) -> list[tuple[datetime, str]]:
    """Return the days that the text may begin with, and what is left of it for the hour; the day of `here` last."""
    found: list[tuple[datetime, str]] = []
    first, _, rest = words.partition(" ")
    if first in {"today", "tonight"} or words.startswith("this "):
        found += _this(first, rest, here)
    elif len(first) >= 3 and "tomorrow".startswith(first):
        found.append((here + timedelta(days=1), rest))
    elif first == "next":
        found += _next(rest, here)
    elif (weekday := _weekday(first)) is not None:
        found.append((here + timedelta(days=_ahead(weekday, here)), rest))
    elif first == "weekend":
        found.append((here + timedelta(days=_ahead(5, here)), rest))
    else:
        found += _dates(words, here)
    return [*found, (here, words)]


def _this(first: str, rest: str, here: datetime) -> list[tuple[datetime, str]]:
    if first == "tonight":
        return [(here, rest or first)]
    if first == "today":
        return [(here, rest)]
    word, _, after = rest.partition(" ")
    if word == "weekend":
        return [(here + timedelta(days=_ahead(5, here)), after)]
    if (weekday := _weekday(word)) is not None:
        return [(here + timedelta(days=_ahead(weekday, here)), after)]
    return [(here, rest)]


def _next(rest: str, here: datetime) -> list[tuple[datetime, str]]:
    word, _, after = rest.partition(" ")
    monday = here + timedelta(days=7 - here.weekday())
    if word == "week":
        return [(monday, after)]
    if word == "weekend":
        return [(monday + timedelta(days=5), after)]
    if word == "month":
        return [(_month_on(here.replace(day=1), 1), after)]
    if word == "year":
        return [(here.replace(year=here.year + 1, month=1, day=1), after)]
    weekday = _weekday(word)
    return [] if weekday is None else [(monday + timedelta(days=weekday), after)]


def _dates(words: str, here: datetime) -> list[tuple[datetime, str]]:
    """Return the date of the calendar that the text begins with."""
    if found := _ISO.match(words):
        return [(here.replace(year=int(found[1]), month=int(found[2]), day=int(found[3])), words[found.end() :])]
    if found := _POINTS.match(words):
        return [(_on(here, int(found[1]), int(found[2]), found[3]), words[found.end() :])]
    if (found := _DAY_MONTH.match(words)) and (month := _month(found[2])):
        return [(_on(here, int(found[1]), month, found[3]), words[found.end() :])]
    if (found := _MONTH_DAY.match(words)) and (month := _month(found[1])):
        return [(_on(here, int(found[2]), month, found[3]), words[found.end() :])]
    return []


def _on(here: datetime, day: int, month: int, year: str | None) -> datetime:
    """Return a day of the calendar; without a year the next one that there is, at most eight years ahead."""
    if year is not None:
        return here.replace(year=int(year), month=month, day=day)
    for ahead in range(9):
        try:
            date = here.replace(year=here.year + ahead, month=month, day=day)
        except ValueError:  # 29 February
            continue
        if date.date() >= here.date():
            return date
    raise ValueError(day)


def _weekday(word: str) -> int | None:
    name = full_name(word)
    return DAYS.index(name) if name in DAYS else None


def _month(word: str) -> int:
    name = full_name(word)
    return MONTHS.index(name) + 1 if name in MONTHS else 0


def _ahead(weekday: int, here: datetime) -> int:
    """Return the days until the next such day of the week; today is none."""
    return (weekday - here.weekday() - 1) % 7 + 1


def _hour(words: str) -> tuple[int, int] | None:
    """Return hour and minute: MORNING for "", None for what is no time of the day."""
    if not words:
        return MORNING, 0
    words = words.removeprefix("in the ").removeprefix("at ")
    if words in _PARTS:
        return _PARTS[words], 0
    found = _CLOCK.fullmatch(words)
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if half in {"am", "pm"}:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return (hour, minute) if hour < 24 and minute < 60 else None


def choices(now: float, zone: tzinfo | None = None) -> list[Choice]:
    """Return the times that are offered, soonest first."""
    here = datetime.fromtimestamp(now, zone)
    offered = [("In an hour", "in 1 hour"), ("This afternoon", "this afternoon"), ("This evening", "this evening")]
    offered += [("Tomorrow", "tomorrow"), ("At the weekend", "weekend"), ("Next week", "next week")]
    offered += [("In a month", "in 1 month")]
    if here.weekday() >= 4:  # on Friday the weekend is tomorrow, and on Sunday it is over
        offered = [one for one in offered if one[1] != "weekend"]
    if here.weekday() == 6:  # next week is tomorrow
        offered = [one for one in offered if one[1] != "next week"]
    found = [Choice(name, when) for name, text in offered if (when := parse(text, now, zone)) is not None]
    return sorted(found, key=lambda one: one.when)


def words(when: int, now: float, zone: tzinfo | None = None) -> str:
    """Return a time as people say it: "today 18:00", "tomorrow 08:00", "Thu 3 Dec 09:00", "Mon 4 Jan 2027 08:00"."""
    try:
        there, here = datetime.fromtimestamp(when, zone), datetime.fromtimestamp(now, zone)
    except (ValueError, OverflowError, OSError):
        return ""
    clock = f"{there.hour:02}:{there.minute:02}"
    days = (there.date() - here.date()).days
    if days in _NEAR:
        return f"{_NEAR[days]} {clock}"
    day, month = DAYS[there.weekday()][:3].title(), MONTHS[there.month - 1][:3].title()
    year = "" if there.year == here.year else f" {there.year}"
    return f"{day} {there.day} {month}{year} {clock}"


_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}
