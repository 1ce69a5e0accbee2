"""Opening what the engine stands on, and setting up an account: try both servers, then save."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from termmail.accounts import config as configuration
from termmail.accounts import paths as places
from termmail.accounts.passwords import PasswordError
from termmail.net.errors import NetError
from termmail.store.errors import StoreFull, StoreReadOnly
from termmail.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from termmail.accounts.config import Account, Pop3, Smtp
    from termmail.accounts.paths import Paths
    from termmail.engine.engine import Engine
    from termmail.net.stream import Server
    from termmail.net.trace import Trace


def open_store(paths: Paths) -> Store:
    """The mail store in the data folder, made where it is missing; for reading only where nothing can be written
    there (SAFETY L8), also on a full disk. Raises PathError or StoreError.
    """
    path = paths.data / "mail.db"
    if not places.prepare(paths):
        return Store.open(path, read_only=True)
    try:
        return Store.open(path)
    except (StoreReadOnly, StoreFull):
        return Store.open(path, read_only=True)


def server(kind: Literal["pop3", "smtp"], settings: Pop3 | Smtp, password: str) -> Server:
    """What the net room needs to know of a server."""
    from termmail.net.stream import Server  # noqa: PLC0415 - TLS loads when a server is asked

    return Server(
        kind=kind,
        host=settings.host,
        port=settings.port,
        security=settings.security,
        username=settings.username or "",
        password=password,
        allow_cleartext=settings.allow_cleartext,
        timeout_seconds=settings.timeout_seconds,
        tls_ca_file=settings.tls_ca_file,
    )


async def try_server(account: Account, kind: Literal["pop3", "smtp"], password: str, trace: Trace | None = None) -> str:
    """Log in to one server ("pop3" or "smtp") and out again; a sentence that says how well. Raises NetError."""
    from termmail.net import smtp  # noqa: PLC0415 - not needed for the first screen
    from termmail.net.maildrop import Maildrop  # noqa: PLC0415

    if kind == "smtp":
        await smtp.check(server("smtp", account.smtp, password), trace=trace)
        return f"Sending through {account.smtp.host} works."
    drop = await Maildrop.open(server("pop3", account.pop3, password), trace=trace)
    await drop.commit()
    wait = "1 message waits" if drop.count == 1 else f"{drop.count} messages wait"
    return f"Receiving from {account.pop3.host} works: {wait} there."


async def try_account(
    account: Account, pop3_password: str, smtp_password: str | None = None, *, trace: Trace | None = None
) -> AsyncIterator[tuple[str, bool]]:
    """Log in to both servers and out again; a sentence for each step and whether it went well."""
    outgoing = pop3_password if smtp_password is None else smtp_password
    passwords: dict[Literal["pop3", "smtp"], str] = {"pop3": pop3_password, "smtp": outgoing}
    for kind, password in passwords.items():
        host = account.pop3.host if kind == "pop3" else account.smtp.host
        doing = "Receiving from" if kind == "pop3" else "Sending through"
        try:
            yield await try_server(account, kind, password, trace), True
        except NetError as error:
            yield f"{doing} {host}: {error} {error.advice}", False


async def add_account(engine: Engine, name: str, account: Account, password: str, smtp_password: str | None) -> str:
    """Password into the keyring, account into config.toml. Returns the sentence that says where the password is.

    Raises ConfigError where config.toml cannot be written; then no account was added.
    """
    first = not engine.config.accounts
    await asyncio.to_thread(configuration.add_account, engine.paths.config, name, account, default=first)
    engine.config = await asyncio.to_thread(configuration.load, engine.paths.config)
    saved = {"pop3": password} if smtp_password is None else {"pop3": password, "smtp": smtp_password}
    words = "There is nothing to keep secret: these servers ask for no password."
    for kind, secret in saved.items():
        words = await keep_password(engine, name, kind, secret)
    return words


async def keep_password(engine: Engine, name: str, kind: str, password: str) -> str:
    """Put a password into the keyring, or keep it for this session only; the sentence that says which."""
    account = engine.account(name)
    if not password:
        return "No password was given."
    try:
        backend = await engine.passwords.set(name, kind, account, password)
    except PasswordError as error:
        engine.passwords.remember(name, kind, account, password)
        return f"{error} termmail will ask for the password once per session. {error.advice}"
    return f"The password is in {backend}."
