"""The search language: text as a person types it to a tree of conditions, and what is wrong with it in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from termmail.mail import query_dates
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
    Labelled,
    Mark,
    Match,
    MessageId,
    Mine,
    Not,
    Or,
    Query,
    Sized,
    Term,
)
from termmail.mail.query_operators import (
    CHOICES,
    FIELDS,
    ME,
    NO_OPERATORS,
    OF_PEOPLE,
    OPERATORS,
    OTHER_WORDS,
    SNOOZED,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.mail.query_operators import Operator

TEXT_LIMIT = 2000  # characters of a query that are read
TERMS_LIMIT = 64  # conditions of a query that are kept
DEPTH_LIMIT = 6  # parentheses inside one another that are read: the parsers of SQLite end at about ten
LARGEST_SIZE = 1 << 60  # bytes


class Parsed(Struct, frozen=True):
    """What a text stands for. `problems` are sentences on what in it was not understood: that sets no condition."""

    query: Query = EVERYTHING
    problems: tuple[str, ...] = ()


_NAME = re.compile(r"([A-Za-z][A-Za-z_-]{0,30}):(.*)", re.DOTALL)
_TOKEN = re.compile(r'(?P<minus>-(?=[^\s)-]))|(?P<paren>[()])|"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"()]+)')
_SIZE = re.compile(r"(\d{1,15}(?:[.,]\d{1,6})?)\s*(b|k|kb|kib|m|mb|mib|g|gb|gib)?\Z", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_DATE_WORDS = 4
_OPEN_WORD = re.compile(r"(?:[^\W_]{3}|[^\x00-\x7f])\Z")
"""The end of a word that may go on: nearly everything begins with one or two letters."""
_START = re.compile(r"[^\W_]{1,2}\Z")


def parse(text: str, now: int, me: Sequence[str] = ()) -> Parsed:
    """Return the query that `text` stands for, and what in it was not understood. Never raises.

    Terms are words and `"quoted phrases"`, all of which must match; `word*` matches words that begin so. An operator
    (`OPERATORS`) before a term restricts it, `from:(ada OR bob)` several. `-` before a term or a group excludes it; `OR`
    in capitals between two accepts either of them and binds first; parentheses group. Dates (`query_dates`) are relative
    to `now` (UTC seconds), in local time. `me` are the user's own addresses, for `to:me`. Terms without a letter or digit
    are left out. A text without conditions is EVERYTHING. An unknown operator is a word, and a problem.
    """
    return _Parser(text, now, me).parsed()


def parse_typed(text: str, now: int, me: Sequence[str] = ()) -> Parsed:
    """Return what `parse` returns for a text that is still being typed: its last word may be the beginning of one.

    One or two letters, with which nearly every text has a word, are looked for in subject and sender only.
    """
    parsed = _Parser(text, now, me).parsed()
    if not text or not text[-1].isalnum():
        return parsed
    return replace(parsed, query=_last_open(parsed.query))


def as_typed(text: str, now: int, me: Sequence[str] = ()) -> str:
    """Return `text` so that `parse` reads it as `parse_typed` does: with a `*` where its last word may go on."""
    if not text or not text[-1].isalnum():
        return text
    going_on = f"{text}*"
    return going_on if parse(going_on, now, me).query == parse_typed(text, now, me).query else text


def _last_open(query: Query) -> Query:
    """Let the last word of a query go on."""
    match query:
        case Term(text=text, match=Match.PHRASE) if _OPEN_WORD.search(text):
            return replace(query, match=Match.PREFIX)
        case Term(text=text, field=Field.ANY | Field.FROM | Field.SUBJECT, match=Match.PHRASE) if _START.match(text):
            return replace(query, match=Match.START)
        case And(queries=(*first, last)) | Or(queries=(*first, last)):
            return type(query)((*first, _last_open(last)))
        case Not(query=inner):
            return Not(_last_open(inner))
    return query


class _Token(Struct, frozen=True):
    """A piece of the text. `glued`: it follows the one before without a blank."""

    kind: str
    text: str
    glued: bool


class _Parser:
    """Reads one text from left to right."""

    def __init__(self, text: str, now: int, me: Sequence[str]) -> None:
        self._now = now
        self._me = tuple(me)
        self._problems: list[str] = []
        self._count = 0
        if len(text) > TEXT_LIMIT:
            self._problems.append(f"Only the first {TEXT_LIMIT} characters are searched for.")
        self._tokens = _tokens(_cleaned(text))
        self._place = 0

    def parsed(self) -> Parsed:
        """Read all of it."""
        queries: list[Query] = []
        while self._place < len(self._tokens):
            queries += self._sequence(Field.ANY, 0)
            self._place += 1  # a parenthesis that closes nothing
        return Parsed(_all_of(queries), tuple(dict.fromkeys(self._problems)))

    def _next(self) -> _Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _sequence(self, field: Field, depth: int) -> list[Query]:
        """Read up to the end, or to a closing parenthesis, which is left."""
        groups: list[list[Query]] = []
        joins = negated = False
        while (token := self._next()) is not None and token.text != ")":
            self._place += 1
            if token.kind == "minus" or (token.kind == "word" and token.text == "NOT"):
                negated = not negated
                continue
            if token.kind == "word" and token.text in {"AND", "OR"}:
                joins = token.text == "OR" and bool(groups)
                continue
            found = (
                self._group(field, depth)
                if token.text == "(" and token.kind == "paren"
                else self._one(token, field, depth)
            )
            if found is not None:
                found = Not(found) if negated else found
                if joins:
                    groups[-1].append(found)
                else:
                    groups.append([found])
                joins = False
            negated = False
        return [group[0] if len(group) == 1 else Or(tuple(group)) for group in groups]

    def _group(self, field: Field, depth: int) -> Query | None:
        """Read what follows an opening parenthesis, and the one that closes it."""
        if depth == DEPTH_LIMIT:
            self._problems.append(f"Parentheses can stand {DEPTH_LIMIT} deep inside one another.")
            return None
        found = self._sequence(field, depth + 1)
        self._place += 1
        return _all_of(found) if found else None

    def _one(self, token: _Token, field: Field, depth: int) -> Query | None:
        """Read a phrase, a word or an operator with its value."""
        if token.kind == "word" and (named := _NAME.match(token.text)):
            name = named[1].lower()
            if name in OPERATORS:
                return self._operator(OPERATORS[name], named[2], depth)
            self._unknown(name, named[2])
        return self._term(token, field)

    def _term(self, token: _Token, field: Field) -> Query | None:
        text = token.text if token.kind == "phrase" else token.text.rstrip("*")
        if not any(map(str.isalnum, text)):
            return None
        if token.kind == "word" and token.text.lower() == ME and field.value in OF_PEOPLE:
            return self._counted(Mine(field, self._me))
        prefix = token.kind == "word" and token.text.endswith("*")
        return self._counted(Term(" ".join(text.split()), field, Match.PREFIX if prefix else Match.PHRASE))

    def _counted(self, query: Query) -> Query | None:
        """Return the condition while there are not too many of them."""
        self._count += 1
        if self._count <= TERMS_LIMIT:
            return query
        self._problems.append(f"Only the first {TERMS_LIMIT} conditions are searched for.")
        return None

    def _operator(self, operator: Operator, rest: str, depth: int) -> Query | None:
        following = self._next()
        if not rest and following is not None and following.text == "(" and following.kind == "paren":
            if operator.name in FIELDS:
                self._place += 1
                return self._group(FIELDS[operator.name], depth)
            self._needs(operator)
            return None
        value = _Token("word", rest, glued=True) if rest else self._value()
        if value is None or (operator.value is not Value.WORDS and not value.text.strip()):
            self._needs(operator)
            return None
        match operator.value:
            case Value.WORDS:
                if (found := self._term(value, FIELDS[operator.name])) is None:
                    self._needs(operator)
                return found
            case Value.DATE:
                return self._date(operator, value)
            case Value.SIZE:
                return self._size(operator, value)
            case Value.CHOICE:
                return self._choice(operator, value.text.lower())
            case Value.NAME:
                if operator.name == "in" and value.kind == "word" and value.text.lower() == SNOOZED:
                    return self._counted(Is(Mark.SNOOZED))
                return self._counted(_named(operator.name, value.text.strip()))

    def _value(self) -> _Token | None:
        """Return the word or phrase that follows an operator, also after a blank; None where something else follows."""
        token = self._next()
        if token is None or token.kind not in {"word", "phrase"}:
            return None
        if token.kind == "word" and (token.text in {"OR", "AND", "NOT"} or _is_operator(token.text)):
            return None
        self._place += 1
        return token

    def _more_words(self, most: int) -> list[str]:
        """Return the plain words that follow, at most so many, without passing them."""
        found: list[str] = []
        for token in self._tokens[self._place : self._place + most]:
            if token.kind != "word" or token.text in {"OR", "AND", "NOT"} or _is_operator(token.text):
                break
            found.append(token.text)
        return found

    def _date(self, operator: Operator, value: _Token) -> Query | None:
        words = [value.text, *(self._more_words(_DATE_WORDS - 1) if value.kind == "word" else ())]
        for count in range(len(words), 0, -1):
            if (span := query_dates.span(" ".join(words[:count]), self._now)) is not None:
                self._place += count - 1
                since, until = span
                found = {"before": Dated(until=since), "after": Dated(since=since), "on": Dated(since, until)}
                return self._counted(found[operator.name])
        self._needs(operator, value.text)
        return None

    def _size(self, operator: Operator, value: _Token) -> Query | None:
        words = [value.text, *(self._more_words(1) if value.kind == "word" else ())]
        for count in range(len(words), 0, -1):
            if (size := _bytes(" ".join(words[:count]))) is not None:
                self._place += count - 1
                return self._counted(Sized(larger=size) if operator.name == "larger" else Sized(smaller=size))
        self._needs(operator, value.text)
        return None

    def _choice(self, operator: Operator, value: str) -> Query | None:
        value = CHOICES.get(value, value)
        if value in operator.choices:
            return self._counted(Is(Mark(value)) if operator.name == "is" else Has(Content(value)))
        near = nearest(value, operator.choices)
        meant = f"Did you mean {operator.name}:{near}? " if near else ""
        wanted = f"“{operator.name}:” takes {_either(operator.choices)}, not “{_short(value)}”."
        self._problems.append(meant + wanted)
        return None

    def _needs(self, operator: Operator, value: str = "") -> None:
        name = operator.name
        given = f"“{_short(value)}” is not a {operator.value.value}. " if value else ""
        match operator.value:
            case Value.DATE:
                words = f"{given}“{name}:” takes a date, such as 3 dec, 2024-11-30 or last week."
            case Value.SIZE:
                words = f"{given}“{name}:” takes a size, such as 10k or 5 MB."
            case Value.CHOICE:
                words = f"“{name}:” takes {_either(operator.choices)}."
            case Value.WORDS:
                words = f"“{name}:” takes words, such as {name}:{operator.example}."
            case Value.NAME:
                words = f"“{name}:” takes a name, such as {name}:{operator.example}."
        self._problems.append(words)

    def _unknown(self, name: str, value: str) -> None:
        near = OTHER_WORDS.get(name) or nearest(name, OPERATORS)
        if name in NO_OPERATORS or value.startswith("//") or not (value or near):
            return
        hint = f"did you mean {near}:?" if near else f'"{_short(f"{name}:{value}")}" in quotes looks for it as it is.'
        self._problems.append(f"There is no operator “{name}:”; {hint}")


def _cleaned(text: str) -> str:
    """Return the text without NUL and lone surrogates, which no store can look for."""
    return text[:TEXT_LIMIT].replace("\0", " ").encode("utf-8", "replace").decode()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    end = -1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind], match.start() == end))
        end = match.end()
    return found


def _all_of(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else And(tuple(queries))


def _named(operator: str, name: str) -> Query:
    match operator:
        case "in":
            return InFolder(name)
        case "account":
            return InAccount(name)
        case "label":
            return Labelled(name)
    return MessageId(name.strip("<>"))


def _is_operator(word: str) -> bool:
    named = _NAME.match(word)
    return named is not None and named[1].lower() in OPERATORS


def _bytes(text: str) -> int | None:
    """Return a size as people write it in bytes: 10k is 10 000. None where it is none."""
    match = _SIZE.match(text.strip())
    if match is None:
        return None
    unit = _UNITS[(match[2] or "").lower()[:1]]
    return min(int(float(match[1].replace(",", ".")) * unit), LARGEST_SIZE)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like this one, or ""."""
    import difflib  # noqa: PLC0415 - only for what is mistyped

    near = difflib.get_close_matches(word[:40], list(known), n=1, cutoff=0.6)
    return str(near[0]) if near else ""


def _either(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
