"""The POP3 session of an account: open it, find messages in it, keep it a while, give it back."""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from termmail.engine.events import MessageChanged
from termmail.engine.sync.account_sync import explain_login
from termmail.mail import parse
from termmail.mail.model import RemoteState
from termmail.net.net_errors import LoginRefused, NetError, TooLarge
from termmail.store import derived, messages, pop3_identity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from termmail.engine.context import Context
    from termmail.net.pop3.maildrop import Listed, Maildrop
    from termmail.store.rows import Known

log = logging.getLogger("termmail")

IDLE = 60.0
"""Seconds after which an unused session is given back, for POP3 locks the maildrop (RFC 1939 section 4)."""

NOOP_EVERY = 25.0
"""Seconds between NOOPs while a session waits for the reader."""

SLICE = 2000
"""Entries of a listing handled between two turns of the event loop, and in one call of the store."""

SMALL_HEADER = 64 << 10
"""Bytes of a header block that is hashed on the event loop; a larger one goes to a worker thread."""


class Chosen(Sequence["Listed"]):
    """Entries of a listing at these places, in this order, each read from the listing when it is asked for."""

    def __init__(self, entries: Sequence[Listed], places: Iterable[int]) -> None:
        self._entries = entries
        self._places = array("L", places)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Listed: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Listed]: ...

    def __getitem__(self, index: int | slice) -> Listed | Sequence[Listed]:
        if isinstance(index, slice):
            return Chosen(self._entries, self._places[index])
        return self._entries[self._places[index]]


class Uidls:
    """The UIDLs of one listing: which entry each names, and which are given to several entries.

    `uidl in uidls` tells whether the listing has the UIDL at all. Create it with `await Uidls.read(listing)`.
    """

    def __init__(self) -> None:
        self.entries: Sequence[Listed] = ()
        self.repeated: set[bytes] = set()
        self._places: dict[bytes, int] = {}

    @classmethod
    async def read(cls, entries: Sequence[Listed]) -> Uidls:
        """Read a listing in slices, between which the event loop runs."""
        uidls = cls()
        uidls.entries = entries
        for start in range(0, len(entries), SLICE):
            for place, entry in enumerate(entries[start : start + SLICE], start):
                if uidls._places.setdefault(entry.uidl, place) != place:
                    uidls.repeated.add(entry.uidl)
            await asyncio.sleep(0)
        return uidls

    def __contains__(self, uidl: object) -> bool:
        return uidl in self._places

    def __bool__(self) -> bool:
        return bool(self._places)

    def names(self, uidl: bytes) -> bool:
        """Return whether the UIDL names one entry: it is not blank, and listed exactly once."""
        return bool(uidl) and uidl in self._places and uidl not in self.repeated

    def get(self, uidl: bytes) -> Listed | None:
        """Return the entry that the UIDL names, or None where it is blank, repeated or not listed."""
        return self.entries[self._places[uidl]] if self.names(uidl) else None

    def unnamed(self) -> list[Listed]:
        """Return the entries that no UIDL names: they are told apart by their headers.

        Call it in a worker thread: it may read the whole listing.
        """
        blank = b"" in self._places
        if not self.repeated and not blank:
            return []
        return [entry for entry in self.entries if not self.names(entry.uidl)]


