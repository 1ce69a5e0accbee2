"""The `termmail` command: parse the command line, then open the screen or run a headless command."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

from termmail.command_line import build_parser

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from termmail.accounts.config import Config
    from termmail.accounts.paths import Paths
    from termmail.engine.engine import Engine
    from termmail.engine.events import Event

    Command = Callable[[Engine, Namespace], Awaitable[int]]


_LONGEST_END = 5.0
"""Seconds that a command may take to end after SIGTERM or SIGHUP."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (sysexits.h)."""
    _open_streams()
    args = build_parser().parse_args(_sendmail_words(list(sys.argv[1:] if argv is None else argv)))
    try:
        code = _run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _give_up_stdout()
        return 0
    except Exception as error:  # noqa: BLE001 - every failure becomes a sentence and an exit code
        return _failed(error)


def _open_streams() -> None:
    """Open the null device for each standard stream that is closed, so that no other file gets its number.

    Characters that the encoding of the terminal lacks are printed as "?".
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _give_up_stdout() -> None:
    """Replace stdout by the null device, so that what Python flushes at exit raises nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sendmail_words(argv: list[str]) -> list[str]:
    """Replace the joined option -oi of sendmail(8) by -i, which argparse can parse."""
    return ["-i" if word == "-oi" else word for word in argv] if "sendmail" in argv else argv


def _failed(error: Exception) -> int:
    import logging  # noqa: PLC0415

    from termmail.commands.exit_codes import BUG, DISK, code_for  # noqa: PLC0415 - not for --help
    from termmail.commands.output import say  # noqa: PLC0415
    from termmail.engine.saved_files import no_room  # noqa: PLC0415
    from termmail.errors import UserError  # noqa: PLC0415

    code = code_for(error)
    if code is None and no_room(error):
        say("termmail: The disk is full: not everything could be written.")
        _give_up_stdout()
        return DISK
    if code is None:
        logging.getLogger("termmail").critical("a bug", exc_info=error)
        where = next((h.baseFilename for h in logging.getLogger("termmail").handlers if hasattr(h, "baseFilename")), "")
        words = f"Something in termmail went wrong ({type(error).__name__}). Your mail is safe."
        say(f"termmail: {words}{f' The log has the details: {where}' if where else ''}")
        return BUG
    advice = error.advice_by_hand if isinstance(error, UserError) else ""
    say(f"termmail: {error}{f' {advice}' if advice else ''}")
    return code


def _run(args: Namespace) -> int:
    from termmail.accounts import config, paths  # noqa: PLC0415 - `--help` needs none of it

    if args.command == "show" and args.file:
        from termmail.commands.message_verbs import show_file  # noqa: PLC0415

        return show_file(args)
    if args.command == "demo" and args.serve:
        from termmail.commands.run_demo import serve_only  # noqa: PLC0415

        return serve_only()
    where = paths.default(args.config, args.data)
    loaded = config.load(where.config)
    if args.command in {None, "demo"}:
        return _screen(where, loaded, demo=args.command == "demo")
    _log_to(where)
    _upgrade(where)
    module, _, name = args.handler.partition(".")
    handler: Command = getattr(import_module(f"termmail.commands.{module}"), name)
    ended_by: list[int] = []
    import asyncio  # noqa: PLC0415 - the screen is drawn before it is loaded

    try:
        return asyncio.run(_headless(where, loaded, handler, args, ended_by))
    except asyncio.CancelledError:
        if not ended_by:
            raise
        return 128 + ended_by[0]


def _upgrade(where: Paths) -> None:
    """Bring a store of an older termmail up to date, with a line that shows how far that is."""
    from termmail.engine.context import upgrade_store  # noqa: PLC0415

    shown = False

    def progress(words: str) -> None:
        nonlocal shown
        shown = True
        print(f"\r{words}\x1b[K", end="", file=sys.stderr, flush=True)

    upgrade_store(where, progress if sys.stderr.isatty() else lambda _words: None)
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


