"""What a query finds, in words."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING, TypeGuard

from termmail.mail.counting import number
from termmail.mail.query import (
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
    Sized,
    Term,
)
from termmail.mail.query_operators import ROLE_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.mail.query import Query

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
_FOLDER_WORDS = {
    **{one: f"in {one.title()}" for one in ROLE_WORDS},
    "junk": "in Spam",
    "anywhere": "in any folder (Trash and Spam too)",
}
_MARK_WORDS = {Mark.LABELLED: "with a label", Mark.MUTED: "of a muted conversation"}
"""What marks find that are not said as “that are ...”."""


def described(query: Query) -> str:
    """Return what a query finds as words that follow "Messages"."""
    if isinstance(query, And | Or):
        parts = sorted(_phrases(query), key=_is_compound)  # what has parts itself comes last
        return _listed([_part(one, query) for one in parts], _joint(query))
    return _excluded(query.query) if isinstance(query, Not) else _one(query)


def _phrases(query: And | Or) -> list[Query | str]:
    """Return the parts of a query; words of one field that stand side by side are one phrase, and so are marks."""
    found: list[Query | str] = []
    for form, group in [(form, [*group]) for form, group in groupby(query.queries, key=_form)]:
        found += [form.format(_listed([_named(one) for one in group], _joint(query)))] if form else group
    return found


def _form(query: Query) -> str:
    """Return the phrase, with {} for what is found, that a condition shares with others; "" where it stands alone."""
    match query:
        case Term(field=field, match=how) if how is not Match.START:
            return _FIELD_WORDS[field]
        case Is(mark=mark) if mark not in _MARK_WORDS:
            return "that are {}"
    return ""


def _named(query: Query) -> str:
    """Return what a condition puts into its form."""
    return _quoted_term(query) if isinstance(query, Term) else query.mark.value if isinstance(query, Is) else ""


def _is_compound(part: Query | str) -> TypeGuard[And | Or]:
    return isinstance(part, And | Or) and len(_phrases(part)) > 1


def _part(part: Query | str, whole: And | Or) -> str:
    """Return one part of several in words."""
    if isinstance(part, str):
        return part
    words = described(part)
    if not _is_compound(part):
        return words
    return f"either {words}" if isinstance(whole, And) and not any(map(_is_compound, _phrases(part))) else f"({words})"


def _joint(query: And | Or) -> str:
    return "and" if isinstance(query, And) else "or"


def _listed(words: Sequence[str], joint: str) -> str:
    return "".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} {joint} {words[-1]}"


def _quoted_term(term: Term) -> str:
    return f"“{shortened(term.text)}{'' if term.match is Match.PHRASE else '…'}”"


def _one(query: Query) -> str:
    match query:
        case Term(field=Field.ANY, match=Match.START):
            return f"with {_quoted_term(query)} in subject or sender"
        case Term(field=field):
            return _FIELD_WORDS[field].format(_quoted_term(query))
        case Mine(field=field):
            return _FIELD_WORDS[field].format("you")
        case MessageId(value=value):
            return f"with the Message-ID “{shortened(value)}”"
        case InFolder(name=name):
            return _FOLDER_WORDS.get(name.casefold()) or f"in {shortened(name)}"
        case InAccount(name=name):
            return f"of the account {shortened(name)}"
        case Labelled(name=name):
            return f"with the label {shortened(name)}"
        case Is(mark=mark):
            return _MARK_WORDS.get(mark, f"that are {mark.value}")
        case Has(content=content):
            return _CONTENT_WORDS[content]
        case Dated(since=since, until=until):
            return _dated(since, until)
        case Sized(larger=larger, smaller=smaller):
            return f"larger than {_size(larger)}" if larger is not None else f"smaller than {_size(smaller or 0)}"
    return ""


def _excluded(query: Query) -> str:
    """Return what `-` before a condition finds."""
    if isinstance(query, Not):  # excluded twice
        return described(query.query)
    words = described(query)
    if isinstance(query, And) or _is_compound(query):
        return f"not ({words})"
    for beginning, opposite in _OPPOSITES:
        if words.startswith(beginning):
            return f"{opposite}{words.removeprefix(beginning)}"
    return f"not {words}"


_OPPOSITES = (("with ", "without "), ("that are ", "that are not "))


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


def shortened(text: str) -> str:
    """Return a text cut to 40 characters."""
    return text if len(text) <= 40 else f"{text[:39]}…"
