"""Plain text bodies: what is quoted, what flows, what is a signature, where lines break, which links are in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from termmail.mail.flowed import body, links, paragraphs, plain, wrap
from termmail.mail.message import Envelope, Line, Message
from termmail.mail.sanitize import cells, clean
from termmail.mail.wrap import fold
from tests.timing import assert_grows_less, assert_soon


def shown(text: str, width: int = 88, **how: bool) -> list[str]:
    return [line.text for line in wrap(text, width, **how)]


def test_lines_that_fit_stay_as_they_are() -> None:
    text = "Hello\n\n  indented   columns\n* a\n* b"
    assert shown(text) == text.split("\n")


def test_long_lines_break_at_spaces_and_keep_their_indent() -> None:
    assert shown("  one two three four", 11) == ["  one two", "  three", "  four"]


def test_a_url_that_fits_a_line_is_never_broken() -> None:
    url = "https://example.org/" + "a" * 20
    assert shown(f"Look at this page: {url} now", 40) == ["Look at this page:", url, "now"]


def test_a_word_longer_than_the_line_is_cut() -> None:
    assert shown("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_east_asian_text_breaks_between_letters_but_not_before_a_full_stop() -> None:
    assert shown("日本語のテキスト。", 16) == ["日本語のテキス", "ト。"]


def test_an_emoji_is_never_cut_in_two() -> None:
    for emoji in (
        "\U0001f44d\U0001f3fd",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u2764\ufe0f",
        "e\u0301\u0301",
    ):
        lines = shown(emoji * 40, 21)
        assert all(line and line.replace(emoji, "") == "" for line in lines), emoji


def test_quote_depth_is_counted_and_drawn() -> None:
    assert wrap("a\n> b\n>> c\n> > > d\n>e") == (
        Line("a"),
        Line("> b", 1),
        Line("> > c", 2),
        Line("> > > d", 3),
        Line("> e", 1),
    )


def test_a_long_quoted_line_keeps_its_marks_on_every_line() -> None:
    assert wrap("> one two three four", 12) == (Line("> one two", 1), Line("> three four", 1))


def test_a_deep_quote_leaves_room_for_its_text() -> None:
    lines = wrap(">" * 500 + " some words of text", 30)
    assert {line.quote for line in lines} == {500}
    assert all(len(line.text) <= 30 for line in lines)


def test_the_signature_is_marked_up_to_the_next_quote() -> None:
    kinds = [(line.text, line.kind) for line in wrap("Hi\n-- \nAda\n> -- \n> Bob\nlater")]
    assert kinds == [
        ("Hi", ""),
        ("--", "signature"),
        ("Ada", "signature"),
        ("> --", ""),
        ("> Bob", ""),
        ("later", ""),
    ]


def test_dashes_without_a_space_are_no_signature() -> None:
    assert {line.kind for line in wrap("a\n--\nb")} == {""}


def test_flowed_lines_are_joined_and_wrapped_anew() -> None:
    assert shown("one two \nthree \nfour\nfive", 88, flowed=True) == ["one two three four", "five"]
    assert shown("one two \nthree \nfour\nfive", 10, flowed=True) == ["one two", "three four", "five"]


def test_without_flowed_the_same_lines_stay() -> None:
    assert shown("one two \nthree") == ["one two", "three"]


def test_delsp_joins_without_the_space() -> None:
    assert shown("日本 \n語 \nです", 88, flowed=True, delsp=True) == ["日本語です"]


def test_stuffed_spaces_are_taken_off() -> None:
    assert shown(" From me\n > no quote\n  two", flowed=True) == ["From me", "> no quote", " two"]


def test_flowed_quotes_join_only_at_the_same_depth() -> None:
    assert wrap("> a \n> b \n>> c \nd", flowed=True) == (Line("> a b", 1), Line("> > c", 2), Line("d"))


def test_the_signature_dashes_never_flow() -> None:
    assert [(one.text, one.kind) for one in paragraphs("bye \n-- \nAda \nL", flowed=True)] == [
        ("bye", ""),
        ("-- ", "signature"),
        ("Ada L", "signature"),
    ]


def test_any_line_end_is_a_line_end() -> None:
    assert shown("a\r\nb\rc\x85d\u2028e\x0cf") == list("abcdef")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("see https://example.org/a?b=c&d=e#f.", "https://example.org/a?b=c&d=e#f"),
        ("(https://example.org/a_(b))", "https://example.org/a_(b)"),
        ("<https://example.org/>", "https://example.org/"),
        ("HTTPS://Example.org", "https://Example.org"),
        ("www.example.org, ok", "https://www.example.org"),
        ("mailto:ada@example.org!", "mailto:ada@example.org"),
        ("“https://example.org”", "https://example.org"),
        ("これはhttps://example.org/です。", "https://example.org/です"),
        ("[https://example.org]", "https://example.org"),
    ],
)
def test_links_of_plain_text_end_where_a_reader_would_end_them(text: str, url: str) -> None:
    assert [link.url for link in links([text])] == [url]


@pytest.mark.parametrize("text", ["https://", "www.", "javascript:alert(1)", "ftp://x.org", "xhttps://a.b", "mailto:"])
def test_what_is_no_web_or_mail_address_is_no_link(text: str) -> None:
    assert links([text]) == ()


def test_each_link_is_listed_once() -> None:
    assert len(links(["https://a.org https://b.org", "https://a.org."])) == 2


def test_links_are_found_behind_texts_and_urls_that_are_none() -> None:
    long = "https://x.org/" + "a" * 5000
    found = links(["no link", f"{long} https://b.org mailto: https://c.org", "none", "https://d.org"])
    assert [link.url for link in found] == ["https://b.org", "https://c.org", "https://d.org"]


def test_the_text_is_preferred_to_the_html_until_asked() -> None:
    message = Message(Envelope(), text="the text https://a.org", html="<p>the html</p>")
    assert body(message).lines == (Line("the text https://a.org"),)
    assert [link.url for link in body(message).links] == ["https://a.org"]
    assert body(message, html=True).lines == (Line("the html"),)
    assert body(Message(Envelope(), html="<p>only</p>"), html=False).lines == (Line("only"),)
    assert body(Message(Envelope(), text="only"), html=True).lines == (Line("only"),)


def test_a_very_long_body_is_cut_and_says_so() -> None:
    rendered = body(Message(Envelope(), text="word\n" * 300_000))
    assert len(rendered.lines) == 200_000
    assert rendered.notes == ("This message is very long. Only its start is shown.",)


def test_plain_joins_flowed_paragraphs_and_keeps_depth() -> None:
    message = Message(Envelope(), text="one \ntwo\n>> a \n>> b", flowed=True)
    assert plain(message) == "one two\n>> a b"
    assert plain(Message(Envelope(), html="<p>a</p><p>b</p>")) == "a\n\nb"


TEXT = st.lists(
    st.one_of(
        st.sampled_from(["> ", ">", " ", "\n", "-- \n", "日", "\u0301", "\U0001f468\u200d", "https://"]), st.text()
    )
).map("".join)


@given(TEXT, st.integers(12, 100), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_text_gives_clean_lines_that_fit(text: str, width: int, flowed: bool, delsp: bool) -> None:
    for line in wrap(text, width, flowed=flowed, delsp=delsp):
        assert cells(line.text) <= width
        assert clean(line.text) == line.text


@given(st.text(st.sampled_from("ab> 日.-"), max_size=200), st.integers(12, 60))
@settings(deadline=None)
def test_wrapping_loses_no_letters(text: str, width: int) -> None:
    def letters(value: str) -> str:
        return value.replace(" ", "").replace(">", "").replace("\n", "")

    assert letters("".join(shown(text, width))) == letters(text)


HOSTILE = {
    "words": "a ",
    "one word": "a",
    "quote marks": ">",
    "spaced quote marks": "> ",
    "blank lines": "\n",
    "spaces": " ",
    "soft breaks": "a \n",
    "joined ideographs": "日\u200d",
    "zero-width letters": "\u1161",
    "flags of many": "\U0001f1e9 ",
    "changing depth": "> a \n>> b \n",
    "ideographs": "日",
    "marks": "e\u0301\u0301\u0301\u0301",
    "emoji": "\U0001f468\u200d",
    "flags": "\U0001f1e9",
    "urls": "https://a.org ",
    "url without end": "https://a.org",
    "brackets": "https://a.org)))))",
    "scheme starts": "http",
    "signatures": "-- \n",
    "punctuation": "https://.,.,.,.,",
}


def test_a_flag_is_cut_only_between_two_flags() -> None:
    assert shown("\U0001f1eb\U0001f1f7" * 4, 5) == ["\U0001f1eb\U0001f1f7" * 2] * 2


def test_letters_with_marks_of_their_own_width_stay_whole() -> None:
    assert shown("कि" * 8, 5) == ["कि" * 5, "कि" * 3]


def test_an_emoji_that_a_selector_widens_moves_whole_to_the_next_line() -> None:
    assert fold("ab\u2764\ufe0fc", 3) == ["ab", "\u2764\ufe0fc"]


def test_a_line_that_fits_exactly_stays_as_it_is() -> None:
    assert fold("ab ", 3) == ["ab "]
    assert fold("жж ", 3) == ["жж "]


def test_the_first_line_may_be_narrower() -> None:
    assert fold("one two three", 9, first=4) == ["one", "two three"]
    assert fold("日本語の", 8, first=2) == ["日", "本語の"]


def test_a_line_may_end_on_either_side_of_a_wide_letter_but_not_behind_an_opening_bracket() -> None:
    assert fold("x abc日本", 6) == ["x abc", "日本"]
    assert fold("x 日本abc", 6) == ["x 日本", "abc"]
    assert fold("x abcdé日", 6) == ["x", "abcdé", "日"]
    assert fold("日本（語", 6) == ["日本", "（語"]


def test_an_indent_that_leaves_no_place_for_its_word_is_dropped() -> None:
    assert fold("   word more", 5) == ["word", "more"]
    assert fold(" " * 9, 5) == [""]


@pytest.mark.parametrize(
    "unit", ["Привет, как дела? ", "日本語のテキスト、これは。", "\U0001f600\U0001f44b\U0001f3fd "]
)
def test_a_megabyte_of_any_script_takes_a_fraction_of_a_second(unit: str) -> None:
    text = unit * (1_000_000 // len(unit.encode()))
    assert_soon(lambda: body(Message(Envelope(), text=text), 76), 1)


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_with_the_size_and_not_with_its_square(unit: str) -> None:
    small, large = unit * (50_000 // len(unit)), unit * (200_000 // len(unit))
    assert_grows_less(
        lambda: body(Message(Envelope(), text=small, flowed=True)),
        lambda: body(Message(Envelope(), text=large, flowed=True)),
        9,
    )
