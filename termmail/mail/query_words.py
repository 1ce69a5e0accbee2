"""A query in words, and what can be typed next."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.mail.counting import number
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
    Match,
    MessageId,
    Not,
    Or,
    Sized,
    Term,
)
from termmail.mail.query_operators import OPERATORS, Value
from termmail.mail.query_parser import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from termmail.mail.message import Address
    from termmail.mail.query import Query
    from termmail.mail.query_operators import Operator
    from termmail.mail.query_parser import Parsed

ROLE_WORDS = ("inbox", "archive", "sent", "spam", "junk", "trash", "anywhere")
"""What `in:` knows besides the names of folders."""
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
    return value.strip('"') if operator is not None and operator.name in {"from", "to", "cc"} else ""


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
    if operator.name in {"from", "to", "cc"}:
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
            problems.append(f"There is no folder “{_short(one.name)}”{_hint('in', near)}")
        elif isinstance(one, InAccount) and one.name.casefold() not in map(str.casefold, known.accounts):
            near = nearest(one.name, known.accounts)
            problems.append(f"There is no account “{_short(one.name)}”{_hint('account', near)}")
        elif isinstance(one, Labelled) and one.name.casefold() not in map(str.casefold, known.labels):
            near = nearest(one.name, known.labels)
            problems.append(f"There is no label “{_short(one.name)}”{_hint('label', near)}")
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


_FIELD_WORDS = {
    Field.ANY: "with {}",
    Field.FROM: "from {}",
    Field.TO: "to {}",
    Field.CC: "with {} in Cc",
    Field.SUBJECT: "with {} in the subject",
    Field.BODY: "with {} in the text",
    Field.LIST: "of the list {}",
    Field.FILENAME: "with an attachment named {}",
}
"""What a term finds; {} is what is looked for, with … behind what a word begins with."""
_CONTENT_WORDS = {
    Content.ATTACHMENT: "with attachments",
    Content.INVITE: "with an invitation",
    Content.LINK: "with a link",
}


def described(query: Query) -> str:
    """Return what a query finds as words that follow "Messages"."""
    match query:
        case Term(text=text, field=Field.ANY, match=Match.START):
            return f"with “{text}…” in subject or sender"
        case Term(text=text, field=field, match=how):
            return _FIELD_WORDS[field].format(f"“{_short(text)}{'' if how is Match.PHRASE else '…'}”")
        case MessageId(value=value):
            return f"with the Message-ID “{_short(value)}”"
        case InFolder(name=name):
            return "in any folder, Trash and Spam too" if name.casefold() == "anywhere" else f"in {_short(name)}"
        case InAccount(name=name):
            return f"of the account {_short(name)}"
        case Labelled(name=name):
            return f"with the label {_short(name)}"
        case Is(mark=mark):
            return f"that are {mark.value}"
        case Has(content=content):
            return _CONTENT_WORDS[content]
        case Dated(since=since, until=until):
            return _dated(since, until)
        case Sized(larger=larger, smaller=smaller):
            return f"larger than {_size(larger)}" if larger is not None else f"smaller than {_size(smaller or 0)}"
        case Not(query=inner):
            return f"not {_bracketed(inner)}"
        case And(queries=queries):
            return ", ".join(map(_bracketed, queries))
        case Or(queries=queries):
            return " or ".join(map(_bracketed, queries))


def _bracketed(query: Query) -> str:
    words = described(query)
    return f"({words})" if isinstance(query, And | Or) else words


def _dated(since: int | None, until: int | None) -> str:
    if until is None:
        return f"from {_date(since or 0)} on"
    if since is None:
        return f"before {_date(until)}"
    last = _date(until - 1)
    return f"of {last}" if _date(since) == last else f"from {_date(since)} to {last}"


def _date(when: int) -> str:
    local = time.localtime(when)
    return f"{local.tm_mday} {time.strftime('%B', local)} {local.tm_year}"


def _size(size: int) -> str:
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{number(size)} B"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
