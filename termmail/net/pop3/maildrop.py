"""One POP3 session: open, list, headers, retrieve, delete, commit.

Deletes take effect only when `commit` returns. Every error, timeout or cancel closes the session, and the server then
keeps what was not committed (RFC 1939 section 6).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from termmail.net.net_errors import LoginRefused, NetError, ProtocolError, Refused, TlsFailed, TooLarge
from termmail.net.opening import open_session
from termmail.net.pop3.connection import Pop3Connection
from termmail.net.pop3.listing import Listed, read_listing
from termmail.net.pop3.login import log_in, refusal, refused_greeting, ways
from termmail.net.pop3.pipeline import Bulk
from termmail.net.pop3.protocol import MESSAGE_LIMIT, command
from termmail.net.pop3.responses import parse_capabilities, parse_stat, parse_uidl_row
from termmail.net.window import Window

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from termmail.net.pop3.connection import Waiter
    from termmail.net.pop3.listing import Listing
    from termmail.net.pop3.protocol import Answer, Command
    from termmail.net.stream import Server
    from termmail.net.trace import Trace

__all__ = ["FIRST_PAGE", "Listed", "Maildrop"]

FIRST_PAGE = 50
"""Headers that are requested first, before the rate is known: about one screen."""

_SEARCHED_AT_ONCE = 1 << 20
"""Bytes of a message that are searched for the end of its header between two turns of the event loop."""


START = 64 << 10
"""Bytes of a message that are handed on while the rest arrives."""


class Maildrop:
    """A session after login; create it with `open`."""

    def __init__(self, connection: Pop3Connection, server: Server) -> None:
        self._connection = connection
        self._server = server
        self._look: tuple[Waiter | None, Waiter] | None = None
        self._listing: tuple[Waiter, Waiter | None] | None = None
        self._headers_window = Window(first=FIRST_PAGE, floor=16, ceiling=4000)
        self._bytes_window = Window(first=256 << 10, floor=64 << 10, ceiling=16 << 20)
        self._top_works: bool | None = None
        self._uidl_works = True
        self.capabilities: dict[str, tuple[str, ...]] | None = None
        """The last answer to CAPA, names in capitals; None if the server has no CAPA."""
        self.count = 0
        """Number of messages, from STAT."""
        self.size = 0
        """Bytes of all messages, from STAT."""
        self.odd_rows = 0
        """Rows of the last listing that were left out; see Listing."""
        self.odd_sizes = 0
        """Messages of the last listing without a valid size."""

    @classmethod
    async def open(cls, server: Server, trace: Trace | None = None, *, list_too: bool = False) -> Maildrop:
        """Connect, start TLS, log in and STAT; with `list_too` also request what `listing` needs, in the same round trips.

        Raises Offline, TlsFailed, LoginRefused, Busy or ProtocolError.
        """

        async def log_in(connection: Pop3Connection) -> Maildrop:
            drop = cls(connection, server)
            await drop._begin(list_too=list_too)
            return drop

        return await open_session(server, trace, Pop3Connection, log_in)

    # -- properties

    @property
    def closed(self) -> bool:
        """Whether the session has ended, by an error, a close or a commit."""
        return self._connection.error is not None

    @property
    def pipelining(self) -> bool:
        """Whether commands may be sent before earlier ones are answered (RFC 2449 section 6.6)."""
        return self._connection.pipelining

    @property
    def has_top(self) -> bool:
        """Whether TOP works, as far as is known; without it, headers cost whole messages."""
        return self._top_works or (
            self._top_works is None and (self.capabilities is None or "TOP" in self.capabilities)
        )

    @property
    def has_uidl(self) -> bool:
        """Whether UIDL works, as far as is known."""
        return self._uidl_works and (self.capabilities is None or "UIDL" in self.capabilities)

    # -- login

    async def _begin(self, *, list_too: bool) -> None:
        connection, server = self._connection, self._server
        greeting = await connection.greeting()
        if not greeting.ok:
            raise refused_greeting(connection, greeting)
        self._know(await connection.request("CAPA"))
        if server.security == "starttls":
            await self._start_tls()
            self.capabilities, connection.pipelining = (
                None,
                False,
            )  # not trusted: received in the clear (RFC 2595 section 4)
            self._know(await connection.request("CAPA"))
        if "UTF8" in (self.capabilities or ()):
            await connection.request(
                "UTF8"
            )  # RFC 6856: else the server may replace non-ASCII headers; a refusal is harmless
        stamp = greeting.stamp
        found = ways(server, self.capabilities, stamp)
        for way in found:
            try:
                await log_in(
                    connection, server, way, stamp, lambda: self._send_look(capabilities=True, list_too=list_too)
                )
                break
            except LoginRefused:
                if way == found[-1]:
                    raise
        if self._look is None:
            if self.capabilities is not None and not self.pipelining:
                self._know(await connection.request("CAPA"))
                self._send_look(capabilities=False, list_too=list_too)
            else:
                self._send_look(capabilities=self.pipelining, list_too=list_too)
        await self._take_look()

    def _send_look(self, *, capabilities: bool, list_too: bool) -> None:
        """Send the first commands of a session, in one write if the server pipelines."""
        asked = self._connection.send(command("CAPA")) if capabilities else None
        self._look = (asked, self._connection.send(command("STAT")))
        if list_too:  # a capability may be announced only after login
            self._send_listing(try_uidl=capabilities or self.has_uidl)

    async def _take_look(self) -> None:
        if self._look is None:
            return
        (capabilities, stat), self._look = self._look, None
        if capabilities is not None:
            self._know(await self._connection.wait(capabilities))
        answer = await self._connection.wait(stat)
        if not answer.ok:
            raise refusal(self._connection, answer)
        numbers = parse_stat(answer.text)
        if numbers is None:
            raise self._connection.fail(ProtocolError("The server did not say how many messages there are."))
        self.count, self.size = numbers

    def _know(self, capabilities: Answer) -> None:
        """Store the answer to CAPA. After a refusal, as some servers send after login, the earlier answer remains valid."""
        if capabilities.body is not None:
            self.capabilities = parse_capabilities(capabilities.body)
            self._connection.pipelining = "PIPELINING" in self.capabilities

    async def _start_tls(self) -> None:
        """Start TLS with STLS. Raises TlsFailed if the server does not."""
        offered = self.capabilities is None or "STLS" in self.capabilities
        answer = await self._connection.request("STLS") if offered else None
        if answer is None or not answer.ok:
            raise TlsFailed(
                f"{self._server.place} does not offer to start TLS. Nothing secret was sent.",
                server_says=self._connection.clean(answer.text) if answer else "",
                advice='Set security to "tls", most often with port 995, or ask your provider.',
            )
        await self._connection.start_tls()

    # -- the list

    def _send_listing(self, *, try_uidl: bool) -> tuple[Waiter, Waiter | None]:
        uidls = self._connection.send(command("UIDL")) if try_uidl else None
        self._listing = (self._connection.send(command("LIST")), uidls)
        return self._listing

    async def listing(self) -> Listing:
        """Return every message that is in both LIST and UIDL (or in LIST, without UIDL), by number.

        LIST takes precedence over STAT. Unique ids are as received, blank and repeated ones too. Raises NetError.
        """
        (list_asked, uidls_asked), self._listing = self._listing or self._send_listing(try_uidl=self.has_uidl), None
        uidls = await self._connection.wait(uidls_asked) if uidls_asked else None
        sizes = await self._connection.wait(list_asked)
        if not sizes.ok:
            raise refusal(self._connection, sizes)
        self._uidl_works = uidls is not None and uidls.ok
        named = uidls.body if uidls is not None and uidls.ok else None
        listing = await read_listing(self.count, sizes.body or b"", named)
        self.odd_rows, self.odd_sizes = listing.odd_rows, listing.odd_sizes
        return listing

    async def uidl(self, number: int) -> bytes | None:
        """Return the unique id of one message, in one round trip; None if the server has no such message or no UIDL."""
        answer = await self._connection.request("UIDL", number)
        if not answer.ok:
            return None
        parsed = parse_uidl_row(answer.text)
        if parsed is None or parsed[0] != number:
            raise self._connection.fail(
                ProtocolError("The server answered for another message than the one asked for.")
            )
        return parsed[1]

    # -- headers

    async def headers(self, listed: Sequence[Listed]) -> AsyncGenerator[tuple[Listed, bytes | NetError], None]:
        """Yield the header block of each message, in the order given, with the empty line that ends it (TOP n 0).

        An error of a single message (Refused, TooLarge) is yielded in its place; an error that ends the session is
        raised after everything before it was yielded. Without TOP the headers are fetched by RETR: see `has_top`.
        """
        done = 0
        if self.has_top:
            answers = Bulk(self._connection, listed, _ask_header, self._headers_window).answers()
            async with contextlib.aclosing(answers):
                async for answer in answers:
                    entry = listed[done]
                    if not answer.ok and self._top_works is None and not await self._probe_top(entry):
                        break
                    self._top_works = True
                    done += 1
                    outcome = self._outcome(answer)
                    yield entry, await _header_block(outcome) if isinstance(outcome, bytes) else outcome
        async with contextlib.aclosing(self.retrieve(listed[done:])) as messages:
            async for entry, outcome in messages:
                yield entry, await _header_block(outcome) if isinstance(outcome, bytes) else outcome

    async def _probe_top(self, entry: Listed) -> bool:
        """Return whether TOP may work, after its first refusal: fetch the message to see if only that is missing."""
        try:
            await self.retrieve_one(entry)
        except Refused:
            return True
        except TooLarge:
            pass
        self._top_works = False
        return False

    # -- whole messages

    async def retrieve(
        self, listed: Sequence[Listed], *, progress: Callable[[int, int], None] | None = None
    ) -> AsyncGenerator[tuple[Listed, bytes | NetError], None]:
        """Yield the bytes of each message, in the order given, as received less the dot-stuffing (RETR).

        A message of more than MESSAGE_LIMIT bytes in LIST is not requested; TooLarge is yielded in its place. `progress`
        is called with the bytes received so far and the total. Errors as in `headers`.
        """
        wanted = [entry for entry in listed if entry.size <= MESSAGE_LIMIT]
        total = sum(entry.size for entry in wanted)
        tell = None if progress is None else lambda received: progress(received, total)

        def ask(entry: Listed) -> tuple[Command, int]:
            return command("RETR", entry.number), max(entry.size, 1024)

        answers = Bulk(self._connection, wanted, ask, self._bytes_window, tell).answers()
        async with contextlib.aclosing(answers):
            for entry in listed:
                if entry.size > MESSAGE_LIMIT:
                    yield entry, _too_large(entry)
                else:
                    yield entry, self._outcome(await anext(answers))

    async def retrieve_one(
        self,
        listed: Listed,
        *,
        progress: Callable[[int, int], None] | None = None,
        started: Callable[[bytes], None] | None = None,
    ) -> bytes:
        """Return the bytes of one message, ahead of running `headers` and `retrieve`, which pause meanwhile.

        `progress` is called with the bytes received and the size, `started` once with the start of a message that is
        larger than START bytes. Raises Refused, TooLarge, or the error that ends the session.
        """
        if listed.size > MESSAGE_LIMIT:
            raise _too_large(listed)
        waiting = [started] if started is not None and listed.size > START else []

        def tell(received: int) -> None:
            if progress is not None:
                progress(received, listed.size)
            if waiting and len(start := self._connection.pending_start(START)) == START:
                waiting.pop()(start)

        return await self._urgent(command("RETR", listed.number), tell)

    async def header(self, listed: Listed) -> bytes:
        """Return the header block of one message (TOP n 0), as `retrieve_one` does."""
        return await self._urgent(command("TOP", listed.number, 0))

    async def _urgent(self, command: Command, tell: Callable[[int], None] | None = None) -> bytes:
        with self._connection.urgently():
            outcome = self._outcome(await self._connection.wait(self._connection.send(command, tell)))
        if isinstance(outcome, NetError):
            raise outcome
        return outcome

    def _outcome(self, answer: Answer) -> bytes | NetError:
        if not answer.ok:
            return refusal(self._connection, answer)
        return TooLarge("The message is larger than termmail accepts.") if answer.body is None else answer.body

    # -- delete and close

    async def delete(self, listed: Listed) -> None:
        """Mark a message as deleted, effective at `commit`. Concurrent calls are sent in one write. Raises Refused on -ERR."""
        await self._expect_ok("DELE", listed.number)

    async def reset(self) -> None:
        """Undo every delete of this session (RSET)."""
        await self._expect_ok("RSET")

    async def noop(self) -> None:
        """Keep the session open (NOOP)."""
        await self._expect_ok("NOOP")

    async def commit(self) -> None:
        """Send QUIT and close. The deletes took effect only if this returns; if it raises, treat none of them as done."""
        try:
            await self._expect_ok("QUIT")
        finally:
            await self.close()

    async def close(self) -> None:
        """Drop the session without QUIT: the server discards its deletes. Never raises."""
        await self._connection.close()

    async def _expect_ok(self, verb: str, *arguments: int) -> None:
        answer = await self._connection.request(verb, *arguments)
        if not answer.ok:
            raise refusal(self._connection, answer)


def _ask_header(entry: Listed) -> tuple[Command, int]:
    return command("TOP", entry.number, 0), 1


async def _header_block(raw: bytes) -> bytes:
    """Return the message up to and including its first empty line; all of it where there is none.

    Answers to TOP are cut too: a server that takes LF alone for no line end sends the whole message.
    """
    if raw.startswith((b"\r\n", b"\n")):
        return raw[: raw.index(b"\n") + 1]
    for start in range(0, len(raw), _SEARCHED_AT_ONCE):
        stop = start + _SEARCHED_AT_ONCE + 2  # an empty line may begin in this slice and end in the next
        ends = [at + len(line) for line in (b"\n\r\n", b"\n\n") if (at := raw.find(line, start, stop)) >= 0]
        if ends:
            return raw[: min(ends)]
        await asyncio.sleep(0)
    return raw


def _too_large(listed: Listed) -> TooLarge:
    return TooLarge(f"The message has {listed.size / 1e6:.0f} MB, more than termmail accepts.")
