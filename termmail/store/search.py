"""Search: the messages that match a query over the full-text index (`search_index`), newest first.

A query is answered one alternative (`query_forms`) after the other, each by its own plan (`search_plan`).
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from termmail.mail import query as language
from termmail.mail.model import Order
from termmail.mail.query import EVERYTHING, And, Field, InAccount, Or, Term
from termmail.mail.query_forms import alternatives
from termmail.store import folders
from termmail.store.search_plan import Hit, Places, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.mail.query import Query
    from termmail.store.store import Store

PAGE = 2500
"""Hits in one part, at most."""

_MOST = 1 << 62


class Start(NamedTuple):
    """Where a part of the hits begins: in which alternative of the query, and behind which hit of it."""

    alternative: int = 0
    before: Hit | None = None


class Part(NamedTuple):
    """Some of the hits, and where the next part begins; None where there is no more."""

    hits: list[Hit]
    following: Start | None


def search(
    store: Store,
    query: Query,
    *,
    account: str = "",
    limit: int = 200,
    discarded: bool = True,
    order: Order = Order.NEWEST,
) -> array[int]:
    """Return the ids of the messages that match, at most `limit`; none for a query without conditions.

    They come newest first, or with Order.BEST those first that hold the words in subject or people. `account` ""
    searches every account. Without `discarded`, messages that lie only in Junk or Trash are left out unless the query
    asks for such a folder. Only what is indexed is found by its words.
    """
    found: dict[int, None] = {}
    for one in queries(query, order):
        hits = [hit for plan in _plans(store, one, account, discarded=discarded) for hit in plan.hits(limit)]
        found |= dict.fromkeys(ordered(hits)[:limit])
    return array("q", [*found][:limit])


def part(
    store: Store, query: Query, start: Start, *, account: str = "", discarded: bool = True, limit: int = PAGE
) -> Part:
    """Return at most `limit` of the hits of a query in no order, from `start` on; the same hit may be in several parts."""
    plans = _plans(store, query, account, discarded=discarded)
    if start.alternative >= len(plans):
        return Part([], None)
    hits = plans[start.alternative].hits(limit, start.before)
    following = Start(start.alternative, hits[-1]) if len(hits) == limit else Start(start.alternative + 1)
    return Part(hits, following if following.alternative < len(plans) else None)


def ordered(hits: Iterable[Hit]) -> list[int]:
    """Return the ids of hits, newest first, each once."""
    return list(dict.fromkeys([hit.message_id for hit in sorted(hits, reverse=True)]))


def queries(query: Query, order: Order) -> list[Query]:
    """Return the queries whose hits come one after the other in this order."""
    if query == EVERYTHING:
        return []
    if order is Order.BEST and (best := _in_header(query)) != query:
        return [best, query]
    return [query]


def matching(store: Store, query: Query, ids: Sequence[int]) -> set[int]:
    """Return those of the messages that match; all of them for a query without conditions."""
    if query == EVERYTHING:
        return set(ids)
    return set(search(store, query, limit=_MOST)).intersection(ids)


def _plans(store: Store, query: Query, account: str, *, discarded: bool) -> list[Plan]:
    places = Places(folders.listing(store))
    kept = not discarded and not any(map(places.asks_for_discarded, language.folders(query)))
    wanted = And((query, InAccount(account))) if account else query
    return [Plan(store, places, parts, kept=kept) for parts in alternatives(wanted)]


def _in_header(query: Query) -> Query:
    """Return the query whose words must stand in subject or people instead of anywhere."""
    match query:
        case Term(field=Field.ANY):
            return Or(tuple(replace(query, field=one) for one in (Field.SUBJECT, Field.FROM, Field.TO, Field.LIST)))
        case And(queries=queries) | Or(queries=queries):
            return type(query)(tuple(map(_in_header, queries)))
    return query
