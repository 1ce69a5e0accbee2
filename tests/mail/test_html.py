"""HTML mail as lines: what shows, what does not, and that no mail makes it slow."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from termmail.mail.flowed import body
from termmail.mail.html.browser import sanitised
from termmail.mail.html.render import LIMIT, render
from termmail.mail.message import Envelope, Line, Link, Message, Rendered
from termmail.mail.sanitize import cells, clean
from tests.timing import assert_grows_less


def texts(html: str, width: int = 88) -> list[str]:
    """The lines of a mail."""
    return [line.text for line in render(html, width).lines]


def laid_out(html: str, width: int = 88) -> Rendered:
    """A message of this HTML, with its list of links."""
    return body(Message(Envelope(), html=html), width)


def copied(html: str) -> str:
    """The copy for a browser."""
    return sanitised(Message(Envelope(), html=html))


def test_paragraphs_and_headings_stand_apart_and_wrap() -> None:
    html = "<h1>Your  order</h1><p>It has\nleft the <b>house</b>.</p><p>Bye</p>"
    rendered = render(html, 14)
    assert [line.text for line in rendered.lines] == ["Your order", "", "It has left", "the house.", "", "Bye"]
    assert rendered.lines[0].kind == "heading"


def test_divs_break_lines_without_blank_lines() -> None:
    assert texts("<div>one</div><div>two</div>three<div><br></div><div>four</div>") == [
        "one",
        "two",
        "three",
        "",
        "four",
    ]


def test_nested_lists_are_indented_and_numbered() -> None:
    html = "<ul><li>a<ul><li>b<li>c</ul></li><li>d</ul><ol start=9><li>e<li>f g</ol>"
    assert texts(html, 40) == ["• a", "  ◦ b", "  ◦ c", "• d", "", "9. e", "10. f g"]


def test_a_long_list_item_hangs_behind_its_bullet() -> None:
    assert texts("<ul><li>one two three four</ul>", 12) == ["• one two", "  three four"]


def test_a_data_table_is_aligned_with_numbers_to_the_right() -> None:
    html = (
        "<table><tr><th>Item<th>Price</tr><tr><td>Tea<td>1.20</tr><tr><td>日本酒<td>13.00</tr>"
        "<tr><td colspan=2>Thank you</table>"
    )
    assert texts(html) == ["Item    Price", "──────  ─────", "Tea      1.20", "日本酒  13.00", "Thank you"]
    assert {line.kind for line in render(html).lines} == {"table"}


def test_a_table_without_headers_is_data_when_its_cells_are_short() -> None:
    assert texts("<table><tr><td>From<td>Ulm<tr><td>To<td>Bonn</table>") == ["From  Ulm", "To    Bonn"]


def test_cells_that_span_rows_keep_the_columns_straight() -> None:
    html = "<table border=1><tr><td rowspan=2>A<td>b<td>c<tr><td>d<td>e</table>"
    assert texts(html) == ["A  b  c", "   d  e"]


def test_a_wide_table_is_folded_inside_its_columns() -> None:
    html = "<table border=1><tr><td>one two three<td>four five six<tr><td>a<td>b</table>"
    assert texts(html, 16) == ["one two  four", "three    five", "         six", "a        b"]


def test_a_layout_table_is_flattened_in_reading_order() -> None:
    long = "A paragraph of the newsletter that is far too long for a table cell with data in it, of course."
    html = f"<table><tr><td><table><tr><td>Home<td>Shop</table></td></tr><tr><td>{long}<td>Side</table>"
    assert texts(html, 200) == ["Home  Shop", "", long, "", "Side"]


def test_blockquotes_have_their_depth() -> None:
    rendered = render("<p>me</p><blockquote>you<blockquote>they</blockquote></blockquote>")
    assert rendered.lines == (Line("me"), Line(""), Line("> you", 1), Line(">", 1), Line("> > they", 2))


def test_pre_keeps_its_spaces_and_lines() -> None:
    assert texts("<pre>def f():\n    return  1</pre>") == ["def f():", "    return  1"]


def test_links_get_one_number_for_one_target_and_a_list() -> None:
    html = '<a href="https://a.example/1">one</a> and <a href="https://b.example">two</a>, <a href="https://a.example/1">1</a>'
    rendered = laid_out(html)
    assert rendered.lines[0].text == "one[1] and two[2], 1[1]"
    assert rendered.links == (Link("one", "https://a.example/1", 1), Link("two", "https://b.example", 2))
    assert [line.text for line in rendered.lines if line.kind == "link"] == [
        "[1] one · a.example",
        "[2] two · b.example",
    ]


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        " java\nscript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "tel:+49",
        "#top",
        "relative/path",
        "\x01javascript:x",
        "https:",
        "ftp://example.org/",
        "smb://x/y",
    ],
)
def test_only_web_and_mail_links_become_links(href: str) -> None:
    rendered = render(f'<a href="{href}">click</a>')
    assert rendered.links == ()
    assert [line.text for line in rendered.lines] == ["click"]


def test_a_link_around_blocks_gets_its_mark_behind_its_first_words() -> None:
    assert texts('<a href="https://x.example"><div>Read</div><div>more</div></a>') == ["Read[1]", "more"]


def test_a_linked_picture_without_words_can_still_be_followed() -> None:
    assert texts('<a href="https://x.example"><img src="https://x.example/p.png" alt=""></a>') == ["[picture][1]"]


@pytest.mark.parametrize(
    ("text", "href", "said", "real"),
    [
        ("bank.example", "https://evil.example/", "bank.example", "evil.example"),
        ("https://bank.example/login", "http://bank.example.evil.test/", "bank.example", "bank.example.evil.test"),
        ("https://bank.example", "https://bank.example@evil.test/", "bank.example", "evil.test"),
        ("www.bank.example", "https://evil.test\\@bank.example/", "bank.example", "evil.test"),
        ("log in at https://bank.example now", "//evil.test/x", "bank.example", "evil.test"),
        ("help@bank.example", "mailto:x@evil.test", "bank.example", "evil.test"),
        ("ba<b>nk.ex</b>ample", "https://evil.test", "bank.example", "evil.test"),
        ("<div>bank.example</div>", "https://evil.test", "bank.example", "evil.test"),
    ],
)
def test_a_link_that_says_another_host_is_named(text: str, href: str, said: str, real: str) -> None:
    assert render(f'<a href="{href}">{text}</a>').notes == (f"Link [1] says “{said}” but goes to {real}.",)


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("bank.example", "https://www.bank.example/x"),
        ("https://www.bank.example", "https://bank.example"),
        ("bank.example", "https://login.bank.example"),
        ("Read more", "https://click.example/"),
        ("Version 2.0", "https://click.example/"),
        ("e.g. this", "https://click.example/"),
        ("3.14", "https://click.example/"),
        ("README.md", "https://code.example/"),
        ("@someone", "https://code.example/"),
        ("ada@example.org", "https://people.example/ada"),
        ("Write to us", "mailto:us@example.org"),
    ],
)
def test_an_honest_link_has_no_note(text: str, href: str) -> None:
    assert render(f'<a href="{href}">{text}</a>').notes == ()


def test_a_second_link_to_a_known_target_is_checked_too() -> None:
    html = '<a href="https://evil.test">hello</a> <a href="https://evil.test">bank.example</a>'
    assert render(html).notes == ("Link [1] says “bank.example” but goes to evil.test.",)


def test_a_lookalike_link_is_noted_with_its_real_name() -> None:
    (note,) = render('<a href="https://аррӏе.example/">here</a>').notes
    assert "xn--" in note


def test_pictures_show_their_words_and_are_counted() -> None:
    html = '<img src="https://x.example/a.png" alt="Our shop"><img src="//x.example/b.png"><img src="cid:1" alt="">'
    rendered = render(html)
    assert rendered.lines[0].text == "[Our shop] [picture]"
    assert rendered.notes == ("2 remote pictures not loaded.",)


@pytest.mark.parametrize(
    "attributes",
    [
        "width=1 height=1",
        'width="1px" height="1px"',
        'style="width:1px;height:1px"',
        "width=0",
        'style="display:none"',
        'style="DISPLAY : NONE !important"',
        "hidden",
        'height="0" width="300"',
    ],
)
def test_tracking_pixels_are_dropped_and_counted(attributes: str) -> None:
    rendered = render(f'a<img src="https://t.example/p.gif" alt="spy" {attributes}>b')
    assert [line.text for line in rendered.lines] == ["ab"]
    assert rendered.notes == ("1 tracking pixel dropped.",)


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "Display: None !important",
        "visibility:hidden",
        "font-size:0",
        "font-size:0px",
        "font-size:1px;line-height:1px",
        "max-height:0px;overflow:hidden",
        "max-width:0;overflow:hidden",
        "opacity:0",
        "opacity:0.0",
        "height:0;overflow:hidden",
    ],
)
def test_hidden_text_and_its_links_do_not_show(style: str) -> None:
    html = f'<div style="{style}">pre<b>header</b><table><tr><td>x</table><a href="https://x.example">l</a></div>Hello'
    assert render(html) == render("Hello")


@pytest.mark.parametrize(
    "html",
    [
        '<div style="font-size:1em">Hello</div>',
        *(
            f'<div style="font-size:10px"><p style="font-size:{how}">Hello</div>'
            for how in ("unset", "inherit", "larger")
        ),
        '<div style="font-size:100%;opacity:1;max-height:none">Hello</div>',
        '<table bgcolor="#000000"><tr><td style="color:#fff">Hello</table>',
        '<div style="background:#333"><p style="color:#fff">Hello</div>',
        '<style>.dark { background: black }</style><div class="dark"><p style="color:#fff">Hello</div>',
        '<div style="background:url(x.png)"><p style="color:#fff">Hello</div>',
        '<div style="display:none">x</div>Hello',
        '<span style="display:none">x</span><p>Hello</p>',
    ],
)
def test_what_shows_in_a_browser_is_not_hidden(html: str) -> None:
    assert texts(html) == ["Hello"]


@pytest.mark.parametrize(
    "html",
    [
        "<style>p { color: red }</style>Hello",
        "<script>if (a < b) alert('<p>x</p>')</script>Hello",
        "<head><title>My title</title></head>Hello",
        "<!-- [if mso]><p>outlook</p><![endif] -->Hello",
        "<![if !mso]>Hello<![endif]>",
        "<svg><title>x</title><desc>x</desc>x<path d=''/></svg>Hello",
        "<svg><p>Hello",
        "<iframe>x</iframe>Hello",
        "<datalist><option>x</datalist>Hello",
        "<dialog>x</dialog>Hello",
        "<template><p>x</p></template>Hello",
        "<noscript>Hello</noscript>",
        "<?xml version='1.0'?><!DOCTYPE html>Hello",
    ],
)
def test_scripts_styles_and_heads_do_not_show(html: str) -> None:
    assert texts(html) == ["Hello"]


def test_forms_are_inert_and_said() -> None:
    html = (
        '<form action="https://evil.test"><input name=a><input type=password><input type=hidden value=x>'
        "<input type=submit value=Send></form>"
    )
    rendered = render(html)
    assert rendered.lines[0].text == "[____][____][Send]"
    assert texts("<input value=CODE-7><input placeholder='Your name'><input type=password value=x>") == [
        "[CODE-7][Your name][____]"
    ]
    assert texts("<textarea>two\n  lines</textarea>") == ["two", "  lines"]
    assert texts("<select><option>S<option selected>M</select>") == ["S", "M"]
    assert rendered.links == ()
    assert "This message holds a form. It does nothing here." in rendered.notes


def test_wrapping_counts_cells_and_keeps_emoji_whole() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    lines = texts("<p>" + "日本語" * 10 + " " + family * 9 + "</p>", 20)
    assert all(cells(line) <= 20 for line in lines)
    assert "".join(lines).count(family) == 9
    assert all(not line.endswith("\u200d") for line in lines)


@pytest.mark.parametrize(
    "poison",
    [
        "&#27;[31m",
        "&#x9b;31m",
        "&#x202e;",
        "\x1b]0;t\x07",
        "&#0;",
        "\x9d52;c;\x9c",
        "&#8232;",
        "a\u0300" + "\u0301" * 99,
    ],
)
def test_no_control_sequence_survives_anywhere(poison: str) -> None:
    html = (
        f'<h1>{poison}</h1><table border=1><tr><th>{poison}<td>{poison}</table><img alt="{poison}"><pre>{poison}</pre>'
        f'<a href="https://x.example/{poison}">x{poison}</a><input type=submit value="{poison}"><ul><li>{poison}</ul>'
    )
    rendered = laid_out(html)
    shown = [line.text for line in rendered.lines] + list(rendered.notes)
    shown += [text for link in rendered.links for text in (link.text, link.url)]
    assert rendered.links
    assert all(clean(text) == text for text in shown)


def test_marks_split_over_tags_cannot_pile_up() -> None:
    (line,) = texts("a" + "<b>\u0301\u0301\u0301\u0301</b>" * 50)
    assert len(line) <= 6


def test_an_end_tag_inside_a_cell_does_not_close_what_is_outside() -> None:
    html = "<blockquote><table border=1><tr><td>a</blockquote>b<td>c<tr><td>d<td>e</table>f</blockquote>g"
    rendered = render(html)
    assert [(line.text, line.quote) for line in rendered.lines] == [
        ("> ab  c", 1),
        ("> d   e", 1),
        (">", 1) if rendered.lines[2].text else ("", 1),
        ("> f", 1),
        ("", 0),
        ("g", 0),
    ]


def test_stray_and_unclosed_tags_lose_no_text() -> None:
    html = "</td></table></p><li>a</ul><td>b</td><tr>c<dd>d</dl><table>e<caption>f<td>g<table><tr>h<ul><td>i<li>j</b>k"
    found = "".join(re.findall("[a-k]", " ".join(texts(html))))
    assert sorted(found) == list("abcdefghijk")


def test_a_table_too_wide_for_the_screen_loses_nothing() -> None:
    html = "<table border=1>" + "<tr>" + "".join(f"<td>word{number}" for number in range(12)) + "</table>"
    lines = texts(html, 40)
    assert " ".join(lines).split() == [f"word{number}" for number in range(12)]


@pytest.mark.parametrize(
    "value", ["nan", "inf", "-1", "1e9", "99999999999", "1_0", "٣", "", "%", "+", ".", "px", "\ud800"]
)
def test_senseless_numbers_change_nothing(value: str) -> None:
    html = (
        f"<table border='{value}'><tr><td colspan='{value}' rowspan='{value}'>a</table><ol start='{value}'><li>b</ol>"
        f"<img alt=c width='{value}' height='{value}' style='width:{value}'><p style='font-size:{value};opacity:{value}'>d"
    )
    assert {"a", "d"} <= set(texts(html))
    assert copied(html)


def test_lone_surrogates_reach_neither_the_screen_nor_the_file() -> None:
    html = "\ud800<b title='\udfff'>x\udcff</b><a href='https://x.example/\ud800'>y</a><style>\udc80</style>"
    rendered = render(html)
    "".join(line.text for line in rendered.lines).encode()
    "".join(link.url for link in rendered.links).encode()
    copied(html).encode()


def test_a_mail_over_a_million_characters_is_cut_and_says_so() -> None:
    rendered = render("<p>x</p>" + "y" * LIMIT)
    assert "This message is very long. Only its start is shown." in rendered.notes


@pytest.mark.parametrize("start", ["<p>", "<p hidden>"])
def test_the_million_characters_that_are_shown_end_at_the_last_one(start: str) -> None:
    rendered = render(start + "abc".rjust(LIMIT - len(start)) + "d")
    assert [line.text for line in rendered.lines] == ["abc"]
    assert "This message is very long. Only its start is shown." in rendered.notes


TAGS = [
    "p",
    "div",
    "b",
    "a",
    "span",
    "table",
    "tr",
    "td",
    "th",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "br",
    "hr",
    "img",
    "h2",
    "script",
    "style",
    "svg",
    "dl",
    "dd",
    "font",
    "input",
]
MARKUP = st.lists(
    st.one_of(
        st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS]),
        st.sampled_from(
            [
                '<a href="https://x.example">',
                '<div style="display:none">',
                "<td colspan=3 rowspan=2>",
                "<img alt=pic src=//h width=1>",
                "<!--",
                "-->",
                "<",
                "&#27;",
                "<table border=1>",
            ]
        ),
        st.text(max_size=20),
    ),
    max_size=60,
).map("".join)


@given(MARKUP, st.integers(1, 100))
@settings(max_examples=300, deadline=None)
def test_any_markup_gives_clean_lines_that_fit(html: str, width: int) -> None:
    for line in laid_out(html, width).lines:
        assert cells(line.text) <= max(width, 10)
        assert clean(line.text) == line.text


def repeated(unit: str):
    return lambda size: (unit * (size // len(unit) + 1))[:size]


HOSTILE = {
    "unclosed fonts before paragraphs": lambda n: (
        "<p>" + "".join(f"<font a={i}>" for i in range(n // 28)) + "</p>" + "<p>x</p>" * (n // 20)
    ),
    "deep divs": lambda n: "<div>" * (n // 11) + "x" + "</div>" * (n // 11),
    "formatting in paragraphs": repeated("<b><i><p>x"),
    "end tags of what is far below": lambda n: "<b><div>" + "<i>" * (n // 6) + "</b>" * (n // 8),
    "end tags of nothing": lambda n: "<div>" * (n // 20) + "</p></td></table></li>" * (n // 30),
    "unclosed links": repeated("<a href=http://x.example/><p>t"),
    "many targets": lambda n: "".join(f"<a href=http://x{i}.test/>h{i}.example</a>" for i in range(n // 40)),
    "one link around all": lambda n: "<a href=http://x.example/>" + "<p>y.example " * (n // 13),
    "tables in tables": repeated("<table><tr><td>x"),
    "paragraphs in nested tables": lambda n: "<table><tr><td>" * (n // 40) + "<p>x</p>" * (n // 16),
    "one big table": lambda n: "<table border=1>" + ("<tr>" + "<td>ab" * 10) * (n // 64),
    "one wide row": lambda n: "<table border=1><tr>" + "<td>x" * (n // 5),
    "cells that span rows": lambda n: "<table border=1>" + "<tr><td rowspan=50><td rowspan=50>x" * (n // 35),
    "stray cells": repeated("<td>x<caption>y"),
    "giant attribute list": lambda n: "<p " + " ".join(f"a{i}=1" for i in range(n // 9)) + ">x",
    "giant style": lambda n: '<p style="' + "a:b;" * (n // 4) + '">x',
    "comment bomb": repeated("<!--"),
    "comments half closed": repeated("<!-- --!><!-->"),
    "entity flood": repeated("&amp;&nosuch;&#x41;&#27;"),
    "open angle brackets": repeated("<"),
    "unclosed attribute": repeated("<a href='"),
    "scripts in scripts": repeated("<script><!--<script>"),
    "breaks": repeated("<br>"),
    "rules": repeated("<hr>"),
    "quotes in quotes": repeated("<blockquote>x"),
    "lists in lists": repeated("<ul><li>x"),
    "items without a list": repeated("<li>x"),
    "terms": repeated("<dl><dd>x"),
    "one long word": repeated("x"),
    "combining marks": repeated("a\u0301\u0301\u0301"),
    "ideographs": repeated("日本"),
    "joined emoji": repeated("\U0001f468\u200d"),
    "unclosed svg": repeated("<svg><p>x"),
    "pre": repeated("<pre>  a\n"),
    "hidden": repeated("<div style=display:none>x"),
    "pictures": repeated("<img alt=x src=//h.example>"),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_with_the_size_and_not_with_its_square(make) -> None:
    small, large = make(18_000), make(79_000)  # 4.4 times as large; the square would be 19
    assert_grows_less(lambda: laid_out(small), lambda: laid_out(large), 15)
    assert_grows_less(lambda: copied(small), lambda: copied(large), 15)


@pytest.mark.parametrize("name", ["tables in tables", "paragraphs in nested tables", "one wide row", "lists in lists"])
def test_a_mail_of_a_megabyte_is_read_to_its_end(name: str) -> None:
    make = HOSTILE[name]
    small, large = make(250_000), make(1_000_000)
    assert_grows_less(lambda: render(small), lambda: render(large), 10, 0.01)


def test_a_link_has_its_number_right_behind_its_words_whatever_they_are() -> None:
    html = (
        '<p><a href="https://x.example/1">Read on </a> now, <a href="https://x.example/2"><img alt="x"></a> or'
        ' <a href="https://x.example/3"><b>here</b> <br> </a>.</p>'
    )
    assert texts(html)[0] == "Read on[1] now, [x][2] or here[3]"


# -- struck out


def struck(html: str, width: int = 88) -> tuple[list[list[str]], list[str]]:
    """What is struck out, line by line, and the lines themselves."""
    lines = render(html, width).lines
    return [[line.text[start:end] for start, end in line.struck] for line in lines], [line.text for line in lines]


@pytest.mark.parametrize(
    "old",
    [
        "<s>€ 20</s>",
        "<del>€ 20</del>",
        "<strike><b>€ 20</b></strike>",
        '<span style="text-decoration: line-through">€ 20</span>',
        '<span style="color:#999; text-decoration-line:line-through !important">€ <i>20</i></span>',
    ],
)
def test_what_is_struck_out_is_told_apart_and_stays_text(old: str) -> None:
    assert struck(f"<p>Now {old} € 15</p>") == ([["€ 20"]], ["Now € 20 € 15"])


def test_what_is_struck_out_may_go_on_in_the_next_line_and_in_a_table() -> None:
    spans, lines = struck("<p><s>one two three four five six</s> seven</p>", 14)
    assert lines == ["one two three", "four five six", "seven"]
    assert spans == [["one two three"], ["four five six"], []]
    table = "<table border=1><tr><th>Tea<th>Price<tr><td>Assam<td><s>20</s> 15<tr><td>Oolong<td>8</table>"
    spans, lines = struck(table)
    assert lines[2:] == ["Assam   20 15", "Oolong      8"]
    assert spans[2:] == [["20"], []]


def test_a_struck_link_keeps_its_words() -> None:
    rendered = render('<p><del><a href="https://x.example">Old [/b]</a></del> new</p>')
    assert rendered.lines[0].text == "Old [/b][1] new"
    assert rendered.links[0].text == "Old [/b]"
