"""Exit codes: those of sysexits.h that termmail uses, and which failure becomes which."""

from __future__ import annotations

from termmail.accounts.config import ConfigError
from termmail.accounts.credentials import PasswordError
from termmail.accounts.paths import PathError
from termmail.engine.saved_files import no_room
from termmail.engine.transfer import DiskError, TransferError
from termmail.net.net_errors import Busy, LoginRefused, NetError, Offline
from termmail.store.store_errors import StoreError

__all__ = ["CommandError", "code_for", "no_room"]

OK = 0
USAGE = 64
DATA = 65
REFUSED = 69
BUG = 70
CANNOT_CREATE = 73
DISK = 74
TRY_AGAIN = 75
LOGIN = 77
CONFIG = 78


class CommandError(Exception):
    """A command cannot do what was asked: one sentence for the user, and the exit code."""

    def __init__(self, words: str, code: int = DATA, advice: str = "") -> None:
        super().__init__(words)
        self.code = code
        self.advice = advice


def code_for(error: Exception) -> int | None:
    """The exit code of a failure that has words for the user; None for anything else (a bug)."""
    if isinstance(error, CommandError):
        return error.code
    for kinds, code in (
        ((LoginRefused, PasswordError), LOGIN),
        ((Offline, Busy), TRY_AGAIN),
        ((NetError,), REFUSED),
        ((ConfigError,), CONFIG),
        ((PathError,), CANNOT_CREATE),
        ((StoreError, DiskError), DISK),
        ((TransferError,), CANNOT_CREATE),
    ):
        if isinstance(error, kinds):
            return code
    return None
