"""Read lists and messages: ids and rows from the store, bodies from the store or the server, parts as files."""

from __future__ import annotations

import asyncio
import shutil
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from termmail.engine import saved_files
from termmail.engine.threads import OutOfTimeError, run_stoppable
from termmail.errors import Gone
from termmail.mail import sanitize
from termmail.mail.message import Line, Rendered
from termmail.mail.wrap import fold
from termmail.net.net_errors import Refused
from termmail.store import messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from termmail.engine.context import Context
    from termmail.engine.servers import Servers
    from termmail.mail.message import Message

RENDER_LIMIT = 5.0
"""Seconds that laying out a message may take."""

SOURCE_SHOWN = 100_000
"""Characters of source that are shown where a message cannot be laid out in time."""

OPENED = "opened"
"""The folder below the data folder for copies that other programs open."""

GONE = "This message is gone."

KEPT = 16
"""Messages kept parsed, so that going back and forth parses nothing twice."""

KEPT_BYTES = 2 << 20
"""A message larger than this (in bytes) is parsed again instead."""


class Look(NamedTuple):
    """How a body is looked at: `html` as `flowed.body` has it, re-flowed or as sent, and in which charset.

    `charset` is a label of `charset.CHOICES`, "" for what the message names.
    """

    html: bool | None = None
    reflowed: bool = False
    charset: str = ""


PLAIN = Look()


