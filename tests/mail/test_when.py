"""Times to come, as people write them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail import when

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 29, 10, 30, tzinfo=BERLIN).timestamp()  # a Sunday


def shown(text: str, now: float = NOW) -> str:
    found = when.parse(text, now, BERLIN)
    return "" if found is None else f"{datetime.fromtimestamp(found, BERLIN):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tomorrow 9", "2026-11-30 09:00"),
        ("Tomorrow at 14:15", "2026-11-30 14:15"),
        ("tom", "2026-11-30 08:00"),
        ("mon", "2026-11-30 08:00"),
        ("sun", "2026-12-06 08:00"),
        ("friday 5pm", "2026-12-04 17:00"),
        ("fri evening", "2026-12-04 18:00"),
        ("next fri", "2026-12-04 08:00"),
        ("in 2 hours", "2026-11-29 12:30"),
        ("2h", "2026-11-29 12:30"),
        ("in an hour", "2026-11-29 11:30"),
        ("30 min", "2026-11-29 11:00"),
        ("in 3 days", "2026-12-02 10:30"),
        ("two weeks", "2026-12-13 10:30"),
        ("in 3 months", "2027-02-28 10:30"),
        ("3 dec", "2026-12-03 08:00"),
        ("dec 3", "2026-12-03 08:00"),
        ("dec 3 2027", "2027-12-03 08:00"),
        ("3rd of December 9:30", "2026-12-03 09:30"),
        ("1 mar", "2027-03-01 08:00"),
        ("29 feb", "2028-02-29 08:00"),
        ("2026-12-24", "2026-12-24 08:00"),
        ("24.12. 18:00", "2026-12-24 18:00"),
        ("next week", "2026-11-30 08:00"),
        ("next month", "2026-12-01 08:00"),
        ("next year", "2027-01-01 08:00"),
        ("weekend", "2026-12-05 08:00"),
        ("this evening", "2026-11-29 18:00"),
        ("tonight", "2026-11-29 20:00"),
        ("today 18", "2026-11-29 18:00"),
        ("9", "2026-11-30 09:00"),
        ("11:00", "2026-11-29 11:00"),
        ("12am", "2026-11-30 00:00"),
        ("noon", "2026-11-29 12:00"),
        ("tomorrow morning", "2026-11-30 08:00"),
    ],
)
def test_a_time_is_understood_as_it_is_written(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "yesterday", "today 8", "31 feb", "99 dec", "25:00", "13pm", "2020-01-01", "in 9999 years"),
        *("in 0 hours", "tomorrow 99", "next", "mo", "in 2 parsecs", "9" * 5000, "2026-13-01", "\0", "0 dec"),
    ],
)
def test_what_is_no_time_to_come_is_none(text: str) -> None:
    assert when.parse(text, NOW, BERLIN) is None


@given(st.text(max_size=40), st.integers(min_value=0, max_value=4_000_000_000))
def test_no_text_fails_and_no_answer_is_over(text: str, now: int) -> None:
    found = when.parse(text, now, BERLIN)
    assert found is None or found > now
    assert when.words(found or 0, now, BERLIN)


def test_days_keep_their_hour_when_the_clocks_change() -> None:
    saturday = datetime(2027, 3, 27, 9, 0, tzinfo=BERLIN).timestamp()
    assert shown("in 1 day", saturday) == "2027-03-28 09:00"
    assert shown("in 24 hours", saturday) == "2027-03-28 10:00"


def test_the_choices_are_ahead_and_in_order() -> None:
    for hour in range(24 * 7):
        now = NOW + hour * 3600
        offered = when.choices(now, BERLIN)
        times = [one.when for one in offered]
        assert times == sorted(times)
        assert all(one > now for one in times)
        assert {"In an hour", "Tomorrow"} <= {one.name for one in offered}


def test_a_time_is_said_as_people_say_it() -> None:
    def said(text: str) -> str:
        return when.words(when.parse(text, NOW, BERLIN) or 0, NOW, BERLIN)

    assert [said(one) for one in ("18:00", "tomorrow", "3 dec 9", "4 jan")] == [
        *("today 18:00", "tomorrow 08:00", "Thu 3 Dec 09:00", "Mon 4 Jan 2027 08:00")
    ]
