"""Passwords: from a command, the keyring of the operating system, or asked for once. Never from or to a plain file."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import re
import signal
import sys
import threading
from typing import TYPE_CHECKING, TypeVar

from termmail.errors import ErrorCode, UserError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from keyring.backend import KeyringBackend

    from termmail.accounts.config import Account, Pop3, Smtp

T = TypeVar("T")

SERVICE = "termmail"
COMMAND_SECONDS = 30.0
KEYRING_SECONDS = 120.0  # a person may have to type the keyring's own password first
_LONGEST_OUTPUT = 65536
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# Only these keep a secret from other programs' files. Anything else that is installed (keyrings.alt stores plain
# text) or named (null, fail, chainer) is refused before it is imported.
_BACKENDS = {
    "keyring.backends.SecretService.Keyring": "the Secret Service (GNOME Keyring, KeePassXC)",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.macOS.Keyring": "the macOS Keychain",
    "keyring.backends.Windows.WinVaultKeyring": "the Windows Credential Locker",
}
_ELSE = "Or name a command as password_command in config.toml; without either, termmail asks once per session."


class PasswordError(UserError):
    """There is no password to be had. `str(error)` says why in a sentence, `advice` what to do next; no secret in it."""

    code = ErrorCode.LOGIN


class Secret(str):
    """A password that does not show itself in a repr, and so in no traceback that prints local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(...)"


ASKED_AGAIN = "It is asked for again when you check for mail."


class Passwords:
    """The passwords of one run of the program; each is fetched once and kept in memory until `forget`.

    `kind` is "pop3" or "smtp" throughout. `ask` is called with a sentence when neither a command nor the keyring has a password; it returns what the person
    typed, or None. Without `ask`, and after a None, PasswordError is raised.
    """

    def __init__(self, ask: Callable[[str], Awaitable[str | None]] | None = None) -> None:
        self.ask = ask
        self._session: dict[str, Secret] = {}
        self._typed: set[str] = set()
        self._declined: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._backend: KeyringBackend | None = None

    def __repr__(self) -> str:
        return f"<Passwords: {len(self._session)} in memory>"

    async def get(self, account_name: str, kind: str, account: Account) -> str:
        """The password for one server of an account: command, keyring, memory, or asked for, in this order.

        SMTP falls back to the POP3 password where it has none of its own and the user name is the same.
        Raises PasswordError.
        """
        if not _settings(account, kind).username:
            return ""  # a server without login
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

    async def set(self, account_name: str, kind: str, account: Account, password: str) -> str:
        """Put a password into the keyring; returns the words for the keyring that has it now. Raises PasswordError."""
        user = keyring_user(kind, _settings(account, kind))
        secret = _checked(password, f"The password of {account_name}")
        await self._keyring(lambda backend: backend.set_password(SERVICE, user, str(secret)))
        if await self._keyring(lambda backend: backend.get_password(SERVICE, user)) != secret:
            raise PasswordError("The keyring took the password but does not give it back.", _ELSE)
        self._session[user] = secret
        self._typed.discard(user)
        self._declined.discard(user)
        return await self.backend_name()

    async def delete(self, account_name: str, kind: str, account: Account) -> None:
        """Forget a password, in memory and in the keyring; one that is not there is no error. Raises PasswordError."""
        self.forget(account_name, kind, account)
        user = keyring_user(kind, _settings(account, kind))
        if await self._keyring(lambda backend: backend.get_password(SERVICE, user)) is not None:
            await self._keyring(lambda backend: backend.delete_password(SERVICE, user))

    def remember(self, account_name: str, kind: str, account: Account, password: str) -> None:
        """Keep a password for this run of the program only. Raises PasswordError for one that cannot be sent."""
        user = keyring_user(kind, _settings(account, kind))
        self._session[user] = _checked(password, f"The password of {account_name}")
        self._typed.discard(user)
        self._declined.discard(user)

    def forget(self, _account_name: str, kind: str, account: Account) -> None:
        """Drop a password from memory, so that the next get() fetches or asks again (after a refused login)."""
        for place, settings in _places(account, kind):
            user = keyring_user(place, settings)
            self._session.pop(user, None)
            self._typed.discard(user)
            self._declined.discard(user)

    def typed(self, kind: str, account: Account) -> bool:
        """Whether the password in use was typed when it was asked for, and lies nowhere else."""
        for place, settings in _places(account, kind):
            if (user := keyring_user(place, settings)) in self._session:
                return user in self._typed
        return False

    async def backend_name(self) -> str:
        """Words for the keyring in use, for the reader. Raises PasswordError where there is none."""
        return await self._keyring(lambda backend: _BACKENDS[_dotted(type(backend))])

    async def _find(self, kind: str, settings: Pop3 | Smtp, *, keyring: bool) -> Secret | None:
        user = keyring_user(kind, settings)
        if user in self._session:
            return self._session[user]
        if settings.password_command:
            return _checked(await run_command(settings.password_command), "What the password command printed")
        if not keyring:
            return None  # it has just failed: it need not fail twice
        stored = await self._keyring(lambda backend: backend.get_password(SERVICE, user))
        return None if stored is None else _checked(stored, "The password in the keyring")

    async def _asked(
        self, account_name: str, user: str, settings: Pop3 | Smtp, trouble: PasswordError | None
    ) -> Secret:
        where = f"{settings.username} at {settings.host}"
        if self.ask is None or user in self._declined:
            if trouble:
                raise trouble
            advice = f"Store one: termmail account password {account_name}. {_ELSE}"
            raise PasswordError(f"There is no password for {where}.", advice)
        answer = await self.ask(f"Password for {where}.{f' {trouble}' if trouble else ''}")
        if not answer:
            self._declined.add(user)
            raise PasswordError(f"No password was given for {where}.", ASKED_AGAIN)
        self._session[user] = _checked(answer, "The password")
        self._typed.add(user)
        return self._session[user]

    async def _keyring(self, verb: Callable[[KeyringBackend], T]) -> T:
        """Do `verb` with the keyring in a thread of its own, so that a keyring that hangs cannot hold up the end."""

        def work() -> T:
            if self._backend is None:
                self._backend = find_backend()
            return verb(self._backend)

        try:
            return await asyncio.wait_for(_in_daemon_thread(work), KEYRING_SECONDS)
        except TimeoutError:
            raise PasswordError("The keyring did not answer.", f"Unlock it, then try again. {_ELSE}") from None
        except PasswordError:
            raise
        except Exception as error:  # noqa: BLE001  the wall: backends raise whatever D-Bus and their libraries raise
            raise _in_words(error) from None


