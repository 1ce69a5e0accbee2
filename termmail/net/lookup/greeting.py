"""Try whether a mail server answers at a place: connect and read its greeting. Nothing is sent, nobody logs in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.net.lookup.dialing import FAILURES, connect, words
from termmail.net.net_errors import NetError

if TYPE_CHECKING:
    import dns.asyncresolver

    from termmail.credential import ServerKind
    from termmail.net.lookup.proposal import Proposal

LONGEST = 8192
"""Bytes of a greeting."""
_GREETINGS: dict[ServerKind, bytes] = {"imap": b"* ", "pop3": b"+OK", "smtp": b"220"}


async def failure(
    proposal: Proposal, resolver: dns.asyncresolver.Resolver, seconds: float, ca_file: str | None = None
) -> str:
    """Return "" where the server greets, else a sentence that tells why it cannot be used.

    TLS from the first byte is checked with its certificate; STARTTLS begins only when the user logs in.
    """
    host, port = proposal.host, proposal.port
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await connect(host, port, resolver, tls=proposal.security == "tls", ca_file=ca_file)
            try:
                line = await _first_line(reader)
            finally:
                writer.transport.abort()
    except (*FAILURES, NetError) as error:
        return words(error, host, port)
    if not line.startswith(_GREETINGS[proposal.kind]):
        return f"What answers at {host}:{port} is no {proposal.kind.upper()} server."
    return ""


async def _first_line(reader: asyncio.StreamReader) -> bytes:
    """Return what was received up to the first line end, the end of the connection or LONGEST bytes."""
    received = b""
    while b"\n" not in received and len(received) < LONGEST and (piece := await reader.read(LONGEST)):
        received += piece
    return received
