"""Hand a message to another program: as its standard input, by an argument list, never by a shell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
from typing import TYPE_CHECKING, NamedTuple

from termmail.accounts.paths import reason
from termmail.accounts.program_output import output_pipe
from termmail.errors import ErrorCode, UserError
from termmail.mail import sanitize
from termmail.mail.sanitize import address_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.mail.message import Message

SECONDS = 60.0
"""Seconds that a program may take."""
OUTPUT_LIMIT = 1_000_000
"""Bytes of its output that are kept."""
PRINTERS = ("lp", "lpr")
"""The programs that print, where the config names none."""
PAGE_WIDTH = 76
"""Cells of a printed line."""


class ProgramError(UserError):
    """A program could not be run, or took too long."""

    code = ErrorCode.PROGRAM


class TooLongError(ProgramError):
    """A program took too long, and was stopped."""


class Ran(NamedTuple):
    """What came of a program: its exit code, negative for a signal, and the start of what it printed."""

    code: int
    output: str


def parse_command(words: str) -> list[str]:
    """Return a typed command as a program and its arguments. Raises ProgramError."""
    try:
        argv = shlex.split(words)
    except ValueError:
        raise ProgramError("A quotation mark in the command is not closed.") from None
    if not argv:
        raise ProgramError("There is no command.")
    return argv


def print_command(chosen: Sequence[str] | None) -> list[str]:
    """Return the command that prints: that of the config, else a program that is here. Raises ProgramError."""
    if chosen:
        return list(chosen)
    found = next((program for program in PRINTERS if shutil.which(program)), None)
    if found is None:
        raise ProgramError(
            "There is no program here that prints (lp or lpr).", 'Name one in config.toml: print_command = ["lp"].'
        )
    return [found]


async def run(argv: Sequence[str], data: bytes, seconds: float = SECONDS) -> Ran:
    """Run a program with `data` as its input, and return its exit code and what it printed, stderr too.

    It has no terminal. Raises ProgramError where it cannot be run, and TooLongError where it takes longer than
    `seconds`: then it is killed with all its children.
    """
    async with output_pipe(OUTPUT_LIMIT) as output:
        process = await _started(argv, output.write_end)
        output.close_write_end()
        feeding = asyncio.ensure_future(_feed(process, data))
        try:
            async with asyncio.timeout(seconds):
                code = await process.wait()
        except TimeoutError:
            name = sanitize.clean(argv[0])
            raise TooLongError(f"{name} took longer than {seconds:g} seconds and was stopped.") from None
        finally:
            feeding.cancel()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        while len(output.kept) < OUTPUT_LIMIT and output.read():
            pass
        return Ran(code, output.kept.decode("utf-8", "replace"))


async def _started(argv: Sequence[str], output: int) -> asyncio.subprocess.Process:
    name = sanitize.clean(argv[0])
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise ProgramError(f"There is no program {name}.") from None
    except OSError as error:
        raise ProgramError(f"{name} cannot be run: {reason(error)}.") from None
    except ValueError:  # a NUL in an argument
        raise ProgramError(f"{name} cannot be run with these arguments.") from None


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    """Write the input. A program that does not read all of it is no error."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


def printable(message: Message) -> bytes:
    """Return a message as a text to print: its main header fields, and its body in lines of a page."""
    from termmail.mail import flowed  # noqa: PLC0415 - not needed for the first screen

    envelope = message.envelope
    date = next((value for name, value in message.headers if name.lower() == "date"), "")
    fields = (
        ("From", ", ".join(map(address_text, envelope.sender))),
        ("To", ", ".join(map(address_text, envelope.to))),
        ("Cc", ", ".join(map(address_text, envelope.cc))),
        ("Date", date),
        ("Subject", envelope.subject),
    )
    head = [line.text for name, value in fields if value for line in flowed.wrap(f"{name}: {value}", PAGE_WIDTH)]
    lines = [*head, "", *(line.text for line in flowed.body(message, PAGE_WIDTH).lines), ""]
    return "\n".join(lines).encode()
