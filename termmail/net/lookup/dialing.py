"""Connect to a host whose addresses a given resolver finds, over TLS or in the clear, and say why it failed."""

from __future__ import annotations

import asyncio
import ssl
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, SOCK_STREAM, gaierror
from typing import TYPE_CHECKING

from termmail.net.stream import Server, first_to_answer
from termmail.net.tls import explain, tls_context

if TYPE_CHECKING:
    import dns.asyncresolver

MOST_ADDRESSES = 6

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

FAILURES = (OSError, ssl.SSLError, UnicodeError)
"""What `connect` raises, and reading and writing later."""


async def connect(
    host: str, port: int, resolver: dns.asyncresolver.Resolver, *, tls: bool, ca_file: str | None = None
) -> Connection:
    """Connect to the first address that answers; the caller sets the deadline. Raises one of FAILURES or NetError.

    A host without an address is a socket.gaierror, as it is from the name service of the system.
    """
    line = await first_to_answer(
        [
            (AF_INET if address.version == 4 else AF_INET6, SOCK_STREAM, 0, "", (str(address), port))
            for address in map(ip_address, await _addresses(host, resolver))
        ]
    )
    try:
        context = tls_context(ca_file) if tls else None
        return await asyncio.open_connection(sock=line, ssl=context, server_hostname=host if tls else None)
    except BaseException:
        line.close()
        raise


async def _addresses(host: str, resolver: dns.asyncresolver.Resolver) -> list[str]:
    import dns.exception  # noqa: PLC0415 - not needed for the first screen

    try:
        found = await resolver.resolve_name(f"{host}.", search=False)
    except dns.exception.Timeout:
        raise TimeoutError from None
    except (dns.exception.DNSException, EOFError) as error:
        raise gaierror(f"{host} has no address") from error
    return list(found.addresses())[:MOST_ADDRESSES]


def words(error: BaseException, host: str, port: int) -> str:
    """Return the sentence for the user on a failure from connecting to a host, or from reading."""
    return str(explain(error, Server("imap", host, port, "tls")))
