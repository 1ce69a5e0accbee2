"""From the greeting to a session that is logged in: STARTTLS, capabilities, and how to log in (RFC 3501, 2595, 4959).

Under TLS: AUTHENTICATE PLAIN if it is offered, else SCRAM-SHA-256, else LOGIN. Without TLS only with allow_cleartext,
and SCRAM-SHA-256 first. What a server says before TLS is forgotten when TLS begins.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.net import sasl
from termmail.net.imap.command_writer import LiteralMode, astring, command
from termmail.net.imap.imap_machine import Challenge
from termmail.net.imap.refusals import farewell
from termmail.net.imap.response_parser import read_names
from termmail.net.imap.untagged import Capabilities, Condition
from termmail.net.net_errors import LoginRefused, ProtocolError, TlsFailed

if TYPE_CHECKING:
    from termmail.net.imap.imap_dialogue import ImapDialogue
    from termmail.net.imap.untagged import Status, Untagged
    from termmail.net.stream import Server


async def begin(dialogue: ImapDialogue, server: Server) -> frozenset[str]:
    """Take the greeting, start TLS if `security` is "starttls", log in, and return the capabilities behind the login.

    Raises Busy, TlsFailed, LoginRefused, Offline or ProtocolError.
    """
    greeting = await dialogue.greeting()
    if greeting.condition is Condition.BYE:
        raise farewell(greeting, dialogue.clean(greeting.text), greeting=True)
    if greeting.condition is Condition.PREAUTH:
        raise ProtocolError(
            f"{server.place} says that someone is logged in already. Nothing secret was sent.",
            server_says=dialogue.clean(greeting.text),
            advice="Someone may be tampering with the connection. Try another network, or ask your provider.",
        )
    known = _in_code(greeting)
    if server.security == "starttls":
        await _start_tls(dialogue, server, known)
        known = None
    capabilities = known or await ask_capabilities(dialogue)
    _send_literals(dialogue, capabilities)
    status = await _log_in(dialogue, server, capabilities)
    capabilities = _in_code(status) or await ask_capabilities(dialogue)
    _send_literals(dialogue, capabilities)
    return capabilities


async def ask_capabilities(dialogue: ImapDialogue) -> frozenset[str]:
    """Return what the server offers now, in capitals. Raises NetError."""
    found: list[frozenset[str]] = []

    def take(response: Untagged) -> bool:
        if isinstance(response, Capabilities):
            found.append(response.names)
            return True
        return False

    await dialogue.require(command("CAPABILITY"), take)
    return found[-1] if found else frozenset()


def _in_code(status: Status) -> frozenset[str] | None:
    """Return the capabilities that a status response carries (RFC 3501 section 7.1), or None."""
    return read_names(status.argument) if status.code == "CAPABILITY" else None


def _send_literals(dialogue: ImapDialogue, capabilities: frozenset[str]) -> None:
    if "LITERAL+" in capabilities:
        dialogue.literals(LiteralMode.PLUS)
    elif "LITERAL-" in capabilities or "IMAP4REV2" in capabilities:
        dialogue.literals(LiteralMode.MINUS)
    else:
        dialogue.literals(LiteralMode.WAIT)


async def _start_tls(dialogue: ImapDialogue, server: Server, known: frozenset[str] | None) -> None:
    """Start TLS with STARTTLS. Raises TlsFailed if the server does not."""
    offered = "STARTTLS" in (known or await ask_capabilities(dialogue))
    status = await dialogue.say(command("STARTTLS")) if offered else None
    if status is None or not status.ok:
        raise TlsFailed(
            f"{server.place} does not offer to start TLS. Nothing secret was sent.",
            server_says=dialogue.clean(status.text) if status else "",
            advice='Set security to "tls", most often with port 993, or ask your provider.',
        )
    await dialogue.start_tls()


# -- the login


def way_to_log_in(server: Server, capabilities: frozenset[str]) -> str:
    """Return "PLAIN", "SCRAM-SHA-256" or "LOGIN".

    Raises TlsFailed if the password would go in the clear without allow_cleartext, LoginRefused if there is no way.
    """
    encrypted = server.security != "none"
    if not encrypted and not server.allow_cleartext:
        raise TlsFailed(
            "Without TLS, others could read the password. Nothing secret was sent.",
            advice='Set security to "tls" or "starttls"; or allow_cleartext = true if you own the network.',
        )
    order = ("PLAIN", "SCRAM-SHA-256") if encrypted else ("SCRAM-SHA-256", "PLAIN")
    for name in order:
        if f"AUTH={name}" in capabilities:
            return name
    if "LOGINDISABLED" in capabilities:
        raise LoginRefused(
            "The server offers no login method that termmail supports.",
            advice="Ask your provider for one of PLAIN, SCRAM-SHA-256 or LOGIN.",
        )
    return "LOGIN"


async def _log_in(dialogue: ImapDialogue, server: Server, capabilities: frozenset[str]) -> Status:
    way = way_to_log_in(server, capabilities)
    if way == "PLAIN":
        status = await _plain(dialogue, server, initial="SASL-IR" in capabilities)
        if status.condition is Condition.BAD and "LOGINDISABLED" not in capabilities:
            way = "LOGIN"  # some servers announce AUTH=PLAIN and do not know AUTHENTICATE
    elif way == "SCRAM-SHA-256":
        status = await _scram(dialogue, server, initial="SASL-IR" in capabilities)
    if way == "LOGIN":
        name, secret = astring(server.username.encode()), astring(server.credential.secret.encode())
        status = await dialogue.say(command("LOGIN", name, secret, shown_arguments=1))
    return dialogue.checked(command("LOGIN"), status)


async def _plain(dialogue: ImapDialogue, server: Server, *, initial: bool) -> Status:
    response = sasl.plain(server.username, server.credential.secret)
    return await _authenticate(dialogue, b"PLAIN", response, initial=initial)


async def _scram(dialogue: ImapDialogue, server: Server, *, initial: bool) -> Status:
    scram = sasl.Scram(server.username, server.credential.secret)
    exchange = _Exchange(dialogue)
    step = await exchange.begin(b"SCRAM-SHA-256", scram.first(), initial=initial)
    if isinstance(step, Challenge):
        step = await exchange.answer(await asyncio.to_thread(scram.answer, step.text))
        if isinstance(step, Challenge):
            scram.verify(step.text)
            return await exchange.end(await exchange.answer(b""))
    if step.ok:
        raise ProtocolError("The server skipped the part of the login that proves its identity.")
    return step


async def _authenticate(dialogue: ImapDialogue, name: bytes, response: bytes, *, initial: bool) -> Status:
    exchange = _Exchange(dialogue)
    return await exchange.end(await exchange.begin(name, response, initial=initial))


class _Exchange:
    """One AUTHENTICATE command."""

    def __init__(self, dialogue: ImapDialogue) -> None:
        self._dialogue = dialogue

    async def begin(self, name: bytes, response: bytes, *, initial: bool) -> Status | Challenge:
        """Send the client's first message, with the command if the server takes it there (SASL-IR, RFC 4959)."""
        dialogue = self._dialogue
        words = (name, response) if initial else (name,)
        self._waiter = dialogue.post(command("AUTHENTICATE", *words, shown_arguments=1))
        step = await dialogue.converse(self._waiter)
        return await self.answer(response) if isinstance(step, Challenge) and not initial else step

    async def answer(self, text: bytes) -> Status | Challenge:
        """Answer a challenge."""
        self._waiter = self._dialogue.respond(self._waiter, text)
        return await self._dialogue.converse(self._waiter)

    async def end(self, step: Status | Challenge) -> Status:
        """Return the answer; a challenge more, as of an error in JSON, is cancelled (RFC 3501 section 6.2.2)."""
        if isinstance(step, Challenge):
            step = await self.answer(b"*")
        if isinstance(step, Challenge):
            raise ProtocolError("The server asked for more instead of answering.")
        return step
