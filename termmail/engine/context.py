"""What every part of the engine depends on: store thread, events, tasks, clock, settings, passwords and paths."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from termmail.accounts import paths as locations
from termmail.accounts.config import EVER, whole_since
from termmail.engine.clock import now
from termmail.engine.events import Event, Failed
from termmail.engine.tasks import Tasks
from termmail.store import migrate
from termmail.store.store import Store
from termmail.store.store_errors import StoreError, StoreFull, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.accounts.config import Account, Config
    from termmail.accounts.credentials import Passwords
    from termmail.accounts.paths import Paths
    from termmail.credential import Credential, ServerKind
    from termmail.net.lookup.domain_lookup import Network
    from termmail.net.stream import Server

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("termmail")


class Context:
    """The shared services of one Engine. Parts (sync, sender, reader, transfer) take a Context, never the Engine.

    `clock` returns the wall time in UTC seconds; durations are measured with the loop's monotonic clock.
    """

    def __init__(self, paths: Paths, config: Config, passwords: Passwords, *, clock: Callable[[], int] = now) -> None:
        self.paths = paths
        self.config = config
        self.passwords = passwords
        self.clock = clock
        self.tasks = Tasks(self._tell_bug)
        self.network: Network | None = None
        """Where the servers of an address are looked up; None is the system's DNS and HTTPS."""
        self.indexing = asyncio.Lock()
        """Held while messages are indexed: once at a time."""
        self.fetch_all: set[str] = set()
        """Accounts whose next sync fetches every message whole."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._store: Store | None = None
        self._listeners: list[Callable[[Event], None]] = []

    # -- the store

    async def open(self) -> None:
        """Open the store on its thread, creating and migrating it where needed.

        Raises StoreError where it cannot be opened.
        """
        try:
            self._store = await self._on_thread(open_store, self.paths)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Close the store and end its thread. `tasks.close` comes first."""
        store, self._store = self._store, None
        if store is not None:
            await self._on_thread(store.close)
        self._thread.shutdown(wait=False)

    async def db(self, function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one whole function of the store on the store thread. Raises StoreError when the store is closed."""
        if self._store is None:
            raise StoreError("The mail store is closed.")
        return await self._on_thread(function, self._store, *args, **kwargs)

    async def _on_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(function, *args, **kwargs))

    @property
    def read_only(self) -> bool:
        """Whether the data folder cannot be written, or the disk is full: mail can be read, nothing else."""
        return self._store is not None and self._store.read_only

    @property
    def disk_full(self) -> bool:
        """Whether the store is read-only because the disk was full when it was opened."""
        return self._store is not None and self._store.disk_full

    # -- events

    def tell(self, event: Event) -> None:
        """Call every listener with the event, on the loop.

        An exception of a listener is logged and goes no further: it must not end a sync or a send.
        """
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed on %s", type(event).__name__)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event, on the loop; call the returned function to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell_bug(self, _error: BaseException) -> None:
        where = f"The log has the details: {self.paths.log}."
        self.tell(Failed("", "Something in termmail went wrong; your mail is safe.", where))

    # -- accounts

    @property
    def accounts(self) -> list[str]:
        """The names of the accounts, in the order of the config."""
        return list(self.config.accounts)

    @property
    def default_account(self) -> str:
        """The account that new mail is written from; "" where there is none."""
        return self.config.default_account or next(iter(self.config.accounts), "")

    def account(self, name: str) -> Account:
        """Return the settings of an account. Raises KeyError for an unknown name."""
        return self.config.accounts[name]

    def whole_since(self, account: str) -> int | None:
        """Return the date from which on a sync fetches messages whole (UTC seconds); None: it fetches headers only."""
        return EVER if account in self.fetch_all else whole_since(self.account(account).incoming.download, self.clock())

    async def server(self, account: str, kind: ServerKind) -> Server:
        """Return the POP3 or SMTP server of an account with its password. Raises PasswordError."""
        settings = self.account(account)
        return server_for(settings, kind, await self.passwords.get(account, kind, settings))


def open_store(paths: Paths) -> Store:
    """Open the mail store in the data folder, creating it where it is missing.

    It is opened for reading only where the folder cannot be written or the disk is full. Raises PathError or
    StoreError.
    """
    if not locations.prepare(paths):
        return Store.open(paths.store, read_only=True)
    try:
        return Store.open(paths.store)
    except (StoreReadOnly, StoreFull) as error:
        store = Store.open(paths.store, read_only=True)
        store.disk_full = isinstance(error, StoreFull)
        return store


def upgrade_store(paths: Paths, progress: Callable[[str], None]) -> None:
    """Bring a store of an older termmail up to date; `progress` gets words for the user. Does nothing else.

    Raises StoreError where it cannot be brought up to date.
    """
    if migrate.is_outdated(paths.store) and locations.prepare(paths):
        Store.open(paths.store, progress=progress).close()


def server_for(account: Account, kind: ServerKind, credential: Credential) -> Server:
    """Return the connection settings and the login of one of an account's servers."""
    from termmail.net.stream import Server  # noqa: PLC0415 - TLS loads when a server is asked

    settings = account.server(kind)
    return Server(
        kind=kind,
        host=settings.host,
        port=settings.port,
        security=settings.security,
        username=settings.username or "",
        credential=credential,
        allow_cleartext=settings.allow_cleartext,
        timeout_seconds=settings.timeout_seconds,
        tls_ca_file=settings.tls_ca_file,
    )
