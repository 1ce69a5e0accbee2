"""Which labels there are, how they are called here and on IMAP servers, and making one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.mail import label_keyword, sanitize
from termmail.mail.model import LABEL_COLORS, Label
from termmail.store import free_names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from termmail.store.store import Store

LONGEST_NAME = 40
"""Characters of a label's name, at most."""

MOST_LABELS = 200
"""Labels beyond which no more are made of the keywords of servers."""


class LabelError(UserError):
    """A label cannot have this name, or does not exist."""

    advice = "Choose another name."


def listing(store: Store) -> list[Label]:
    """Return the labels that a message has, by name."""
    rows = store.read(
        "SELECT id, name, color FROM label l WHERE EXISTS (SELECT 1 FROM message_label t WHERE t.label = l.id)"
    )
    return sorted((Label(*row) for row in rows), key=lambda one: (one.name.casefold(), one.label_id))


def find(store: Store, name: str) -> Label | None:
    """Return the label of this name, in any case of letters, or None; also one that no message has any more."""
    wanted = " ".join(name.split()).casefold()
    rows = store.read("SELECT id, name, color FROM label")
    return next((Label(*row) for row in rows if row[1].casefold() == wanted), None)


def get(store: Store, label_id: int) -> Label:
    """Return a label. Raises LabelError where there is none."""
    row = store.read_one("SELECT id, name, color FROM label WHERE id = ?", (label_id,))
    if row is None:
        raise LabelError("This label does not exist.", advice="Choose another label.")
    return Label(*row)


def keyword(store: Store, label_id: int) -> str:
    """Return what a label is on IMAP servers."""
    row = store.read_one("SELECT keyword FROM label WHERE id = ?", (label_id,))
    return "" if row is None else str(row[0])


def checked_name(name: str) -> str:
    """Return the name as it is stored. Raises LabelError for one that cannot be used."""
    name = " ".join(name.split())
    if not name:
        raise LabelError("A label needs a name.")
    if len(name) > LONGEST_NAME:
        raise LabelError(f"The name of a label may have {LONGEST_NAME} characters at most.")
    if sanitize.clean_words(name) != name:
        raise LabelError("The name of a label may hold no control characters and no invisible ones.")
    return name


# -- making


def make(store: Store, name: str) -> Label:
    """Return the label of this name, which is made where it is missing. Raises LabelError."""
    name = checked_name(name)
    with store.transaction() as db:
        return find(store, name) or _made(db, name, _free_keyword(db, name))


def of_keywords(db: sqlite3.Connection, told: Collection[str]) -> dict[str, int]:
    """Return the labels for keywords that a server tells, by these in lower case.

    One that is missing is made, unless there are too many. It has the name that the keyword stands for, with a number
    behind it where another label is called so.
    """
    known = {one.lower(): label_id for label_id, one in db.execute("SELECT id, keyword FROM label")}
    for one in sorted(told):
        name = " ".join(sanitize.clean_words(label_keyword.name(one)).split())[:LONGEST_NAME].strip()
        if one.lower() not in known and name and len(known) < MOST_LABELS:
            known[one.lower()] = _made(db, free_name(db, name), one).label_id
    return {one.lower(): known[one.lower()] for one in told if one.lower() in known}


def free_name(db: sqlite3.Connection, name: str, label_id: int = 0) -> str:
    """Return this name, with a number behind it where another label than `label_id` has it."""
    taken = {other.casefold() for (other,) in db.execute("SELECT name FROM label WHERE id <> ?", (label_id,))}
    return free_names.free_name(name, lambda one: one.casefold() in taken, longest=LONGEST_NAME)


def _made(db: sqlite3.Connection, name: str, keyword: str) -> Label:
    used = dict(db.execute("SELECT color, count(*) FROM label GROUP BY color").fetchall())
    color = min(range(LABEL_COLORS), key=lambda one: (used.get(one, 0), one))
    cursor = db.execute("INSERT INTO label (name, color, keyword) VALUES (?, ?, ?)", (name, color, keyword))
    return Label(cursor.lastrowid or 0, name, color)


def _free_keyword(db: sqlite3.Connection, name: str) -> str:
    """Return a keyword for a label of this name that no other label has."""
    taken = {one.lower() for (one,) in db.execute("SELECT keyword FROM label")}
    return free_names.free_name(label_keyword.keyword(name), lambda one: one.lower() in taken, ending="_{}")
