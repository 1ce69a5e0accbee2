"""Messages on their way from a folder of an IMAP server into the store: new ones, and those that are known already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from termmail.mail.model import Role
from termmail.store import contacts, conversations, derived, messages, on_arrival, placements, raw_bytes
from termmail.store.imap_identity import set_known_flags, take_flags
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from termmail.mail.message import Envelope
    from termmail.store.store import Store

_ROW = (
    "INSERT INTO imap_message (folder, uid, message, size, fingerprint, flags, lasting_id) VALUES (?, ?, ?, ?, ?, ?, ?)"
)

_NOT_IN = "NOT EXISTS (SELECT 1 FROM imap_message h WHERE h.message = i.message AND h.folder = ? AND h.uid IS NOT NULL)"
"""Whether a message is not in a folder: one id for two messages of a folder is a mistake of the server."""


class Listed(Struct, frozen=True):
    """A message whose header block was fetched from a folder.

    `flags` is a mask of Flag, `date` its INTERNALDATE (UTC seconds) or None. `lasting_id` is what names one message in all
    folders of the account (Gmail), or None. `fingerprint` and `envelope` are filled in by `parse_page`; a message that is
    known from another folder needs no header (`with_lasting_ids`).
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


def parse_page(page: Iterable[Listed]) -> list[Listed]:
    """Parse the headers. Pure; call it in a worker thread, so that nothing is parsed on the store thread."""
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    return [
        replace(one, fingerprint=parse.fingerprint(one.header), envelope=parse.envelope(one.header)) for one in page
    ]


def arrive(store: Store, account: str, folder_id: int, page: Sequence[Listed], *, received: int, kept: int) -> Arrived:
    """Store messages of a folder whose headers were parsed, in one transaction.

    What is known under its UID already gets its flags, and the size and the fingerprint that it has on the server, which
    may change what is stored there. What has left another folder, or was put into this one here, is recognized by header
    block and size, or in Sent by its Message-ID. So is what came by POP3 before. `received` is now, in UTC seconds, `kept`
    the mask of the flags that the folder keeps.
    """
    with store.transaction() as db:
        known = _known(db, folder_id, [one.uid for one in page])
        told = [one for one in page if one.uid in known]
        set_known_flags(db, folder_id, [(one.uid, one.flags) for one in told], kept)
        db.executemany(
            "UPDATE imap_message SET size = ?1, fingerprint = ?2 WHERE folder = ?3 AND uid = ?4 AND (size, fingerprint) <> (?1, ?2)",
            [(one.size, one.fingerprint, folder_id, one.uid) for one in told if one.envelope is not None],
        )
        arrivals = _Arrivals(db, account, folder_id, received)
        for one in sorted(page, key=lambda one: one.uid):
            if one.uid not in known:
                arrivals.take(one)
        arrivals.finish()
    return Arrived(arrivals.added[::-1], arrivals.found)


def with_lasting_ids(store: Store, account: str, folder_id: int, listed: Iterable[Listed]) -> list[Listed]:
    """Return those messages that are known from another folder by their lasting id: their headers need not be fetched.

    A server that gives one id to several messages of a folder, or to messages of different size, is not believed.
    """
    wanted = {(one.lasting_id, one.size): one for one in listed if one.lasting_id is not None}
    rows = store.read(
        "SELECT i.lasting_id, i.size, i.fingerprint FROM imap_message i JOIN message m ON m.id = i.message"  # noqa: S608
        f" WHERE i.lasting_id IN (SELECT value FROM json_each(?)) AND m.account = ? AND {_NOT_IN}",
        (id_list({lasting_id for lasting_id, _ in wanted}), account, folder_id),
    )
    known = {(lasting_id, size): fingerprint for lasting_id, size, fingerprint in rows}
    return [replace(wanted[key], fingerprint=fingerprint) for key, fingerprint in known.items() if key in wanted]


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
        left = (
            "SELECT 1 FROM folder f CROSS JOIN imap_message i ON i.folder = f.id AND i.uid IS NULL"
            " WHERE f.account = ? LIMIT 1"
        )
        self._has_left = db.execute(left, (account,)).fetchone() is not None
        self._had_pop3 = db.execute("SELECT 1 FROM remote WHERE account = ? LIMIT 1", (account,)).fetchone() is not None

    def take(self, one: Listed) -> None:
        """Store one message, or recognize it. Without a header it is one that is known from another folder, or left out."""
        if one.lasting_id is not None and (message_id := self._elsewhere_too(one)) is not None:
            self._label(one, message_id)
        elif one.envelope is None:
            return  # deleted a moment ago: the next look fetches its header
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
            conversations.group(self._db, self.added)
            placements.place_as_on_server(self._db, self.added, self._folder_id)
            on_arrival.settle(self._db, self._account, self._folder_id, self.added)
        self._tally.save(self._db)

    def _elsewhere_too(self, one: Listed) -> int | None:
        """Return the message that this one is, in another folder: by its lasting id, its size and its header."""
        row = self._db.execute(
            "SELECT i.message FROM imap_message i JOIN message m ON m.id = i.message"  # noqa: S608
            f" WHERE i.lasting_id = ? AND i.size = ? AND i.fingerprint = ? AND m.account = ? AND {_NOT_IN} LIMIT 1",
            (one.lasting_id, one.size, one.fingerprint, self._account, self._folder_id),
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
        take_flags(self._db, message_id, flags, one.flags)
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
            "SELECT m.id, m.message_id, NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = m.id), r.bytes, r.packed"
            " FROM imap_pending w CROSS JOIN message m ON m.id = w.message JOIN raw r ON r.id = m.id"
            " JOIN placement p ON p.message = m.id AND p.folder = ? WHERE m.account = ?"
            " AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = m.id AND i.folder = p.folder)",
            (self._folder_id, self._account),
        ).fetchall()
        found: dict[int, tuple[str, bool, set[bytes]]] = {}
        for message_id, rfc_message_id, is_local, data, packed in rows:
            elsewhere = self._db.execute("SELECT fingerprint FROM imap_message WHERE message = ?", (message_id,))
            raw = raw_bytes.unpack(data, packed)
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
        message_id = messages.insert(self._db, self._account, received, one.size, columns, flags=one.flags)
        self._raws.append((message_id, one.header))
        self._rows.append(self._row(one, message_id))
        people = contacts.people(envelope, written=self._is_sent)
        self._tally.message(people, columns.sort_date, written=self._is_sent)
        self.added.append(message_id)

    def _row(self, one: Listed, message_id: int) -> tuple[Any, ...]:
        return self._folder_id, one.uid, message_id, one.size, one.fingerprint, one.flags, one.lasting_id
