"""Rendering can be stopped, and takes time in proportion to the mail."""

import itertools
import time

import pytest

from termmail.mail.flowed import body
from termmail.mail.html.render import LIMIT, render
from termmail.mail.message import Envelope, Message
from tests.timing import assert_grows_less, cpu_seconds

ROWS = 4_000
LARGE = {
    "many tags": "<p>x</p>" * ROWS,
    "rows of a data table": "<table border=1>" + "<tr><td>a<td>b2" * ROWS,
    "rows of a data table that does not fit": "<table border=1>" + ("<tr>" + "<td>word" * 12) * (ROWS // 12),
    "rows of a layout table": "<table>"
    + "<tr><td>a long label of a layout table that is not data at all, sir<td>12" * ROWS,
    "lines of a text": "<pre>" + "x\n" * ROWS,
    "paragraphs that are hidden": "<div style='display:none'>" + "<p>x</p>" * ROWS,
    "links": "".join(f"<a href=https://x{number}.example/>y</a>" for number in range(ROWS)),
}


class Stopped(Exception):
    """Raised by a check."""


class Check:
    """Counts the calls, raises at the n-th, and measures the CPU seconds of this thread between two calls."""

    def __init__(self, stops_at: int = 0) -> None:
        self.stops_at = stops_at
        self.calls = 0
        self.longest = 0.0
        self._last = time.thread_time()

    def __call__(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self.calls += 1
        if self.calls == self.stops_at:
            raise Stopped
        self._last = time.thread_time()


@pytest.mark.parametrize("html", LARGE.values(), ids=LARGE.keys())
def test_rendering_ends_at_the_check_that_raises(html: str) -> None:
    counting = Check()
    assert render(html, 60, check=counting) == render(html, 60)
    for stops_at in (1, 2, counting.calls // 2, counting.calls):
        check = Check(stops_at)
        with pytest.raises(Stopped):
            render(html, 60, check=check)
        assert check.calls == stops_at


@pytest.mark.parametrize(
    ("html", "tags", "lines"),
    [
        ("<table border=1>" + "<tr><td>a<td>b2" * ROWS, 5 * ROWS, ROWS),
        ("<table border=1>" + ("<tr>" + "<td>longer" * 12) * ROWS, 25 * ROWS, ROWS),
        ("<pre>" + "x\n" * ROWS, 2, ROWS),
        ("<p>x" * ROWS, 2 * ROWS, ROWS),
        ("".join(f"<a href=https://x{number}.example/>y</a>" for number in range(ROWS)), 3 * ROWS, 2 * ROWS),
    ],
    ids=["columns", "columns that do not fit", "lines", "blocks", "links"],
)
def test_every_tag_and_every_line_is_checked(html: str, tags: int, lines: int) -> None:
    assert len(html) < LIMIT
    check = Check()
    body(Message(Envelope(), html=html), 60, check=check)
    assert check.calls >= tags + lines


def test_every_paragraph_of_a_text_is_checked() -> None:
    check = Check(1_000)
    with pytest.raises(Stopped):
        body(Message(Envelope(), text="word\n" * 2_000), check=check)


def million(piece: str) -> str:
    return (piece * (LIMIT // len(piece) + 1))[:LIMIT]


LONGEST = {
    "struck text": "<s>" + million("x "),
    "nested tables": million("<table><tr><td>a<td>"),
    "nested tables of data": million("<table border=1><tr><td>a<td>b<tr><td>c<td>d"),
    "rows of a data table": "<table border=1>" + million("<tr><td>a<td>b2"),
    "rows that span": "<table>" + million("<tr><td rowspan=3>ab<td>12"),
    "a cell of many lines": "<table border=1><tr><td>a<td>b<tr><td>c<td>" + million("я<br>"),
    "wide letters": million("日"),
    "odd domains": million("<a href=https://xи1.example/>x1.example</a>"),
}


@pytest.mark.parametrize("html", LONGEST.values(), ids=LONGEST.keys())
def test_two_seconds_never_pass_between_two_checks(html: str) -> None:
    check = Check()
    render(html, 88, check=check)
    check()
    assert check.longest < 2


@pytest.mark.parametrize("piece", ["x\n", "https://a.org ", "日", "> > x\n", "👨\u200d👩\u200d👧 ", "\x01\u200b"])
def test_two_seconds_never_pass_between_two_checks_of_a_text(piece: str) -> None:
    check = Check()
    body(Message(Envelope(), text=million(piece), flowed=True), check=check)
    check()
    assert check.longest < 2


@pytest.mark.parametrize(
    "row",
    ["<tr><td>ab<td>12", "<tr><td rowspan=3>ab<td>12", "<tr><td>ab<td><table><tr><td>12</table>", "<tr><td>имя<td>я"],
    ids=["plain", "rows that span", "nested tables", "Cyrillic"],
)
def test_a_table_of_forty_thousand_rows_takes_time_in_proportion(row: str) -> None:
    small, large = "<table>" + row * 2_500, "<table>" + row * 10_000  # the square would be 16
    assert_grows_less(lambda: render(small), lambda: render(large), 8)


def test_deeply_nested_tables_copy_no_text_at_each_level() -> None:
    inner = "<p>" + "word " * 20_000
    for opening in ("<table><tr><td>", "<table><tr><td>a<td>", "<table border=1><tr><td>a<td>"):
        shallow = cpu_seconds(lambda opening=opening: render(opening * 10 + inner))
        deep = min(cpu_seconds(lambda opening=opening: render(opening * 1_500 + inner)) for _ in range(3))
        assert deep < max(shallow, 0.1) * 25


def test_all_text_of_nested_tables_is_shown_in_order() -> None:
    html = "".join(f"<table><tr><td>t{number} " for number in range(300)) + "<p>end"
    shown = " ".join(line.text for line in render(html, 60).lines)
    assert shown.split() == [*(f"t{number}" for number in range(300)), "end"]
    counter = itertools.count()
    html = "<table><tr>" + "<td>".join(f"<table><tr><td>c{next(counter)}<p>d</table>" for _ in range(100)) + "</table>"
    shown = " ".join(line.text for line in render(html, 60).lines)
    assert [word for word in shown.split() if word != "d"] == [f"c{number}" for number in range(100)]
