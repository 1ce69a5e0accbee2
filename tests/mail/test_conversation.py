"""Conversations as trees, and subjects without the marks of replies."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.conversation import Node, ancestors, base_subject, key, tree
from tests.timing import assert_grows_less, assert_soon


def node(number: int, *references: int, date: int | None = None, rfc: str | None = None) -> Node:
    """A message whose Message-ID is its number."""
    own = f"{number}@x" if rfc is None else rfc
    return Node(number, own, tuple(f"{one}@x" for one in references), number if date is None else date)


def drawn(*nodes: Node) -> str:
    """The tree in one line: each message with its depth before it."""
    return " ".join(f"{one.depth}:{one.message_id}" for one in tree(nodes))


def test_answers_stand_below_what_they_answer_by_date():
    assert drawn(node(1), node(2, 1), node(3, 1), node(4, 1, 2)) == "0:1 1:2 2:4 1:3"


def test_order_of_the_messages_does_not_matter():
    nodes = [node(1), node(2, 1), node(3, 1, 2), node(4, 1)]
    assert drawn(*nodes[::-1]) == drawn(*nodes)


def test_a_missing_parent_is_passed_over():
    assert drawn(node(1), node(3, 1, 2)) == "0:1 1:3"
    assert drawn(node(3, 1, 2), node(4, 1)) == "0:3 0:4"


def test_a_circle_is_cut_at_its_oldest_message():
    assert drawn(node(1, 3), node(2, 1), node(3, 2)) == "0:1 1:2 2:3"
    assert drawn(node(1), node(2, 2), node(3, 4), node(4, 3)) == "0:1 0:2 0:3 1:4"


def test_several_messages_of_one_id_stand_beside_each_other():
    twice = node(2, 1, rfc="1@x")
    assert drawn(node(1), twice, node(3, 1)) == "0:1 1:3 0:2"


def test_messages_without_an_id_answer_and_are_not_answered():
    assert drawn(node(1), node(2, 1, rfc=""), node(3, rfc="")) == "0:1 1:2 0:3"


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 12), max_size=4), st.integers(0, 5), st.sampled_from([None, "", "1@x"])),
        max_size=12,
    )
)
def test_every_message_is_there_once_below_one_that_came_before_it(headers):
    nodes = [node(n, *references, date=date, rfc=rfc) for n, (references, date, rfc) in enumerate(headers)]
    places = tree(nodes)
    assert sorted(one.message_id for one in places) == list(range(len(nodes)))
    depths = [-1, *(one.depth for one in places)]
    assert all(0 <= depth <= before + 1 for before, depth in pairwise(depths))


def test_five_thousand_answers_make_a_tree_in_time_in_proportion():
    def chain(size: int) -> list[Node]:
        return [node(n, *range(max(0, n - 20), n)) for n in range(size)]

    small, large = chain(1250), chain(5000)
    assert_grows_less(lambda: tree(small), lambda: tree(large), 8)
    circle = [node(n, (n - 1) % 5000) for n in range(5000)]
    assert_soon(lambda: tree(circle), 1)
    assert max(one.depth for one in tree(circle)) == 4999


def test_in_reply_to_counts_where_references_lack_it():
    assert ancestors(["a", "b"], "b") == ("a", "b")
    assert ancestors(["a"], "b") == ("a", "b")
    assert ancestors([], "") == ()


@pytest.mark.parametrize(
    ("subject", "base", "is_reply"),
    [
        ("Lunch", "lunch", False),
        ("Re: Lunch", "lunch", True),
        ("RE: AW: Fwd: lunch", "lunch", True),
        ("Re[2]: Lunch", "lunch", True),
        ("[list] Re: [list]  Lunch", "lunch", True),
        ("[list] Lunch", "lunch", False),
        ("回复：午饭", "午饭", True),
        ("Re:", "re:", False),
        ("Re: Re:", "re:", True),
        ("Reply to all", "reply to all", False),
        ("", "", False),
    ],
)
def test_the_marks_before_a_subject_are_not_part_of_it(subject, base, is_reply):
    assert base_subject(subject) == (base, is_reply)


def test_a_subject_of_marks_only_is_read_soon():
    assert_soon(lambda: base_subject("Re: " * 100_000), 0.2)
    assert_soon(lambda: base_subject("[" * 100_000), 0.2)


def test_keys_fit_into_an_integer_of_the_store():
    assert all(-(2**63) <= key(text) < 2**63 for text in ("", "a@b", "é", "\udcff"))
    assert key("a@b") != key("a@c")
