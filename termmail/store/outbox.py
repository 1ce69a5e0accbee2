"""Outgoing messages and their states: none is lost, and none is sent twice without a question.

    queued -> sending -> sent
    sending -> queued                 deferred (offline, 4xx): waits a minute, doubled with each attempt up to an hour
    sending -> failed                 refused; the draft can be edited again
    sending -> unsure                 the connection or the program ended after the final dot: the user decides
    queued, failed, unsure -> cancelled; the draft is in Drafts again

A process claims a row, from queued to sending, before it sends it; only one process can.
"""

from __future__ import annotations

import json
from array import array
from itertools import chain
from typing import TYPE_CHECKING, Any

from termmail.errors import ErrorCode, UserError
from termmail.mail.message import Address, Draft, Outgoing
from termmail.mail.model import OutgoingRow, Role, SendState
from termmail.store import contacts, drafts, folders
from termmail.store.messages import add_local
from termmail.store.rows import Claimed, Wait
from termmail.store.store import id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from termmail.mail.message import Envelope
    from termmail.store.derived import Derived
    from termmail.store.store import Store

_FIRST_WAIT = 60
_LONGEST_WAIT = 3600

_OPEN = "state NOT IN ('sent', 'cancelled')"

_ROW = (
    "SELECT id, account, state, words, recipients, refused, attempts, not_before, subject, message_id, draft,"
    " accepted, created, size FROM outbox"
)


def queue(store: Store, account: str, outgoing: Outgoing, *, draft_id: int = 0, not_before: int, now: int) -> int:
    """Queue a message that is not to be sent before `not_before` (UTC seconds), and return its outbox id.

    Its draft (0: none) leaves the Drafts list and stays in the store until the message is sent. On the disk when this
    returns.
    """
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    subject = parse.envelope(parse.split_header(outgoing.raw)).subject
    with store.transaction(durable=True) as db:
        version = db.execute("SELECT version FROM draft WHERE id = ?", (draft_id,)).fetchone()
        # A refused message whose draft is sent again is replaced by this one.
        db.execute(
            "UPDATE outbox SET state = 'cancelled', raw = NULL WHERE draft = ? AND draft <> 0 AND state = 'failed'",
            (draft_id,),
        )
        cursor = db.execute(
            "INSERT INTO outbox (account, state, created, not_before, sender, recipients, subject, message_id, size,"
            " draft, draft_version, raw) VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                account,
                now,
                not_before,
                outgoing.sender,
                json.dumps(outgoing.recipients),
                subject,
                outgoing.message_id,
                len(outgoing.raw),
                draft_id,
                version[0] if version else 0,
                outgoing.raw,
            ),
        )
        outbox_id = cursor.lastrowid or 0
        db.execute("UPDATE draft SET outbox = ? WHERE id = ?", (outbox_id, draft_id))
    return outbox_id


def check_unsent(db: sqlite3.Connection, draft_id: int) -> None:
    """Raise UserError (CHANGED) where a draft is in the outbox: another screen has sent it."""
    if db.execute("SELECT 1 FROM draft WHERE id = ? AND outbox IS NOT NULL", (draft_id,)).fetchone():
        words = "This draft is in the Outbox already: it was sent from another screen."
        raise UserError(words, "What was written here stays a draft.", code=ErrorCode.CHANGED)


def waits(store: Store, account: str, now: int) -> list[Wait]:
    """Return every queued message with the seconds that it still has to wait at `now`, in the order it was queued.

    A wait is never longer than what was asked for when the message was queued or deferred: the clock may have been
    wrong then, or may be wrong now.
    """
    found = store.read(
        "SELECT id, not_before, created, attempts FROM outbox WHERE account = ? AND state = 'queued'"
        " ORDER BY not_before, id",
        (account,),
    )
    return [
        Wait(outbox_id, not_before, max(0, min(not_before - now, _asked(not_before, created, attempts))))
        for outbox_id, not_before, created, attempts in found
    ]


def _asked(not_before: int, created: int, attempts: int) -> int:
    """Return the delay that was asked for, in seconds: by the user, or by `later` after an attempt."""
    return _backoff(attempts) if attempts else not_before - created


def _backoff(attempts: int) -> int:
    return min(_LONGEST_WAIT, _FIRST_WAIT << min(attempts - 1, 10))


