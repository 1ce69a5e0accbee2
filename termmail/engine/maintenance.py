"""Checking what the program depends on: the store, and the servers of an account. Rebuilding the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine import account_setup
from termmail.net.net_errors import NetError
from termmail.net.trace import Trace
from termmail.store import rebuild as rebuilding
from termmail.store.store import Store
from termmail.store.store_errors import StoreDamaged

if TYPE_CHECKING:
    from termmail.engine.context import Context, Kind

__all__ = ["Trace", "check_store", "rebuild", "try_server"]


async def check_store(context: Context) -> None:
    """Read the whole store and raise StoreDamaged where SQLite's integrity check finds a fault."""
    if faults := await context.db(Store.check):
        raise StoreDamaged(f"The mail store {context.paths.data / 'mail.db'} is damaged: {faults[0]}.")


async def rebuild(context: Context) -> int:
    """Make lists and search again from the raw bytes, and return how many messages there were."""
    return await context.db(rebuilding.rebuild)


async def try_server(context: Context, account: str, kind: Kind, trace: Trace | None = None) -> str:
    """Log in to a server of an account and out again; return a sentence that says what works.

    Raises PasswordError, or NetError with advice for a server that was only tried.
    """
    settings = context.account(account)
    password = await context.passwords.get(account, kind, settings)
    try:
        return await account_setup.try_server(settings, kind, password, trace)
    except NetError as error:
        error.advice = account_setup.advice_while_trying(error, settings, kind, account)
        raise
