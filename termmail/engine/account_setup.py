"""Set up an account: try both servers, then save it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from termmail.accounts import config as configuration
from termmail.accounts import config_writer
from termmail.accounts.credentials import ASKED_AGAIN, PasswordError
from termmail.accounts.discovery import oauth_note
from termmail.engine.context import server_for
from termmail.mail.counting import count
from termmail.net.net_errors import Busy, LoginRefused, NetError, Offline
from termmail.net.trace import Trace

__all__ = [
    "ServerTrial",
    "Trace",
    "add_account",
    "advice_while_trying",
    "keep_password",
    "login_advice",
    "remove_account",
    "try_account",
    "try_server",
]

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from termmail.accounts.config import Account
    from termmail.credential import Credential, ServerKind
    from termmail.engine.context import Context
    from termmail.errors import UserError


class ServerTrial(NamedTuple):
    """The result of trying one server: a sentence, the error if there was one, and which server refused the login."""

    words: str
    error: NetError | None = None
    refused: ServerKind | None = None

    @property
    def well(self) -> bool:
        """Whether the server can be used."""
        return self.error is None


async def try_server(account: Account, kind: ServerKind, credential: Credential, trace: Trace | None = None) -> str:
    """Log in to one server and out again, and return a sentence that tells the result. Raises NetError."""
    from termmail.net.smtp import submission  # noqa: PLC0415 - not needed for the first screen

    if kind == "smtp":
        await submission.check(server_for(account, "smtp", credential), trace=trace)
        return f"Sending through {account.smtp.host} works."
    there = await (_imap_count if account.protocol == "imap" else _pop3_count)(account, credential, trace)
    return received(account, there)


def received(account: Account, there: int) -> str:
    """Return the sentence that receiving works; `there` is the number of messages in the maildrop or the inbox."""
    wait = "waits" if there == 1 else "wait"
    return f"Receiving from {account.incoming.host} works: {count(there, 'message')} {wait} there."


async def _pop3_count(account: Account, credential: Credential, trace: Trace | None) -> int:
    """Return how many messages are in the maildrop."""
    from termmail.net.pop3.maildrop import Maildrop  # noqa: PLC0415

    drop = await Maildrop.open(server_for(account, "pop3", credential), trace=trace)
    await drop.commit()
    return drop.count


async def _imap_count(account: Account, credential: Credential, trace: Trace | None) -> int:
    """Return how many messages are in the inbox."""
    from termmail.net.imap.imap_session import ImapSession  # noqa: PLC0415

    session = await ImapSession.open(server_for(account, "imap", credential), trace)
    try:
        return (await session.status(b"INBOX")).messages or 0
    finally:
        await session.logout()


async def try_account(
    account: Account, incoming: Credential, smtp: Credential | None = None, *, trace: Trace | None = None
) -> AsyncIterator[ServerTrial]:
    """Log in to both servers of an account that is not saved yet, and yield the result of each."""
    credentials: dict[ServerKind, Credential] = {account.protocol: incoming, "smtp": smtp or incoming}
    for kind, credential in credentials.items():
        host = account.server(kind).host
        doing = "Sending through" if kind == "smtp" else "Receiving from"
        try:
            yield ServerTrial(await try_server(account, kind, credential, trace))
        except NetError as error:
            words = f"{doing} {host}: {error} {advice_while_trying(error, account, kind)}"
            login = isinstance(error, LoginRefused) and not error.has_own_advice
            yield ServerTrial(words, error, kind if login else None)


def advice_while_trying(error: UserError, account: Account, kind: ServerKind, name: str = "") -> str:
    """Return what to do when a server that was only tried refuses: nothing is tried again by itself.

    `name` is that of a saved account, "" before there is one.
    """
    if isinstance(error, LoginRefused):
        return login_advice(error, account, kind, name)
    return error.advice_by_hand


def login_advice(
    error: LoginRefused, account: Account, kind: ServerKind, name: str = "", *, typed: bool = False
) -> str:
    """Return what to do about a refused login: where the password comes from, and how to store another.

    `typed` tells that the password was asked for and is stored nowhere.
    """
    if error.has_own_advice:
        return error.advice
    if words := oauth_note(account.server(kind).host):
        return words
    command = account.server(kind).password_command
    if kind == "smtp" and account.smtp.username == account.incoming.username:
        command = command or account.incoming.password_command
    if command:
        return "Check what your password_command prints."
    if not name:
        return "Check the user name and the password, then try again; many providers want an app password."
    if typed:
        return f"Check the user name and the password. {ASKED_AGAIN}"
    server = " --server smtp" if kind == "smtp" else ""
    return f"Check the user name; store another password with: termmail account password {name}{server}"


def background_advice(error: UserError) -> str:
    """Return what to do about a failure in the background, where a server that cannot be reached is tried again."""
    again = " termmail tries again by itself." if isinstance(error, Offline | Busy) else ""
    return f"{error.advice}{again}"


async def add_account(context: Context, name: str, account: Account, password: str, smtp_password: str | None) -> str:
    """Save the account to config.toml and its password to the keyring.

    Return the sentence that tells where the password is. Raises ConfigError where config.toml cannot be written; then no
    account was added.
    """
    first = not context.config.accounts
    await asyncio.to_thread(config_writer.add_account, context.paths.config, name, account, default=first)
    context.config = await asyncio.to_thread(configuration.load, context.paths.config)
    saved: dict[ServerKind, str] = {account.protocol: password}
    if smtp_password is not None:
        saved["smtp"] = smtp_password
    elif account.smtp.username not in {"", account.incoming.username}:
        saved["smtp"] = password  # a login with another user name does not look at that of the incoming mail
    words = "There is nothing to keep secret: these servers ask for no password."
    for kind, secret in saved.items():
        words = await keep_password(context, name, kind, secret)
    return words


async def remove_account(context: Context, name: str) -> None:
    """Remove the account from config.toml, and its passwords from the keyring. Its mail stays.

    Raises ConfigError where config.toml cannot be written; then nothing was removed. Raises PasswordError where the
    account is removed and a password may still be in a keyring.
    """
    account = context.account(name)
    await asyncio.to_thread(config_writer.remove_account, context.paths.config, name)
    context.config = await asyncio.to_thread(configuration.load, context.paths.config)
    kinds: tuple[ServerKind, ...] = (account.protocol, "smtp")
    for kind in kinds:
        await context.passwords.delete(kind, account)


async def keep_password(context: Context, name: str, kind: ServerKind, password: str) -> str:
    """Store a password in the keyring, or keep it for this session only. Return the sentence that tells which."""
    account = context.account(name)
    if not password:
        return "No password was given."
    try:
        backend = await context.passwords.set(name, kind, account, password)
    except PasswordError as error:
        context.passwords.remember(name, kind, account, password)
        why = str(error).rstrip(".")
        return (
            f"{why}: termmail asks for the password once per session. (password_command in config.toml is another way.)"
        )
    return f"The password is in {backend}."
