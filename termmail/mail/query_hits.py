"""Where a text holds what a query looks for, to highlight it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from termmail.mail import query as language
from termmail.mail.equal_letters import fold
from termmail.mail.query import Field, Match

if TYPE_CHECKING:
    from termmail.mail.query import Query, Term

TEXT_LIMIT = 20_000  # characters of one text that are looked through
_WORD = re.compile(r"[^\W_]+")
_GAP = r"[\W_]+"

_HEARD = {
    Field.ANY: set(Field),
    Field.FROM: {Field.ANY, Field.FROM},
    Field.TO: {Field.ANY, Field.TO, Field.CC},
    Field.SUBJECT: {Field.ANY, Field.SUBJECT},
    Field.BODY: {Field.ANY, Field.BODY, Field.FILENAME},
}


def hits(query: Query, text: str, field: Field = Field.BODY) -> list[tuple[int, int]]:
    """Return the stretches (start, end) of a text from this field that a query looks for, in order, never overlapping.

    Field.ANY is a text that holds several fields.
    What the query excludes is not among them. Letters are equal as in `equal_letters.fold`. Beyond TEXT_LIMIT characters
    nothing is looked for.
    """
    pattern = _pattern(query, field)
    if pattern is None:
        return []
    folded, places = _with_places(text[:TEXT_LIMIT])
    found = [(match.start(), match.end()) for match in pattern.finditer(folded)]
    if places is None:
        return found
    places.append(min(len(text), TEXT_LIMIT))
    # Accents that stand alone behind a letter belong to it.
    return [(places[start], max(places[end - 1] + 1, places[end])) for start, end in found]


@lru_cache(64)
def _pattern(query: Query, field: Field) -> re.Pattern[str] | None:
    """Return one pattern for all terms that may stand in this field; None where there is none."""
    wanted = (term for term in language.terms(query) if term.field in _HEARD.get(field, {Field.ANY, field}))
    parts = sorted(filter(None, map(_expression, wanted)), key=len, reverse=True)
    return re.compile("|".join(dict.fromkeys(parts)), re.IGNORECASE) if parts else None


def _expression(term: Term) -> str:
    """Return a term as an expression for folded text."""
    words = _WORD.findall(fold(term.text).lower())
    if not words:
        return ""
    end = "" if term.match is not Match.PHRASE else r"(?![^\W_])"
    return rf"(?<![^\W_]){_GAP.join(map(re.escape, words))}{end}"


def _with_places(text: str) -> tuple[str, list[int] | None]:
    """Return a text folded, and the place of each of its letters in `text` (None: they are the same)."""
    if text.isascii():
        return text, None
    pieces: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        folded = letter if letter.isascii() else fold(letter)
        pieces.append(folded)
        places += [place] * len(folded)
    return "".join(pieces), places
