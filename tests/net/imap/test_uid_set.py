"""Sets of unique ids: read, written compressed, split, and never expanded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.net.imap.uid_set import UidSet, batches, parse_ranges

UIDS = st.lists(st.integers(1, 2**32 - 1) | st.integers(1, 50))


@given(UIDS)
def test_a_set_says_what_it_was_made_of_ascending_and_compressed(uids):
    made = UidSet.of(uids)
    assert list(made) == sorted(set(uids))
    assert len(made) == len(set(uids))
    assert all(first > last + 1 for (_, last), (first, _) in zip(made.ranges, made.ranges[1:], strict=False))
    if uids:
        assert UidSet.parse(made.encode()) == made


def test_runs_become_ranges():
    assert UidSet.of([9, 3, 4, 5, 3, 11]).encode() == b"3:5,9,11"
    assert UidSet.of([]).encode() == b""


def test_ranges_that_overlap_or_stand_backwards_are_one():
    assert UidSet.parse(b"7:5,1,6:9,2").ranges == ((1, 2), (5, 9))
    assert parse_ranges(b"7:5,1") == [(5, 7), (1, 1)]


def test_all_numbers_there_are_cost_nothing():
    everything = UidSet.parse(b"1:4294967295")
    assert len(everything) == 2**32 - 1
    assert everything.among([0, 1, 4294967295, 4294967296]) == [1, 4294967295]
    assert not everything.among([])


@pytest.mark.parametrize(
    "text", [b"", b"0", b"1:*", b"*", b"4294967296", b"1,,2", b"-1", b"1:2:3", b"1_0", "٣".encode(), b"99999999999"]
)
def test_what_is_no_set_is_refused(text):
    with pytest.raises(ValueError):
        UidSet.parse(text)


@given(UIDS, st.integers(11, 60), st.integers(1, 20))
def test_batches_keep_the_order_and_their_sets_are_short(uids, octets, most):
    made = list(batches(uids, octets, most))
    assert [uid for batch in made for uid in batch] == uids
    assert all(0 < len(batch) <= most and len(UidSet.of(batch).encode()) <= octets for batch in made)


def test_a_run_is_one_batch_however_long_its_numbers_are():
    assert list(batches(range(10**9, 10**9 + 500), 100, 1000)) == [list(range(10**9, 10**9 + 500))]


@given(UIDS, st.integers(21, 60), st.integers(1, 20))
def test_the_parts_of_a_split_set_hold_the_same_and_each_is_within_both_limits(uids, octets, most):
    whole = UidSet.of(uids)
    parts = whole.split(octets, most)
    assert [uid for part in parts for uid in part] == list(whole)
    assert all(0 < len(part) <= most and len(part.encode()) <= octets for part in parts)
    assert all(len(part.encode()) <= octets for part in whole.split(octets))
