"""What the words of a search stand for now: the same for what is typed, for kept searches and for rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.query_parser import Parsed, as_typed, parse, parse_typed

if TYPE_CHECKING:
    from termmail.engine.context import Context


def own_addresses(context: Context) -> tuple[str, ...]:
    """Return the addresses of the user in every account."""
    accounts = context.config.accounts.values()
    return tuple(dict.fromkeys(address for one in accounts for address in (one.address, *one.aliases)))


def parsed(context: Context, words: str) -> Parsed:
    """Return the query that these words stand for, and what in them is not understood."""
    return parse(words, context.clock(), own_addresses(context))


def parsed_typed(context: Context, words: str) -> Parsed:
    """Return the same of words that are still being typed."""
    return parse_typed(words, context.clock(), own_addresses(context))


def words_as_typed(context: Context, words: str) -> str:
    """Return words that find what these found while they were typed: with a `*` where the last one may go on."""
    return as_typed(words, context.clock(), own_addresses(context))
