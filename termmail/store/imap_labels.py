"""Labels on an IMAP server: what it says of them, and what it is to be told.

`imap_label` has the labels of a message in a folder as the server last said; what the user wants is in `message_label`,
and the difference waits (`imap_pending`). A label that the folder does not take, because it keeps no keywords or is
read-only, is in `imap_label` with `kept` 0: the message has it only here, until the folder takes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.mail import label_keyword
from termmail.store import label_names
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from termmail.store.store import Store


class LabelPush(Struct, frozen=True):
    """A message of a folder whose labels differ: keywords to `add` and to `remove`; `row_id` is its imap_message.

    Both are empty where the message has lost a label that the server never had.
    """

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
    has_some = "SELECT 1 FROM imap_label l CROSS JOIN imap_message i ON i.id = l.row WHERE i.folder = ? LIMIT 1"
    if not named and store.read_one(has_some, (folder_id,)) is None:
        return []
    with store.transaction() as db:
        labels = label_names.of_keywords(db, named)
        flags_of = dict(told)
        rows = db.execute(
            f"SELECT id, uid, message FROM imap_message WHERE folder = ? AND uid {IN_IDS} AND message IS NOT NULL",  # noqa: S608
            (folder_id, id_list(flags_of)),
        ).fetchall()
        row_ids = [row_id for row_id, _, _ in rows]
        bases, only_here = _bases(db, row_ids), _bases(db, row_ids, kept=0)
        keywords = dict(db.execute("SELECT id, keyword FROM label"))
        changed = []
        for row_id, uid, message_id in rows:
            base = bases.get(row_id, set())
            now = {labels[flag.lower()] for flag in flags_of[uid] if flag.lower() in labels}
            now |= {one for one in base - now if not kept.keeps(keywords[one])} | only_here.get(row_id, set())
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
    db.executemany(
        "INSERT OR REPLACE INTO imap_label (row, label) VALUES (?, ?)", [(row_id, one) for one in now - base]
    )
    db.executemany(
        "DELETE FROM message_label WHERE message = ? AND label = ?", [(message_id, one) for one in base - now]
    )
    db.executemany(
        "INSERT OR IGNORE INTO message_label (message, label) VALUES (?, ?)", [(message_id, one) for one in now - base]
    )


def _bases(db: sqlite3.Connection, row_ids: Iterable[int], kept: int | None = None) -> dict[int, set[int]]:
    """Return the labels that the server has for rows: all, or those with this value of `kept`."""
    found: dict[int, set[int]] = {}
    rows = f"SELECT row, label FROM imap_label WHERE row {IN_IDS} AND kept = coalesce(?, kept)"  # noqa: S608
    for row_id, label_id in db.execute(rows, (id_list(row_ids), kept)):
        found.setdefault(row_id, set()).add(label_id)
    return found


# -- what the server does not know yet


def waiting(store: Store, account: str, now: int) -> list[LabelPush]:
    """Return the labels that are due to be pushed."""
    rows = store.read(
        "SELECT i.id, m.id, i.folder, i.uid FROM imap_pending w CROSS JOIN message m ON m.id = w.message"  # noqa: S608 - ours
        f" CROSS JOIN imap_message i ON i.message = m.id WHERE m.account = ? AND w.due_at <= ? AND i.uid IS NOT NULL"
        f" AND {DIFFER} ORDER BY i.folder, i.uid",
        (account, now),
    )
    with store.reading() as db:
        keywords = dict(db.execute("SELECT id, keyword FROM label"))
        row_ids = [row[0] for row in rows]
        bases, only_here = _bases(db, row_ids), _bases(db, row_ids, kept=0)
        found = []
        for row_id, message_id, folder_id, uid in rows:
            wanted = {one for (one,) in db.execute("SELECT label FROM message_label WHERE message = ?", (message_id,))}
            base = bases.get(row_id, set())
            gone = base - wanted - only_here.get(row_id, set())
            add, remove = ({keywords[one] for one in ids} for ids in (wanted - base, gone))
            found.append(LabelPush(row_id, message_id, folder_id, uid, frozenset(add), frozenset(remove)))
    return found


DIFFER = (
    "(EXISTS (SELECT 1 FROM message_label t WHERE t.message = i.message"
    " AND NOT EXISTS (SELECT 1 FROM imap_label l WHERE l.row = i.id AND l.label = t.label))"
    " OR EXISTS (SELECT 1 FROM imap_label l WHERE l.row = i.id"
    " AND NOT EXISTS (SELECT 1 FROM message_label t WHERE t.message = i.message AND t.label = l.label)))"
)
"""Whether the labels of a message differ from those of its row `i` of the server."""


def stored(store: Store, rows: Iterable[LabelPush], sent: frozenset[str]) -> None:
    """Note that the server has the labels that were `sent`, and that the folder does not take the other new ones."""
    with store.transaction(durable=True) as db:
        for one in rows:
            db.executemany(
                "INSERT OR REPLACE INTO imap_label (row, label, kept) SELECT ?, id, ? FROM label WHERE keyword = ?",
                [(one.row_id, int(keyword in sent), keyword) for keyword in one.add],
            )
            db.executemany(
                "DELETE FROM imap_label WHERE row = ? AND label = (SELECT id FROM label WHERE keyword = ?)",
                [(one.row_id, keyword) for keyword in one.remove & sent],
            )
            db.execute(
                "DELETE FROM imap_label WHERE row = ? AND kept = 0"
                " AND label NOT IN (SELECT label FROM message_label WHERE message = ?)",
                (one.row_id, one.message_id),
            )


def offer_again(store: Store, folder_id: int, kept: Kept) -> None:
    """Let labels that a folder did not take wait to be pushed again, as far as it keeps them now."""
    rows = store.read(
        "SELECT l.row, l.label, i.message, t.keyword FROM imap_label l JOIN imap_message i ON i.id = l.row"
        " JOIN label t ON t.id = l.label WHERE l.kept = 0 AND i.folder = ?",
        (folder_id,),
    )
    again = [row for row in rows if kept.keeps(row[3])]
    if again:
        with store.transaction() as db:
            db.executemany("DELETE FROM imap_label WHERE row = ? AND label = ?", [row[:2] for row in again])
            db.executemany(
                "INSERT OR IGNORE INTO imap_pending (message) SELECT id FROM message WHERE id = ?",
                [(row[2],) for row in again],
            )
