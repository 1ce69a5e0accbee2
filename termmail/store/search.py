"""Search: a query to SQL over the full-text index (`search_index`), newest hits first, and what the index covers.

Words, and all that never changes of a message, are asked of FTS5 in one expression; documents are numbered by date, so
the newest hits come without sorting. Flags and folders are conditions on the message. Where few messages fulfil one of
them, they are looked up first.
"""

from __future__ import annotations

from array import array
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from termmail.mail import query as language
from termmail.mail.equal_letters import fold
from termmail.mail.model import DISCARDED, Order, Role
from termmail.mail.query import (
    EVERYTHING,
    And,
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
    Not,
    Or,
    Sized,
    Term,
)
from termmail.store import folders, label_names, search_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.mail.query import Query
    from termmail.store.store import Store

SOME = 10
FEW = 3000
"""Messages with a flag or in a folder, at most, that are looked up before the words of a query: one by one, or all."""

_COLUMNS = {
    Field.FROM: "{sender}",
    Field.TO: "{recipients cc}",
    Field.CC: "{cc}",
    Field.SUBJECT: "{subject}",
    Field.BODY: "{body}",
    Field.LIST: "{list}",
    Field.FILENAME: "{files}",
}
_HEADER = "{subject sender recipients cc list}"
_FLAGS = {
    Mark.UNREAD: "unread = 1",
    Mark.READ: "unread = 0",
    Mark.STARRED: "starred = 1",
    Mark.ANSWERED: "answered = 1",
    Mark.FORWARDED: "forwarded = 1",
}
_ROLES = {
    "inbox": Role.INBOX,
    "archive": Role.ARCHIVE,
    "sent": Role.SENT,
    "spam": Role.JUNK,
    "junk": Role.JUNK,
    "trash": Role.TRASH,
}
_ANYWHERE = "anywhere"
_MOST = 1 << 62


class _Sql(Struct):
    """A condition on the message `m` and its document `d`, and its values."""

    text: str
    values: list[Any]


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
    if query == EVERYTHING:
        return array("q")
    if order is Order.BEST and (best := _in_header(query)) != query:
        first = search(store, best, account=account, limit=limit, discarded=discarded)
        rest = search(store, query, account=account, limit=limit, discarded=discarded)
        return array("q", [*dict.fromkeys((*first, *rest))][:limit])
    parts = [*query.queries] if isinstance(query, And) else [query]
    if account:
        parts.append(InAccount(account))
    plan = _Plan(store, parts)
    if not discarded and not any(map(plan.is_discarded, language.folders(query))):
        away = folders.ids_with_roles(sorted(DISCARDED))
        kept = f"EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.folder NOT IN {away})"  # noqa: S608 - texts of ours
        plan.conditions.append(_Sql(kept, []))
    return plan.run(limit)


def matching(store: Store, query: Query, ids: Sequence[int]) -> set[int]:
    """Return those of the messages that match; all of them for a query without conditions."""
    if query == EVERYTHING:
        return set(ids)
    return set(search(store, query, limit=_MOST)).intersection(ids)


def _in_header(query: Query) -> Query:
    """Return the query whose words must stand in subject or people instead of anywhere."""
    match query:
        case Term(field=Field.ANY):
            return Or(tuple(replace(query, field=one) for one in (Field.SUBJECT, Field.FROM, Field.TO, Field.LIST)))
        case And(queries=queries) | Or(queries=queries):
            return type(query)(tuple(map(_in_header, queries)))
    return query


