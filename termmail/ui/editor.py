"""$VISUAL or $EDITOR on the body of a draft, in a private file that is gone afterwards (SAFETY M16)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.accounts.paths import FOLDER_MODE, reason
from termmail.errors import ErrorCode, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USUAL = ("editor", "nano", "vim", "vi")
"""What is tried where neither VISUAL nor EDITOR is set."""


class EditorError(UserError):
    """The text could not be edited; it is as it was. `str(error)` says why, in plain words."""

    code = ErrorCode.PROGRAM


def command(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The editor and its arguments, split as a shell would but never given to one. Raises EditorError."""
    for variable in ("VISUAL", "EDITOR"):
        if words := environment.get(variable, "").strip():
            try:
                argv = shlex.split(words)
            except ValueError:
                raise EditorError(f"{variable} has a quote that is not closed: {words}") from None
            return [os.path.expanduser(argv[0]), *argv[1:]]  # noqa: PTH111  a program's name is not a path yet
    for name in USUAL:
        if program := shutil.which(name, path=environment.get("PATH")):
            return [program]
    raise EditorError("No editor was found. Name yours in the variable EDITOR, for example EDITOR=nano.")


async def edit(text: str, folder: Path) -> str:
    """Give the terminal to the editor and return what it left, line ends as LF.

    The file lies in a folder of its own below `folder` (made 0700), so the editor's backups go with it. The loop
    goes on while the editor runs: mail still comes and goes. Raises EditorError; the text is then as it was.
    """
    argv = command()
    try:
        private = await asyncio.to_thread(_private_folder, folder)
        try:
            file = await asyncio.to_thread(_written, text, private)
            with _interrupt_is_the_editors():
                code = await _run([*argv, str(file)])
            if code:
                raise EditorError(f"{Path(argv[0]).name} ended with an error; the text is as it was.")
            data = await asyncio.to_thread(file.read_bytes)
        finally:
            await asyncio.to_thread(shutil.rmtree, private, ignore_errors=True)
    except OSError as error:
        raise EditorError(f"The text cannot be edited: {reason(error)}.") from None
    edited = data.decode("utf-8", "replace").replace("\r\n", "\n")
    return edited if text.endswith("\n") else edited.removesuffix("\n")


def _private_folder(folder: Path) -> Path:
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="draft-", dir=folder))


def _written(text: str, folder: Path) -> Path:
    handle, name = tempfile.mkstemp(suffix=".eml", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return Path(name)


async def _run(argv: list[str]) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*argv)
    except FileNotFoundError:
        raise EditorError(f"The editor {argv[0]} was not found; the variable EDITOR names it.") from None
    except PermissionError:
        raise EditorError(f"The editor {argv[0]} may not be run; the variable EDITOR names it.") from None
    try:
        return await process.wait()
    finally:
        if process.returncode is None:  # called off: nobody takes what it would write
            process.kill()
            await process.wait()


@contextlib.contextmanager
def _interrupt_is_the_editors() -> Iterator[None]:
    """While the editor has the terminal, ctrl+c is for it and does not end termmail with a draft half written."""
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
