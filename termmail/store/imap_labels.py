"""Labels on an IMAP server: what it says of them, and what it is to be told.

`imap_label` has the labels of a message in a folder as the server last said; what the user wants is in `message_label`,
and the difference waits (`imap_pending`). A folder that keeps no keywords leaves labels to this program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.mail import label_keyword, sanitize
from termmail.mail.model import LABEL_COLORS
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from termmail.store.store import Store

MOST_LABELS = 200
"""Labels beyond which no more are made of the keywords of servers."""

LONGEST_NAME = 40


class LabelPush(Struct, frozen=True):
    """A message of a folder whose labels differ: keywords to `add` and to `remove`; `row_id` is its imap_message."""

    row_id: int
    message_id: int
    folder_id: int
    uid: int
    add: frozenset[str]
    remove: frozenset[str]


def take(store: Store, folder_id: int, told: Sequence[tuple[int, frozenset[str]]], kept: Kept) -> list[int]:
    """Store the keywords that the server tells, (UID, flags) each; return the messages whose labels this changed here.

    What the user changed here stays; every other label becomes what the server says, as far as the folder keeps it.
    """
    named = {flag for _, flags in told for flag in flags if label_keyword.is_label(flag)}
    has_some = "SELECT 1 FROM imap_label l JOIN imap_message i ON i.id = l.row WHERE i.folder = ? LIMIT 1"
    if not named and store.read_one(has_some, (folder_id,)) is None:
        return []
    with store.transaction() as db:
        labels = _labels(db, named)
        flags_of = dict(told)
        rows = db.execute(
            f"SELECT id, uid, message FROM imap_message WHERE folder = ? AND uid {IN_IDS} AND message IS NOT NULL",  # noqa: S608
            (folder_id, id_list(flags_of)),
        ).fetchall()
        bases = _bases(db, [row_id for row_id, _, _ in rows])
        keywords = dict(db.execute("SELECT id, keyword FROM label"))
        changed = []
        for row_id, uid, message_id in rows:
            base = bases.get(row_id, set())
            now = {labels[flag.lower()] for flag in flags_of[uid] if flag.lower() in labels}
            now |= {one for one in base - now if not kept.keeps(keywords[one])}
            if now != base:
                _take(db, row_id, message_id, base, now)
                changed.append(message_id)
    return changed


class Kept(Struct, frozen=True):
    r"""Which keywords a folder keeps: any (`new`: "\*" is among its permanent flags), or the `known` ones, lower case."""

    new: bool
    known: frozenset[str] = frozenset()

    def keeps(self, keyword: str) -> bool:
        """Return whether the word of the server on this keyword means something."""
        return self.new or keyword.lower() in self.known


def _take(db: sqlite3.Connection, row_id: int, message_id: int, base: set[int], now: set[int]) -> None:
    # The rows of the server come first: what is equal then does not become pending.
    db.executemany("DELETE FROM imap_label WHERE row = ? AND label = ?", [(row_id, one) for one in base - now])
    db.executemany("INSERT OR IGNORE INTO imap_label (row, label) VALUES (?, ?)", [(row_id, one) for one in now - base])
    db.executemany(
        "DELETE FROM message_label WHERE message = ? AND label = ?", [(message_id, one) for one in base - now]
    )
    db.executemany(
        "INSERT OR IGNORE INTO message_label (message, label) VALUES (?, ?)", [(message_id, one) for one in now - base]
    )


def _bases(db: sqlite3.Connection, row_ids: Iterable[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for row_id, label_id in db.execute(f"SELECT row, label FROM imap_label WHERE row {IN_IDS}", (id_list(row_ids),)):  # noqa: S608
        found.setdefault(row_id, set()).add(label_id)
    return found


def _labels(db: sqlite3.Connection, named: Collection[str]) -> dict[str, int]:
    """Return the labels for keywords, by these in lower case; one that is missing is made, unless there are too many."""
    known = {keyword.lower(): label_id for label_id, keyword in db.execute("SELECT id, keyword FROM label")}
    names = {name.casefold() for (name,) in db.execute("SELECT name FROM label")}
    for keyword in sorted(named):
        name = " ".join(sanitize.clean_words(label_keyword.name(keyword)).split())[:LONGEST_NAME].strip()
        if keyword.lower() in known or not name or name.casefold() in names or len(known) >= MOST_LABELS:
            continue
        cursor = db.execute(
            "INSERT INTO label (name, color, keyword) VALUES (?, ?, ?)", (name, len(known) % LABEL_COLORS, keyword)
        )
        known[keyword.lower()] = cursor.lastrowid or 0
        names.add(name.casefold())
    return {keyword.lower(): known[keyword.lower()] for keyword in named if keyword.lower() in known}


# -- what the server does not know yet


def waiting(store: Store, account: str, now: int) -> list[LabelPush]:
    """Return the labels that are due to be pushed."""
    rows = store.read(
        "SELECT i.id, m.id, i.folder, i.uid FROM imap_pending w JOIN message m ON m.id = w.message"  # noqa: S608 - ours
        f" JOIN imap_message i ON i.message = m.id WHERE m.account = ? AND w.due_at <= ? AND i.uid IS NOT NULL"
        f" AND {DIFFER} ORDER BY i.folder, i.uid",
        (account, now),
    )
    with store.reading() as db:
        keywords = dict(db.execute("SELECT id, keyword FROM label"))
        bases = _bases(db, [row[0] for row in rows])
        found = []
        for row_id, message_id, folder_id, uid in rows:
            wanted = {one for (one,) in db.execute("SELECT label FROM message_label WHERE message = ?", (message_id,))}
            base = bases.get(row_id, set())
            add, remove = ({keywords[one] for one in ids} for ids in (wanted - base, base - wanted))
            found.append(LabelPush(row_id, message_id, folder_id, uid, frozenset(add), frozenset(remove)))
    return found


DIFFER = (
    "(EXISTS (SELECT 1 FROM message_label t WHERE t.message = i.message"
    " AND NOT EXISTS (SELECT 1 FROM imap_label l WHERE l.row = i.id AND l.label = t.label))"
    " OR EXISTS (SELECT 1 FROM imap_label l WHERE l.row = i.id"
    " AND NOT EXISTS (SELECT 1 FROM message_label t WHERE t.message = i.message AND t.label = l.label)))"
)
"""Whether the labels of a message differ from those of its row `i` of the server."""


def stored(store: Store, rows: Iterable[LabelPush]) -> None:
    """Note that the server has the new labels, or that its folder keeps no such ones."""
    with store.transaction(durable=True) as db:
        for one in rows:
            for sql, keywords in (
                ("INSERT OR IGNORE INTO imap_label (row, label) SELECT ?, id FROM label WHERE keyword = ?", one.add),
                (
                    "DELETE FROM imap_label WHERE row = ? AND label = (SELECT id FROM label WHERE keyword = ?)",
                    one.remove,
                ),
            ):
                db.executemany(sql, [(one.row_id, keyword) for keyword in keywords])
