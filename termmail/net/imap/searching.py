"""Search the open folder (RFC 3501 section 6.4.4, RFC 4731)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.net.imap.command_writer import command
from termmail.net.imap.untagged import Search
from termmail.net.net_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.net.imap.features import Features
    from termmail.net.imap.imap_dialogue import ImapDialogue
    from termmail.net.imap.uid_set import UidSet
    from termmail.net.imap.untagged import Untagged
    from termmail.net.imap.waiter import Waiter


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
        """Return the unique ids that match. Raises Refused or NetError."""
        if self._extended:
            return await self._search(b"RETURN", b"(ALL)", *criteria)
        async with self._alone:
            return await self._search(*criteria)

    async def _search(self, *words: bytes) -> UidSet:
        self._check()
        found: list[UidSet] = []
        waiter: Waiter

        def take(response: Untagged) -> bool:
            if not isinstance(response, Search) or (response.extended and response.tag != waiter.tag):
                return False
            found.append(response.uids)
            return True

        waiter = self._dialogue.post(command("UID SEARCH", *words), take)
        self._dialogue.checked(waiter.command, await self._dialogue.wait(waiter))
        if not found:  # an answer that was left out must not look like an empty folder
            raise Refused("The server did not say what it found.")
        return found[-1]
