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
from typing import TYPE_CHECKING, Any

from msgspec.structs import astuple, replace

from termmail.store import contacts, derived
from termmail.store.comparison import WHEN_MISSING, forget_unfetched, when_listed
from termmail.store.matching import Matcher
from termmail.store.messages import call_off, keep_raw
from termmail.store.rows import Arrived, Known, New, State
from termmail.store.store import id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Mapping, Sequence

    from termmail.mail.message import Envelope, Message
    from termmail.store.store import Store

_MESSAGE = (
    "INSERT INTO message (account, folder, received, size, sort_date, sender, recipients, subject, message_id,"
    " in_reply_to, refs, attachments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
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
    folder: str = "Inbox",
) -> Arrived:
    """Store messages whose headers were read, in one transaction.

    Known ones are recognised (`Matcher`): no message is ever listed twice, and one that was deleted and is back becomes
    due again. `received` is now, in UTC seconds; `listed` contains the UIDLs of the whole listing. What `parse_page`
    did not parse is parsed here, before the transaction.
    """
    read = [(new, *_parsed(new)) for new in parse_page(news)]
    # The higher number came later, so it gets the higher id: that decides between equal dates.
    read.sort(key=lambda one: one[0].number)
    tally = contacts.Tally()
    ids: list[int] = []
    rebound = again = 0
    with store.transaction() as db:
        strangers = _Strangers(db)
        matcher = Matcher(db, account, [(new, fingerprint) for new, fingerprint, _, _ in read], listed)
        for new, fingerprint, envelope, message in read:
            if matcher.is_stranger(new, fingerprint) and message is None:
                ids.append(_add(db, new, envelope, tally, account=account, folder=folder, received=received))
                strangers.add(account, new, fingerprint, ids[-1])
                continue
            strangers.store()
            held, is_rebound, replaced = matcher.match(new, fingerprint)
            for old in replaced:
                db.execute(
                    "UPDATE remote SET state = 'absent', number = 0, due_at = iif(state = 'due', coalesce(due_at, 0), due_at)"
                    " WHERE id = ?",
                    (old.id,),
                )
            if held is not None and (held.message is not None or held.fingerprint):
                state = when_listed(held.state, held.due_at)
                db.execute(_FOUND, (new.uidl, new.nth, new.number, new.size, fingerprint, state, held.due_at, held.id))
                rebound += is_rebound
                again += state == "due" and held.state != "due"
                id_ = held.message
            else:
                id_ = _add(db, new, envelope, tally, account=account, folder=folder, received=received)
                ids.append(id_)
                if held is None:
                    strangers.add(account, new, fingerprint, id_)
                    strangers.store()
                else:
                    db.execute(_RAW, (id_, new.header))
                    db.execute(_FOUND, (new.uidl, new.nth, new.number, new.size, fingerprint, "kept", None, held.id))
                    db.execute("UPDATE remote SET message = ?, words = '' WHERE id = ?", (id_, held.id))
            if new.raw is not None and message is not None and id_ is not None:
                keep_raw(db, id_, new.raw, message)
        strangers.store()
        tally.save(db)
    ids.reverse()
    return Arrived(ids, rebound, again)


