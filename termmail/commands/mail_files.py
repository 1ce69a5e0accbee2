"""import and export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.commands import output
from termmail.commands.exit_codes import DATA, OK, TRY_AGAIN, USAGE, CommandError
from termmail.commands.mailbox import chosen_accounts, find_folder, understood
from termmail.mail.counting import count
from termmail.mail.model import Role

if TYPE_CHECKING:
    from argparse import Namespace

    from termmail.engine.engine import Engine
    from termmail.engine.transfer import Moved

MOST_FAILURES = 20
"""Failed messages that import and export name one by one; the others are only counted."""


async def import_mail(engine: Engine, args: Namespace) -> int:
    """Import an mbox, a Maildir, an .eml file or a folder of them; a missing folder is created."""
    account = chosen_accounts(engine, args.account or engine.accounts.default or None)[0]
    moved = await engine.transfer.import_mail(
        account, Path(args.path), await _folder_name(engine, account, args.folder)
    )
    if moved.failed and not moved.done + moved.passed:
        _say_failed(moved)
        raise CommandError(f"Nothing was imported from {args.path}.", DATA)
    return _report(moved, "imported", args)


async def _folder_name(engine: Engine, account: str, name: str | None) -> str:
    if name is None:
        return (await engine.folders.by_role(account, Role.INBOX)).name
    if name.casefold() in {"drafts", "outbox"}:
        raise CommandError(f"Messages cannot be imported into {name}.", USAGE, "Name another folder.")
    folder = await find_folder(engine, account, name)
    return folder.name if folder else name


async def export_mail(engine: Engine, args: Namespace) -> int:
    """Export messages to an mbox, a Maildir or .eml files, or as an mbox to standard output."""
    await understood(engine, args.query)
    if args.dest != "-":
        moved = await engine.transfer.export_mail(args.query, Path(args.dest), args.format)
        code = _report(moved, "exported", args)
        return TRY_AGAIN if moved.failures else code
    if args.format != "mbox":
        raise CommandError("Only an mbox can be written to standard output.", USAGE, "Name a folder instead of -.")
    if sys.stdout.isatty():
        advice = "Redirect it to a file or a program: termmail export QUERY - > FILE"
        raise CommandError(
            "An mbox is not written to a terminal, which would obey control characters in it.", USAGE, advice
        )
    moved = await engine.transfer.export_mail(args.query, sys.stdout.buffer, args.format)
    _say_failed(moved)
    output.say(f"{moved.done} exported")
    return TRY_AGAIN if moved.failures else OK


def _say_failed(moved: Moved) -> None:
    for words in moved.failed[:MOST_FAILURES]:
        output.say(words)
    if len(moved.failed) > MOST_FAILURES:
        output.say(f"And {len(moved.failed) - MOST_FAILURES} more.")
    for reason, many in moved.unfetched.items():
        output.say(f"{count(many, 'message')} {'is' if many == 1 else 'are'} still on the server: {reason}")


def _report(moved: Moved, verb: str, args: Namespace) -> int:
    _say_failed(moved)
    if args.json:
        output.line({verb: moved.done, "already_here": moved.passed, "failed": moved.failures})
    else:
        print(f"{moved.done} {verb}" + (f", {moved.passed} already here" if moved.passed else ""))
    return DATA if moved.failures else OK
