"""What lies on the servers, by size, sender and age, and marking messages that leave a POP3 server and stay here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.shares import Grouping, Share
from termmail.store.remote_state import LIVE
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.store.store import Store

YEAR = 365 * 86_400
AGES = ((YEAR * 3, "older than three years"), (YEAR, "one to three years"), (YEAR // 4, "three months to a year"))
"""Seconds, and the words for what is at least so old and not older than the one before."""
YOUNGEST = "of the last three months"


_LIVE = ", ".join(f"'{state}'" for state in sorted(LIVE))
_ON_SERVER = (
    "SELECT m.id, r.size, m.sort_date, m.downloaded, r.state, r.words <> '', m.sender, m.subject"  # noqa: S608 - ours
    f" FROM remote r JOIN message m ON m.id = r.message WHERE r.account = ? AND r.state IN ({_LIVE})"
)


def on_pop3(store: Store, account: str, grouping: Grouping, now: int) -> list[Share]:
    """Return what lies on the POP3 server of an account, the largest share first; by age the oldest first."""
    found: dict[object, Share] = {}
    for message_id, size, date, downloaded, state, held, sender, subject in store.iterate(_ON_SERVER, (account,)):
        match grouping:
            case Grouping.SENDER:
                key, name = sender, sender or "(nobody)"
            case Grouping.AGE:
                key = name = age(now - date)
            case _:
                key, name = message_id, f"{subject or '(no subject)'} · {sender or '(nobody)'}"
        kept = state == "kept" and not held
        before = found.get(key, Share(name, 0, 0, date))
        found[key] = Share(
            name,
            before.count + 1,
            before.size + size,
            max(before.newest, date),
            before.missing + (not downloaded),
            before.leaving + (state in {"due", "sent"}),
            (*before.ids, message_id) if kept else before.ids,
        )
    if grouping is Grouping.AGE:
        order = [words for _, words in AGES] + [YOUNGEST]
        return sorted(found.values(), key=lambda one: order.index(one.name))
    return sorted(found.values(), key=lambda one: (-one.size, -one.newest))


def age(seconds: int) -> str:
    """Return the words for an age."""
    return next((words for least, words in AGES if seconds >= least), YOUNGEST)


def on_imap(store: Store, account: str) -> list[Share]:
    """Return what lies in each folder of the IMAP server of an account, the largest first."""
    rows = store.read(
        "SELECT f.name, count(*), sum(i.size), coalesce(max(m.sort_date), 0), sum(m.downloaded = 0)"
        " FROM imap_message i JOIN folder f ON f.id = i.folder LEFT JOIN message m ON m.id = i.message"
        " WHERE f.account = ? AND i.uid IS NOT NULL GROUP BY f.id ORDER BY 3 DESC, 1",
        (account,),
    )
    return [Share(name, count, size, newest, missing or 0) for name, count, size, newest, missing in rows]


def free(store: Store, message_ids: Iterable[int], now: int) -> dict[str, int]:
    """Make the DELE of messages due; they stay here. Return how many these are, by account.

    Those whose body is not here are fetched whole before (`delete_sync`). Left alone is what was deleted here, what the
    server no longer lists, and what was held back because the server sent less of it than it announced.
    """
    which = f"message {IN_IDS} AND state = 'kept' AND words = ''"
    wanted = id_list(message_ids)
    with store.transaction(durable=True) as db:
        rows = db.execute(f"SELECT account, count(*) FROM remote WHERE {which} GROUP BY account", (wanted,))  # noqa: S608
        counts = dict(rows.fetchall())
        db.execute(f"UPDATE remote SET state = 'due', due_at = ? WHERE {which}", (now, wanted))  # noqa: S608
    return counts
