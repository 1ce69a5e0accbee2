"""Messages being written, and the files copied into them. Saved on each pause, on the disk when a call returns."""

from __future__ import annotations

import json
import time
from array import array
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from termmail.mail import sanitize
from termmail.mail.message import Attachment, Draft
from termmail.mail.model import DraftRow
from termmail.store.store import id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from termmail.store.store import Store

_SNIPPET = 160
_SUBJECT = 1000
PAUSE = 60
"""Seconds after the last save until a server gets a draft that is still being written."""

_COLUMNS = "account, recipients, cc, bcc, subject, body, in_reply_to, refs, answers, forwards, cursor, updated, remind_at"  # in the order of _values
_SETS = ", ".join(f"{name} = ?" for name in _COLUMNS.split(", "))


def save(store: Store, draft: Draft, now: int | None = None) -> Draft:
    """Keep a draft as it is now; return it with its id, version and time (`now`, UTC seconds).

    Its attachments are not touched: `attach` and `detach` do that.

    No typed word is dropped: a draft that was discarded or sent elsewhere, or changed since `draft.version`, is kept
    under a new id, beside what the other one wrote.
    """
    updated = int(time.time()) if now is None else now
    values = _values(replace(draft, updated=updated))
    with store.transaction(durable=True) as db:
        changed = db.execute(
            f"UPDATE draft SET {_SETS}, version = version + 1 WHERE id = ? AND version = ? AND outbox IS NULL",  # noqa: S608 - ours
            (*values, draft.id, draft.version),
        )
        id_ = draft.id
        if changed.rowcount == 0:
            id_ = add(db, replace(draft, updated=updated))
            db.execute(
                "INSERT INTO draft_file (draft, name, content_type, size, bytes)"
                " SELECT ?, name, content_type, size, bytes FROM draft_file WHERE draft = ? ORDER BY id",
                (id_, draft.id),
            )
        db.execute("UPDATE draft SET upload_at = ? WHERE id = ?", (updated + PAUSE, id_))
        return _load(db, id_)


