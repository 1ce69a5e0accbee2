"""Links of an HTML mail: where they go, which host that is, and their line in the list at the end."""

import pytest

from termmail.mail.flowed import body, plain
from termmail.mail.html.links import host, list_line, other_host, target
from termmail.mail.html.render import render
from termmail.mail.message import Envelope, Link, Message, Section
from termmail.mail.sanitize import cells


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("HTTPS://A.example", "https://A.example"),
        ("//a.example/x", "https://a.example/x"),
        (" https://a.exa\nmple/\tx ", "https://a.example/x"),
        ("https:\\\\a.example", "https://a.example"),
        ("https:a.example", "https://a.example"),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://a.example/\u202e", "https://a.example/%E2%80%AE"),
        ("mailto:ada@example.org?subject=Hi", "mailto:ada@example.org?subject=Hi"),
        ("https:///", ""),
        ("mailto:", ""),
        ("a.example", ""),
        ("https://a.example/" + "x" * 8_000, ""),
    ],
)
def test_targets_are_what_a_browser_opens(href: str, url: str) -> None:
    assert target(href) == url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://A.example.:443/x?y#z", "a.example"),
        ("https://user:pass@a.example", "a.example"),
        ("https://a.example\\@b.example/", "a.example"),
        ("https://a.example?@b.example", "a.example"),
        ("https://a.example#@b.example", "a.example"),
        ("https://[::1]:80/", "[::1]:80"),
        ("mailto:Ada@Example.org?cc=x@y.example", "example.org"),
    ],
)
def test_the_host_is_the_one_a_browser_connects_to(url: str, name: str) -> None:
    assert host(url) == name


def test_a_parent_domain_in_the_text_is_honest() -> None:
    assert not other_host("login.bank.example", "https://bank.example/")
    assert not other_host("bank.example", "https://login.bank.example/")
    assert other_host("bank.example", "https://evilbank.example/") == "bank.example"


def test_six_dishonest_links_are_named_and_counted() -> None:
    def mail(count: int) -> tuple[str, ...]:
        return render("".join(f'<a href="https://e{n}.test">b{n}.example</a> ' for n in range(count))).notes

    assert mail(5)[-1] == "Link [5] says “b4.example” but goes to e4.test."
    assert mail(6)[-1] == "1 more links do not go where their text says."
    assert mail(7)[-1] == "2 more links do not go where their text says."
    assert len(mail(7)) == 6
    assert render('<a href="https://e.test">b.example</a><img src="//x.example/a.png">').warned == 1


def test_at_most_five_odd_domains_are_noted() -> None:
    html = "".join(f'<a href="https://аррӏе{number}.example/">x</a>' for number in range(9))
    assert len(render(html).notes) == 5


@pytest.mark.parametrize(
    ("text", "url", "width", "line"),
    [
        ("Read on", "https://a.example/long/path?x=1", 40, "[7] Read on · a.example"),
        ("", "https://a.example/x", 40, "[7] a.example"),
        ("a.example", "https://a.example/x", 40, "[7] a.example"),
        ("https://a.example/x", "https://a.example/x", 40, "[7] a.example"),
        ("Write to us", "mailto:us@a.example?subject=x", 40, "[7] Write to us · us@a.example"),
        ("us@a.example", "mailto:us@a.example", 40, "[7] us@a.example"),
        ("A text that is much too long", "https://a.example", 30, "[7] A text that i… · a.example"),
        ("日本語の長い文章です", "https://a.example", 24, "[7] 日本語… · a.example"),
        ("A text", "https://login.bank.example.evil.test/", 20, "[7] …ample.evil.test"),
        ("Text", "https://very.long.a.example", 29, "[7] very.long.a.example"),
        ("Texts", "https://very.long.a.example", 31, "[7] Texts · very.long.a.example"),
    ],
)
def test_a_link_has_one_line_with_its_text_and_its_host(text: str, url: str, width: int, line: str) -> None:
    found = list_line(7, text, url, width)
    assert found == line
    assert cells(found) <= width


def test_the_end_of_a_wide_host_is_kept() -> None:
    line = list_line(1, "x", "https://日本語日本語日本語日本語.example", 20)
    assert line.endswith(".example")
    assert line.startswith("[1] …")
    assert 19 <= cells(line) <= 20


def test_the_list_has_one_line_for_each_link_and_the_dialog_has_the_whole_url() -> None:
    url = "https://shop.example/" + "track/" * 60
    html = f'<a href="{url}">Track</a> <a href="{url}">again</a> <a href="https://b.example">B</a>'
    rendered = body(Message(Envelope(), html=html), 50)
    assert [line.text for line in rendered.lines] == [
        "Track[1] again[1] B[2]",
        "",
        "─" * 20,
        "[1] Track · shop.example",
        "[2] B · b.example",
    ]
    assert rendered.links == (Link("Track", url, 1), Link("B", "https://b.example", 2))


@pytest.mark.parametrize("text", ["x" * 400, "x" * 200 + "<b>" + "x" * 200 + "</b>"])
def test_the_first_300_characters_of_a_links_text_are_kept(text: str) -> None:
    (link,) = render(f'<a href="https://a.example">{text}</a>').links
    assert link.text == "x" * 300


def test_a_link_ends_with_its_end_tag_and_at_the_next_link() -> None:
    html = '<a href="https://a.example">one</a> two <a href="https://b.example">three <a href="https://c.example">four'
    assert [link.text for link in render(html).links] == ["one", "three", "four"]


def test_an_image_map_is_a_link_for_each_area() -> None:
    html = '<map><area href="https://a.example" alt="North"><area href="https://b.example"></map>'
    assert render(html).lines[0].text == "[North][1][picture][2]"


def test_the_numbers_go_on_through_all_parts_of_a_message() -> None:
    message = Message(
        Envelope(),
        sections=(
            Section(html='<a href="https://a.example">A</a> <a href="https://b.example">B</a>'),
            Section("See https://text.example"),
            Section(html='<a href="https://b.example">B again</a> <a href="https://evil.test">c.example</a>'),
        ),
    )
    rendered = body(message, 60)
    lines = [
        "A[1] B[2]",
        "",
        "See https://text.example",
        "",
        "B again[2] c.example[3]",
        "",
        "─" * 20,
        "[1] A · a.example",
        "[2] B · b.example",
        "[3] c.example · evil.test",
    ]
    assert [line.text for line in rendered.lines] == lines
    assert plain(message).split("\n") == lines
    assert rendered.links == (
        Link("A", "https://a.example", 1),
        Link("B", "https://b.example", 2),
        Link("https://text.example", "https://text.example"),
        Link("c.example", "https://evil.test", 3),
    )
    assert rendered.notes == ("Link [3] says “c.example” but goes to evil.test.",)