class Pop3Session:
    """The session of one account, opened when it is needed.

    `in_use` is held while commands are sent that must not be interrupted by the end of the session. `busy` is True
    while a sync runs: then an idle session is not given back.
    """

    def __init__(self, context: Context, account: str) -> None:
        self.context = context
        self.account = account
        self.drop: Maildrop | None = None
        self.uidls = Uidls()
        self.in_use = asyncio.Lock()
        self.busy = False
        self._opening = asyncio.Lock()
        self._giving_back: asyncio.Task[None] | None = None

    # -- open and close

    async def open(self, *, list_too: bool) -> Maildrop:
        """Return the open session, or a new one after login. Raises NetError or PasswordError."""
        from termmail.net.pop3.maildrop import Maildrop  # noqa: PLC0415 - TLS and POP3 load when a server is asked

        async with self._opening:
            if self.drop is not None and not self.drop.closed:
                return self.drop
            self.uidls = Uidls()
            server = await self.context.server(self.account, "pop3")
            try:
                self.drop = await Maildrop.open(server, list_too=list_too)
            except LoginRefused as error:
                explain_login(self.context, self.account, error)
                raise
            return self.drop

    async def quit(self, drop: Maildrop) -> None:
        """End a session in which nothing was deleted; a server that does not answer changes nothing."""
        async with self.in_use:
            if self.drop is drop:  # else this one was lost, and another opened, while we waited
                self.drop = None
            try:
                await drop.commit()
            except NetError as error:
                log.info("QUIT was not answered: %s", error)

    async def close(self) -> None:
        """Drop the connection without QUIT."""
        drop, self.drop = self.drop, None
        if drop is not None:
            await drop.close()

    def keep_a_while(self) -> None:
        """Hold the session for the next message that is opened, and give it back after a minute."""
        if self._giving_back is not None:
            self._giving_back.cancel()
        self._giving_back = self.context.tasks.run(self._idle())

    async def _idle(self) -> None:
        waited = 0.0
        while waited < IDLE:
            await asyncio.sleep(NOOP_EVERY)
            waited += NOOP_EVERY
            if self.busy or self.drop is None:
                return
            async with self.in_use:
                try:
                    await self.drop.noop()
                except NetError:
                    self.drop = None
                    return
        await self.give_back()

    async def give_back(self) -> None:
        """End an idle session with QUIT."""
        if self._giving_back is not None and self._giving_back is not asyncio.current_task():
            self._giving_back.cancel()
        self._giving_back = None
        if self.drop is not None:
            await self.quit(self.drop)

    # -- find messages

    async def list_again(self, drop: Maildrop) -> Uidls:
        """Ask for the whole list of this session and keep its UIDLs for `locate`."""
        self.uidls = await Uidls.read(await drop.listing())
        return self.uidls

    async def locate(self, drop: Maildrop, wanted: Sequence[Known], *, certain: bool = True) -> dict[int, Listed]:
        """Return where messages are in this session, by remote id: by UIDL, else by header (`find_by_header`).

        A message that is not there has no entry.
        """
        from termmail.net.pop3.maildrop import Listed  # noqa: PLC0415 - TLS and POP3 load when a server is asked

        if not self.uidls and len(wanted) == 1:  # a message is opened: mostly it still has the number it had
            (known,) = wanted
            if known.uidl and 0 < known.number <= drop.count and await drop.uidl(known.number) == known.uidl:
                return {known.remote_id: Listed(known.number, known.size, known.uidl)}
        found = self._named(wanted)
        if len(found) == len(wanted):
            return found
        await self.list_again(drop)
        found = self._named(wanted)
        lost = [known for known in wanted if known.remote_id not in found]
        if not lost:
            return found
        unnamed = await asyncio.to_thread(self.uidls.unnamed)
        return found | await find_by_header(drop, unnamed, lost, certain=certain)

    def _named(self, wanted: Sequence[Known]) -> dict[int, Listed]:
        return {known.remote_id: listed for known in wanted if (listed := self.uidls.get(known.uidl)) is not None}

    # -- store what was fetched

    async def keep(self, known: Known, raw: bytes) -> bool:
        """Store the whole bytes of a known message. Return False where they are another message's."""
        if known.message is None or not await is_same(raw, known):
            return False
        found = await asyncio.to_thread(derived.from_raw, raw, complete=True)
        await self.context.db(messages.add_raw, known.message, raw, found)
        self.context.tell(MessageChanged((known.message,)))
        return True

    async def skip(self, listed: Listed, error: NetError) -> None:
        """Log that a message cannot be fetched; where it is too large, store that, so that it is not tried again."""
        log.warning("message %d of %s was passed over: %s", listed.number, self.account, error)
        if isinstance(error, TooLarge):
            await self.context.db(
                pop3_identity.skip, self.account, listed.uidl, listed.number, listed.size, None, str(error)
            )


async def fingerprint_of(header: bytes) -> bytes:
    """Return the fingerprint of a header block, hashing a large one in a worker thread."""
    return (
        parse.fingerprint(header) if len(header) <= SMALL_HEADER else await asyncio.to_thread(parse.fingerprint, header)
    )


async def fingerprint_of_whole(raw: bytes) -> bytes:
    """Return the fingerprint of the header block of a whole message."""
    if len(raw) <= SMALL_HEADER:
        return parse.fingerprint(parse.split_header(raw))
    return await asyncio.to_thread(lambda: parse.fingerprint(parse.split_header(raw)))


async def is_same(raw: bytes, known: Known) -> bool:
    """Return whether these bytes have the header block that was stored for the message.

    A message that was skipped before its header was read is identified by its UIDL alone.
    """
    if known.state is RemoteState.SKIPPED and known.uidl and known.fingerprint == parse.fingerprint(b""):
        return True
    return await fingerprint_of_whole(raw) == known.fingerprint


async def find_by_header(
    drop: Maildrop, candidates: Sequence[Listed], wanted: Collection[Known], *, certain: bool
) -> dict[int, Listed]:
    """Return, by remote id, the candidate with the header block and size of each wanted message.

    The one at its last number is preferred. Where more candidates are alike than are wanted, nobody can say which one
    is meant: for reading any of them will do; when it has to be `certain`, none is returned.
    """
    if not wanted:
        return {}
    alike: dict[tuple[bytes, int], list[Listed]] = {(known.fingerprint, known.size): [] for known in wanted}
    async for listed, answer in drop.headers(candidates):
        if isinstance(answer, bytes):
            same = alike.get((await fingerprint_of(answer), listed.size))
            if same is not None:
                same.append(listed)
    meant = Counter((known.fingerprint, known.size) for known in wanted)
    unsure = {who for who, same in alike.items() if certain and len(same) > meant[who]}
    found: dict[int, Listed] = {}
    for known in wanted:
        who = (known.fingerprint, known.size)
        if (same := alike[who]) and who not in unsure:
            found[known.remote_id] = next((listed for listed in same if listed.number == known.number), same[0])
            same.remove(found[known.remote_id])
    return found
