"""show, save, mark, move, delete and undo."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.accounts.paths import reason
from termmail.commands import output
from termmail.commands.exit_codes import CANNOT_CREATE, DATA, DISK, OK, USAGE, CommandError
from termmail.commands.mailbox import find_folder
from termmail.engine.saved_files import no_room
from termmail.mail import parse, sanitize
from termmail.mail.counting import count
from termmail.mail.model import MessageRow, Role, StepKind
from termmail.mail.step_words import step_words

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from termmail.engine.engine import Engine
    from termmail.mail.message import Message
    from termmail.mail.model import Done

_NEXT_OF_MBOX = re.compile(rb"\n\r?\nFrom [^\n]*\d{4}\r?\n[!-9;-~]+:")


async def rows_of(engine: Engine, ids: Sequence[int]) -> list[MessageRow]:
    """Return the rows of these messages. Raises CommandError for an id that no message has."""
    found = []
    for message_id in dict.fromkeys(ids):
        row = await engine.lists.row(message_id)
        if row is None:
            raise CommandError(f"There is no message {message_id}.", DATA, "termmail list shows the ids.")
        found.append(row)
    return found


def report(done: Done, nothing: str, args: Namespace) -> None:
    """Print what a verb did, and name the messages that another program moved in the meantime."""
    words = step_words(done.step) if done.step else nothing
    if args.json:
        output.line({"ids": list(done.message_ids), "words": words})
    else:
        print(words)
    if done.skipped:
        output.say(f"Left alone because they were moved in the meantime: {', '.join(map(str, done.skipped))}")


# -- reading


async def show(engine: Engine, args: Namespace) -> int:
    """Show messages, downloading those that are not here yet."""
    if not args.ids:
        raise CommandError("Which message? termmail show ID", USAGE, "termmail list shows the ids.")
    for message_id in args.ids:
        await rows_of(engine, [message_id])
        message = await engine.reader.read(message_id)
        if args.raw:
            print_raw(await engine.reader.raw(message_id))
        else:
            print_one(message, message_id, args)
    return OK


def show_file(args: Namespace) -> int:
    """Show an .eml file, or one message of an mbox. Needs no account."""
    try:
        raw = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
    except OSError as error:
        raise CommandError(f"{args.file} cannot be read: {reason(error)}.") from None
    if raw.startswith(b"From "):  # mutt and procmail pass one message of an mbox
        raw = raw.partition(b"\n")[2]
        if _NEXT_OF_MBOX.search(raw):
            words = f"{args.file} is an mbox of several messages."
            raise CommandError(words, DATA, "Import them with termmail import, then use termmail show ID.")
    if args.raw:
        print_raw(raw)
    else:
        print_one(parse.parse(raw), None, args)
    return OK


def print_one(message: Message, message_id: int | None, args: Namespace) -> None:
    """Print one message in the form that the arguments name."""
    if args.json:
        output.line(output.message_data(message_id, message))
    elif args.headers:
        for name, value in message.headers:
            print(f"{name}: {value}")
    else:
        output.print_message(message)


def print_raw(raw: bytes) -> None:
    """Print the bytes as received. On a terminal they are sanitized, since they could be commands to it."""
    if sys.stdout.isatty():
        print(sanitize.clean_lines(raw.decode("utf-8", "replace")))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()


async def save(engine: Engine, args: Namespace) -> int:
    """Save all attachments of a message, each under a safe new name."""
    await rows_of(engine, [args.id])
    folder = Path(args.dir)
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.", CANNOT_CREATE)
    message = await engine.reader.read(args.id)
    if not message.parts:
        output.say("This message has no attachments.")
    for part in message.parts:
        try:
            path = await engine.reader.save_part(args.id, part.path, folder)
        except OSError as error:
            why = reason(error)
            code = DISK if no_room(error) else CANNOT_CREATE
            raise CommandError(f"{part.name} cannot be saved in {folder}: {why}.", code) from None
        if args.json:
            output.line({"id": args.id, "name": part.name, "path": str(path), "size": part.size})
        else:
            print(path)
    return OK


# -- verbs


async def mark(engine: Engine, args: Namespace) -> int:
    """Mark messages read, unread, starred or not starred."""
    rows = await rows_of(engine, args.ids)
    done = await engine.messages.mark([row.message_id for row in rows], StepKind(args.flag))
    report(done, "Nothing changed", args)
    return OK


async def move(engine: Engine, args: Namespace) -> int:
    """Move messages to a folder of their account. Moving to Trash deletes them."""
    rows = await rows_of(engine, args.ids)
    accounts = {row.account for row in rows}
    if len(accounts) > 1:
        raise CommandError("These messages belong to several accounts; move them one account at a time.", USAGE)
    (account,) = accounts
    folder = await find_folder(engine, account, args.folder)
    if folder is None:
        names = ", ".join(one.name for one in await engine.folders.listing() if one.account == account)
        raise CommandError(f"There is no folder {args.folder!r} in {account}. There are: {names}.", USAGE)
    done = await engine.messages.move([row.placement for row in rows], folder.folder_id)
    report(done, "Nothing to move", args)
    return OK


async def delete(engine: Engine, args: Namespace) -> int:
    """Move messages to Trash, or with --for-good erase them from there; --now deletes them on the server at once."""
    rows = await rows_of(engine, args.ids)
    in_trash = [row for row in rows if row.role is Role.TRASH]
    if args.for_good:
        done = await engine.messages.erase_everywhere([row.message_id for row in rows])
        erased = len(done.message_ids)
        words = f"Deleted for good: {count(erased, 'message')}" if erased else "Nothing to delete"
    else:
        if in_trash:
            ids = ", ".join(str(row.message_id) for row in in_trash)
            output.say(f"Already in Trash: {ids}. To delete for good: termmail delete --for-good ID")
        done = await engine.messages.delete([row.placement for row in rows if row.role is not Role.TRASH])
        words = "Nothing to delete"
    report(done, words, args)
    if args.now:
        await engine.messages.delete_now([row.message_id for row in rows])
        for name in {row.account for row in rows} & set(engine.accounts.names):
            await engine.accounts.sync(name)
    return OK


async def undo(engine: Engine, args: Namespace) -> int:
    """Take back the newest step: a mark, a move, a delete, a change of folders, or a message that still waits."""
    undone = await engine.journal.undo()
    if undone is None:
        raise CommandError("There is nothing to undo.", DATA)
    words = step_words(undone.step)
    if args.json:
        output.line({"undone": undone.step.kind.value, "ids": list(undone.message_ids), "words": words})
    else:
        print(f"Undone: {words}")
    if undone.draft_id:
        output.say("The message is a draft again.")
    if undone.skipped:
        output.say(f"Left alone because they were changed in the meantime: {', '.join(map(str, undone.skipped))}")
    return OK
