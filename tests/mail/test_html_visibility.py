"""Which text of an HTML mail is seen: what hides the children, and what is judged where the text stands."""

import pytest

from termmail.mail.html.css import TRANSPARENT, UNKNOWN, color, declarations, font_size
from termmail.mail.html.render import render


def words(html: str) -> str:
    """The lines of a mail as one line."""
    return " ".join(line.text for line in render(html).lines if line.text)


@pytest.mark.parametrize(
    "html",
    [
        # the size is judged where the text stands
        '<td style="font-size:0"><div style="font-size:14px">Seen</div></td>',
        '<div style="font-size:0px"><table><tr><td style="font-size:0"><p style="font:bold 14px/1 Arial">Seen</table></div>',
        '<div style="font-size:0"><span style="font-size:medium">Seen</span></div>',
        '<div style="font-size:0"><span style="font-size:1rem">Seen</span></div>',
        '<div style="font-size:0"><span style="font-size:calc(10px + 1vw)">Seen</span></div>',
        '<div style="font-size:0"><font size="2">Seen</font></div>',
        '<p style="font-size:0;font-size:13px">Seen</p>',
        '<p style="font-size:13px !important;font-size:0">Seen</p>',
        '<p style="font-size:-1px">Seen</p>',
        '<p style="font-size:2px">Seen</p>',
        '<p style="font: italic small-caps 300 15px/22px Arial">Seen</p>',
        '<p style="font-size:0"><b style="font: 12pt Arial">Seen</b></p>',
        '<p style="line-height:0;letter-spacing:0">Seen</p>',
        # Outlook alone knows mso-hide
        '<a href="https://x.example" style="mso-hide:all">Seen</a>',
        # visibility may be given back
        '<div style="visibility:hidden">no<span style="visibility:visible">Seen</span></div>',
        # what clips nothing hides nothing
        '<div style="max-height:0">Seen</div>',
        '<div style="height:0;overflow:visible">Seen</div>',
        '<div style="height:10px;overflow:hidden">Seen</div>',
        '<div style="width:0;overflow-y:hidden">Seen</div>',
        '<table><tr><td style="height:0;overflow:hidden">Seen</table>',
        '<div style="opacity:0.01">Seen</div>',
        '<div hidden style="display:block">Seen</div>',
        '<div style="display:none;display:block">Seen</div>',
        '<div style="/* display:none; */ margin:0">Seen</div>',
        # color is judged against the background behind the text
        '<table bgcolor="000000"><tr><td style="color:#fff">Seen</table>',
        '<td bgcolor=#222><div style="color:white"><p>Seen',
        '<div style="color:#fff">no<div style="background:navy">Seen</div></div>',
        '<div style="color:white">no<span style="color:#000">Seen</span></div>',
        '<div style="background:#fff url(x.png) no-repeat;color:#fff">Seen</div>',
        '<div style="background-image:linear-gradient(red,blue)"><p style="color:#fff">Seen</div>',
        '<div style="background-color:rgb(0, 0, 0)"><p style="color:#fff">Seen</div>',
        '<div style="background: rgb(0, 0, 0) none"><p style="color:#fff">Seen</div>',
        '<div style="background: darkslateblue"><p style="color:#fff">Seen</div>',
        '<div style="background: rgba(255,255,255,0.5)"><p style="color:#fff">Seen</div>',
        '<table background="x.png"><tr><td style="color:#fff">Seen</table>',
        '<div style="color:#fff"><a href="https://x.example">Seen</a></div>',
        '<style>td { background: black }</style><table><tr><td style="color:white">Seen</table>',
        '<html><head><style>body{background-color:#000}</style></head><body><p style="color:white">Seen</p></body></html>',
        '<style>.dark { color: black }</style><p style="color:white">no<b class="dark">Seen</b></p>',
        '<style>.dark{background:#000}</style><div style="background:#fff"><div class="dark"><p style="color:#fff">Seen',
        '<p style="color:transparent;-webkit-text-fill-color:#333">Seen</p>',
        '<p style="color:rgba(255,255,255,.7)">Seen</p>',
        '<font color="red">Seen</font>',
        # nothing clips text that flows in a line
        '<span style="max-height:0;overflow:hidden">Seen</span>',
        '<b style="width:0;height:0;overflow:hidden;display:inline">Seen</b>',
        # outside of a table its tags mean nothing, and text outside of the cells stands in front of the table
        '<td style="display:none">Seen</td>',
        '<div><tr style="font-size:0"><td hidden>Seen</div>',
        '<table style="display:none">Seen<tr><td>no</table>',
        '<table style="visibility:hidden"><tr><div>Seen</div><td>no</td></tr></table>',
        # what hides ends with the elements around it, and a link with the next link
        "<div><svg><path></div>Seen",
        "<table><tr><td><svg><td>Seen</table>",
        "<p><svg></p>Seen",
        "<div><datalist>no</div>Seen",
        '<div><a style="font-size:0">no <a href="https://x.example">Seen</a></div>',
        '<basefont style="display:none">Seen',
        # drawings and formulas
        '<svg><title>no</title><g><text x="1"><tspan>Seen</tspan></text></g>no</svg>',
        "<math><mi>Seen</mi><annotation>no</annotation></math>",
        "<annotation>Seen</annotation>",
        # unknown elements
        "<xml>Seen</xml>",
        "<dialog open>Seen</dialog>",
    ],
)
def test_text_that_a_browser_shows_is_shown(html: str) -> None:
    assert "Seen" in words(html + "<p>Rest</p>")
    assert "no" not in words(html)


