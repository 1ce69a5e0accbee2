"""An IMAP server for the demo and the tests: IMAP4rev1 (RFC 3501) and the extensions of its personality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from termmail.demo.faults import GOOD, Manners
from termmail.demo.imap_personalities import DOVECOT, Personality
from termmail.demo.imapd_session import ImapServing
from termmail.demo.wire import Heard, Listener, Wire

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from termmail.demo.imap_mailbox import ImapMailbox

IDLE_SECONDS = 1800
"""An idle client is disconnected after half an hour (RFC 3501 section 5.4)."""


class ImapServer:
    """Serves the mailboxes of `users` on loopback, many sessions at once.

    `tls` offers STARTTLS; with `implicit` every connection starts with TLS (port 993). `cleartext=False` refuses logins
    outside TLS. `personality`, `manners` and the mailboxes may be changed at any time. Besides the verb (`"UID FETCH"`)
    and the verb with its arguments (literals as `{}`), `"#3"` names the third command of all sessions in the manners.
    """

    def __init__(
        self,
        users: Mapping[str, ImapMailbox],
        personality: Personality = DOVECOT,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        cleartext: bool = True,
        manners: Manners = GOOD,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.users = users
        self.personality = personality
        self.tls = None if implicit else tls
        self.cleartext = cleartext
        self.manners = manners
        self.host = host
        self.port = port
        self.commands = 0
        """The number of commands so far, of all sessions."""
        self._listener = Listener(
            self._serve, lambda: self.manners, tls=tls if implicit else None, idle_seconds=IDLE_SECONDS
        )

    async def _serve(self, wire: Wire, number: int) -> None:
        await ImapServing(self, wire, number).run()

    async def start(self) -> Self:
        """Listen; `port` then holds the port. Raises OSError if it is taken."""
        await self._listener.start(self.host, self.port)
        self.port = self._listener.port
        return self

    async def stop(self) -> None:
        """Disconnect all clients."""
        await self._listener.stop()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def log(self) -> list[Heard]:
        """Every line from the clients, in order; of commands without tag and literals."""
        return self._listener.log

    @property
    def sessions(self) -> int:
        """The number of connections so far."""
        return self._listener.count

    @property
    def open_sessions(self) -> int:
        """The number of open connections."""
        return self._listener.open_sessions

    @property
    def at_once(self) -> int:
        """The most lines that a client sent before an answer."""
        return self._listener.traffic.at_once

    @property
    def turns(self) -> int:
        """How often a client sent something after an answer, the greeting included."""
        return self._listener.traffic.turns

    @property
    def sent_bytes(self) -> int:
        """The bytes of all answers."""
        return self._listener.traffic.sent

    def heard(self, verb: str = "") -> list[str]:
        """Return the commands with this verb, such as "UID FETCH", from all sessions, or all lines."""
        return [one.line for one in self.log if not verb or f"{one.line} ".startswith(f"{verb} ")]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until `true()`; it is checked after each command heard, each answer and each end of a session."""
        await self._listener.until(true)

    def note(self, session: int, line: str, *, tls: bool) -> None:
        """Record a line in the log."""
        self._listener.note(session, line, tls=tls)

    def answered(self) -> None:
        """Wake `until`."""
        self._listener.wake()
