"""One POP3 session as verbs: open, list, headers, retrieve, delete, commit.

The laws it keeps: what was deleted counts only once `commit` returned; every error, timeout or cancel closes the
session, and what was not committed is then as it was (RFC 1939 section 6).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from termmail.net.net_errors import LoginRefused, NetError, ProtocolError, Refused, TlsFailed, TooLarge
from termmail.net.pop3.connection import Dialogue
from termmail.net.pop3.listing import Listed, read_listing
from termmail.net.pop3.login import log_in, refusal, refused_greeting, ways
from termmail.net.pop3.pipeline import Bulk, Window
from termmail.net.pop3.protocol import HEADER_LIMIT, MESSAGE_LIMIT, command
from termmail.net.pop3.responses import parse_capabilities, parse_stat, parse_uidl_row
from termmail.net.stream import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from termmail.net.pop3.connection import Waiter
    from termmail.net.pop3.listing import Listing
    from termmail.net.pop3.protocol import Answer, Command
    from termmail.net.stream import Server
    from termmail.net.trace import Trace

__all__ = ["FIRST_PAGE", "Listed", "Maildrop"]

FIRST_PAGE = 50
"""Headers that are asked for alone, before the line is known: the first screen."""

EXCERPT_LIMIT = 16 << 20
"""Bytes of an answer to TOP with lines."""

_SEARCHED_AT_ONCE = 1 << 20
"""Bytes of a message that are searched for the end of its header between two turns of the event loop."""


class Maildrop:
    """A session, logged in. Made by `open`."""

    def __init__(self, dialogue: Dialogue, server: Server) -> None:
        self._dialogue = dialogue
        self._server = server
        self._look: tuple[Waiter | None, Waiter] | None = None
        self._listing: tuple[Waiter, Waiter | None] | None = None
        self._headers_window = Window(first=FIRST_PAGE, floor=16, ceiling=4000)
        self._bytes_window = Window(first=256 << 10, floor=64 << 10, ceiling=16 << 20)
        self._top_works: bool | None = None
        self._uidl_works = True
        self.capabilities: dict[str, tuple[str, ...]] | None = None
        """As CAPA said last, names in capitals; None where the server has no CAPA."""
        self.count = 0
        """Messages, as STAT said."""
        self.size = 0
        """Bytes, as STAT said."""
        self.odd_rows = 0
        """Rows of the last listing that were left out; see Listing."""
        self.odd_sizes = 0
        """Messages of the last listing without a size that can be believed."""

    @classmethod
    async def open(cls, server: Server, trace: Trace | None = None, *, list_too: bool = False) -> Maildrop:
        """Connect, TLS, log in, STAT; with `list_too` also what `listing` needs, in the same turns.

        Raises Offline, TlsFailed, LoginRefused, Busy or ProtocolError.
        """
        if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", server.username + server.password):
            raise LoginRefused(
                "The user name or the password holds a character that cannot be sent, such as a line break."
            )
        dialogue = Dialogue(await Stream.connect(server), trace)
        dialogue.secrets.hide_login(server.username, server.password)
        drop = cls(dialogue, server)
        try:
            await drop._begin(list_too=list_too)
        except BaseException:
            await dialogue.close()
            raise
        return drop

    # -- what it is

    @property
    def closed(self) -> bool:
        """Whether the session is over, by an error, a close or a commit."""
        return self._dialogue.error is not None

    @property
    def pipelining(self) -> bool:
        """Whether commands may leave before the ones ahead were answered (RFC 2449 section 6.6)."""
        return self._dialogue.pipelining

    @property
    def has_top(self) -> bool:
        """Whether headers come by TOP, as far as is known; without it they cost whole messages."""
        return self._top_works or (
            self._top_works is None and (self.capabilities is None or "TOP" in self.capabilities)
        )

    @property
    def has_uidl(self) -> bool:
        """Whether the server has unique ids, as far as is known."""
        return self._uidl_works and (self.capabilities is None or "UIDL" in self.capabilities)

    # -- beginning

    async def _begin(self, *, list_too: bool) -> None:
        dialogue, server = self._dialogue, self._server
        greeting = await dialogue.greeting()
        if not greeting.ok:
            raise refused_greeting(dialogue, greeting)
        self._know(await dialogue.say("CAPA"))
        if server.security == "starttls":
            await self._start_tls()
            self.capabilities, dialogue.pipelining = None, False  # said in the clear: forgotten (RFC 2595 section 4)
            self._know(await dialogue.say("CAPA"))
        if "UTF8" in (self.capabilities or ()):
            await dialogue.say("UTF8")  # RFC 6856: else the server may hide what is not ASCII; its no changes nothing
        stamp = greeting.stamp
        found = ways(server, self.capabilities, stamp)
        for way in found:
            try:
                await log_in(
                    dialogue, server, way, stamp, lambda: self._post_look(capabilities=True, list_too=list_too)
                )
                break
            except LoginRefused:
                if way == found[-1]:
                    raise
        if self._look is None:
            if self.capabilities is not None and not self.pipelining:
                self._know(await dialogue.say("CAPA"))
                self._post_look(capabilities=False, list_too=list_too)
            else:
                self._post_look(capabilities=self.pipelining, list_too=list_too)
        await self._take_look()

    def _post_look(self, *, capabilities: bool, list_too: bool) -> None:
        """Ask for what a session begins with, in one write where the server pipelines."""
        asked = self._dialogue.post(command("CAPA")) if capabilities else None
        self._look = (asked, self._dialogue.post(command("STAT")))
        if list_too:  # a capability may be announced after login only
            self._post_listing(try_uidl=capabilities or self.has_uidl)

    async def _take_look(self) -> None:
        if self._look is None:
            return
        (capabilities, stat), self._look = self._look, None
        if capabilities is not None:
            self._know(await self._dialogue.wait(capabilities))
        answer = await self._dialogue.wait(stat)
        if not answer.ok:
            raise refusal(self._dialogue, answer)
        numbers = parse_stat(answer.text)
        if numbers is None:
            raise self._dialogue.fail(ProtocolError("The server did not say how many messages there are."))
        self.count, self.size = numbers

    def _know(self, capabilities: Answer) -> None:
        """Take what CAPA said; where it is refused, as some do after login, what was said before stands."""
        if capabilities.body is not None:
            self.capabilities = parse_capabilities(capabilities.body)
            self._dialogue.pipelining = "PIPELINING" in self.capabilities

    async def _start_tls(self) -> None:
        """STLS, or the end: there is no way on without it."""
        offered = self.capabilities is None or "STLS" in self.capabilities
        answer = await self._dialogue.say("STLS") if offered else None
        if answer is None or not answer.ok:
            raise TlsFailed(
                f"{self._server.place} does not offer to start TLS. Nothing secret was sent.",
                server_says=self._dialogue.clean(answer.text) if answer else "",
                advice='Set security to "tls", most often with port 995, or ask your provider.',
            )
        await self._dialogue.start_tls()

    # -- the list

    def _post_listing(self, *, try_uidl: bool) -> tuple[Waiter, Waiter | None]:
        uidls = self._dialogue.post(command("UIDL")) if try_uidl else None
        self._listing = (self._dialogue.post(command("LIST")), uidls)
        return self._listing

    async def listing(self) -> Listing:
        """Return every message that LIST and (where there is UIDL) UIDL agree on, by number.

        LIST wins over STAT. Unique ids are as received, blank and doubled ones too. Raises NetError.
        """
        (list_asked, uidls_asked), self._listing = self._listing or self._post_listing(try_uidl=self.has_uidl), None
        uidls = await self._dialogue.wait(uidls_asked) if uidls_asked else None
        sizes = await self._dialogue.wait(list_asked)
        if not sizes.ok:
            raise refusal(self._dialogue, sizes)
        self._uidl_works = uidls is not None and uidls.ok
        named = uidls.body if uidls is not None and uidls.ok else None
        listing = await read_listing(self.count, sizes.body or b"", named)
        self.odd_rows, self.odd_sizes = listing.odd_rows, listing.odd_sizes
        return listing

    async def uidl(self, number: int) -> bytes | None:
        """The unique id of one message, in one turn; None where the server has no such message or no UIDL."""
        answer = await self._dialogue.say("UIDL", number)
        if not answer.ok:
            return None
        parsed = parse_uidl_row(answer.text)
        if parsed is None or parsed[0] != number:
            raise self._dialogue.fail(ProtocolError("The server answered for another message than it was asked for."))
        return parsed[1]

    # -- headers

    async def headers(self, listed: Sequence[Listed]) -> AsyncGenerator[tuple[Listed, bytes | NetError], None]:
        """The header block of each, in the order given, with the empty line that ends it: TOP n 0, asked ahead.

        An error for a message alone (Refused, TooLarge) is handed out in its place; whatever ends the session is raised
        once all that came before it was handed out. Without TOP the headers come by RETR: see `has_top`.
        """
        done = 0
        if self.has_top:
            answers = Bulk(self._dialogue, listed, _ask_header, self._headers_window).answers()
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
        """TOP was refused, and never worked yet: is it the message that is gone, or TOP that is not there?"""
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
        self,
        listed: Sequence[Listed],
        *,
        limit: int = MESSAGE_LIMIT,
        progress: Callable[[int, int], None] | None = None,
    ) -> AsyncGenerator[tuple[Listed, bytes | NetError], None]:
        """The bytes of each, in the order given, as received less the dot-stuffing: RETR, asked ahead by bytes.

        What LIST gives more than `limit` bytes is not asked for and handed out as TooLarge. `progress` is told the
        bytes received so far and those to come in all. Errors as with `headers`.
        """
        wanted = [entry for entry in listed if entry.size <= limit]
        total = sum(entry.size for entry in wanted)
        tell = None if progress is None else lambda received: progress(received, total)

        def ask(entry: Listed) -> tuple[Command, int]:
            return command("RETR", entry.number, limit=limit), max(entry.size, 1024)

        answers = Bulk(self._dialogue, wanted, ask, self._bytes_window, tell).answers()
        async with contextlib.aclosing(answers):
            for entry in listed:
                if entry.size > limit:
                    yield entry, _too_large(entry)
                else:
                    yield entry, self._outcome(await anext(answers))

    async def retrieve_one(
        self, listed: Listed, *, limit: int = MESSAGE_LIMIT, progress: Callable[[int, int], None] | None = None
    ) -> bytes:
        """The bytes of one message, now: running `headers` and `retrieve` ask for nothing more until it is here.

        Raises Refused, TooLarge, or whatever ends the session.
        """
        if listed.size > limit:
            raise _too_large(listed)
        tell = None if progress is None else lambda received: progress(received, listed.size)
        return await self._urgent(command("RETR", listed.number, limit=limit), tell)

    async def top(self, listed: Listed, lines: int) -> bytes:
        """Header and the first `lines` lines of a message, ahead of the queue as `retrieve_one`. Raises as it does."""
        limit = EXCERPT_LIMIT if lines else HEADER_LIMIT
        return await self._urgent(command("TOP", listed.number, lines, limit=limit))

    async def _urgent(self, command: Command, tell: Callable[[int], None] | None = None) -> bytes:
        self._dialogue.hurry(+1)
        try:
            outcome = self._outcome(await self._dialogue.wait(self._dialogue.post(command, tell)))
        finally:
            self._dialogue.hurry(-1)
        if isinstance(outcome, NetError):
            raise outcome
        return outcome

    def _outcome(self, answer: Answer) -> bytes | NetError:
        if not answer.ok:
            return refusal(self._dialogue, answer)
        return TooLarge("The message is larger than termmail takes.") if answer.body is None else answer.body

    # -- deleting, and the end

    async def delete(self, listed: Listed) -> None:
        """Mark it as deleted, to go at `commit`. Several at once leave in one write. Raises Refused on -ERR."""
        await self._expect_ok("DELE", listed.number)

    async def reset(self) -> None:
        """Take back every delete of this session (RSET)."""
        await self._expect_ok("RSET")

    async def noop(self) -> None:
        """Keep the session open."""
        await self._expect_ok("NOOP")

    async def commit(self) -> None:
        """QUIT. Only when this returns were the deletes carried out; if it raises, none of them counts."""
        try:
            await self._expect_ok("QUIT")
        finally:
            await self.close()

    async def close(self) -> None:
        """Drop the session without QUIT: the server forgets its deletes. Never raises."""
        await self._dialogue.close()

    async def _expect_ok(self, verb: str, *arguments: int) -> None:
        answer = await self._dialogue.say(verb, *arguments)
        if not answer.ok:
            raise refusal(self._dialogue, answer)


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
    return TooLarge(f"The message has {listed.size / 1e6:.0f} MB: more than termmail takes.")
