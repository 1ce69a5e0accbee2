"""A query in words, completion, and what is highlighted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.equal_letters import fold
from termmail.mail.message import Address
from termmail.mail.query import Field
from termmail.mail.query_description import described
from termmail.mail.query_hits import hits
from termmail.mail.query_parser import parse, parse_typed
from termmail.mail.query_words import MOST, Known, completions, explanation, person_wanted, renamed, unknown_names
from tests.mail.test_query import NOW, ODD

KNOWN = Known(
    ("Inbox", "Archive", "Projects/2024", "My folder"), ("work", "home"), (Address("Ada Lovelace", "ada@example.org"),)
)


def said(text: str) -> str:
    return explanation(text, len(text), parse_typed(text, NOW))


def offered(text: str) -> list[str]:
    return [one.applied(text)[0] for one in completions(text, len(text), KNOWN)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("from:", "from: finds messages from this person: a name, an address, or me, such as from:ada"),
        ("lun", "Messages with “lun…”"),
        ("lu", "Messages with “lu…” in subject or sender"),
        ("from:z", "Messages from “z…”"),
        ("lunch -from:bob ", "Messages with “lunch” and not from “bob”"),
        ("a b c ", "Messages with “a”, “b” and “c”"),
        ("subject:(lunch OR dinner)", "Messages with “lunch” or “dinner” in the subject"),
        ("(a OR subject:b) is:unread", "Messages that are unread and either with “a” or with “b” in the subject"),
        ("(a from:xy) OR c ", "Messages with “c” or (with “a” and from “xy”)"),
        ("-subject:lunch ", "Messages without “lunch” in the subject"),
        ("-(lunch OR dinner)", "Messages without “lunch” or “dinner”"),
        ("-(lunch is:unread)", "Messages not (with “lunch” and that are unread)"),
        ("-is:starred (is:unread OR is:answered)", "Messages that are not starred and that are unread or answered"),
        ("-has:attachment -is:starred -in:junk", "Messages without attachments, that are not starred and not in Spam"),
        ("from:me -to:me", "Messages from you and not to you"),
        ('from:"me"', "Messages from “me”"),
        ("in:snoozed is:muted is:labeled", "Messages that are snoozed, of a muted conversation and with a label"),
        ("form:x", "There is no operator “form:”; did you mean from:?"),
        ("larger:5MB", "Messages larger than 5 MB"),
        ("smaller:900", "Messages smaller than 900 B"),
        ("in:anywhere a ", "Messages in any folder (Trash and Spam too) and with “a”"),
        (
            "has:invite id:x account:work",
            "Messages with an invitation, with the Message-ID “x” and of the account work",
        ),
        ("on:2024-11-30", "Messages of 30 November 2024"),
        ("on:2024-11", "Messages from 1 November 2024 to 30 November 2024"),
        ("after:2024-11-30", "Messages from 30 November 2024 on"),
        ("before:2024-11-30", "Messages before 30 November 2024"),
    ],
)
def test_a_query_is_explained_while_it_is_typed(text: str, words: str) -> None:
    assert said(text) == words


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("fr", "from:"),
        ("lunch fr", "lunch from:"),
        ("-su", "-subject:"),
        ("unr", "is:unread "),
        ("is:un", "is:unread "),
        ("in:pro", "in:Projects/2024 "),
        ("in:20", "in:Projects/2024 "),
        ("in:my", 'in:"My folder" '),
        ("account:h", "account:home "),
        ("from:a", "from:ada@example.org "),
        ("to:m", "to:me "),
        ("is:sn", "is:snoozed "),
        ("in:sn", "in:snoozed "),
        ("on:last", 'on:"last week" '),
        ('on:"last m', 'on:"last month" '),
        ("larger:5", 'larger:"5 MB" '),
    ],
)
def test_what_is_typed_is_completed(text: str, first: str) -> None:
    assert offered(text)[0] == first


def test_an_empty_prompt_offers_operators() -> None:
    assert offered("")[:3] == ["from:", "to:", "cc:"]
    assert len(offered("")) == MOST


def test_nothing_is_offered_for_what_is_complete() -> None:
    assert offered("is:unread") == []
    assert offered("subject:x") == []
    assert offered("lunch") == []


def test_a_completion_replaces_the_word_at_the_cursor() -> None:
    text = "is:un lunch"
    assert completions(text, 5, KNOWN)[0].applied(text) == ("is:unread  lunch", 10)


def test_people_are_wanted_behind_their_operators_only() -> None:
    assert person_wanted("x from:ad", 9) == "ad"
    assert person_wanted('to:"Ada L', 9) == "Ada L"
    assert person_wanted("subject:ad", 10) == person_wanted("ad", 2) == ""


def test_unknown_folders_and_accounts_are_said() -> None:
    query = parse("in:archiv -account:wrk in:projects in:trash account:HOME in:zzz", NOW).query
    assert unknown_names(query, KNOWN) == [
        "There is no folder “archiv”; did you mean in:archive?",
        "There is no account “wrk”; did you mean account:work?",
        "There is no folder “zzz”.",
    ]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("cafe", "Un Café, CAFÉ au cafeteria", ["Café", "CAFÉ"]),
        ("café*", "cafeteria", ["cafe"]),
        ("日本", "これは日本語メール", ["日本"]),
        ("本", "日本語", ["本"]),
        ('"the engine"', "The  engine-the engines", ["The  engine"]),
        ("ada@example.org", "<Ada@Example.org>", ["Ada@Example.org"]),
        ("-secret a OR b", "a secret b", ["a", "b"]),
        ("from:ada ada2", "ada ada2", ["ada2"]),
        ("cafe", "Cafe\u0301!", ["Cafe\u0301"]),
        ("strasse", "Straße", ["Straße"]),
        ("is:unread", "is unread", []),
        ("(a.*", "a.* aa", ["a", "a"]),
    ],
)
def test_hits_are_where_the_words_stand(query: str, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in hits(parse(query, NOW).query, text)] == found


def test_each_field_has_its_own_hits() -> None:
    query = parse("from:ada subject:lunch x", NOW).query
    assert hits(query, "ada lunch x", Field.FROM) == [(0, 3), (10, 11)]
    assert hits(query, "ada lunch x", Field.SUBJECT) == [(4, 9), (10, 11)]


@given(ODD, st.integers(0, 80))
def test_any_text_is_explained_completed_and_looked_through(text: str, cursor: int) -> None:
    parsed = parse_typed(text, NOW)
    assert "\n" not in explanation(text, cursor, parsed).replace(text, "")
    described(parsed.query)
    unknown_names(parsed.query, KNOWN)
    for one in completions(text, cursor, KNOWN):
        whole, place = one.applied(text)
        assert whole[place - len(one.text) : place] == one.text
    last = 0
    for start, end in hits(parsed.query, text):
        assert last <= start < end <= len(text)
        last = end


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)).split() == fold(text).split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("label:work", "label:job"),
        ("from:ada -LABEL:WORK is:unread", "from:ada -LABEL:job is:unread"),
        ('label:"work" (label:work OR label:home)', "label:job (label:job OR label:home)"),
        ("label:works work labels:work", "label:works work labels:work"),
        ('"label:work" in:work', '"label:work" in:work'),
        ("", ""),
    ],
)
def test_a_query_follows_a_label_that_gets_another_name(text: str, expected: str) -> None:
    assert renamed(text, "label", "work", "job") == expected


def test_a_new_name_with_blanks_is_quoted() -> None:
    assert renamed("label:work x", "label", "Work", "tax (2026)") == 'label:"tax (2026)" x'


@given(ODD)
def test_any_text_without_the_name_stays_as_it_is(text: str) -> None:
    assert renamed(text, "label", "no such label", "x") == text
