"""Open a session over POP3 or IMAP, and start TLS in one: what does not depend on the commands of the protocol."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, TypeVar

from termmail.net.net_errors import LoginRefused, NetError, Offline
from termmail.net.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from termmail.net.redaction import Secrets
    from termmail.net.stream import Server
    from termmail.net.trace import Trace

_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Dialogue(Protocol):
    """A connection that sends commands and delivers answers."""

    error: NetError | None
    """Why the connection was closed, or None."""
    secrets: Secrets
    """What is removed from every text of the server."""

    def fail(self, error: NetError) -> NetError:
        """Close the connection and fail everything that waits. Return the first reason."""

    async def close(self) -> None:
        """Drop the connection. Never raises."""


D = TypeVar("D", bound=Dialogue)
Session = TypeVar("Session")


async def open_session(
    server: Server,
    trace: Trace | None,
    converse: Callable[[Stream, Trace | None], D],
    log_in: Callable[[D], Awaitable[Session]],
) -> Session:
    """Connect, create the dialogue by `converse`, and return what `log_in` returns; close the connection if that fails.

    Raises Offline, TlsFailed, LoginRefused if name or password cannot be sent, and what `log_in` raises.
    """
    if _UNSENDABLE.search(server.username + server.credential.secret):
        raise LoginRefused("The user name or the password holds a character that cannot be sent, such as a line break.")
    dialogue = converse(await Stream.connect(server), trace)
    dialogue.secrets.hide_login(server.username, server.credential.secret)
    try:
        return await log_in(dialogue)
    except BaseException:
        await dialogue.close()
        raise


async def start_tls(dialogue: Dialogue, stream: Stream) -> None:
    """Start TLS on the stream of a dialogue, after the answer to STLS or STARTTLS; a failure closes the dialogue.

    Raises TlsFailed, ProtocolError if plaintext follows that answer, or the error that closed the dialogue meanwhile.
    """
    if dialogue.error is not None:
        raise dialogue.error
    try:
        await stream.start_tls()
    except BaseException as error:
        dialogue.fail(error if isinstance(error, NetError) else Offline("The connection was closed."))
        raise
    if dialogue.error is not None:
        raise dialogue.error