class Reader:
    """Opened messages: parsed and laid out in threads, the last few kept."""

    def __init__(self, context: Context, servers: Servers) -> None:
        self.context = context
        self.servers = servers
        self._kept: OrderedDict[int, Message] = OrderedDict()
        self._rendered: OrderedDict[tuple[int, int, Look], Rendered] = OrderedDict()
        self._copies: saved_files.OwnedFolder | None = None

    async def peek(self, message_id: int) -> Message | None:
        """Return the message if its text is in the store, else None."""
        if (message := self._kept.get(message_id)) is not None:
            self._kept.move_to_end(message_id)
            return message
        raw, complete = await self._raw(message_id)
        return await self._parse(message_id, raw) if complete else None

    async def read(
        self,
        message_id: int,
        progress: Callable[[int, int], None] | None = None,
        started: Callable[[Message], None] | None = None,
    ) -> Message:
        """Return the message, fetched from its server where needed.

        `progress(done, total)` is called in bytes, `started` at most once, with what the start of a large message holds
        while the rest comes. Raises Gone where there is no such message, NetError or PasswordError where it cannot be
        fetched.
        """
        if (message := await self.peek(message_id)) is not None:
            return message
        row = await self.context.db(messages.row, message_id)
        if row is None:
            raise Gone(GONE)
        if row.account not in self.context.config.accounts:
            raise Refused(
                "The text of this message was never downloaded, and its account is no longer set up here.",
                advice="Only its header is left.",
            )
        begun: list[asyncio.Task[None]] = []

        def start(raw: bytes) -> None:
            if started is not None:
                begun.append(asyncio.create_task(self._start(message_id, raw, started)))

        try:
            raw = await self.servers.source(row.account).fetch(message_id, progress, start)
        finally:
            for task in begun:
                task.cancel()
        return await self._parse(message_id, raw)

    async def _start(self, message_id: int, raw: bytes, started: Callable[[Message], None]) -> None:
        """Parse the start of a message, if it has the header that is known of it, and hand it on."""
        from termmail.mail import parse  # noqa: PLC0415

        known, _ = await self._raw(message_id)
        ours = parse.fingerprint(parse.split_header(known)) == parse.fingerprint(parse.split_header(raw))
        if ours and (message := await asyncio.to_thread(parse.parse, raw)):
            started(message)

    async def _parse(self, message_id: int, raw: bytes) -> Message:
        from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

        message = await asyncio.to_thread(parse.parse, raw)
        if len(raw) <= KEPT_BYTES:
            self._kept[message_id] = message
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return message

    async def rendered(self, message_id: int, width: int = 88, look: Look = PLAIN) -> Rendered:
        """Return the body as lines of at most `width` cells, laid out in a thread of its own.

        What takes longer than RENDER_LIMIT is shown as headers and source instead. When the caller is cancelled, the
        thread stops. Raises what `read` raises.
        """
        key = (message_id, width, look)
        if (kept := self._rendered.get(key)) is not None:
            return kept
        message = await self.read(message_id)
        if look.charset:
            message = await self._in_charset(message_id, look.charset)
        rendered = await self.laid_out(message, width, look)
        self._rendered[key] = rendered
        while len(self._rendered) > KEPT:
            self._rendered.popitem(last=False)
        return rendered

    async def laid_out(self, message: Message, width: int, look: Look = PLAIN) -> Rendered:
        """Return the body of a message as lines, as `rendered` does, also of one that is not stored."""
        from termmail.mail import flowed  # noqa: PLC0415 - the HTML parser is not needed for the first screen

        try:
            return await run_stoppable(
                lambda check: flowed.body(message, width, html=look.html, reflowed=look.reflowed, check=check),
                seconds=RENDER_LIMIT,
            )
        except OutOfTimeError:
            return await asyncio.to_thread(_as_source, message, width)

    async def _in_charset(self, message_id: int, charset: str) -> Message:
        """Return the message with its texts read in another charset than it names."""
        from termmail.mail import parse  # noqa: PLC0415

        raw, _ = await self._raw(message_id)
        return await asyncio.to_thread(parse.parse, raw, charset=charset)

    async def raw(self, message_id: int) -> bytes:
        """Return the bytes as received: the whole message where it was downloaded, else its header block. Raises Gone."""
        return (await self._raw(message_id))[0]

    async def _raw(self, message_id: int) -> tuple[bytes, bool]:
        try:
            return await self.context.db(messages.raw, message_id)
        except KeyError:
            raise Gone(GONE) from None

    async def part(self, message_id: int, path: str) -> bytes:
        """Return the decoded bytes of one part. Raises what `read` raises."""
        from termmail.mail import parse  # noqa: PLC0415

        await self.read(message_id)
        raw, _ = await self._raw(message_id)
        return await asyncio.to_thread(parse.part_bytes, raw, path)

    async def _named(self, message_id: int, path: str) -> tuple[str, bytes]:
        message = await self.read(message_id)
        name = next((part.name for part in message.parts if part.path == path), "attachment")
        return name, await self.part(message_id, path)

    async def save_part(self, message_id: int, path: str, folder: Path, new_name: str = "") -> Path:
        """Save a part below `folder`, under its own name or a new one, never over another file.

        Raises OSError and what `read` raises.
        """
        name, data = await self._named(message_id, path)
        return await asyncio.to_thread(saved_files.save, folder, new_name or name, data)

    async def save_folder(self) -> Path | None:
        """Return the folder that was remembered last; None where there is none."""
        return await asyncio.to_thread(saved_files.remembered_folder, self.context.paths.data)

    async def remember_save_folder(self, folder: Path) -> None:
        """Remember the folder that the user chose, for the next time."""
        await asyncio.to_thread(saved_files.remember_folder, self.context.paths.data, folder)

    async def open_part(self, message_id: int, path: str) -> Path:
        """Write a copy of a part for another program. Raises OSError and what `read` raises."""
        name, data = await self._named(message_id, path)
        return await asyncio.to_thread(self._copy, name, data)

    async def browser_file(self, message_id: int) -> Path:
        """Write the message as a harmless HTML file. Raises OSError and what `read` raises."""
        from termmail.mail.html import browser  # noqa: PLC0415 - loads the sanitizer, which showing a mail never needs

        message = await self.read(message_id)
        page = await asyncio.to_thread(browser.sanitised, message)
        return await asyncio.to_thread(self._copy, f"message-{message_id}.html", page.encode())

    def _copy(self, name: str, data: bytes) -> Path:
        """Write a read-only copy (0400), in a folder of this process."""
        if self._copies is None:
            self._copies = saved_files.OwnedFolder(self.context.paths.data / OPENED, "session-")
        return saved_files.save(self._copies.path, name, data, mode=0o400)

    def close(self) -> None:
        """Remove the copies made for other programs, and those of processes that have ended."""
        if self._copies is not None:
            self._copies.remove()
        for folder in saved_files.ownerless(self.context.paths.data / OPENED):
            shutil.rmtree(folder, ignore_errors=True)


def _as_source(message: Message, width: int) -> Rendered:
    """Return the headers and the start of the source of a body, for a message that takes too long to lay out."""
    source = message.html or message.text
    words = f"Laying out this message takes more than {RENDER_LIMIT:.0f} seconds. Its headers and its source follow."
    texts = [*(f"{name}: {value}" for name, value in message.headers), "", *source[:SOURCE_SHOWN].splitlines()]
    lines = [Line(line, kind="fold") for line in fold(words, width)]
    lines += [Line("")]
    lines += [Line(line) for text in texts for line in fold(sanitize.clean(text), width) or [""]]
    if len(source) > SOURCE_SHOWN:
        lines += [Line("… and more: V shows the whole source.", kind="fold")]
    return Rendered(tuple(lines))
