"""Open an address or a file with the desktop: by an argument list, never by a shell or mailcap."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from termmail.accounts.paths import reason
from termmail.errors import ErrorCode, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMES = ("http://", "https://")
PATIENCE = 1.5
"""Seconds in which a program that cannot open the target usually says so."""


class OpenError(UserError):
    """The target could not be opened."""

    code = ErrorCode.PROGRAM


async def open_link(url: str) -> None:
    """Open an http or https address in the browser. Raises OpenError."""
    if not url.lower().startswith(SCHEMES):
        raise OpenError("Only http and https addresses are opened.")
    await _hand_over(url)


async def open_file(path: Path) -> None:
    """Open a file, given by its absolute path, in the program the desktop has for it. Raises OpenError."""
    if not path.is_absolute():
        raise OpenError("Only a local file with an absolute path can be opened.")
    await _hand_over(str(path))


def command(target: str, platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the program and its arguments that open `target` here. Raises OpenError where there is none."""
    if platform == "darwin":
        return ["open", target]
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        raise OpenError("There is no desktop here to open it on.")
    program = shutil.which("xdg-open", path=environment.get("PATH"))
    if program is None:
        raise OpenError("xdg-open is missing; install the package xdg-utils.")
    return [program, target]


async def _hand_over(target: str) -> None:
    argv = command(target)
    try:
        code = await asyncio.to_thread(_start, argv)
    except OSError as error:
        raise OpenError(f"{argv[0]} cannot be started: {reason(error)}.") from None
    if code:
        raise OpenError("No program on this machine can open it.")


def _start(argv: list[str]) -> int:
    """Start a program that outlives this process; return its exit code, or 0 while it still runs."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, daemon=True).start()
        return 0
