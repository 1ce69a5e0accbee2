"""The search language: text as a person types it to a tree of terms."""

from __future__ import annotations

import re
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

TEXT_LIMIT = 2000  # characters of a query that are read
TERMS_LIMIT = 32  # terms of a query that are kept


class Field(Enum):
    """The part of a message a term is looked for in."""

    ANY = "any"
    FROM = "from"
    TO = "to"
    SUBJECT = "subject"


class Match(Enum):
    """How the words of a term must occur in a message."""

    PHRASE = "phrase"
    """As whole words, one after another."""
    PREFIX = "prefix"
    """Like PHRASE, but the last word may go on."""


class Term(Struct, frozen=True):
    """One word or phrase. `text` has at least one letter or digit; it may hold punctuation and spaces."""

    text: str
    field: Field = Field.ANY
    match: Match = Match.PHRASE


class Not(Struct, frozen=True):
    """Messages that `query` does not match."""

    query: Query


class And(Struct, frozen=True):
    """Messages that every one of `queries` matches; every message where there is none."""

    queries: tuple[Query, ...] = ()


class Or(Struct, frozen=True):
    """Messages that at least one of `queries` matches."""

    queries: tuple[Query, ...]


Query: TypeAlias = And | Or | Not | Term

EVERYTHING = And()
"""The query of an empty text: it sets no condition."""

_TOKEN = re.compile(
    r'(?P<minus>-(?=[^\s-]))?(?:(?P<field>from|to|subject):(?=[^\s]))?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))',
    re.IGNORECASE,
)


def parse(text: str) -> Query:
    """Return the query that `text` stands for. Never raises.

    Terms are words and `"quoted phrases"`, all of which must match; `word*` matches words that begin so;
    `from:`, `to:` and `subject:` before a term restrict it to that field; `-` before a term excludes it; `OR` in
    capitals between two terms accepts either of them. Terms without a letter or digit are left out, and so is
    everything beyond 2 000 characters or 32 terms. A text without terms is EVERYTHING. An unknown operator is a word.
    """
    groups: list[list[Query]] = []
    count = 0
    joins = False
    for token in _TOKEN.finditer(_cleaned(text)):
        if token[0] == "OR":
            joins = bool(groups)
            continue
        term = _term(token)
        if term is None:
            continue
        if count == TERMS_LIMIT:
            break
        count += 1
        if joins:
            groups[-1].append(term)
        else:
            groups.append([term])
        joins = False
    queries = [group[0] if len(group) == 1 else Or(tuple(group)) for group in groups]
    return queries[0] if len(queries) == 1 else And(tuple(queries))


def _cleaned(text: str) -> str:
    """Return the text without NUL and lone surrogates, which no store can look for."""
    return text[:TEXT_LIMIT].replace("\0", " ").encode("utf-8", "replace").decode()


def _term(token: re.Match[str]) -> Query | None:
    phrase, word = token["phrase"], token["word"]
    text = phrase if word is None else word.rstrip("*")
    if not any(map(str.isalnum, text)):
        return None
    match = Match.PREFIX if word is not None and word.endswith("*") else Match.PHRASE
    field = Field(token["field"].lower()) if token["field"] else Field.ANY
    term = Term(" ".join(text.split()), field, match)
    return Not(term) if token["minus"] else term
