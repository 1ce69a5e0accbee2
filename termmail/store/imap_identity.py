"""Which messages the folders of an IMAP server hold, and what each is here.

A row of `imap_message` is a message in a folder of the server, as the server last said: its UID under the UIDVALIDITY
of the folder, and its flags. What the user wants is in the flags and placements of the message; `imap_pending` finds
the differences. A message that has left a folder keeps its row without a UID until every folder was looked at: if it
turns up in another one it was moved, and if not it is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from termmail.mail.model import Flag, Role
from termmail.store import contacts, derived, imap_folders, placements
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from termmail.mail.message import Envelope
    from termmail.store.store import Store

_MESSAGE = (
    "INSERT INTO message (account, received, size, unread, starred, answered, forwarded, sort_date, sender, recipients,"
    " subject, message_id, in_reply_to, refs, attachments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ROW = (
    "INSERT INTO imap_message (folder, uid, message, size, fingerprint, flags, lasting_id) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_FLAGS = (Flag.UNREAD, Flag.STARRED, Flag.ANSWERED, Flag.FORWARDED)


STEP = 2000
"""Messages that one call decides about: other work of the store gets in between."""


class Listed(Struct, frozen=True):
    """A message whose header block was fetched from a folder.

    `flags` is a mask of Flag, `date` its INTERNALDATE (UTC seconds) or None. `lasting_id` is what names one message in all
    folders of the account (Gmail), or None. `fingerprint` and `envelope` are filled in by `parse_page`.
    """

    uid: int
    flags: int
    date: int | None
    size: int
    header: bytes
    lasting_id: int | None = None
    fingerprint: bytes = b""
    envelope: Envelope | None = None


class Arrived(Struct, frozen=True):
    """The ids of messages that are new here, newest first, and how many known ones were found again in this folder."""

    ids: list[int]
    found: int


class OnServer(Struct, frozen=True):
    """Where a server has a message: what FETCH needs, and what proves that it is the same one."""

    folder_id: int
    uid: int
    size: int
    fingerprint: bytes


def parse_page(page: Iterable[Listed]) -> list[Listed]:
    """Parse the headers. Pure; call it in a worker thread, so that nothing is parsed on the store thread."""
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    return [
        replace(one, fingerprint=parse.fingerprint(one.header), envelope=parse.envelope(one.header)) for one in page
    ]


# -- what a folder has


def uids(store: Store, folder_id: int) -> list[int]:
    """Return the UIDs that are known of a folder, ascending."""
    rows = store.read("SELECT uid FROM imap_message WHERE folder = ? AND uid IS NOT NULL ORDER BY uid", (folder_id,))
    return [uid for (uid,) in rows]


def count(store: Store, folder_id: int) -> int:
    """Return how many messages of a folder are known."""
    ((found,),) = store.read("SELECT count(*) FROM imap_message WHERE folder = ? AND uid IS NOT NULL", (folder_id,))
    return int(found)


def counts(store: Store, folder_id: int) -> tuple[int, int]:
    """Return how many messages of a folder are known, and how many of them are unread on the server."""
    rows = store.read(
        "SELECT count(*), coalesce(sum(flags & 1), 0) FROM imap_message WHERE folder = ? AND uid IS NOT NULL",
        (folder_id,),
    )
    return int(rows[0][0]), int(rows[0][1])


def arrive(store: Store, account: str, folder_id: int, page: Sequence[Listed], *, received: int, kept: int) -> Arrived:
    """Store messages of a folder whose headers were parsed, in one transaction.

    What is known under its UID already only gets its flags. What has left another folder, or was put into this one here,
    is recognized by header block and size, or in Sent by its Message-ID. So is what came by POP3 before. `received` is
    now, in UTC seconds, `kept` the mask of the flags that the folder keeps.
    """
    with store.transaction() as db:
        known = _known(db, folder_id, [one.uid for one in page])
        _set_flags(db, folder_id, [(one.uid, one.flags) for one in page if one.uid in known], kept)
        arrivals = _Arrivals(db, account, folder_id, received)
        for one in sorted(page, key=lambda one: one.uid):
            if one.uid not in known:
                arrivals.take(one)
        arrivals.finish()
    return Arrived(arrivals.added[::-1], arrivals.found)


def _known(db: sqlite3.Connection, folder_id: int, uids: Iterable[int]) -> set[int]:
    rows = db.execute(f"SELECT uid FROM imap_message WHERE folder = ? AND uid {IN_IDS}", (folder_id, id_list(uids)))  # noqa: S608
    return {uid for (uid,) in rows}


class _Arrivals:
    """Messages on their way into a folder of the store. `added` are the ids of the new ones, by UID."""

    def __init__(self, db: sqlite3.Connection, account: str, folder_id: int, received: int) -> None:
        self.added: list[int] = []
        self.found = 0
        self._db = db
        self._account = account
        self._folder_id = folder_id
        self._received = received
        self._tally = contacts.Tally()
        (role,) = db.execute("SELECT role FROM folder WHERE id = ?", (folder_id,)).fetchone()
        self._is_sent = role == Role.SENT
        self._unlisted = self._find_unlisted()
        self._raws: list[tuple[int, bytes]] = []
        self._rows: list[tuple[Any, ...]] = []
        self._labelled: dict[int, int] = {}
        left = (
            "SELECT 1 FROM folder f CROSS JOIN imap_message i ON i.folder = f.id AND i.uid IS NULL"
            " WHERE f.account = ? LIMIT 1"
        )
        self._has_left = db.execute(left, (account,)).fetchone() is not None
        self._had_pop3 = db.execute("SELECT 1 FROM remote WHERE account = ? LIMIT 1", (account,)).fetchone() is not None

    def take(self, one: Listed) -> None:
        """Store one message, or recognize it."""
        assert one.envelope is not None
        if one.lasting_id is not None and (message_id := self._elsewhere_too(one.lasting_id)) is not None:
            self._label(one, message_id)
        elif self._has_left and (row := self._left_elsewhere(one)) is not None:
            self._bind(one, *row)
        elif (message_id := self._made_here(one, one.envelope)) is not None:
            self._db.execute(_ROW, self._row(one, message_id))
            self._db.execute("INSERT OR IGNORE INTO imap_pending (message) VALUES (?)", (message_id,))  # its flags
            self.found += 1
        else:
            self._add(one, one.envelope)

    def finish(self) -> None:
        """Store what is left."""
        self._db.executemany("INSERT INTO raw (id, complete, bytes) VALUES (?, 0, ?)", self._raws)
        self._db.executemany(_ROW, self._rows)  # before they are placed: so nothing is pending
        if self.added:
            placements.place_as_on_server(self._db, self.added, self._folder_id)
        self._tally.save(self._db)

    def _elsewhere_too(self, lasting_id: int) -> int | None:
        """Return the message that this one is, in another folder."""
        if found := self._labelled.get(lasting_id):
            return found
        row = self._db.execute(
            "SELECT i.message FROM imap_message i JOIN message m ON m.id = i.message"
            " WHERE i.lasting_id = ? AND m.account = ? LIMIT 1",
            (lasting_id, self._account),
        ).fetchone()
        return None if row is None else int(row[0])

    def _label(self, one: Listed, message_id: int) -> None:
        """Note that a known message is in this folder too; where the user has moved it meanwhile, that stays."""
        left = self._db.execute(
            "SELECT id, folder, flags FROM imap_message WHERE message = ? AND uid IS NULL LIMIT 1", (message_id,)
        ).fetchone()
        if left is not None:
            self._bind(one, left[0], left[1], message_id, left[2])
            return
        moved = self._db.execute(
            "SELECT 1 FROM imap_message i WHERE i.message = ? AND NOT EXISTS (SELECT 1 FROM placement p"
            " WHERE p.message = i.message AND p.folder = i.folder)",
            (message_id,),
        ).fetchone()
        self._db.execute(_ROW, self._row(one, message_id))
        if moved is None:
            placements.place_as_on_server(self._db, [message_id], self._folder_id)
        self.found += 1

    def _left_elsewhere(self, one: Listed) -> tuple[int, int, int, int] | None:
        """Return row id, folder, message and flags of the same message where it has left its folder; None where none has."""
        found: tuple[int, int, int, int] | None = self._db.execute(
            "SELECT i.id, i.folder, i.message, i.flags FROM imap_message i JOIN message m ON m.id = i.message"
            " WHERE i.fingerprint = ? AND i.uid IS NULL AND i.size = ? AND m.account = ?"
            " ORDER BY NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.folder = ?), i.id LIMIT 1",
            (one.fingerprint, one.size, self._account, self._folder_id),
        ).fetchone()
        return found

    def _bind(self, one: Listed, row_id: int, left: int, message_id: int, flags: int) -> None:
        """Note that a message that has left a folder is in this one now. Where the user has moved it too, that stays."""
        self._db.execute(
            "UPDATE imap_message SET folder = ?, uid = ?, flags = ?, looked_for = 0 WHERE id = ?",
            (self._folder_id, one.uid, one.flags, row_id),
        )
        if left != self._folder_id:
            gone = self._db.execute("DELETE FROM placement WHERE message = ? AND folder = ?", (message_id, left))
            if gone.rowcount:
                placements.place_as_on_server(self._db, [message_id], self._folder_id)
        _take_flags(self._db, message_id, flags, one.flags)
        self.found += 1

    def _made_here(self, one: Listed, envelope: Envelope) -> int | None:
        """Return the message that was put into this folder here, which the server has now; None where there is none.

        One that no server had before (a Sent copy) is known by its Message-ID: the server may have changed its header.
        """
        for message_id, (rfc_message_id, is_local, fingerprints) in self._unlisted.items():
            same_id = is_local and rfc_message_id and rfc_message_id == envelope.message_id
            if same_id or one.fingerprint in fingerprints:
                del self._unlisted[message_id]
                return message_id
        return self._from_pop3(one) if self._had_pop3 else None

    def _find_unlisted(self) -> dict[int, tuple[str, bool, set[bytes]]]:
        """Return the messages that were put into this folder here: Message-ID, whether no server has them, fingerprints.

        The fingerprints are those of the message here and of it in other folders of the server, which may change a header.
        """
        from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

        rows = self._db.execute(
            "SELECT m.id, m.message_id, NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = m.id), r.bytes"
            " FROM imap_pending w CROSS JOIN message m ON m.id = w.message JOIN raw r ON r.id = m.id"
            " JOIN placement p ON p.message = m.id AND p.folder = ? WHERE m.account = ?"
            " AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = m.id AND i.folder = p.folder)",
            (self._folder_id, self._account),
        ).fetchall()
        found: dict[int, tuple[str, bool, set[bytes]]] = {}
        for message_id, rfc_message_id, is_local, raw in rows:
            elsewhere = self._db.execute("SELECT fingerprint FROM imap_message WHERE message = ?", (message_id,))
            fingerprints = {parse.fingerprint(parse.split_header(raw)), *(shown for (shown,) in elsewhere)}
            found[message_id] = rfc_message_id, is_local == 1, fingerprints
        return found

    def _from_pop3(self, one: Listed) -> int | None:
        """Return the message that came by POP3 when the account was received so, which no folder of the server has yet."""
        found = self._db.execute(
            "SELECT r.id, r.message FROM remote r WHERE r.fingerprint = ? AND r.account = ? AND r.message IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = r.message) ORDER BY r.id LIMIT 1",
            (one.fingerprint, self._account),
        ).fetchone()
        if found is None:
            return None
        self._db.execute("DELETE FROM remote WHERE id = ?", (found[0],))
        return int(found[1])

    def _add(self, one: Listed, envelope: Envelope) -> None:
        received = self._received if one.date is None else min(one.date, self._received)
        columns = derived.columns(envelope, received)
        flags = [int(bool(one.flags & flag)) for flag in _FLAGS]
        cursor = self._db.execute(_MESSAGE, (self._account, received, one.size, *flags, *columns))
        message_id = cursor.lastrowid or 0
        self._raws.append((message_id, one.header))
        self._rows.append(self._row(one, message_id))
        if one.lasting_id is not None:
            self._labelled[one.lasting_id] = message_id
        people = contacts.people(envelope, written=self._is_sent)
        self._tally.message(people, columns.sort_date, written=self._is_sent)
        self.added.append(message_id)

    def _row(self, one: Listed, message_id: int) -> tuple[Any, ...]:
        return self._folder_id, one.uid, message_id, one.size, one.fingerprint, one.flags, one.lasting_id


def set_flags(store: Store, folder_id: int, rows: Sequence[tuple[int, int]], kept: int) -> list[int]:
    """Store the flags that the server tells, (UID, mask) each, and return the messages that this changed here.

    A flag that the user changed here stays as it is; every other one becomes what the server says. `kept` is the mask
    of the flags that the folder keeps: of others its word means nothing.
    """
    with store.transaction() as db:
        return _set_flags(db, folder_id, rows, kept)


def _set_flags(db: sqlite3.Connection, folder_id: int, rows: Sequence[tuple[int, int]], kept: int) -> list[int]:
    told = dict(rows)
    changed: list[int] = []
    for row_id, uid, message_id, flags in db.execute(
        f"SELECT id, uid, message, flags FROM imap_message WHERE folder = ? AND uid {IN_IDS}",  # noqa: S608
        (folder_id, id_list(told)),
    ).fetchall():
        now = (told[uid] & kept) | (flags & ~kept)
        if flags == now:
            continue
        db.execute("UPDATE imap_message SET flags = ? WHERE id = ?", (now, row_id))
        if message_id is not None and _take_flags(db, message_id, flags, now):
            changed.append(message_id)
    return changed


def _mask(db: sqlite3.Connection, message_id: int) -> int:
    ((unread, starred, answered, forwarded),) = db.execute(
        "SELECT unread, starred, answered, forwarded FROM message WHERE id = ?", (message_id,)
    ).fetchall()
    return int(unread + 2 * starred + 4 * answered + 8 * forwarded)


def _take_flags(db: sqlite3.Connection, message_id: int, base: int, told: int) -> bool:
    """Give a message those flags that changed on the server from `base` to `told`, unless the user changed them too.

    The row has the new flags already, so that what is equal then does not become pending.
    """
    here = _mask(db, message_id)
    wanted = (here & (here ^ base)) | (told & ~(here ^ base))
    if wanted == here:
        return False
    db.execute(
        "UPDATE message SET unread = ?, starred = ?, answered = ?, forwarded = ? WHERE id = ?",
        (*(int(bool(wanted & flag)) for flag in _FLAGS), message_id),
    )
    return True


def vanish(store: Store, folder_id: int, gone: Iterable[int]) -> int:
    """Note that UIDs are no longer in a folder, and return how many of them were known.

    What they name may turn up in another folder; `forget_gone` removes what did not.
    """
    with store.transaction() as db:
        wanted = id_list(gone)
        db.execute(
            f"DELETE FROM imap_message WHERE folder = ? AND message IS NULL AND uid {IN_IDS}",  # noqa: S608
            (folder_id, wanted),
        )
        left = db.execute(
            f"UPDATE imap_message SET uid = NULL WHERE folder = ? AND uid {IN_IDS}",  # noqa: S608
            (folder_id, wanted),
        )
    return left.rowcount


def renumber(store: Store, folder_id: int) -> int:
    """Note that the UIDs of a folder are no longer valid (a new UIDVALIDITY), and return how many there were.

    Every message is recognized when its header is fetched again.
    """
    with store.transaction() as db:
        db.execute("DELETE FROM imap_message WHERE folder = ? AND message IS NULL", (folder_id,))
        left = db.execute("UPDATE imap_message SET uid = NULL WHERE folder = ?", (folder_id,))
        db.execute(
            "UPDATE folder SET uidvalidity = NULL, uidnext = NULL, highestmodseq = NULL WHERE id = ?", (folder_id,)
        )
    return left.rowcount


def last_id(store: Store) -> int:
    """Return the id of the message that was added last."""
    ((found,),) = store.read("SELECT coalesce(max(id), 0) FROM message")
    return int(found)


def forget_gone(store: Store, account: str, newer_than: int) -> tuple[int, bool]:
    """Remove the messages that the server has in no folder any more. Call it after a look at every folder.

    Return how many were removed, and whether there are more: then call it again.

    What was taken for new in this look, by its id after `newer_than`, and is a message that has left another folder,
    becomes that one again: its body and its changes are kept. One that the user has changed here is looked for once more
    (`look_again`): it may have been moved between the looks at two folders. One that the user has put into another folder
    stays there if all of it is here: it is then stored on the server anew. On the disk on return.
    """
    with store.transaction(durable=True) as db:
        rows = db.execute(
            "SELECT i.id, i.folder, i.message FROM imap_message i JOIN folder f ON f.id = i.folder"
            " WHERE f.account = ? AND i.uid IS NULL AND (i.looked_for = 1 OR NOT EXISTS"
            " (SELECT 1 FROM imap_pending w WHERE w.message = i.message)) LIMIT ?",
            (account, STEP),
        ).fetchall()
        for row_id, folder_id, message_id in rows:
            if message_id is not None and _found_as_new(db, row_id, newer_than):
                continue
            db.execute("DELETE FROM imap_message WHERE id = ?", (row_id,))
            if message_id is not None:
                db.execute("DELETE FROM placement WHERE message = ? AND folder = ?", (message_id, folder_id))
        left = {message_id for _, _, message_id in rows if message_id is not None}
        _place_where_the_server_has_them(db, left)
        gone = _without_place(db, left)
        db.execute(f"DELETE FROM search WHERE rowid {IN_IDS}", (id_list(gone),))  # noqa: S608
        db.execute(f"DELETE FROM message WHERE id {IN_IDS}", (id_list(gone),))  # noqa: S608
        imap_folders.forget_lost(db, account)
    return len(gone), len(rows) == STEP


def look_again(store: Store, account: str, newer_than: int) -> None:
    """Give one more look to what has not turned up yet, now that every folder was looked at.

    What was taken for new in this look, by its id after `newer_than`, is recognized now.
    """
    left = "uid IS NULL AND looked_for = 0 AND folder IN (SELECT id FROM folder WHERE account = ?)"
    rows = store.read(f"SELECT id FROM imap_message WHERE {left} AND message IS NOT NULL", (account,))  # noqa: S608 - ours
    if rows:
        with store.transaction(durable=True) as db:
            for (row_id,) in rows:
                _found_as_new(db, row_id, newer_than)
            db.execute(f"UPDATE imap_message SET looked_for = 1 WHERE {left}", (account,))  # noqa: S608 - a text of ours


def _found_as_new(db: sqlite3.Connection, row_id: int, newer_than: int) -> bool:
    """Give a message that has left a folder the place of its copy that was taken for new; return whether there is one."""
    folder_id, message_id, flags, fingerprint, size = db.execute(
        "SELECT folder, message, flags, fingerprint, size FROM imap_message WHERE id = ?", (row_id,)
    ).fetchone()
    found = db.execute(
        "SELECT i.id, i.folder, i.message, i.flags FROM imap_message i JOIN message n ON n.id = i.message"
        " JOIN message m ON m.id = ? WHERE i.message > ? AND i.fingerprint = ? AND i.size = ? AND i.uid IS NOT NULL"
        " AND n.account = m.account AND NOT EXISTS (SELECT 1 FROM imap_pending w WHERE w.message = n.id) LIMIT 1",
        (message_id, newer_than, fingerprint, size),
    ).fetchone()
    if found is None:
        return False
    new_row, new_folder, copy_id, told = found
    db.execute("DELETE FROM imap_message WHERE id = ?", (row_id,))
    db.execute("UPDATE imap_message SET message = ? WHERE id = ?", (message_id, new_row))
    if db.execute("DELETE FROM placement WHERE message = ? AND folder = ?", (message_id, folder_id)).rowcount:
        placements.place_as_on_server(db, [message_id], new_folder)
    _take_flags(db, message_id, flags, told)
    db.execute("DELETE FROM search WHERE rowid = ?", (copy_id,))
    db.execute("DELETE FROM message WHERE id = ?", (copy_id,))
    return True


def _place_where_the_server_has_them(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Put messages that are in no folder here into those in which the server has them: nobody deleted them."""
    rows = db.execute(
        f"SELECT message, folder FROM imap_message i WHERE message {IN_IDS} AND uid IS NOT NULL"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = i.message)",
        (id_list(message_ids),),
    ).fetchall()
    for message_id, folder_id in rows:
        placements.place_as_on_server(db, [message_id], folder_id)