def claim(store: Store, account: str, ready: Iterable[int], owner: str) -> Claimed | None:
    """Claim the message that has waited longest, so that no other process sends it; None where none is ready.

    `ready` are the outbox ids that may be sent (see `waits`), `owner` names this process. Recipients who have the
    message, or were refused for good, are left out. On the disk when this returns.
    """
    with store.transaction(durable=True) as db:
        found = db.execute(
            "UPDATE outbox SET state = 'sending', owner = ?3, attempts = attempts + 1 WHERE id ="
            " (SELECT id FROM outbox WHERE account = ?1 AND state = 'queued'"
            " AND id IN (SELECT value FROM json_each(?2)) ORDER BY not_before, id LIMIT 1)"
            " RETURNING id, raw, sender, recipients, accepted, refused, message_id, attempts, draft",
            (account, id_list(ready), owner),
        ).fetchall()
    for outbox_id, raw, sender, recipients, accepted, refused, message_id, attempts, draft_id in found:
        have = tuple(json.loads(accepted))
        passed_over = {*have, *json.loads(refused)}
        left = tuple(address for address in json.loads(recipients) if address not in passed_over)
        return Claimed(outbox_id, account, Outgoing(raw, sender, left, message_id), attempts, draft_id, have)
    return None


def sent(store: Store, outbox_id: int, now: int, found: Derived) -> int:
    """Store that the server has taken a message, and return the id of its copy in Sent.

    One transaction, on the disk when this returns: the row is sent, the copy is in Sent, the draft is deleted, the
    message it answers or forwards is marked, its recipients are counted as contacts. A second call changes nothing.
    `found` is what was derived from the message. Raises KeyError where there is no such row.
    """
    with store.transaction(durable=True) as db:
        row = db.execute(
            "SELECT account, raw, recipients, draft, message FROM outbox WHERE id = ?", (outbox_id,)
        ).fetchone()
        if row is None:
            raise KeyError(outbox_id)
        account, raw, recipients, draft_id, copy = row
        if raw is None:
            return int(copy or 0)
        sent_folder = folders.role_id(db, account, Role.SENT)
        copy_id = add_local(store, account, sent_folder, raw, found, received=now, written=True)
        db.execute(
            "UPDATE outbox SET state = 'sent', words = '', raw = NULL, message = ?,"
            " accepted = iif(refused = '{}', recipients, accepted) WHERE id = ?",
            (copy_id, outbox_id),
        )
        _count_hidden(db, found.envelope, json.loads(recipients), now)
        draft = db.execute(
            "SELECT answers, forwards, outbox, remind_at FROM draft WHERE id = ?", (draft_id,)
        ).fetchone()
        if draft:
            db.execute("UPDATE message SET answered = 1, unread = 0 WHERE id = ?", (draft[0],))
            db.execute("UPDATE message SET forwarded = 1 WHERE id = ?", (draft[1],))
            if draft[3] > now and draft[2] == outbox_id:
                db.execute("INSERT INTO reminder (message, until) VALUES (?, ?)", (copy_id, draft[3]))
            # A draft that was edited since is another message.
            db.execute("DELETE FROM draft WHERE id = ? AND outbox = ?", (draft_id, outbox_id))
    return copy_id


def _count_hidden(db: sqlite3.Connection, envelope: Envelope, recipients: Iterable[str], now: int) -> None:
    """Count the recipients of Bcc as contacts: no header names them."""
    named = {address.email.lower() for address in (*envelope.to, *envelope.cc)}
    tally = contacts.Tally()
    hidden = [Address("", address) for address in recipients if address.lower() not in named]
    tally.message(hidden, now, written=True)
    tally.save(db)


def later(store: Store, outbox_id: int, words: str, now: int) -> int:
    """Queue a message again for a later attempt, and return when that is due (UTC seconds).

    The wait is a minute from `now`, doubled with each attempt up to an hour.
    """
    with store.transaction(durable=True) as db:
        found = db.execute("SELECT attempts FROM outbox WHERE id = ? AND state = 'sending'", (outbox_id,)).fetchone()
        if found is None:
            return now
        wait = _backoff(int(found[0]))
        _change(db, outbox_id, "queued", words, "sending")
        db.execute("UPDATE outbox SET not_before = ? WHERE id = ?", (now + wait, outbox_id))
    return now + wait


