"""Lists of conversations: their order, their rows folded and unfolded, and what a folded row says."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.mail import conversation
from termmail.mail.conversation import Node
from termmail.mail.model import DISCARDED, ME, PEOPLE, Conversation, Order, Placement
from termmail.mail.views import Outline, Unfolded
from termmail.store import folders, messages
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from termmail.mail.conversation import Place
    from termmail.mail.model import MessageRow
    from termmail.store.store import Store


def outline(
    store: Store,
    folder_ids: Sequence[int],
    unfolded: Unfolded,
    *,
    order: Order = Order.NEWEST,
    limit: int | None = None,
) -> Outline:
    """Return the conversations that have a message in these folders, at most `limit` of them.

    Each stands where its newest message there stands, by date; in the other orders where its first one stands.
    """
    heads, conversations = _heads(store, folder_ids, order, limit)
    wanted = [thread for thread in conversations if thread in unfolded] if unfolded != Unfolded() else []
    trees = _trees(store, wanted, folder_ids) if wanted else {}
    if not trees:
        return Outline(heads, conversations, {})
    ids, threads = array("q"), array("q")
    depths: dict[int, int] = {}
    for message_id, thread in zip(heads, conversations, strict=True):
        places = trees.get(thread, ())
        if len(places) < 2:
            ids.append(message_id)
            threads.append(thread)
            continue
        for one in places:
            ids.append(one.message_id)
            threads.append(thread)
            depths[one.message_id] = one.depth
    return Outline(ids, threads, depths)


def _heads(store: Store, folder_ids: Sequence[int], order: Order, limit: int | None) -> tuple[array[int], array[int]]:
    """Return the messages that stand for their conversations, in the order of the list, and the conversations."""
    if order is Order.OLDEST:
        ids, threads = _heads(store, folder_ids, Order.NEWEST, None)
        end = None if limit is None else -limit - 1
        return ids[:end:-1], threads[:end:-1]
    ids, threads = array("q"), array("q")
    (newest,) = store.read_one("SELECT coalesce(max(thread), 0) FROM message") or (0,)
    seen = bytearray(newest + 1)  # a dictionary of all conversations would take a hundred times as much
    for message_id, thread in messages.threads(store, folder_ids, order=order):
        if not seen[thread]:
            seen[thread] = 1
            ids.append(message_id)
            threads.append(thread)
            if len(ids) == limit:
                break
    return ids, threads


def _trees(store: Store, threads: Iterable[int], folder_ids: Sequence[int]) -> dict[int, list[Place]]:
    """Return the tree of each of these conversations: of its messages that are in these folders or not discarded."""
    nodes: dict[int, list[Node]] = {}
    rows = store.read(
        "SELECT m.thread, m.id, m.message_id, m.in_reply_to, m.refs, m.sort_date FROM message m"  # noqa: S608 - texts of ours
        f" WHERE m.thread {IN_IDS} AND {_SHOWN}",
        (id_list(threads), id_list(folder_ids)),
    )
    for thread, message_id, rfc_message_id, in_reply_to, references, date in rows:
        line = conversation.ancestors(references.split(), in_reply_to)
        nodes.setdefault(thread, []).append(Node(message_id, rfc_message_id, line, date))
    return {thread: conversation.tree(found) for thread, found in nodes.items()}


_SHOWN = (
    "EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id"  # noqa: S608 - texts of ours
    f" AND (p.folder NOT IN {folders.ids_with_roles(sorted(DISCARDED))} OR p.folder {IN_IDS}))"
)
"""Whether a message m is shown with its conversation. Its value is the id_list of the folders of the view."""


def tree(store: Store, message_id: int) -> list[Place]:
    """Return the tree of the conversation of a message, itself included; empty where the message is gone."""
    row = store.read_one(
        "SELECT m.thread, p.folder FROM message m JOIN placement p ON p.message = m.id WHERE m.id = ?", (message_id,)
    )
    return [] if row is None else _trees(store, [row[0]], [row[1]]).get(row[0], [])


def fold(store: Store, rows: Sequence[MessageRow], folder_ids: Sequence[int]) -> list[MessageRow]:
    """Return rows that stand for their whole conversations, as far as these have more than one message."""
    found = _summaries(store, {one.thread for one in rows}, folder_ids)
    return [
        replace(row, conversation=summary.conversation(), unread=summary.unread > 0, starred=summary.starred > 0)
        if (summary := found.get(row.thread)) is not None and summary.count > 1
        else row
        for row in rows
    ]


class _Summary:
    """A conversation, while its messages are counted."""

    def __init__(self) -> None:
        self.count = 0
        self.unread = 0
        self.starred = 0
        self.people: dict[str, None] = {}
        self.members: list[Placement] = []

    def conversation(self) -> Conversation:
        people = list(self.people)
        if len(people) > PEOPLE:
            people = [*people[: PEOPLE - 1], people[-1]]
        return Conversation(tuple(people), self.count, self.unread, tuple(self.members[::-1]))


def _summaries(store: Store, threads: Collection[int], folder_ids: Sequence[int]) -> dict[int, _Summary]:
    found: dict[int, _Summary] = {}
    in_view = dict(messages.placements_of(store, threads, folder_ids))
    rows = list(
        store.read(
            "SELECT m.thread, m.id, m.unread, m.starred, EXISTS (SELECT 1 FROM placement s JOIN folder f ON f.id = s.folder"  # noqa: S608
            " WHERE s.message = m.id AND f.role = 'sent'), m.sender, m.message_id FROM message m"
            f" WHERE m.thread {IN_IDS} AND {_SHOWN} ORDER BY m.sort_date, m.id",
            (id_list(threads), id_list(folder_ids)),
        )
    )
    mine = {(thread, sender, copy) for thread, *_, is_sent, sender, copy in rows if is_sent and copy}
    for thread, message_id, unread, starred, is_sent, sender, copy in rows:
        one = found.setdefault(thread, _Summary())
        one.count += 1
        is_mine = is_sent or (thread, sender, copy) in mine  # a list or a Bcc may have brought a copy back
        one.people.setdefault(ME if is_mine else sender)
        if (folder_id := in_view.get(message_id)) is not None:
            one.unread += unread
            one.starred += starred
            one.members.append(Placement(message_id, folder_id))
    return found


def members(store: Store, message_ids: Iterable[int], folder_ids: Sequence[int]) -> list[Placement]:
    """Return where the messages of the conversations of these messages are in these folders, newest first."""
    threads = [
        thread
        for (thread,) in store.read(
            f"SELECT DISTINCT thread FROM message WHERE id {IN_IDS}",  # noqa: S608 - a text of ours
            (id_list(message_ids),),
        )
    ]
    return [Placement(*row) for row in messages.placements_of(store, threads, folder_ids)]