class _Plan:
    """How one query is answered: the words for FTS5, the conditions on rows, and what is looked up first."""

    def __init__(self, store: Store, parts: Sequence[Query]) -> None:
        self._store = store
        self._folders = folders.listing(store)
        self._accounts = sorted({one.account for one in self._folders})
        self.words: list[Query] = []
        self.marks: list[str] = []
        self.conditions: list[_Sql] = []
        self._flags: list[Mark] = []
        self._placed: list[list[int]] = []
        self._since, self._until = -_MOST, _MOST
        self._message_id: str | None = None
        for part in parts:
            self._add(part)

    def _add(self, part: Query) -> None:
        """Sort one condition that must hold into what answers it."""
        if self._expression(part) is not None:
            self.words.append(part)
            return
        self.conditions.append(self._condition(part))
        match part:
            case Is(mark=mark) if mark is not Mark.READ:
                self._flags.append(mark)
            case InFolder(name=name) if name.casefold() != _ANYWHERE:
                self._placed.append(self._folder_ids(name))
            case Dated(since=since, until=until):
                self._since = max(self._since, since if since is not None else self._since)
                self._until = min(self._until, until if until is not None else self._until)
            case Sized(larger=size) if size is not None and (step := search_index.size_step(size)):
                self.marks.append(search_index.size_mark(step))
            case Sized(smaller=size) if size is not None:
                self.marks.append(search_index.below_mark(size))
            case MessageId(value=value):
                self._message_id = value
            case _:
                pass

    # -- folders and accounts

    def _folder_ids(self, name: str) -> list[int]:
        """Return the folders of this role, of this name, and below it, in every account."""
        wanted = name.casefold()
        role = _ROLES.get(wanted)
        return [
            one.folder_id
            for one in self._folders
            if one.role is role or one.name.casefold() == wanted or one.name.casefold().startswith(f"{wanted}/")
        ]

    def is_discarded(self, name: str) -> bool:
        """Return whether a folder of this name is Junk or Trash, or any folder at all."""
        ids = set(self._folder_ids(name))
        return name.casefold() == _ANYWHERE or any(
            one.role in DISCARDED for one in self._folders if one.folder_id in ids
        )

    def _accounts_named(self, name: str) -> list[str]:
        return [one for one in self._accounts if one.casefold() == name.casefold()]

    # -- in the language of FTS5

    def _expression(self, query: Query) -> str | None:
        """Return a query in the language of FTS5, every word quoted; None where it also asks for something else."""
        match query:
            case Term(text=text, field=field, match=Match.START):
                known = search_index.START_MARKS
                start = fold(text).strip().lower()
                wanted = [f'"{known[one]}{start}"' for one in ([field] if field in known else known)]
                return f"({' OR '.join(wanted)})"
            case Term(text=text, field=field, match=how):
                words = fold(text).replace('"', " ").strip()
                prefix = "*" if how is Match.PREFIX else ""
                return f'{_COLUMNS[field]} : "{words}"{prefix}' if field in _COLUMNS else f'"{words}"{prefix}'
            case Has(content=content):
                return f'"{search_index.CONTENT_MARKS[content]}"'
            case InAccount(name=name):
                marks = [f'"{search_index.account_mark(one)}"' for one in self._accounts_named(name)]
                return f"({' OR '.join(marks)})" if marks else f'"{search_index.account_mark(name)}"'
            case Not(query=inner):
                excluded = self._expression(inner)
                return None if excluded is None else f'("{search_index.EVERY}" NOT ({excluded}))'
            case And(queries=queries) | Or(queries=queries) if queries:
                parts = [self._expression(one) for one in queries]
                joined = " AND " if isinstance(query, And) else " OR "
                return None if None in parts else f"({joined.join(part for part in parts if part is not None)})"
        return None

    def _all_words(self) -> str | None:
        """Return what every hit must hold as one expression; None where nothing is asked of FTS5."""
        found = [f'"{mark}"' for mark in self.marks]
        excluded = []
        for one in self.words:
            if isinstance(one, Not) and (inner := self._expression(one.query)) is not None:
                excluded.append(inner)
            elif (expression := self._expression(one)) is not None:
                found.append(expression)
        if not found and not excluded:
            return None
        wanted = " AND ".join(found) or f'"{search_index.EVERY}"'
        return f"({wanted}) NOT ({' OR '.join(excluded)})" if excluded else wanted

    # -- as conditions on rows

    def _condition(self, query: Query) -> _Sql:
        """Return a query as an SQL condition."""
        if (expression := self._expression(query)) is not None:
            return _Sql("d.doc IN (SELECT rowid FROM search WHERE search MATCH ?)", [expression])
        match query:
            case Is(mark=mark):
                return _Sql(f"m.{_FLAGS[mark]}", [])
            case InFolder(name=name):
                return self._in_folder(name)
            case Labelled(name=name):
                return self._labelled(name)
            case Dated(since=since, until=until):
                return _Sql("m.sort_date >= ? AND m.sort_date < ?", [_or(since, -_MOST), _or(until, _MOST)])
            case Sized(larger=larger, smaller=smaller):
                return _Sql("m.size > ? AND m.size < ?", [_or(larger, -1), _or(smaller, _MOST)])
            case MessageId(value=value):
                return _Sql("m.message_id = ?", [value])
            case Not(query=inner):
                found = self._condition(inner)
                return _Sql(f"NOT coalesce(({found.text}), 0)", found.values)
            case And(queries=queries):
                return _joined(" AND ", map(self._condition, queries))
            case Or(queries=queries):
                return _joined(" OR ", map(self._condition, queries))
        raise AssertionError(query)  # all others have an expression

    def _in_folder(self, name: str) -> _Sql:
        if name.casefold() == _ANYWHERE:
            return _Sql("1", [])
        ids = ", ".join(map(str, self._folder_ids(name)))
        return _Sql(f"EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.folder IN ({ids}))", [])  # noqa: S608 - ids

    def _labelled(self, name: str) -> _Sql:
        label = label_names.find(self._store, name)
        found = "EXISTS (SELECT 1 FROM message_label t WHERE t.message = m.id AND t.label = ?)"
        return _Sql(found, [0 if label is None else label.label_id])

    # -- asking

    def run(self, limit: int) -> array[int]:
        """Return the ids of the messages, newest first."""
        where = _joined(" AND ", self.conditions)
        words = self._all_words()
        if words is None and self._message_id is not None:
            return self._read("message m", where, limit)
        if words is None and self._since == -_MOST and self._until == _MOST:
            if self._flags:
                return self._read("message m", where, limit)
            if self._placed:
                return self._by_folder(where, limit)
        return self._by_words(words or f'"{search_index.EVERY}"', where, limit)

    def _by_words(self, words: str, where: _Sql, limit: int) -> array[int]:
        until = min(self._until, _MOST) + search_index.LATEST_AFTER
        source, among, doc = "search s", "", "s.rowid"
        if (few := self._few()) is not None:
            count, documents = few
            # Some are looked up in the index one by one; with more, all hits are compared, and with the beginning of a
            # word, of which each look-up would collect all hits again.
            if count <= SOME and "*" not in words:
                source, doc = f"({documents}) x CROSS JOIN search s ON s.rowid = x.doc", "x.doc"
            else:
                among = f" AND +s.rowid IN ({documents})"
        rows = self._store.read(
            f"SELECT m.id, m.sort_date FROM {source} CROSS JOIN search_doc d ON d.doc = s.rowid"  # noqa: S608 - texts of ours
            " CROSS JOIN message m ON m.id = d.message WHERE s.search MATCH ?"
            f" AND {doc} >= ? AND {doc} < ?{among} AND {where.text} ORDER BY {doc} DESC LIMIT ?",
            (words, self._since, until, *where.values, limit),
        )
        # Messages of one second have numbers a little apart.
        rows.sort(key=lambda row: (row[1], row[0]), reverse=True)
        return array("q", [message_id for message_id, _date in rows])

    def _few(self) -> tuple[int, str] | None:
        """Return how few messages fulfil a condition, and a subquery for their documents; None where all are many."""
        found = []
        for mark in self._flags:
            messages = f"SELECT id FROM message WHERE {_FLAGS[mark]}"  # noqa: S608 - a text of ours
            ((count,),) = self._store.read(f"SELECT count(*) FROM ({messages} LIMIT {FEW + 1})")  # noqa: S608
            if count <= FEW:
                found.append((count, f"SELECT doc FROM search_doc WHERE message IN ({messages})"))  # noqa: S608
        counts = folders.counts(self._store) if self._placed else {}
        for ids in self._placed:
            if (count := sum(counts[one].total for one in ids if one in counts)) <= FEW:
                inside = f"SELECT message FROM placement WHERE folder IN ({', '.join(map(str, ids))})"  # noqa: S608
                found.append((count, f"SELECT doc FROM search_doc WHERE message IN ({inside})"))  # noqa: S608
        return min(found, default=None)

    def _by_folder(self, where: _Sql, limit: int) -> array[int]:
        found: list[tuple[int, int]] = []
        for folder_id in self._placed[0]:
            found += self._store.read(
                "SELECT p.sort_date, p.message FROM placement p CROSS JOIN message m ON m.id = p.message"  # noqa: S608
                " LEFT JOIN search_doc d ON d.message = m.id"
                f" WHERE p.folder = ? AND {where.text} ORDER BY p.sort_date DESC, p.message DESC LIMIT ?",
                (folder_id, *where.values, limit),
            )
        ids = dict.fromkeys(message_id for _date, message_id in sorted(found, reverse=True))
        return array("q", [*ids][:limit])

    def _read(self, source: str, where: _Sql, limit: int) -> array[int]:
        rows = self._store.read(
            f"SELECT m.id FROM {source} LEFT JOIN search_doc d ON d.message = m.id WHERE {where.text}"  # noqa: S608
            " ORDER BY m.sort_date DESC, m.id DESC LIMIT ?",
            (*where.values, limit),
        )
        return array("q", chain.from_iterable(rows))


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else min(value, _MOST)


def _joined(word: str, parts: Iterable[_Sql]) -> _Sql:
    found = list(parts)
    texts = [f"({one.text})" for one in found]
    return _Sql(word.join(texts) or "1", [value for one in found for value in one.values])
