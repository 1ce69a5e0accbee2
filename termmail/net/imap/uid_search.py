"""Search the open folder (RFC 3501 section 6.4.4, RFC 4731)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.net.imap.command_writer import command
from termmail.net.imap.response_parser import rest_of
from termmail.net.imap.uid_set import UidSet
from termmail.net.imap.untagged import Search
from termmail.net.net_errors import ProtocolError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.net.imap.features import Features
    from termmail.net.imap.imap_dialogue import ImapDialogue
    from termmail.net.imap.untagged import Untagged
    from termmail.net.imap.waiter import Waiter


LIMITED_ROUNDS = 1000
"""How often a command is sent again that the server limits to some messages."""


class Searcher:
    """Sends UID SEARCH: with RETURN the answer names its command; without it only one may be outstanding.

    `check` raises if the folder is no longer open.
    """

    def __init__(self, dialogue: ImapDialogue, features: Features, check: Callable[[], None]) -> None:
        self._dialogue = dialogue
        self._check = check
        self._extended = features.offers("ESEARCH")
        self._alone = asyncio.Lock()

    async def search(self, *criteria: bytes) -> UidSet:
        """Return the unique ids that match. Raises Refused or NetError.

        A server that limits the messages of a command searches the newest (RFC 9738): it is asked again for the rest.
        """
        found, rest = await self._search_once(*criteria)
        for _ in range(LIMITED_ROUNDS):
            if rest is None:
                return found
            older, rest = await self._search_once(*criteria, b"UID", b"1:%d" % rest)
            found = UidSet((*found.ranges, *older.ranges))
        raise ProtocolError("The server gives its messages in too small parts.")

    async def _search_once(self, *criteria: bytes) -> tuple[UidSet, int | None]:
        if self._extended:
            return await self._search(b"RETURN", b"(ALL)", *criteria)
        async with self._alone:
            return await self._search(*criteria)

    async def _search(self, *words: bytes) -> tuple[UidSet, int | None]:
        self._check()
        found: list[UidSet] = []
        waiter: Waiter

        def take(response: Untagged) -> bool:
            if not isinstance(response, Search) or (response.extended and response.tag != waiter.tag):
                return False
            found.append(response.uids)
            return True

        waiter = self._dialogue.post(command("UID SEARCH", *words), take)
        status = self._dialogue.checked(waiter.command, await self._dialogue.wait(waiter))
        if not found:  # an answer that was left out must not look like an empty folder
            raise Refused("The server did not say what it found.")
        return found[-1], rest_of(status)
