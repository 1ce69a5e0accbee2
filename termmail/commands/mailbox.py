"""sync, folders, list and search."""

from __future__ import annotations

import sys
from heapq import merge
from typing import TYPE_CHECKING

from termmail.commands import output
from termmail.commands.exit_codes import OK, REFUSED, TRY_AGAIN, USAGE, CommandError, code_for
from termmail.engine import queries
from termmail.engine.events import Failed, SyncProgress
from termmail.errors import ErrorCode, UserError
from termmail.mail import parse, query_words
from termmail.mail.counting import number
from termmail.mail.model import (
    DRAFTS_NAME,
    OUTBOX_NAME,
    Count,
    DraftRow,
    Folder,
    MessageRow,
    OutgoingRow,
    Role,
    SendState,
)
from termmail.mail.views import DraftsView, FolderView, OutboxView, Ready, ReadyView, SavedView, SearchView

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event
    from termmail.mail.model import Row
    from termmail.mail.query import Query
    from termmail.mail.views import View

_AT_ONCE = 500
"""Rows read from the store in one go."""


def chosen_accounts(engine: Engine, name: str | None) -> list[str]:
    """Return the account named, or all. Raises CommandError where there is none."""
    names = engine.accounts.names
    if name and name not in names:
        raise CommandError(f"There is no account {name!r}. There are: {', '.join(names) or 'none'}.", USAGE)
    if not names:
        words = f"There is no account in {engine.context.paths.config}."
        raise CommandError(words, USAGE, "Add one: termmail account add, or just run termmail.")
    return [name] if name else names


async def find_folder(engine: Engine, account: str, name: str) -> Folder | None:
    """Return the account's folder of this name, where blanks around a slash do not count, or None."""
    stripped = "/".join(part.strip() for part in name.split("/"))
    return await engine.folders.by_name(account, name) or await engine.folders.by_name(account, stripped)


# -- sync


async def sync(engine: Engine, args: Namespace) -> int:
    """Receive, send what waits and delete on the server what is due, account by account."""
    worst = OK
    show_progress = sys.stderr.isatty() and not args.json

    def tell(event: Event) -> None:
        if show_progress and isinstance(event, SyncProgress) and event.running and event.total:
            print(f"\r{event.account}: {event.done} of {event.total} {event.what}\x1b[K", end="", file=sys.stderr)
        elif isinstance(event, Failed) and not event.account:  # the command for new mail
            output.say(f"{event.words} {event.advice}")

    engine.context.subscribe(tell)
    if not args.no_notify:
        engine.announcer.collect()
    await engine.marks.bring_back()
    for name in chosen_accounts(engine, args.account):
        code, words, new, deleted = OK, "", 0, 0
        try:
            result = await engine.accounts.sync(name, full=args.full)
            words, new, deleted = result.words, result.new, result.deleted
        except UserError as error:
            if error.code in {ErrorCode.STORE, ErrorCode.DISK_FULL, ErrorCode.READ_ONLY}:
                raise
            words = str(error)
            output.say(f"{name}: {error} {error.advice_by_hand}")
            code = code_for(error) or OK
        await engine.lists.index()
        await engine.rules.run_arrived()
        await engine.outbox.hurry(name)
        rows = await engine.outbox.flush(name)
        code = max([code, *(outbox_code(row) for row in rows)])
        sent = sum(row.state is SendState.SENT for row in rows)
        if args.json:
            output.line({"account": name, "new": new, "deleted": deleted, "sent": sent, "words": words})
        elif code == OK:
            end = "\r\x1b[K" if show_progress else ""
            print(f"{end}{name}: {words}{f', {sent} sent' if sent else ''}")
        for row in rows:
            if row.state is not SendState.SENT:
                output.say(f"{name}: message {row.outbox_id} in the outbox: {row.words}")
            for address, said in row.refused.items():
                output.say(f"{name}: message {row.outbox_id} was refused for {address}: {said}")
        worst = max(worst, code)
    await engine.announcer.finish()
    return worst


def outbox_code(row: OutgoingRow) -> int:
    """Return the exit code of an outgoing message: OK only where every recipient was accepted."""
    if row.state is SendState.SENT:
        return REFUSED if row.refused else OK
    return REFUSED if row.state is SendState.FAILED else TRY_AGAIN


# -- lists


async def folders(engine: Engine, args: Namespace) -> int:
    """List the folders of every account with how much is in them."""
    counts = await engine.folders.counts()
    for name in chosen_accounts(engine, args.account):
        found = [
            (one.name, one.role, counts.messages.get(one.folder_id, Count(0)))
            for one in counts.folders
            if one.account == name
        ]
        found.append((DRAFTS_NAME, Role.DRAFTS, Count(counts.drafts.get(name, 0))))
        found.append((OUTBOX_NAME, Role.NONE, Count(counts.outbox.get(name, 0))))
        for folder, role, count in found:
            if args.json:
                data = {"account": name, "name": folder, "role": None if role is Role.NONE else role.value}
                output.line({**data, "total": count.total, "unread": count.unread})
            else:
                output.print_folder(name if _with_account(engine, args) else "", folder, count)
    searches = [] if args.account else counts.searches
    unread = await engine.folders.found(searches)
    for saved in searches:
        total = len(await engine.lists.ids(SavedView(saved.search_id)))
        count = Count(total, unread[saved.search_id].unread)
        if args.json:
            data = {"account": None, "name": saved.name, "role": "search", "query": saved.words}
            output.line({**data, "total": count.total, "unread": count.unread})
        else:
            output.print_folder("", saved.name, count)
    return OK


