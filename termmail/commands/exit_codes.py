"""Exit codes (sysexits.h) of every failure that a command reports."""

from __future__ import annotations

from termmail.errors import ErrorCode, UserError

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

_EXIT_CODES = {
    ErrorCode.OFFLINE: TRY_AGAIN,
    ErrorCode.BUSY: TRY_AGAIN,
    ErrorCode.TLS: REFUSED,
    ErrorCode.LOGIN: LOGIN,
    ErrorCode.REFUSED: REFUSED,
    ErrorCode.PROTOCOL: REFUSED,
    ErrorCode.GONE: DATA,
    ErrorCode.CHANGED: DATA,
    ErrorCode.STORE: DISK,
    ErrorCode.DISK_FULL: DISK,
    ErrorCode.READ_ONLY: DISK,
    ErrorCode.CONFIG: CONFIG,
    ErrorCode.CANNOT_CREATE: CANNOT_CREATE,
    ErrorCode.DATA: DATA,
    ErrorCode.PROGRAM: CANNOT_CREATE,
}


class CommandError(UserError):
    """A command cannot do what was asked. `exit_code` is the process exit code."""

    def __init__(self, message: str, exit_code: int = DATA, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.exit_code = exit_code


def code_for(error: Exception) -> int | None:
    """Return the exit code of a failure that has words for the user, or None for anything else (a bug)."""
    if isinstance(error, CommandError):
        return error.exit_code
    if isinstance(error, UserError):
        return _EXIT_CODES[error.code]
    return None
