"""Messages on their way out, so that none is lost and none is sent twice in silence.

    queued -> sending -> sent
    sending -> queued                 not now (offline, 4xx): waits a minute, then twice as long, up to an hour
    sending -> failed                 refused; the draft may be edited again
    sending -> unsure                 the line died after the final dot, or the program did: only a person decides
    queued, failed, unsure -> cancelled, and the draft is back

Whoever sends must first move the row from queued to sending, which one process alone can do.
"""

from __future__ import annotations

import json
from array import array
from itertools import chain
from typing import TYPE_CHECKING, Any

from termmail.mail import sanitize
from termmail.mail.message import Address, Draft, Message, Outgoing
from termmail.store import contacts, drafts
from termmail.store.messages import add_local
from termmail.store.rows import Claimed, OutboxRow, Row, Wait
from termmail.store.store import id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from termmail.store.store import Store

_FIRST_WAIT = 60
_LONGEST_WAIT = 3600

STATE_WORDS = {
    "queued": "waiting to be sent",
    "sending": "being sent",
    "sent": "sent",
    "failed": "refused",
    "unsure": "may have been sent",
    "cancelled": "taken back",
}

_ROW = (
    "SELECT id, account, state, words, recipients, refused, attempts, not_before, subject, message_id, draft,"
    " accepted, created, size, message FROM outbox"
)


def queue(store: Store, account: str, outgoing: Outgoing, *, draft_id: int = 0, not_before: int, now: int) -> int:
    """Put a message into the outbox, not to be sent before `not_before` (UTC seconds), and return its outbox id. Its
    draft (0: none) leaves the Drafts list and stays in the store until it is sent. On the disk when this returns."""
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    subject = parse.envelope(parse.split_header(outgoing.raw)).subject
    with store.transaction(durable=True) as db:
        version = db.execute("SELECT version FROM draft WHERE id = ?", (draft_id,)).fetchone()
        # What was refused before and is sent anew is this message now.
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
        id_ = cursor.lastrowid or 0
        db.execute("UPDATE draft SET outbox = ? WHERE id = ?", (id_, draft_id))
    return id_


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
    return min(_LONGEST_WAIT, _FIRST_WAIT << min(max(attempts - 1, 0), 10))


def claim(store: Store, account: str, now: int, owner: str, *, ready: Iterable[int] | None = None) -> Claimed | None:
    """Claim the message that has waited longest, so that no other process sends it; None where none is ready.

    `ready` names the outbox ids that may be sent; without it, those whose `not_before` has passed. `owner` names this
    process. Recipients who have the message, or were refused for good, are left out. On the disk when this returns.
    """
    chosen = "not_before <= ?2" if ready is None else "id IN (SELECT value FROM json_each(?2))"
    with store.transaction(durable=True) as db:
        found = db.execute(
            "UPDATE outbox SET state = 'sending', owner = ?3, attempts = attempts + 1 WHERE id ="  # noqa: S608 - ours
            f" (SELECT id FROM outbox WHERE account = ?1 AND state = 'queued' AND {chosen}"
            " ORDER BY not_before, id LIMIT 1)"
            " RETURNING id, raw, sender, recipients, accepted, refused, message_id, attempts, draft",
            (account, now if ready is None else id_list(ready), owner),
        ).fetchall()
    for outbox_id, raw, sender, recipients, accepted, refused, message_id, attempts, draft_id in found:
        have = {*json.loads(accepted), *json.loads(refused)}
        left = tuple(address for address in json.loads(recipients) if address not in have)
        return Claimed(outbox_id, account, Outgoing(raw, sender, left, message_id), attempts, draft_id)
    return None


