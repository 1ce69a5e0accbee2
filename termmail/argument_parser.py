"""The parser that every command is given, the kinds of its arguments, and the options that many commands share."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any, NoReturn


class Parser(ArgumentParser):
    """An ArgumentParser that exits with 64 (EX_USAGE of sysexits.h) for wrong usage.

    With `mixed`, options may stand between positional arguments, as in `outbox retry --sure 3`.
    """

    mixed = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as ArgumentParser does, or as parse_intermixed_args does where `mixed` is set."""
        if not self.mixed:
            return super().parse_known_args(args, namespace)
        self.mixed = False  # parse_known_intermixed_args calls this method again
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.mixed = True

    def error(self, message: str) -> NoReturn:
        """Print the usage and the mistake, and exit with 64."""
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: {message}\n")


def json_option(sub: ArgumentParser) -> None:
    """Add --json."""
    sub.add_argument("--json", action="store_true", help="print one JSON object per line")


def account_option(sub: ArgumentParser) -> None:
    """Add --account."""
    sub.add_argument("--account", metavar="A", help="only this account")


def a_count(text: str) -> int:
    """Parse a limit on a list."""
    return _number(text, 1_000_000_000)


def an_id(text: str) -> int:
    """Parse the id of a message, which SQLite holds in 63 bits."""
    return _number(text, (1 << 63) - 1)


def _number(text: str, most: int) -> int:
    try:
        value = int(text)
    except ValueError:  # also raised for thousands of digits
        value = 0
    if not 1 <= value <= most:
        raise ArgumentTypeError(f"{text[:40]!r} is not a number from 1 to {most}")
    return value


def a_path(text: str) -> str:
    """Parse a path, with ~ expanded."""
    try:
        return os.fspath(Path(text).expanduser())
    except RuntimeError:
        raise ArgumentTypeError(f"{text!r}: there is no such user") from None
