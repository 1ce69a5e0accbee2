"""What can be typed next in a query, what its words mean so far, and what in it does not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.mail.query import (
    EVERYTHING,
    And,
    InAccount,
    InFolder,
    Labelled,
    Not,
    Or,
)
from termmail.mail.query_description import described, shortened
from termmail.mail.query_operators import ME, OF_PEOPLE, OPERATORS, ROLE_WORDS, Value
from termmail.mail.query_parser import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from termmail.mail.message import Address
    from termmail.mail.query import Query
    from termmail.mail.query_operators import Operator
    from termmail.mail.query_parser import Parsed

DATE_WORDS = (
    "today",
    "yesterday",
    "this week",
    "last week",
    "this month",
    "last month",
    "this year",
    "last year",
    "7d",
)
SIZE_WORDS = ("100k", "1 MB", "5 MB", "10 MB")
MOST = 6
"""Completions that are offered, at most."""

_TOKEN = re.compile(r'-?(?:(?P<name>[A-Za-z][A-Za-z_-]*):)?(?P<value>"[^"]*"?|[^\s"()]*)')


class Known(Struct, frozen=True):
    """The names that a query may hold. `people` are those that match what is being typed."""

    folders: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    people: tuple[Address, ...] = ()
    labels: tuple[str, ...] = ()


class Completion(Struct, frozen=True):
    """What may be meant: `text` in place of the characters from `start` to `end`; `shown` is how it is offered."""

    start: int
    end: int
    text: str
    shown: str

    def applied(self, typed: str) -> tuple[str, int]:
        """Return the whole text with this completion, and the place of the cursor behind it."""
        return f"{typed[: self.start]}{self.text}{typed[self.end :]}", self.start + len(self.text)


def at_cursor(text: str, cursor: int) -> tuple[Operator | None, str, int, int]:
    """Return the operator and the value in front of the cursor, and where that value begins and ends.

    A word that belongs to no operator is a value without one.
    """
    place, cursor = 0, min(cursor, len(text))
    while place < cursor:
        match = _TOKEN.match(text, place)
        if match is None or match.end() == place:
            place += 1
            continue
        if match.end() >= cursor:
            operator = OPERATORS.get((match["name"] or "").lower())
            start = match.start("value") if operator or not match["name"] else match.start()
            return operator, text[start:cursor], start, match.end()
        place = match.end()
    return None, "", cursor, cursor


def person_wanted(text: str, cursor: int) -> str:
    """Return the beginning of the name of a person that is being typed, or ""."""
    operator, value, _start, _end = at_cursor(text, cursor)
    return value.strip('"') if operator is not None and operator.name in OF_PEOPLE else ""


def completions(text: str, cursor: int, known: Known) -> list[Completion]:
    """Return what can be typed at the cursor, the likeliest first: operators, their values, names."""
    operator, value, start, end = at_cursor(text, cursor)
    found: list[Completion] = []
    for offered, shown in _offers(operator, value.strip('"').casefold(), known):
        if offered.casefold() != value.casefold():
            end_mark = "" if offered.endswith(":") else " "
            found.append(Completion(start, end, offered + end_mark, shown))
        if len(found) == MOST:
            break
    return found


def _offers(operator: Operator | None, typed: str, known: Known) -> Iterator[tuple[str, str]]:
    if operator is None:
        for one in OPERATORS.values():
            if one.name.startswith(typed):
                yield f"{one.name}:", f"{one.name}:"
        for one in OPERATORS.values():
            for choice in one.choices:
                if typed and choice.startswith(typed):
                    yield f"{one.name}:{choice}", f"{one.name}:{choice}"
        return
    if operator.name in OF_PEOPLE:
        if ME.startswith(typed):
            yield ME, "me"
        for person in known.people:
            yield person.email, f"{person.name} <{person.email}>" if person.name else person.email
        return
    for value in _values(operator, known):
        if value.casefold().startswith(typed) or any(part.startswith(typed) for part in value.casefold().split("/")):
            yield _quoted(value), value


def _values(operator: Operator, known: Known) -> Iterable[str]:
    match operator.value:
        case Value.CHOICE:
            return operator.choices
        case Value.DATE:
            return DATE_WORDS
        case Value.SIZE:
            return SIZE_WORDS
    if operator.name == "in":
        own = [one for one in known.folders if one.casefold() not in ROLE_WORDS]
        return dict.fromkeys((*(word for word in ROLE_WORDS if word != "junk"), *own))
    if operator.name == "label":
        return known.labels
    return known.accounts if operator.name == "account" else ()


def _quoted(name: str) -> str:
    return f'"{name}"' if re.search(r"[\s()]", name) else name


def renamed(text: str, operator: str, before: str, after: str) -> str:
    """Return a query in which `operator` asks for the name `after` where it asked for `before`, in any case of letters."""

    def put(match: re.Match[str]) -> str:
        if (match["name"] or "").lower() != operator or match["value"].strip('"').casefold() != before.casefold():
            return match[0]
        return match[0][: match.start("value") - match.start()] + _quoted(after)

    return _TOKEN.sub(put, text)


# -- in words


def explanation(text: str, cursor: int, parsed: Parsed) -> str:
    """Return one line on a query that is being typed: what its operator takes, what is wrong with it, or what it finds."""
    operator, value, _start, _end = at_cursor(text, cursor)
    if operator is not None and not value.strip('"'):
        return f"{operator.name}: finds messages {operator.finds}, such as {operator.name}:{_quoted(operator.example)}"
    if parsed.problems:
        return parsed.problems[0]
    return "" if parsed.query == EVERYTHING else f"Messages {described(parsed.query)}"


def unknown_names(query: Query, known: Known) -> list[str]:
    """Return a sentence for each folder, account and label that a query names and that does not exist."""
    problems: list[str] = []
    for one in _leaves(query):
        if isinstance(one, InFolder) and not _is_folder(one.name, known.folders):
            near = nearest(one.name, (*known.folders, *ROLE_WORDS))
            problems.append(f"There is no folder “{shortened(one.name)}”{_hint('in', near)}")
        elif isinstance(one, InAccount) and one.name.casefold() not in map(str.casefold, known.accounts):
            near = nearest(one.name, known.accounts)
            problems.append(f"There is no account “{shortened(one.name)}”{_hint('account', near)}")
        elif isinstance(one, Labelled) and one.name.casefold() not in map(str.casefold, known.labels):
            near = nearest(one.name, known.labels)
            problems.append(f"There is no label “{shortened(one.name)}”{_hint('label', near)}")
    return list(dict.fromkeys(problems))


def _hint(operator: str, near: str) -> str:
    return f"; did you mean {operator}:{_quoted(near)}?" if near else "."


def _is_folder(name: str, folders: Sequence[str]) -> bool:
    wanted = name.casefold()
    return wanted in ROLE_WORDS or any(
        one == wanted or one.startswith(f"{wanted}/") for one in map(str.casefold, folders)
    )


def _leaves(query: Query) -> Iterator[Query]:
    match query:
        case And(queries=queries) | Or(queries=queries):
            for one in queries:
                yield from _leaves(one)
        case Not(query=inner):
            yield from _leaves(inner)
        case _:
            yield query
