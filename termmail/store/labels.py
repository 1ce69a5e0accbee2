"""Labels: a name and a colour, on any number of messages of any account."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.mail import label_keyword, sanitize
from termmail.mail.model import LABEL_COLORS, Done, Label, StepKind
from termmail.store import journal, label_names, marks
from termmail.store.marks import Mark
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from termmail.store.store import Store

LONGEST_NAME = 40
"""Characters of a label's name, at most."""


class LabelError(UserError):
    """A label cannot have this name, or does not exist."""

    advice = "Choose another name."


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


def make(store: Store, name: str) -> Label:
    """Return the label of this name, which is made where it is missing. Raises LabelError."""
    name = checked_name(name)
    with store.transaction() as db:
        if (found := label_names.find(store, name)) is not None:
            return found
        color = _least_used(db)
        label_id = db.execute(
            "INSERT INTO label (name, color, keyword) VALUES (?, ?, ?)", (name, color, _free_keyword(db, name))
        ).lastrowid
    return Label(label_id or 0, name, color)


def _free_keyword(db: sqlite3.Connection, name: str) -> str:
    """Return a keyword for a label of this name that no other label has."""
    taken = {keyword.lower() for (keyword,) in db.execute("SELECT keyword FROM label")}
    keyword = label_keyword.keyword(name)
    numbered = (f"{keyword}_{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([keyword], numbered) if one.lower() not in taken)


def _least_used(db: sqlite3.Connection) -> int:
    used = dict(db.execute("SELECT color, count(*) FROM label GROUP BY color").fetchall())
    return min(range(LABEL_COLORS), key=lambda color: (used.get(color, 0), color))


def recolor(store: Store, label_id: int, color: int) -> None:
    """Give a label another colour."""
    with store.transaction() as db:
        db.execute("UPDATE label SET color = ? WHERE id = ?", (color % LABEL_COLORS, label_id))


def change(store: Store, message_ids: Sequence[int], add: Collection[str], take: Collection[int], now: int) -> Done:
    """Put labels on messages, by name, and take labels away, by id, as one step. Raises LabelError.

    A label that is missing is made.
    """
    with store.transaction() as db:
        added = [make(store, name) for name in add]
        taken = [one for one in label_names.listing(store) if one.label_id in take]
        wanted: dict[marks.Place, int | None] = {}
        for message_id in message_ids:
            wanted |= {(message_id, one.label_id): None for one in taken}
            wanted |= {(message_id, one.label_id): 1 for one in added}
        before = marks.changes(db, Mark.LABEL, wanted)
        changed = tuple(dict.fromkeys(message_id for message_id, _ in before))
        if not changed:
            return Done(None, already=tuple(message_ids))
        new = {label_id for place in before if wanted[place] for label_id in place[1:]}
        kind, told = (StepKind.LABEL, added) if new else (StepKind.UNLABEL, taken)
        step = journal.begin(db, kind, len(changed), now, name=", ".join(one.name for one in told))
        marks.put(db, step.step_id, Mark.LABEL, wanted, before)
    return Done(step, changed)


def present(store: Store, message_ids: Sequence[int]) -> dict[int, int]:
    """Return how many of the messages have each label, by the label's id."""
    wanted = id_list(message_ids)
    rows = store.read(f"SELECT label, count(*) FROM message_label WHERE message {IN_IDS} GROUP BY label", (wanted,))  # noqa: S608
    return dict(rows)
