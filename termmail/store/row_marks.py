"""What lists show of what the user attached to messages: labels, snooze, reminder, and that a message came back."""

from __future__ import annotations

from array import array
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.mail.model import Label, Returned
from termmail.mail.views import Ready
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.mail.model import MessageRow
    from termmail.store.store import Store

_MARKS = (
    f"SELECT 'snooze', message, until, '' FROM snooze WHERE message {IN_IDS}"  # noqa: S608 - texts of ours
    f" UNION ALL SELECT 'reminder', message, until, '' FROM reminder WHERE message {IN_IDS}"
    f" UNION ALL SELECT 'returned', message, 0, why FROM returned WHERE message {IN_IDS}"
)


def added(store: Store, rows: Iterable[MessageRow]) -> list[MessageRow]:
    """Return the rows with what is attached to their messages."""
    plain = list(rows)
    wanted = id_list(row.message_id for row in plain)
    snoozed: dict[int, int] = {}
    reminders: dict[int, int] = {}
    returned: dict[int, Returned] = {}
    for kind, message_id, until, why in store.read(_MARKS, (wanted, wanted, wanted)):
        if kind == "returned":
            returned[message_id] = Returned(why)
        else:
            (snoozed if kind == "snooze" else reminders)[message_id] = until
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
            snoozed_until=snoozed.get(row.message_id, 0),
            remind_at=reminders.get(row.message_id, 0),
            returned=returned.get(row.message_id),
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


def hidden(store: Store, folder_ids: Sequence[int]) -> frozenset[int]:
    """Return the messages that the lists of these folders leave out."""
    wanted = id_list(folder_ids)
    rows = store.read(f"SELECT message FROM snooze WHERE folder {IN_IDS}", (wanted,))  # noqa: S608 - a text of ours
    return frozenset(chain.from_iterable(rows))


def snoozed_ids(store: Store) -> array[int]:
    """Return the messages that are snoozed, the one that comes back next first."""
    rows = store.read(
        "SELECT z.message FROM snooze z JOIN placement p ON p.message = z.message AND p.folder = z.folder"
        " ORDER BY z.until, z.message"
    )
    return array("q", chain.from_iterable(rows))


def labelled_ids(store: Store, label_id: int, limit: int | None = None) -> array[int]:
    """Return the messages that have a label, newest first, without those that are only in Junk or Trash."""
    rows = store.read(
        "SELECT m.id FROM message_label t JOIN message m ON m.id = t.message WHERE t.label = ? AND EXISTS (SELECT 1"
        " FROM placement p JOIN folder f ON f.id = p.folder WHERE p.message = m.id AND f.role NOT IN ('junk', 'trash'))"
        " ORDER BY m.sort_date DESC, m.id DESC LIMIT ?",
        (label_id, -1 if limit is None else limit),
    )
    return array("q", chain.from_iterable(rows))


def ready_ids(store: Store, ready: Ready, limit: int | None = None) -> array[int]:
    """Return the messages of a ready view, newest first; what is snoozed by the time at which it comes back."""
    if ready is Ready.SNOOZED:
        return snoozed_ids(store)[:limit]
    rows = store.read(
        f"SELECT DISTINCT m.id FROM message m JOIN placement p ON p.message = m.id WHERE {_READY[ready]}"  # noqa: S608
        " AND p.folder NOT IN (SELECT id FROM folder WHERE role IN ('junk', 'trash'))"
        " AND NOT EXISTS (SELECT 1 FROM snooze z WHERE z.message = p.message AND z.folder = p.folder)"
        " ORDER BY m.sort_date DESC, m.id DESC LIMIT ?",
        (-1 if limit is None else limit,),
    )
    return array("q", chain.from_iterable(rows))


_READY = {Ready.STARRED: "m.starred = 1", Ready.UNREAD: "p.unread = 1", Ready.ATTACHMENTS: "m.attachments > 0"}
