"""What a typed search means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.query import EVERYTHING, TERMS_LIMIT, TEXT_LIMIT, And, Field, Match, Not, Or, Query, Term, parse

A, B, C = Term("a"), Term("b"), Term("c")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EVERYTHING),
        ("  !!! ---  from: ", Term("from:")),
        ("!!! ---", EVERYTHING),
        ("engine", Term("engine")),
        ("a b c", And((A, B, C))),
        ('"the engine"', Term("the engine")),
        ('"the   engine', Term("the engine")),
        ('"a"b', And((A, B))),
        ("weav*", Term("weav", match=Match.PREFIX)),
        ("weav***", Term("weav", match=Match.PREFIX)),
        ('"weav*"', Term("weav*")),
        ("from:ada", Term("ada", Field.FROM)),
        ("FROM:ada*", Term("ada", Field.FROM, Match.PREFIX)),
        ('to:"Ada L"', Term("Ada L", Field.TO)),
        ("subject:plain x", And((Term("plain", Field.SUBJECT), Term("x")))),
        ("from: a", And((Term("from:"), A))),
        ("is:unread a", And((Term("is:unread"), A))),
        ("-a b", And((Not(A), B))),
        ("-from:a", Not(Term("a", Field.FROM))),
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
        ("a AND b", And((A, Term("AND"), B))),
        ("日本* ü", And((Term("日本", match=Match.PREFIX), Term("ü")))),
    ],
)
def test_queries_mean_what_they_say(text: str, query: Query) -> None:
    assert parse(text) == query


def test_a_query_is_bounded() -> None:
    query = parse("a " * 500)
    assert isinstance(query, And)
    assert len(query.queries) == TERMS_LIMIT
    assert parse("x" * 10_000) == Term("x" * TEXT_LIMIT)


@given(
    st.one_of(
        st.text(max_size=60),
        st.text("\"*:()-+^{}, \x00\\abfromtsubjectANDORNEAR'", max_size=60),
        st.text(st.characters(codec=None, exclude_categories=()), max_size=30),
    )
)
def test_nothing_one_can_type_is_an_error(text: str) -> None:
    pending = [parse(text)]
    while pending:
        query = pending.pop()
        if isinstance(query, Not):
            pending.append(query.query)
        elif isinstance(query, Term):
            assert any(map(str.isalnum, query.text))
            query.text.encode()
            assert "\0" not in query.text
        else:
            pending += query.queries
