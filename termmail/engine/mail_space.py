"""What lies on the servers of the accounts, and deleting mail there that stays here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine.events import MessageChanged
from termmail.mail.shares import Grouping
from termmail.store import server_space

if TYPE_CHECKING:
    from collections.abc import Collection

    from termmail.engine.context import Context
    from termmail.engine.servers import Servers
    from termmail.mail.shares import Share


class Space:
    """Reads what the servers hold, as the last sync saw it. Every method may raise StoreError."""

    def __init__(self, context: Context, servers: Servers) -> None:
        self.context = context
        self._servers = servers

    def groupings(self, account: str) -> tuple[Grouping, ...]:
        """Return what the mail of an account can be grouped by: with IMAP by folder."""
        if self.context.account(account).protocol == "imap":
            return (Grouping.FOLDER,)
        return (Grouping.SIZE, Grouping.SENDER, Grouping.AGE)

    async def shares(self, account: str, grouping: Grouping) -> list[Share]:
        """Return what lies on the server of an account, the largest share first; by age the oldest first."""
        if self.context.account(account).protocol == "imap":
            return await self.context.db(server_space.on_imap, account)
        return await self.context.db(server_space.on_pop3, account, grouping, self.context.clock())

    async def free(self, message_ids: Collection[int]) -> dict[str, int]:
        """Delete messages on their POP3 server and keep them here; return how many that are, by account.

        The next sync deletes them, as it does every delete: the whole message is stored before, and the server must
        still show this very message.
        """
        counts = await self.context.db(server_space.free, list(message_ids), self.context.clock())
        if counts:
            self.context.tell(MessageChanged(tuple(message_ids)))
            self._servers.look_again()
        return counts
