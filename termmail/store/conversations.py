"""Which messages make a conversation: those that refer to one Message-ID, across folders and accounts.

A conversation is a number in `message.thread`: the id of a message that is or was in it. Grouping does not depend on the
order in which messages come, except for replies without any reference, of which a few dozen candidates are looked at.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from termmail.mail.conversation import ancestors, base_subject, key
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from termmail.store.store import Store

SAME_SUBJECT_SECONDS = 30 * 86_400
"""How far apart a reply without references and what it answers may be."""

REFERENCES = 50
"""Ancestors of a message that are looked at: the nearest ones."""

CANDIDATES = 20
"""Messages of the same subject that are looked at, at most."""

_PAGE = 5_000
"""Messages that are grouped at once."""

_PER_TRANSACTION = 2_000
"""Messages after which a transaction of `group_anew` ends, together with the last conversation."""

_ROW = "id, account, message_id, in_reply_to, refs, subject, sender, recipients, sort_date, thread"


class _Message(NamedTuple):
    """What grouping reads of a message."""

    message_id: int
    account: str
    rfc_message_id: str
    in_reply_to: str
    references: str
    subject: str
    sender: str
    recipients: str
    date: int
    thread: int

    @property
    def ancestors(self) -> tuple[str, ...]:
        return ancestors(self.references.split(), self.in_reply_to)


def group(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Put messages that have no conversation yet into one, inside the caller's transaction.

    A message that refers to several conversations makes them one.
    """
    ids = sorted(message_ids)
    for start in range(0, len(ids), _PAGE):
        rows = db.execute(
            f"SELECT {_ROW} FROM message WHERE id {IN_IDS} AND thread = 0 ORDER BY id",  # noqa: S608 - texts of ours
            (id_list(ids[start : start + _PAGE]),),
        )
        _Grouping(db, [_Message(*row) for row in rows]).run()


def group_all(db: sqlite3.Connection) -> None:
    """Group every message that has no conversation yet, inside the caller's transaction."""
    group(db, [message_id for (message_id,) in db.execute("SELECT id FROM message WHERE thread = 0")])


