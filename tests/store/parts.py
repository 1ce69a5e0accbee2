"""What the store's tests are built from: header blocks, whole messages, and a picture of all that a store holds."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from termmail.mail import parse, query_parser
from termmail.mail.message import Outgoing
from termmail.mail.model import Done, Folder, Placement, StepKind, Undone
from termmail.store import (
    changes,
    derived,
    folder_changes,
    folders,
    indexing_queue,
    journal,
    messages,
    outbox,
    pop3_identity,
)
from termmail.store.comparison import Comparison
from termmail.store.rows import Arrived, Claimed, Known, New, Plan

if TYPE_CHECKING:
    import sqlite3
    from array import array
    from collections.abc import Iterable, Iterator

    from termmail.mail.query import Query
    from termmail.store.store import Store

NOW = 1_772_500_000
"""2026-03-03 01:06:40 UTC."""

_TABLES = (
    *("message", "raw", "remote", "draft", "draft_file", "outbox", "contact", "contact_word", "account_state"),
    *("folder", "placement", "step", "change"),
    *("snooze", "reminder", "returned", "label", "message_label", "mark_change"),
    *("muted_thread", "rule", "rule_arrival", "rule_waiting", "rule_log"),
    *("thread_of_id", "thread_subject", "thread_cut", "thread_join", "saved_search", "invitation_answer"),
)


def header(n: int = 1, subject: str = "", sender: str = "Ada Lovelace <ada@example.org>") -> bytes:
    """A header block, another one for each `n`."""
    return (
        f"Received: from a by b with ESMTPS id {n:08x}; Mon, 2 Mar 2026 09:{n // 60 % 60:02}:{n % 60:02} +0000\r\n"
        f"From: {sender}\r\nTo: Bob <bob@example.com>, carol@example.com\r\n"
        f"Subject: {subject or f'Engine part {n}'}\r\n"
        f"Date: Mon, 2 Mar 2026 09:{n // 60 % 60:02}:{n % 60:02} +0000\r\n"
        f"Message-ID: <m{n}@example.org>\r\n"
    ).encode()


def whole(n: int = 1, body: str = "The engine weaves.\r\n", subject: str = "") -> bytes:
    """A whole message with that header block."""
    return header(n, subject) + b"\r\n" + body.encode()


def new(n: int, uidl: bytes | None = None, *, number: int | None = None, size: int = 1000, nth: int = 0) -> New:
    """A message just listed: its header, under the UIDL `u<n>` unless another is given."""
    return New(f"u{n}".encode() if uidl is None else uidl, n if number is None else number, size, header(n), nth=nth)


class ListedUidls:
    """The UIDLs of a listing: `names` tells which are neither blank nor repeated."""

    def __init__(self, listed: list[tuple[int, int, bytes]]) -> None:
        self._count = Counter(uidl for _, _, uidl in listed)

    def names(self, uidl: bytes) -> bool:
        return bool(uidl) and self._count[uidl] == 1


def reconcile(store: Store, listed: list[tuple[int, int, bytes]], account: str = "work", *, step: int = 3) -> Plan:
    """Compare a whole listing with what is stored, in steps of a few entries."""
    comparison = Comparison(account, ListedUidls(listed))
    for start in range(0, len(listed), step):
        comparison.add(store, start, listed[start : start + step])
    while comparison.mark_missing(store, step):
        pass
    return comparison.finish(store)


def session(store: Store, news: list[New], *, at: int = NOW) -> Arrived:
    """What a sync does with a listing of exactly these: reconcile, take in what the plan asks for, settle."""
    listed = [(one.number, one.size, one.uidl) for one in news]
    plan = reconcile(store, listed)
    wanted = [news[place] for place in (*plan.new, *plan.unnamed)]
    arrived = pop3_identity.arrive(store, "work", wanted, received=at, listed={one.uidl for one in news})
    pop3_identity.settle(store, "work")
    return arrived


def known(store: Store, account: str) -> list[Known]:
    """Everything known of a maildrop, tombstones too, oldest first."""
    return pop3_identity._known(store, "WHERE r.account = ? ORDER BY r.id", (account,))


def states(store: Store) -> list[str]:
    """The state of everything known, oldest first."""
    return [one.state for one in known(store, "work")]


def sent(store: Store, outbox_id: int, now: int) -> int:
    """The server has taken the message: the id of its copy in Sent."""
    raw = outbox.raw(store, outbox_id)
    return outbox.sent(store, outbox_id, now, derived.from_raw(raw or b"", complete=True))


def claim(store: Store, account: str, now: int) -> Claimed | None:
    """The message that `now` is ready and has waited longest, claimed."""
    ready = [one.outbox_id for one in outbox.waits(store, account, now) if not one.seconds]
    return outbox.claim(store, account, ready, "me")


def inbox(store: Store) -> list[str]:
    """The subjects in the inbox, oldest first."""
    return [row.subject for row in reversed(messages.rows(store, ids_in(store)))]


def folder(store: Store, name: str = "Inbox", account: str = "work") -> Folder:
    """The folder of this name, created where it is missing."""
    folders.ensure(store, account)
    return folders.by_name(store, account, name) or folder_changes.make(store, account, name, NOW)


def ids_in(store: Store, name: str = "Inbox", limit: int | None = None, *, account: str = "work") -> array[int]:
    """The ids of the messages in a folder, newest first."""
    return messages.ids(store, [folder(store, name, account).folder_id], limit)


def seen(store: Store, ids: Iterable[int]) -> list[Placement]:
    """Where these messages lie now; those that are gone are said to lie nowhere."""
    placements = {row.message_id: row.placement for row in messages.rows(store, list(ids))}
    return [placements.get(message_id, Placement(message_id, 0)) for message_id in ids]


def trash(store: Store, ids: Iterable[int], due_at: int | None) -> Done:
    """Delete messages; DELE falls due at `due_at`."""
    return changes.move_to_role(store, seen(store, list(ids)), StepKind.DELETE, NOW, {"work": due_at})


def undo(store: Store, due_at: int | None = None) -> Undone | None:
    """Take back the newest step."""
    return journal.undo(store, {"work": due_at})


def move(store: Store, ids: Iterable[int], name: str) -> Done:
    """Move messages to a folder."""
    return changes.move(store, seen(store, list(ids)), folder(store, name).folder_id, NOW, {})


def erase(store: Store, ids: Iterable[int]) -> Done:
    """Delete messages for good."""
    return changes.erase(store, seen(store, list(ids)), {})


def mark(store: Store, ids: Iterable[int], kind: StepKind = StepKind.READ) -> Done:
    """Mark messages."""
    return changes.mark(store, list(ids), kind, NOW)


def add_local(store: Store, name: str, raw: bytes, *, unread: bool = False, received: int = NOW) -> int:
    """Add a message that no server knows of."""
    found = derived.from_message(parse.parse(raw))
    return messages.add_local(
        store,
        "work",
        folder(store, name).folder_id,
        raw,
        found,
        unread=unread,
        received=received,
        written=name == "Sent",
    )


def download(store: Store, message_id: int, raw: bytes) -> None:
    """Keep a whole message as a RETR would."""
    messages.add_raw(store, message_id, raw, derived.from_message(parse.parse(raw)))


def index_all(store: Store) -> None:
    """Index everything that waits."""
    while page := indexing_queue.pending(store):
        done = [(message_id, derived.from_raw(raw, complete=complete)) for message_id, raw, complete in page]
        indexing_queue.store_indexed(store, done)


def words(store: Store) -> list[tuple[object, ...]]:
    """Every word of the index with its message and its place; words of messages that are gone are left out."""
    store.db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.word USING fts5vocab('main', 'search', 'instance')")
    return store.read(
        "SELECT d.message, w.col, w.offset, w.term FROM temp.word w JOIN search_doc d ON d.doc = w.doc"
        " WHERE d.message IS NOT NULL ORDER BY 1, 2, 3"
    )


def query(text: str) -> Query:
    """What a text means at NOW."""
    return query_parser.parse(text, NOW).query


def outgoing(n: int = 1, *recipients: str) -> Outgoing:
    """A message ready for the wire."""
    return Outgoing(whole(n), "ada@example.org", recipients or ("bob@example.com",), f"m{n}@example.org")


def picture(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, and of the index."""
    found = {table: sorted(store.read(f"SELECT * FROM {table}"), key=repr) for table in _TABLES}
    found["search"] = words(store)
    return found


@contextmanager
def counted(db: sqlite3.Connection) -> Iterator[Counter[str]]:
    """Count the steps of SQLite's machine, under "steps": how much of the store is gone through, on any machine."""
    found: Counter[str] = Counter()

    def count() -> None:
        found["steps"] += 100

    db.set_progress_handler(count, 100)
    try:
        yield found
    finally:
        db.set_progress_handler(None, 0)