class _Strangers:
    """Messages that are in the list already, and whose bytes and place on the server are stored many at once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._raws: list[tuple[int, bytes]] = []
        self._places: list[tuple[Any, ...]] = []

    def add(self, account: str, new: New, fingerprint: bytes, id_: int) -> None:
        self._raws.append((id_, new.header))
        self._places.append((account, new.uidl, new.nth, new.number, new.size, fingerprint, id_))

    def store(self) -> None:
        if self._raws:
            self._db.executemany(_RAW, self._raws)
            self._db.executemany(_REMOTE, self._places)
            self._raws, self._places = [], []


def parse_page(page: Iterable[New]) -> list[New]:
    """Parse what is not parsed yet: fingerprint, envelope, and the message where it came along.

    Pure; call it in a worker thread, so that nothing is parsed on the store thread.
    """
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    parsed = []
    for new in page:
        if new.envelope is None:
            message = parse.parse(new.raw) if new.message is None and new.raw is not None else new.message
            fingerprint, envelope = parse.fingerprint(new.header), parse.envelope(new.header)
            new = replace(new, fingerprint=fingerprint, envelope=envelope, message=message)
        parsed.append(new)
    return parsed


def _parsed(new: New) -> tuple[bytes, Envelope, Message | None]:
    assert new.fingerprint is not None
    assert new.envelope is not None
    return new.fingerprint, new.envelope, new.message


def _add(
    db: sqlite3.Connection,
    new: New,
    envelope: Envelope,
    tally: contacts.Tally,
    *,
    account: str,
    folder: str,
    received: int,
) -> int:
    columns = derived.columns(envelope, received)
    cursor = db.execute(_MESSAGE, (account, folder, received, new.size, *columns))
    id_ = cursor.lastrowid or 0
    tally.message(contacts.people(envelope, folder), columns.sort_date, written=folder == "Sent")
    return id_


def settle(store: Store, account: str) -> int:
    """After `arrive` has seen every header a plan asked for: what was found under no number is not in the maildrop.
    Returns how many messages became absent."""
    with store.transaction() as db:
        ((missing,),) = db.execute(
            "SELECT count(message) FROM remote WHERE account = ? AND number = 0"
            " AND state IN ('kept', 'trashed', 'skipped')",
            (account,),
        ).fetchall()
        for state, then in WHEN_MISSING.items():
            db.execute(
                "UPDATE remote SET state = ? WHERE account = ? AND number = 0 AND state = ?", (then, account, state)
            )
        forget_unfetched(db, account)
    return int(missing)


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


def trash(store: Store, ids: Iterable[int], due_at: int | None) -> dict[int, tuple[str, str]]:
    """Move messages to Trash, to be deleted from the server at `due_at` (UTC seconds; None: never). Returns the
    folder and the server state that each had, which `restore` takes."""
    wanted = id_list(ids)
    with store.transaction() as db:
        old: dict[int, tuple[str, str]] = {
            id_: (folder, state)
            for id_, folder, state in db.execute(
                "SELECT m.id, m.folder, coalesce(r.state, '') FROM message m LEFT JOIN remote r ON r.message = m.id"
                " WHERE m.id IN (SELECT value FROM json_each(?))",
                (wanted,),
            )
        }
        there = id_list(old)
        db.execute("UPDATE message SET folder = 'Trash' WHERE id IN (SELECT value FROM json_each(?))", (there,))
        db.execute(
            "UPDATE remote SET due_at = ?, state = iif(state = 'absent', state, 'trashed')"
            " WHERE message IN (SELECT value FROM json_each(?)) AND state IN ('kept', 'skipped', 'trashed', 'absent')",
            (due_at, there),
        )
    return old


def restore(store: Store, mapping: Mapping[int, tuple[str, str]]) -> list[int]:
    """Undo `trash`: put messages back where they were and call their delete off. Returns those for which it was too
    late: they come back, and are only here."""
    with store.transaction() as db:
        for id_, (folder, _) in mapping.items():
            db.execute("UPDATE message SET folder = ? WHERE id = ?", (folder, id_))
        db.execute(
            "UPDATE remote SET due_at = NULL WHERE state = 'absent' AND message IN (SELECT value FROM json_each(?))",
            (id_list(mapping),),
        )
        late = db.execute(
            "SELECT message FROM remote WHERE message IN (SELECT value FROM json_each(?)) AND state IN ('sent', 'gone')",
            (id_list(mapping),),
        ).fetchall()
        call_off(db, [id_ for id_, (_, state) in mapping.items() if state not in ("due", "sent", "gone")])
    return [id_ for (id_,) in late]


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


def to_download(store: Store, account: str) -> list[Known]:
    """Return the messages whose bodies are still only on the server, newest first, without those that were skipped."""
    return _known(
        store,
        "WHERE m.account = ? AND m.downloaded = 0 AND r.state = 'kept' ORDER BY m.sort_date DESC, m.id DESC",
        (account,),
    )


def lacks_bodies(store: Store, account: str) -> bool:
    """Return whether a body is still only on the server; see `to_download`."""
    found = store.read_one(
        "SELECT 1 FROM message m JOIN remote r ON r.message = m.id"
        " WHERE m.account = ? AND m.downloaded = 0 AND r.state = 'kept' LIMIT 1",
        (account,),
    )
    return found is not None


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
