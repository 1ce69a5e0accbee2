"""What lists show of what the user attached to messages: labels, snooze, reminder, and that a message came back."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.mail.model import Label, Returned
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.mail.model import MessageRow
    from termmail.store.store import Store

_MARKS = (
    f"SELECT 'snooze', message, folder, until, '' FROM snooze WHERE message {IN_IDS}"  # noqa: S608 - texts of ours
    f" UNION ALL SELECT 'reminder', message, 0, until, '' FROM reminder WHERE message {IN_IDS}"
    f" UNION ALL SELECT 'returned', message, folder, 0, why FROM returned WHERE message {IN_IDS}"
)


def added(store: Store, rows: Iterable[MessageRow]) -> list[MessageRow]:
    """Return the rows with what is attached to their messages, in the folder that each row names."""
    plain = list(rows)
    wanted = id_list(row.message_id for row in plain)
    snoozed: dict[tuple[int, int], int] = {}
    reminders: dict[int, int] = {}
    returned: dict[tuple[int, int], Returned] = {}
    for kind, message_id, folder_id, until, why in store.read(_MARKS, (wanted, wanted, wanted)):
        if kind == "snooze":
            snoozed[message_id, folder_id] = until
        elif kind == "reminder":
            reminders[message_id] = until
        else:
            returned[message_id, folder_id] = Returned(why)
    labelled = _labels(store, wanted)
    muted = frozenset(
        chain.from_iterable(
            store.read(
                f"SELECT thread FROM muted_thread WHERE thread {IN_IDS}",  # noqa: S608 - a text of ours
                (id_list(row.thread for row in plain),),
            )
        )
    )
    if not (snoozed or reminders or returned or labelled or muted):
        return plain
    return [
        replace(
            row,
            labels=labelled.get(row.message_id, ()),
            snoozed_until=snoozed.get(row.placement, 0),
            remind_at=reminders.get(row.message_id, 0),
            returned=returned.get(row.placement),
            muted=row.thread in muted,
        )
        for row in plain
    ]


def _labels(store: Store, message_ids: str) -> dict[int, tuple[Label, ...]]:
    """Return the labels of those messages (an `id_list`) that have some, by name."""
    found: dict[int, list[Label]] = {}
    for message_id, *row in store.read(
        "SELECT t.message, l.id, l.name, l.color FROM message_label t JOIN label l ON l.id = t.label"  # noqa: S608
        f" WHERE t.message {IN_IDS}",
        (message_ids,),
    ):
        found.setdefault(message_id, []).append(Label(*row))
    return {
        message_id: tuple(sorted(labels, key=lambda one: one.name.casefold())) for message_id, labels in found.items()
    }
