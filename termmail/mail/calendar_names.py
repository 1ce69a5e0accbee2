"""The names of months and days, and the numbers that people write as words."""

from __future__ import annotations

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}


def full_name(word: str) -> str:
    """Return the month or day that begins with a word of three letters or more, "" where none does."""
    if word == "sept":
        return "september"
    return next((name for name in (*MONTHS, *DAYS) if len(word) >= 3 and name.startswith(word)), "")
