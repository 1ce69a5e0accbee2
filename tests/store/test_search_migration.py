"""A store of the version before the index without texts: its mail is indexed again, and stays as it was."""

from __future__ import annotations

import sqlite3

from termmail.mail.model import Coverage
from termmail.store import indexing_queue, messages, migrate, search
from termmail.store.store import Store
from tests.store.parts import NOW, index_all, query, whole

BEFORE = 7
"""The version before."""


def test_the_mail_of_the_version_before_is_indexed_again_and_stays_byte_for_byte(tmp_path):
    path = tmp_path / "mail.db"
    raws = {n: whole(n, "日本語メール weaves", f"Part {n}") for n in range(1, 4)}
    with sqlite3.connect(path) as db:
        for script in migrate.scripts()[:BEFORE]:
            db.create_function("casefold", 1, str.casefold, deterministic=True)
            db.executescript(script)
        db.execute(f"PRAGMA application_id = {migrate.APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {BEFORE}")
        db.execute("INSERT INTO folder (id, account, name, role) VALUES (1, 'work', 'Inbox', 'inbox')")
        for n, raw in raws.items():
            db.execute(
                "INSERT INTO message (id, account, received, size, downloaded, indexed, sort_date, sender, recipients,"
                " subject, message_id, in_reply_to, refs, attachments) VALUES (?, 'work', ?, ?, 1, 2, ?, 'Ada', 'Bob', 'S',"
                " '', '', '', 0)",
                (n, NOW, len(raw), NOW + n),
            )
            db.execute("INSERT INTO placement (folder, sort_date, message, unread) VALUES (1, ?, ?, 1)", (NOW + n, n))
            db.execute("INSERT INTO raw (id, complete, bytes) VALUES (?, 1, ?)", (n, raw))
            db.execute("INSERT INTO search (rowid, subject, body) VALUES (?, 'S', 'weaves')", (n,))
        db.commit()
    db.close()
    with Store.open(path) as store:
        assert indexing_queue.coverage(store) == Coverage(0, 3, waiting=3)
        assert list(search.search(store, query("is:unread"))) == [3, 2, 1]
        index_all(store)
        assert indexing_queue.coverage(store) == Coverage(3, 3)
        assert set(search.search(store, query("日本 weaves from:ada"))) == {1, 2, 3}
        assert {n: messages.raw(store, n) for n in raws} == {n: (raw, True) for n, raw in raws.items()}
        assert store.check() == []
