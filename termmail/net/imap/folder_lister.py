"""The folders of an account, with their counts (RFC 3501 section 6.3.8, RFC 5819, RFC 6154)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.net.imap.command_writer import astring, command, parenthesized
from termmail.net.imap.folder_names import decode_name
from termmail.net.imap.untagged import FolderStatus, ListRow
from termmail.net.net_errors import NetError, ProtocolError, Refused

if TYPE_CHECKING:
    from termmail.net.imap.features import Features
    from termmail.net.imap.imap_dialogue import ImapDialogue
    from termmail.net.imap.untagged import Untagged
    from termmail.net.imap.waiter import Waiter

FOLDERS = 100_000
"""Rows of LIST; beyond it the session ends."""
_AT_ONCE = 100
"""Commands STATUS in flight."""


class FolderInfo(Struct, frozen=True):
    r"""One folder. `name` is as on the wire, `title` the same for people, not cleaned.

    `attributes` are in lower case; \noselect folders cannot be opened. `status` is None where it was not told.
    """

    name: bytes
    title: str
    delimiter: str
    attributes: frozenset[str]
    status: FolderStatus | None

    @property
    def selectable(self) -> bool:
        """Whether the folder can be opened."""
        return not self.attributes & {r"\noselect", r"\nonexistent"}


class FolderLister:
    """Asks for folders. `open_name` is the open folder, which STATUS must not name (RFC 3501 section 6.3.10)."""

    def __init__(self, dialogue: ImapDialogue, features: Features, open_name: bytes | None) -> None:
        self._dialogue = dialogue
        self._features = features
        self._open_name = None if open_name is None else _key(open_name)
        self._rows: dict[bytes, ListRow] = {}
        self._statuses: dict[bytes, FolderStatus] = {}
        self._responses = 0

    async def all(self) -> list[FolderInfo]:
        """Return all folders, in the order of the server. Raises NetError."""
        options = []
        if self._features.offers("LIST-STATUS"):
            returns = [b"SPECIAL-USE"] if self._features.offers("SPECIAL-USE") else []
            options = [b"RETURN", parenthesized(*returns, b"STATUS " + self._items())]
        await self._dialogue.require(command("LIST", b'""', b'"*"', *options), self._take)
        if not options:
            await self._ask_each()
        found = []
        for row in self._rows.values():
            found.append(self._info(row))
            if len(found) % 500 == 0:
                await asyncio.sleep(0)  # a hundred thousand folders must not occupy the event loop
        return found

    async def status(self, name: bytes) -> FolderStatus:
        """Return the status of one folder. Raises NetError."""
        await self._dialogue.require(command("STATUS", astring(name), self._items()), self._take)
        found = self._statuses.get(_key(name))
        if found is None:
            raise Refused("The server did not answer for the folder that was asked for.")
        return found

    def _items(self) -> bytes:
        items = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"]
        if self._features.condstore:
            items.append("HIGHESTMODSEQ")
        if self._features.offers("OBJECTID"):
            items.append("MAILBOXID")
        return parenthesized(*items)

    def _info(self, row: ListRow) -> FolderInfo:
        key = _key(row.name)
        title = "INBOX" if key == b"INBOX" else decode_name(row.name)
        return FolderInfo(row.name, title, row.delimiter, row.attributes, self._statuses.get(key))

    async def _ask_each(self) -> None:
        """Ask for the status of each folder, many in one round trip; a refusal leaves the status out."""
        asked: list[Waiter] = []
        for key, row in self._rows.items():
            if not self._info(row).selectable or key == self._open_name:
                continue
            if len(asked) >= _AT_ONCE:
                await self._dialogue.wait(asked[-_AT_ONCE])
            asked.append(self._dialogue.post(command("STATUS", astring(row.name), self._items()), self._take))
        for answer in await asyncio.gather(*map(self._dialogue.wait, asked), return_exceptions=True):
            if isinstance(answer, NetError):
                raise answer

    def _take(self, response: Untagged) -> bool:
        if isinstance(response, ListRow):
            if response.name:  # the answer to LIST "" "" names no folder
                self._rows.setdefault(_key(response.name), response)
        elif isinstance(response, FolderStatus):
            self._statuses[_key(response.name)] = response
        else:
            return False
        self._responses += 1
        if self._responses > 2 * FOLDERS:
            raise ProtocolError("The server lists folders without end.")
        return True


def _key(name: bytes) -> bytes:
    """Return the name by which folders are compared: INBOX has no case (RFC 3501 section 5.1)."""
    return b"INBOX" if name.upper() == b"INBOX" else name
