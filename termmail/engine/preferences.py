"""The settings that are changed in the program: kept in config.toml, and in force at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.accounts import config_writer

if TYPE_CHECKING:
    from termmail.accounts.config import Account, Notifications, Ui
    from termmail.engine.context import Context


class Preferences:
    """Reads and keeps settings of the screen, of notifications, and of what is fetched from the servers."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def ui(self) -> Ui:
        """The settings of the screen."""
        return self.context.config.ui

    @property
    def notifications(self) -> Notifications:
        """How new mail is announced."""
        return self.context.config.notifications

    def download(self, account: str) -> str:
        """Return which messages of an account are fetched whole."""
        return self.context.account(account).incoming.download

    async def keep(self, ui: Ui, notifications: Notifications, downloads: dict[str, str]) -> None:
        """Write what differs from the settings in force to config.toml, then put it in force.

        `downloads` is by account. Raises ConfigError; then nothing has changed.
        """
        config = self.context.config
        values: dict[tuple[str, ...], str | bool] = {}
        values |= {("ui", key): getattr(ui, key) for key in _UI if getattr(ui, key) != getattr(config.ui, key)}
        if notifications.new_mail != config.notifications.new_mail:
            values["notifications", "new_mail"] = notifications.new_mail
        accounts = dict(config.accounts)
        for name, download in downloads.items():
            if download != self.download(name):
                values["accounts", name, accounts[name].protocol, "download"] = download
                accounts[name] = _downloading(accounts[name], download)
        if values:
            await asyncio.to_thread(config_writer.set_values, self.context.paths.config, values)
            self.context.config = replace(config, ui=ui, notifications=notifications, accounts=accounts)


_UI = ("theme", "keymap", "density", "pane", "ascii")
"""The keys of [ui] that are changed in the program."""


def _downloading(account: Account, download: str) -> Account:
    """Return the account with another rule of what is fetched whole."""
    if account.pop3 is not None:
        return replace(account, pop3=replace(account.pop3, download=download))
    assert account.imap is not None
    return replace(account, imap=replace(account.imap, download=download))