def hurry(store: Store, account: str, now: int) -> None:
    """Make every deferred message due now.

    A message that was not tried yet keeps the seconds in which it can be taken back, except where it was queued under
    a clock that was ahead of `now`.
    """
    with store.transaction() as db:
        db.execute(
            "UPDATE outbox SET not_before = min(not_before, ?1), created = min(created, ?1)"
            " WHERE account = ?2 AND state = 'queued' AND (attempts > 0 OR created > ?1)",
            (now, account),
        )


def failed(store: Store, outbox_id: int, words: str, refused: Mapping[str, str]) -> None:
    """Store that the server refused a message for good; the draft can be edited again.

    `refused` is the server's text by address.
    """
    with store.transaction(durable=True) as db:
        if _change(db, outbox_id, "failed", words, "sending", "queued"):
            _add_refused(db, outbox_id, refused)
            db.execute("UPDATE draft SET outbox = NULL WHERE outbox = ?", (outbox_id,))


def unsure(store: Store, outbox_id: int, words: str) -> None:
    """Store that nobody knows whether the server took a message: the user decides."""
    with store.transaction(durable=True) as db:
        _change(db, outbox_id, "unsure", words, "sending")


def partial(store: Store, outbox_id: int, accepted: Iterable[str], refused: Mapping[str, str]) -> None:
    """Store which recipients have the message and which were refused, so that another attempt leaves them out.

    The state stays: `sent`, `later` or `failed` changes it.
    """
    with store.transaction(durable=True) as db:
        found = db.execute("SELECT accepted FROM outbox WHERE id = ?", (outbox_id,)).fetchone()
        if found:
            have = list(dict.fromkeys((*json.loads(found[0]), *accepted)))
            db.execute("UPDATE outbox SET accepted = ? WHERE id = ?", (json.dumps(have), outbox_id))
            _add_refused(db, outbox_id, refused)


def _add_refused(db: sqlite3.Connection, outbox_id: int, refused: Mapping[str, str]) -> None:
    (known,) = db.execute("SELECT refused FROM outbox WHERE id = ?", (outbox_id,)).fetchone()
    db.execute("UPDATE outbox SET refused = ? WHERE id = ?", (json.dumps(json.loads(known) | dict(refused)), outbox_id))


def _change(db: sqlite3.Connection, outbox_id: int, state: str, words: str, *only_from: str) -> bool:
    changed = db.execute(
        "UPDATE outbox SET state = ?, words = ? WHERE id = ? AND state IN (SELECT value FROM json_each(?))",
        (state, words, outbox_id, json.dumps(only_from)),
    )
    return changed.rowcount == 1


def recover(store: Store, account: str) -> list[int]:
    """Make unsure what a process that ended was sending, and return those ids.

    Call it only while the account's send lock is held: then no other process is sending.
    """
    words = "termmail ended while it was sending this; it may have arrived."
    with store.transaction(durable=True) as db:
        found = db.execute(
            "UPDATE outbox SET state = 'unsure', words = ? WHERE account = ? AND state = 'sending' RETURNING id",
            (words, account),
        ).fetchall()
    return [outbox_id for (outbox_id,) in found]


def cancel(store: Store, outbox_id: int) -> Draft | None:
    """Take back a message that is queued, failed or unsure, and return its draft, which is in the Drafts list again.

    Return None where it has no draft: then the message is deleted. Raises UserError where it is being sent (the code is
    BUSY), was sent, to some of its recipients too, or was taken back before (CHANGED), and KeyError where there is no
    such message.
    """
    with store.transaction(durable=True) as db:
        have = db.execute("SELECT accepted FROM outbox WHERE id = ? AND state <> 'sent'", (outbox_id,)).fetchone()
        if have is not None and (sent_to := json.loads(have[0])):
            raise UserError(f"{', '.join(sent_to)} has this message; it cannot be taken back.", code=ErrorCode.CHANGED)
        if not _change(db, outbox_id, "cancelled", "", "queued", "failed", "unsure"):
            raise _stands_otherwise(db, outbox_id)
        db.execute("UPDATE outbox SET raw = NULL WHERE id = ?", (outbox_id,))
        db.execute("UPDATE draft SET outbox = NULL WHERE outbox = ?", (outbox_id,))
        (draft_id,) = db.execute("SELECT draft FROM outbox WHERE id = ?", (outbox_id,)).fetchone()
        try:
            return drafts.load(store, draft_id)
        except KeyError:
            return None


