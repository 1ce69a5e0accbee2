"""The drafts of an IMAP account on its server: which copies the Drafts folder has, and what differs from them here.

A row of `imap_draft` is a copy: a UID of the folder, the draft it is of, and which version of it. A draft whose
`upload_at` has come is stored on the server anew; a copy is stale, and is expunged, when a newer one is there or its
draft is not here any more. A copy without a UID was sent, and nobody has seen it on the server yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from termmail.mail.model import Role
from termmail.store import drafts, folders, messages, placements
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from termmail.mail.message import Draft
    from termmail.store.store import Store

_OF_ACCOUNT = "folder IN (SELECT id FROM folder WHERE account = ?)"
_STALE = (
    "SELECT c.id, c.folder, c.uid, c.draft, c.message_id, c.fingerprint, c.is_lossy, c.due_at FROM imap_draft c"
    " JOIN folder f ON f.id = c.folder LEFT JOIN draft d ON d.id = c.draft"
    " WHERE f.account = ? AND c.uid IS NOT NULL AND (d.id IS NULL OR d.account <> f.account OR EXISTS"
    " (SELECT 1 FROM imap_draft n WHERE n.draft = c.draft AND n.uid IS NOT NULL AND n.version > c.version))"
)


class Copy(Struct, frozen=True):
    """A copy of a draft on the server. `draft_id` is None where the draft is gone, `uid` where nobody has seen the copy."""

    copy_id: int
    folder_id: int
    uid: int | None
    draft_id: int | None
    message_id: str
    fingerprint: bytes
    is_lossy: bool


class Received(Struct, frozen=True):
    """A draft that another program has stored on the server.

    `files` are (name, content type, bytes); `date` is when it was stored (UTC seconds), or None.
    """

    uid: int
    message_id: str
    fingerprint: bytes
    draft: Draft
    files: list[tuple[str, str, bytes]]
    is_lossy: bool
    date: int | None = None


class Upload(Struct, frozen=True):
    """A draft that the server is to get. `message_id` is that of its copies, "" before the first one."""

    draft_id: int
    version: int
    message_id: str


# -- what the server has


def is_as_listed(store: Store, folder_id: int, messages: int | None) -> bool:
    """Return whether a folder that has so many messages holds what is known of it, and nothing is still to be seen."""
    ((known, unseen),) = store.read(
        "SELECT count(uid), count(*) - count(uid) FROM imap_draft WHERE folder = ?", (folder_id,)
    )
    return (known, unseen) == (messages, 0)


def copies(store: Store, folder_id: int) -> list[Copy]:
    """Return the copies that are known of a folder."""
    rows = store.read(
        "SELECT id, folder, uid, draft, message_id, fingerprint, is_lossy FROM imap_draft WHERE folder = ? ORDER BY id",
        (folder_id,),
    )
    return [_copy(row) for row in rows]


def _copy(row: tuple[Any, ...]) -> Copy:
    copy_id, folder_id, uid, draft_id, message_id, fingerprint, is_lossy, *_ = row
    return Copy(copy_id, folder_id, uid, draft_id, message_id, fingerprint, is_lossy == 1)


def renumber(store: Store, folder_id: int) -> None:
    """Note that the UIDs of a folder are no longer valid (a new UIDVALIDITY): its copies are to be recognized."""
    with store.transaction() as db:
        db.execute("UPDATE imap_draft SET uid = NULL WHERE folder = ?", (folder_id,))


def confirm(store: Store, copy_id: int, uid: int) -> bool:
    """Note that a copy is on the server under this UID. A draft that was not saved since needs no upload any more.

    Return False, and note nothing, where the UID is that of another copy: the server is mistaken.
    """
    with store.transaction(durable=True) as db:
        if not db.execute("UPDATE OR IGNORE imap_draft SET uid = ? WHERE id = ?", (uid, copy_id)).rowcount:
            return False
        db.execute(
            "UPDATE draft SET upload_at = NULL WHERE (id, version) = (SELECT draft, version FROM imap_draft WHERE id = ?)",
            (copy_id,),
        )
    return True


def receive(
    store: Store,
    account: str,
    folder_id: int,
    one: Received,
    *,
    same: Upload | None,
    gone: Collection[int],
    now: int,
) -> None:
    """Store a draft that another program has written; `gone` are the UIDs that the folder has no longer.

    `same` is the draft here that has its words, or None. It is a copy of that draft, unless the server has another copy
    of this version. One that replaces a copy that is gone, and whose draft was not changed here, becomes that draft. Every
    other one is a new draft beside what is here: no words are lost. On the disk on return.
    """
    with store.transaction(durable=True) as db:
        if same is not None and _is_copy(db, same, gone):
            db.execute(
                "DELETE FROM imap_draft WHERE draft = ? AND version = ? AND uid IS NULL", (same.draft_id, same.version)
            )
            db.execute("UPDATE draft SET upload_at = NULL WHERE id = ?", (same.draft_id,))
            _add_copy(db, folder_id, one, same.draft_id)
            return
        answers = _answered(db, account, one.draft.in_reply_to)
        draft = replace(one.draft, account=account, answers=answers, updated=min(one.date or now, now))
        draft_id = _replaced(db, account, one.message_id, gone)
        if draft_id is None:
            is_new = _by_message_id(db, account, one.message_id) is None
            draft_id = drafts.add(db, draft)
            db.execute("UPDATE draft SET message_id = ? WHERE id = ?", (one.message_id if is_new else "", draft_id))
        else:
            drafts.rewrite(db, replace(draft, id=draft_id))
        for name, content_type, data in one.files:
            drafts.add_file(db, draft_id, name, content_type, data)
        _add_copy(db, folder_id, one, draft_id)


def _add_copy(db: sqlite3.Connection, folder_id: int, one: Received, draft_id: int) -> None:
    db.execute(
        "INSERT INTO imap_draft (folder, uid, draft, version, message_id, fingerprint, is_lossy)"
        " SELECT ?, ?, id, version, ?, ?, ? FROM draft WHERE id = ?",
        (folder_id, one.uid, one.message_id, one.fingerprint, one.is_lossy, draft_id),
    )


def _is_copy(db: sqlite3.Connection, same: Upload, gone: Collection[int]) -> bool:
    """Return whether a draft is as it was when it was compared, and the server has no copy of this version of it."""
    here = db.execute(
        "SELECT 1 FROM draft WHERE id = ? AND version = ? AND outbox IS NULL", (same.draft_id, same.version)
    ).fetchone()
    held = db.execute(
        "SELECT uid FROM imap_draft WHERE draft = ? AND version = ? AND uid IS NOT NULL", (same.draft_id, same.version)
    )
    return here is not None and all(uid in gone for (uid,) in held)


def alike(store: Store, account: str, message_id: str, draft: Draft) -> list[Upload]:
    """Return the drafts here that a message may be a copy of: by its Message-ID, or by its words.

    By its words alone only where the server has no copy of them: it may have lost the folder in which they were.
    """
    rows = store.read(
        "SELECT id, version, message_id FROM draft d WHERE account = ?1 AND outbox IS NULL"
        " AND ((message_id = ?2 AND ?2 <> '') OR (subject = ?3 AND body = ?4 AND NOT EXISTS"
        " (SELECT 1 FROM imap_draft c WHERE c.draft = d.id AND c.uid IS NOT NULL)))"
        " ORDER BY message_id = ?2 DESC, id",
        (account, message_id, draft.subject, draft.body),
    )
    return [Upload(*row) for row in rows]


def _answered(db: sqlite3.Connection, account: str, message_id: str) -> int:
    """Return the id of the message that a draft answers, 0 where it is not here."""
    if not message_id:
        return 0
    row = db.execute(
        "SELECT id FROM message WHERE message_id = ? ORDER BY account = ? DESC, id LIMIT 1", (message_id, account)
    ).fetchone()
    return 0 if row is None else int(row[0])


def _by_message_id(db: sqlite3.Connection, account: str, message_id: str) -> tuple[int, int] | None:
    """Return id and version of the draft whose copies have this Message-ID, where it is not being sent."""
    row: tuple[int, int] | None = db.execute(
        "SELECT id, version FROM draft WHERE account = ? AND message_id = ? AND message_id <> '' AND outbox IS NULL",
        (account, message_id),
    ).fetchone()
    return row


def _replaced(db: sqlite3.Connection, account: str, message_id: str, gone: Collection[int]) -> int | None:
    """Return the draft whose newest copy is gone from the server, and that was not changed here since; else None."""
    found = _by_message_id(db, account, message_id)
    if found is None:
        return None
    draft_id, version = found
    held = db.execute("SELECT uid, version FROM imap_draft WHERE draft = ?", (draft_id,)).fetchall()
    is_gone = bool(held) and all(uid in gone for uid, _ in held)
    return draft_id if is_gone and max(of for _, of in held) == version else None


def vanished(store: Store, folder_id: int, uids: Iterable[int]) -> None:
    """Note that copies are no longer in a folder.

    A draft of which the server has no copy any more was sent or discarded elsewhere: it is discarded, unless it was
    changed here since, or is being sent. On the disk on return.
    """
    with store.transaction(durable=True) as db:
        rows = db.execute(
            f"SELECT draft, version FROM imap_draft WHERE folder = ? AND uid {IN_IDS} AND draft IS NOT NULL",  # noqa: S608
            (folder_id, id_list(uids)),
        ).fetchall()
        db.execute(f"DELETE FROM imap_draft WHERE folder = ? AND uid {IN_IDS}", (folder_id, id_list(uids)))  # noqa: S608
        db.executemany(
            "DELETE FROM draft WHERE id = ?1 AND version = ?2 AND outbox IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM imap_draft WHERE draft = ?1)",
            rows,
        )


def give_up_unconfirmed(store: Store, folder_id: int, now: int) -> None:
    """Give up the copies that a look at the whole folder has not found: their drafts are stored on the server anew."""
    with store.transaction(durable=True) as db:
        unseen = "SELECT draft FROM imap_draft WHERE folder = ? AND uid IS NULL"
        db.execute(
            f"UPDATE draft SET upload_at = ? WHERE upload_at IS NULL AND id IN ({unseen})",  # noqa: S608 - a text of ours
            (now, folder_id),
        )
        db.execute("DELETE FROM imap_draft WHERE folder = ? AND uid IS NULL", (folder_id,))


# -- what the server is to get


def next_due(store: Store, account: str) -> int | None:
    """Return when a draft is to be stored or a stale copy expunged (UTC seconds, 0 for at once), None where nothing waits."""
    ((upload_at,),) = store.read(
        "SELECT min(upload_at) FROM draft WHERE account = ? AND upload_at IS NOT NULL AND outbox IS NULL", (account,)
    )
    ((erase_at,),) = store.read(f"SELECT min(due_at) FROM ({_STALE})", (account,))  # noqa: S608 - a text of ours
    found = [int(one) for one in (upload_at, erase_at) if one is not None]
    return min(found) if found else None


def waiting(store: Store, account: str) -> int:
    """Return how many drafts differ from what the server has."""
    ((uploads,),) = store.read(
        "SELECT count(*) FROM draft WHERE account = ? AND upload_at IS NOT NULL AND outbox IS NULL", (account,)
    )
    ((erasing,),) = store.read(f"SELECT count(*) FROM ({_STALE})", (account,))  # noqa: S608 - a text of ours
    return int(uploads) + int(erasing)


def make_due(store: Store, account: str, now: int) -> None:
    """Let everything that waits be done now."""
    with store.transaction() as db:
        db.execute(
            "UPDATE draft SET upload_at = ? WHERE account = ? AND upload_at IS NOT NULL AND outbox IS NULL",
            (now, account),
        )
        db.execute(f"UPDATE imap_draft SET due_at = 0 WHERE due_at > 0 AND {_OF_ACCOUNT}", (account,))  # noqa: S608


def uploads(store: Store, account: str, now: int) -> list[Upload]:
    """Return the drafts that are due to be stored on the server."""
    rows = store.read(
        "SELECT id, version, message_id FROM draft WHERE account = ? AND upload_at <= ? AND outbox IS NULL ORDER BY id",
        (account, now),
    )
    return [Upload(*row) for row in rows]


def begin_upload(store: Store, folder_id: int, one: Upload, message_id: str, fingerprint: bytes) -> int:
    """Note that a draft is about to be stored in a folder of the server, before that is asked for; return the copy's id.

    On the disk on return: where no answer comes, the next look recognizes the copy by its header, or by its words.
    """
    with store.transaction(durable=True) as db:
        db.execute("UPDATE draft SET message_id = ? WHERE id = ?", (message_id, one.draft_id))
        cursor = db.execute(
            "INSERT INTO imap_draft (folder, draft, version, message_id, fingerprint) VALUES (?, ?, ?, ?, ?)",
            (folder_id, one.draft_id, one.version, message_id, fingerprint),
        )
        return cursor.lastrowid or 0


def upload_refused(store: Store, copy_id: int, draft_id: int, until: int) -> None:
    """Note that the server did not store a draft; it is tried again then (UTC seconds)."""
    with store.transaction(durable=True) as db:
        db.execute("DELETE FROM imap_draft WHERE id = ?", (copy_id,))
        put_off_uploads(store, [draft_id], until)


def put_off_uploads(store: Store, draft_ids: Iterable[int], until: int) -> None:
    """Try again then (UTC seconds) to store these drafts on the server. Joins an open transaction."""
    with store.transaction() as db:
        db.execute(
            f"UPDATE draft SET upload_at = ? WHERE id {IN_IDS} AND upload_at < ?",  # noqa: S608 - a text of ours
            (until, id_list(draft_ids), until),
        )


def put_off(store: Store, copy_ids: Iterable[int], until: int) -> None:
    """Let stale copies stay on the server until then (UTC seconds)."""
    with store.transaction() as db:
        db.execute(f"UPDATE imap_draft SET due_at = ? WHERE id {IN_IDS}", (until, id_list(copy_ids)))  # noqa: S608


def stale(store: Store, account: str, now: int) -> list[Copy]:
    """Return the copies that are due to be expunged."""
    return [_copy(row) for row in store.read(f"{_STALE} AND c.due_at <= ? ORDER BY c.folder, c.uid", (account, now))]


def expunged(store: Store, copy_ids: Iterable[int]) -> None:
    """Note that stale copies are not on the server any more."""
    with store.transaction(durable=True) as db:
        db.execute(f"DELETE FROM imap_draft WHERE id {IN_IDS}", (id_list(copy_ids),))  # noqa: S608 - a text of ours


# -- folders


def begin_folder(db: sqlite3.Connection, account: str, folder_id: int) -> None:
    """Let a folder hold drafts from now on. Its messages are received again, as drafts; what is only here is archived."""
    here = db.execute(
        "SELECT message, EXISTS (SELECT 1 FROM imap_message i WHERE i.message = p.message AND i.folder = p.folder)"
        " FROM placement p WHERE folder = ?",
        (folder_id,),
    ).fetchall()
    db.execute("DELETE FROM imap_message WHERE folder = ?", (folder_id,))
    local = [message_id for message_id, is_there in here if not is_there]
    placements.place(db, local, folders.role_id(db, account, Role.ARCHIVE))
    db.execute("DELETE FROM placement WHERE folder = ?", (folder_id,))
    gone = db.execute(
        f"SELECT id FROM message m WHERE id {IN_IDS} AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id)"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = m.id)",
        (id_list(message_id for message_id, _ in here),),
    )
    messages.delete(db, [message_id for (message_id,) in gone])
    _forget_state(db, folder_id)


def _forget_state(db: sqlite3.Connection, folder_id: int) -> None:
    db.execute("UPDATE folder SET uidvalidity = NULL, uidnext = NULL, highestmodseq = NULL WHERE id = ?", (folder_id,))


def end_folder(db: sqlite3.Connection, folder_id: int) -> None:
    """Let a folder hold messages from now on: the drafts stay here, and are stored in the new Drafts folder."""
    db.execute(
        "UPDATE draft SET upload_at = updated WHERE id IN (SELECT draft FROM imap_draft WHERE folder = ?)", (folder_id,)
    )
    db.execute("DELETE FROM imap_draft WHERE folder = ?", (folder_id,))
    _forget_state(db, folder_id)
