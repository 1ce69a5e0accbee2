"""The bytes of messages, compressed and not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.store import messages
from termmail.store.raw_bytes import LARGEST, pack, unpack
from termmail.store.store_errors import StoreDamaged
from tests.store.parts import add_local, download, ids_in, new, session, whole


@given(st.binary(max_size=300) | st.binary(max_size=8).map(lambda piece: piece * 400))
def test_what_is_packed_comes_back_byte_for_byte(raw: bytes) -> None:
    data, packed = pack(raw)
    assert unpack(data, packed) == raw
    assert len(data) <= len(raw)


def test_large_messages_and_what_gains_nothing_stay_as_they_are():
    assert pack(b"x" * (LARGEST + 1)) == (b"x" * (LARGEST + 1), 0)
    assert pack(bytes(range(256))) == (bytes(range(256)), 0)
    assert pack(b"x" * LARGEST)[1] == 1


def test_messages_that_came_in_one_piece_or_later_are_read_as_they_came(store):
    raw = whole(1) + b"and on and on\r\n" * 100
    here = add_local(store, "Inbox", raw)
    session(store, [new(2)])
    (there,) = (one for one in ids_in(store) if one != here)
    download(store, there, whole(2) + raw)
    assert messages.raw(store, here) == (raw, True)
    assert messages.raw(store, there) == (whole(2) + raw, True)
    assert {packed for (packed,) in store.read("SELECT packed FROM raw")} == {1}


def test_damage_is_told_in_words(store):
    here = add_local(store, "Inbox", whole(1) + b"and on and on\r\n" * 100)
    store.db.execute("UPDATE raw SET bytes = x'00ff'")
    with pytest.raises(StoreDamaged):
        messages.raw(store, here)
