"""When deletes fall due, and making them due sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from termmail.store.store import Store


def next_due(store: Store, account: str) -> int | None:
    """When the next delete asks for a session, in UTC seconds; None where none waits."""
    found = store.read_one(
        "SELECT min(coalesce(due_at, 0)) FROM remote WHERE account = ?"
        " AND (state IN ('due', 'sent') OR state = 'trashed' AND due_at IS NOT NULL)",
        (account,),
    )
    return None if found is None else found[0]


def make_due(store: Store, account: str, now: int) -> int:
    """Let no delete wait for its minute any longer (the user leaves, or said --now); how many are due."""
    with store.transaction() as db:
        db.execute(
            "UPDATE remote SET state = 'due', due_at = ? WHERE account = ? AND state = 'trashed' AND due_at IS NOT NULL",
            (now, account),
        )
        ((count,),) = db.execute(
            "SELECT count(*) FROM remote WHERE account = ? AND state IN ('due', 'sent')", (account,)
        ).fetchall()
    return int(count)