def _without_place(db: sqlite3.Connection, message_ids: Iterable[int]) -> list[int]:
    """Return those messages that are in no folder, here or there, or of which only the header is here."""
    rows = db.execute(
        f"SELECT id FROM message m WHERE id {IN_IDS}"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = m.id)"
        " AND (downloaded = 0 OR NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id))",
        (id_list(message_ids),),
    )
    return [message_id for (message_id,) in rows]


# -- bodies


def on_server(store: Store, message_id: int) -> OnServer | None:
    """Return where the server has a message, or None where it has not."""
    found = store.read_one(
        "SELECT folder, uid, size, fingerprint FROM imap_message WHERE message = ? AND uid IS NOT NULL ORDER BY id LIMIT 1",
        (message_id,),
    )
    return OnServer(*found) if found else None


def to_download(store: Store, folder_id: int, limit: int) -> list[tuple[int, OnServer]]:
    """Return messages of a folder whose bodies are only on the server, newest first, at most `limit`."""
    rows = store.read(
        "SELECT m.id, i.folder, i.uid, i.size, i.fingerprint FROM placement p JOIN message m ON m.id = p.message"
        " JOIN imap_message i ON i.message = m.id AND i.folder = p.folder"
        " WHERE p.folder = ? AND m.downloaded = 0 AND i.uid IS NOT NULL ORDER BY p.sort_date DESC, p.message DESC LIMIT ?",
        (folder_id, limit),
    )
    return [(message_id, OnServer(*where)) for message_id, *where in rows]
