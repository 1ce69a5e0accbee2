"""The words of a query, and all that never changes of a message, in the language of FTS5 (sqlite.org/fts5.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.equal_letters import fold
from termmail.mail.query import And, Field, Has, InAccount, Match, Mine, Not, Or, Term
from termmail.store import search_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.mail.query import Query

_COLUMNS = {
    Field.FROM: "{sender}",
    Field.TO: "{recipients cc}",
    Field.CC: "{cc}",
    Field.SUBJECT: "{subject}",
    Field.BODY: "{body}",
    Field.LIST: "{list}",
    Field.FILENAME: "{files}",
}


def expression(query: Query, accounts: Sequence[str]) -> str | None:
    """Return a query as an expression, every word quoted; None where it also asks for something else.

    `accounts` are the names of all accounts.
    """
    match query:
        case Term(text=text, field=field, match=Match.START):
            known = search_index.START_MARKS
            start = fold(text).strip().lower()
            return _either(f'"{known[one]}{start}"' for one in ([field] if field in known else known))
        case Term(text=text, field=field, match=how):
            words = fold(text).replace('"', " ").strip()
            prefix = "*" if how is Match.PREFIX else ""
            return f'{_COLUMNS[field]} : "{words}"{prefix}' if field in _COLUMNS else f'"{words}"{prefix}'
        case Mine(field=field, addresses=addresses):
            return _either(f'{_COLUMNS[field]} : "{fold(one)}"' for one in addresses or [search_index.NOBODY])
        case Has(content=content):
            return f'"{search_index.CONTENT_MARKS[content]}"'
        case InAccount(name=name):
            named = [one for one in accounts if one.casefold() == name.casefold()]
            return _either(f'"{search_index.account_mark(one)}"' for one in named or [name])
        case Not(query=inner):
            excluded = expression(inner, accounts)
            return None if excluded is None else f'("{search_index.EVERY}" NOT ({excluded}))'
        case And(queries=queries) | Or(queries=queries) if queries:
            parts = [expression(one, accounts) for one in queries]
            joined = " AND " if isinstance(query, And) else " OR "
            return None if None in parts else f"({joined.join(part for part in parts if part is not None)})"
    return None


def every_one(queries: Iterable[Query], marks: Iterable[str], accounts: Sequence[str]) -> str | None:
    """Return an expression for documents that all these queries match and that have these marks; None where none is given.

    Every query has an expression.
    """
    found = [f'"{mark}"' for mark in marks]
    excluded: list[str] = []
    for one in queries:
        expressed = expression(one.query if isinstance(one, Not) else one, accounts)
        if expressed is not None:
            (excluded if isinstance(one, Not) else found).append(expressed)
    if not found and not excluded:
        return None
    wanted = " AND ".join(found) or f'"{search_index.EVERY}"'
    return f"({wanted}) NOT ({' OR '.join(excluded)})" if excluded else wanted


def _either(expressions: Iterable[str]) -> str:
    return f"({' OR '.join(expressions)})"