def sent(store: Store, id_: int, now: int, message: Message | None = None) -> int:
    """The server has it: in one transaction, on the disk when this returns, the row is sent, the Sent copy is there,
    the draft is gone, what it answers or forwards has its mark, its people are counted. Returns the id of the Sent
    copy; a second call changes nothing. `message` is what `parse` made of the raw bytes (parsed here when None).
    Raises KeyError where there is no such row."""
    found = store.read_one("SELECT raw, message FROM outbox WHERE id = ?", (id_,))
    if found is None:
        raise KeyError(id_)
    if found[0] is None:
        return int(found[1] or 0)
    if message is None:
        from termmail.mail import parse  # noqa: PLC0415

        message = parse.parse(found[0])
    with store.transaction(durable=True) as db:
        row = db.execute("SELECT account, raw, recipients, draft, message FROM outbox WHERE id = ?", (id_,)).fetchone()
        account, raw, recipients, draft_id, copy = row
        if raw is None:
            return int(copy or 0)
        copy_id = add_local(store, account, "Sent", raw, received=now, message=message)
        db.execute(
            "UPDATE outbox SET state = 'sent', words = '', raw = NULL, message = ?,"
            " accepted = iif(refused = '{}', recipients, accepted) WHERE id = ?",
            (copy_id, id_),
        )
        _count_hidden(db, message, json.loads(recipients), now)
        draft = db.execute("SELECT answers, forwards, outbox FROM draft WHERE id = ?", (draft_id,)).fetchone()
        if draft:
            db.execute("UPDATE message SET answered = 1 WHERE id = ?", (draft[0],))
            db.execute("UPDATE message SET forwarded = 1 WHERE id = ?", (draft[1],))
            # One that was edited since is another message.
            db.execute("DELETE FROM draft WHERE id = ? AND outbox = ?", (draft_id, id_))
    return copy_id


def _count_hidden(db: sqlite3.Connection, message: Message, recipients: Iterable[str], now: int) -> None:
    """Those of Bcc stand in no header."""
    named = {address.email.lower() for address in (*message.envelope.to, *message.envelope.cc)}
    tally = contacts.Tally()
    hidden = [Address("", address) for address in recipients if address.lower() not in named]
    tally.message(hidden, now, written=True)
    tally.save(db)


def assume_sent(store: Store, id_: int, now: int, message: Message | None = None) -> int:
    """A person says that an unsure message did arrive: all that `sent` does."""
    return sent(store, id_, now, message)


def later(store: Store, id_: int, words: str, now: int) -> int:
    """Not now: back to queued. Returns when it is tried again (UTC seconds): a minute from `now`, twice as long at
    each attempt, an hour at most."""
    with store.transaction(durable=True) as db:
        found = db.execute("SELECT attempts FROM outbox WHERE id = ? AND state = 'sending'", (id_,)).fetchone()
        if found is None:
            return now
        wait = _backoff(int(found[0]))
        _change(db, id_, "queued", words, "sending")
        db.execute("UPDATE outbox SET not_before = ? WHERE id = ?", (now + wait, id_))
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


def failed(store: Store, id_: int, words: str, refused: Mapping[str, str]) -> None:
    """Refused for good, with the server's words by address: the draft may be edited again."""
    with store.transaction(durable=True) as db:
        if _change(db, id_, "failed", words, "sending", "queued"):
            _add_refused(db, id_, refused)
            db.execute("UPDATE draft SET outbox = NULL WHERE outbox = ?", (id_,))


def unsure(store: Store, id_: int, words: str) -> None:
    """Nobody knows whether the server took it: it waits for a person's word."""
    with store.transaction(durable=True) as db:
        _change(db, id_, "unsure", words, "sending")


def partial(store: Store, id_: int, accepted: Iterable[str], refused: Mapping[str, str]) -> None:
    """Note who got it and who did not, so that another attempt leaves out those who have it (SAFETY S10). The state
    stays: `sent`, `later` or `failed` says how it goes on."""
    with store.transaction(durable=True) as db:
        found = db.execute("SELECT accepted FROM outbox WHERE id = ?", (id_,)).fetchone()
        if found:
            have = list(dict.fromkeys((*json.loads(found[0]), *accepted)))
            db.execute("UPDATE outbox SET accepted = ? WHERE id = ?", (json.dumps(have), id_))
            _add_refused(db, id_, refused)


def _add_refused(db: sqlite3.Connection, id_: int, refused: Mapping[str, str]) -> None:
    (known,) = db.execute("SELECT refused FROM outbox WHERE id = ?", (id_,)).fetchone()
    db.execute("UPDATE outbox SET refused = ? WHERE id = ?", (json.dumps(json.loads(known) | dict(refused)), id_))


def _change(db: sqlite3.Connection, id_: int, state: str, words: str, *only_from: str) -> bool:
    changed = db.execute(
        "UPDATE outbox SET state = ?, words = ? WHERE id = ? AND state IN (SELECT value FROM json_each(?))",
        (state, words, id_, json.dumps(only_from)),
    )
    return changed.rowcount == 1


