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
        self._rows.clear()
        self._rows.update((row.key, row) for row in rows)

    def change(self, ids: Iterable[int], **fields: Any) -> None:
        """Replace these fields of the rows that are loaded."""
        for row_id in ids:
            if (row := self._rows.get(row_id)) is not None:
                self._put(replace(row, **fields))

    def put_back(self, rows: Iterable[Row]) -> None:
        """Replace rows that are loaded by these."""
        for row in rows:
            if row.key in self._rows:
                self._put(row)

    def stale(self, ids: Iterable[int] | None) -> set[int]:
        """Return which of these ids (None: of all) have a row that must be fetched again.

        Ids for which the source had no row are asked for again too.
        """
        self._gone.clear()
        return set(self._rows) if ids is None else self._rows.keys() & set(ids)

    async def fetch(self, window: Callable[[], tuple[Sequence[int], Sequence[int]]], stale: set[int]) -> None:
        """Fetch the rows in and near the window that are not loaded or are `stale`, until none is missing.

        `window` returns the ids in and near the window, and those in it.
        """
        try:
            while wanted := self._missing(*window(), stale):
                view = self._view
                rows = await self._source(wanted)
                if view != self._view:
                    continue  # rows of another view: the same ids, other messages
                self._gone.update(set(wanted) - {row.key for row in rows})
                for row in rows:
                    self._put(row)
                    self._rows.move_to_end(row.key)
                stale -= set(wanted)
                while len(self._rows) > LARGEST:
                    self._rows.popitem(last=False)
        finally:
            self.fetching = False

    def _put(self, row: Row) -> None:
        known, self._rows[row.key] = self._rows.get(row.key), row
        if row != known:
            self._changed(row.key)

    def _missing(self, near: Sequence[int], shown: Sequence[int], stale: set[int]) -> list[int]:
        """Return the ids to fetch; nothing where all that is shown is loaded. Stale rows elsewhere are dropped."""
        if not stale and all(one in self._rows or one in self._gone for one in shown):
            return []
        for row_id in stale - set(near):
            self._rows.pop(row_id, None)
        return [one for one in near if one in stale or (one not in self._rows and one not in self._gone)]
