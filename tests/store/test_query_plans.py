"""What is asked after a key, a sync or an arrival goes through what is asked for, not through a thousand messages."""

from __future__ import annotations

import pytest

from termmail.store import folders, imap_labels, imap_pending, matching, snoozing
from termmail.store.imap_labels import Kept
from tests.store.parts import NOW, counted, header, index_all, new, session

ASKED = {
    "what waits for the server": lambda store: imap_pending.next_due(store, "work", NOW),
    "how much waits for the server": lambda store: imap_pending.waiting(store, "work"),
    "flags for the server": lambda store: imap_pending.flags(store, "work", NOW),
    "labels for the server": lambda store: imap_labels.waiting(store, "work", NOW),
    "labels of the server": lambda store: imap_labels.take(store, 1, [(1, frozenset())], Kept(new=True)),
    "reminders": lambda store: snoozing.call_off_answered(store.db, [1]),
    "what is snoozed": lambda store: store.read(folders._SNOOZED),
    "headers that are known": lambda store: matching.Matcher(store.db, "work", [(new(9), b"a hash")], ()),
    "a header that is known": lambda store: store.read(matching._BY_FINGERPRINT, (header(9), "work")),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED.keys())
def test_it_takes_few_steps_among_a_thousand_messages(store, ask):
    session(store, [new(n) for n in range(1, 1001)])
    index_all(store)
    with store.transaction() as db:
        db.execute(
            "INSERT INTO imap_message (folder, uid, message, size, fingerprint, flags)"
            " SELECT folder, message, message, 1, x'', 1 FROM placement"
        )
        db.execute("DELETE FROM imap_pending")
    with counted(store.db) as found:
        ask(store)
    assert found["steps"] < 1000
