"""A raw IMAP client for the tests of the embedded server: what is sent is sent, what comes is seen."""

from __future__ import annotations

import asyncio
import contextlib
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.conftest import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from termmail.demo.imapd import ImapServer


class RawClient:
    """Sends commands with the tags a1, a2, ..."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.count = 0
        self.greeting = b""

    async def line(self) -> bytes:
        """One response, its literals included; b"" at the end."""
        line = await self.reader.readline()
        while found := re.search(rb"\{(\d+)\}\r\n\Z", line):
            line += await self.reader.readexactly(int(found[1])) + await self.reader.readline()
        return line

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def command(self, words: bytes) -> bytes:
        """Send a command and return its tag."""
        self.count += 1
        tag = b"a%d" % self.count
        self.send(tag + b" " + words + b"\r\n")
        return tag

    async def answer(self, tag: bytes) -> list[bytes]:
        """The responses up to the tagged one, which is without its tag; without their CRLF."""
        rows = []
        while (line := await self.line()) and not line.startswith(tag + b" "):
            rows.append(line[:-2])
        return [*rows, line[len(tag) + 1 : -2]]

    async def ask(self, words: bytes) -> list[bytes]:
        return await self.answer(self.command(words))

    async def status(self, words: bytes) -> bytes:
        """The tagged answer alone."""
        return (await self.ask(words))[-1]

    async def log_in(self) -> None:
        assert (await self.status(f'LOGIN {USER} "{PASSWORD}"'.encode())).startswith(b"OK")


@asynccontextmanager
async def connected(server: ImapServer, *, login: bool = True, select: bool = False) -> AsyncIterator[RawClient]:
    client = RawClient(*await asyncio.open_connection(server.host, server.port, limit=1 << 22))
    try:
        client.greeting = await client.line()
        if login:
            await client.log_in()
        if select:
            assert (await client.status(b"SELECT INBOX")).startswith(b"OK [READ-WRITE]")
        yield client
    finally:
        client.writer.close()
        with contextlib.suppress(OSError):
            await client.writer.wait_closed()
