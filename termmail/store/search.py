"""Full-text search (SQLite FTS5). Indexing follows the arrival of mail in short steps: `pending`, `store_indexed`."""

from __future__ import annotations

from array import array
from itertools import chain
from typing import TYPE_CHECKING

from termmail.mail.model import DISCARDED
from termmail.mail.query import And, Field, Match, Not, Or, Term
from termmail.store import derived, folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.mail.query import Query
    from termmail.store.derived import Derived
    from termmail.store.store import Store

_COLUMNS = {Field.FROM: "sender", Field.TO: "recipients", Field.SUBJECT: "subject"}
_PENDING = "indexed < 1 + downloaded"
_PAGE_BYTES = 8 << 20


def search(store: Store, query: Query, *, account: str = "", limit: int = 200, discarded: bool = True) -> array[int]:
    """Return the ids of the messages that match, newest first, at most `limit`; none for a query without terms.

    `account` "" searches every account. Without `discarded`, messages that lie only in Junk or Trash are left out.
    Letters are equal whatever their case and accents. Only what is indexed is found.
    """
    if query == And():
        return array("q")
    condition, values = _condition(query)
    where = [condition]
    if account:
        where.append("m.account = ?")
        values.append(account)
    if not discarded:
        where.append(
            "EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id"  # noqa: S608 - texts of ours
            f" AND p.folder NOT IN {folders.ids_with_roles(sorted(DISCARDED))})"
        )
    found = store.read(
        f"SELECT m.id FROM message m WHERE {' AND '.join(where)}"  # noqa: S608 - texts of ours
        " ORDER BY m.sort_date DESC, m.id DESC LIMIT ?",
        (*values, limit),
    )
    return array("q", chain.from_iterable(found))


def matching(store: Store, query: Query, ids: Sequence[int]) -> set[int]:
    """Return those of the messages that match; all of them for a query without terms."""
    if query == And():
        return set(ids)
    condition, values = _condition(query)
    found = store.read(f"SELECT m.id FROM message m WHERE {condition}", values)  # noqa: S608 - texts of ours
    return {message_id for (message_id,) in found}.intersection(ids)


def _condition(query: Query) -> tuple[str, list[str]]:
    """Return the query as an SQL condition on the message `m`, and its values."""
    if (expression := _expression(query)) is not None:
        return "m.id IN (SELECT rowid FROM search WHERE search MATCH ?)", [expression]
    match query:
        case Not(query=inner):
            condition, values = _condition(inner)
            return f"NOT ({condition})", values
        case And(queries=queries):
            plain = And(tuple(one for one in queries if _expression(one) is not None))
            others = [one for one in queries if _expression(one) is None]
            return _joined(" AND ", [plain, *others] if plain.queries else others)
        case Or(queries=queries):
            return _joined(" OR ", queries)
    raise AssertionError(query)  # a Term always has an expression


def _joined(word: str, queries: Iterable[Query]) -> tuple[str, list[str]]:
    conditions, values = [], []
    for one in queries:
        condition, found = _condition(one)
        conditions.append(f"({condition})")
        values += found
    return word.join(conditions), values


def _expression(query: Query) -> str | None:
    """Return a query without negation in the language of FTS5, every word quoted; None where it has one."""
    match query:
        case Term(text=text, field=field, match=how):
            where = f"{_COLUMNS[field]} : " if field in _COLUMNS else ""
            return f'{where}"{text.replace(chr(34), " ")}"{"*" if how is Match.PREFIX else ""}'
        case And(queries=queries) | Or(queries=queries) if queries:
            parts = [_expression(one) for one in queries]
            word = " AND " if isinstance(query, And) else " OR "
            return None if None in parts else "(" + word.join(part for part in parts if part is not None) + ")"
        case _:
            return None


def pending(store: Store, limit: int = 100) -> list[tuple[int, bytes, bool]]:
    """Return messages that wait to be indexed, newest first: id, bytes, and whether they are the whole message.

    At most `limit` messages and about 8 MB.
    """
    rows = store.read(
        f"SELECT id, downloaded FROM message WHERE {_PENDING} ORDER BY id DESC LIMIT ?",  # noqa: S608 - a text of ours
        (limit,),
    )
    found: list[tuple[int, bytes, bool]] = []
    size = 0
    for message_id, downloaded in rows:
        raw = store.read_one("SELECT bytes FROM raw WHERE id = ?", (message_id,))
        if raw is not None:
            found.append((message_id, raw[0], downloaded == 1))
            size += len(raw[0])
        if size > _PAGE_BYTES:
            break
    return found


def store_indexed(store: Store, page: Iterable[tuple[int, Derived]]) -> None:
    """Store what was derived from messages. One that was erased or downloaded in the meantime is left out."""
    with store.transaction() as db:
        for message_id, one in page:
            row = db.execute("SELECT received, downloaded FROM message WHERE id = ?", (message_id,)).fetchone()
            if row is not None and (one.text is not None or not row[1]):
                derived.write(db, message_id, row[0], one)


def coverage(store: Store, account: str = "", *, discarded: bool = True) -> tuple[int, int]:
    """Return how many messages can be found by the words of their body, and how many messages there are.

    `account` "" means every account. Without `discarded`, messages that lie only in Junk or Trash are not counted.
    """
    return store.remember(("coverage", account, discarded), lambda: _coverage(store, account, discarded=discarded))


def _coverage(store: Store, account: str, *, discarded: bool) -> tuple[int, int]:
    of = " AND account = ?" if account else ""
    values = (account,) if account else ()
    ((total,),) = store.read(f"SELECT count(*) FROM message WHERE 1 = 1{of}", values)  # noqa: S608 - texts of ours
    ((header_only,),) = store.read(f"SELECT count(*) FROM message WHERE downloaded = 0{of}", values)  # noqa: S608
    ((waiting,),) = store.read(
        f"SELECT count(*) FROM message WHERE {_PENDING} AND downloaded = 1{of}",  # noqa: S608
        values,
    )
    bodies = total - header_only - waiting
    if not discarded:
        away = folders.ids_with_roles(sorted(DISCARDED))
        ((hidden, hidden_bodies),) = store.read(
            "SELECT count(*), coalesce(sum(m.indexed = 2), 0) FROM message m WHERE m.id IN"  # noqa: S608
            f" (SELECT p.message FROM placement p WHERE p.folder IN {away}) AND NOT EXISTS"
            f" (SELECT 1 FROM placement o WHERE o.message = m.id AND o.folder NOT IN {away}){of}",
            values,
        )
        total, bodies = total - hidden, bodies - hidden_bodies
    return int(bodies), int(total)
