"""What happens to mail in the transaction in which it arrives, whatever protocol it came by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import Role
from termmail.store import muting, snoozing
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


def settle(db: sqlite3.Connection, account: str, folder_id: int, message_ids: Sequence[int]) -> None:
    """Call off reminders that are answered, archive what is muted, and let the rules look at what is left in the inbox.

    `message_ids` are new here, in this folder, and grouped into conversations. What comes with the first synchronization
    of an account is old mail, which no rule looks at unasked.
    """
    if not message_ids:
        return
    (role,) = db.execute("SELECT role FROM folder WHERE id = ?", (folder_id,)).fetchone()
    if role != Role.SENT:
        snoozing.call_off_answered(db, message_ids)
    if role != Role.INBOX:
        return
    muting.archive_arrived(db, account, folder_id, message_ids)
    if db.execute(_RULES, (account, account)).fetchone() is not None:
        db.execute(
            "INSERT OR IGNORE INTO rule_arrival (message) SELECT message FROM placement"  # noqa: S608 - texts of ours
            f" WHERE message {IN_IDS} AND folder = ?",
            (id_list(message_ids), folder_id),
        )


_RULES = (
    "SELECT 1 FROM rule WHERE active = 1 AND EXISTS ("
    "SELECT 1 FROM account_state WHERE account = ? AND last_sync IS NOT NULL"
    " UNION ALL SELECT 1 FROM imap_account WHERE account = ? AND last_sync IS NOT NULL) LIMIT 1"
)
"""Whether there are rules, and the account was received from before."""