async def _headless(where: Paths, loaded: Config, handler: Command, args: Namespace, ended_by: list[int]) -> int:
    """Run a command. A signal that ends it is appended to `ended_by`, and cancels it as Ctrl+C does."""
    import asyncio  # noqa: PLC0415

    from termmail.engine.engine import Engine  # noqa: PLC0415
    from termmail.engine.events import OutboxChanged  # noqa: PLC0415

    _end_in_order(ended_by)
    engine = await Engine.open(where, loaded)
    begun: dict[int, None] = {}

    def note(event: Event) -> None:
        if isinstance(event, OutboxChanged) and event.state == "sending":
            begun[event.outbox_id] = None

    engine.context.subscribe(note)
    cancelled = False
    try:
        if sys.stdin.isatty() and sys.stderr.isatty():
            engine.context.passwords.ask = _ask
        return await handler(engine, args)
    except asyncio.CancelledError:
        cancelled = True
        raise
    finally:
        await engine.close(commit=False)
        if cancelled and begun:
            await _tell_begun(await Engine.open(where, loaded), begun)


def _end_in_order(ended_by: list[int]) -> None:
    """Let SIGTERM and SIGHUP cancel the command that runs; a second one, or five seconds, end the process at once."""
    import asyncio  # noqa: PLC0415

    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        ended_by.append(number)
        watchdog = threading.Timer(_LONGEST_END, os._exit, (128 + number,))  # a read of stdin cannot be cancelled
        watchdog.daemon = True
        watchdog.start()
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, end)


async def _tell_begun(engine: Engine, outbox_ids: Iterable[int]) -> None:
    """Tell what became of the messages that were on their way when the command was ended."""
    from termmail.commands.output import say  # noqa: PLC0415

    try:
        for outbox_id in outbox_ids:
            row = await engine.outbox.row(outbox_id)
            if row.state in {"sending", "unsure"}:
                advice = f"To send it again: termmail outbox retry --sure {outbox_id}"
                say(f"termmail: Message {outbox_id} in the outbox may have arrived. {advice}")
            elif row.state == "sent":
                say(f"termmail: Message {outbox_id} was sent.")
            else:
                say(f"termmail: Message {outbox_id} waits in the outbox.")
    finally:
        await engine.close(commit=False)


async def _ask(words: str) -> str | None:
    import asyncio  # noqa: PLC0415
    import getpass  # noqa: PLC0415 - only where nothing else has the password

    print(words, file=sys.stderr)
    return await asyncio.to_thread(getpass.getpass, "Password: ") or None


def _screen(where: Paths, loaded: Config, *, demo: bool) -> int:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on stderr, stdout stays for data
        from termmail.commands.output import say  # noqa: PLC0415 - not for the screen

        say("termmail: The screen needs a terminal. termmail --help shows the commands.")
        return 64
    gc.disable()  # nothing created before the first paint is garbage, and collecting costs a tenth of the start
    if demo:
        from termmail.commands.run_demo import demo_engine  # noqa: PLC0415
        from termmail.ui.run import run  # noqa: PLC0415 - Textual is only for the screen

        return run(demo_engine(loaded), loaded.ui.theme)
    from termmail.ui import early_paint  # noqa: PLC0415

    early = early_paint.show(where, loaded)
    try:
        _log_to(where)
        _upgrade(where)
        from termmail.engine.engine import opened  # noqa: PLC0415 - loads after the inbox is drawn
        from termmail.ui.run import run  # noqa: PLC0415

        return run(opened(where, loaded), loaded.ui.theme, early)
    finally:
        if early is not None:
            early.restore()


def _log_to(where: Paths) -> None:
    """Log to a file beside the mail (mode 0600, at most 1 MB, one older file kept)."""
    import logging  # noqa: PLC0415
    from logging.handlers import RotatingFileHandler  # noqa: PLC0415

    from termmail.accounts.paths import prepare  # noqa: PLC0415

    log = logging.getLogger("termmail")
    log.setLevel(logging.INFO)
    log.propagate = False
    logging.raiseExceptions = False  # no traceback where the log cannot be written, as on a full disk
    if not prepare(where):
        log.addHandler(logging.NullHandler())
        return
    os.umask(0o077)
    if where.log.is_symlink():
        where.log.unlink()  # someone else may have put it there to make us write to another file
    handler = RotatingFileHandler(where.log, maxBytes=1_000_000, backupCount=1, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
