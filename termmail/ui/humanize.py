"""Format sizes and times for people."""

from __future__ import annotations

import time

from msgspec import Struct

from termmail.mail.counting import count

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
GONE = "This message is gone."
DAY = 86_400


class Today(Struct, frozen=True):
    """The current day, read once for a whole page of dates. Times are UTC seconds, shown in local time."""

    year: int
    midnight: float

    @classmethod
    def at(cls, now: float) -> Today:
        """Return the day that contains `now`."""
        local = time.localtime(now)
        return cls(local.tm_year, now - (local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec))

    def date(self, when: int) -> str:
        """Return a date of at most ten cells: 09:12 today, Tue in the last six days, 3 Mar this year, else 2024-11-30."""
        local = _local(when)
        if local is None:
            return ""
        if self.midnight <= when < self.midnight + DAY:
            return f"{local.tm_hour:02}:{local.tm_min:02}"
        if self.midnight - 6 * DAY <= when < self.midnight:
            return _DAYS[local.tm_wday][:3]
        if local.tm_year == self.year:
            return f"{local.tm_mday} {_MONTHS[local.tm_mon - 1][:3]}"
        return f"{local.tm_year:04}-{local.tm_mon:02}-{local.tm_mday:02}"

    def ahead(self, when: int) -> str:
        """Return a time to come: "18:00" today, "Tue 09:00" in the next six days, else "3 Mar" or "2027-01-04"."""
        local = _local(when)
        if local is None:
            return ""
        clock = f"{local.tm_hour:02}:{local.tm_min:02}"
        if self.midnight <= when < self.midnight + DAY:
            return clock
        if self.midnight + DAY <= when < self.midnight + 7 * DAY:
            return f"{_DAYS[local.tm_wday][:3]} {clock}"
        return self.date(when)


def _local(when: int) -> time.struct_time | None:
    """Return the local time, or None for a number outside the range of the clock."""
    try:
        return time.localtime(when)
    except (OverflowError, ValueError, OSError):
        return None


def long_date(when: int) -> str:
    """Return a date as in "Tuesday 3 March 2026, 09:12"; "" where it cannot be represented."""
    local = _local(when)
    if local is None:
        return ""
    day, month = _DAYS[local.tm_wday], _MONTHS[local.tm_mon - 1]
    return f"{day} {local.tm_mday} {month} {local.tm_year}, {local.tm_hour:02}:{local.tm_min:02}"


def ago(seconds: float) -> str:
    """Return a duration as in "just now", "3 minutes ago", "2 hours ago", "5 days ago"."""
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{count(int(seconds // 60), 'minute')} ago"
    if seconds < DAY:
        return f"{count(int(seconds // 3600), 'hour')} ago"
    return f"{count(int(seconds // DAY), 'day')} ago"


def size(count_bytes: int) -> str:
    """Return a number of bytes as in 870 B, 12 KB, 5.2 MB."""
    if count_bytes < 1000:
        return f"{count_bytes} B"
    if count_bytes < 999_500:
        return f"{count_bytes / 1000:.0f} KB"
    return f"{count_bytes / 1_000_000:.1f} MB"
