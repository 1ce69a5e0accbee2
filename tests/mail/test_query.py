"""What a typed search means, and what is said of what was not understood."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.query import (
    EVERYTHING,
    And,
    Content,
    Dated,
    Field,
    Has,
    InAccount,
    InFolder,
    Is,
    Mark,
    Match,
    MessageId,
    Mine,
    Not,
    Or,
    Query,
    Sized,
    Term,
    folders,
    needs_bodies,
    terms,
)
from termmail.mail.query_operators import OPERATORS
from termmail.mail.query_parser import TERMS_LIMIT, TEXT_LIMIT, Parsed, as_typed, parse, parse_typed
from tests.timing import assert_soon

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = ("ada@example.org", "lady@example.org")
A, B, C = Term("a"), Term("b"), Term("c")
NOW = 1_772_500_000
"""2026-03-03 01:06:40 UTC."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EVERYTHING),
        ("!!! ---", EVERYTHING),
        ("engine", Term("engine")),
        ("a b c", And((A, B, C))),
        ("a AND b", And((A, B))),
        ('"the engine"', Term("the engine")),
        ('"the   engine', Term("the engine")),
        ('"a"b', And((A, B))),
        ("weav*", Term("weav", match=Match.PREFIX)),
        ("to:Me", Mine(Field.TO, ME)),
        ("from:(me OR a)", Or((Mine(Field.FROM, ME), Term("a", Field.FROM)))),
        ('cc:"me"', Term("me", Field.CC)),
        ("subject:me", Term("me", Field.SUBJECT)),
        ("me", Term("me")),
        ("in:Snoozed", Is(Mark.SNOOZED)),
        ('in:"Snoozed"', InFolder("Snoozed")),
        ("is:labeled -is:mute", And((Is(Mark.LABELLED), Not(Is(Mark.MUTED))))),
        ("weav***", Term("weav", match=Match.PREFIX)),
        ('"weav*"', Term("weav*")),
        ("日本* ü", And((Term("日本", match=Match.PREFIX), Term("ü")))),
        ("-a b", And((Not(A), B))),
        ("NOT a b", And((Not(A), B))),
        ("a-b - --c", And((Term("a-b"), Term("--c")))),
        ('"-a"', Term("-a")),
        ("a OR b c", And((Or((A, B)), C))),
        ("a OR b OR c", Or((A, B, C))),
        ("a OR -b", Or((A, Not(B)))),
        ("OR a OR", A),
        ("a OR OR b", Or((A, B))),
        ("a or b", And((A, Term("or"), B))),
        ('a "OR" b', And((A, Term("OR"), B))),
        ("a OR ! b", Or((A, B))),
        ("(a b) OR c", Or((And((A, B)), C))),
        ("-(a OR b) c", And((Not(Or((A, B))), C))),
        ("((a)", A),
        ("a) b", And((A, B))),
        ("() a", A),
        ("a(b)", And((A, B))),
        ("from:ada", Term("ada", Field.FROM)),
        ("FROM:ada*", Term("ada", Field.FROM, Match.PREFIX)),
        ("from: ada", Term("ada", Field.FROM)),
        ('to:"Ada L"', Term("Ada L", Field.TO)),
        ("-cc:a", Not(Term("a", Field.CC))),
        ("subject:re: x", And((Term("re:", Field.SUBJECT), Term("x")))),
        ("from:(a OR b) c", And((Or((Term("a", Field.FROM), Term("b", Field.FROM))), C))),
        ("from:(a subject:b)", And((Term("a", Field.FROM), Term("b", Field.SUBJECT)))),
        ("body:a list:b filename:c", And((Term("a", Field.BODY), Term("b", Field.LIST), Term("c", Field.FILENAME)))),
        ("id:<m1@example.org>", MessageId("m1@example.org")),
        ('in:"My folder"', InFolder("My folder")),
        ("account:work", InAccount("work")),
        ("is:unread -is:STARRED", And((Is(Mark.UNREAD), Not(Is(Mark.STARRED))))),
        ("has:attachments has:link", And((Has(Content.ATTACHMENT), Has(Content.LINK)))),
        ("larger:10k", Sized(larger=10_000)),
        ("smaller: 5 MB a", And((Sized(smaller=5_000_000), A))),
        ("larger:1.5m", Sized(larger=1_500_000)),
        ("after:2026-03-01", Dated(since=1_772_323_200)),
        ("before:3 dec a", And((Dated(until=1_764_720_000), A))),
        ('on:"last week"', Dated(1_771_804_800, 1_772_409_600)),
        ("on:last week", Dated(1_771_804_800, 1_772_409_600)),
        ("after: 7d is:read", And((Dated(since=1_771_891_200), Is(Mark.READ)))),
        ("http://example.org Re:x", And((Term("http://example.org"), Term("Re:x")))),
        ("10:30", Term("10:30")),
    ],
)
def test_queries_mean_what_they_say(text: str, query: Query) -> None:
    assert parse(text, NOW, ME) == Parsed(query)


