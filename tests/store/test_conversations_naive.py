"""Breaking apart, joining and undoing against a naive model of the conversations, whatever comes in whatever order."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from termmail.mail.conversation import ancestors
from termmail.mail.model import StepKind
from termmail.store import conversation_changes, conversations, derived, messages
from termmail.store.store import Store
from tests.store.parts import NOW, folder, undo

NUMBERS = st.integers(0, 8)


class Arrive(NamedTuple):
    """A message with this Message-ID, or none, that refers to these."""

    number: int | None
    references: list[int]


class ByHand(NamedTuple):
    """Break the messages at these places off, or join them."""

    kind: StepKind
    places: list[int]


class Hands(NamedTuple):
    """What was done by hand: the moment at which each Message-ID was cut, and the joins with theirs."""

    cuts: dict[str, int]
    joins: list[tuple[str, str, int]]


ARRIVALS = st.builds(Arrive, st.none() | NUMBERS, st.lists(NUMBERS, max_size=3))
HANDS = st.builds(
    ByHand, st.sampled_from([StepKind.BREAK_OFF, StepKind.JOIN]), st.lists(st.integers(0, 9), min_size=1, max_size=3)
)
STORIES = st.lists(ARRIVALS | HANDS | st.none(), min_size=4, max_size=20)
"""None is an undo."""

Posts = dict[int, tuple[str, tuple[str, ...]]]
"""The messages: their Message-ID, and those to which they refer."""


def model(posts: Posts, hands: Hands) -> set[frozenset[int]]:
    """What shares a Message-ID is connected, and so is what was joined and not broken off later."""
    links: list[tuple[object, object]] = []
    for one, (own, references) in posts.items():
        cut = max((place for place, each in enumerate(references) if each in hands.cuts), default=0)
        links += [(one, key) for key in ([own] if own else [])]
        links += [(one, key) for key in references[cut:] if own not in hands.cuts or not own]
    links += [
        (one, other) for one, other, at in hands.joins if at > max(hands.cuts.get(one, 0), hands.cuts.get(other, 0))
    ]
    group: dict[object, object] = {}
    for one in {*posts, *(end for link in links for end in link)}:
        group[one] = one
    for one, other in links:
        old, new = group[one], group[other]
        group = {each: new if name == old else name for each, name in group.items()}
    found: dict[object, set[int]] = {}
    for message_id in posts:
        found.setdefault(group[message_id], set()).add(message_id)
    return set(map(frozenset, found.values()))


def grouped(store: Store) -> set[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for message_id, thread in store.read("SELECT id, thread FROM message"):
        found.setdefault(thread, set()).add(message_id)
    assert store.read("SELECT 1 FROM placement p JOIN message m ON m.id = p.message WHERE p.thread <> m.thread") == []
    return set(map(frozenset, found.values()))


def arrived(store: Store, event: Arrive, moment: int) -> tuple[int, tuple[str, tuple[str, ...]]]:
    lines = ["From: Ada <ada@example.org>", "To: Bob <bob@example.org>", f"Subject: s{moment}"]
    lines += [] if event.number is None else [f"Message-ID: <{event.number}@x>"]
    lines += ["References: " + " ".join(f"<{one}@x>" for one in event.references)] if event.references else []
    raw = "\r\n".join([*lines, "", "Text.", ""]).encode()
    found = derived.from_raw(raw, complete=True)
    message_id = messages.add_local(store, "work", folder(store, "Inbox").folder_id, raw, found, received=NOW + moment)
    own, references, in_reply_to = store.read(
        "SELECT message_id, refs, in_reply_to FROM message WHERE id = ?", (message_id,)
    )[0]
    return message_id, (own, ancestors(references.split(), in_reply_to))


def by_hand(posts: Posts, hands: Hands, event: ByHand, chosen: list[int], moment: int) -> Hands:
    """What is done by hand after this; what was done already keeps its moment."""
    keys = [posts[one][0] for one in sorted(chosen) if posts[one][0]]
    if event.kind is StepKind.BREAK_OFF:
        return Hands(dict.fromkeys(keys, moment) | hands.cuts, hands.joins)
    known = {(one, other) for one, other, _ in hands.joins}
    links = dict.fromkeys((keys[0], other) for other in keys[1:]) if keys else {}
    return Hands(hands.cuts, hands.joins + [(*link, moment) for link in links if link not in known])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STORIES)
def test_conversations_are_those_of_a_naive_model_whatever_is_broken_off_joined_and_undone(tmp_path_factory, story):
    with Store.open(tmp_path_factory.mktemp("any") / "mail.db") as store:
        posts: Posts = {}
        hands = Hands({}, [])
        before: list[Hands] = []
        for moment, event in enumerate(story, 1):
            if isinstance(event, Arrive):
                message_id, headers = arrived(store, event, moment)
                posts[message_id] = headers
            elif event is None:
                undone = undo(store)
                assert (undone is not None) == bool(before)
                hands = before.pop() if before else hands
            elif posts:
                chosen = sorted({sorted(posts)[place % len(posts)] for place in event.places})
                wanted = by_hand(posts, hands, event, chosen, moment)
                change = (
                    conversation_changes.break_off if event.kind is StepKind.BREAK_OFF else conversation_changes.join
                )
                done = change(store, chosen, NOW)
                assert (done.step is not None) == (model(posts, wanted) != model(posts, hands))
                if done.step is not None:
                    before.append(hands)
                    hands = wanted
            assert grouped(store) == model(posts, hands)
        conversations.group_anew(store)
        assert grouped(store) == model(posts, hands)
