"""Run $VISUAL or $EDITOR on the body of a draft, in a private file that is removed afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from termmail.accounts.paths import reason
from termmail.engine.saved_files import OwnedFolder, ownerless
from termmail.errors import ErrorCode, UserError
from termmail.mail import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.app import App

USUAL = ("editor", "nano", "vim", "vi")
"""What is tried where neither VISUAL nor EDITOR is set."""

TEXT, PAIR = "text.eml", "draft.json"
"""The file that is edited, and the one that names its draft."""


class EditorError(UserError):
    """The text could not be edited; it is as it was."""

    code = ErrorCode.PROGRAM


def command(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the editor and its arguments, split as a shell would but never given to one. Raises EditorError."""
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


def available(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the editor and its arguments. Raises EditorError where there is no such program."""
    argv = command(environment)
    if shutil.which(argv[0], path=environment.get("PATH")) is None:
        raise EditorError(f"There is no program {sanitize.clean(argv[0])}; set $EDITOR to one that is installed.")
    return argv


@contextlib.contextmanager
def terminal_given(app: App[object]) -> Iterator[None]:
    """Let another program have the terminal, and ctrl+c, and take them back, also after an exception.

    `App.suspend` does not come back after one. Raises SuspendNotSupported.
    """
    failure: Exception | None = None
    with _interrupt_is_the_editors(), app.suspend():
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again once the screen is back
            failure = error
    if failure is not None:
        raise failure


async def edit(text: str, folder: Path, draft_id: int = 0) -> str:
    """Give the terminal to the editor and return the text that it leaves, line ends as LF.

    The file is in a folder of its own below `folder` (made 0700), so the editor's backups go with it. The loop
    goes on while the editor runs: mail still comes and goes. Raises EditorError; the text is then as it was.

    When termmail ends meanwhile, by whatever means, `left_texts` finds what was written by then for the draft of this
    id.
    """
    argv = available()
    try:
        private = await asyncio.to_thread(OwnedFolder, folder, "draft-")
        keep = False
        try:
            file = await asyncio.to_thread(_written, text, private.path, draft_id)
            try:
                code = await _run([*argv, str(file)])
            except asyncio.CancelledError:
                keep = _read(file) != text
                raise
            if code:
                raise EditorError(f"{Path(argv[0]).name} ended with an error; the text is as it was.")
            edited = await asyncio.to_thread(_read, file)
        finally:
            if keep:
                private.release()
            else:
                await asyncio.to_thread(private.remove)
    except OSError as error:
        raise EditorError(f"The text cannot be edited: {reason(error)}.") from None
    return edited if text.endswith("\n") else edited.removesuffix("\n")


class LeftText(NamedTuple):
    """A text that was being edited when termmail ended. `given` is what the editor began with."""

    folder: Path
    draft_id: int
    given: str
    text: str


def left_texts(folder: Path) -> list[LeftText]:
    """Return the texts below `folder` that no running termmail has in an editor; remove what was not changed."""
    found = []
    for left in ownerless(folder):
        try:
            pair = json.loads((left / PAIR).read_bytes())
            text = _read(left / TEXT)
            known = LeftText(left, int(pair["draft"]), str(pair["given"]), text.removesuffix("\n"))
        except (OSError, ValueError, KeyError, TypeError):
            known = None
        if known is not None and known.text != known.given.removesuffix("\n"):
            found.append(known)
        else:
            shutil.rmtree(left, ignore_errors=True)
    return found


def _written(text: str, folder: Path, draft_id: int) -> Path:
    """Write the file for the editor, and beside it which draft it belongs to."""
    for name, content in ((PAIR, json.dumps({"draft": draft_id, "given": text})), (TEXT, text)):
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
    return folder / TEXT


def _read(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")


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
        if process.returncode is None:  # cancelled
            process.kill()
            await process.wait()


@contextlib.contextmanager
def _interrupt_is_the_editors() -> Iterator[None]:
    """Leave ctrl+c to the editor while it has the terminal."""
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