@pytest.mark.parametrize(
    ("text", "query", "problem"),
    [
        ("form:ada", Term("form:ada"), "There is no operator “form:”; did you mean from:?"),
        ("since:x", Term("since:x"), "There is no operator “since:”; did you mean after:?"),
        ("subjct:x", Term("subjct:x"), "There is no operator “subjct:”; did you mean subject:?"),
        ("zzz:x", Term("zzz:x"), 'There is no operator “zzz:”; "zzz:x" in quotes looks for it as it is.'),
        ("before:foo a", A, "“foo” is not a date. “before:” takes a date, such as 3 dec, 2024-11-30 or last week."),
        ("on:99999", EVERYTHING, "“99999” is not a date. “on:” takes a date, such as 3 dec, 2024-11-30 or last week."),
        ("after:", EVERYTHING, "“after:” takes a date, such as 3 dec, 2024-11-30 or last week."),
        ("larger:big", EVERYTHING, "“big” is not a size. “larger:” takes a size, such as 10k or 5 MB."),
        ("from:", EVERYTHING, "“from:” takes words, such as from:ada."),
        ("from: -a", Not(A), "“from:” takes words, such as from:ada."),
        ("in: from:a", Term("a", Field.FROM), "“in:” takes a name, such as in:archive."),
        ("is:(a)", A, "“is:” takes unread, read, starred, answered, forwarded, labelled, snoozed or muted."),
        (
            "is:unraed",
            EVERYTHING,
            "Did you mean is:unread? “is:” takes unread, read, starred, answered, forwarded, labelled, snoozed or muted, not “unraed”.",
        ),
        ("has:money", EVERYTHING, "“has:” takes attachment, invite or link, not “money”."),
    ],
)
def test_what_is_not_understood_is_said_and_sets_no_condition(text: str, query: Query, problem: str) -> None:
    assert parse(text, NOW) == Parsed(query, (problem,))


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_the_example_of_each_operator_is_understood(operator) -> None:
    assert parse(f"{operator.name}:{operator.example}", NOW).problems == ()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("lun", Term("lun", match=Match.PREFIX)),
        ("lu", Term("lu", match=Match.START)),
        ("from:z", Term("z", Field.FROM, Match.START)),
        ("to:z", Term("z", Field.TO)),
        ('abc "l', And((Term("abc"), Term("l", match=Match.START)))),
        ("a.b", Term("a.b")),
        ("日", Term("日", match=Match.PREFIX)),
        ("lun ", Term("lun")),
        ("a from:ada", And((A, Term("ada", Field.FROM, Match.PREFIX)))),
        ("-lun", Not(Term("lun", match=Match.PREFIX))),
        ("is:unread", Is(Mark.UNREAD)),
        ("abc larger:10k", And((Term("abc"), Sized(larger=10_000)))),
        ('"abc', Term("abc", match=Match.PREFIX)),
        ("abc OR def", Or((Term("abc"), Term("def", match=Match.PREFIX)))),
    ],
)
def test_the_last_word_of_a_text_that_is_typed_may_go_on(text: str, query: Query) -> None:
    assert parse_typed(text, NOW).query == query


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lun", "lun*"),
        ("from:ada -lun", "from:ada -lun*"),
        ("from:ada lun ", "from:ada lun "),
        ("lun*", "lun*"),
        ('"the lun"', '"the lun"'),
        ("lu", "lu"),  # a beginning so short is looked for in fewer fields than a word
        ("is:unread", "is:unread"),
        ("before:2020", "before:2020"),
        ("larger:10k", "larger:10k"),
        ("", ""),
    ],
)
def test_words_that_are_kept_find_what_they_found_while_they_were_typed(text: str, words: str) -> None:
    assert as_typed(text, NOW) == words
    assert words == text or parse(words, NOW).query == parse_typed(text, NOW).query


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("loom", True),
        ("from:ada -body:loom", True),
        ("from:ada OR has:link", True),
        ("filename:pdf", True),
        ("from:ada subject:loom is:unread", False),
        ("on:march in:inbox larger:1m", False),
        ("", False),
    ],
)
def test_what_needs_whole_messages_is_told_from_what_headers_answer(text: str, needs: bool) -> None:
    assert needs_bodies(parse(text, NOW).query) == needs


def test_a_query_is_bounded_and_says_so() -> None:
    parsed = parse("a " * 500, NOW)
    assert isinstance(parsed.query, And)
    assert len(parsed.query.queries) == TERMS_LIMIT
    assert parsed.problems == (f"Only the first {TERMS_LIMIT} conditions are searched for.",)
    assert parse("x" * 10_000, NOW) == Parsed(
        Term("x" * TEXT_LIMIT), (f"Only the first {TEXT_LIMIT} characters are searched for.",)
    )
    deep = parse("(" * 1000 + "a" + ")" * 999, NOW)
    assert deep.problems == ("Parentheses can stand 6 deep inside one another.",)
    assert deep.query == A


def test_terms_and_folders_that_are_excluded_are_not_asked_for() -> None:
    query = parse("a (b OR -c) -(in:trash d) in:archive", NOW).query
    assert terms(query) == [A, B]
    assert folders(query) == ["archive"]


@pytest.mark.parametrize(
    "text",
    ["(" * 100_000, "-" * 100_000, "from:" * 50_000, '"' * 99_999, "a(" * 50_000, "on:" + "9" * 100_000, ":" * 100_000],
)
def test_endless_queries_are_read_quickly(text: str) -> None:
    assert_soon(lambda: parse(text, NOW), 0.5)


ODD = st.one_of(
    st.text(max_size=60),
    st.text("\"*:()-+^{}, \x00\\abfromtsubjectANDORNEAR'", max_size=60),
    st.text(st.characters(codec=None, exclude_categories=()), max_size=30),
    st.lists(
        st.sampled_from(
            [*(f"{name}:" for name in OPERATORS), "a", "(", ")", "-", " ", '"', "OR", "last", "week", "3", "dec"]
        ),
        max_size=30,
    ).map("".join),
)


@given(ODD, st.integers(-(1 << 70), 1 << 70))
def test_nothing_one_can_type_is_an_error(text: str, now: int) -> None:
    pending = [parse(text, now).query, parse_typed(text, now).query]
    while pending:
        query = pending.pop()
        if isinstance(query, Not):
            pending.append(query.query)
        elif isinstance(query, And | Or):
            pending += query.queries
        elif isinstance(query, Term):
            assert any(map(str.isalnum, query.text))
            query.text.encode()
            assert "\0" not in query.text
