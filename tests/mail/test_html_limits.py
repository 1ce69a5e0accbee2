"""Rendering can be stopped, and takes time in proportion to the mail."""

import itertools
import time
from collections.abc import Callable

import pytest

from termmail.mail.html.render import LIMIT, RenderStopped, render

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


class Deadline:
    """A deadline that passes at the n-th question. It counts the questions."""

    def __init__(self, passes: int) -> None:
        self.passes = passes
        self.questions = 0

    def __call__(self) -> bool:
        self.questions += 1
        return self.questions >= self.passes


@pytest.mark.parametrize("html", LARGE.values(), ids=LARGE.keys())
def test_rendering_stops_at_the_first_question_after_the_deadline(html: str) -> None:
    unhurried = Deadline(1_000_000)
    whole = render(html, 60, deadline=unhurried)
    assert whole == render(html, 60)
    assert unhurried.questions > 10
    for passes in (1, 2, unhurried.questions // 2, unhurried.questions):
        deadline = Deadline(passes)
        with pytest.raises(RenderStopped):
            render(html, 60, deadline=deadline)
        assert deadline.questions == passes


def questions(html: str) -> int:
    """How often a rendering asks whether to stop."""
    deadline = Deadline(1_000_000)
    render(html, 60, deadline=deadline)
    return deadline.questions


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
def test_reading_and_drawing_both_ask_regularly(html: str, tags: int, lines: int) -> None:
    assert len(html) < LIMIT
    assert questions(html) >= (tags + lines) / 256 - 2


def test_a_small_mail_is_never_stopped() -> None:
    assert render("<p>Hello", deadline=lambda: True).lines[0].text == "Hello"


def spent(call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.parametrize(
    "row",
    ["<tr><td>ab<td>12", "<tr><td rowspan=3>ab<td>12", "<tr><td>ab<td><table><tr><td>12</table>", "<tr><td>имя<td>я"],
    ids=["plain", "rows that span", "nested tables", "Cyrillic"],
)
def test_a_table_of_forty_thousand_rows_takes_time_in_proportion(row: str) -> None:
    ratios = []
    for _ in range(6):
        small = spent(lambda: render("<table>" + row * 2_500))
        large = spent(lambda: render("<table>" + row * 10_000))
        ratios.append(large / max(small, 0.003))
        if ratios[-1] < 8:  # four times as large; the square would be 16
            return
    raise AssertionError(f"the time grew {min(ratios):.1f} times")


def test_deeply_nested_tables_copy_no_text_at_each_level() -> None:
    inner = "<p>" + "word " * 20_000
    for opening in ("<table><tr><td>", "<table><tr><td>a<td>", "<table border=1><tr><td>a<td>"):
        shallow = spent(lambda opening=opening: render(opening * 10 + inner))
        deep = min(spent(lambda opening=opening: render(opening * 1_500 + inner)) for _ in range(3))
        assert deep < max(shallow, 0.1) * 25


def test_all_text_of_nested_tables_is_shown_in_order() -> None:
    html = "".join(f"<table><tr><td>t{number} " for number in range(300)) + "<p>end"
    shown = " ".join(line.text for line in render(html, 60).lines)
    assert shown.split() == [*(f"t{number}" for number in range(300)), "end"]
    counter = itertools.count()
    html = "<table><tr>" + "<td>".join(f"<table><tr><td>c{next(counter)}<p>d</table>" for _ in range(100)) + "</table>"
    shown = " ".join(line.text for line in render(html, 60).lines)
    assert [word for word in shown.split() if word != "d"] == [f"c{number}" for number in range(100)]