def keyring_user(kind: str, settings: Pop3 | Smtp) -> str:
    """The name a password has in the keyring: `pop3://ada@pop.example.org:995`."""
    return f"{kind}://{settings.username}@{settings.host}:{settings.port}"


def find_backend() -> KeyringBackend:
    """The best allow-listed keyring that works here. Raises PasswordError. Blocks for some 30 ms (D-Bus)."""
    named = _named_backend()
    if named and named not in _BACKENDS:
        off = named.rpartition(".")[0] in {"keyring.backends.null", "keyring.backends.fail"}
        words = (
            "The keyring is turned off"
            if off
            else f"The keyring {named[:80]!r} is not one that termmail trusts with a password"
        )
        raise PasswordError(
            f"{words} (by PYTHON_KEYRING_BACKEND or keyringrc.cfg).",
            f"Remove that setting, so that termmail finds {' or '.join(list(_BACKENDS.values())[:2])}. {_ELSE}",
        )
    best: KeyringBackend | None = None
    for dotted in [named] if named else _BACKENDS:
        backend = _load(dotted)
        if backend is not None and (best is None or backend.priority > best.priority):
            best = backend
    if best is None:
        raise PasswordError("No keyring of the operating system is running here.", _how_to_start())
    return best


def _named_backend() -> str:
    """What the user told the keyring library to use, read without letting it import anything."""
    if named := os.environ.get("PYTHON_KEYRING_BACKEND", "").strip():
        return named
    import configparser  # noqa: PLC0415

    from keyring.util import platform_  # noqa: PLC0415

    settings = configparser.RawConfigParser()
    with contextlib.suppress(configparser.Error, OSError, UnicodeDecodeError):
        settings.read(platform_.config_root() / "keyringrc.cfg", encoding="utf-8")
    return settings.get("backend", "default-keyring", fallback="").strip()


