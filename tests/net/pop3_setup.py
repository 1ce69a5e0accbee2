"""The embedded POP3 server as the tests of the line want it, and small mails."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from termmail.credential import Password
from termmail.demo.faults import Manners
from termmail.demo.pop3d import Pop3Server
from termmail.demo.server_maildrop import Maildrop as Served
from termmail.net.pop3.maildrop import Maildrop
from termmail.net.stream import Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable

    from termmail.demo.scripted import ScriptedServer

USER, PASSWORD = "ada", "analytical-engine"
ONE_BY_ONE = ("TOP", "UIDL", "SASL PLAIN")
"""What a server announces that takes one command at a time."""
CAPA = ("TOP", "UIDL", "RESP-CODES", "PIPELINING", "USER", "SASL PLAIN")


def where(server: Pop3Server | ScriptedServer | int, **options: Any) -> Server:
    """Where a server, or a port, is for the client: in the clear unless told otherwise."""
    port = server if isinstance(server, int) else server.port
    given = {"security": "none", "allow_cleartext": True, "timeout_seconds": 10.0, "host": "127.0.0.1", **options}
    return Server(kind="pop3", port=port, username=USER, credential=Password(PASSWORD), **given)


def pop3(
    mails: Iterable[bytes] = (),
    capabilities: tuple[str, ...] | None = CAPA,
    *,
    after_login: tuple[str, ...] | None = None,
    tls: ssl.SSLContext | None = None,
    **faults: Any,
) -> Pop3Server:
    """A server with these mails (their UIDLs are uid-1, uid-2, ...), TLS from the first byte where there is `tls`.

    It announces exactly `capabilities`, `after_login` others, and knows no CAPA if they are None. `faults` are fields
    of Manners; the greeting has no stamp for APOP unless told otherwise.
    """
    maildrop = Served(PASSWORD)
    for number, raw in enumerate(mails, 1):
        maildrop.add(raw, b"uid-%d" % number)

    def announced(verb: str, told: list[bytes]) -> list[bytes]:
        if verb != "CAPA":
            return told
        return [row.encode() for row in (maildrop.locked and after_login) or capabilities or ()]

    told = {"greeting": b"+OK ready\r\n", "rows": announced, **faults}
    manners = Manners(without=frozenset({"CAPA"} if capabilities is None else ()), **told)
    return Pop3Server({USER: maildrop}, tls=tls, implicit=tls is not None, manners=manners)


@asynccontextmanager
async def opened(server: Pop3Server, *, list_too: bool = False, **options: Any) -> AsyncIterator[Maildrop]:
    async with server:
        drop = await Maildrop.open(where(server, **options), list_too=list_too)
        try:
            yield drop
        finally:
            await drop.close()


def verbs(server: Pop3Server) -> list[str]:
    return [line.split(" ")[0] for line in server.heard()]


def rows(*lines: str | bytes) -> bytes:
    """An answer of several lines."""
    data = [line.encode() if isinstance(line, str) else line for line in lines]
    return b"".join(line + b"\r\n" for line in (b"+OK", *data, b"."))


def mail(number: int, size: int = 0) -> bytes:
    """A small mail, with a dot at the beginning of a line and one in the middle."""
    head = f"From: Bob <bob@example.org>\r\nSubject: Number {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n"
    return head.encode() + b"Dear Ada,\r\n.hidden dot\r\n..two\r\nend. \r\n" + b"x" * size + b"\r\n"


def header(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


async def collect(stream) -> list:
    return [item async for item in stream]
