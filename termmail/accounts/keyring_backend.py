"""Find a keyring of the operating system that keeps a secret, and put its failures into words."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING

from termmail.accounts.password_error import OTHER_WAYS, PasswordError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

BACKENDS = {
    "keyring.backends.SecretService.Keyring": "the Secret Service (GNOME Keyring, KeePassXC)",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.macOS.Keyring": "the macOS Keychain",
    "keyring.backends.Windows.WinVaultKeyring": "the Windows Credential Locker",
}
"""The trusted backends, with their names for the user.

Everything else that is installed (keyrings.alt stores plain text) or configured (null, fail, chainer) is refused before
it is imported.
"""


def keyring_words(backend: KeyringBackend) -> str:
    """Return the name of a keyring for the user."""
    kind = type(backend)
    return BACKENDS[f"{kind.__module__}.{kind.__qualname__}"]


def find_backend() -> KeyringBackend:
    """Return the best allow-listed keyring that works here. Blocks for some 30 ms (D-Bus). Raises PasswordError."""
    named = _named_backend()
    if named and named not in BACKENDS:
        off = named.rpartition(".")[0] in {"keyring.backends.null", "keyring.backends.fail"}
        words = (
            "The keyring is turned off"
            if off
            else f"The keyring {named[:80]!r} is not one that termmail trusts with a password"
        )
        raise PasswordError(
            f"{words} (by PYTHON_KEYRING_BACKEND or keyringrc.cfg).",
            f"Remove that setting, so that termmail finds {' or '.join(list(BACKENDS.values())[:2])}. {OTHER_WAYS}",
        )
    best: KeyringBackend | None = None
    for dotted in [named] if named else BACKENDS:
        backend = _load(dotted)
        if backend is not None and (best is None or backend.priority > best.priority):
            best = backend
    if best is None:
        raise PasswordError("No keyring of the operating system is running here.", _how_to_start())
    return best


def _named_backend() -> str:
    """Return the backend that the user configured for the keyring library, without letting it import anything."""
    if named := os.environ.get("PYTHON_KEYRING_BACKEND", "").strip():
        return named
    import configparser  # noqa: PLC0415

    from keyring.util import platform_  # noqa: PLC0415

    settings = configparser.RawConfigParser()
    with contextlib.suppress(configparser.Error, OSError, UnicodeDecodeError):
        settings.read(platform_.config_root() / "keyringrc.cfg", encoding="utf-8")
    return settings.get("backend", "default-keyring", fallback="").strip()


def _load(dotted: str) -> KeyringBackend | None:
    """Return one backend, or None where it cannot work: wrong system, library missing, service not running."""
    module, _, name = dotted.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
        backend: KeyringBackend | None = kind() if kind.priority > 0 else None
    except Exception:  # noqa: BLE001  `priority` asks D-Bus and raises whatever that raises
        return None
    return backend


def _how_to_start() -> str:
    if sys.platform != "linux":
        return OTHER_WAYS
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return f"There is no D-Bus session (as over ssh): start one with dbus-run-session and unlock a keyring. {OTHER_WAYS}"
    return f"Install and start GNOME Keyring, KWallet or KeePassXC. {OTHER_WAYS}"


def keyring_error(error: Exception) -> PasswordError:
    """Return the error for an exception of a backend. The exception's own text is left out: it may hold anything."""
    from keyring import errors  # noqa: PLC0415

    if isinstance(error, errors.KeyringLocked) or type(error).__name__ in {
        "LockedException",
        "PromptDismissedException",
    }:
        return PasswordError("The keyring is locked.", f"Unlock it, then try again. {OTHER_WAYS}")
    if isinstance(error, errors.InitError):
        return PasswordError("The keyring could not be opened.", f"Open it in its own program once. {OTHER_WAYS}")
    if isinstance(error, errors.NoKeyringError):
        return PasswordError("No keyring of the operating system is running here.", _how_to_start())
    if isinstance(error, errors.PasswordSetError):
        return PasswordError("The keyring would not store the password.", OTHER_WAYS)
    if isinstance(error, errors.PasswordDeleteError):
        return PasswordError("The keyring would not delete the password.", "Delete it in the keyring's own program.")
    return PasswordError("The keyring does not answer as it should.", f"Restart it, then try again. {OTHER_WAYS}")