def add(db: sqlite3.Connection, draft: Draft) -> int:
    """Store a new draft without files, inside the caller's transaction, and return its id."""
    values = _values(draft)
    marks = ", ".join("?" * len(values))
    cursor = db.execute(f"INSERT INTO draft ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608 - columns of ours
    return cursor.lastrowid or 0


def rewrite(db: sqlite3.Connection, draft: Draft) -> None:
    """Give a draft other words and no files, inside the caller's transaction: another program has gone on with it."""
    (remind_at,) = db.execute("SELECT remind_at FROM draft WHERE id = ?", (draft.id,)).fetchone()
    values = _values(replace(draft, remind_at=remind_at))
    db.execute(f"UPDATE draft SET {_SETS}, version = version + 1 WHERE id = ?", (*values, draft.id))  # noqa: S608
    db.execute("DELETE FROM draft_file WHERE draft = ?", (draft.id,))


def closed(store: Store, id_: int, now: int) -> None:
    """Note that a draft is not being written any more: a server may get it now. Not on the disk on return."""
    with store.transaction() as db:
        db.execute("UPDATE draft SET upload_at = ? WHERE id = ? AND upload_at > ?", (now, id_, now))


def _values(draft: Draft) -> tuple[Any, ...]:
    texts = (draft.account, draft.to, draft.cc, draft.bcc, draft.subject, draft.body, draft.in_reply_to)
    references = json.dumps(draft.references)
    return (
        *map(_storable, texts),
        references,
        draft.answers,
        draft.forwards,
        draft.cursor,
        draft.updated,
        draft.remind_at,
    )


def _storable(text: str) -> str:
    """Return a text without the lone surrogates that a terminal may deliver."""
    return text.encode("utf-8", "replace").decode()


def load(store: Store, id_: int) -> Draft:
    """Return a draft with the list of its attachments. Raises KeyError where it is gone."""
    with store.reading() as db:
        return _load(db, id_)


def _load(db: sqlite3.Connection, id_: int) -> Draft:
    found = db.execute(
        f"SELECT {_COLUMNS}, version FROM draft WHERE id = ?",  # noqa: S608 - columns of ours
        (id_,),
    ).fetchone()
    if found is None:
        raise KeyError(id_)
    account, to, cc, bcc, subject, body, in_reply_to, references, answers, forwards, *others = found
    cursor, updated, remind_at, version = others
    files = db.execute("SELECT id, name, content_type, size FROM draft_file WHERE draft = ? ORDER BY id", (id_,))
    return Draft(
        id=id_,
        account=account,
        to=to,
        cc=cc,
        bcc=bcc,
        subject=subject,
        body=body,
        in_reply_to=in_reply_to,
        references=tuple(json.loads(references)),
        answers=answers,
        forwards=forwards,
        attachments=tuple(Attachment(*file) for file in files),
        cursor=cursor,
        remind_at=remind_at,
        updated=updated,
        version=version,
    )


def discard(store: Store, id_: int) -> None:
    """Delete a draft and its files. One that waits in the outbox stays until it is sent or taken back."""
    with store.transaction(durable=True) as db:
        db.execute("DELETE FROM draft WHERE id = ? AND outbox IS NULL", (id_,))


def ids(store: Store, account: str = "") -> array[int]:
    """Return the ids of the drafts of an account ("": of every account), the last saved first.

    What waits in the outbox is no draft.
    """
    found = store.read(
        "SELECT id FROM draft WHERE ? IN (account, '') AND outbox IS NULL ORDER BY updated DESC, id DESC", (account,)
    )
    return array("q", chain.from_iterable(found))


def counts(store: Store) -> dict[str, int]:
    """Return account -> how many drafts `ids` lists; accounts without drafts have no entry."""
    return dict(store.read("SELECT account, count(*) FROM draft WHERE outbox IS NULL GROUP BY account"))


def rows(store: Store, ids: Sequence[int]) -> list[DraftRow]:
    """Return the list lines of these drafts in their order; those that are gone are left out."""
    found = store.read(
        "SELECT d.id, d.account, d.recipients, d.subject, substr(d.body, 1, 400), d.updated, length(d.body),"
        " (SELECT count(*) FROM draft_file f WHERE f.draft = d.id) FROM draft d"
        " WHERE d.id IN (SELECT value FROM json_each(?))",
        (id_list(ids),),
    )
    lines = {row[0]: _row(row) for row in found}
    return [lines[id_] for id_ in ids if id_ in lines]


def _row(values: tuple[Any, ...]) -> DraftRow:
    draft_id, account, recipients, subject, body, updated, size, files = values
    return DraftRow(
        draft_id=draft_id,
        account=account,
        recipients=sanitize.clean(recipients),
        subject=sanitize.clean(subject)[:_SUBJECT],
        snippet=" ".join(sanitize.clean(body).split())[:_SNIPPET],
        date=updated,
        size=size,
        attachments=files,
    )


def attach(store: Store, draft: Draft, name: str, content_type: str, data: bytes, *, now: int | None = None) -> Draft:
    """Save a draft, as `save` does, and copy a file into it."""
    with store.transaction(durable=True) as db:
        saved = save(store, draft, now)
        add_file(db, saved.id, name, content_type, data)
        return _load(db, saved.id)


def add_file(db: sqlite3.Connection, draft_id: int, name: str, content_type: str, data: bytes) -> None:
    """Copy a file into a draft, inside the caller's transaction."""
    db.execute(
        "INSERT INTO draft_file (draft, name, content_type, size, bytes) VALUES (?, ?, ?, ?, ?)",
        (draft_id, _storable(name), _storable(content_type), len(data), data),
    )


def detach(store: Store, draft: Draft, file_id: int, *, now: int | None = None) -> Draft:
    """Save a draft, as `save` does, and take a file out of it again; where it came under a new id, its files stay."""
    with store.transaction(durable=True) as db:
        saved = save(store, draft, now)
        db.execute("DELETE FROM draft_file WHERE id = ? AND draft = ?", (file_id, saved.id))
        return _load(db, saved.id)


def files(store: Store, draft_id: int) -> list[tuple[str, str, bytes]]:
    """Return the files of a draft as (name, content type, bytes), in the order they were attached."""
    found = store.read("SELECT name, content_type, bytes FROM draft_file WHERE draft = ? ORDER BY id", (draft_id,))
    return [(name, content_type, data) for name, content_type, data in found]
