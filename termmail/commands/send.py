"""send, sendmail, outbox: mail out without a screen. Exit 0 only after the server's 250."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.accounts.config import identity
from termmail.commands import output
from termmail.commands.exit_codes import CANNOT_CREATE, DATA, OK, TRY_AGAIN, USAGE, CommandError
from termmail.commands.mailbox import chosen_accounts, outbox_code
from termmail.engine.clock import now
from termmail.mail.message import Draft
from termmail.store import outbox as outbox_table

if TYPE_CHECKING:
    from argparse import Namespace

    from termmail.engine.engine import Engine
    from termmail.store.rows import OutboxRow


async def send(engine: Engine, args: Namespace) -> int:
    """Compose from the arguments and send at once; the outbox id on stdout."""
    from termmail.mail.compose import ComposeError  # noqa: PLC0415 - only sending writes messages

    account = chosen_accounts(engine, args.account or engine.default_account or None)[0]
    body = args.body if args.body is not None else _stdin_text()
    draft = Draft(
        account=account,
        to=", ".join(args.to),
        cc=", ".join(args.cc),
        bcc=", ".join(args.bcc),
        subject=args.subject,
        body=body,
    )
    draft = await engine.save_draft(draft)
    try:
        for path in args.attach:
            draft = await engine.attach(draft, Path(path))
        outbox_id = await engine.send(draft, delay=0)
    except (ComposeError, OSError) as error:
        await engine.discard_draft(draft.id)
        words = f"{error.filename}: {(error.strerror or '').lower()}" if isinstance(error, OSError) else str(error)
        raise CommandError(words, DATA) from None
    return await _try_now(engine, account, outbox_id, as_json=args.json)


def _stdin_text() -> str:
    if sys.stdin.isatty():
        output.say("Write the message; Ctrl+D on a line of its own ends it.")
    return sys.stdin.buffer.read().decode("utf-8", "replace")


async def _try_now(engine: Engine, account: str, outbox_id: int, *, as_json: bool) -> int:
    await engine.flush(account)
    row = await engine.outbox_row(outbox_id)
    if as_json:
        output.line({"id": row.id, "state": row.state, "message_id": row.message_id, "words": row.words})
    else:
        print(row.id)
    if row.state == "sent":
        output.say("Sent: the server has taken it.")
    else:
        where = {"failed": "Not sent", "unsure": "It may have arrived"}.get(row.state, "It waits in the outbox")
        output.say(f"{where}. {row.words}".rstrip())
    for address, words in row.refused.items():
        output.say(f"Refused for {address}: {words}")
    return outbox_code(row.state)


async def sendmail(engine: Engine, args: Namespace) -> int:
    """A whole message on stdin, as git send-email, mutt and cron hand it over."""
    from termmail.mail import compose, parse  # noqa: PLC0415

    raw = _until_dot(sys.stdin.buffer.read(), dot_ends=not args.ignore_dots)
    account = _account_for(engine, args.sender or _from(parse.envelope(parse.split_header(raw)).sender))
    try:
        outgoing = compose.from_raw(
            raw,
            sender=args.sender,
            recipients=args.recipients,
            identity=identity(engine.account(account)),
            read_recipients=args.read_recipients,
            now=datetime.now(UTC),
        )
    except compose.ComposeError as error:
        raise CommandError(str(error), DATA) from None
    clock = now()
    outbox_id = await engine.db(outbox_table.queue, account, outgoing, draft_id=0, not_before=clock, now=clock)
    return await _try_now(engine, account, outbox_id, as_json=args.json)


def _until_dot(raw: bytes, *, dot_ends: bool) -> bytes:
    """Sendmail reads to a line with a single dot, unless it was told -i."""
    end = re.search(rb"(?m)^\.\r?$", raw) if dot_ends else None
    return raw[: end.start()] if end else raw


def _from(sender: object) -> str:
    return sender[0].email if isinstance(sender, tuple) and sender else ""


def _account_for(engine: Engine, address: str) -> str:
    """The account this address belongs to, else the default one."""
    chosen_accounts(engine, None)
    for name, account in engine.config.accounts.items():
        if address.lower() in {own.lower() for own in (account.address, *account.aliases)}:
            return name
    return engine.default_account


async def outbox(engine: Engine, args: Namespace) -> int:
    """List what waits, try it again, or take it back."""
    if args.verb == "list":
        for name in chosen_accounts(engine, args.account):
            for id_ in await engine.db(outbox_table.ids, name):
                _print_row(await engine.outbox_row(id_), as_json=args.json)
        return OK
    if not args.ids:
        raise CommandError(f"Which message? termmail outbox {args.verb} ID", USAGE)
    worst = OK
    for id_ in args.ids:
        try:
            row = await engine.outbox_row(id_)
        except KeyError:
            raise CommandError(f"There is no message {id_} in the outbox.", DATA) from None
        if args.verb == "cancel":
            draft = await engine.cancel_outbox(id_)
            state = (await engine.outbox_row(id_)).state
            if draft is None and state != "cancelled":
                raise CommandError(f"Message {id_} is {state}; it cannot be taken back.", CANNOT_CREATE)
            output.say(f"Message {id_} {'is a draft again' if draft else 'was taken back and deleted'}.")
        elif row.state == "sending":
            words = f"Message {id_} is being sent just now."
            raise CommandError(
                words, TRY_AGAIN, "termmail outbox tells how it went; termmail sync, if nobody sends it."
            )
        elif row.state in {"sent", "cancelled"}:
            raise CommandError(f"Message {id_} is {row.state}; there is nothing to try again.", DATA)
        elif row.state == "unsure" and not args.sure:
            words = f"Message {id_} may have arrived already."
            raise CommandError(words, DATA, f"To send it all the same: termmail outbox retry --sure {id_}")
        else:
            await engine.retry_outbox(id_, sure=args.sure)
            worst = max(worst, await _try_now(engine, row.account, id_, as_json=args.json))
    return worst


def _print_row(row: OutboxRow, *, as_json: bool) -> None:
    if as_json:
        output.line(
            {
                "id": row.id,
                "account": row.account,
                "state": row.state,
                "to": list(row.recipients),
                "subject": row.subject,
                "attempts": row.attempts,
                "words": row.words,
                "message_id": row.message_id,
            }
        )
    else:
        print(f"{row.id:>6}  {row.state:8}  {', '.join(row.recipients)}  {row.subject}  {row.words}".rstrip())