def recover(store: Store, account: str) -> list[int]:
    """What a program that ended was sending is unsure now; returns those ids. Call it only under the account's send
    lock, for then nobody is sending."""
    words = "termmail ended while it was sending this; it may have arrived."
    with store.transaction(durable=True) as db:
        found = db.execute(
            "UPDATE outbox SET state = 'unsure', words = ? WHERE account = ? AND state = 'sending' RETURNING id",
            (words, account),
        ).fetchall()
    return [id_ for (id_,) in found]


def cancel(store: Store, id_: int) -> Draft | None:
    """Take back a message that is queued, failed or unsure; returns its draft, which is in the Drafts list again.
    None where it has no draft (then it is deleted), or is being sent or was: `get` tells which."""
    with store.transaction(durable=True) as db:
        if not _change(db, id_, "cancelled", "", "queued", "failed", "unsure"):
            return None
        db.execute("UPDATE outbox SET raw = NULL WHERE id = ?", (id_,))
        db.execute("UPDATE draft SET outbox = NULL WHERE outbox = ?", (id_,))
        (draft_id,) = db.execute("SELECT draft FROM outbox WHERE id = ?", (id_,)).fetchone()
        try:
            return drafts.load(store, draft_id)
        except KeyError:
            return None


def retry(store: Store, id_: int, now: int, *, sure: bool = False) -> bool:
    """Send it again as soon as may be; returns whether it is queued now. An unsure one only where the person is
    `sure` that it did not arrive."""
    states = ("queued", "failed", "unsure") if sure else ("queued", "failed")
    with store.transaction(durable=True) as db:
        if not _change(db, id_, "queued", "", *states):
            return False
        db.execute("UPDATE outbox SET not_before = ?, refused = '{}' WHERE id = ?", (now, id_))
        db.execute(
            "UPDATE draft SET outbox = ?1 WHERE outbox IS NULL AND (id, version) ="
            " (SELECT draft, draft_version FROM outbox WHERE id = ?1)",
            (id_,),
        )
    return True


def get(store: Store, id_: int) -> OutboxRow:
    """How an outgoing message stands. Raises KeyError."""
    found = store.read_one(_ROW + " WHERE id = ?", (id_,))
    if found is None:
        raise KeyError(id_)
    return _outbox_row(found)


def _outbox_row(values: tuple[Any, ...]) -> OutboxRow:
    told = list(values)
    told[4], told[5], told[11] = tuple(json.loads(told[4])), json.loads(told[5]), tuple(json.loads(told[11]))
    return OutboxRow(*told)


def next_due(store: Store, account: str) -> int | None:
    """When the next waiting message may be sent (UTC seconds); None where none waits."""
    found = store.read_one("SELECT min(not_before) FROM outbox WHERE account = ? AND state = 'queued'", (account,))
    return found[0] if found else None


def ids(store: Store, account: str) -> array[int]:
    """The outbox ids of all that is neither sent nor taken back, newest first."""
    found = store.read(
        "SELECT id FROM outbox WHERE account = ? AND state NOT IN ('sent', 'cancelled') ORDER BY created DESC, id DESC",
        (account,),
    )
    return array("q", chain.from_iterable(found))


def rows(store: Store, ids: Sequence[int]) -> list[Row]:
    """The list lines of these outgoing messages, in their order; `note` says how each stands."""
    found = store.read(
        f"{_ROW} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608 - a text of ours
        (id_list(ids),),
    )
    lines = {row[0]: _row(_outbox_row(row)) for row in found}
    return [lines[id_] for id_ in ids if id_ in lines]


def _row(one: OutboxRow) -> Row:
    words = STATE_WORDS[one.state]
    return Row(
        id=one.id,
        account=one.account,
        folder="Outbox",
        sender="",
        recipients=sanitize.clean(", ".join(one.recipients[:20])),
        subject=one.subject,
        snippet=one.words,
        date=one.created,
        size=one.size,
        unread=False,
        starred=False,
        answered=False,
        forwarded=False,
        attachments=0,
        downloaded=True,
        state="",
        uidl=b"",
        message_id=one.message_id,
        note=f"{words}: {one.words}" if one.words else words,
    )
