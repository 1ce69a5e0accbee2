"""POP3 servers for the tests: `Honest`, which can be told to lie in single answers, and `Scripted`, which only lies."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from termmail.credential import Password
from termmail.net.pop3.maildrop import Maildrop
from termmail.net.stream import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

USER, PASSWORD = "ada", "analytical-engine"
ONE_BY_ONE = ("TOP", "UIDL", "SASL PLAIN")
"""What a server announces that takes one command at a time."""
CAPA = ("TOP", "UIDL", "RESP-CODES", "PIPELINING", "USER", "SASL PLAIN")


def server(port: int, **options: Any) -> Server:
    """Where it listens: in the clear unless told otherwise."""
    given = {"security": "none", "allow_cleartext": True, "timeout_seconds": 10.0, "host": "127.0.0.1", **options}
    return Server(kind="pop3", port=port, username=USER, credential=Password(PASSWORD), **given)


def rows(*lines: str | bytes) -> bytes:
    """An answer of several lines."""
    data = [line.encode() if isinstance(line, str) else line for line in lines]
    return b"".join(line + b"\r\n" for line in (b"+OK", *data, b"."))


def mail(number: int, size: int = 0) -> bytes:
    """A small mail, with a dot at the beginning of a line and one in the middle."""
    head = f"From: Bob <bob@example.org>\r\nSubject: Number {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n"
    return head.encode() + b"Dear Ada,\r\n.hidden dot\r\n..two\r\nend. \r\n" + b"x" * size + b"\r\n"


def stuffed(data: bytes) -> bytes:
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in data.split(b"\r\n"))


@dataclass
class Honest:
    """A well-behaved server for one maildrop. `answers` replaces the answer to a verb, or to a whole line ("TOP 3 0"):
    bytes, or a function of the arguments that returns bytes, or None for the true answer. `b"DROP"` at an answer's end
    drops the connection behind it.

    It stops reading while its answers are not taken, as real servers do.
    """

    mails: list[bytes] = field(default_factory=list)
    capabilities: tuple[str, ...] | None = CAPA
    after_login: tuple[str, ...] | None = None
    greeting: bytes = b"+OK ready\r\n"
    answers: dict[str, Any] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    buffer_bytes: int = 0
    said: list[bytes] = field(default_factory=list)
    turns: int = 0
    connections: int = 0
    most_unanswered: int = 0
    port: int = 0
    transports: list[asyncio.Transport] = field(default_factory=list)

    def where(self, **options: Any) -> Server:
        return server(self.port, **options)

    def verbs(self) -> list[str]:
        return [line.split(b" ")[0].decode() for line in self.said]

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Honest]:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: _Session(self), "127.0.0.1", 0, ssl=tls)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            for one in self.transports:
                one.abort()
            await listener.wait_closed()

    def answer(self, line: bytes, session: _Session) -> bytes:
        verb, *arguments = line.decode("utf-8", "replace").split(" ")
        told = self.answers.get(line.decode("utf-8", "replace"), self.answers.get(verb))
        if callable(told):
            told = told(*arguments)
        if told is not None:
            return told
        if verb in {"UIDL", "LIST", "TOP", "RETR"} and arguments:
            if not 0 < int(arguments[0]) <= len(self.mails):
                return b"-ERR no such message\r\n"
            raw = self.mails[int(arguments[0]) - 1]
            head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            return {
                "UIDL": f"+OK {arguments[0]} uid-{arguments[0]}\r\n".encode(),
                "LIST": f"+OK {arguments[0]} {len(raw)}\r\n".encode(),
                "TOP": b"+OK\r\n" + head + b".\r\n",
                "RETR": b"+OK\r\n" + stuffed(raw) + b".\r\n",
            }[verb]
        every = range(1, len(self.mails) + 1)
        if verb == "CAPA":
            listed = (self.after_login if session.logged_in else None) or self.capabilities
            return b"-ERR what?\r\n" if listed is None else rows(*listed)
        session.logged_in = session.logged_in or verb in {"PASS", "AUTH", "APOP"}
        return {
            "STAT": f"+OK {len(self.mails)} {sum(map(len, self.mails))}\r\n".encode(),
            "LIST": rows(*(f"{n} {len(self.mails[n - 1])}" for n in every)),
            "UIDL": rows(*(f"{n} uid-{n}" for n in every)),
            "QUIT": b"+OK bye\r\nDROP",
        }.get(verb, b"+OK\r\n")


class _Session(asyncio.Protocol):
    def __init__(self, honest: Honest) -> None:
        self.honest = honest
        self.buffer, self.spoke, self.logged_in = b"", True, False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.honest.transports.append(transport)
        self.honest.connections += 1
        if self.honest.buffer_bytes:
            transport.set_write_buffer_limits(high=self.honest.buffer_bytes)
        transport.write(self.honest.greeting)

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        honest = self.honest
        honest.turns += self.spoke
        *lines, self.buffer = (self.buffer + data).split(b"\r\n")
        honest.most_unanswered = max(honest.most_unanswered, len(lines))
        honest.said += lines
        out = []
        for line in lines:
            answer = honest.answer(line, self)
            out.append(answer.removesuffix(b"DROP"))
            if answer.endswith(b"DROP"):
                self.transport.write(b"".join(out))
                self.transport.close()
                return
        self.spoke = any(out)
        self.transport.write(b"".join(out))


@dataclass
class Talk:
    """The server's side of one conversation, by hand. `said` is every line the client sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    said: list[bytes]

    async def hear(self, expected: str = "") -> bytes:
        line = (await self.reader.readline()).rstrip(b"\r\n")
        self.said.append(line)
        assert line.decode("utf-8", "replace").startswith(expected), (line, expected)
        return line

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self.writer.start_tls(context)

    async def rest(self) -> bytes:
        """All that the client still sends, until it hangs up."""
        try:
            return await self.reader.read()
        except (ConnectionError, ssl.SSLError):
            return b""

    def drop(self) -> None:
        self.writer.transport.abort()


@dataclass
class Scripted:
    port: int
    said: list[bytes]
    done: asyncio.Event
    left: bytes = b""
    """What the client still sent after the script's end, until it hung up."""

    def where(self, **options: Any) -> Server:
        return server(self.port, **options)


@asynccontextmanager
async def scripted(
    script: Callable[[Talk], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Scripted]:
    """A server that follows `script` with every client, then waits until the client hangs up. A script that fails
    (the client said something else) fails the test."""
    state = Scripted(0, [], asyncio.Event())
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = Talk(reader, writer, state.said)
        try:
            await script(talk)
            state.left = await talk.rest()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
            state.done.set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    state.port = listener.sockets[0].getsockname()[1]
    try:
        yield state
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled() and task.exception()]
        assert not failed, failed
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


@asynccontextmanager
async def opened(honest: Honest, *, list_too: bool = False, **options) -> AsyncIterator[Maildrop]:
    async with honest.running():
        drop = await Maildrop.open(honest.where(**options), list_too=list_too)
        try:
            yield drop
        finally:
            await drop.close()


def header(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


async def collect(stream) -> list:
    return [item async for item in stream]
