"""An IMAP server for the demo and the tests: IMAP4rev1 (RFC 3501) and the extensions of its personality."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Unpack

from termmail.demo.embedded_server import EmbeddedServer, Options
from termmail.demo.imap_personalities import DOVECOT, Personality
from termmail.demo.imapd_session import ImapServing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from termmail.demo.imap_mailbox import ImapMailbox
    from termmail.demo.wire import Wire


class ImapServer(EmbeddedServer):
    """Serves the mailboxes of `users` on loopback, many sessions at once.

    `tls` offers STARTTLS; with `implicit` every connection starts with TLS (port 993). `cleartext=False` refuses logins
    outside TLS. `personality`, `manners` and the mailboxes may be changed at any time. Besides the verb (`"UID FETCH"`)
    and the verb with its arguments (literals as `{}`), `"#3"` names the third command of all sessions in the manners.
    `log` has the commands without tag and literals.
    """

    idle_seconds: ClassVar[float] = 1800
    """An idle client is disconnected after half an hour (RFC 3501 section 5.4)."""

    def __init__(
        self, users: Mapping[str, ImapMailbox], personality: Personality = DOVECOT, **options: Unpack[Options]
    ) -> None:
        super().__init__(**options)
        self.users = users
        self.personality = personality
        self.commands = 0
        """The number of commands so far, of all sessions."""

    async def _serve(self, wire: Wire, number: int) -> None:
        await ImapServing(self, wire, number).run()

    def heard(self, verb: str = "") -> list[str]:
        """Return the commands with this verb, such as "UID FETCH", from all sessions, or all lines."""
        return [one.line for one in self.log if not verb or f"{one.line} ".startswith(f"{verb} ")]