@pytest.mark.parametrize(
    "html",
    [
        '<div style="font-size:0"><span style="font-size:1em">Lost</span></div>',
        '<div style="font-size:0"><span style="font-size:100%">Lost</span></div>',
        '<div style="font-size:0"><b>Lost <i style="font-size:larger">Lost</i></b></div>',
        '<p style="font:0/0 a">Lost</p>',
        '<p style="font-size:1pt">Lost</p>',
        '<p style="font-size:13px;font-size:0!important">Lost</p>',
        '<p style="font-size:0em">Lost</p>',
        '<div style="display:none"><p style="display:block;font-size:14px;visibility:visible;opacity:1">Lost</p></div>',
        '<div style="opacity:0"><p style="opacity:1">Lost</p></div>',
        '<div style="opacity:0%">Lost</div>',
        '<div style="display:none!important;display:block">Lost</div>',
        '<div style="max-height:0;overflow:hidden"><p style="max-height:none">Lost</p></div>',
        '<div style="width:0px;overflow-x:hidden">Lost</div>',
        '<div style="height:0;overflow:auto">Lost</div>',
        '<div style="visibility:hidden"><p>Lost</p></div>',
        '<div style="visibility:collapse">Lost</div>',
        "<div hidden>Lost</div>",
        '<p style="color:#fff">Lost</p>',
        '<p style="color:#FFFF">Lost</p>',
        '<p style="color:rgb(255 255 255 / 1)">Lost</p>',
        '<font color="ffffff">Lost</font>',
        '<div style="background:#222222"><p style="color:#222">Lost</p></div>',
        '<table><tr><td bgcolor="black"><p style="color:#000000ff">Lost</p></td></table>',
        '<div style="max-height:0;overflow:hidden"><span>Lost</span></div>',
        '<span style="display:inline-block;max-height:0;overflow:hidden">Lost</span>',
        '<span style="float:left;width:0;overflow:hidden">Lost</span>',
        '<span style="position:absolute;height:0;overflow:hidden">Lost</span>',
        '<table style="display:none"><tr><td>Lost</td></tr></table>',
        '<div style="color:#eee;background:#eee"><b>Lost</b></div>',
        '<div style="color:white;background:transparent">Lost</div>',
        '<div style="background:#000"><div style="background:none;color:#000">Lost</div></div>',
        '<div class="x" style="color:#fff">Lost</div>',
        '<p style="color:transparent">Lost</p>',
        '<p style="color:rgba(0,0,0,0)">Lost</p>',
        '<p style="color:#00000000">Lost</p>',
        '<p style="color:white"><b style="color:inherit">Lost</b></p>',
    ],
)
def test_text_that_a_browser_hides_is_hidden(html: str) -> None:
    assert words(html + '<p style="color:black">Rest</p>') == "Rest"


def test_hidden_text_still_divides_the_words_around_it() -> None:
    assert words('Yes<span style="font-size:0">·</span>No') == "Yes No"
    assert words('Yes<span style="display:none">·</span>terday') == "Yesterday"


def test_a_picture_in_a_container_without_font_size_is_shown() -> None:
    assert words('<div style="font-size:0"><img src="https://x.example/i.png" alt="Logo"></div>') == "[Logo]"
    assert words('<div style="visibility:hidden"><img alt="Logo"></div>Rest') == "Rest"
    assert render('<div style="display:none"><img src="https://x.example/i.png"></div>R').notes == (
        "1 remote picture not loaded.",
    )


def test_a_long_alternative_text_is_shown_whole_and_a_longer_one_says_that_it_goes_on() -> None:
    assert words(f'<img alt="{"word " * 150}">') == "[" + " ".join(["word"] * 150) + "]"
    assert words(f'<img alt="{"x" * 1_500}">').replace(" ", "").endswith("x…]")


