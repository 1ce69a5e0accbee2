"""Tables of an HTML mail: which are columns, which are layout, and how rows read."""

import pytest

from termmail.mail.html.render import render


def lines(html: str, width: int = 60) -> list[str]:
    """The lines of a mail."""
    return [line.text for line in render(html, width).lines]


def test_rows_that_hold_one_cell_make_no_data_table() -> None:
    html = "<table><tr><td>Dear Ada,<td><tr><td>we<td>meet<tr><td>on<td><tr><td>Friday<td><tr><td>at<td></table>"
    assert lines(html) == ["Dear Ada,", "we  meet", "on", "Friday", "at"]


def test_more_than_sixteen_columns_follow_one_another() -> None:
    assert lines("<table border=1><tr>" + "<td>a" * 17 + "</table>", 200) == ["  ".join("a" * 17)]
    assert {line.kind for line in render("<table><tr>" + "<td>a" * 17 + "<tr>" + "<td>a" * 17, 200).lines} == {"table"}


def test_amounts_are_at_the_right_also_below_a_header_and_beside_a_label_that_spans() -> None:
    html = (
        "<table><tr><th>Item<th>Price<tr><td>Tea<td>9.00<tr><td>Pot<td>120.00"
        "<tr><td colspan=2>Thanks<tr><td>Sum<td>129.00</table>"
    )
    assert lines(html) == ["Item   Price", "────  ──────", "Tea     9.00", "Pot   120.00", "Thanks", "Sum   129.00"]


def test_only_the_first_row_of_headers_is_ruled_off() -> None:
    html = "<table><tr><th>A<th>B<tr><th>C<th>D<tr><td>e<td>f</table>"
    assert lines(html) == ["A  B", "─  ─", "C  D", "e  f"]


def test_columns_of_cells_that_all_span_have_room() -> None:
    html = "<table border=1><tr><td colspan=2>alpha beta<td colspan=2>gamma<tr><td colspan=2>d<td colspan=2>e</table>"
    assert lines(html) == ["alpha beta   gamma", "d            e"]


def test_the_widest_column_gives_room_first() -> None:
    html = "<table border=1><tr><td>" + "long " * 12 + "<td>short word<tr><td>a<td>b</table>"
    assert lines(html, 34) == [
        "long long long long     short word",
        "long long long long",
        "long long long long",
        "a                       b",
    ]
    html = "<table border=1><tr><td>short word<td>" + "long " * 12 + "<tr><td>a<td>b</table>"
    assert lines(html, 34)[0] == "short word  long long long long"


def test_a_grid_without_room_shows_its_cells_below_one_another() -> None:
    html = "<table border=1><tr>" + "<td>one<p>two" * 8 + "<tr>" + "<td>three" * 8 + "</table>"
    assert lines(html, 40) == ["one", "two"] * 8 + ["three  three  three  three  three  three", "three  three"]


def test_a_caption_marks_a_table_as_data() -> None:
    long = "A cell that is a good deal longer than what unmarked tables of data hold in a single cell."
    table = f"<tr><td>{long}<td>x<tr><td>a<td>b</table>"
    assert lines(f"<table><caption>Data</caption>{table}", 200) == ["Data", "", f"{long}  x", f"a{' ' * len(long)} b"]
    assert lines(f"<table>{table}", 200) == [long, "", "x", "a  b"]


def test_headers_around_nested_tables_are_layout() -> None:
    long = "A paragraph of the newsletter that is far too long to stand beside another one, of course."
    cell = f"<th><table><tr><th>{long}</th></tr></table></th>"
    assert lines(f"<table><tr>{cell}{cell}</tr></table>", 200) == [long, "", long]


def test_a_row_with_an_amount_stays_a_row_whatever_its_label() -> None:
    label = "Twelve bottles of sparkling water, delivered to the door of the kitchen on the second floor"
    assert lines(f"<table><tr><td>{label}<td>12.00 EUR</table>", 60) == [
        "Twelve bottles of sparkling water, delivered to    12.00 EUR",
        "the door of the kitchen on the second floor",
    ]
    assert lines(f"<table><tr><td>{label}<td>paid by Ada</table>", 60) == [
        "Twelve bottles of sparkling water, delivered to the door of",
        "the kitchen on the second floor",
        "",
        "paid by Ada",
    ]


def test_columns_of_short_lines_stand_side_by_side_and_wide_ones_do_not() -> None:
    html = "<table><tr><td>Ships to<br>Ada<br>London<td>Billed to<br>Charles<br>Paris</table>"
    assert lines(html) == ["Ships to  Billed to", "Ada       Charles", "London    Paris"]
    wide = "thirty-eight letters and a bit of more"
    assert lines(f"<table><tr><td>{wide}<br>x<td>{wide}<br>y<td>{wide}<br>z</table>", 200) == [
        wide,
        "x",
        "",
        wide,
        "y",
        "",
        wide,
        "z",
    ]


def test_a_rule_in_a_cell_is_drawn() -> None:
    assert lines("<table border=1><tr><td>a<hr>b<td>c<tr><td>d<td>e</table>", 20) == ["a", "─" * 20, "b", "c", "d  e"]


