"""sync, list, search, show, delete, save, import and export."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.commands import output
from termmail.commands.exit_codes import (
    CANNOT_CREATE,
    DATA,
    DISK,
    OK,
    REFUSED,
    TRY_AGAIN,
    USAGE,
    CommandError,
    advice_for,
    code_for,
    no_room,
)
from termmail.engine.events import SyncProgress
from termmail.errors import UserError
from termmail.mail import parse, sanitize
from termmail.mail.model import DraftsView, FolderView, MessageRow, OutboxView, Role, SearchView, SendState
from termmail.mail.query import parse as parse_query

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event
    from termmail.engine.transfer import Moved
    from termmail.mail.message import Envelope, Message
    from termmail.mail.model import OutgoingRow, Row, View


_NEXT_OF_MBOX = re.compile(rb"\n\r?\nFrom [^\n]*\d{4}\r?\n[!-9;-~]+:")

MOST_FAILURES = 20
"""Failed messages that import and export name one by one; the others are only counted."""


def chosen_accounts(engine: Engine, name: str | None) -> list[str]:
    """Return the account named, or all. Raises CommandError where there is none."""
    if name and name not in engine.context.config.accounts:
        raise CommandError(
            f"There is no account {name!r}. There are: {', '.join(engine.accounts.names) or 'none'}.", USAGE
        )
    if not engine.accounts.names:
        words = f"There is no account in {engine.context.paths.config}."
        raise CommandError(words, USAGE, "Add one: termmail account add, or just run termmail.")
    return [name] if name else engine.accounts.names


async def sync(engine: Engine, args: Namespace) -> int:
    """Receive, send what waits and delete on the server what is due, account by account."""
    worst = OK
    show_progress = sys.stderr.isatty() and not args.json

    def tell(event: Event) -> None:
        if show_progress and isinstance(event, SyncProgress) and event.running and event.total:
            print(f"\r{event.account}: {event.done} of {event.total} {event.what}\x1b[K", end="", file=sys.stderr)

    engine.context.subscribe(tell)
    for name in chosen_accounts(engine, args.account):
        words, new, deleted = "", 0, 0
        try:
            result = await engine.accounts.sync(name, full=args.full)
            words, new, deleted = result.words, result.new, result.deleted
        except UserError as error:
            words = str(error)
            output.say(f"{name}: {error} {advice_for(error)}")
            worst = max(worst, code_for(error) or 0)
        await engine.lists.index()
        await engine.outbox.hurry(name)
        rows = await engine.outbox.flush(name)
        worst = max([worst, *(outbox_code(row) for row in rows)])
        sent = sum(row.state is SendState.SENT for row in rows)
        if args.json:
            output.line({"account": name, "new": new, "deleted": deleted, "sent": sent, "words": words})
        elif worst == OK:
            end = "\r\x1b[K" if show_progress else ""
            print(f"{end}{name}: {words}{f', {sent} sent' if sent else ''}")
        for row in rows:
            if row.state is not SendState.SENT:
                output.say(f"{name}: message {row.outbox_id} in the outbox: {row.words}")
            for address, words in row.refused.items():
                output.say(f"{name}: message {row.outbox_id} was refused for {address}: {words}")
    return worst


def outbox_code(row: OutgoingRow) -> int:
    """Return the exit code of an outgoing message: OK only where every recipient was accepted."""
    if row.state is SendState.SENT:
        return REFUSED if row.refused else OK
    return REFUSED if row.state is SendState.FAILED else TRY_AGAIN


async def list_messages(engine: Engine, args: Namespace) -> int:
    """List the newest messages of a folder, account by account."""
    for name in chosen_accounts(engine, args.account):
        view, shown_name = await _view(engine, name, args.folder)
        found = list(await engine.lists.ids(view, args.limit))
        await _print_view(engine, view, found, args)
        if not found:
            asked = await engine.accounts.last_sync(name)
            output.say(f"{name}: {shown_name} is empty.{'' if asked else ' termmail sync looks for mail.'}")
    return OK


async def _view(engine: Engine, account: str, name: str) -> tuple[View, str]:
    """Return the view of a folder of this name, or of Drafts or Outbox, and its name as shown."""
    if (folder := await engine.folders.by_name(account, name)) is not None:
        return FolderView(folder.folder_id), folder.name
    others: dict[str, tuple[View, str]] = {
        "drafts": (DraftsView(account), "Drafts"),
        "outbox": (OutboxView(account), "Outbox"),
    }
    if name.lower() in others:
        return others[name.lower()]
    names = [one.name for one in await engine.folders.listing() if one.account == account]
    raise CommandError(f"There is no folder {name!r}. There are: {', '.join([*names, 'Drafts', 'Outbox'])}.", USAGE)


async def search(engine: Engine, args: Namespace) -> int:
    """List the messages that match a query."""
    if not args.query.strip():
        raise CommandError("Search for what? termmail search WORDS", USAGE, "termmail list shows a folder.")
    view = SearchView(parse_query(args.query), args.account or "", discarded=True)
    found = list(await engine.lists.ids(view, args.limit))
    await _print_view(engine, view, found, args)
    if not found:
        output.say("No message matches.")
    bodies, total = await engine.lists.coverage(view)
    if bodies < total:
        output.say(f"Searched all headers, and the bodies of {bodies} of {total} messages.")
    return OK


async def _print_view(engine: Engine, view: View, ids: Sequence[int], args: Namespace) -> None:
    with_account = len(engine.accounts.names) > 1 and not args.account
    for start in range(0, len(ids), 500):
        rows = await engine.lists.rows(view, ids[start : start + 500])
        if not args.json:
            output.print_rows(rows, with_account=with_account)
            continue
        for row in rows:
            output.line(output.row_data(row, await _envelope(engine, row)))


async def _envelope(engine: Engine, row: Row) -> Envelope:
    """Return the envelope of a message; an empty one for a draft or an outgoing message."""
    raw = await engine.reader.raw(row.message_id) if isinstance(row, MessageRow) else b""
    return parse.envelope(parse.split_header(raw))


async def show(engine: Engine, args: Namespace) -> int:
    """Show messages, downloading those that are not here yet."""
    if not args.ids:
        raise CommandError("Which message? termmail show ID", USAGE, "termmail list shows the ids.")
    for message_id in args.ids:
        await _known(engine, [message_id])
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
        raise CommandError(f"{args.file} cannot be read: {(error.strerror or 'refused').lower()}.") from None
    if raw.startswith(b"From "):  # mutt and procmail pass one message of an mbox
        raw = raw.partition(b"\n")[2]
        if _NEXT_OF_MBOX.search(raw):
            words = f"{args.file} is an mbox of several messages."
            raise CommandError(words, DATA, "termmail import brings them in; then termmail show ID.")
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


async def _known(engine: Engine, ids: Sequence[int]) -> None:
    for message_id in ids:
        if await engine.lists.row(message_id) is None:
            raise CommandError(f"There is no message {message_id}.", DATA, "termmail list shows the ids.")


async def delete(engine: Engine, args: Namespace) -> int:
    """Move messages to Trash, or with --for-good erase them from there; --now deletes them on the server at once."""
    await _known(engine, args.ids)
    rows = [row for one in dict.fromkeys(args.ids) if (row := await engine.lists.row(one)) is not None]
    there = [row for row in rows if row.role is Role.TRASH]
    if there and not args.for_good:
        ids = ", ".join(str(row.message_id) for row in there)
        output.say(f"Already in Trash: {ids}. To delete for good: termmail delete --for-good ID")
    wanted = [row.placement for row in rows if row.role is not Role.TRASH]
    done = await engine.messages.delete(wanted)
    deleted = list(done.message_ids)
    words = f"Deleted: {count(len(deleted))}" if deleted else "Nothing to delete"
    if args.for_good and there:
        erased = await engine.messages.erase([row.placement for row in there])
        words = f"Deleted for good: {count(len(erased.message_ids))}" + (f"; {words}" if deleted else "")
        deleted += erased.message_ids
    if args.json:
        output.line({"ids": deleted, "words": words})
    else:
        print(words)
    if args.now:
        await engine.messages.delete_now(deleted)
        for name in {row.account for row in rows} & set(engine.accounts.names):
            await engine.accounts.sync(name)
    return OK


def count(number: int) -> str:
    """Return "1 message", "5 messages"."""
    return "1 message" if number == 1 else f"{number} messages"


async def save(engine: Engine, args: Namespace) -> int:
    """Save all attachments of a message, each under a safe new name."""
    await _known(engine, [args.id])
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
            why = (error.strerror or "refused").lower()
            code = DISK if no_room(error) else CANNOT_CREATE
            raise CommandError(f"{part.name} cannot be saved in {folder}: {why}.", code) from None
        if args.json:
            output.line({"id": args.id, "name": part.name, "path": str(path), "size": part.size})
        else:
            print(path)
    return OK


async def import_mail(engine: Engine, args: Namespace) -> int:
    """Import an mbox, a Maildir, an .eml file or a folder of them."""
    account = chosen_accounts(engine, args.account or engine.accounts.default or None)[0]
    moved = await engine.transfer.import_mail(account, Path(args.path), args.folder)
    if moved.failed and not moved.done + moved.passed:
        _say_failed(moved.failed)
        raise CommandError(f"Nothing was imported from {args.path}.", DATA)
    return _report(moved, "imported", args)


async def export_mail(engine: Engine, args: Namespace) -> int:
    """Export messages to an mbox, a Maildir or .eml files, or as an mbox to standard output."""
    if args.dest != "-":
        moved = await engine.transfer.export_mail(args.query, Path(args.dest), args.format)
        code = _report(moved, "exported", args)
        return TRY_AGAIN if moved.failed else code
    if args.format != "mbox":
        raise CommandError("Only an mbox can be written to standard output.", USAGE, "Name a folder instead of -.")
    if sys.stdout.isatty():
        advice = "Send it to a file or a program: termmail export QUERY - > FILE"
        raise CommandError("An mbox is not for a terminal, which would obey the bytes in it.", USAGE, advice)
    moved = await engine.transfer.export_mail(args.query, sys.stdout.buffer, args.format)
    _say_failed(moved.failed)
    output.say(f"{moved.done} exported")
    return TRY_AGAIN if moved.failed else OK


def _say_failed(failed: Sequence[str]) -> None:
    for words in failed[:MOST_FAILURES]:
        output.say(words)
    if len(failed) > MOST_FAILURES:
        output.say(f"And {len(failed) - MOST_FAILURES} more.")


def _report(moved: Moved, verb: str, args: Namespace) -> int:
    _say_failed(moved.failed)
    if args.json:
        output.line({verb: moved.done, "already_here": moved.passed, "failed": len(moved.failed)})
    else:
        print(f"{moved.done} {verb}" + (f", {moved.passed} were here already" if moved.passed else ""))
    return DATA if moved.failed else OK
