"""Dates as people write them, and the stretch of time that each stands for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from termmail.mail.calendar_names import DAYS, MONTHS, NUMBERS, full_name

FIRST_YEAR, LAST_YEAR = 1970, 2199
TEXT_LIMIT = 60

_UNITS = {
    **dict.fromkeys(("h", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "week", "weeks"), "week"),
    **dict.fromkeys(("m", "mo", "month", "months"), "month"),
    **dict.fromkeys(("y", "year", "years"), "year"),
}
_MOST = 10_000  # units back from now

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?\Z")
_DAY_FIRST = re.compile(r"(\d{1,2})([/.])(\d{1,2})(?:[/.](\d{4})?)?\Z")
_COMPACT = re.compile(r"(\d{1,4})([a-z]+)\Z")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)\Z")

Span = tuple[int, int]


def span(text: str, now: int) -> Span | None:
    """Return the stretch of time (UTC seconds, its end excluded) that a text stands for, or None. Never raises.

    Known are 2024-11-30, 2024-11, 2024, 30.11.2024, 30/11/2024, 3 dec, dec 3 2024, march, monday, today, yesterday,
    this or last week, month or year, and 7d, 2 weeks, 3 months ago, which reach from then to now. Days are those of the
    local time zone. Without a year the last such date that is not after `now` is meant.
    """
    try:
        found = _span(_words(text), datetime.fromtimestamp(now))  # noqa: DTZ006 - local time is meant
        return None if found is None else (int(found[0].timestamp()), int(found[1].timestamp()))
    except (ValueError, OverflowError, OSError):
        return None


def _words(text: str) -> list[str]:
    words = text[:TEXT_LIMIT].lower().replace(",", " ").split()
    kept = (_ORDINAL.sub(r"\1", word) for word in words if word not in {"the", "of", "on"})
    return [_spelled(word) for word in kept]


def _spelled(word: str) -> str:
    """Return the full name of a month or a day that is cut short, or the word without its full stop."""
    bare = word[:-1] if word.endswith(".") and not word[0].isdigit() else word
    if re.fullmatch(r"\d{1,2}\.", bare):
        return bare[:-1]
    return full_name(bare) or bare


def _span(words: list[str], now: datetime) -> tuple[datetime, datetime] | None:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match words:
        case ["today" | "now"]:
            return _days(today, 1)
        case ["yesterday"]:
            return _days(today - timedelta(1), 1)
        case ["tomorrow"]:
            return _days(today + timedelta(1), 1)
        case ["this" | "last" | "previous" | "past" as which, "week" | "month" | "year" as unit]:
            return _calendar(today, unit, back=which != "this")
        case ["last" | "past" | "previous", day] if day in DAYS:
            return _weekday(today - timedelta(1), day)
        case ["last" | "past" | "previous", month] if month in MONTHS:
            return _last_month(_calendar(today, "month", back=True)[0], month)
        case ["last" | "past" | "previous", count, unit]:
            return _back(count, unit, now)
        case [day] if day in DAYS:
            return _weekday(today, day)
        case [month] if month in MONTHS:
            return _last_month(today, month)
        case [word]:
            return _single(word, now)
        case [count, unit] | [count, unit, "ago"] if unit in _UNITS:
            return _back(count, unit, now)
    return _named(words, today)


def _named(words: list[str], today: datetime) -> tuple[datetime, datetime] | None:
    """Return the date of "3 december", "december 3 2024" or "december 2024"."""
    numbers = [int(word) for word in words if word.isascii() and word.isdigit()]
    months = [word for word in words if word in MONTHS]
    if len(months) != 1 or len(numbers) + 1 != len(words) or len(numbers) > 2:
        return None
    month = MONTHS.index(months[0]) + 1
    years = [number for number in numbers if number > 31]
    days = [number for number in numbers if number <= 31]
    if len(days) > 1 or len(years) > 1:
        return None
    if not days:
        return _month(years[0], month)
    if years:
        return _days(_date(years[0], month, days[0]), 1)
    return _last_date(today, month, days[0])


def _single(word: str, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the date of a text without blanks."""
    if word.isascii() and word.isdigit() and len(word) == 4:
        year = int(word)
        return _date(year, 1, 1), _date(year + 1, 1, 1)
    if found := _ISO.match(word):
        year, month = int(found[1]), int(found[2])
        return _days(_date(year, month, int(found[3])), 1) if found[3] else _month(year, month)
    if found := _DAY_FIRST.match(word):
        day, month = int(found[1]), int(found[3])
        if found[2] == "/" and month > 12:  # as written in America
            day, month = month, day
        if found[4]:
            return _days(_date(int(found[4]), month, day), 1)
        return _last_date(now.replace(hour=0, minute=0, second=0, microsecond=0), month, day)
    if (found := _COMPACT.match(word)) and found[2] in _UNITS:
        return _back(found[1], found[2], now)
    return None


def _date(year: int, month: int, day: int) -> datetime:
    if not FIRST_YEAR <= year <= LAST_YEAR + 1:
        raise ValueError(year)
    return datetime(year, month, day)  # noqa: DTZ001 - local time is meant


def _days(day: datetime, count: int) -> tuple[datetime, datetime]:
    return day, day + timedelta(count)


def _month(year: int, month: int) -> tuple[datetime, datetime]:
    return _date(year, month, 1), _date(year + month // 12, month % 12 + 1, 1)


def _calendar(today: datetime, unit: str, *, back: bool) -> tuple[datetime, datetime]:
    """Return the week (from Monday), month or year that holds today, or the one before."""
    if unit == "week":
        monday = today - timedelta(today.weekday() + (7 if back else 0))
        return _days(monday, 7)
    if unit == "year":
        year = today.year - back
        return _date(year, 1, 1), _date(year + 1, 1, 1)
    first = today.replace(day=1)
    before = first - timedelta(1) if back else first
    return _month(before.year, before.month)


def _weekday(latest: datetime, day: str) -> tuple[datetime, datetime]:
    return _days(latest - timedelta((latest.weekday() - DAYS.index(day)) % 7), 1)


def _last_month(latest: datetime, month: str) -> tuple[datetime, datetime]:
    number = MONTHS.index(month) + 1
    return _month(latest.year - (number > latest.month), number)


def _last_date(today: datetime, month: int, day: int) -> tuple[datetime, datetime] | None:
    """Return the last such day up to today; 29 February is looked for in earlier years."""
    for year in range(today.year, today.year - 8, -1):
        try:
            found = _date(year, month, day)
        except ValueError:
            continue
        if found <= today:
            return _days(found, 1)
    return None


def _back(count: str, unit: str, now: datetime) -> tuple[datetime, datetime] | None:
    """Return from so many hours, days, weeks, months or years ago to the end of today."""
    number = NUMBERS.get(count) or (int(count) if count.isascii() and count.isdigit() and len(count) <= 5 else None)
    name = _UNITS.get(unit)
    if number is None or name is None or number > _MOST:
        return None
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = today + timedelta(1)
    if name == "hour":
        return now - timedelta(hours=number), end
    if name in {"day", "week"}:
        return today - timedelta(number * (7 if name == "week" else 1)), end
    months = today.year * 12 + today.month - 1 - number * (12 if name == "year" else 1)
    year, month = divmod(months, 12)
    start, following = _month(year, month + 1)
    return min(start + timedelta(today.day - 1), following - timedelta(1)), end