def retry(store: Store, outbox_id: int, now: int, *, sure: bool = False) -> None:
    """Make a message that is queued or failed due now; one that is unsure only where the user is `sure`.

    Raises UserError where it is being sent (the code is BUSY), was sent, may have arrived or was taken back (CHANGED),
    and KeyError where there is no such message.
    """
    states = ("queued", "failed", "unsure") if sure else ("queued", "failed")
    with store.transaction(durable=True) as db:
        if not _change(db, outbox_id, "queued", "", *states):
            raise _stands_otherwise(db, outbox_id)
        db.execute("UPDATE outbox SET not_before = ?, refused = '{}' WHERE id = ?", (now, outbox_id))
        db.execute(
            "UPDATE draft SET outbox = ?1 WHERE outbox IS NULL AND (id, version) ="
            " (SELECT draft, draft_version FROM outbox WHERE id = ?1)",
            (outbox_id,),
        )


def _stands_otherwise(db: sqlite3.Connection, outbox_id: int) -> UserError:
    """Return the error for a message that cannot be taken back, or tried again, in the state that it is in."""
    found = db.execute("SELECT state FROM outbox WHERE id = ?", (outbox_id,)).fetchone()
    if found is None:
        raise KeyError(outbox_id)
    words, code, advice = _STANDS[SendState(found[0])]
    return UserError(f"Message {outbox_id} {words}.", advice.format(id=outbox_id), code=code)


_STANDS = {
    SendState.SENDING: (
        "is being sent now",
        ErrorCode.BUSY,
        "termmail outbox shows the result; termmail sync finds it out if no other termmail is running.",
    ),
    SendState.UNSURE: (
        "may have arrived already",
        ErrorCode.CHANGED,
        "To send it anyway: termmail outbox retry --sure {id}",
    ),
    SendState.SENT: ("was sent already", ErrorCode.CHANGED, ""),
    SendState.CANCELLED: ("was taken back already", ErrorCode.CHANGED, ""),
}


def retry_all(store: Store, account: str, now: int) -> list[int]:
    """Make every queued message due now, also one that can still be taken back, and return their ids."""
    with store.transaction(durable=True) as db:
        found = db.execute(
            "UPDATE outbox SET not_before = ?1, created = min(created, ?1) WHERE account = ?2 AND state = 'queued'"
            " RETURNING id",
            (now, account),
        ).fetchall()
    return sorted(outbox_id for (outbox_id,) in found)


def raw(store: Store, outbox_id: int) -> bytes | None:
    """Return the bytes of an outgoing message; None where it was sent or taken back. Raises KeyError."""
    found = store.read_one("SELECT raw FROM outbox WHERE id = ?", (outbox_id,))
    if found is None:
        raise KeyError(outbox_id)
    return found[0]  # type: ignore[no-any-return]


def get(store: Store, outbox_id: int) -> OutgoingRow:
    """Return how an outgoing message stands. Raises KeyError where there is no such message."""
    found = store.read_one(_ROW + " WHERE id = ?", (outbox_id,))
    if found is None:
        raise KeyError(outbox_id)
    return _outgoing(found)


def _outgoing(values: tuple[Any, ...]) -> OutgoingRow:
    told = list(values)
    told[2] = SendState(told[2])
    told[4], told[5], told[11] = tuple(json.loads(told[4])), json.loads(told[5]), tuple(json.loads(told[11]))
    return OutgoingRow(*told)


def ids(store: Store, account: str = "") -> array[int]:
    """Return the outbox ids of an account ("": of every account), newest first.

    What was sent or taken back is left out.
    """
    found = store.read(
        f"SELECT id FROM outbox WHERE ? IN (account, '') AND {_OPEN} ORDER BY created DESC, id DESC",  # noqa: S608 - ours
        (account,),
    )
    return array("q", chain.from_iterable(found))


def counts(store: Store) -> dict[str, int]:
    """Return account -> how many messages `ids` lists; accounts with none have no entry."""
    return dict(store.read(f"SELECT account, count(*) FROM outbox WHERE {_OPEN} GROUP BY account"))  # noqa: S608


def rows(store: Store, ids: Sequence[int]) -> list[OutgoingRow]:
    """Return the list lines of these outgoing messages in their order."""
    found = store.read(
        f"{_ROW} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608 - a text of ours
        (id_list(ids),),
    )
    lines = {row[0]: _outgoing(row) for row in found}
    return [lines[outbox_id] for outbox_id in ids if outbox_id in lines]
