"""The settings that are changed in the program: kept in config.toml, and in force at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from termmail.accounts import config_writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from termmail.accounts.config import Account, Notifications, Ui
    from termmail.engine.context import Context


class Fetching(NamedTuple):
    """Which messages are fetched whole without being opened: the keys of the same names of config.toml."""

    download: str
    prefetch_days: int


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

    def fetching(self, account: str) -> Fetching:
        """Return which messages of an account are fetched whole without being opened."""
        incoming = self.context.account(account).incoming
        return Fetching(incoming.download, incoming.prefetch_days)

    async def keep(self, ui: Ui, notifications: Notifications, fetching: Mapping[str, Fetching]) -> None:
        """Write what differs from the settings in force to config.toml, then put it in force.

        `fetching` is by account. Raises ConfigError; then nothing has changed.
        """
        config = self.context.config
        values: dict[tuple[str, ...], str | bool | int] = {}
        values |= {("ui", key): getattr(ui, key) for key in _UI if getattr(ui, key) != getattr(config.ui, key)}
        if notifications.new_mail != config.notifications.new_mail:
            values["notifications", "new_mail"] = notifications.new_mail
        for name, wanted in fetching.items():
            table = ("accounts", name, config.accounts[name].protocol)
            known = self.fetching(name)
            if wanted.download != known.download:
                values[*table, "download"] = wanted.download
            if wanted.prefetch_days != known.prefetch_days:
                values[*table, "prefetch_days"] = wanted.prefetch_days
        if values:
            await asyncio.to_thread(config_writer.set_values, self.context.paths.config, values)
            now = self.context.config  # an account may have been added meanwhile
            accounts = {
                name: _fetching(account, fetching[name]) if name in fetching else account
                for name, account in now.accounts.items()
            }
            self.context.config = replace(now, ui=ui, notifications=notifications, accounts=accounts)


_UI = ("theme", "keymap", "density", "pane", "ascii", "conversations", "reflow")
"""The keys of [ui] that are changed in the program."""


def _fetching(account: Account, wanted: Fetching) -> Account:
    """Return the account with another rule of what is fetched whole."""
    if account.pop3 is not None:
        return replace(account, pop3=replace(account.pop3, **wanted._asdict()))
    assert account.imap is not None
    return replace(account, imap=replace(account.imap, **wanted._asdict()))
