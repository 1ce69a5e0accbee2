"""What each maildrop holds, and where every message in it stands.

    kept -> trashed -> due -> sent -> gone      the way of a delete; undoing leads back to kept
    kept, trashed -> absent                     the maildrop no longer lists it; the local copy stays
    absent -> kept, or trashed as it was        it is listed again
    sent, gone -> due                           it is listed again although DELE was sent
    skipped                                     it could not be fetched; `words` say why

A row is never removed for what a server says, so a message that comes back is known.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from msgspec.structs import astuple

from termmail.mail.model import Role
from termmail.store import contacts, derived, folders
from termmail.store.matching import LIVE, Witnesses
from termmail.store.messages import keep_raw
from termmail.store.rows import Arrived, Known, New, Plan, State
from termmail.store.store import id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from termmail.mail.message import Envelope
    from termmail.store.derived import Derived
    from termmail.store.store import Store

_WHEN_MISSING = {"kept": "absent", "trashed": "absent", "skipped": "absent", "due": "gone", "sent": "gone"}

_MESSAGE = (
    "INSERT INTO message (account, received, size, sort_date, sender, recipients, subject, message_id,"
    " in_reply_to, refs, attachments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_PLACEMENT = "INSERT INTO placement (folder, sort_date, message, unread) VALUES (?, ?, ?, 1)"
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
    listed: Collection[bytes],
) -> Arrived:
    """Take in messages whose headers were read, in one transaction. Known ones are recognised (`Witnesses`): no
    message is ever listed twice, and one that was deleted and is back becomes due again.

    `received` is now, in UTC seconds; `listed` are the UIDLs of the whole listing.
    """
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    # All parsing before the store is locked.
    read = [(new, parse.fingerprint(new.header), parse.envelope(new.header), _derived(new)) for new in news]
    # The higher number came later, so it gets the higher id: that decides between equal dates.
    read.sort(key=lambda one: one[0].number)
    tally = contacts.Tally()
    ids: list[int] = []
    rebound = again = 0
    with store.transaction() as db:
        strangers = _Strangers(db, folders.role_id(db, account, Role.INBOX))
        witnesses = Witnesses(db, account, [(new, fingerprint) for new, fingerprint, _, _ in read], listed)
        for new, fingerprint, envelope, whole in read:
            if witnesses.is_stranger(new, fingerprint) and whole is None:
                ids.append(_add(db, new, envelope, tally, account=account, received=received))
                strangers.add(account, new, fingerprint, ids[-1], derived.sort_date(envelope, received))
                continue
            strangers.store()
            held, is_rebound, replaced = witnesses.match(new, fingerprint)
            for old in replaced:
                db.execute(
                    "UPDATE remote SET state = 'absent', number = 0, due_at = iif(state = 'due', coalesce(due_at, 0), due_at)"
                    " WHERE id = ?",
                    (old.id,),
                )
            if held is not None and (held.message is not None or held.fingerprint):
                state = _when_listed(held.state, held.due_at)
                db.execute(_FOUND, (new.uidl, new.nth, new.number, new.size, fingerprint, state, held.due_at, held.id))
                rebound += is_rebound
                again += state == "due" and held.state != "due"
                id_ = held.message
            else:
                id_ = _add(db, new, envelope, tally, account=account, received=received)
                ids.append(id_)
                sort_date = derived.sort_date(envelope, received)
                if held is None:
                    strangers.add(account, new, fingerprint, id_, sort_date)
                    strangers.store()
                else:
                    db.execute(_RAW, (id_, new.header))
                    strangers.place(id_, sort_date)
                    strangers.store()
                    db.execute(_FOUND, (new.uidl, new.nth, new.number, new.size, fingerprint, "kept", None, held.id))
                    db.execute("UPDATE remote SET message = ?, words = '' WHERE id = ?", (id_, held.id))
            if new.raw is not None and whole is not None and id_ is not None:
                keep_raw(db, id_, new.raw, whole)
        strangers.store()
        tally.save(db)
    ids.reverse()
    return Arrived(ids, rebound, again)


class _Strangers:
    """New messages, whose bytes, identity and placement are stored many at once."""

    def __init__(self, db: sqlite3.Connection, inbox: int) -> None:
        self._db = db
        self._inbox = inbox
        self._raws: list[tuple[int, bytes]] = []
        self._identities: list[tuple[Any, ...]] = []
        self._placements: list[tuple[int, int, int]] = []

    def add(self, account: str, new: New, fingerprint: bytes, message_id: int, sort_date: int) -> None:
        self._raws.append((message_id, new.header))
        self._identities.append((account, new.uidl, new.nth, new.number, new.size, fingerprint, message_id))
        self.place(message_id, sort_date)

    def place(self, message_id: int, sort_date: int) -> None:
        self._placements.append((self._inbox, sort_date, message_id))

    def store(self) -> None:
        if self._raws:
            self._db.executemany(_RAW, self._raws)
            self._db.executemany(_REMOTE, self._identities)
        if self._placements:
            self._db.executemany(_PLACEMENT, self._placements)
        self._raws, self._identities, self._placements = [], [], []


def _derived(new: New) -> Derived | None:
    from termmail.mail import parse  # noqa: PLC0415

    if new.raw is None:
        return None
    return derived.from_message(parse.parse(new.raw) if new.message is None else new.message)


def _add(
    db: sqlite3.Connection,
    new: New,
    envelope: Envelope,
    tally: contacts.Tally,
    *,
    account: str,
    received: int,
) -> int:
    columns = derived.columns(envelope, received)
    cursor = db.execute(_MESSAGE, (account, received, new.size, *columns))
    tally.message(contacts.people(envelope, written=False), columns.sort_date, written=False)
    return cursor.lastrowid or 0


def _when_listed(state: str, due_at: int | None) -> str:
    if state == "absent":
        return "kept" if due_at is None else "trashed"
    return "due" if state in ("sent", "gone") else state


def reconcile(store: Store, account: str, listed: Sequence[tuple[int, int, bytes]]) -> Plan:
    """Compare a whole listing, (number, size, UIDL) each, with what is known, and note what is there and what is not.

    Headers of the messages that the plan names must be read and passed to `arrive`; then call `settle`. A known UIDL
    whose size has changed is among the new: only its header tells whether it still is that message.
    """
    names = Counter(uidl for _, _, uidl in listed)
    plan = Plan([], [])
    again = missing = 0
    with store.transaction() as db:
        rows: dict[bytes, list[tuple[Any, ...]]] = defaultdict(list)
        query = "SELECT id, uidl, number, size, state, due_at, message FROM remote WHERE account = ?"
        for row in db.execute(query, (account,)):
            rows[row[1]].append(row)
        changes: list[tuple[int, str, int]] = []
        sizes: dict[bytes, set[int]] = defaultdict(set)
        for place, (number, size, uidl) in enumerate(listed):
            known = rows.get(uidl)
            if not uidl or names[uidl] > 1:
                plan.unnamed.append(place)
                sizes[uidl].add(size)
            elif known is None:
                plan.new.append(place)
            else:
                row = _only(known, size)
                if row is None:
                    (plan.unnamed if sum(row[4] in LIVE for row in known) > 1 else plan.new).append(place)
                    sizes[uidl].update(row[3] for row in known)
                    continue
                sizes[uidl] = set()
                state = _when_listed(row[4], row[5])
                again += state == "due" and row[4] != "due"
                if (number, state) != (row[2], row[4]):
                    changes.append((number, state, row[0]))
                known.remove(row)
        for uidl, known in rows.items():
            for row in known:
                # Under a UIDL that does not tell, a row whose size is listed may still be there: `settle` decides.
                stays = row[3] in sizes[uidl] if uidl in sizes else False
                state = row[4] if stays else _WHEN_MISSING.get(row[4], row[4])
                missing += state == "absent" and row[4] != "absent" and row[6] is not None
                if (0, state) != (row[2], row[4]):
                    changes.append((0, state, row[0]))
        db.executemany("UPDATE remote SET number = ?, state = ? WHERE id = ?", changes)
        _forget_unfetched(db, account)
    return Plan(plan.new, plan.unnamed, again, missing)


def _only(known: list[tuple[Any, ...]], size: int) -> tuple[Any, ...] | None:
    """The one row that a UIDL and a size can mean, or None where only the header can tell."""
    live = [row for row in known if row[4] in LIVE]
    rows = live or [row for row in known if row[3] == size]
    if len(rows) != 1:
        return None
    row = rows[0]
    return row if row[3] == size or row[4] == "skipped" else None


def settle(store: Store, account: str) -> int:
    """After `arrive` has seen every header a plan asked for: what was found under no number is not in the maildrop.
    Returns how many messages became absent."""
    with store.transaction() as db:
        ((missing,),) = db.execute(
            "SELECT count(message) FROM remote WHERE account = ? AND number = 0"
            " AND state IN ('kept', 'trashed', 'skipped')",
            (account,),
        ).fetchall()
        for state, then in _WHEN_MISSING.items():
            db.execute(
                "UPDATE remote SET state = ? WHERE account = ? AND number = 0 AND state = ?", (then, account, state)
            )
        _forget_unfetched(db, account)
    return int(missing)


def _forget_unfetched(db: sqlite3.Connection, account: str) -> None:
    """Nothing of it was ever read, and it is no longer there."""
    db.execute(
        "DELETE FROM remote WHERE account = ? AND state = 'absent' AND message IS NULL AND fingerprint = x''",
        (account,),
    )


def skip(  # noqa: PLR0917 - a line of a listing, as it came
    store: Store, account: str, uidl: bytes, number: int, size: int, fingerprint: bytes | None, words: str
) -> None:
    """Note that a message could not be fetched, and why in words, so that it is not tried for ever (SAFETY P4)."""
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


def known(store: Store, account: str) -> list[Known]:
    """Everything known of a maildrop, tombstones too, oldest first."""
    return _known(store, "WHERE r.account = ? ORDER BY r.id", (account,))


def by_message(store: Store, id_: int) -> Known | None:
    """Where the server stands with a message; None for one that no server knows."""
    found = _known(store, "WHERE r.message = ?", (id_,))
    return found[0] if found else None


def _known(store: Store, where: str, values: Sequence[Any]) -> list[Known]:
    return [Known(*(*row[:-1], row[-1] == 1)) for row in store.read(f"{_KNOWN} {where}", values)]


def set_state(
    store: Store, remote_ids: Iterable[int], state: str, *, due_at: int | None = None, durable: bool = True
) -> list[int]:
    """Put rows into a state; returns which were. `due_at` None leaves that as it is.

    "sent" takes only rows that are trashed or due, and "due" only those and rows that are sent: what a person called
    off in the meantime stays called off.
    """
    guard = {
        "sent": " AND state IN ('trashed', 'due')",
        "due": " AND state IN ('trashed', 'due', 'sent')",
    }.get(state, "")
    with store.transaction(durable=durable) as db:
        changed = db.execute(
            "UPDATE remote SET state = ?, due_at = coalesce(?, due_at)"  # noqa: S608 - the guard is ours
            f" WHERE id IN (SELECT value FROM json_each(?)){guard} RETURNING id",
            (state, due_at, id_list(remote_ids)),
        ).fetchall()
    return [id_ for (id_,) in changed]


def _ripen(store: Store, account: str, now: int) -> None:
    where = "WHERE account = ? AND state = 'trashed' AND due_at <= ?"
    if store.read_one(f"SELECT 1 FROM remote {where} LIMIT 1", (account, now)):  # noqa: S608 - a text of ours
        with store.transaction() as db:
            db.execute(f"UPDATE remote SET state = 'due' {where}", (account, now))  # noqa: S608


def due(store: Store, account: str, now: int) -> list[Known]:
    """What DELE may be sent for at `now`: trashed long enough, and its whole message is here - or was erased by the
    user's word. One that was put off (`set_state` with `due_at`) is left out until then."""
    _ripen(store, account, now)
    return _known(
        store,
        "WHERE r.account = ? AND r.state = 'due' AND coalesce(r.due_at, 0) <= ? AND (m.id IS NULL OR m.downloaded = 1)"
        " ORDER BY r.id",
        (account, now),
    )


