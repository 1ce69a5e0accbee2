"""The error for a password that cannot be had."""

from __future__ import annotations

from termmail.errors import ErrorCode, UserError

OTHER_WAYS = "Or name a command as password_command in config.toml; without either, termmail asks once per session."
"""Advice for a keyring that cannot be used."""


class PasswordError(UserError):
    """There is no password. The message says why in one sentence; neither it nor the advice holds a secret."""

    code = ErrorCode.LOGIN
