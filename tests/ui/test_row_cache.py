"""The rows near the window: what a fetch read before a change does not replace what came after it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.mail.model import MessageRow, Role, Row
from termmail.ui.widgets.row_cache import RowCache

if TYPE_CHECKING:
    from collections.abc import Sequence

UNREAD = MessageRow(message_id=1, account="a", folder_id=1, folder="Inbox", role=Role.INBOX, sender="x", recipients="",
    subject="s", snippet="", date=1, size=1, unread=True, starred=False, answered=False, forwarded=False, attachments=0,
    downloaded=True, state="kept", uidl=b"", rfc_message_id="",
)  # fmt: skip


class Source:
    """Rows of which the test says when they are read, and when they come."""

    def __init__(self) -> None:
        self.unread = True
        self.asked: list[asyncio.Event] = []

    async def rows(self, ids: Sequence[int]) -> list[Row]:
        read = [replace(UNREAD, message_id=one, unread=self.unread) for one in ids]
        may_come = asyncio.Event()
        self.asked.append(may_come)
        await may_come.wait()
        return read


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def window() -> tuple[Sequence[int], Sequence[int]]:
    return [1, 2], [1, 2]


async def test_rows_read_before_a_change_are_read_again():
    source = Source()
    cache = RowCache(source.rows, lambda _: None)
    cache.show(replace(UNREAD, message_id=one) for one in (1, 2))
    assert cache.stale(None)
    fetch = asyncio.create_task(cache.fetch(window))
    await turn()
    cache.change([1, 2], unread=False)
    source.unread = False
    assert cache.stale(None)
    source.asked[0].set()
    await turn()
    assert [cache.get(one).unread for one in (1, 2)] == [False, False]
    assert len(source.asked) == 2
    source.asked[1].set()
    await fetch
    assert [cache.get(one).unread for one in (1, 2)] == [False, False]


async def test_a_change_that_is_not_stored_yet_is_not_replaced_by_what_was_read_before_it():
    source = Source()
    cache = RowCache(source.rows, lambda _: None)
    cache.show(replace(UNREAD, message_id=one) for one in (1, 2))
    cache.stale([1, 2])
    fetch = asyncio.create_task(cache.fetch(window))
    await turn()
    cache.change([2], starred=True)
    source.asked[0].set()
    await fetch
    assert [cache.get(one).starred for one in (1, 2)] == [False, True]
    assert not cache.fetching


async def test_a_row_that_was_missing_and_came_meanwhile_is_asked_for_again():
    asked: list[list[int]] = []
    may_come = asyncio.Event()

    async def rows(ids: Sequence[int]) -> list[Row]:
        asked.append(list(ids))
        await may_come.wait()
        return [replace(UNREAD, message_id=one) for one in ids if one == 1 or len(asked) > 1]

    cache = RowCache(rows, lambda _: None)
    fetch = asyncio.create_task(cache.fetch(window))
    await turn()
    cache.stale([2])
    may_come.set()
    await fetch
    assert asked == [[1, 2], [2]]
    assert cache.get(2) is not None
