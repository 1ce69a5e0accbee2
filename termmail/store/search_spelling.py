"""What was meant by a word that no message has: a word of the index that differs by one letter."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from termmail.mail.equal_letters import fold
from termmail.mail.query import And, Match, Or, Term

if TYPE_CHECKING:
    from collections.abc import Iterator

    from termmail.mail.query import Query
    from termmail.store.store import Store

SHORTEST, LONGEST = 4, 30
"""Letters of a word for which others are looked for: nearly every shorter one is like another word."""


def spellings(store: Store, query: Query) -> list[tuple[str, str]]:
    """Return words of a query that no message has, each with the most frequent word that is like it.

    Nothing where the store cannot be written, for the words of the index are read through a temporary table.
    """
    if store.read_only:
        return []
    found: list[tuple[str, str]] = []
    for word, match in _words(query):
        if not _is_known(store, word, match) and (near := _nearest(store, word)):
            found.append((word, near))
    return found


def _words(query: Query) -> Iterator[tuple[str, Match]]:
    """Yield the words that are asked for, folded; not those that are excluded, and no phrases."""
    match query:
        case Term(text=text, match=how):
            word = fold(text).strip().lower()
            if word.isalpha() and SHORTEST <= len(word) <= LONGEST:
                yield word, how
        case And(queries=queries) | Or(queries=queries):
            for one in queries:
                yield from _words(one)


def _is_known(store: Store, word: str, match: Match) -> bool:
    expression = f'"{word}"*' if match is Match.PREFIX else f'"{word}"'
    return bool(store.read("SELECT 1 FROM search WHERE search MATCH ? LIMIT 1", (expression,)))


def _nearest(store: Store, word: str) -> str:
    """Return the most frequent word of the index with one letter more, less, changed or swapped; "" where there is none."""
    store.read("CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_word USING fts5vocab (main, search, row)")
    asked = sorted(_variants(word))
    slots = ", ".join("?" * len(asked))
    sql = f"SELECT term FROM temp.search_word WHERE term IN ({slots}) ORDER BY doc DESC, term LIMIT 1"  # noqa: S608 - slots
    return next((str(term) for (term,) in store.read(sql, asked)), "")


def _variants(word: str) -> set[str]:
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    letters = set(string.ascii_lowercase) | set(word)
    shorter = {before + after[1:] for before, after in splits if after}
    swapped = {before + after[1] + after[0] + after[2:] for before, after in splits if len(after) > 1}
    changed = {before + letter + after[1:] for before, after in splits if after for letter in letters}
    longer = {before + letter + after for before, after in splits for letter in letters}
    return (shorter | swapped | changed | longer) - {word}
