"""Which messages lists hold, or leave out, because of what the user attached to them: snooze, labels, flags."""

from __future__ import annotations

from array import array
from itertools import chain
from typing import TYPE_CHECKING

from termmail.mail.model import Placement
from termmail.mail.views import Ready
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.store.store import Store


def hidden(store: Store, folder_ids: Sequence[int]) -> frozenset[int]:
    """Return the messages that the lists of these folders leave out."""
    wanted = id_list(folder_ids)
    rows = store.read(f"SELECT message FROM snooze WHERE folder {IN_IDS}", (wanted,))  # noqa: S608 - a text of ours
    return frozenset(chain.from_iterable(rows))


def snoozed_ids(store: Store) -> array[int]:
    """Return the messages that are snoozed in some folder, the one that comes back next first."""
    return array("q", dict.fromkeys(one.message_id for one in _snoozed(store)))


def snoozed_folders(store: Store) -> dict[int, int]:
    """Return the folder to which each snoozed message comes back next, by the message."""
    return {one.message_id: one.folder_id for one in reversed(_snoozed(store))}


def _snoozed(store: Store) -> list[Placement]:
    rows = store.read(
        "SELECT z.message, z.folder FROM snooze z JOIN placement p ON p.message = z.message AND p.folder = z.folder"
        " ORDER BY z.until, z.message"
    )
    return [Placement(*row) for row in rows]


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
