"""The order that the user gives to rules and kept searches: the column `place` of their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import sqlite3


def shift(db: sqlite3.Connection, table: Literal["rule", "saved_search"], row_id: int, places: int) -> None:
    """Move a row so many places down, or up where `places` is negative, at most to the end of the list.

    Raises ValueError where there is no such row.
    """
    ids = [one for (one,) in db.execute(f"SELECT id FROM {table} ORDER BY place, id")]  # noqa: S608 - a text of ours
    at = ids.index(row_id)
    ids.insert(min(max(at + places, 0), len(ids) - 1), ids.pop(at))
    numbered = [(place, one) for place, one in enumerate(ids, 1)]
    db.executemany(f"UPDATE {table} SET place = ? WHERE id = ?", numbered)  # noqa: S608 - a text of ours
