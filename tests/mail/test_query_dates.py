"""Dates as people write them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.query_dates import span

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = int(datetime(2026, 3, 3, 13, 30, tzinfo=UTC).timestamp())
"""A Tuesday."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2024-11-30", "2024-11-30", "2024-12-01"),
        ("2024/11/30", "2024-11-30", "2024-12-01"),
        ("2024-11", "2024-11-01", "2024-12-01"),
        ("2024", "2024-01-01", "2025-01-01"),
        ("30.11.2024", "2024-11-30", "2024-12-01"),
        ("30.11.", "2025-11-30", "2025-12-01"),
        ("30/11/2024", "2024-11-30", "2024-12-01"),
        ("11/30/2024", "2024-11-30", "2024-12-01"),
        ("3 dec", "2025-12-03", "2025-12-04"),
        ("3. Dec.", "2025-12-03", "2025-12-04"),
        ("dec 3rd, 2024", "2024-12-03", "2024-12-04"),
        ("the 1st of march", "2026-03-01", "2026-03-02"),
        ("3 mar", "2026-03-03", "2026-03-04"),
        ("4 mar", "2025-03-04", "2025-03-05"),
        ("29 feb", "2024-02-29", "2024-03-01"),
        ("march", "2026-03-01", "2026-04-01"),
        ("April", "2025-04-01", "2025-05-01"),
        ("sept 2020", "2020-09-01", "2020-10-01"),
        ("dec 2024", "2024-12-01", "2025-01-01"),
        ("today", "2026-03-03", "2026-03-04"),
        ("yesterday", "2026-03-02", "2026-03-03"),
        ("tuesday", "2026-03-03", "2026-03-04"),
        ("wed", "2026-02-25", "2026-02-26"),
        ("last tuesday", "2026-02-24", "2026-02-25"),
        ("this week", "2026-03-02", "2026-03-09"),
        ("last week", "2026-02-23", "2026-03-02"),
        ("last month", "2026-02-01", "2026-03-01"),
        ("last march", "2025-03-01", "2025-04-01"),
        ("this year", "2026-01-01", "2027-01-01"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("7d", "2026-02-24", "2026-03-04"),
        ("2 weeks", "2026-02-17", "2026-03-04"),
        ("a month ago", "2026-02-03", "2026-03-04"),
        ("last 3 days", "2026-02-28", "2026-03-04"),
        ("1y", "2025-03-03", "2026-03-04"),
    ],
)
def test_a_date_is_a_stretch_of_days(text: str, since: str, until: str) -> None:
    found = span(text, NOW)
    assert found is not None
    assert [f"{datetime.fromtimestamp(one, UTC):%Y-%m-%d}" for one in found] == [since, until]


def test_hours_reach_from_then_to_the_end_of_today() -> None:
    assert span("12h", NOW) == (NOW - 12 * 3600, int(datetime(2026, 3, 4, tzinfo=UTC).timestamp()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "31 feb",
        "2024-13-01",
        "2024-02-30",
        "99999",
        "0000",
        "9999-01-01",
        "99999999999d",
        "1 2",
        "dec jan",
        "last",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert span(text, NOW) is None


WORDS = [
    "last",
    "this",
    "week",
    "3",
    "dec",
    "2024",
    "29",
    "feb",
    "d",
    "7d",
    "0",
    "month",
    "ago",
    "99999999",
    "monday",
    ".",
    "/",
    "²",
]


@given(
    st.one_of(st.text(max_size=30), st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)),
    st.integers(-(1 << 70), 1 << 70) | st.integers(0, 1 << 32),
)
def test_any_text_is_a_stretch_of_time_or_none(text: str, now: int) -> None:
    found = span(text, now)
    assert found is None or found[0] <= found[1]
