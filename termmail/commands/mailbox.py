"""sync, list, search, show, delete, save, import, export: the mailbox without a screen."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.accounts.credentials import PasswordError
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
    code_for,
    no_room,
)
from termmail.engine.clock import now
from termmail.engine.events import SyncProgress
from termmail.engine.views import View
from termmail.mail import parse, sanitize
from termmail.net.net_errors import NetError
from termmail.store import delete_queue, messages, pop3_identity

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event
    from termmail.mail.message import Envelope, Message


_NEXT_OF_MBOX = re.compile(rb"\n\r?\nFrom [^\n]*\d{4}\r?\n[!-9;-~]+:")

MOST_FAILURES = 20
"""Messages named one by one that could not be imported or exported; the others are counted."""


def chosen_accounts(engine: Engine, name: str | None) -> list[str]:
    """The account named, or all; CommandError where there is none such."""
    if name and name not in engine.config.accounts:
        raise CommandError(f"There is no account {name!r}. There are: {', '.join(engine.accounts) or 'none'}.", USAGE)
    if not engine.accounts:
        words = f"There is no account in {engine.paths.config}."
        raise CommandError(words, USAGE, "Add one: termmail account add, or just run termmail.")
    return [name] if name else engine.accounts


async def sync(engine: Engine, args: Namespace) -> int:
    """Receive, send what waits, commit due deletes."""
    worst = OK
    show_progress = sys.stderr.isatty() and not args.json

    def tell(event: Event) -> None:
        if show_progress and isinstance(event, SyncProgress) and event.running and event.total:
            print(f"\r{event.account}: {event.done} of {event.total} {event.what}\x1b[K", end="", file=sys.stderr)

    engine.subscribe(tell)
    for name in chosen_accounts(engine, args.account):
        words, new, deleted = "", 0, 0
        try:
            result = await engine.sync(name, full=args.full)
            words, new, deleted = result.words, result.new, result.deleted
        except (NetError, PasswordError) as error:
            words = str(error)
            output.say(f"{name}: {error} {error.advice}")
            worst = max(worst, code_for(error) or 0)
        await engine.index()
        await engine.hurry(name)
        rows = await engine.flush(name)
        worst = max([worst, *(outbox_code(row.state) for row in rows)])
        sent = sum(row.state == "sent" for row in rows)
        if args.json:
            output.line({"account": name, "new": new, "deleted": deleted, "sent": sent, "words": words})
        elif worst == OK:
            end = "\r\x1b[K" if show_progress else ""
            print(f"{end}{name}: {words}{f', {sent} sent' if sent else ''}")
        for row in rows:
            if row.state != "sent":
                output.say(f"{name}: message {row.id} in the outbox: {row.words}")
    return worst


def outbox_code(state: str) -> int:
    """The exit code that says where an outgoing message is now."""
    return {"sent": OK, "failed": REFUSED}.get(state, TRY_AGAIN)


async def list_messages(engine: Engine, args: Namespace) -> int:
    """The newest messages of a folder."""
    for name in chosen_accounts(engine, args.account):
        folders = list(await engine.counts(name))
        by_lower = {folder.lower(): folder for folder in folders}
        folder = by_lower.get(args.folder.lower())
        if folder is None:
            raise CommandError(f"There is no folder {args.folder!r}. There are: {', '.join(folders)}.", USAGE)
        view = View(name, folder)
        found = list(await engine.ids(view, args.limit))[: args.limit]
        await _print_view(engine, view, found, as_json=args.json)
        if not found:
            asked = engine.status(name).last_sync or (await engine.db(pop3_identity.account_state, name)).last_sync
            output.say(f"{name}: {folder} is empty.{'' if asked else ' termmail sync looks for mail.'}")
    return OK


async def search(engine: Engine, args: Namespace) -> int:
    """Messages that answer a query."""
    if not args.query.strip():
        raise CommandError("What is to be found? termmail search WORDS", USAGE, "termmail list shows a folder.")
    view = View.search(args.account or "", args.query)
    found = list(await engine.ids(view, args.limit))
    await _print_view(engine, view, found, as_json=args.json)
    if not found:
        output.say("Nothing was found.")
    bodies, total = await engine.coverage(args.account or "")
    if bodies < total:
        output.say(f"Searched all headers, and the bodies of {bodies} of {total} messages.")
    return OK


async def _print_view(engine: Engine, view: View, ids: Sequence[int], *, as_json: bool) -> None:
    for start in range(0, len(ids), 500):
        rows = await engine.rows(view, ids[start : start + 500])
        if not as_json:
            output.print_rows(rows)
            continue
        for row in rows:
            output.line(output.row_data(row, await _envelope(engine, view, row.id)))


async def _envelope(engine: Engine, view: View, id_: int) -> Envelope:
    if view.folder in {"Drafts", "Outbox"}:
        return parse.envelope(b"")
    return parse.envelope(parse.split_header(await engine.raw(id_)))


async def show(engine: Engine, args: Namespace) -> int:
    """One message or more, whole."""
    if not args.ids:
        raise CommandError("Which message? termmail show ID", USAGE, "termmail list shows the ids.")
    for id_ in args.ids:
        await _known(engine, [id_])
        message = await engine.read(id_)
        if args.raw:
            print_raw(await engine.raw(id_))
        else:
            print_one(message, id_, args)
    return OK


def show_file(args: Namespace) -> int:
    """An .eml file, without any account."""
    try:
        raw = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
    except OSError as error:
        raise CommandError(f"{args.file} cannot be read: {(error.strerror or 'refused').lower()}.") from None
    if raw.startswith(b"From "):  # one message of an mbox, as mutt and procmail hand it over
        raw = raw.partition(b"\n")[2]
        if _NEXT_OF_MBOX.search(raw):
            words = f"{args.file} is an mbox of several messages."
            raise CommandError(words, DATA, "termmail import brings them in; then termmail show ID.")
    if args.raw:
        print_raw(raw)
    else:
        print_one(parse.parse(raw), None, args)
    return OK


def print_one(message: Message, id_: int | None, args: Namespace) -> None:
    """One message in the form that was asked for."""
    if args.json:
        output.line(output.message_data(id_, message))
    elif args.headers:
        for name, value in message.headers:
            print(f"{name}: {value}")
    else:
        output.print_message(message)


def print_raw(raw: bytes) -> None:
    """The bytes as received; on a terminal they are cleaned first, for they could be commands to it."""
    if sys.stdout.isatty():
        print(sanitize.clean_lines(raw.decode("utf-8", "replace")))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()


async def _known(engine: Engine, ids: Sequence[int]) -> None:
    for id_ in ids:
        if await engine.row(id_) is None:
            raise CommandError(f"There is no message {id_}.", DATA, "termmail list shows the ids.")


async def delete(engine: Engine, args: Namespace) -> int:
    """To Trash, or with --for-good out of Trash; with --now the server is told at once."""
    await _known(engine, args.ids)
    rows = await engine.db(messages.rows, args.ids)
    accounts = {row.account for row in rows}
    there = [row.id for row in rows if row.folder == "Trash"]
    if there and not args.for_good:
        output.say(f"Already in Trash: {', '.join(map(str, there))}. To delete for good: termmail delete --for-good ID")
    wanted = [row.id for row in rows if args.for_good or row.folder != "Trash"]
    words = await engine.delete(wanted) if wanted else "Nothing to delete"
    if args.json:
        output.line({"ids": wanted, "words": words})
    else:
        print(words)
    if args.now:
        for name in accounts & set(engine.accounts):
            await engine.db(delete_queue.make_due, name, now())
            await engine.sync(name)
    return OK


async def save(engine: Engine, args: Namespace) -> int:
    """All attachments of a message, each under a safe new name."""
    await _known(engine, [args.id])
    folder = Path(args.dir)
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.", CANNOT_CREATE)
    message = await engine.read(args.id)
    if not message.parts:
        output.say("This message has no attachments.")
    for part in message.parts:
        try:
            path = await engine.save_part(args.id, part.path, folder)
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
    """mbox, Maildir, .eml."""
    account = chosen_accounts(engine, args.account or engine.default_account or None)[0]
    moved = await engine.import_mail(account, Path(args.path), args.folder)
    return _report(moved.done, moved.passed, moved.failed, "imported", args)


async def export_mail(engine: Engine, args: Namespace) -> int:
    """mbox, Maildir, .eml."""
    moved = await engine.export_mail(args.query, Path(args.dest), args.format)
    code = _report(moved.done, moved.passed, moved.failed, "exported", args)
    return TRY_AGAIN if moved.failed else code


def _report(done: int, passed: int, failed: Sequence[str], verb: str, args: Namespace) -> int:
    for words in failed[:MOST_FAILURES]:
        output.say(words)
    if len(failed) > MOST_FAILURES:
        output.say(f"And {len(failed) - MOST_FAILURES} more.")
    if args.json:
        output.line({verb: done, "already_here": passed, "failed": len(failed)})
    else:
        print(f"{done} {verb}" + (f", {passed} were here already" if passed else ""))
    return DATA if failed else OK
