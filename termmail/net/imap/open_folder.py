"""The open folder: fetch, search, and watch. What changes messages is in `folder_changes`.

A folder is open until another is opened or the server says that it is no longer the one it was; then every verb raises
FolderChanged and sends nothing. What the server tells unasked is in `changes`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
from typing import TYPE_CHECKING

import msgspec

from termmail.net.imap.command_writer import astring, command, parenthesized
from termmail.net.imap.fetching import CHUNK, MESSAGE_LIMIT, Ahead, Request, header_items, page_of
from termmail.net.imap.folder_state import Changes, FolderState, News, Opening
from termmail.net.imap.folder_writer import FolderWriter
from termmail.net.imap.framing import Missing
from termmail.net.imap.idling import Idle
from termmail.net.imap.imap_machine import Challenge
from termmail.net.imap.refusals import FolderChanged, MessageGone, refusal
from termmail.net.imap.response_parser import rest_of
from termmail.net.imap.uid_search import LIMITED_ROUNDS, Searcher
from termmail.net.imap.uid_set import MAX_NUMBER, UidSet, batches
from termmail.net.imap.untagged import Condition, Fetch, Vanished
from termmail.net.net_errors import ProtocolError, Refused, TooLarge
from termmail.net.window import Window

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence

    from termmail.net.imap.features import Features
    from termmail.net.imap.fetching import HeaderPage
    from termmail.net.imap.folder_writer import Copied
    from termmail.net.imap.imap_dialogue import ImapDialogue
    from termmail.net.imap.untagged import Status, Untagged
    from termmail.net.imap.waiter import Take
    from termmail.net.net_errors import NetError

FIRST_PAGE = 50
"""Headers that are requested first, before the rate is known: about one screen."""
ARRIVED = 1000
"""Unique ids that `arrived_from` covers."""
_ROW_SLACK = 10_000
"""Rows of flags that are accepted beyond the number of messages."""


class OpenFolder:
    """A folder of an ImapSession; `ImapSession.select` returns it."""

    def __init__(self, dialogue: ImapDialogue, features: Features, name: bytes) -> None:
        self.name = name
        """As on the wire."""
        self.state: FolderState
        """The folder as it was when it was opened."""
        self._dialogue = dialogue
        self._features = features
        self._news = News()
        self._left = False
        self._on_news: Callable[[], None] | None = None
        self._searcher = Searcher(dialogue, features, self._check)
        self._writer = FolderWriter(dialogue, features, self._searcher, self._check)
        self._headers_window = Window(first=FIRST_PAGE, floor=FIRST_PAGE, ceiling=4000)
        self._bytes_window = Window(first=CHUNK, floor=CHUNK, ceiling=16 << 20)

    # -- called by the session

    async def open(self, resync: tuple[int, int] | None, arrived_from: int | None, *, read_only: bool = False) -> bool:
        """Send SELECT. Return False if the server does not understand what `resync` asks for. Raises NetError."""
        opening = Opening(resync=resync is not None)
        parameters = [b"(QRESYNC (%d %d))" % resync] if resync else [b"(CONDSTORE)"] if self._features.condstore else []
        asked = command("EXAMINE" if read_only else "SELECT", astring(self.name), *parameters)

        def done(status: Status) -> None:
            if status.ok:
                self.state = opening.state(self.name, status)
                self._news.opened(self.state)

        selected = self._dialogue.post(asked, opening.take, done)
        arrived = arrivals = None
        if arrived_from is not None:
            last = min(arrived_from + ARRIVED - 1, MAX_NUMBER)
            arrived = Request.for_range(arrived_from, last, header_items(self._features))
            arrivals = self._dialogue.post(arrived.command, arrived.take)
        status = await self._dialogue.wait(selected)
        if status.condition is Condition.BAD and resync:
            return False
        self._dialogue.checked(asked, status)
        if not self.state.uidvalidity:
            raise Refused("The server has no lasting numbers for the messages of this folder.")
        if arrived and arrivals:
            await self._dialogue.wait(arrivals)
            rows = tuple(row for _, row in sorted(arrived.rows.items()) if row.header is not None)
            self.state = msgspec.structs.replace(self.state, arrived=rows)
        return True

    def leave(self) -> None:
        """Mark the folder as no longer open."""
        self._left = True

    def take(self, response: Untagged) -> None:
        """Take an untagged response that nobody asked for."""
        if self._news.take(response) and self._on_news is not None:
            self._on_news()

    def answered(self, status: Status) -> None:
        """Take any tagged answer."""
        self._news.answered(status)

    # -- the folder

    @property
    def closed(self) -> bool:
        """Whether the folder is no longer open; its verbs then raise FolderChanged."""
        return self._left or self._news.stale or self._dialogue.error is not None

    @property
    def exists(self) -> int:
        """How many messages it has, as far as the server told."""
        return self._news.exists

    @property
    def highestmodseq(self) -> int | None:
        """The mod-sequence up to which everything was told; None without mod-sequences."""
        return self._news.highestmodseq

    def changes(self) -> Changes:
        """Return what the server told unasked since the last call."""
        return self._news.changes()

    def _check(self) -> None:
        if self._dialogue.error is not None:
            raise self._dialogue.error
        if self._left or self._news.stale:
            raise FolderChanged("The folder is no longer open on the server.")

    # -- fetch

    async def fetch_headers(self, uids: Sequence[int]) -> AsyncGenerator[HeaderPage, None]:
        """Yield flags, date, size and header block of these messages, page by page, in the order given.

        Many requests are sent ahead. Raises NetError after yielding what came before.
        """
        self._check()
        items = header_items(self._features)
        pages: list[list[int]] = []

        def requests() -> Iterator[Request]:
            for page in itertools.chain([list(uids[:FIRST_PAGE])] if uids else [], self._pages(uids[FIRST_PAGE:])):
                pages.append(page)
                yield Request.for_headers(page, items)

        answers = Ahead(self._dialogue, requests(), self._headers_window, self._check).answers()
        async with contextlib.aclosing(answers):
            number = 0
            async for request, status in answers:
                yield page_of(pages[number], request, self._refused(request, status))
                number += 1

    def _pages(self, uids: Sequence[int]) -> Iterator[list[int]]:
        return batches(uids, self._features.set_octets, self._features.batch)

    def _refused(self, request: Request, status: Status) -> NetError | None:
        return None if status.ok else refusal(status, request.command.verb, self._dialogue.clean(status.text))

    async def fetch_flags(
        self, uids: UidSet | None = None, *, changed_since: int | None = None
    ) -> tuple[list[Fetch], UidSet]:
        """Return unique id, flags and mod-sequence of these messages, or of all, ascending, and what has vanished.

        With `changed_since`, a mod-sequence from 1 up, only what changed after it; vanished messages are told then if
        QRESYNC is on. Raises Refused or NetError.
        """
        modifiers = []
        if changed_since is not None:
            if changed_since < 1:
                raise ValueError("mod-sequences begin at 1")
            vanished = b" VANISHED" if self._features.qresync else b""
            modifiers = [b"(CHANGEDSINCE %d%b)" % (changed_since, vanished)]
        return await self._fetch_rows(uids, parenthesized("UID", "FLAGS"), *modifiers)

    async def fetch_identities(self, uids: UidSet | None = None) -> list[Fetch]:
        """Return what tells these messages, or all, from others without their headers, ascending.

        That is flags, size, date, and with Gmail the id of the message in all folders. Raises Refused or NetError.
        """
        items = ["UID", "FLAGS", "RFC822.SIZE", "INTERNALDATE"]
        if self._features.lasting_ids:
            items.append("X-GM-MSGID")
        rows, _ = await self._fetch_rows(uids, parenthesized(*items))
        return rows

    async def _fetch_rows(self, uids: UidSet | None, items: bytes, *modifiers: bytes) -> tuple[list[Fetch], UidSet]:
        """Return rows without parts of messages, ascending, and what has vanished."""
        self._check()
        rows: dict[int, Fetch] = {}
        gone: list[UidSet] = []

        def take(response: Untagged) -> bool:
            if isinstance(response, Vanished) and response.earlier:
                gone.append(response.uids)
                return True
            if not isinstance(response, Fetch) or response.uid is None or response.sections:
                return False
            if uids is not None and response.uid not in uids:
                return False
            rows[response.uid] = response
            if len(rows) > self.exists + _ROW_SLACK:
                raise ProtocolError("The server told of more messages than the folder has.")
            return True

        if uids is None:
            await self._fetch_all(items, *modifiers, take=take)
        else:
            parts = uids.split(self._features.set_octets, self._features.message_limit)
            asked = [
                self._dialogue.post(command("UID FETCH", part.encode(), items, *modifiers), take) for part in parts
            ]
            for waiter in asked:
                self._dialogue.checked(waiter.command, await self._dialogue.wait(waiter))
        return [rows[uid] for uid in sorted(rows)], UidSet(one for found in gone for one in found.ranges)

    async def _fetch_all(self, *words: bytes, take: Take) -> None:
        """Send UID FETCH for every message, again for the rest where the server limits a command."""
        last = b"*"
        for _ in range(LIMITED_ROUNDS):
            rest = rest_of(await self._dialogue.require(command("UID FETCH", b"1:" + last, *words), take))
            if rest is None:
                return
            last = b"%d" % rest
        raise ProtocolError("The server gives its messages in too small parts.")

    async def fetch_body(
        self,
        uid: int,
        *,
        size: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        started: Callable[[bytes], None] | None = None,
    ) -> bytes:
        r"""Return a whole message, ahead of running `fetch_headers`, which pause meanwhile. \Seen stays as it is.

        `size` is its RFC822.SIZE as known, or None; at most twice of it is accepted. A large message comes in pieces of
        CHUNK bytes; `progress` is called with the bytes received and the size, `started` with the first piece where more
        follow. Raises MessageGone, Refused, TooLarge or
        NetError.
        """
        self._check()
        if size is not None and size > MESSAGE_LIMIT:
            raise TooLarge(f"The message has {size / 1e6:.0f} MB, more than termmail accepts.")
        limit = MESSAGE_LIMIT if size is None else min(MESSAGE_LIMIT, 2 * size + CHUNK)
        kept = io.BytesIO()
        waiting = [started] if started is not None else []

        def tell() -> None:
            _tell(progress, kept.tell(), size)
            if waiting and kept.tell() < (size or 0):
                waiting.pop()(kept.getvalue())

        self._dialogue.hurry(+1)
        try:
            begins = range(0, size or 1, CHUNK)
            while await self._fetch_chunks(uid, begins, kept, tell):
                if kept.tell() >= limit:
                    raise TooLarge("The message is larger than the server said.")
                begins = range(kept.tell(), kept.tell() + 1)  # the size was too low
        finally:
            self._dialogue.hurry(-1)
        return kept.getvalue()

    async def _fetch_chunks(self, uid: int, begins: range, kept: io.BytesIO, tell: Callable[[], None]) -> bool:
        """Append pieces of a message; return whether there may be more of it."""
        requests = (Request.for_chunk(uid, begin) for begin in begins)
        answers = Ahead(self._dialogue, requests, self._bytes_window, self._check, urgent=True).answers()
        async with contextlib.aclosing(answers):
            begin = kept.tell()
            async for request, status in answers:
                row = request.rows.get(uid)
                part = (row.sections or {}).get(b"BODY[]<%d>" % begin) if row else None
                if isinstance(part, Missing):
                    raise TooLarge("The server sent more of a message than was asked for.")
                if part is None and row is not None and begin:
                    return False  # NIL behind the end
                if part is None:
                    if (error := self._refused(request, status)) is not None:
                        raise error
                    raise MessageGone("The message is no longer on the server.")
                kept.write(part)
                tell()
                if len(part) < CHUNK:
                    return False
                begin += CHUNK
        return True

    # -- search

    async def search_uids(self, *criteria: bytes) -> UidSet:
        """Return the messages that match, such as b"ALL" or b"DELETED". Raises Refused or NetError."""
        return await self._searcher.search(*criteria)

    # -- change

    async def store_flags(
        self, uids: Iterable[int], *, add: frozenset[str] = frozenset(), remove: frozenset[str] = frozenset()
    ) -> frozenset[str]:
        """Add and remove flags, silently; return those that were sent: the folder keeps no others.

        Raises Refused or NetError.
        """
        return await self._writer.store(self.state, UidSet.of(uids), add, remove)

    async def copy(self, uids: Iterable[int], target: bytes) -> Copied:
        """Copy messages to another folder. Raises NoSuchFolder, OverQuota, Refused or NetError."""
        return await self._writer.copy(UidSet.of(uids), target)

    async def move(self, uids: Iterable[int], target: bytes) -> Copied:
        """Move messages to another folder: MOVE, or COPY, STORE and EXPUNGE.

        An OK does not mean that every message was moved: one that had vanished is not among the pairs. Raises NoSuchFolder,
        OverQuota, Refused or NetError.
        """
        return await self._writer.move(self.state, UidSet.of(uids), target)

    async def expunge(self, uids: Iterable[int]) -> None:
        r"""Remove messages that are marked as \Deleted, and no others. Raises Refused or NetError."""
        await self._writer.expunge(UidSet.of(uids))

    # -- watch

    @contextlib.asynccontextmanager
    async def idle(self) -> AsyncIterator[Idle]:
        """Watch the folder: `async with folder.idle() as watch: await watch.wait(540)`.

        Nothing else is sent meanwhile. Raises Refused or NetError.
        """
        self._check()
        early = asyncio.Event()
        self._on_news = early.set  # what the server tells before it agrees to IDLE is news too
        try:
            watch = await self._begin_idle()
        except BaseException:
            self._on_news = None
            raise
        self._on_news = watch.look
        if early.is_set():
            watch.look()
        try:
            yield watch
        finally:
            self._on_news = None
            if self._dialogue.error is None:
                watch.end()

    async def _begin_idle(self) -> Idle:
        waiter = self._dialogue.post(command("IDLE"))
        step = await self._dialogue.converse(waiter)
        if not isinstance(step, Challenge):
            raise refusal(step, "IDLE", self._dialogue.clean(step.text))
        return Idle(self._dialogue, self._dialogue.expect(waiter))


def _tell(progress: Callable[[int, int], None] | None, received: int, size: int | None) -> None:
    if progress is not None:
        progress(received, received if size is None else size)
