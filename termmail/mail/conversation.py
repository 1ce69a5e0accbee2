"""Conversations: which messages belong together by their headers, and the tree that they make.

The algorithm is that of Jamie Zawinski (https://www.jwz.org/doc/threading.html), without containers for messages that
are not there: who refers to one of those refers to the same conversation all the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REPLY_PREFIX = re.compile(
    r"(?:\[[^\[\]]{1,40}\]|(?:re|aw|sv|vs|antw|odp|ref|rif|回复|答复|回覆|fwd?|wg|tr|i|转发)(?:\[\d{1,4}\])?\s?[:：])\s*",
    re.IGNORECASE,
)
"""One mark before a subject: of a reply or of a forwarded message in the usual languages, or the name of a list."""

SUBJECT_LIMIT = 1000
"""Characters of a subject that are looked at."""


class Node(NamedTuple):
    """A message of a conversation: its id in the store, its headers, and its date (UTC seconds).

    `rfc_message_id` is without brackets, "" where the message has none. `references` are those of `ancestors`.
    """

    message_id: int
    rfc_message_id: str
    references: tuple[str, ...]
    date: int


class Place(NamedTuple):
    """Where a message is in the tree of its conversation; `depth` 0 is a message that answers none of the others."""

    message_id: int
    depth: int


def ancestors(references: Sequence[str], in_reply_to: str) -> tuple[str, ...]:
    """Return the Message-IDs that a message answers, oldest first: References, and In-Reply-To where that lacks it.

    RFC 5322 section 3.6.4.
    """
    return (*references, in_reply_to) if in_reply_to and in_reply_to not in references else tuple(references)


def key(text: str) -> int:
    """Return a number of 64 bits (signed, as SQLite keeps it) for a Message-ID or a subject: shorter than the text."""
    from hashlib import blake2b  # noqa: PLC0415 - it loads OpenSSL, which a list does not need

    digest = blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def base_subject(subject: str) -> tuple[str, bool]:
    """Return a subject without the marks before it, case folded, and whether one of them is that of a reply."""
    text = " ".join(subject[:SUBJECT_LIMIT].split())
    is_reply = False
    while (found := REPLY_PREFIX.match(text)) and found.end() < len(text):
        is_reply |= not found[0].startswith("[")
        text = text[found.end() :]
    return text.casefold(), is_reply


def tree(nodes: Iterable[Node]) -> list[Place]:
    """Return every message of a conversation in the order of its tree: answers behind what they answer, by date.

    A message answers the nearest of its ancestors that is there. Of several messages with one Message-ID the oldest
    counts; the others stand where it stands. Where references run in a circle, its oldest
    message answers none.
    """
    ordered = sorted(nodes, key=lambda one: (one.date, one.message_id))
    first: dict[str, int] = {}
    for place, one in enumerate(ordered):
        if one.rfc_message_id:
            first.setdefault(one.rfc_message_id, place)
    parents = [_parent(place, one, first) for place, one in enumerate(ordered)]
    _cut_circles(parents)
    children: dict[int | None, list[int]] = {}
    for place, parent in enumerate(parents):
        children.setdefault(parent, []).append(place)
    found: list[Place] = []
    waiting = [(place, 0) for place in reversed(children.get(None, []))]
    while waiting:
        place, depth = waiting.pop()
        found.append(Place(ordered[place].message_id, depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(place, []))]
    return found


def _parent(place: int, one: Node, first: dict[str, int]) -> int | None:
    """Return the place of the nearest ancestor that is there; None where none is."""
    for reference in reversed(one.references):
        parent = first.get(reference)
        if parent is not None and parent != place and reference != one.rfc_message_id:
            return parent
    return None


def _cut_circles(parents: list[int | None]) -> None:
    """Make the oldest message of each circle a root, so that every message is below a root."""
    walks = [0] * len(parents)
    for start in range(len(parents)):
        place: int | None = start
        while place is not None and not walks[place]:
            walks[place] = start + 1
            place = parents[place]
        if place is not None and walks[place] == start + 1:
            circle = [place]
            while (parent := parents[circle[-1]]) is not None and parent != place:
                circle.append(parent)
            parents[min(circle)] = None
