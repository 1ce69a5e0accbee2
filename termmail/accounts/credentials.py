"""Passwords from a command, the keyring of the operating system, or a question; never from or to a plain file."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import threading
from typing import TYPE_CHECKING, TypeVar

from termmail.accounts.keyring_backend import find_backend, keyring_error, keyring_words
from termmail.accounts.password_command import run_command
from termmail.accounts.password_error import OTHER_WAYS, PasswordError
from termmail.credential import NO_CREDENTIAL, Credential, Password

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from keyring.backend import KeyringBackend

    from termmail.accounts.config import Account, Imap, Pop3, Smtp
    from termmail.credential import ServerKind

T = TypeVar("T")

__all__ = ["ASKED_AGAIN", "PasswordError", "Passwords"]

SERVICE = "termmail"
"""The service under which passwords are stored in the keyring."""
KEYRING_SECONDS = 120.0
"""How long a keyring may take: a person may have to type the keyring's own password first."""
NOT_GIVEN = "No password was given."
ASKED_AGAIN = "Checking mail asks again."
"""Advice for a password that was asked for and refused, or not given."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Passwords:
    """The passwords of one run of the program; each is fetched once and kept in memory until `forget`.

    `ask` is called with a sentence if neither a command nor the keyring has a
    password; it returns what was typed, or None. Without `ask`, and after a None, PasswordError is raised.
    """

    def __init__(self, ask: Callable[[str], Awaitable[str | None]] | None = None) -> None:
        self.ask = ask
        self._session: dict[str, Credential] = {}
        self._typed: set[str] = set()
        self._declined: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._backend: KeyringBackend | None = None

    def __repr__(self) -> str:
        return f"<Passwords: {len(self._session)} in memory>"

    async def get(self, account_name: str, kind: ServerKind, account: Account) -> Credential:
        """Return the password for one server of an account, from memory, the command, the keyring, or a question.

        SMTP falls back to the password of the incoming mail if it has none of its own and the user name is the same.
        Raises PasswordError.
        """
        if not account.server(kind).username:
            return NO_CREDENTIAL
        async with self._locks.setdefault(account_name, asyncio.Lock()):  # two tasks must not ask twice
            trouble = None
            for place, settings in _places(account, kind):
                try:
                    password = await self._find(place, settings, keyring=trouble is None)
                except PasswordError as error:
                    if settings.password_command:
                        raise
                    trouble, password = error, None
                if password is not None:
                    self._session[keyring_user(place, settings)] = password
                    return password
            return await self._asked(account_name, keyring_user(place, settings), settings, trouble)

    async def set(self, account_name: str, kind: ServerKind, account: Account, password: str) -> str:
        """Store a password in the keyring, and return the name of that keyring. Raises PasswordError."""
        user = keyring_user(kind, account.server(kind))
        credential = _checked(password, f"The password of {account_name}")
        await self._keyring(lambda backend: backend.set_password(SERVICE, user, credential.secret))
        if await self._keyring(lambda backend: backend.get_password(SERVICE, user)) != credential.secret:
            raise PasswordError("The keyring accepted the password but does not return it.", OTHER_WAYS)
        self._session[user] = credential
        self._typed.discard(user)
        self._declined.discard(user)
        return await self.backend_name()

    async def delete(self, kind: ServerKind, account: Account) -> None:
        """Forget a password, in memory and in the keyring; a missing one is no error. Raises PasswordError."""
        self.forget(kind, account)
        user = keyring_user(kind, account.server(kind))
        if await self._keyring(lambda backend: backend.get_password(SERVICE, user)) is not None:
            await self._keyring(lambda backend: backend.delete_password(SERVICE, user))

    def remember(self, account_name: str, kind: ServerKind, account: Account, password: str) -> None:
        """Keep a password for this run of the program only. Raises PasswordError if it cannot be sent."""
        user = keyring_user(kind, account.server(kind))
        self._session[user] = _checked(password, f"The password of {account_name}")
        self._typed.discard(user)
        self._declined.discard(user)

    def forget(self, kind: ServerKind, account: Account) -> None:
        """Drop a password from memory, so that the next `get` fetches it or asks again (after a refused login)."""
        for place, settings in _places(account, kind):
            user = keyring_user(place, settings)
            self._session.pop(user, None)
            self._typed.discard(user)
            self._declined.discard(user)

    def typed(self, kind: ServerKind, account: Account) -> bool:
        """Return whether the password in use was typed at a question, and is stored nowhere."""
        for place, settings in _places(account, kind):
            if (user := keyring_user(place, settings)) in self._session:
                return user in self._typed
        return False

    async def backend_name(self) -> str:
        """Return the name of the keyring in use. Raises PasswordError if there is none."""
        return await self._keyring(keyring_words)

    async def _find(self, kind: ServerKind, settings: Pop3 | Imap | Smtp, *, keyring: bool) -> Credential | None:
        user = keyring_user(kind, settings)
        if user in self._session:
            return self._session[user]
        if settings.password_command:
            return _checked(await run_command(settings.password_command), "What the password command printed")
        if not keyring:
            return None  # it has just failed
        stored = await self._keyring(lambda backend: backend.get_password(SERVICE, user))
        return None if stored is None else _checked(stored, "The password in the keyring")

    async def _asked(
        self, account_name: str, user: str, settings: Pop3 | Imap | Smtp, trouble: PasswordError | None
    ) -> Credential:
        where = f"{settings.username} at {settings.host}"
        if user in self._declined:
            raise PasswordError(NOT_GIVEN, ASKED_AGAIN)
        if self.ask is None:
            if trouble:
                raise trouble
            advice = f"Store one: termmail account password {shlex.quote(account_name)}. {OTHER_WAYS}"
            raise PasswordError(f"There is no password for {where}.", advice)
        answer = await self.ask(f"Password for {where}.{f' {trouble}' if trouble else ''}")
        if not answer:
            self._declined.add(user)
            raise PasswordError(NOT_GIVEN, ASKED_AGAIN)
        self._session[user] = _checked(answer, "The password")
        self._typed.add(user)
        return self._session[user]

    async def _keyring(self, verb: Callable[[KeyringBackend], T]) -> T:
        """Call `verb` with the keyring in a daemon thread, so that a hanging keyring cannot delay the exit."""

        def work() -> T:
            if self._backend is None:
                self._backend = find_backend()
            return verb(self._backend)

        try:
            return await asyncio.wait_for(_in_daemon_thread(work), KEYRING_SECONDS)
        except TimeoutError:
            raise PasswordError("The keyring did not answer.", f"Unlock it, then try again. {OTHER_WAYS}") from None
        except PasswordError:
            raise
        except Exception as error:  # noqa: BLE001  backends raise whatever D-Bus and their libraries raise
            raise keyring_error(error) from None


def keyring_user(kind: ServerKind, settings: Pop3 | Imap | Smtp) -> str:
    """Return the name of a password in the keyring: `pop3://ada@pop.example.org:995`."""
    return f"{kind}://{settings.username}@{settings.host}:{settings.port}"


async def _in_daemon_thread(work: Callable[[], T]) -> T:
    """Do as asyncio.to_thread does, in a thread that neither the loop nor the interpreter waits for at exit."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(result)  # type: ignore[arg-type]  # without an error it is a T
        else:
            answer.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001  handed to whoever awaits
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="termmail-keyring", daemon=True).start()
    return await answer


def _places(account: Account, kind: ServerKind) -> list[tuple[ServerKind, Pop3 | Imap | Smtp]]:
    """Return where a password may be stored: SMTP falls back to the server of incoming mail if the user name is the same."""
    if kind != "smtp":
        return [(account.protocol, account.incoming)]
    same = account.smtp.username == account.incoming.username
    return [("smtp", account.smtp), (account.protocol, account.incoming)] if same else [("smtp", account.smtp)]


def _checked(password: str, what: str) -> Credential:
    """Return a password that can be sent: a line break in it would become a command to the server."""
    if not password:
        raise PasswordError(f"{what} is empty.")
    if _CONTROLS.search(password):
        raise PasswordError(f"{what} holds a control character, which no mail server accepts.")
    return Password(password)
