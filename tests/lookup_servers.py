"""A domain on loopback for the tests of the look-up: its DNS, its HTTPS and its mail servers, which count who asks."""

from __future__ import annotations

import asyncio
import ssl
import struct
import sys
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from termmail.net.lookup.domain_lookup import Network

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    import trustme

GREETINGS = {"imap": b"* OK ready\r\n", "pop3": b"+OK ready\r\n", "smtp": b"220 ready\r\n"}


@dataclass
class Domain:
    """What DNS and HTTPS say. Names without an entry in `hosts` do not exist; `records` are texts by name and type.

    `files` are whole HTTP answers, or functions of the request and the writer, by host. `raw` replaces answers of DNS.
    """

    authority: trustme.CA
    ca_file: str
    hosts: dict[str, str] = field(default_factory=dict)
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    files: dict[str, bytes | Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]] = field(default_factory=dict)
    raw: Callable[[dns.message.Message], bytes | None] | None = None
    certified: tuple[str, ...] = ("autoconfig.example.org", "example.org")
    questions: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    """What the mail servers heard."""
    seconds: float = 10.0
    network: Network = field(default_factory=Network)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def srv(self, label: str, *records: str, domain: str = "example.org") -> None:
        """Add SRV records: "priority weight port target"."""
        self.records[f"{label}._tcp.{domain}.", "SRV"] = list(records)

    def answer(self, wire: bytes, *, udp: bool) -> bytes | None:
        """Return the answer to a question, cut to 512 bytes over UDP."""
        question = dns.message.from_wire(wire)
        name = question.question[0].name.to_text().lower()
        kind = dns.rdatatype.to_text(question.question[0].rdtype)
        self.questions.append(f"{name} {kind}")
        if self.raw is not None:
            return self.raw(question)
        answer = self.honest(question)
        full = answer.to_wire(max_size=65535)
        if not udp or len(full) <= 512:
            return full
        answer.answer.clear()
        answer.flags |= dns.flags.TC
        return answer.to_wire()

    def honest(self, question: dns.message.Message) -> dns.message.Message:
        """Return the answer from `hosts` and `records`."""
        name = question.question[0].name.to_text().lower()
        kind = dns.rdatatype.to_text(question.question[0].rdtype)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        texts = self.records.get((name, kind), [])
        if kind == "A" and name.removesuffix(".") in self.hosts:
            texts = [self.hosts[name.removesuffix(".")]]
        if texts:
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, texts))
        elif name.removesuffix(".") not in self.hosts and name not in {known for known, _ in self.records}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    async def mail_server(self, kind: str, host: str, *, tls: bool = True, greeting: bytes | None = None) -> int:
        """Start a mail server of this name that only greets; return its port."""
        self.hosts[host] = "127.0.0.1"
        context = _context(self.authority, (host,)) if tls else None
        said = GREETINGS[kind] if greeting is None else greeting

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(said)
            try:
                self.heard.append(await reader.read())
            except OSError:
                self.heard.append(b"")
            finally:
                writer.close()

        return await self._listen(greet, context)

    async def _listen(self, serve: Callable[..., Awaitable[None]], context: ssl.SSLContext | None) -> int:
        tasks: set[asyncio.Task[None]] = set()

        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            try:
                await serve(reader, writer)
            except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
                writer.transport.abort()
            finally:
                writer.close()

        async def end() -> None:
            server.close()
            for task in tuple(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=context)
        self._stack.push_async_callback(end)
        return int(server.sockets[0].getsockname()[1])

    async def _https(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(request)
        host = next(line for line in request.split(b"\r\n") if line.startswith(b"Host: "))[6:].split(b":")[0].decode()
        file = self.files.get(host, b"HTTP/1.1 404 Not Found\r\n\r\n")
        if isinstance(file, bytes):
            writer.write(file)
        else:
            await file(request, writer)
        await writer.drain()

    async def _dns_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        answer = self.answer(await reader.readexactly(length), udp=False)
        if answer is not None:
            writer.write(struct.pack("!H", len(answer)) + answer)
            await writer.drain()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._domain.answer(data, udp=True)
        if answer is not None:
            self._transport.sendto(answer, addr)


def _context(authority: trustme.CA, names: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


@asynccontextmanager
async def serving(domain: Domain) -> AsyncIterator[Domain]:
    """Serve DNS (UDP and TCP on one port) and HTTPS; `domain.network` is where to ask."""
    async with domain._stack:
        dns_port = await domain._listen(domain._dns_tcp, None)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Udp(domain), local_addr=("127.0.0.1", dns_port)
        )
        domain._stack.callback(transport.close)
        https_port = await domain._listen(domain._https, _context(domain.authority, domain.certified))
        domain.network = Network(("127.0.0.1",), dns_port, https_port, domain.ca_file, domain.seconds)
        yield domain


_heard: list[list[str]] = []


def _audit(event: str, _args: tuple[object, ...]) -> None:
    if _heard and event in {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}:
        _heard[-1].append(event)


@contextmanager
def network_use() -> Iterator[list[str]]:
    """Yield a list that gets each use of a socket or of name resolution in this process, until the block ends."""
    if not _heard:
        sys.addaudithook(_audit)  # it stays; `_heard` is what turns it on
    _heard.append([])
    try:
        yield _heard[-1]
    finally:
        _heard.pop()


def page(body: bytes, status: str = "200 OK") -> bytes:
    """An HTTP answer with a length."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def server_xml(
    kind: str,
    host: str,
    port: int,
    *,
    socket: str = "SSL",
    user: str = "%EMAILADDRESS%",
    authentication: str = "password-cleartext",
) -> str:
    """One server of an autoconfig file."""
    element = "outgoingServer" if kind == "smtp" else "incomingServer"
    return (
        f'<{element} type="{kind}"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>'
        f"<username>{user}</username><authentication>{authentication}</authentication></{element}>"
    )


def config_xml(*servers: str) -> bytes:
    """An autoconfig file with these servers."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<clientConfig version="1.1"><emailProvider id="example.org">'
        f"<domain>example.org</domain>{''.join(servers)}</emailProvider></clientConfig>"
    ).encode()
