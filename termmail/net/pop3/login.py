"""Choose how to log in, log in, and turn a -ERR into an error.

Under TLS: AUTH PLAIN with its initial response if SASL PLAIN is offered, else SCRAM-SHA-256, else USER and, after its
answer, PASS. With security = "none": APOP if the greeting has a valid stamp; SCRAM-SHA-256, PLAIN, or USER and PASS only
with allow_cleartext. At most two attempts in a session.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.net import sasl
from termmail.net.net_errors import Busy, LoginRefused, NetError, ProtocolError, Refused, TlsFailed
from termmail.net.pop3.protocol import Challenge, command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from termmail.net.pop3.connection import Pop3Connection
    from termmail.net.pop3.protocol import Answer, Greeting
    from termmail.net.stream import Server

LONGEST = 255
"""Bytes of a command line (RFC 2449 section 4); a longer initial response is sent as a separate line."""

_BUSY = {
    "IN-USE": "Another program has this mailbox open.",
    "LOGIN-DELAY": "The server requires a longer pause between two logins.",
    "SYS/TEMP": "The server has a temporary problem.",
}
_BUSY_HINTS = (b"lock", b"in use", b"busy", b"try again", b"temporar", b"too many", b"later")


def ways(server: Server, capabilities: Mapping[str, tuple[str, ...]] | None, stamp: bytes) -> list[str]:
    """Return the methods to log in, best first: "APOP", "SCRAM-SHA-256", "PLAIN", "USER".

    `capabilities` is None if the server has no CAPA. Raises TlsFailed if every method would send the password in the
    clear, LoginRefused if there is none.
    """
    encrypted = server.security != "none"
    offered = {name.upper() for name in (capabilities or {}).get("SASL", ())}
    user = capabilities is None or "USER" in capabilities or "SASL" not in capabilities
    safe = ["APOP"] if not encrypted and stamp else []
    rest: list[str] = [name for name in ("PLAIN", "SCRAM-SHA-256") if name in offered]
    if not rest and user:
        rest = ["USER"]
    if not encrypted and "SCRAM-SHA-256" in rest:
        rest = ["SCRAM-SHA-256"]
    if encrypted or server.allow_cleartext:
        if found := [*safe, *rest[:1]]:
            return found
        raise LoginRefused(
            "The server offers no login method that termmail supports.",
            advice="Ask your provider for one of PLAIN, SCRAM-SHA-256, APOP, or USER and PASS.",
        )
    if safe:
        return safe
    raise TlsFailed(
        "Without TLS, others could read the password. Nothing secret was sent.",
        advice='Set security to "tls" or "starttls"; or allow_cleartext = true if you own the network.',
    )


async def log_in(
    connection: Pop3Connection, server: Server, way: str, stamp: bytes, behind: Callable[[], None]
) -> None:
    """Log in by one method. If that is one command and the server pipelines, `behind` queues what is sent with it.

    Raises LoginRefused, Busy, Offline or ProtocolError.
    """
    if way == "APOP":
        digest = sasl.apop(stamp, server.credential.secret)
        connection.secrets.hide_digest(digest)
        answer = await connection.request("APOP", server.username, digest)
    elif way == "PLAIN":
        answer = await _plain(connection, server, behind)
    elif way == "SCRAM-SHA-256":
        answer = await _scram(connection, server)
    else:
        answer = await connection.request("USER", server.username)
        if answer.ok:
            answer = await connection.request("PASS", server.credential.secret)
    if not answer.ok:
        raise refusal(connection, answer)


async def _plain(connection: Pop3Connection, server: Server, behind: Callable[[], None]) -> Answer:
    response = sasl.plain(server.username, server.credential.secret)
    whole = command("AUTH", "PLAIN", response)
    if len(whole.line) <= LONGEST:
        waiter = connection.send(whole)
        if connection.pipelining:
            behind()
        return await connection.wait(waiter)
    step = await connection.converse(connection.send(command("AUTH", "PLAIN")))
    if isinstance(step, Challenge):
        return await connection.wait(connection.respond(response))
    return step


async def _scram(connection: Pop3Connection, server: Server) -> Answer:
    scram = sasl.Scram(server.username, server.credential.secret)
    step = await connection.converse(connection.send(command("AUTH", "SCRAM-SHA-256", scram.first())))
    if isinstance(step, Challenge):
        proof = await asyncio.to_thread(scram.answer, step.text)
        step = await connection.converse(connection.respond(proof))
        if isinstance(step, Challenge):
            scram.verify(step.text)
            return await connection.wait(connection.respond(b""))
    if step.ok:
        raise ProtocolError("The server skipped the part of the login that proves its identity.")
    return step


def refused_greeting(connection: Pop3Connection, greeting: Greeting) -> NetError:
    """Return the error for a greeting of -ERR."""
    says = connection.clean(greeting.text)
    return Busy("The server accepts no connections right now.", server_says=says)


def refusal(connection: Pop3Connection, answer: Answer) -> NetError:
    """Return the error for a -ERR: Busy, LoginRefused for a login, else Refused (RFC 2449 section 8, RFC 3206)."""
    says, code = connection.clean(answer.text), answer.code
    login = answer.verb in {"USER", "PASS", "APOP", "AUTH"}
    if code in _BUSY:
        return Busy(_BUSY[code], server_says=says)
    if code == "SYS/PERM":
        return Refused("The server has a problem that its operator must solve.", server_says=says)
    if code == "AUTH" or login:
        if not code and any(hint in answer.text.lower() for hint in _BUSY_HINTS):
            return Busy("The server accepts no logins right now.", server_says=says)
        return LoginRefused("The server did not accept the user name or the password.", server_says=says)
    return Refused(f"The server refused {answer.verb}.", server_says=says)