def forget_subjects(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Forget the subjects of messages that are about to be deleted for good, inside the caller's transaction."""
    rows = db.execute(f"SELECT id, account, subject FROM message WHERE id {IN_IDS}", (id_list(message_ids),))  # noqa: S608
    db.executemany(
        "DELETE FROM thread_subject WHERE subject_key = ? AND is_bare_reply IN (0, 1) AND message = ?",
        [
            (_subject_key(account, base_subject(subject)[0]), message_id)
            for message_id, account, subject in rows.fetchall()
        ],
    )


def _subject_key(account: str, subject: str) -> int:
    return key(f"{account}\n{subject}")


def group_anew(store: Store, progress: Callable[[int, int], None] = lambda _done, _total: None) -> None:
    """Group all messages anew; what was cut and joined by hand stays so. `progress(done, total)` counts conversations.

    Some conversations at a time are one transaction: others can write between them, and where it is broken off every
    message is in a conversation, the old one or the new one. The newest conversations come first: two that become one
    take the number of the older, which is usually still to come. Each is found by one of its messages; where it became
    part of another one meanwhile, that one is grouped anew.
    """
    found = store.read("SELECT max(id), count(*) FROM message GROUP BY thread ORDER BY min(id) DESC")
    start = 0
    while start < len(found):
        end, size = start, 0
        while end < len(found) and size < _PER_TRANSACTION:
            size += found[end][1]
            end += 1
        with store.transaction() as db:
            _group_anew(db, [message_id for message_id, _ in found[start:end]])
        progress(end, len(found))
        start = end


def _group_anew(db: sqlite3.Connection, message_ids: Sequence[int]) -> None:
    """Group the conversations of these messages anew, and forget the subjects they had."""
    wanted = sorted(set(threads(db, message_ids).values()))
    db.execute(
        f"DELETE FROM thread_subject WHERE message IN (SELECT id FROM message WHERE thread {IN_IDS})",  # noqa: S608 - a text of ours
        (id_list(wanted),),
    )
    regroup(db, wanted)


def regroup(db: sqlite3.Connection, threads: Iterable[int]) -> None:
    """Group the messages of these conversations anew: what is cut or joined by hand has changed."""
    wanted = id_list(threads)
    rows = db.execute(f"SELECT {_ROW} FROM message WHERE thread {IN_IDS}", (wanted,))  # noqa: S608 - texts of ours
    found = [_Message(*row) for row in rows]
    ids = id_list(one.message_id for one in found)
    muted = {thread for (thread,) in db.execute(f"SELECT thread FROM muted_thread WHERE thread {IN_IDS}", (wanted,))}  # noqa: S608
    db.execute(f"DELETE FROM thread_of_id WHERE thread {IN_IDS}", (wanted,))  # noqa: S608 - all rows: it has no index
    db.execute(f"DELETE FROM muted_thread WHERE thread {IN_IDS}", (wanted,))  # noqa: S608
    db.execute(f"UPDATE message SET thread = 0 WHERE id {IN_IDS}", (ids,))  # noqa: S608
    group(db, [one.message_id for one in found])
    were_muted = id_list(one.message_id for one in found if one.thread in muted)
    db.execute(f"INSERT OR IGNORE INTO muted_thread SELECT thread FROM message WHERE id {IN_IDS}", (were_muted,))  # noqa: S608


def threads(db: sqlite3.Connection, message_ids: Iterable[int]) -> dict[int, int]:
    """Return message -> its conversation; without messages that are gone."""
    rows = db.execute(f"SELECT id, thread FROM message WHERE id {IN_IDS}", (id_list(message_ids),))  # noqa: S608
    return dict(rows.fetchall())


def forget(db: sqlite3.Connection, step_id: int) -> set[int]:
    """Forget what a step cut and joined; return the conversations that must be grouped anew for that.

    They are not only those whose messages it parted or united: a message that was cut lost the Message-IDs to which it
    refers, also those of mail that has yet to come.
    """
    rows = db.execute(
        "SELECT DISTINCT t.thread FROM thread_of_id t JOIN (SELECT id_key FROM thread_cut WHERE step = ?1"
        " UNION ALL SELECT id_key FROM thread_join WHERE step = ?1"
        " UNION ALL SELECT other_key FROM thread_join WHERE step = ?1) s ON s.id_key = t.id_key",
        (step_id,),
    ).fetchall()
    db.execute("DELETE FROM thread_cut WHERE step = ?", (step_id,))
    db.execute("DELETE FROM thread_join WHERE step = ?", (step_id,))
    return {thread for (thread,) in rows}


class _Grouping:
    """A page of messages on their way into conversations."""

    def __init__(self, db: sqlite3.Connection, page: Sequence[_Message]) -> None:
        self._db = db
        self._page = page
        self._cut: dict[int, int] = dict(db.execute("SELECT id_key, step FROM thread_cut").fetchall())
        self._joined: dict[int, list[int]] = {}
        for one, other, step in db.execute("SELECT id_key, other_key, step FROM thread_join"):
            # What was broken off later is not joined.
            if step > max(self._cut.get(one, 0), self._cut.get(other, 0)):
                self._joined.setdefault(one, []).append(other)
                self._joined.setdefault(other, []).append(one)
        self._keys = [self._linking_keys(one.rfc_message_id, one.ancestors) for one in page]
        wanted = {one for keys in self._keys for one in keys}
        rows = db.execute(f"SELECT id_key, thread FROM thread_of_id WHERE id_key {IN_IDS}", (id_list(wanted),))  # noqa: S608
        self._of_key: dict[int, int] = dict(rows.fetchall())
        self._new_keys: dict[int, int] = {}
        self._of_message: dict[int, int] = {}
        self._merged: dict[int, int] = {}
        """Conversations that became part of another one: of an older one."""

    def run(self) -> None:
        for message, keys in zip(self._page, self._keys, strict=True):
            found = {self._now(self._of_key[one]) for one in keys if one in self._of_key}
            found |= self._by_subject(message)
            thread = min(found, default=message.message_id)
            for other in found - {thread}:
                self._merged[other] = thread
            self._of_message[message.message_id] = thread
            for one in keys:
                self._of_key[one] = self._new_keys[one] = thread
        self._store()

    def _now(self, thread: int) -> int:
        """Return the conversation that this one is part of by now."""
        while thread in self._merged:
            thread = self._merged[thread]
        return thread

    def _linking_keys(self, rfc_message_id: str, line: Sequence[str]) -> list[int]:
        """Return the keys of the Message-IDs that tell the conversation of a message: its own, and its ancestors.

        What the user broke off has lost its ancestors, and so have the answers to it.
        """
        own = [key(rfc_message_id)] if rfc_message_id else []
        keys = [key(reference) for reference in line[-REFERENCES:]]
        if self._cut:
            keys = [] if own and own[0] in self._cut else keys
            keys = keys[max((place for place, one in enumerate(keys) if one in self._cut), default=0) :]
        keys = own + keys
        return keys + [other for one in keys for other in self._joined.get(one, [])]

    def _by_subject(self, message: _Message) -> set[int]:
        """Return the conversations that belong to a message by its subject, where one of the two refers to nothing."""
        subject, is_reply = base_subject(message.subject)
        if not subject:
            return set()
        is_bare = is_reply and not message.ancestors
        subject_key = _subject_key(message.account, subject)
        rows = self._db.execute(
            "SELECT m.id, m.sender, m.recipients, m.sort_date, m.thread, s.is_bare_reply FROM thread_subject s"
            " JOIN message m ON m.id = s.message WHERE s.subject_key = ? AND s.is_bare_reply >= ?"
            " ORDER BY s.is_bare_reply DESC, s.message DESC LIMIT ?",
            (subject_key, 0 if is_bare else 1, CANDIDATES),
        ).fetchall()
        self._db.execute(
            "INSERT OR IGNORE INTO thread_subject (subject_key, is_bare_reply, message) VALUES (?, ?, ?)",
            (subject_key, int(is_bare), message.message_id),
        )
        found = set()
        for other_id, sender, recipients, date, thread, other_is_bare in rows:
            later_is_bare = is_bare if date <= message.date else other_is_bare == 1
            near = abs(date - message.date) <= SAME_SUBJECT_SECONDS
            agree = _names(sender, message.recipients) or _names(message.sender, recipients)
            if later_is_bare and near and agree:
                found.add(self._now(self._of_message.get(other_id, thread)))
        return found - {0}

    def _store(self) -> None:
        if self._merged:
            self._move_merged()
        self._db.executemany(
            "INSERT OR REPLACE INTO thread_of_id (id_key, thread) VALUES (?, ?)",
            [(one, self._now(thread)) for one, thread in self._new_keys.items()],
        )
        self._db.executemany(
            "UPDATE message SET thread = ? WHERE id = ?",
            [(self._now(thread), message_id) for message_id, thread in self._of_message.items()],
        )

    def _move_merged(self) -> None:
        """Let the messages and Message-IDs of conversations that became part of another one follow."""
        targets = json.dumps({thread: self._now(thread) for thread in self._merged})
        for table in ("message", "thread_of_id"):  # of the second all rows are gone through: it has no index for this
            self._db.execute(
                f"UPDATE {table} SET thread = json_extract(?, '$.\"' || thread || '\"') WHERE thread {IN_IDS}",  # noqa: S608
                (targets, id_list(self._merged)),
            )
        for thread, target in self._merged.items():
            muted = (self._now(target), thread)
            self._db.execute("UPDATE OR REPLACE muted_thread SET thread = ? WHERE thread = ?", muted)


def _names(sender: str, recipients: str) -> bool:
    """Return whether the people of a message include the sender of another one."""
    return bool(sender) and f", {sender}, " in f", {recipients}, "