def need_body(store: Store, account: str, now: int) -> list[Known]:
    """What is due to be deleted once its whole message has been fetched and kept."""
    _ripen(store, account, now)
    return _known(
        store,
        "WHERE r.account = ? AND r.state = 'due' AND coalesce(r.due_at, 0) <= ? AND m.downloaded = 0 ORDER BY r.id",
        (account, now),
    )


def to_download(store: Store, account: str) -> dict[bytes, int]:
    """UIDL -> message id of those whose bodies are still only on the server, newest first; not those that were
    skipped."""
    return dict(
        store.read(
            "SELECT r.uidl, m.id FROM message m JOIN remote r ON r.message = m.id"
            " WHERE m.account = ? AND m.downloaded = 0 AND r.state = 'kept' ORDER BY m.sort_date DESC, m.id DESC",
            (account,),
        )
    )


def expire(store: Store, account: str, rule: str, now: int) -> int:
    """Make due what the account's rule no longer leaves on the server: "after-download", or "after 30 days" counted
    from when it came here. The local messages stay where they are. Returns how many; 0 for every other rule."""
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
    """What the last session left; an empty State before the first."""
    found = store.read_one(
        "SELECT stat_count, stat_size, last_uidl, last_sync FROM account_state WHERE account = ?",
        (account,),
    )
    return State(*found) if found else State()


def set_account_state(store: Store, account: str, state: State) -> None:
    """Keep what a session leaves for the next one."""
    with store.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO account_state (account, stat_count, stat_size, last_uidl, last_sync)"
            " VALUES (?, ?, ?, ?, ?)",
            (account, *astuple(state)),
        )
