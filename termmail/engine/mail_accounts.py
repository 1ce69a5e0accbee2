"""The accounts: their settings, the state of their servers, receiving, adding and removing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine import account_setup, server_lookup
from termmail.engine.sync_status import Status
from termmail.store import imap_folders, pop3_identity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from termmail.accounts.config import Account
    from termmail.credential import Password
    from termmail.engine.context import Context
    from termmail.engine.folder_list import Folders
    from termmail.engine.server_lookup import LookedUp
    from termmail.engine.servers import Servers
    from termmail.engine.sync_status import SyncResult
    from termmail.net.trace import Trace


class Accounts:
    """The accounts of config.toml."""

    def __init__(self, context: Context, servers: Servers, folders: Folders) -> None:
        self.context = context
        self.servers = servers
        self.folders = folders

    @property
    def names(self) -> list[str]:
        """The names of the accounts, in the order of the config."""
        return self.context.accounts

    @property
    def default(self) -> str:
        """The account that new mail is written from; "" where there is none."""
        return self.context.default_account

    def settings(self, name: str) -> Account:
        """Return the settings of an account. Raises KeyError for an unknown name."""
        return self.context.account(name)

    def status(self, name: str) -> Status:
        """Return what is known of the account's server right now, from memory."""
        source = self.servers.known_source(name)
        return source.status if source else Status()

    async def last_sync(self, name: str) -> int | None:
        """Return when the account was last received from, by this or an earlier run (UTC seconds), or None."""
        if (last := self.status(name).last_sync) is not None:
            return last
        if self.settings(name).protocol == "imap":
            return await self.context.db(imap_folders.last_sync, name)
        return (await self.context.db(pop3_identity.account_state, name)).last_sync

    async def sync(self, name: str, *, full: bool = False) -> SyncResult:
        """Receive new mail and push due changes now; `full` compares the whole list even where nothing looks changed.

        Raises NetError, PasswordError or StoreError.
        """
        return await self.servers.source(name).sync(full=full)

    def fetch_bodies(self, name: str) -> None:
        """Fetch every message of which only the header is here, in the background; a failure becomes a Failed event."""
        self.servers.fetch_bodies(name)

    def sync_soon(self, name: str) -> None:
        """Receive, and send what was deferred, in the background; a failure becomes a Failed event."""
        self.servers.sync_soon(name)

    def try_account(
        self,
        account: Account,
        password: Password,
        smtp_password: Password | None = None,
        *,
        trace: Trace | None = None,
    ) -> AsyncIterator[account_setup.ServerTrial]:
        """Try both servers step by step, and yield what came of each. Nothing is saved."""
        return account_setup.try_account(account, password, smtp_password, trace=trace)

    async def look_up(self, address: str) -> LookedUp:
        """Ask the domain of an address for its mail servers. Call it only after the user has allowed it."""
        return await server_lookup.look_up(address, self.context.network)

    async def add(self, name: str, account: Account, password: str, smtp_password: str | None = None) -> str:
        """Save an account to config.toml and the keyring. Return the sentence that says where the password is.

        Raises ConfigError or StoreError.
        """
        words = await account_setup.add_account(self.context, name, account, password, smtp_password)
        await self.folders.ensure()
        self.servers.saved(name)
        return words

    async def remove(self, name: str) -> None:
        """Remove an account and its passwords; its mail stays. Raises ConfigError or PasswordError."""
        await account_setup.remove_account(self.context, name)
