"""sync: maildrop <-> store, one account at a time.

The laws it keeps: a message is in the store, synced to disk, before DELE is sent for it; DELE goes only to a message
whose UIDL and header fingerprint were checked in that same session; a delete counts only after QUIT was answered; a
message that could not be fetched is passed over and tried again, and never stops the ones behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.accounts.credentials import PasswordError
from termmail.engine.account_setup import login_advice
from termmail.engine.clock import now
from termmail.engine.events import FolderChanged, MessageChanged, SyncProgress
from termmail.engine.sync import mismatch
from termmail.engine.sync.body_sync import download
from termmail.engine.sync.delete_sync import commit_deletes
from termmail.engine.sync.header_sync import Arrivals
from termmail.engine.views import Status, SyncResult
from termmail.mail import parse
from termmail.net.net_errors import Busy, LoginRefused, NetError, Offline, Refused, TooLarge
from termmail.store import delete_queue, messages, pop3_identity
from termmail.store.account_lock import AccountLock, Locked
from termmail.store.rows import Known, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from termmail.engine.engine import Engine
    from termmail.net.pop3.maildrop import Listed, Maildrop
    from termmail.store.rows import Plan

log = logging.getLogger("termmail")

IDLE = 60.0
"""Seconds after which an unused session is given back, for POP3 locks the maildrop (RFC 1939 section 4)."""

NOOP_EVERY = 25.0
"""Seconds between NOOPs while a session waits for the reader."""

SHARES_MAILDROP = "Another termmail is using this account right now."


class Receiver:
    """Talks POP3 for one account: syncs, fetches the message that is opened, gives the session back."""

    def __init__(self, engine: Engine, account: str) -> None:
        self.engine = engine
        self.account = account
        self.status = Status()
        self.drop: Maildrop | None = None
        self.listing: dict[bytes, Listed] = {}
        self.in_use = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._syncing: asyncio.Task[SyncResult] | None = None
        self._giving_back: asyncio.Task[object] | None = None
        self._wake = asyncio.Event()
        self._login_refused = False
        self._told_no_top = False

    # -- by the clock

    async def run(self) -> None:
        """Look for mail every `poll_minutes`, and commit deletes when they fall due, until cancelled."""
        self.status = await self._remembered()
        next_poll = asyncio.get_running_loop().time()
        while True:
            self._wake.clear()  # before anything is looked at: what is asked for from here on is not missed
            minutes = self.engine.account(self.account).pop3.poll_minutes
            clock = asyncio.get_running_loop().time()
            due_at = await self.engine.db(delete_queue.next_due, self.account)
            if self._login_refused:
                minutes, due_at = 0, None  # trying on would lock the account; F5 tries again
            if (minutes and clock >= next_poll) or (due_at is not None and due_at <= now()):
                await self.engine.sync_quietly(self.account)
                clock = asyncio.get_running_loop().time()
                next_poll = clock + minutes * 60
            waits = [next_poll - clock] if minutes else []
            if due_at is not None:
                waits.append(max(due_at - now(), 60 if due_at <= now() else 1))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(min(waits), 1) if waits else None)

    def look_again(self) -> None:
        """A delete was asked for: the clock is set anew."""
        self._wake.set()

    async def _remembered(self) -> Status:
        state = await self.engine.db(pop3_identity.account_state, self.account)
        return Status(last_sync=state.last_sync or None)

    # -- sync

    async def sync(self, *, full: bool = False) -> SyncResult:
        """Receive what is new and commit what is due. A second call while one runs joins it.

        Raises NetError, PasswordError or StoreError.
        """
        if self._login_refused:
            # Somebody asks again: the password is fetched, or asked for, once more.
            self.engine.passwords.forget(self.account, "pop3", self.engine.account(self.account))
        if self._syncing is None:
            self._syncing = asyncio.ensure_future(self._sync(full=full))
            self._syncing.add_done_callback(self._synced)
        return await asyncio.shield(self._syncing)

    def _synced(self, task: asyncio.Task[SyncResult]) -> None:
        self._syncing = None
        if not task.cancelled():
            task.exception()  # told to whoever awaits; without this line asyncio complains when nobody is left

    async def _sync(self, *, full: bool) -> SyncResult:
        last, online, words, well = self.status.last_sync, self.status.online, "", False
        self.status = Status(last_sync=last, online=online, syncing=True)
        self.engine.tell(SyncProgress(self.account, "connecting", 0, 0))
        try:
            with AccountLock(self.engine.paths.data, self.account, "sync"):
                result = await self._session(full=full)
            words, online, last, well = result.words, True, now(), True
            if self._login_refused:
                self._login_refused = False
                self.look_again()  # the clock stood still meanwhile
        except Locked:
            words = SHARES_MAILDROP
            raise Busy(SHARES_MAILDROP, advice="Nothing is lost; try again in a moment.") from None
        except NetError as error:
            words, online = str(error), not isinstance(error, Offline)
            if isinstance(error, LoginRefused):
                self._login_refused = True
                self.engine.passwords.forget(self.account, "pop3", self.engine.account(self.account))
            raise
        except PasswordError as error:
            words, self._login_refused = str(error), True
            raise
        finally:
            self.status = Status(last_sync=last, online=online, words=words)
            self.engine.tell(SyncProgress(self.account, "done", 0, 0, running=False, words=words, well=well))
        return result

    async def _session(self, *, full: bool) -> SyncResult:
        """One sync from login to QUIT."""
        await self.give_back()
        settings = self.engine.account(self.account).pop3
        state = await self.engine.db(pop3_identity.account_state, self.account)
        await self.engine.db(pop3_identity.expire, self.account, settings.delete, now())
        due_at = await self.engine.db(delete_queue.next_due, self.account)
        look = full or not state.last_uidl or (due_at is not None and due_at <= now())
        drop = await self._open(list_too=look)
        try:
            if not look and await self._nothing_new(drop, state):
                await self._quit(drop)
                await self.engine.db(pop3_identity.set_account_state, self.account, replace(state, last_sync=now()))
                return SyncResult(0, 0, "No new messages")
            new, rebound, complete = await self._receive(drop)
            said = self._say_no_top(drop) if new else ""
            if settings.download == "all":
                await download(self, drop)
            deleted = await commit_deletes(self, drop)
            await self.give_back()
        except BaseException:
            await self._drop_now()
            raise
        last_uidl = None
        if complete and not deleted and self.listing:
            last_uidl = max(self.listing.values(), key=lambda listed: listed.number).uidl
        left = State(drop.count, drop.size, last_uidl, now())
        await self.engine.db(pop3_identity.set_account_state, self.account, left)
        return SyncResult(new, deleted, _sum_up(new, deleted, rebound) + said)

    def _say_no_top(self, drop: Maildrop) -> str:
        """Said once: why a list of so few headers took so long."""
        if self._told_no_top or drop.has_top:
            return ""
        self._told_no_top = True
        return "; this server sends whole messages where headers would do (it has no TOP)"

    async def _nothing_new(self, drop: Maildrop, state: State) -> bool:
        """STAT as it was, and the last message still the same one: then nothing else is asked."""
        if (drop.count, drop.size) != (state.stat_count, state.stat_size):
            return False
        return await drop.uidl(drop.count) == state.last_uidl

    async def _receive(self, drop: Maildrop) -> tuple[int, int, bool]:
        """Bring everything new into the store, newest first: how many are new, how many have a new name, and whether
        nothing was left out."""
        listed, plan = await self._compare(drop)
        wanted = [listed[place] for place in (*plan.new, *plan.unnamed)]
        wanted.sort(key=lambda entry: entry.number, reverse=True)
        arrivals = Arrivals(self, listed, wanted)
        await arrivals.take(drop)
        missing = await self.engine.db(pop3_identity.settle, self.account) if not arrivals.left_out else 0
        if plan.again or plan.missing or missing:
            self.engine.tell(FolderChanged(self.account, "Inbox"))
        return arrivals.new, arrivals.rebound, arrivals.left_out == 0 and not plan.unnamed

    async def _compare(self, drop: Maildrop) -> tuple[Sequence[Listed], Plan]:
        """The whole list of the maildrop, and what it means beside what is known."""
        listed = await self.list_again(drop)
        rows = [(entry.number, entry.size, entry.uidl) for entry in listed]
        return listed, await self.engine.db(pop3_identity.reconcile, self.account, rows)

    async def skip(self, listed: Listed, error: NetError) -> None:
        """Note a message that cannot be fetched, so that it is shown as such and not tried for ever (SAFETY P4)."""
        log.warning("message %d of %s was passed over: %s", listed.number, self.account, error)
        if isinstance(error, TooLarge):
            await self.engine.db(
                pop3_identity.skip, self.account, listed.uidl, listed.number, listed.size, None, str(error)
            )

    async def keep(self, known: Known, raw: bytes) -> bool:
        """Store the whole bytes of a message the store knows; False where they are not that message's."""
        if known.message is None or not is_same(raw, known):
            return False
        message = await asyncio.to_thread(parse.parse, raw)
        await self.engine.db(messages.add_raw, known.message, raw, message)
        self.engine.tell(MessageChanged((known.message,)))
        return True

    # -- the message that is opened

    async def fetch(self, id: int, progress: Callable[[int, int], None] | None = None) -> bytes:  # noqa: A002
        """RETR one message now, ahead of whatever else runs, and keep it. Raises NetError or PasswordError."""
        known = await self.engine.db(pop3_identity.by_message, id)
        if known is None or known.state in {"gone", "absent"}:
            raise Refused(
                "This message is no longer on the server, and its text was never downloaded.",
                advice="Only its header is left.",
            )
        async with self.in_use:
            drop = await self._open(list_too=False)
            try:
                return await self._fetch(drop, known, progress)
            finally:
                self._keep_a_while()

    async def _fetch(self, drop: Maildrop, known: Known, progress: Callable[[int, int], None] | None) -> bytes:
        listed = (await self.locate(drop, [known], certain=False)).get(known.remote_id)
        if listed is None:
            raise Refused("The server no longer has this message.", advice="Only its header is left.")
        raw = await drop.retrieve_one(listed, progress=progress)
        if not await self.keep(known, raw):
            found = await mismatch.settle(self, drop, listed, known, raw)
            raise Refused(
                "The server sent another message than the one it announced.",
                advice="That message is in the list now, under its own name."
                if found
                else "Check for mail again: the server may have renumbered its messages.",
            )
        return raw

    async def locate(self, drop: Maildrop, wanted: Sequence[Known], *, certain: bool = True) -> dict[int, Listed]:
        """Remote id -> where in this session the message is: by its UIDL, else by its header (`find_by_header`). What
        is not there has no entry."""
        from termmail.net.pop3.maildrop import Listed  # noqa: PLC0415 - TLS and POP3 load when a server is asked

        if not self.listing and len(wanted) == 1:  # a message is opened: where it was, it mostly still is
            (known,) = wanted
            if known.uidl and 0 < known.number <= drop.count and await drop.uidl(known.number) == known.uidl:
                return {known.remote_id: Listed(known.number, known.size, known.uidl)}
        if all(known.uidl in self.listing for known in wanted):
            return {known.remote_id: self.listing[known.uidl] for known in wanted}
        listed = await self.list_again(drop)
        found = {known.remote_id: self.listing[known.uidl] for known in wanted if known.uidl in self.listing}
        unnamed = [entry for entry in listed if entry.uidl not in self.listing]
        lost = [known for known in wanted if known.remote_id not in found]
        return found | await find_by_header(drop, unnamed, lost, certain=certain)

    async def list_again(self, drop: Maildrop) -> Sequence[Listed]:
        """The whole list of this session, its named entries kept for `locate`."""
        listed = await drop.listing()
        self.listing = by_uidl(listed)
        return listed

    # -- the session

    async def _open(self, *, list_too: bool) -> Maildrop:
        from termmail.net.pop3.maildrop import Maildrop  # noqa: PLC0415 - TLS and POP3 load when a server is asked

        async with self._opening:
            if self.drop is not None and not self.drop.closed:
                return self.drop
            self.listing = {}
            server = await self.engine.server(self.account, "pop3")
            try:
                self.drop = await Maildrop.open(server, list_too=list_too)
            except LoginRefused as error:
                settings = self.engine.account(self.account)
                typed = self.engine.passwords.typed("pop3", settings)
                error.advice = login_advice(error, settings, "pop3", self.account, typed=typed)
                raise
            return self.drop

    async def reopen(self) -> Maildrop:
        """A new session after QUIT, for what one session could not do."""
        return await self._open(list_too=True)

    async def _quit(self, drop: Maildrop) -> None:
        """End a session in which nothing was deleted; that the server does not answer changes nothing."""
        async with self.in_use:
            if self.drop is drop:  # else this one was lost, and another opened, while we waited
                self.drop = None
            try:
                await drop.commit()
            except NetError as error:
                log.info("QUIT was not answered: %s", error)

    async def _drop_now(self) -> None:
        drop, self.drop = self.drop, None
        if drop is not None:
            await drop.close()

    def _keep_a_while(self) -> None:
        """Hold the session for the next message the reader opens, and give it back after a minute."""
        if self._giving_back is not None:
            self._giving_back.cancel()
        self._giving_back = self.engine.run(self._idle())

    async def _idle(self) -> None:
        waited = 0.0
        while waited < IDLE:
            await asyncio.sleep(NOOP_EVERY)
            waited += NOOP_EVERY
            if self._syncing is not None or self.drop is None:
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
            await self._quit(self.drop)

    async def leave(self, patience: float, *, commit: bool) -> None:
        """The user goes: commit what `d` asked for, now, waiting at most `patience` seconds."""
        if self._syncing is not None:
            self._syncing.cancel()
            await asyncio.gather(self._syncing, return_exceptions=True)
        try:
            async with asyncio.timeout(patience):
                due = 0
                if commit and not self.engine.read_only:
                    due = await self.engine.db(delete_queue.make_due, self.account, now())
                if due:
                    await self._sync_deletes_only()
                else:
                    await self.give_back()
        except (TimeoutError, NetError, PasswordError) as error:
            log.info("left before the server was done: %s", error)
        finally:
            await self._drop_now()

    async def _sync_deletes_only(self) -> None:
        with contextlib.suppress(Locked), AccountLock(self.engine.paths.data, self.account, "sync"):
            await self.give_back()
            drop = await self._open(list_too=True)
            await self._compare(drop)
            await commit_deletes(self, drop)


