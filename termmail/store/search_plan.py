"""How one alternative of a query is answered: the words for FTS5, the conditions on rows, and what is looked up first.

Words, and all that never changes of a message, are asked of FTS5 in one expression; documents are numbered by date, so
the newest hits come without sorting. Flags, folders and labels are conditions on the message. Where few messages fulfil
one of them, those are looked up first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from termmail.mail.model import DISCARDED, Role
from termmail.mail.query import (
    And,
    Dated,
    InFolder,
    Is,
    Labelled,
    Mark,
    MessageId,
    Not,
    Or,
    Query,
    Sized,
)
from termmail.mail.query_forms import is_of_words
from termmail.store import folders, label_names, search_index, search_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.mail.model import Folder
    from termmail.store.store import Store

SOME, FEW = 150, 3000
"""Messages with a flag, a label or in a folder, at most, that are looked up before the words of a query: one by one, or
all."""

_FLAGS = {
    Mark.UNREAD: "unread = 1",
    Mark.READ: "unread = 0",
    Mark.STARRED: "starred = 1",
    Mark.ANSWERED: "answered = 1",
    Mark.FORWARDED: "forwarded = 1",
}
_ATTACHED = {
    Mark.LABELLED: "SELECT t.message FROM message_label t",
    Mark.SNOOZED: "SELECT z.message FROM snooze z JOIN placement p ON p.message = z.message AND p.folder = z.folder",
    Mark.MUTED: "SELECT o.id FROM message o WHERE o.thread IN (SELECT thread FROM muted_thread)",
}
"""The messages with a mark that is not a flag of theirs."""
_ROLES = {
    "inbox": Role.INBOX,
    "archive": Role.ARCHIVE,
    "sent": Role.SENT,
    "spam": Role.JUNK,
    "junk": Role.JUNK,
    "trash": Role.TRASH,
}
ANYWHERE = "anywhere"
_MOST = 1 << 62


class Hit(NamedTuple):
    """A message that matches, by the date (UTC seconds) that it is sorted by. `doc` is its document where it is known."""

    date: int
    message_id: int
    doc: int = 0


class _Sql(Struct):
    """A condition on the message `m` and its document `d`, or a query for the ids of messages, and its values."""

    text: str
    values: Sequence[Any] = ()


class Places:
    """The folders of every account by the names that a query uses for them."""

    def __init__(self, listing: Sequence[Folder]) -> None:
        self._listing = listing
        self.accounts = sorted({one.account for one in listing})

    def named(self, name: str) -> list[int]:
        """Return the folders of this role, of this name, and below it, in every account; all of them for "anywhere"."""
        wanted = name.casefold()
        role = _ROLES.get(wanted)
        return [
            one.folder_id
            for one in self._listing
            if wanted == ANYWHERE
            or one.role is role
            or one.name.casefold() == wanted
            or one.name.casefold().startswith(f"{wanted}/")
        ]

    def kept(self) -> list[int]:
        """Return the folders that are neither Junk nor Trash."""
        return [one.folder_id for one in self._listing if one.role not in DISCARDED]

    def asks_for_discarded(self, name: str) -> bool:
        """Return whether a folder of this name is Junk or Trash, or any folder at all."""
        return name.casefold() == ANYWHERE or not set(self.named(name)) <= set(self.kept())


class Plan:
    """How the messages are found for which all `parts` hold; with `kept` only those outside Junk and Trash."""

    def __init__(self, store: Store, places: Places, parts: Iterable[Query], *, kept: bool) -> None:
        self._store = store
        self._places = places
        self._words: list[Query] = []
        self._marks: list[str] = []
        self._conditions: list[_Sql] = []
        self._flags: list[Mark] = []
        self._sets: list[_Sql] = []
        self._placed: list[list[int]] = []
        self._since, self._until = -_MOST, _MOST
        self._message_id: str | None = None
        excluded: set[int] = set()
        for part in parts:
            self._add(part)
            if isinstance(part, Not) and isinstance(part.query, InFolder):
                excluded.update(places.named(part.query.name))
        if excluded:
            self._placed.append(
                [one for one in (places.kept() if kept else places.named(ANYWHERE)) if one not in excluded]
            )
        self._kept = kept

    def _add(self, part: Query) -> None:
        """Sort one condition that must hold into what answers it."""
        if is_of_words(part):
            self._words.append(part)
            return
        self._conditions.append(self._condition(part))
        match part:
            case Is(mark=mark) if mark in _ATTACHED:
                self._sets.append(_Sql(_ATTACHED[mark]))
            case Is(mark=mark) if mark is not Mark.READ:
                self._flags.append(mark)
                self._sets.append(_Sql(f"SELECT id FROM message WHERE {_FLAGS[mark]}"))  # noqa: S608 - a text of ours
            case InFolder(name=name) if name.casefold() != ANYWHERE:
                self._placed.append(self._places.named(name))
            case Labelled(name=name):
                self._sets.append(_Sql("SELECT message FROM message_label WHERE label = ?", [self._label_id(name)]))
            case Dated(since=since, until=until):
                self._since = max(self._since, since if since is not None else self._since)
                self._until = min(self._until, until if until is not None else self._until)
            case Sized(larger=size) if size is not None and (step := search_index.size_step(size)):
                self._marks.append(search_index.size_mark(step))
            case Sized(smaller=size) if size is not None:
                self._marks.append(search_index.below_mark(size))
            case MessageId(value=value):
                self._message_id = value
            case _:
                pass

    # -- as conditions on rows

    def _condition(self, query: Query) -> _Sql:
        """Return a query as an SQL condition."""
        if is_of_words(query):
            words = search_terms.expression(query, self._places.accounts)
            return _Sql("d.doc IN (SELECT rowid FROM search WHERE search MATCH ?)", [words])
        match query:
            case Is(mark=mark) if mark in _ATTACHED:
                return _Sql(f"m.id IN ({_ATTACHED[mark]})")
            case Is(mark=mark):
                return _Sql(f"m.{_FLAGS[mark]}")
            case InFolder(name=name):
                return _Sql("1") if name.casefold() == ANYWHERE else _Sql(_is_in(self._places.named(name)))
            case Labelled(name=name):
                labelled = "EXISTS (SELECT 1 FROM message_label t WHERE t.message = m.id AND t.label = ?)"
                return _Sql(labelled, [self._label_id(name)])
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
        raise AssertionError(query)  # all others are of words

    def _label_id(self, name: str) -> int:
        label = label_names.find(self._store, name)
        return 0 if label is None else label.label_id

    # -- asking

    def hits(self, limit: int, before: Hit | None = None) -> list[Hit]:
        """Return the newest messages, newest first, at most `limit`; those that come after `before` where it is given.

        Fewer than `limit` are all that are left.
        """
        words = search_terms.every_one(self._words, self._marks, self._places.accounts)
        if words is None and self._message_id is not None:
            return self._read("", limit, before)
        few = self._few()
        if words is None:
            if few is not None:
                return self._read(f"m.id IN ({few[1].text})", limit, before, few[1].values)
            if self._since == -_MOST and self._until == _MOST:
                if self._placed and self._flags in ([], [Mark.UNREAD]):
                    return self._by_folder(limit, before)
                if self._flags:
                    return self._read("", limit, before)
        return self._by_words(words or f'"{search_index.EVERY}"', few, limit, before)

    def _few(self) -> tuple[int, _Sql] | None:
        """Return the fewest messages that fulfil a condition: how many, and a query for their ids; None: all are many."""
        found: list[tuple[int, _Sql]] = []
        for one in self._sets:
            counted = f"SELECT count(*) FROM ({one.text} LIMIT {FEW + 1})"  # noqa: S608 - a text of ours
            ((count,),) = self._store.read(counted, one.values)
            found.append((count, one))
        held = folders.counts(self._store) if self._placed else {}
        for ids in self._placed:
            count = sum(held[one].total for one in ids if one in held)
            found.append((count, _Sql(f"SELECT message FROM placement WHERE folder IN ({_listed(ids)})")))  # noqa: S608
        count, fewest = min(found, key=lambda one: one[0], default=(FEW + 1, _Sql("")))
        return (count, fewest) if count <= FEW else None

    def _where(self, *, kept: bool) -> _Sql:
        away = folders.ids_with_roles(sorted(DISCARDED))
        outside = f"EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.folder NOT IN {away})"  # noqa: S608
        return _joined(" AND ", [*self._conditions, *([_Sql(outside)] if kept else [])])

    def _by_words(self, words: str, few: tuple[int, _Sql] | None, limit: int, before: Hit | None) -> list[Hit]:
        where = self._where(kept=self._kept)
        until = min(self._until, _MOST) + search_index.LATEST_AFTER
        if before is not None:
            until = min(until, before.doc or before.date + search_index.LATEST_AFTER)
        source, among, doc = _Sql("search s"), _Sql(""), "s.rowid"
        if few is not None:
            count, ids = few
            documents = f"SELECT doc FROM search_doc WHERE message IN ({ids.text})"  # noqa: S608 - texts of ours
            # Some are looked up in the index one by one; with more, all hits are compared, and with the beginning of a
            # word, of which each look-up would collect all hits again.
            if count <= SOME and "*" not in words:
                source = _Sql(f"({documents}) x CROSS JOIN search s ON s.rowid = x.doc", ids.values)
                doc = "x.doc"
            else:
                among = _Sql(f" AND +s.rowid IN ({documents})", ids.values)
        rows = self._store.read(
            f"SELECT m.sort_date, m.id, d.doc FROM {source.text} CROSS JOIN search_doc d ON d.doc = s.rowid"  # noqa: S608
            " CROSS JOIN message m ON m.id = d.message WHERE s.search MATCH ?"
            f" AND {doc} >= ? AND {doc} < ?{among.text} AND {where.text} ORDER BY {doc} DESC LIMIT ?",
            (*source.values, words, self._since, until, *among.values, *where.values, limit),
        )
        return [Hit(*row) for row in rows]

    def _by_folder(self, limit: int, before: Hit | None) -> list[Hit]:
        ids = self._placed[0]
        where = self._where(kept=self._kept and not set(ids) <= set(self._places.kept()))
        unread = " AND p.unread = 1" if self._flags else ""
        after, key = _after("p.sort_date", "p.message", before)
        found: dict[int, Hit] = {}
        for folder_id in ids:
            rows = self._store.read(
                "SELECT p.sort_date, p.message FROM placement p CROSS JOIN message m ON m.id = p.message"  # noqa: S608
                f"{_document(where)}"
                f" WHERE p.folder = ?{unread}{after} AND {where.text} ORDER BY p.sort_date DESC, p.message DESC LIMIT ?",
                (folder_id, *key, *where.values, limit),
            )
            for hit in (Hit(*row) for row in rows):  # one that lies in several may have another date in each
                found[hit.message_id] = max(hit, found.get(hit.message_id, hit))
        return sorted(found.values(), reverse=True)[:limit]

    def _read(self, among: str, limit: int, before: Hit | None, values: Sequence[Any] = ()) -> list[Hit]:
        """Return the hits of all messages, or of those that the condition `among` leaves."""
        where = self._where(kept=self._kept)
        after, key = _after("m.sort_date", "m.id", before)
        rows = self._store.read(
            f"SELECT m.sort_date, m.id FROM message m{_document(where)}"  # noqa: S608 - texts of ours
            f" WHERE {among or 1}{after} AND {where.text} ORDER BY m.sort_date DESC, m.id DESC LIMIT ?",
            (*values, *key, *where.values, limit),
        )
        return [Hit(*row) for row in rows]


def _document(where: _Sql) -> str:
    """Return the join with the documents of messages, where a condition is about them."""
    return " LEFT JOIN search_doc d ON d.message = m.id" if "d.doc" in where.text else ""


def _after(date: str, message_id: str, before: Hit | None) -> tuple[str, tuple[int, ...]]:
    """Return the condition for what comes after a hit in a list that is newest first, and its values."""
    if before is None:
        return "", ()
    return (
        f" AND {date} <= ? AND ({date}, {message_id}) < (?, ?)",
        (before.date, before.date, before.message_id),
    )


def _is_in(folder_ids: Iterable[int]) -> str:
    return f"EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.folder IN ({_listed(folder_ids)}))"  # noqa: S608


def _listed(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else min(value, _MOST)


def _joined(word: str, parts: Iterable[_Sql]) -> _Sql:
    found = list(parts)
    texts = [f"({one.text})" for one in found]
    return _Sql(word.join(texts) or "1", [value for one in found for value in one.values])