def test_inline_elements_that_are_drawn_as_blocks_break_the_line() -> None:
    assert [line.text for line in render('a<span style="display:block">b</span>c').lines] == ["a", "b", "c"]
    assert words('<a style="display:inline-block" href="x">Yes</a><a style="display:inline-block" href="x">No</a>') == (
        "Yes No"
    )


@pytest.mark.parametrize("tag", ["st1:place", "o:p", "custom-tag", "nobr", "object"])
def test_unknown_elements_are_inline(tag: str) -> None:
    assert [line.text for line in render(f"in <{tag}>Ulm</{tag}>, <{tag}>Bonn</{tag}>.").lines] == ["in Ulm, Bonn."]


# -- nothing is silently blank


@pytest.mark.parametrize(
    "html",
    [
        '<div style="display:none">All <b>hidden</b></div>',
        '<body style="color:#fff">All <b>hidden</b></body>',
        '<div style="font-size:0"><p>All hidden</p></div>',
        "<div hidden><table><tr><td>All hidden</table></div>",
    ],
)
def test_a_mail_that_hides_all_of_its_text_is_shown(html: str) -> None:
    rendered = render(html)
    assert [line.text for line in rendered.lines] == ["All hidden"]
    assert rendered.notes == ("This message hides all of its text. It is shown here anyway.",)


def test_a_mail_without_any_text_says_so() -> None:
    assert render("<html><head><title>x</title></head><body><br></body></html>").notes == (
        "This message has no text to show.",
    )
    assert render("").notes == render(" \n").notes == ()
    assert render("<p>Text</p>").notes == ()


# -- values


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("12px", 12),
        ("12", 12),
        ("9pt", 12),
        (".5em", 10),
        ("150%", 30),
        ("2rem", 32),
        ("1ex", 10),
        ("0%", 0),
        ("x-small", 10),
        ("inherit", 20),
        ("initial", 16),
        ("1pc", 16),
        ("1in", 96),
        ("5vw", None),
        ("clamp(1px, 2vw, 3px)", None),
        ("wide", 20),
        ("-3px", 20),
        ("1e3px", 20),
        ("", 20),
    ],
)
def test_font_sizes_are_in_pixels(value: str, size: float | None) -> None:
    assert font_size(value, 20.0) == size


def test_a_size_relative_to_an_unknown_one_is_unknown() -> None:
    assert font_size("2em", None) is None
    assert font_size("smaller", None) is None
    assert font_size("0em", None) == 0


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("#FFF", "ffffff"),
        (" #a1B2c3 ", "a1b2c3"),
        ("Navy", "000080"),
        ("rgb(1,2,3)", "010203"),
        ("rgb(1 2 3)", "010203"),
        ("rgba(1,2,3,1)", "010203"),
        ("rgba(1,2,3,0.0)", TRANSPARENT),
        ("rgba(1,2,3,.5)", UNKNOWN),
        ("#0f08", UNKNOWN),
        ("#0f00", TRANSPARENT),
        ("rgb(300,0,0)", UNKNOWN),
        ("rgb(1,2)", UNKNOWN),
        ("rgb(1,2,3", UNKNOWN),
        ("#ggg", UNKNOWN),
        ("#12345", UNKNOWN),
        ("var(--x)", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_colors_are_six_digits(value: str, found: str) -> None:
    assert color(value) == found


def test_declarations_follow_the_cascade_of_one_attribute() -> None:
    found = declarations("COLOR: Red ! important; color: blue; ;x; background: #fff url(a) ; font: 12px/1 a; a:b:c")
    assert found == {
        "color": "red",
        "background-color": "#fff",
        "background-image": "image",
        "font-size": "12px",
        "a": "b:c",
    }


def test_comments_end_and_begin_nothing() -> None:
    assert declarations("/* a:b; */color:red;/**/margin:0/* ;c:d") == {"color": "red", "margin": "0"}


def test_a_style_is_read_to_four_thousand_characters() -> None:
    assert declarations("a:b;" * 999 + "c:d;e:f") == {"a": "b", "c": "d"}


def test_preserved_space_is_inherited() -> None:
    html = '<div style="white-space:pre-wrap">a  b<b style="color:red">\n c  d</b><i style="white-space:normal"> e  f</i></div>'
    assert [line.text for line in render(html).lines][:1] == ["a  b"]
    assert "c  d" in words(html)


def test_a_font_has_its_size_among_its_first_eight_words() -> None:
    assert declarations(f"font: {'a ' * 7}12px x")["font-size"] == "12px"
    assert declarations(f"font: {'a ' * 8}12px x")["font-size"] == "medium"
