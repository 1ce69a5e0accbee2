"""Which way to log in, and what the server's no means. The password goes over TLS, or where the user said otherwise.

Under TLS: AUTH PLAIN with its initial response where SASL PLAIN is offered, SCRAM-SHA-256 where that is, else USER and,
once that was answered, PASS. With security = "none": APOP where the greeting has a true stamp; SCRAM-SHA-256, PLAIN or
USER and PASS only with allow_cleartext. At most two tries in a session, and never one after the server named the
password as the trouble on the way that mattered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.net import sasl
from termmail.net.net_errors import Busy, LoginRefused, NetError, ProtocolError, Refused, TlsFailed
from termmail.net.pop3.protocol import Challenge, command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from termmail.net.pop3.connection import Dialogue
    from termmail.net.pop3.protocol import Answer, Greeting
    from termmail.net.stream import Server

LONGEST = 255
"""Bytes of a command line (RFC 2449 section 4); a longer initial response goes as an answer of its own."""

_BUSY = {
    "IN-USE": "Another program has this mailbox open.",
    "LOGIN-DELAY": "The server wants a longer pause between two logins.",
    "SYS/TEMP": "The server has trouble right now.",
}
_BUSY_HINTS = (b"lock", b"in use", b"busy", b"try again", b"temporar", b"too many", b"later")


def ways(server: Server, capabilities: Mapping[str, tuple[str, ...]] | None, stamp: bytes) -> list[str]:
    """The ways to log in, best first: "APOP", "SCRAM-SHA-256", "PLAIN", "USER". `capabilities` None: no CAPA.

    Raises TlsFailed where every way that is left would show the password on the line, LoginRefused where there is none.
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
            "The server offers no way to log in that termmail knows.",
            advice="Ask your provider for one of PLAIN, SCRAM-SHA-256, APOP, or USER and PASS.",
        )
    if safe:
        return safe
    raise TlsFailed(
        "Without TLS, the password would be readable on the way. Nothing secret was sent.",
        advice='Set security to "tls" or "starttls"; or allow_cleartext = true where the way is your own.',
    )


async def log_in(dialogue: Dialogue, server: Server, way: str, stamp: bytes, behind: Callable[[], None]) -> None:
    """Log in this way. Where one command does it and the server pipelines, `behind` queues what leaves with it.

    Raises LoginRefused, Busy, Offline or ProtocolError.
    """
    if way == "APOP":
        digest = sasl.apop(stamp, server.password)
        dialogue.secrets.hide_digest(digest)
        answer = await dialogue.say("APOP", server.username, digest)
    elif way == "PLAIN":
        answer = await _plain(dialogue, server, behind)
    elif way == "SCRAM-SHA-256":
        answer = await _scram(dialogue, server)
    else:
        answer = await dialogue.say("USER", server.username)
        if answer.ok:
            answer = await dialogue.say("PASS", server.password)
    if not answer.ok:
        raise refusal(dialogue, answer)


async def _plain(dialogue: Dialogue, server: Server, behind: Callable[[], None]) -> Answer:
    response = sasl.plain(server.username, server.password)
    whole = command("AUTH", "PLAIN", response)
    if len(whole.line) <= LONGEST:
        waiter = dialogue.post(whole)
        if dialogue.pipelining:
            behind()
        return await dialogue.wait(waiter)
    step = await dialogue.converse(dialogue.post(command("AUTH", "PLAIN")))
    if isinstance(step, Challenge):
        return await dialogue.wait(dialogue.respond(response))
    return step


async def _scram(dialogue: Dialogue, server: Server) -> Answer:
    scram = sasl.Scram(server.username, server.password)
    step = await dialogue.converse(dialogue.post(command("AUTH", "SCRAM-SHA-256", scram.first())))
    if isinstance(step, Challenge):
        proof = await asyncio.to_thread(scram.answer, step.text)
        step = await dialogue.converse(dialogue.respond(proof))
        if isinstance(step, Challenge):
            scram.verify(step.text)
            return await dialogue.wait(dialogue.respond(b""))
    if step.ok:
        raise ProtocolError("The server skipped the part of the login that proves who it is.")
    return step


def refused_greeting(dialogue: Dialogue, greeting: Greeting) -> NetError:
    """The words for a server that says no before anything was asked."""
    says = dialogue.clean(greeting.text)
    return Busy("The server takes no connections right now.", server_says=says)


def refusal(dialogue: Dialogue, answer: Answer) -> NetError:
    """What a -ERR means: Busy, LoginRefused for a login, else Refused (RFC 2449 section 8, RFC 3206)."""
    says, code = dialogue.clean(answer.text), answer.code
    login = answer.verb in {"USER", "PASS", "APOP", "AUTH"}
    if code in _BUSY:
        return Busy(_BUSY[code], server_says=says)
    if code == "SYS/PERM":
        return Refused("The server has trouble that needs its operator.", server_says=says)
    if code == "AUTH" or login:
        if not code and any(hint in answer.text.lower() for hint in _BUSY_HINTS):
            return Busy("The server does not let anyone in right now.", server_says=says)
        return LoginRefused("The server did not accept the user name or the password.", server_says=says)
    return Refused(f"The server refused {answer.verb}.", server_says=says)