def _load(dotted: str) -> KeyringBackend | None:
    """One backend, or None where it cannot work here: wrong system, library missing, service not running."""
    module, _, name = dotted.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
        backend: KeyringBackend | None = kind() if kind.priority > 0 else None
    except Exception:  # noqa: BLE001  the wall: `priority` asks D-Bus and raises whatever that raises
        return None
    return backend


def _dotted(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _how_to_start() -> str:
    if sys.platform != "linux":
        return _ELSE
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return f"There is no D-Bus session (as over ssh): start one with dbus-run-session and unlock a keyring. {_ELSE}"
    return f"Install and start GNOME Keyring, KWallet or KeePassXC. {_ELSE}"


def _in_words(error: Exception) -> PasswordError:
    """A backend's exception in plain words; its own text stays out, for nobody knows what it holds."""
    from keyring import errors  # noqa: PLC0415

    if isinstance(error, errors.KeyringLocked) or type(error).__name__ in {
        "LockedException",
        "PromptDismissedException",
    }:
        return PasswordError("The keyring is locked.", f"Unlock it, then try again. {_ELSE}")
    if isinstance(error, errors.InitError):
        return PasswordError("The keyring could not be opened.", f"Open it in its own program once. {_ELSE}")
    if isinstance(error, errors.NoKeyringError):
        return PasswordError("No keyring of the operating system is running here.", _how_to_start())
    if isinstance(error, errors.PasswordSetError):
        return PasswordError("The keyring would not store the password.", _ELSE)
    if isinstance(error, errors.PasswordDeleteError):
        return PasswordError("The keyring would not delete the password.", "Delete it in the keyring's own program.")
    return PasswordError("The keyring does not answer as it should.", f"Restart it, then try again. {_ELSE}")


async def _in_daemon_thread(work: Callable[[], T]) -> T:
    """As asyncio.to_thread, in a thread that neither the loop nor the interpreter waits for at the end."""
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
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="termmail-keyring", daemon=True).start()
    return await answer


async def run_command(argv: Sequence[str], seconds: float = COMMAND_SECONDS) -> str:
    """The first line a program prints (without its line end). No shell, no terminal; raises PasswordError.

    What it prints to stderr is dropped, for it may hold the secret; the error names the program and its exit code.
    """
    program = argv[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise PasswordError(
            f"The password command {program!r} was not found.", "Install it, or correct password_command."
        ) from None
    except (OSError, ValueError):
        raise PasswordError(f"The password command {program!r} cannot be run.", "Correct password_command.") from None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            output = await _bounded(process.stdout)
            code = await process.wait()
    except TimeoutError:
        advice = "Run it by hand once: it may wait for a passphrase, which it cannot ask for here."
        raise PasswordError(f"The password command {program!r} took longer than {seconds:g} seconds.", advice) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if code:
        ended = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise PasswordError(
            f"The password command {program!r} failed with {ended}.", "Run it by hand to see what it says."
        )
    line = output.split(b"\n", 1)[0].removesuffix(b"\r")
    if len(line) >= _LONGEST_OUTPUT - 1:
        raise PasswordError(f"The password command {program!r} printed far more than a password.")
    try:
        return line.decode()
    except UnicodeDecodeError:
        pass  # outside the handler, so that no traceback carries the bytes
    raise PasswordError(f"The password command {program!r} printed something that is not text.")


async def _bounded(stream: asyncio.StreamReader) -> bytes:
    """All that comes, keeping only the first 64 KiB."""
    output = b""
    while chunk := await stream.read(_LONGEST_OUTPUT):
        output = (output + chunk)[:_LONGEST_OUTPUT]
    return output


def _places(account: Account, kind: str) -> list[tuple[str, Pop3 | Smtp]]:
    """Where a password may lie: SMTP falls back to POP3's where the user name is the same."""
    if kind == "pop3":
        return [("pop3", account.pop3)]
    same = account.smtp.username == account.pop3.username
    return [("smtp", account.smtp), ("pop3", account.pop3)] if same else [("smtp", account.smtp)]


def _settings(account: Account, kind: str) -> Pop3 | Smtp:
    return account.pop3 if kind == "pop3" else account.smtp


def _checked(password: str, what: str) -> Secret:
    """A line break inside a password would become a command to the server."""
    if not password:
        raise PasswordError(f"{what} is empty.")
    if _CONTROLS.search(password):
        raise PasswordError(f"{what} holds a control character, which no mail server takes.")
    return Secret(password)
