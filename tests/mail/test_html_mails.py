"""Mails as MJML, Foundation, HEML, Maizzle and React Email write them: all visible words show, no hidden ones do."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from termmail.mail.html.browser import sanitised
from termmail.mail.html.render import render
from termmail.mail.message import Envelope, Message

HERE = Path(__file__).parent / "html"
MAILS = json.loads((HERE / "words.json").read_text("utf-8"))
# Chromium hides it until it is clicked; a terminal has nothing to click.
OPENED = {"mjml/shipping.html": "The courier leaves it with a neighbour."}


def shown(name: str, width: int) -> str:
    """The lines of a mail without link numbers."""
    lines = [line.text for line in render((HERE / name).read_text("utf-8"), width).lines]
    return re.sub(r"\[\d+\]", "", "\n".join(lines))


def test_the_set_has_every_compiler() -> None:
    assert Counter(name.partition("/")[0] for name in MAILS) == {
        "mjml": 8,
        "foundation": 3,
        "heml": 2,
        "maizzle": 3,
        "react": 4,
        "hand": 4,
    }
    assert {str(path.relative_to(HERE)) for path in HERE.glob("*/*.html")} == set(MAILS)


@pytest.mark.parametrize("name", MAILS)
@pytest.mark.parametrize("width", [54, 88, 200])
def test_every_word_that_chromium_shows_is_shown(name: str, width: int) -> None:
    text = re.sub(r"\s", "", shown(name, width))
    words = Counter(MAILS[name]["shown"])
    assert words
    # A word may be folded at the end of a narrow column: its neighbors then stand between its halves.
    if width == 200:
        assert {word: count for word, count in words.items() if text.count(word) < count} == {}
    letters, wanted = Counter(text), Counter("".join(MAILS[name]["shown"]))
    assert wanted - letters == Counter()


@pytest.mark.parametrize("name", MAILS)
def test_no_word_that_chromium_hides_is_shown(name: str) -> None:
    hidden = set(MAILS[name]["hidden"]) - set(MAILS[name]["shown"]) - set(OPENED.get(name, "").split())
    assert hidden.isdisjoint(shown(name, 200).split())


def test_what_opens_with_a_click_is_shown() -> None:
    for name, words in OPENED.items():
        assert words in shown(name, 200)


@pytest.mark.parametrize("name", MAILS)
def test_the_browser_copy_keeps_every_word(name: str) -> None:
    page = sanitised(Message(Envelope(), html=(HERE / name).read_text("utf-8")))
    copy = re.sub(r"<style>.*?</style>|<[^>]*>|\s", "", page, flags=re.DOTALL)
    copy = copy.replace("&amp;", "&").replace("&#x27;", "'").replace("&quot;", '"')
    assert [word for word in MAILS[name]["shown"] if word not in copy] == []


def test_the_rows_of_a_receipt_made_of_nested_tables_stay_rows() -> None:
    lines = shown("hand/nested-receipt.html", 60).split("\n")
    assert lines[:2] == ["Receipt from Acme  [Acme]", ""]
    assert lines[5:10] == [
        "Monthly plan for a team of three people, March 4 to   $20.00",
        "April 4, with the additional storage option",
        "Extra seats                                            $2.00",
        "Tax (8%)                                               $1.60",
        "Amount charged                                        $23.60",
    ]


def test_the_rows_of_a_receipt_by_react_email_stay_rows() -> None:
    lines = shown("react/receipt.html", 80).split("\n")
    assert "[Streaming]  Streaming films and series  $14.99" in lines
    assert "TOTAL  $14.99" in lines
    assert "APPLE ID              BILLED TO" in lines


def test_tags_of_word_do_not_break_a_line() -> None:
    lines = shown("hand/word.html", 88).split("\n")
    assert "Dear Ada," in lines
    assert "we meet in London, England on 3 June." in lines
    assert "First    1,200" in lines
