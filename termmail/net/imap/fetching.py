"""Fetch headers and bodies: many commands ahead, the answers in the order of the requests.

IMAP cannot cancel a command, so everything in flight delays what the user asks for next. The window is therefore no
larger than what the connection delivers in a round trip plus a fifth of a second, and a large body comes in pieces.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.net.imap.command_writer import command, parenthesized
from termmail.net.imap.folder_state import merged
from termmail.net.imap.framing import Missing
from termmail.net.imap.uid_set import UidSet
from termmail.net.imap.untagged import Fetch
from termmail.net.net_errors import NetError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Container, Iterable, Iterator

    from termmail.net.imap.command_writer import Command
    from termmail.net.imap.features import Features
    from termmail.net.imap.imap_dialogue import ImapDialogue
    from termmail.net.imap.untagged import Status, Untagged
    from termmail.net.imap.waiter import Waiter
    from termmail.net.window import Window

HEADER_LIMIT = 1 << 20
"""Bytes of the header of one message."""
PAGE_LIMIT = 32 << 20
"""Bytes of the headers that one command brings; those beyond are as if they were too large."""
CHUNK = 256 << 10
"""Bytes of a message that one command asks for."""
MESSAGE_LIMIT = 128 << 20
"""Bytes of a message."""
HELD = 4 << 20
"""Bytes of answers that nobody has read yet: beyond it nothing more is asked for."""


class HeaderPage(Struct, frozen=True):
    """The answer to one request for headers.

    `rows` are in the order asked; `header` of a row is Missing.TOO_LARGE where it was not kept. `absent` are the unique ids
    that the server told nothing of: they are gone, or the server could not give them. `refused` is its NO or BAD, or
    None.
    """

    rows: tuple[Fetch, ...]
    absent: tuple[int, ...]
    refused: NetError | None


def header_items(features: Features) -> bytes:
    """Return what is fetched of each message: flags, date, size, lasting ids and the whole header block."""
    items = ["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE"]
    if features.condstore:
        items.append("MODSEQ")
    if features.offers("OBJECTID"):
        items.append("EMAILID")
    if features.lasting_ids:
        items.append("X-GM-MSGID")
    return parenthesized(*items, "BODY.PEEK[HEADER]")


class Request:
    """One UID FETCH and the rows that came. Rows of other messages are left to others."""

    def __init__(self, asked: Command, wanted: Container[int], weight: int = 1, section: bytes | None = None) -> None:
        self.command = asked
        self.weight = weight
        self.held = 0
        """Bytes of the parts that were kept."""
        self.rows: dict[int, Fetch] = {}
        self._wanted = wanted
        self._section = section

    @classmethod
    def for_headers(cls, uids: list[int], items: bytes) -> Request:
        """Return the request for the headers of some messages."""
        asked = command("UID FETCH", UidSet.of(uids).encode(), items, literal_limit=HEADER_LIMIT)
        return cls(asked, frozenset(uids), len(uids))

    @classmethod
    def for_range(cls, first: int, last: int, items: bytes) -> Request:
        """Return the request for the headers of a range of unique ids."""
        asked = command("UID FETCH", b"%d:%d" % (first, last), items, literal_limit=HEADER_LIMIT)
        return cls(asked, range(first, last + 1))

    @classmethod
    def for_chunk(cls, uid: int, begin: int) -> Request:
        """Return the request for a piece of a message."""
        items = parenthesized("UID", f"BODY.PEEK[]<{begin}.{CHUNK}>")
        return cls(command("UID FETCH", uid, items, literal_limit=2 * CHUNK), {uid}, CHUNK, b"BODY[]<%d>" % begin)

    def take(self, response: Untagged) -> bool:
        """Take a row of a message that was asked for; a piece of one only if it is this piece."""
        uid = response.uid if isinstance(response, Fetch) else None
        if not isinstance(response, Fetch) or uid is None or uid not in self._wanted:
            return False
        if self._section is not None and self._section not in (response.sections or ()):
            return False
        if response.sections:
            self.held += sum(len(part) for part in response.sections.values() if isinstance(part, bytes))
            if self.held > PAGE_LIMIT:
                response = _without_parts(response)
        self.rows[uid] = merged(self.rows.get(uid), response)
        return True


def _without_parts(row: Fetch) -> Fetch:
    sections: dict[bytes, bytes | Missing] = dict.fromkeys(row.sections or {}, Missing.TOO_LARGE)
    return merged(Fetch(row.number, row.uid, sections=sections), row)


def page_of(uids: list[int], request: Request, refused: NetError | None) -> HeaderPage:
    """Return the headers that a request brought, in the order of `uids`."""
    found = {uid: row for uid, row in request.rows.items() if row.header is not None}
    absent = tuple(uid for uid in uids if uid not in found)
    return HeaderPage(tuple(found[uid] for uid in uids if uid in found), absent, refused if absent else None)


class Ahead:
    """Sends the requests of an iterator ahead, and returns each with its answer, in order.

    `check` raises if the folder is no longer open: nothing more is sent then, for it would name messages of another one.
    """

    def __init__(
        self,
        dialogue: ImapDialogue,
        requests: Iterable[Request],
        window: Window,
        check: Callable[[], None],
        *,
        urgent: bool = False,
    ) -> None:
        self._dialogue = dialogue
        self._check = check
        self._requests: Iterator[Request] = iter(requests)
        self._window = window
        self._urgent = urgent
        self._asked: deque[tuple[Request, Waiter]] = deque()
        self._weight = 0
        self._exhausted = False
        self._given_up = False
        self._clock = asyncio.get_running_loop().time

    async def answers(self) -> AsyncGenerator[tuple[Request, Status], None]:
        """Yield each request with its tagged answer. Raises NetError after yielding what was answered before.

        A caller that stops early loses only the answers in flight. A cancel closes the connection.
        """
        self._dialogue.feeders.append(self.feed)
        try:
            self.feed()
            while self._asked or not self._exhausted:
                if not self._asked:
                    await self._turn()
                    continue
                request, waiter = self._asked[0]
                status = await self._dialogue.wait(waiter)
                self._asked.popleft()
                self.feed()
                yield request, status
        finally:
            self._given_up = True
            self._dialogue.feeders.remove(self.feed)

    async def _turn(self) -> None:
        """Wait until requests may be sent again: another caller goes first."""
        self._check()
        await self._dialogue.calm()
        self.feed()

    def feed(self) -> None:
        """Send more if the window has room, nobody waits for a single answer, and the answers are being read."""
        dialogue = self._dialogue
        if self._given_up or self._exhausted or (dialogue.urgent and not self._urgent):
            return
        try:
            self._check()
        except NetError:
            return  # `answers` raises it, after what was answered
        if sum(request.held for request, _ in self._asked) > HELD:
            return
        if not self._weight:
            self._window.idle()
        room = self._window.room(self._weight, dialogue.round_trip)
        while room > 0:
            request = next(self._requests, None)
            if request is None:
                self._exhausted = True
                return
            self._send(request)
            room -= request.weight

    def _send(self, request: Request) -> None:
        self._weight += request.weight

        def take(response: Untagged) -> bool:
            taken = request.take(response)
            if taken:
                self._window.arriving(self._clock())
            return taken

        waiter = self._dialogue.post(request.command, take, lambda _: self._answered(request))
        self._asked.append((request, waiter))

    def _answered(self, request: Request) -> None:
        """Count an answer as it comes: when `answers` has taken the last one, nothing counts as in flight."""
        self._weight -= request.weight
        self._window.answered(request.weight, self._clock())
        self.feed()