def _with_account(engine: Engine, args: Namespace) -> bool:
    return len(engine.accounts.names) > 1 and not args.account


async def list_messages(engine: Engine, args: Namespace) -> int:
    """List the newest messages of a folder, those of all accounts in one order."""
    ready = next((one for one in Ready if one.value.casefold() == (args.folder or "").casefold()), None)
    if ready is not None and not await _is_folder(engine, args.folder):
        await _list_ready(engine, ready, args)
        return OK
    found: list[Row] = []
    for name in chosen_accounts(engine, args.account):
        view, folder = await _view(engine, name, args.folder)
        rows = await engine.lists.rows(view, (await engine.lists.ids(view, args.limit))[: args.limit])
        if not rows:
            hint = "" if args.folder else " termmail sync checks for mail."
            output.say(f"{name}: {folder} is empty.{hint}")
        # Both are in order already; rows of the same second stay in theirs.
        found = list(merge(found, rows, key=lambda row: row.date, reverse=True))[: args.limit]
    await _print_rows(engine, found, args)
    return OK


async def _is_folder(engine: Engine, name: str) -> bool:
    """Return whether an account has a folder of this name, which then counts before a ready view."""
    return any([await find_folder(engine, account, name) for account in engine.accounts.names])


async def _list_ready(engine: Engine, ready: Ready, args: Namespace) -> None:
    names = set(chosen_accounts(engine, args.account))
    view = ReadyView(ready)
    rows = [row for row in await engine.lists.rows(view, await engine.lists.ids(view)) if row.account in names]
    await _print_rows(engine, rows[: args.limit], args)
    if not rows:
        output.say(f"{ready.value}: there is no such message.")


async def _view(engine: Engine, account: str, name: str | None) -> tuple[View, str]:
    """Return the view of a folder by its name, and the name as shown; without one, of the inbox."""
    if name is None:
        inbox = await engine.folders.by_role(account, Role.INBOX)
        return FolderView(inbox.folder_id), inbox.name
    if folder := await find_folder(engine, account, name):
        return FolderView(folder.folder_id), folder.name
    if name.casefold() == DRAFTS_NAME.casefold():
        return DraftsView(account), DRAFTS_NAME
    if name.casefold() == OUTBOX_NAME.casefold():
        return OutboxView(account), OUTBOX_NAME
    for saved in (await engine.folders.counts()).searches:
        if name.casefold() == saved.name.casefold():
            return SearchView(queries.parsed(engine.context, saved.words).query, account), saved.name
    names = [one.name for one in await engine.folders.listing() if one.account == account]
    words = f"There is no folder {name!r} in {account}. There are: {', '.join([*names, DRAFTS_NAME, OUTBOX_NAME])}."
    raise CommandError(words, USAGE)


async def understood(engine: Engine, text: str) -> Query:
    """Return the query that a text stands for. Raises CommandError where something in it is not understood."""
    parsed = queries.parsed(engine.context, text)
    problems = [*parsed.problems, *query_words.unknown_names(parsed.query, await engine.lists.known())]
    if problems:
        raise CommandError(" ".join(problems), USAGE)
    return parsed.query


async def search(engine: Engine, args: Namespace) -> int:
    """List the messages that match a query."""
    if not args.query.strip():
        raise CommandError("Search for what? termmail search WORDS", USAGE, "termmail list shows a folder.")
    if args.account:
        chosen_accounts(engine, args.account)
    view = SearchView(await understood(engine, args.query), args.account or "", discarded=True)
    await engine.lists.index()
    found = list(await engine.lists.ids(view, args.limit + 1))
    await _print_view(engine, view, found[: args.limit], args)
    if not found:
        meant = " ".join(word for _, word in await engine.lists.spellings(view))
        output.say(f"No message matches. Did you mean {meant}?" if meant else "No message matches.")
    elif len(found) > args.limit:
        output.say(f"More messages match: these are the newest {number(args.limit)}. --limit N lists N of them.")
    covered = await engine.lists.coverage(view)
    if covered.bodies < covered.total:
        output.say(f"Searched all headers, and the bodies of {covered.bodies} of {covered.total} messages.")
    return OK


async def _print_view(engine: Engine, view: View, ids: Sequence[int], args: Namespace) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        await _print_rows(engine, await engine.lists.rows(view, ids[start : start + _AT_ONCE]), args)


async def _print_rows(engine: Engine, rows: Sequence[Row], args: Namespace) -> None:
    for row in rows:
        if not args.json:
            output.print_row(row, with_account=_with_account(engine, args))
        elif isinstance(row, MessageRow):
            raw = await engine.reader.raw(row.message_id)
            output.line(output.message_row_data(row, parse.envelope(parse.split_header(raw))))
        elif isinstance(row, DraftRow):
            output.line(output.draft_row_data(row))
        else:
            output.line(output.outgoing_row_data(row))
