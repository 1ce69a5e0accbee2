"""Fetch one small file over HTTPS from hosts of one domain: certificate checked, bounded in size and time."""

from __future__ import annotations

import asyncio
import io
import socket
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

from termmail.mail import sanitize
from termmail.net.lookup.dialing import FAILURES, connect, words
from termmail.net.lookup.proposal import host_name, inside
from termmail.net.net_errors import NetError

if TYPE_CHECKING:
    import dns.asyncresolver

LARGEST = 256 << 10
"""Bytes of an answer, header included."""
MOST_REDIRECTS = 3
LONGEST_SHOWN = 100
"""Characters of a foreign host that are shown."""
_REDIRECTS = {301, 302, 303, 307, 308}


class Unusable(Exception):
    """The answer cannot be used; the message is a sentence for the user."""


class Fetched(NamedTuple):
    """The file, or None, and then a sentence about why, "" where there simply is none."""

    data: bytes | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A file on a host, at a port of HTTPS."""

    host: str
    path: str
    port: int = 443

    @property
    def authority(self) -> str:
        """Host and port as the Host field has them (RFC 9110 section 7.2)."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"


async def get(
    place: Place, domain: str, resolver: dns.asyncresolver.Resolver, seconds: float, ca_file: str | None = None
) -> Fetched:
    """Return the file at a place, following redirects inside the domain over HTTPS, within `seconds` in all."""
    try:
        async with asyncio.timeout(seconds):
            for _ in range(MOST_REDIRECTS + 1):
                answer = await _ask(place, resolver, ca_file)
                if answer.status == 200:
                    return Fetched(answer.body)
                if answer.status not in _REDIRECTS:
                    return Fetched(None)
                place = _next(place, answer.location, domain)
        return Fetched(None, f"{place.host} redirects again and again.")
    except Unusable as error:
        return Fetched(None, str(error))
    except (ConnectionRefusedError, socket.gaierror):
        return Fetched(None)  # most domains have no such host or file
    except (*FAILURES, NetError) as error:
        return Fetched(None, words(error, place.host, place.port))


class _Answer(NamedTuple):
    status: int
    location: str
    body: bytes


async def _ask(place: Place, resolver: dns.asyncresolver.Resolver, ca_file: str | None) -> _Answer:
    """Ask once; nothing in the request tells who asks. Raises Unusable, NetError or one of FAILURES."""
    reader, writer = await connect(place.host, place.port, resolver, tls=True, ca_file=ca_file)
    try:
        writer.write(
            f"GET {place.path} HTTP/1.1\r\nHost: {place.authority}\r\nAccept: text/xml, application/xml\r\n"
            "Accept-Encoding: identity\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        received = bytearray()
        while piece := await reader.read(1 << 16):
            received += piece
            if len(received) > LARGEST:
                raise Unusable(f"{place.host} sent more than {LARGEST >> 10} KB.")
    finally:
        writer.transport.abort()
    return read_answer(bytes(received), place.host)


def read_answer(received: bytes, host: str) -> _Answer:
    """Return status, target of a redirect and body of an HTTP answer. Raises Unusable."""
    response = HTTPResponse(cast("socket.socket", _Received(received)))
    try:
        response.begin()
        return _Answer(response.status, response.getheader("Location") or "", response.read())
    except (HTTPException, OSError, ValueError, OverflowError) as error:
        raise Unusable(f"The answer of {host} is not valid HTTP.") from error


class _Received:
    """The part of a socket that http.client reads from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _next(place: Place, location: str, domain: str) -> Place:
    """Return where a redirect leads. Raises Unusable where it leaves the domain or HTTPS."""
    try:
        target = urlsplit(location)
        host = host_name(target.hostname or place.host) if target.scheme or target.netloc else place.host
        port = target.port or (443 if target.netloc else place.port)
    except ValueError:
        raise Unusable(f"{place.host} redirects to what is no address.") from None
    if target.scheme not in {"", "https"}:
        raise Unusable(f"{place.host} redirects away from HTTPS.")
    if host is None or not inside(host, domain):
        where = sanitize.clean(target.hostname or "")[:LONGEST_SHOWN]
        raise Unusable(f"{place.host} redirects to {where or 'another host'}, which is not part of {domain}.")
    path = target.path + (f"?{target.query}" if target.query else "")
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
        raise Unusable(f"{place.host} redirects to what is no address.")
    return Place(host, path, port)
