"""The rows of the messages in and near the window of a list, fetched as they are needed."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from termmail.mail.model import Row

LARGEST = 2000
"""Rows that are kept."""


class RowCache:
    """Rows by id. `source` fetches rows, `changed` is called with the id of each row that is another than before."""

    def __init__(self, source: Callable[[Sequence[int]], Awaitable[list[Row]]], changed: Callable[[int], None]) -> None:
        self._source = source
        self._changed = changed
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._gone: set[int] = set()
        """Ids for which the source had no row."""
        self._stale: set[int] = set()
        """Ids whose row must be fetched again."""
        self._newer: set[int] = set()
        """Ids whose row became stale or was changed since the fetch that runs has asked for it."""
        self._view = 0
        """Counts the views that were shown."""
        self.fetching = False
        """A fetch was started and has not ended; set by the list that starts it."""

    def get(self, row_id: int) -> Row | None:
        """Return a row, if it is loaded."""
        return self._rows.get(row_id)

    def show(self, rows: Iterable[Row]) -> None:
        """Forget everything, for the list shows another view, and begin with these rows."""
        self._view += 1
        self._gone.clear()
        self._stale.clear()
        self._rows.clear()
        self._rows.update((row.key, row) for row in rows)

    def change(self, ids: Iterable[int], **fields: Any) -> None:
        """Replace these fields of the rows that are loaded."""
        for row_id in ids:
            if (row := self._rows.get(row_id)) is not None:
                self._newer.add(row_id)
                self._put(replace(row, **fields))

    def put_back(self, rows: Iterable[Row]) -> None:
        """Replace rows that are loaded by these."""
        for row in rows:
            if row.key in self._rows:
                self._newer.add(row.key)
                self._put(row)

    def stale(self, ids: Iterable[int] | None) -> bool:
        """Mark the rows of these ids (None: all) to be fetched again. Return whether there is something to fetch.

        Ids for which the source had no row are asked for again too.
        """
        self._gone.clear()
        stale = set(self._rows) if ids is None else set(ids)
        self._newer |= stale
        self._stale |= self._rows.keys() & stale
        return bool(self._stale)

    async def fetch(self, window: Callable[[], tuple[Sequence[int], Sequence[int]]]) -> None:
        """Fetch the rows in and near the window that are not loaded or are stale, until none is missing.

        `window` returns the ids in and near the window, and those in it. One fetch runs at a time: what it was asked
        for is not replaced by what the source read before.
        """
        try:
            while wanted := self._missing(*window()):
                view = self._view
                self._stale.difference_update(wanted)
                self._newer.clear()
                rows = await self._source(wanted)
                if view != self._view:
                    continue  # rows of another view: the same ids, other messages
                self._gone.update(set(wanted) - {row.key for row in rows} - self._newer)
                for row in rows:
                    if row.key not in self._newer:
                        self._put(row)
                        self._rows.move_to_end(row.key)
                while len(self._rows) > LARGEST:
                    self._rows.popitem(last=False)
        finally:
            self.fetching = False

    def _put(self, row: Row) -> None:
        known, self._rows[row.key] = self._rows.get(row.key), row
        if row != known:
            self._changed(row.key)

    def _missing(self, near: Sequence[int], shown: Sequence[int]) -> list[int]:
        """Return the ids to fetch; nothing where all that is shown is loaded. Stale rows elsewhere are dropped."""
        stale = self._stale
        if not stale and all(one in self._rows or one in self._gone for one in shown):
            return []
        for row_id in stale.difference(near):
            self._rows.pop(row_id, None)
        stale.intersection_update(near)
        return [one for one in near if one in stale or (one not in self._rows and one not in self._gone)]
