"""A query as alternatives, each of them conditions that must all hold: what a store answers one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.query import And, Has, InAccount, Is, Mark, Mine, Not, Or, Term

if TYPE_CHECKING:
    from termmail.mail.query import Query

MOST = 12
"""Alternatives of a query, at most; an `OR` that would make more stays one condition."""

_OPPOSITES = {Mark.UNREAD: Mark.READ, Mark.READ: Mark.UNREAD}


def is_of_words(query: Query) -> bool:
    """Return whether a query asks only for what never changes of a message: words, contents, its account."""
    match query:
        case Term() | Mine() | Has() | InAccount():
            return True
        case Not(query=inner):
            return is_of_words(inner)
        case And(queries=queries) | Or(queries=queries):
            return bool(queries) and all(map(is_of_words, queries))
    return False


def alternatives(query: Query) -> list[list[Query]]:
    """Return the ways in which a message can match: all conditions of at least one of them hold.

    An `OR` between words only is one condition.
    """
    found: list[list[Query]] = [[]]
    for part in _conditions(_positive(query, negated=False)):
        ways = _ways(part)
        if len(found) * len(ways) > MOST:
            ways = [[part]]
        found = [[*one, *way] for one in found for way in ways]
    return found


def _ways(part: Query) -> list[list[Query]]:
    if not isinstance(part, Or) or is_of_words(part):
        return [[part]]
    words = tuple(one for one in part.queries if is_of_words(one))
    others = dict.fromkeys(one for one in part.queries if not is_of_words(one))
    joined = [[words[0] if len(words) == 1 else Or(words)]] if words else []
    return joined + [way for one in others for way in alternatives(one)]


def _conditions(query: Query) -> list[Query]:
    if isinstance(query, And) and query.queries:
        return [part for one in query.queries for part in _conditions(one)]
    return [query]


def _positive(query: Query, *, negated: bool) -> Query:
    """Return a query in which only words and single conditions are excluded."""
    match query:
        case Not(query=inner):
            return _positive(inner, negated=not negated)
        case And(queries=queries) | Or(queries=queries) if queries and not is_of_words(query):
            parts = tuple(_positive(one, negated=negated) for one in queries)
            return And(parts) if isinstance(query, And) != negated else Or(parts)
        case Is(mark=mark) if negated and mark in _OPPOSITES:
            return Is(_OPPOSITES[mark])
    return Not(query) if negated else query
