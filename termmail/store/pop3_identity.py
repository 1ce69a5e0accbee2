"""The messages of each maildrop: which of them are stored, and what each still needs.

store/remote_state.py has the states in which they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import astuple, replace

from termmail.mail.model import RemoteState, Role
from termmail.store import contacts, conversations, derived, folders, messages, on_arrival, placements, remote_state
from termmail.store.matching import Held, Matcher
from termmail.store.rows import Arrived, Known, New, State
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Sequence

    from termmail.mail.message import Envelope
    from termmail.store.derived import Derived
    from termmail.store.store import Store

_RAW = "INSERT INTO raw (id, complete, bytes) VALUES (?, 0, ?)"
_REMOTE = (
    "INSERT INTO remote (account, uidl, nth, number, size, fingerprint, message, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, 'kept')"
)
_FOUND = (
    "UPDATE remote SET uidl = ?, nth = ?, number = ?, size = ?, fingerprint = ?, state = ?, due_at = ? WHERE id = ?"
)
_KNOWN = (
    "SELECT r.id, r.message, r.uidl, r.nth, r.number, r.size, r.fingerprint, r.state, r.due_at,"
    " coalesce(m.downloaded, 0) FROM remote r LEFT JOIN message m ON m.id = r.message"
)


def arrive(
    store: Store,
    account: str,
    news: Sequence[New],
    *,
    received: int,
    listed: Container[bytes],
) -> Arrived:
    """Store messages whose headers were read, in one transaction.

    Known ones are recognised (`Matcher`): no message is ever listed twice, and one that was deleted and is back becomes
    due again. `received` is now, in UTC seconds; `listed` contains the UIDLs of the whole listing. What `parse_page`
    did not parse is parsed here, before the transaction.
    """
    read = [(new, *_parsed(new)) for new in parse_page(news)]
    # The higher number came later, so it gets the higher id: that decides between equal dates.
    read.sort(key=lambda one: one[0].number)
    with store.transaction() as db:
        page = _Page(db, account, received, Matcher(db, account, [one[:2] for one in read], listed))
        for new, fingerprint, envelope, whole in read:
            page.take(new, fingerprint, envelope, whole)
        page.finish()
    return Arrived(page.added[::-1], page.rebound)


class _Page:
    """Headers on their way into the store. What is new is stored many at once.

    `added` has the ids of the new messages, lowest first. `rebound` counts the known ones that the server has renamed.
    """

    def __init__(self, db: sqlite3.Connection, account: str, received: int, matcher: Matcher) -> None:
        self.added: list[int] = []
        self.rebound = 0
        self._db = db
        self._account = account
        self._received = received
        self._matcher = matcher
        self._inbox = folders.role_id(db, account, Role.INBOX)
        self._had_imap = db.execute("SELECT 1 FROM imap_account WHERE account = ?", (account,)).fetchone() is not None
        self._tally = contacts.Tally()
        self._raws: list[tuple[int, bytes]] = []
        self._identities: list[tuple[Any, ...]] = []
        self._unplaced: list[int] = []

    def take(self, new: New, fingerprint: bytes, envelope: Envelope, whole: Derived | None) -> None:
        """Store one message, or recognize it."""
        if self._matcher.is_stranger(new, fingerprint) and whole is None:
            known = self._from_imap(fingerprint) if self._had_imap else None
            self._identify(new, fingerprint, self._add(new, envelope) if known is None else known)
            return
        self._store()
        held, is_rebound, replaced = self._matcher.match(new, fingerprint)
        for old in replaced:
            remote_state.replaced(self._db, old.id)
        if held is not None and (held.message is not None or held.fingerprint):
            self._find(new, fingerprint, held)
            self.rebound += is_rebound
            id_ = held.message
        else:
            id_ = self._add(new, envelope)
            if held is None:
                self._identify(new, fingerprint, id_)
            else:  # known by its UIDL alone until now
                self._db.execute(
                    _FOUND, (new.uidl, new.nth, new.number, new.size, fingerprint, RemoteState.KEPT, None, held.id)
                )
                self._db.execute("UPDATE remote SET message = ?, words = '' WHERE id = ?", (id_, held.id))
            self._store()
        if new.raw is not None and whole is not None and id_ is not None:
            messages.keep_raw(self._db, id_, new.raw, whole)

    def _from_imap(self, fingerprint: bytes) -> int | None:
        """Return the message that came by IMAP when the account was received so; it stays in its folder."""
        self._store()  # so that no message is found twice
        found = self._db.execute(
            "SELECT m.id FROM imap_message i JOIN message m ON m.id = i.message WHERE i.fingerprint = ? AND m.account = ?"
            " AND NOT EXISTS (SELECT 1 FROM remote r WHERE r.message = m.id) ORDER BY i.id LIMIT 1",
            (fingerprint, self._account),
        ).fetchone()
        return None if found is None else int(found[0])

    def finish(self) -> None:
        """Store what is left."""
        self._store()
        self._tally.save(self._db)

    def _find(self, new: New, fingerprint: bytes, held: Held) -> None:
        """Give a known message the number and UIDL it has now."""
        state = remote_state.when_listed(held.state, held.due_at)
        self._db.execute(_FOUND, (new.uidl, new.nth, new.number, new.size, fingerprint, state, held.due_at, held.id))

    def _add(self, new: New, envelope: Envelope) -> int:
        """Add a message with its header, to be placed in the inbox. Return its id."""
        columns = derived.columns(envelope, self._received)
        id_ = messages.insert(self._db, self._account, self._received, new.size, columns)
        self._tally.message(contacts.people(envelope, written=False), columns.sort_date, written=False)
        self.added.append(id_)
        self._raws.append((id_, new.header))
        self._unplaced.append(id_)
        return id_

    def _identify(self, new: New, fingerprint: bytes, message_id: int) -> None:
        """Keep what the server calls a message."""
        self._identities.append((self._account, new.uidl, new.nth, new.number, new.size, fingerprint, message_id))

    def _store(self) -> None:
        self._db.executemany(_RAW, self._raws)
        self._db.executemany(_REMOTE, self._identities)
        conversations.group(self._db, self._unplaced)
        placements.place(self._db, self._unplaced, self._inbox)
        on_arrival.settle(self._db, self._account, self._inbox, self._unplaced)
        self._raws, self._identities, self._unplaced = [], [], []


def parse_page(page: Iterable[New]) -> list[New]:
    """Parse what is not parsed yet: fingerprint, envelope, and what is derived from the message where it came along.

    Pure; call it in a worker thread, so that nothing is parsed on the store thread.
    """
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    parsed = []
    for new in page:
        if new.envelope is None:
            whole = None if new.raw is None else derived.from_raw(new.raw, complete=True)
            fingerprint, envelope = parse.fingerprint(new.header), parse.envelope(new.header)
            new = replace(new, fingerprint=fingerprint, envelope=envelope, whole=whole)
        parsed.append(new)
    return parsed


def _parsed(new: New) -> tuple[bytes, Envelope, Derived | None]:
    assert new.fingerprint is not None
    assert new.envelope is not None
    return new.fingerprint, new.envelope, new.whole


def settle(store: Store, account: str) -> int:
    """Mark as absent what was found under no number, and return how many messages became absent.

    Call it after `arrive` has seen every header that the plan asked for.
    """
    with store.transaction() as db:
        missing = remote_state.mark_missing(db, account)
        remote_state.forget_unfetched(db, account)
    return missing


def skip(  # noqa: PLR0917 - a line of a listing, as it came
    store: Store, account: str, uidl: bytes, number: int, size: int, fingerprint: bytes | None, words: str
) -> None:
    """Store that a message cannot be fetched, and why, so that it is not tried again and again."""
    with store.transaction() as db:
        row = (words, account, uidl, number, fingerprint or b"")
        changed = db.execute(
            "UPDATE remote SET state = 'skipped', words = ? WHERE account = ? AND uidl = ? AND state IN ('kept', 'skipped')"
            " AND (number = ? OR fingerprint = ? AND fingerprint <> x'')",
            row,
        )
        if changed.rowcount == 0:
            db.execute(
                "INSERT INTO remote (words, account, uidl, number, fingerprint, size, state)"
                " VALUES (?, ?, ?, ?, ?, ?, 'skipped')",
                (*row, size),
            )


def skipped(store: Store, account: str) -> set[int]:
    """Return the ids, in the table remote, of the messages on the server that could not be fetched."""
    return {row[0] for row in store.read("SELECT id FROM remote WHERE account = ? AND state = 'skipped'", (account,))}


def by_message(store: Store, id_: int) -> Known | None:
    """Return what is known of a message in its maildrop; None for one that no server has."""
    found = _known(store, "WHERE r.message = ?", (id_,))
    return found[0] if found else None


def _known(store: Store, where: str, values: Sequence[Any]) -> list[Known]:
    return [
        Known(*(*others, RemoteState(state), due_at, downloaded == 1))
        for *others, state, due_at, downloaded in store.read(f"{_KNOWN} {where}", values)
    ]


def set_state(
    store: Store, remote_ids: Iterable[int], state: RemoteState, *, due_at: int | None = None, durable: bool = True
) -> list[int]:
    """Change the state of rows, and return which were changed. `due_at` None leaves that as it is.

    SENT changes only rows that are trashed or due, and DUE only those and rows that are sent: what the user called
    off in the meantime stays called off.
    """
    guard = {
        RemoteState.SENT: " AND state IN ('trashed', 'due')",
        RemoteState.DUE: " AND state IN ('trashed', 'due', 'sent')",
    }.get(state, "")
    with store.transaction(durable=durable) as db:
        changed = db.execute(
            "UPDATE remote SET state = ?, due_at = coalesce(?, due_at)"  # noqa: S608 - the guard is ours
            f" WHERE id {IN_IDS}{guard} RETURNING id",
            (state, due_at, id_list(remote_ids)),
        ).fetchall()
    return [id_ for (id_,) in changed]


def _ripen(store: Store, account: str, now: int) -> None:
    """Make due what was trashed long enough."""
    where = "WHERE account = ? AND state = 'trashed' AND due_at <= ?"
    if store.read_one(f"SELECT 1 FROM remote {where} LIMIT 1", (account, now)):  # noqa: S608 - a text of ours
        with store.transaction() as db:
            db.execute(f"UPDATE remote SET state = 'due' {where}", (account, now))  # noqa: S608


def due(store: Store, account: str, now: int) -> list[Known]:
    """Return the messages for which DELE may be sent at `now`.

    They were trashed long enough, and the whole message is here, or the user deleted it for good. A message that was
    put off (`set_state` with `due_at`) is left out until then.
    """
    _ripen(store, account, now)
    return _known(
        store,
        "WHERE r.account = ? AND r.state = 'due' AND coalesce(r.due_at, 0) <= ? AND (m.id IS NULL OR m.downloaded = 1)"
        " ORDER BY r.id",
        (account, now),
    )


def need_body(store: Store, account: str, now: int) -> list[Known]:
    """Return the messages that are due to be deleted once the whole message has been fetched and stored."""
    _ripen(store, account, now)
    return _known(
        store,
        "WHERE r.account = ? AND r.state = 'due' AND coalesce(r.due_at, 0) <= ? AND m.downloaded = 0 ORDER BY r.id",
        (account, now),
    )


def to_download(store: Store, account: str, since: int) -> list[Known]:
    """Return the messages whose bodies are still only on the server, newest first, without those that were skipped.

    `since` is the oldest date, as lists sort by it (UTC seconds).
    """
    return _known(
        store,
        "WHERE m.account = ? AND m.downloaded = 0 AND m.sort_date >= ? AND r.state = 'kept'"
        " ORDER BY m.sort_date DESC, m.id DESC",
        (account, since),
    )


def lacks_bodies(store: Store, account: str, since: int) -> bool:
    """Return whether a body is still only on the server; see `to_download`."""
    found = store.read_one(
        "SELECT 1 FROM message m JOIN remote r ON r.message = m.id"
        " WHERE m.account = ? AND m.downloaded = 0 AND m.sort_date >= ? AND r.state = 'kept' LIMIT 1",
        (account, since),
    )
    return found is not None


def expire(store: Store, account: str, rule: str, now: int) -> int:
    """Make due what the account's rule no longer leaves on the server, and return how many messages that are.

    The rule is "after-download", or "after 30 days" counted from when a message came here; every other rule makes
    nothing due. The local messages stay where they are.
    """
    days = re.fullmatch(r"after (\d{1,6}) days?", rule)
    if days:
        old = "received <= ?"
        values: tuple[Any, ...] = (account, now - int(days[1]) * 86_400)
    elif rule == "after-download":
        old, values = "downloaded = 1", (account,)
    else:
        return 0
    with store.transaction() as db:
        changed = db.execute(
            "UPDATE remote SET state = 'due', due_at = ? WHERE account = ? AND state = 'kept'"  # noqa: S608 - ours
            f" AND words = '' AND message IN (SELECT id FROM message WHERE account = ? AND {old})",
            (now, account, *values),
        )
    return changed.rowcount


def account_state(store: Store, account: str) -> State:
    """Return what the last session left; an empty State before the first."""
    found = store.read_one(
        "SELECT stat_count, stat_size, last_uidl, last_sync FROM account_state WHERE account = ?",
        (account,),
    )
    return State(*found) if found else State()


def set_account_state(store: Store, account: str, state: State) -> None:
    """Store what a session leaves for the next one."""
    with store.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO account_state (account, stat_count, stat_size, last_uidl, last_sync)"
            " VALUES (?, ?, ?, ?, ?)",
            (account, *astuple(state)),
        )
