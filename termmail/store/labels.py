"""Labels on messages, and what changes a label itself: its name, its colour, and removing it from all messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import LABEL_COLORS, Done, StepKind
from termmail.mail.rule import Verb
from termmail.store import journal, label_names, marks, mentions
from termmail.store.label_names import LabelError
from termmail.store.marks import Mark
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from termmail.store.store import Store


def change(store: Store, message_ids: Sequence[int], add: Collection[str], take: Collection[int], now: int) -> Done:
    """Put labels on messages, by name, and take labels away, by id, as one step. Raises LabelError.

    A label that is missing is made.
    """
    with store.transaction() as db:
        added = [label_names.make(store, name) for name in add]
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


def held(store: Store) -> dict[int, int]:
    """Return how many messages have each label, by the label's id."""
    return dict(store.read("SELECT label, count(*) FROM message_label GROUP BY label"))


# -- the label itself


def recolor(store: Store, label_id: int, color: int) -> None:
    """Give a label another colour."""
    with store.transaction() as db:
        db.execute("UPDATE label SET color = ? WHERE id = ?", (color % LABEL_COLORS, label_id))


def rename(store: Store, label_id: int, name: str, now: int) -> Done:
    """Give a label another name, as a step. Raises LabelError for one that cannot be used or is taken.

    Rules and kept searches that name the label follow. Its keyword on IMAP servers stays.
    """
    name = label_names.checked_name(name)
    with store.transaction() as db:
        label = label_names.get(store, label_id)
        if label.name == name:
            return Done(None)
        other = label_names.find(store, name)
        if other is not None and other.label_id != label_id:
            if other in label_names.listing(store):
                raise LabelError(f"There is a label “{other.name}” already.")
            # No message has it: it is in no list, and would be in the way of a name that looks free.
            freed = label_names.free_name(db, name)
            db.execute("UPDATE label SET name = ? WHERE id = ?", (freed, other.label_id))
        db.execute("UPDATE label SET name = ? WHERE id = ?", (name, label_id))
        mentions.follow(db, Verb.LABEL, label.name, name)
        step = journal.begin(db, StepKind.RENAME_LABEL, 0, now, name=name)
        db.execute("UPDATE step SET old_name = ? WHERE id = ?", (label.name, step.step_id))
    return Done(step)


def remove(store: Store, label_id: int, now: int) -> Done:
    """Take a label away from all messages, those in Trash and Spam too, as one step. Raises LabelError.

    Without a message it is in no list; under its name it is found again, with its colour.
    """
    with store.transaction():
        label_names.get(store, label_id)
        rows = store.read("SELECT message FROM message_label WHERE label = ?", (label_id,))
        return change(store, [message_id for (message_id,) in rows], (), (label_id,), now)
