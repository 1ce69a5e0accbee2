r"""Change messages of the open folder: flags, copy, move, expunge (RFC 3501 section 6.4, RFC 4315, RFC 6851).

Flags are only added and removed, never replaced: what another client did meanwhile stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.net.imap.command_writer import astring, command, parenthesized
from termmail.net.imap.response_parser import read_copy_uid
from termmail.net.imap.uid_set import UidSet
from termmail.net.imap.untagged import CopyUid, Status
from termmail.net.net_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from termmail.net.imap.command_writer import Argument, Command
    from termmail.net.imap.features import Features
    from termmail.net.imap.folder_state import FolderState
    from termmail.net.imap.imap_dialogue import ImapDialogue
    from termmail.net.imap.uid_search import Searcher
    from termmail.net.imap.untagged import Untagged
    from termmail.net.imap.waiter import Take


class Copied(Struct, frozen=True):
    """Where messages are now: unique ids by those in the folder they came from, under `uidvalidity` of the target.

    Both are empty where the server does not tell (UIDPLUS, RFC 4315): `uidvalidity` is then None.
    """

    uidvalidity: int | None
    pairs: dict[int, int]


class FolderWriter:
    """Sends what changes messages. A set that is too long for a line goes in several commands, all in one write.

    `check` raises if the folder is no longer open; it is called before every write.
    """

    def __init__(
        self, dialogue: ImapDialogue, features: Features, searcher: Searcher, check: Callable[[], None]
    ) -> None:
        self._dialogue = dialogue
        self._check = check
        self._features = features
        self._searcher = searcher

    async def store(
        self, state: FolderState, uids: UidSet, add: frozenset[str], remove: frozenset[str]
    ) -> frozenset[str]:
        """Send +FLAGS.SILENT and -FLAGS.SILENT; return the flags that were sent. Raises Refused or NetError."""
        if state.read_only:
            raise Refused("The folder can only be read.")
        changes = [(b"+FLAGS.SILENT", state.storable(add)), (b"-FLAGS.SILENT", state.storable(remove))]
        await self._require_all(
            command("UID STORE", part.encode(), item, parenthesized(*(_wire(flag) for flag in sorted(flags))))
            for item, flags in changes
            if flags
            for part in self._parts(uids)
        )
        return frozenset().union(*(flags for _, flags in changes))

    async def copy(self, uids: UidSet, target: bytes) -> Copied:
        """Send UID COPY. Raises Refused or NetError."""
        return await self._transfer("UID COPY", uids, target)

    async def move(self, state: FolderState, uids: UidSet, target: bytes) -> Copied:
        r"""Send UID MOVE, or UID COPY and then, of what was copied, \Deleted and UID EXPUNGE. Raises Refused or NetError."""
        if self._features.offers("MOVE"):
            return await self._transfer("UID MOVE", uids, target)
        if not self._features.offers("UIDPLUS"):
            await self._check_deleted(UidSet())
        copied = await self.copy(uids, target)
        there = UidSet.of(copied.pairs) if self._features.offers("UIDPLUS") and copied.uidvalidity else uids
        await self.store(state, there, frozenset({r"\Deleted"}), frozenset())
        await self.expunge(there)
        return copied

    async def expunge(self, uids: UidSet) -> None:
        r"""Send UID EXPUNGE. Without UIDPLUS send EXPUNGE if exactly these messages are \Deleted. Raises Refused or NetError."""
        if self._features.offers("UIDPLUS"):
            await self._require_all(command("UID EXPUNGE", part.encode()) for part in self._parts(uids))
        elif uids:
            await self._check_deleted(uids)
            await self._require_all([command("EXPUNGE")])

    async def _check_deleted(self, expected: UidSet) -> None:
        if await self._searcher.search(b"DELETED") != expected:
            raise Refused(
                "Other messages of the folder are marked as deleted, and this server removes all at once.",
                advice="Expunge or restore them with the program that marked them.",
            )

    async def _transfer(self, verb: str, uids: UidSet, target: bytes) -> Copied:
        found: list[CopyUid] = []

        def take(response: Untagged) -> bool:
            if isinstance(response, Status) and (told := read_copy_uid(response)):
                found.append(told)  # MOVE tells before the messages leave (RFC 6851 section 4.3)
                return True
            return False

        name = astring(target)
        commands = [command(verb, part.encode(), name) for part in self._parts(uids, name)]
        for status in await self._require_all(commands, take):
            take(status)
        pairs: dict[int, int] = {}
        for told in found:
            pairs.update(_pairs(told, uids))
        return Copied(found[-1].uidvalidity if found else None, pairs)

    def _parts(self, uids: UidSet, words: Argument = b"") -> list[UidSet]:
        """Return the sets for commands that also hold `words`."""
        octets = self._features.set_octets - (len(words) if isinstance(words, bytes) else 0)
        return uids.split(max(octets, 100), self._features.message_limit)

    async def _require_all(self, commands: Iterable[Command], take: Take | None = None) -> list[Status]:
        """Send all commands in one write; return their OKs in order. Raises the first refusal, after all were answered."""
        self._check()
        waiters = [self._dialogue.post(one, take) for one in commands]
        statuses = [(waiter.command, await self._dialogue.wait(waiter)) for waiter in waiters]
        return [self._dialogue.checked(asked, status) for asked, status in statuses]


def _wire(flag: str) -> bytes:
    return flag.encode("utf-8", "surrogateescape")


def _pairs(told: CopyUid, asked: UidSet) -> dict[int, int]:
    """Return target by source, if both sets are equally long and only messages that were asked for are named."""
    counts = [sum(last - first + 1 for first, last in ranges) for ranges in (told.source, told.target)]
    if counts[0] != counts[1] or counts[0] > len(asked):
        return {}
    source, target = (
        [uid for first, last in ranges for uid in range(first, last + 1)] for ranges in (told.source, told.target)
    )
    pairs = dict(zip(source, target, strict=True))
    return pairs if all(uid in asked for uid in source) else {}
