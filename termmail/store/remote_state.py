"""Where a POP3 server stands with each message, and what changes that.

    kept -> trashed -> due -> sent -> gone      a delete; undo leads back to kept
    kept, trashed -> absent                     the maildrop no longer lists it; the local copy stays
    absent -> kept, or trashed as it was        it is listed again
    sent, gone -> due                           it is listed again although DELE was sent
    skipped                                     it could not be fetched; `words` tells why

A row is never removed because of what a server says, so a message that comes back is recognised. What takes a database
runs inside the caller's transaction; store/delete_queue.py tells which deletes wait for the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import RemoteState
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

LIVE = frozenset({RemoteState.KEPT, RemoteState.TRASHED, RemoteState.DUE, RemoteState.SENT, RemoteState.SKIPPED})
"""The states in which the server is believed to hold the message still."""


# -- what a listing says


def when_listed(state: RemoteState, due_at: int | None) -> RemoteState:
    """Return the state of a message that the maildrop lists, by its state before."""
    if state is RemoteState.ABSENT:
        return RemoteState.KEPT if due_at is None else RemoteState.TRASHED
    return RemoteState.DUE if state in {RemoteState.SENT, RemoteState.GONE} else state


def when_missing(state: RemoteState) -> RemoteState:
    """Return the state of a message that the maildrop no longer lists, by its state before."""
    if state in {RemoteState.DUE, RemoteState.SENT}:
        return RemoteState.GONE
    return RemoteState.ABSENT if state in LIVE else state


def mark_missing(db: sqlite3.Connection, account: str) -> int:
    """Change what was found under no number as `when_missing`, and return how many messages became absent."""
    unfound = "account = ? AND number = 0"
    ((missing,),) = db.execute(
        f"SELECT count(message) FROM remote WHERE {unfound} AND state IN ('kept', 'trashed', 'skipped')",  # noqa: S608
        (account,),
    ).fetchall()
    for state in LIVE:
        db.execute(
            f"UPDATE remote SET state = ? WHERE {unfound} AND state = ?",  # noqa: S608 - a text of ours
            (when_missing(state), account, state),
        )
    return int(missing)


def replaced(db: sqlite3.Connection, remote_id: int) -> None:
    """Make a message absent whose UIDL names another one now; one that was due is deleted should it come back."""
    db.execute(
        "UPDATE remote SET state = 'absent', number = 0, due_at = iif(state = 'due', coalesce(due_at, 0), due_at)"
        " WHERE id = ?",
        (remote_id,),
    )


def forget_unfetched(db: sqlite3.Connection, account: str) -> None:
    """Delete the rows of which nothing was ever read and that are no longer listed."""
    db.execute(
        "DELETE FROM remote WHERE account = ? AND state = 'absent' AND message IS NULL AND fingerprint = x''",
        (account,),
    )


def fetched(db: sqlite3.Connection, message_id: int, raw: bytes) -> None:
    """Keep a message that was skipped, with the header of `raw`: the whole message has come after all."""
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    if db.execute("SELECT 1 FROM remote WHERE message = ? AND state = 'skipped'", (message_id,)).fetchone():
        db.execute(
            "UPDATE remote SET state = 'kept', words = '', fingerprint = ? WHERE message = ?",
            (parse.fingerprint(parse.split_header(raw)), message_id),
        )


# -- what the user does


def trash(db: sqlite3.Connection, message_ids: Iterable[int], due_at: int | None) -> None:
    """Schedule the DELE of those messages that lie in Trash alone; with `due_at` None it is never sent."""
    db.execute(
        f"UPDATE remote SET due_at = ?, state = iif(state = 'absent', state, 'trashed') WHERE message {IN_IDS}"  # noqa: S608
        " AND state IN ('kept', 'skipped', 'trashed', 'absent') AND NOT EXISTS (SELECT 1 FROM placement p"
        " JOIN folder f ON f.id = p.folder WHERE p.message = remote.message AND f.role <> 'trash')",
        (due_at, id_list(message_ids)),
    )


def call_off(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Call off the DELE of messages.

    One for which DELE went out already counts as absent: should the server still have it, it is kept there.
    """
    wanted = list(message_ids)
    keep_if_listed_again(db, wanted)
    db.execute(
        "UPDATE remote SET due_at = NULL, state = CASE WHEN state IN ('trashed', 'due') THEN 'kept' ELSE 'absent' END"  # noqa: S608
        f" WHERE message {IN_IDS} AND state IN ('trashed', 'due', 'sent', 'gone')",
        (id_list(wanted),),
    )


def keep_if_listed_again(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Let absent messages stay on the server should it list them again."""
    db.execute(
        f"UPDATE remote SET due_at = NULL WHERE state = 'absent' AND message {IN_IDS}",  # noqa: S608 - a text of ours
        (id_list(message_ids),),
    )


def erase(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Make the DELE of messages due, except of those that were trashed never to be deleted there."""
    db.execute(
        f"UPDATE remote SET state = 'due', due_at = NULL WHERE message {IN_IDS}"  # noqa: S608 - a text of ours
        " AND (state IN ('kept', 'skipped') OR state = 'trashed' AND due_at IS NOT NULL)",
        (id_list(message_ids),),
    )
