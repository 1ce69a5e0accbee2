"""Lists and messages for the reader: ids and rows from the store, bodies from the store or by RETR, parts as files."""

from __future__ import annotations

import asyncio
import shutil
from collections import OrderedDict
from typing import TYPE_CHECKING

from termmail.engine import saved_files
from termmail.errors import Gone
from termmail.net.net_errors import Refused
from termmail.store import messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from termmail.engine.context import Context
    from termmail.engine.servers import Servers
    from termmail.mail.message import Message, Rendered

GONE = "This message is gone."

KEPT = 16
"""Messages kept parsed, so that going back and forth parses nothing twice."""

KEPT_BYTES = 2 << 20
"""A message larger than this (in bytes) is parsed again instead."""


class Reader:
    """Opened messages: parsed in a thread, the last few kept."""

    def __init__(self, context: Context, servers: Servers) -> None:
        self.context = context
        self.servers = servers
        self._kept: OrderedDict[int, Message] = OrderedDict()
        self._rendered: OrderedDict[tuple[int, int, bool | None], Rendered] = OrderedDict()

    async def peek(self, id: int) -> Message | None:  # noqa: A002
        """The message if its text is in the store."""
        if (message := self._kept.get(id)) is not None:
            self._kept.move_to_end(id)
            return message
        raw, complete = await self._raw(id)
        return await self._parse(id, raw) if complete else None

    async def read(self, id: int, progress: Callable[[int, int], None] | None = None) -> Message:  # noqa: A002
        """The message, fetched where needed."""
        if (message := await self.peek(id)) is not None:
            return message
        row = await self.context.db(messages.row, id)
        if row is None:
            raise Gone(GONE)
        if row.account not in self.context.config.accounts:
            raise Refused(
                "The text of this message was never downloaded, and its account is no longer set up here.",
                advice="Only its header is left.",
            )
        raw = await self.servers.source(row.account).fetch(id, progress)
        return await self._parse(id, raw)

    async def _parse(self, id: int, raw: bytes) -> Message:  # noqa: A002
        from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

        message = await asyncio.to_thread(parse.parse, raw)
        if len(raw) <= KEPT_BYTES:
            self._kept[id] = message
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return message

    async def rendered(self, id: int, width: int = 88, *, html: bool | None = None) -> Rendered:  # noqa: A002
        """The body as lines, made in a thread."""
        key = (id, width, html)
        if (kept := self._rendered.get(key)) is not None:
            return kept
        message = await self.read(id)
        from termmail.mail import flowed  # noqa: PLC0415 - the HTML parser is not needed for the first screen

        rendered = await asyncio.to_thread(flowed.body, message, width, html=html)
        self._rendered[key] = rendered
        while len(self._rendered) > KEPT:
            self._rendered.popitem(last=False)
        return rendered

    async def raw(self, message_id: int) -> bytes:
        """Return the bytes as received: the whole message where it was downloaded, else its header block. Raises Gone."""
        return (await self._raw(message_id))[0]

    async def _raw(self, message_id: int) -> tuple[bytes, bool]:
        try:
            return await self.context.db(messages.raw, message_id)
        except KeyError:
            raise Gone(GONE) from None

    async def part(self, id: int, path: str) -> bytes:  # noqa: A002
        """The decoded bytes of one part."""
        from termmail.mail import parse  # noqa: PLC0415

        await self.read(id)
        raw, _ = await self._raw(id)
        return await asyncio.to_thread(parse.part_bytes, raw, path)

    async def _named(self, id: int, path: str) -> tuple[str, bytes]:  # noqa: A002
        message = await self.read(id)
        name = next((part.name for part in message.parts if part.path == path), "attachment")
        return name, await self.part(id, path)

    async def save_part(self, id: int, path: str, folder: Path) -> Path:  # noqa: A002
        """Save a part below `folder`, never over anything."""
        name, data = await self._named(id, path)
        return await asyncio.to_thread(saved_files.save, folder, name, data)

    async def open_part(self, id: int, path: str) -> Path:  # noqa: A002
        """A copy of a part for another program."""
        name, data = await self._named(id, path)
        return await asyncio.to_thread(self._copy, name, data)

    async def browser_file(self, id: int) -> Path:  # noqa: A002
        """The message as a harmless HTML file."""
        from termmail.mail.html import render  # noqa: PLC0415

        message = await self.read(id)
        page = await asyncio.to_thread(
            render.sanitised, message.html or f"<pre>{saved_files.escaped(message.text)}</pre>"
        )
        return await asyncio.to_thread(self._copy, f"message-{id}.html", page.encode())

    def _copy(self, name: str, data: bytes) -> Path:
        return saved_files.save(saved_files.private_folder(self.context.paths.data / "opened"), name, data)

    def close(self) -> None:
        """Remove the copies made for other programs."""
        shutil.rmtree(self.context.paths.data / "opened", ignore_errors=True)
