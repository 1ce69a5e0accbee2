"""The deletes that wait for the server: when they fall due, made due sooner, or held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.store.store import id_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.store.store import Store


LONGEST_DELAY = 3600
"""Seconds that a delete waits at most; a later time was stored under a clock that was ahead."""

DELAY_AFTER_CLOCK_CHANGE = 60


def next_due(store: Store, account: str, now: int) -> int | None:
    """Return when the next delete needs a session (UTC seconds, `now` is the present); None where none waits.

    Times that were stored under a clock that was ahead are corrected.
    """
    found = store.read_one(
        "SELECT min(coalesce(due_at, 0)) FROM remote WHERE account = ?"
        " AND (state IN ('due', 'sent') OR state = 'trashed' AND due_at IS NOT NULL)",
        (account,),
    )
    due_at = None if found is None else found[0]
    if due_at is None or due_at <= now + LONGEST_DELAY:
        return due_at
    with store.transaction() as db:
        db.execute(
            "UPDATE remote SET due_at = ? WHERE account = ? AND state IN ('trashed', 'due') AND due_at IS NOT NULL",
            (now + DELAY_AFTER_CLOCK_CHANGE, account),
        )
    return now + DELAY_AFTER_CLOCK_CHANGE


def make_due(store: Store, account: str, now: int, *, only: Iterable[int] | None = None) -> int:
    """Make waiting deletes due now and return how many are due: all of the account, or those of the messages `only`."""
    with store.transaction() as db:
        db.execute(
            "UPDATE remote SET state = 'due', due_at = ?1 WHERE account = ?2 AND state = 'trashed' AND due_at IS NOT NULL"
            " AND (?3 IS NULL OR message IN (SELECT value FROM json_each(?3)))",
            (now, account, None if only is None else id_list(only)),
        )
        ((count,),) = db.execute(
            "SELECT count(*) FROM remote WHERE account = ? AND state IN ('due', 'sent')", (account,)
        ).fetchall()
    return int(count)


def hold_back(store: Store, account: str) -> int:
    """Call off deletes of messages of which the server sent clearly less than it announced, and return how many.

    What the server holds may be more than what is here: GNU mailutils was seen to send headers for whole messages.
    """
    if store.read_one("SELECT 1 FROM remote WHERE account = ? AND state = 'due' LIMIT 1", (account,)) is None:
        return 0
    words = "Kept on the server, which sent less of it than it announced."
    with store.transaction(durable=True) as db:
        held = db.execute(
            "UPDATE remote SET state = 'kept', due_at = NULL, words = ? WHERE account = ? AND state = 'due' AND EXISTS"
            " (SELECT 1 FROM message m WHERE m.id = remote.message AND m.downloaded = 1"
            " AND m.size < remote.size * 9 / 10 - 2048)",
            (words, account),
        )
    return held.rowcount


def with_twins(store: Store, remote_ids: Iterable[int]) -> dict[int, int]:
    """Return the remotes whose header block another one of their account has too, each with its stored message."""
    # Without the hint SQLite goes through all rows of the account.
    rows = store.read(
        "SELECT r.id, r.message FROM remote r WHERE r.id IN (SELECT value FROM json_each(?)) AND r.message IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM remote o INDEXED BY remote_by_fingerprint WHERE o.account = r.account AND o.fingerprint = r.fingerprint AND o.id <> r.id)",
        (id_list(remote_ids),),
    )
    return dict(rows)
