"""One IMAP session: open, folders, append. What happens inside a folder is in `open_folder`.

Every error that breaks the protocol, every timeout and every cancel closes the session; a refusal does not. Commands
that are queued in one iteration of the event loop leave in one write, so `asyncio.gather` saves round trips.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from termmail.net.imap.command_writer import Literal, astring, command, parenthesized
from termmail.net.imap.features import Features
from termmail.net.imap.folder_lister import FolderInfo, FolderLister
from termmail.net.imap.imap_dialogue import ImapDialogue
from termmail.net.imap.imap_login import begin
from termmail.net.imap.imap_machine import State
from termmail.net.imap.open_folder import OpenFolder
from termmail.net.imap.response_parser import read_append_uid
from termmail.net.imap.untagged import Enabled, FolderStatus, Identity, ListRow, Namespace, Status
from termmail.net.net_errors import NetError, Refused
from termmail.net.opening import open_session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.net.imap.untagged import AppendUid, Untagged
    from termmail.net.stream import Server
    from termmail.net.trace import Trace

__all__ = ["FolderInfo", "ImapSession"]

LOGOUT_SECONDS = 5.0
COMPRESS_FROM = 0.02
"""Seconds of a round trip from which on a connection is compressed: on a faster line it takes longer than it saves."""
ALERTS = 10
"""Alerts of the server that are kept."""

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class ImapSession:
    """A session after login; create it with `open`. Names of folders are bytes as on the wire (see folder_names)."""

    def __init__(self, dialogue: ImapDialogue, server: Server) -> None:
        self._dialogue = dialogue
        self._server = server
        self._resyncs = False
        self._notifies = False
        self.features = Features(frozenset())
        """What the server offers, as it said behind the login."""
        self.enabled: frozenset[str] = frozenset()
        """What ENABLE turned on, in capitals."""
        self.identity: dict[str, str] = {}
        """The answer to ID, not cleaned."""
        self.alerts: list[str] = []
        """What the server wants the user to read ([ALERT]), cleaned."""
        self.elsewhere = False
        """Whether the server has told unasked that folders have changed (NOTIFY); set it back before you look at them."""
        self.folder: OpenFolder | None = None
        """The folder that is open or being opened."""
        dialogue.on_untagged = self._take
        dialogue.on_answer = self._answered

    @classmethod
    async def open(cls, server: Server, trace: Trace | None = None) -> ImapSession:
        """Connect, start TLS and log in. ID and ENABLE are queued: they leave with the first command behind the login.

        Raises Offline, TlsFailed, LoginRefused, Busy or ProtocolError.
        """

        async def log_in(dialogue: ImapDialogue) -> ImapSession:
            session = cls(dialogue, server)
            session.features = Features(await begin(dialogue, server))
            if session.features.offers("COMPRESS=DEFLATE") and dialogue.round_trip >= COMPRESS_FROM:
                await dialogue.compress()
            session._resyncs = session.features.qresync
            session._post_behind_login()
            return session

        return await open_session(server, trace, ImapDialogue, log_in)

    # -- properties

    @property
    def closed(self) -> bool:
        """Whether the session has ended, by an error, a close or a logout."""
        return self._dialogue.error is not None

    @property
    def odd_responses(self) -> int:
        """How many responses did not parse and were left out."""
        return self._dialogue.dropped

    # -- behind the login

    def _post_behind_login(self) -> None:
        if self.features.offers("ID"):
            self._dialogue.post(command("ID", b'("name" "termmail")'))
        if self.features.offers("ENABLE") and self.features.condstore:
            self._dialogue.post(command("ENABLE", b"QRESYNC" if self.features.qresync else b"CONDSTORE"))

    def _take(self, response: Untagged) -> None:
        """Keep what belongs to the session, and pass what may belong to the open folder on.

        What comes before the login is forgotten: it may have come in the clear.
        """
        if self._dialogue.state is State.NOT_AUTHENTICATED:
            return
        if isinstance(response, Identity):
            self.identity = response.fields
        elif isinstance(response, Enabled):
            self.enabled |= response.names
        elif isinstance(response, Status) and response.code == "ALERT":
            if len(self.alerts) < ALERTS:
                self.alerts.append(self._dialogue.clean(response.text))
        else:
            self.elsewhere |= self._notifies and isinstance(response, FolderStatus | ListRow)
            if self.folder is not None:
                self.folder.take(response)

    def _answered(self, status: Status) -> None:
        if self.folder is not None:
            self.folder.answered(status)

    # -- folders

    async def list_folders(self) -> list[FolderInfo]:
        """Return all folders with what STATUS says of them, in two round trips or, with LIST-STATUS, in one.

        The status of the open folder is None where it takes a STATUS of its own (RFC 3501 section 6.3.10). Raises NetError.
        """
        return await FolderLister(self._dialogue, self.features, self.folder.name if self.folder else None).all()

    async def status(self, name: bytes) -> FolderStatus:
        """Return what STATUS says of one folder. Raises NoSuchFolder, Refused or NetError."""
        return await FolderLister(self._dialogue, self.features, None).status(name)

    async def namespace(self) -> Namespace:
        """Return the prefixes of the user's own folders; none without NAMESPACE (RFC 2342). Raises NetError."""
        found: list[Namespace] = []

        def take(response: Untagged) -> bool:
            if isinstance(response, Namespace):
                found.append(response)
            return isinstance(response, Namespace)

        if self.features.offers("NAMESPACE"):
            await self._dialogue.require(command("NAMESPACE"), take)
        return found[-1] if found else Namespace(())

    async def select(
        self,
        name: bytes,
        *,
        qresync: tuple[int, int] | None = None,
        arrived_from: int | None = None,
        read_only: bool = False,
    ) -> OpenFolder:
        """Open a folder; the one before is closed, and nothing is expunged.

        `qresync` is (UIDVALIDITY, mod-sequence) as known: where the server can, the state then holds what changed and
        vanished since. With `arrived_from` the headers of unique ids from there on are fetched in the same round trip.
        Compare `state.uidvalidity` before you change anything. Raises NoSuchFolder, Refused or NetError.
        """
        self._leave_folder()
        if not self._resyncs or (qresync and min(qresync) <= 0):
            qresync = None
        self.folder = folder = OpenFolder(self._dialogue, self.features, name)
        try:
            opened = await folder.open(qresync, arrived_from, read_only=read_only)
            if not opened:
                self._resyncs = False  # it announces QRESYNC and does not understand it
                await folder.open(None, arrived_from, read_only=read_only)
        except BaseException:
            self._leave_folder()
            raise
        return folder

    def _leave_folder(self) -> None:
        if self.folder is not None:
            self.folder.leave()
            self.folder = None

    async def close_folder(self) -> None:
        """Close the open folder without expunging (UNSELECT, RFC 3691), or open INBOX read-only where the server cannot.

        Courier refuses to delete the folder that is open. Raises Refused or NetError.
        """
        if self.folder is None:
            return
        if self.features.offers("UNSELECT"):
            self._leave_folder()
            await self._dialogue.require(command("UNSELECT"))
        elif self.folder.name != b"INBOX":
            await self.select(b"INBOX", read_only=True)

    async def create_folder(self, name: bytes) -> None:
        """Create a folder. Raises FolderExists, Refused or NetError."""
        await self._dialogue.require(command("CREATE", astring(name)))

    async def rename_folder(self, name: bytes, new: bytes) -> None:
        """Rename a folder and what is below it. Close it first. Raises NoSuchFolder, FolderExists, Refused or NetError."""
        await self._dialogue.require(command("RENAME", astring(name), astring(new)))

    async def delete_folder(self, name: bytes) -> None:
        """Delete a folder with its messages. Close it first. Raises NoSuchFolder, Refused or NetError."""
        await self._dialogue.require(command("DELETE", astring(name)))

    async def subscribe(self, name: bytes) -> None:
        """Subscribe to a folder. Raises NetError."""
        await self._dialogue.require(command("SUBSCRIBE", astring(name)))

    async def unsubscribe(self, name: bytes) -> None:
        """Unsubscribe from a folder. Raises NetError."""
        await self._dialogue.require(command("UNSUBSCRIBE", astring(name)))

    async def notify(self) -> None:
        """Ask to be told of every change in any folder, once in a session (NOTIFY, RFC 5465).

        Nothing happens where the server cannot or refuses: then only the open folder is told of. Raises NetError.
        """
        if self.features.offers("NOTIFY") and not self._notifies:
            self._notifies = True
            events = b"MessageNew MessageExpunge FlagChange"
            for more in (b" MailboxName", b""):  # a server may not know every event
                selected, personal = b"(SELECTED-DELAYED (%b))" % events, b"(PERSONAL (%b%b))" % (events, more)
                if (await self._dialogue.say(command("NOTIFY", b"SET", selected, personal))).ok:
                    return

    # -- append

    async def append(
        self, name: bytes, raw: bytes, flags: Iterable[str] = (), internal_date: int | None = None
    ) -> AppendUid | None:
        """Store a message in a folder; `internal_date` is in seconds UTC. Return its unique id if the server tells it.

        Lines that end in LF alone are sent with CRLF (RFC 3501 section 6.3.11): Cyrus refuses others.

        Without an answer (Offline) it may have been stored: look before you append it again. Raises NoSuchFolder,
        OverQuota, Refused or NetError.
        """
        raw = await asyncio.to_thread(_with_crlf, raw)
        limit = self.features.append_limit
        if limit is not None and len(raw) > limit:
            raise Refused("The message is larger than the server takes.")
        words = [parenthesized(*sorted(flags))]
        if internal_date is not None:
            words.append(_date(internal_date))
        return read_append_uid(await self._dialogue.require(command("APPEND", astring(name), *words, Literal(raw))))

    # -- the session

    async def noop(self) -> None:
        """Ask for news and keep the session open (NOOP). Raises NetError."""
        await self._dialogue.require(command("NOOP"))

    async def logout(self) -> None:
        """Say LOGOUT, wait at most LOGOUT_SECONDS for the answer, and close. Never raises a NetError."""
        with contextlib.suppress(NetError, TimeoutError):
            async with asyncio.timeout(LOGOUT_SECONDS):
                await self._dialogue.say(command("LOGOUT"))
        await self.close()

    async def close(self) -> None:
        """Drop the connection without LOGOUT. Never raises."""
        await self._dialogue.close()


def _with_crlf(raw: bytes) -> bytes:
    if raw.count(b"\n") == raw.count(b"\r\n"):
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _date(seconds: int) -> bytes:
    moment = time.gmtime(seconds)
    month = _MONTHS[moment.tm_mon - 1]
    return f'"{moment.tm_mday:2d}-{month}-{moment.tm_year:04d} {time.strftime("%H:%M:%S", moment)} +0000"'.encode()