def test_bullets_stay_in_the_cells_of_a_table() -> None:
    assert lines("<table border=1><tr><td><ul><li>a<li>b</ul><td>c<tr><td>d<td>e</table>") == [
        "• a  c",
        "• b",
        "d    e",
    ]


def test_a_blank_line_comes_before_a_layout_row_that_follows_a_table() -> None:
    assert lines("<p>Before</p><table><tr><td>Home<td>Shop</table><p>After</p>") == [
        "Before",
        "",
        "Home  Shop",
        "",
        "After",
    ]


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<dl><dt>Tea<dd>green<dt>Pot<dd>iron</dl>", ["Tea", "  green", "Pot", "  iron"]),
        ("<ul><li>a<p>b</p><li>c</ul>", ["• a", "", "  b", "", "• c"]),
        ("<ul><li>a<div><li>b</div></ul>", ["• a", "• b"]),
        ("x<li>a<li>b", ["x", "• a", "• b"]),
        ("<blockquote>a</blockquote>b", ["> a", "", "b"]),
        ("<p>a<br><br></p><div>b</div>", ["a", "", "b"]),
        ("<div>a<br><br></div><div>b</div>", ["a", "", "b"]),
        ('<div style="white-space:pre">a  b<span>  c</span></div>', ["a  b  c"]),
        ('<s>x<b style="color:red">y</b></s>z', ["xyz"]),
        ('<img alt="☎"> Call', ["☎ Call"]),
        ("<input type=checkbox checked>a<input type=checkbox>b<input type=hidden value=q>", ["[x] a[ ] b"]),
        ("<svg><svg></svg>x</svg>y", ["y"]),
        ("<noscript><p>a</p></noscript>b", ["a", "", "b"]),
    ],
)
def test_elements_read_as_in_a_browser(html: str, shown: list[str]) -> None:
    assert lines(html) == shown


def test_struck_words_are_struck_inside_other_elements_too() -> None:
    (line,) = render('<s>x<b style="color:red">y</b></s>z').lines
    assert line.struck == ((0, 2),)


def test_a_tracking_pixel_is_counted_only_where_it_would_be_loaded() -> None:
    assert render('<img src="cid:1" width=1 height=1>x').notes == ()
    assert render('<img src="https://t.example/a" width=2 height=2>x').notes == ("1 tracking pixel dropped.",)
    assert render('<img src="https://t.example/a" width=3 height=2>x').notes == ("1 remote picture not loaded.",)


def test_a_link_deep_in_lists_on_a_narrow_screen_keeps_room_for_text() -> None:
    html = "<ul><li>" * 20 + "word word word"
    assert all(len(line) <= 16 for line in lines(html, 16))
    assert lines(html, 16)[-1].strip() == "word"


def test_few_full_rows_among_many_make_no_data_table() -> None:
    rows = "<tr><td>one cell<td>" * 5 + "<tr><td>a<td>b<tr><td>c<td>d"
    assert {line.kind for line in render(f"<table>{rows}</table>").lines} == {"", "table"}
    assert {line.kind for line in render("<table><tr><td>a<td>b</table>").lines} == {""}


def test_a_header_or_a_label_that_spans_does_not_make_a_column_text() -> None:
    html = "<table border=1><tr><td>x<td>1<tr><td colspan=2>all in words<tr><td>y<td>100</table>"
    assert lines(html) == ["x    1", "all in", "words", "y  100"]


def test_a_cell_ends_at_the_end_of_a_header_cell_and_the_other_way_round() -> None:
    rows = "<tr><td>Tea</th><td>9.00</th><tr><th>Pot</td><td>120.00</table>"
    assert lines(f"<table border=1>{rows}") == ["Tea    9.00", "Pot  120.00"]


def test_amounts_beside_a_header_cell_of_their_row_are_at_the_right() -> None:
    html = "<table><tr><th>Tea<td>9.00<td>x<tr><th>Pot<td>120.00<td>y</table>"
    assert lines(html) == ["Tea    9.00  x", "Pot  120.00  y"]


@pytest.mark.parametrize("texts", [("a" * 40, "b" * 40), ("a" * 27, "b" * 27, "c" * 26)])
def test_short_texts_of_eighty_characters_in_all_are_one_line_and_longer_ones_are_not(texts: tuple[str, ...]) -> None:
    def row(*texts: str) -> list[str]:
        return [line for line in lines(f"<table><tr><td>{'<td>'.join(texts)}</table>", 200) if line]

    assert row(*texts) == ["  ".join(texts)]
    assert row(*texts[:-1], texts[-1] + "x") == [*texts[:-1], texts[-1] + "x"]


def test_a_number_of_sixteen_characters_stays_beside_its_text() -> None:
    long = "word " * 20
    assert lines(f"<table><tr><td>{long}<td>{'1' * 16}</table>", 200) == [f"{long} {'1' * 16}"]
    assert lines(f"<table><tr><td>{long}<td>{'1' * 17}</table>", 200) == [long.strip(), "", "1" * 17]