def is_same(raw: bytes, known: Known) -> bool:
    """Whether these bytes have the header block that was stored for this message; one whose header was not to be had
    (it was skipped with nothing stored) is what its UIDL says."""
    blank = known.state == "skipped" and bool(known.uidl) and known.fingerprint == parse.fingerprint(b"")
    return blank or parse.fingerprint(parse.split_header(raw)) == known.fingerprint


def by_uidl(listed: Sequence[Listed]) -> dict[bytes, Listed]:
    """The entries that a UIDL names: those with a blank or a doubled one are told apart by their headers."""
    names = Counter(entry.uidl for entry in listed)
    return {entry.uidl: entry for entry in listed if entry.uidl and names[entry.uidl] == 1}


async def find_by_header(
    drop: Maildrop, candidates: Sequence[Listed], wanted: Sequence[Known], *, certain: bool
) -> dict[int, Listed]:
    """Remote id -> the candidate with that header block and size, the one at its last number first. Where more are
    alike than are wanted nobody can say which one is meant: to read, any of them will do; when it has to be `certain`,
    none of them."""
    if not wanted:
        return {}
    alike: dict[tuple[bytes, int], list[Listed]] = {(known.fingerprint, known.size): [] for known in wanted}
    async for listed, answer in drop.headers(candidates):
        if isinstance(answer, bytes) and (same := alike.get((parse.fingerprint(answer), listed.size))) is not None:
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


def _sum_up(new: int, deleted: int, rebound: int) -> str:
    words = "No new messages" if not new else "1 new message" if new == 1 else f"{new} new messages"
    if deleted:
        words += f", {deleted} deleted from the server"
    if rebound:
        words += f"; the server renamed {rebound} that are here already"
    return words
