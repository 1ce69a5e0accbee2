"""Recurrence rules (RFC 5545 section 3.3.10) in words. Nothing is expanded: a rule may mean a billion dates."""

from __future__ import annotations

import re

from termmail.mail.sanitize import clean_words

RULE_LIMIT = 2_000
"""Characters of a rule that are read."""

_UNITS = {
    "SECONDLY": "second", "MINUTELY": "minute", "HOURLY": "hour",
    "DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year",
}  # fmt: skip
_DAYS = {
    "MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday",
    "FR": "Friday", "SA": "Saturday", "SU": "Sunday",
}  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WORKDAYS = ["MO", "TU", "WE", "TH", "FR"]
_ORDINALS = {
    "1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth", "-1": "last", "-2": "second last",
}  # fmt: skip
_NTH_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SAID = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"}
_LISTED = 12
"""Days or months of one rule that are named."""


def words(rule: str) -> str:
    """Return how often an event repeats, and until when: "every 2 weeks on Monday and Friday, 10 times"."""
    rule = rule[:RULE_LIMIT].upper()
    parts = dict(part.strip().split("=", 1) for part in rule.split(";")[:20] if "=" in part)
    unit = _UNITS.get(parts.get("FREQ", ""))
    if unit is None:
        return clean_words(rule)[:200]
    interval = parts.get("INTERVAL", "1").strip()
    interval = str(int(interval[:5])) if interval.isascii() and interval.isdigit() else "1"
    text = f"every {unit}" if interval in ("0", "1") else f"every {interval} {unit}s"
    text += _days(parts, unit)
    if set(parts) - _SAID:
        text += ", by further rules"
    times = parts.get("COUNT", "").strip()
    if times.isascii() and times.isdigit():
        text += ", once" if times == "1" else f", {times[:6]} times"
    if until := _DATE.match(parts.get("UNTIL", "")):
        text += f", until {_date(until)}"
    return text


def _days(parts: dict[str, str], unit: str) -> str:
    """Return on which days: of the week, of the month, of the year."""
    months = _months(parts.get("BYMONTH", ""))
    weekdays = _weekdays(parts.get("BYDAY", ""), parts.get("BYSETPOS", ""))
    days = _month_days(parts.get("BYMONTHDAY", ""))
    if days and months and not weekdays and unit == "year":
        return f" on {days} {months}"
    place = (f" on {weekdays}" if weekdays else "") + _on_days(days)
    return place + (f" in {months}" if months else "")


def _weekdays(listed: str, position: str) -> str:
    found = [match for one in listed.split(",")[:_LISTED] if (match := _NTH_DAY.fullmatch(one.strip()))]
    plain = [match[2] for match in found if not match[1]]
    if plain == _WORKDAYS and len(found) == len(plain):
        return f"the {_ORDINALS[position]} weekday" if position in _ORDINALS else "weekdays"
    names = []
    for match in found:
        nth = (match[1] or position).removeprefix("+")
        names.append(f"the {_ORDINALS[nth]} {_DAYS[match[2]]}" if nth in _ORDINALS else _DAYS[match[2]])
    return _listed(list(dict.fromkeys(names)))


def _month_days(listed: str) -> str:
    found = [one.strip().removeprefix("+") for one in listed.split(",")[:_LISTED]]
    names = ["the last" if one == "-1" else one for one in found if one == "-1" or (one.isdecimal() and len(one) < 3)]
    return _listed(names)


def _on_days(days: str) -> str:
    if not days:
        return ""
    return f" on {days} day" if days == "the last" else f" on day {days}"


def _months(listed: str) -> str:
    found = [one.strip() for one in listed.split(",")[:_LISTED]]
    return _listed([MONTHS[int(one) - 1] for one in found if one.isdecimal() and len(one) < 3 and 1 <= int(one) <= 12])


def _listed(names: list[str]) -> str:
    """Return names as people list them: "Monday, Tuesday and Friday"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _date(match: re.Match[str]) -> str:
    year, month, day = (int(each) for each in match.groups())
    return f"{day} {MONTHS[month - 1]} {year}" if 1 <= month <= 12 else f"{match[1]}-{match[2]}-{match[3]}"
