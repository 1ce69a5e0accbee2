"""Run `password_command` and read the password that it prints."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

from termmail.accounts.password_error import PasswordError
from termmail.accounts.program_output import output_pipe

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND_SECONDS = 30.0
LONGEST_OUTPUT = 65536
"""Bytes of output that are kept. No more fits into a pipe that nobody reads."""


async def run_command(argv: Sequence[str], seconds: float = COMMAND_SECONDS) -> str:
    """Return the first line that a program prints, without its line end. No shell and no terminal are involved.

    The output counts until the program exits: a background process that it leaves behind (an agent started by `pass`)
    may keep the pipe open for as long as it likes. What is printed to stderr is dropped, because it may hold the secret;
    the error names the program and its exit code. Raises PasswordError, also when the program takes longer than
    `seconds`; then it is killed with all its children.
    """
    program = argv[0]
    async with output_pipe(LONGEST_OUTPUT) as output:
        process = await _started(argv, output.write_end)
        output.close_write_end()
        try:
            async with asyncio.timeout(seconds):
                code = await process.wait()
        except TimeoutError:
            raise PasswordError(
                f"The password command {program!r} took longer than {seconds:g} seconds.",
                "Run it by hand once: it may wait for a passphrase, which it cannot ask for here.",
            ) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        output.read()
    if code:
        ended = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise PasswordError(
            f"The password command {program!r} failed with {ended}.", "Run it by hand to see what it says."
        )
    line = bytes(output.kept).split(b"\n", 1)[0].removesuffix(b"\r")
    if len(line) >= LONGEST_OUTPUT - 1:
        raise PasswordError(f"The password command {program!r} printed far more than a password.")
    try:
        return line.decode()
    except UnicodeDecodeError:
        pass  # raise outside the handler, so that no traceback carries the bytes
    raise PasswordError(f"The password command {program!r} printed something that is not text.")


async def _started(argv: Sequence[str], output: int) -> asyncio.subprocess.Process:
    program = argv[0]
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise PasswordError(
            f"The password command {program!r} was not found.", "Install it, or correct password_command."
        ) from None
    except (OSError, ValueError):
        raise PasswordError(f"The password command {program!r} cannot be run.", "Correct password_command.") from None
