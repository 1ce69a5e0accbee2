"""Words that no message has, and those of the index that are like them."""

from __future__ import annotations

import pytest

from termmail.mail.query_parser import parse
from termmail.store import search_spelling
from termmail.store.store import Store
from tests.store.parts import NOW, add_local, index_all


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "mail.db") as store:
        for subject in ("Babbage", "Cabbage soup", "Cabbage", "Straße nach Lovelace", "日本語メール"):
            add_local(store, "Inbox", f"Subject: {subject}\r\n\r\n".encode())
        index_all(store)
        yield store


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("babage", [("babage", "babbage")]),
        ("xabbage", [("xabbage", "cabbage")]),  # the more frequent of two
        ("lovleace", [("lovleace", "lovelace")]),
        ("from:babage OR lovelacee", [("babage", "babbage"), ("lovelacee", "lovelace")]),
        ("STRASE", [("strase", "strasse")]),
        ("babba*", []),  # a word begins so
        ("babbage", []),
        ("-babage", []),
        ('"babage soup"', []),
        ("sop", []),
        ("日本誤", []),
        ("is:unread", []),
        ("a" * 31, []),
    ],
)
def test_a_mistyped_word_has_one_that_is_like_it(store, text, meant):
    assert search_spelling.spellings(store, parse(text, NOW).query) == meant


def test_a_store_that_cannot_be_written_has_no_suggestions(tmp_path):
    with Store.open(tmp_path / "mail.db"):
        pass
    with Store.open(tmp_path / "mail.db", read_only=True) as store:
        assert search_spelling.spellings(store, parse("babage", NOW).query) == []
