"""send, sendmail and outbox. They exit with 0 only after the server has accepted a message for every recipient."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.accounts.config import identity
from termmail.accounts.paths import reason
from termmail.commands import output
from termmail.commands.exit_codes import DATA, OK, USAGE, CommandError
from termmail.commands.mailbox import chosen_accounts, outbox_code
from termmail.errors import Gone
from termmail.mail.message import Draft
from termmail.mail.model import SendState

if TYPE_CHECKING:
    from argparse import Namespace

    from termmail.engine.engine import Engine
    from termmail.mail.model import OutgoingRow


async def send(engine: Engine, args: Namespace) -> int:
    """Compose a message from the arguments and send it at once; print its outbox id."""
    from termmail.mail.compose import ComposeError  # noqa: PLC0415 - only sending writes messages

    account = chosen_accounts(engine, args.account or engine.accounts.default or None)[0]
    body = args.body if args.body is not None else _stdin_text()
    draft = Draft(
        account=account,
        to=", ".join(args.to),
        cc=", ".join(args.cc),
        bcc=", ".join(args.bcc),
        subject=args.subject,
        body=body,
    )
    draft = await engine.drafts.save(draft)
    try:
        for path in args.attach:
            draft = await engine.drafts.attach(draft, Path(path))
        outbox_id = await engine.outbox.send(draft, delay=0)
    except (ComposeError, OSError) as error:
        await engine.drafts.discard(draft.id)
        words = f"{error.filename}: {reason(error)}" if isinstance(error, OSError) else str(error)
        raise CommandError(words, DATA) from None
    return await send_now(engine, account, outbox_id, args)


def _stdin_text() -> str:
    if sys.stdin.isatty():
        output.say("Write the message; Ctrl+D on a line of its own ends it.")
    return sys.stdin.buffer.read().decode("utf-8", "replace")


async def send_now(engine: Engine, account: str, outbox_id: int, args: Namespace) -> int:
    """Send what is ready, and report on this message."""
    await engine.outbox.flush(account)
    return _report(await engine.outbox.row(outbox_id), args)


def _report(row: OutgoingRow, args: Namespace) -> int:
    """Print the id of an outgoing message, say how it stands, and return the exit code that goes with it."""
    if args.json:
        data = {"id": row.outbox_id, "state": row.state.value, "message_id": row.rfc_message_id, "words": row.words}
        output.line({**data, "refused": row.refused})
    else:
        print(row.outbox_id)
    for address, words in row.refused.items():
        output.say(f"Refused for {address}: {words}")
    if row.state is SendState.SENT:
        sent = "Everyone else has it." if row.refused else "Sent: the server has accepted it."
        output.say(f"{sent} Its number in the outbox: {row.outbox_id}")
    elif row.state is SendState.FAILED:
        output.say(f"Not sent. {row.words}".rstrip())
    elif row.state is SendState.UNSURE:
        output.say(f"It may have arrived. {row.words} To send it again: termmail outbox retry --sure {row.outbox_id}")
    else:
        words = f"It waits in the outbox. {row.words}".rstrip()
        output.say(f"{words} termmail sync sends it, and so does termmail while it is open.")
    return outbox_code(row)


async def sendmail(engine: Engine, args: Namespace) -> int:
    """Send a complete message from standard input, as git send-email, mutt and cron hand it over."""
    from termmail.mail import compose, parse  # noqa: PLC0415

    raw = _until_dot(sys.stdin.buffer.read(), dot_ends=not args.ignore_dots)
    account = _account_for(engine, args.sender or _from(parse.envelope(parse.split_header(raw)).sender))
    try:
        outgoing = compose.from_raw(
            raw,
            sender=args.sender,
            recipients=args.recipients,
            identity=identity(engine.accounts.settings(account)),
            read_recipients=args.read_recipients,
            now=datetime.now(UTC),
        )
    except compose.ComposeError as error:
        raise CommandError(str(error), DATA) from None
    outbox_id = await engine.outbox.queue(account, outgoing)
    return await send_now(engine, account, outbox_id, args)


def _until_dot(raw: bytes, *, dot_ends: bool) -> bytes:
    """Cut the input at a line with a single dot, which ends a message unless sendmail got -i."""
    end = re.search(rb"(?m)^\.\r?$", raw) if dot_ends else None
    return raw[: end.start()] if end else raw


def _from(sender: object) -> str:
    return sender[0].email if isinstance(sender, tuple) and sender else ""


def _account_for(engine: Engine, address: str) -> str:
    """Return the account this address belongs to, else the default account."""
    chosen_accounts(engine, None)
    for name in engine.accounts.names:
        account = engine.accounts.settings(name)
        if address.lower() in {own.lower() for own in (account.address, *account.aliases)}:
            return name
    return engine.accounts.default


async def outbox(engine: Engine, args: Namespace) -> int:
    """List, retry or cancel messages in the outbox."""
    verbs = {"list": _list, "retry": _retry, "cancel": _cancel}
    return await verbs[args.verb](engine, args)


async def _list(engine: Engine, args: Namespace) -> int:
    for name in chosen_accounts(engine, args.account):
        for row in await engine.outbox.rows(name):
            _print_row(row, as_json=args.json)
    return OK


async def _row(engine: Engine, outbox_id: int) -> OutgoingRow:
    try:
        return await engine.outbox.row(outbox_id)
    except Gone:
        raise CommandError(f"There is no message {outbox_id} in the outbox.", DATA) from None


async def _retry(engine: Engine, args: Namespace) -> int:
    worst = OK
    for outbox_id in args.ids:
        row = await _row(engine, outbox_id)
        await engine.outbox.retry(outbox_id, sure=args.sure)
        worst = max(worst, await send_now(engine, row.account, outbox_id, args))
    return worst if args.ids else await _retry_all(engine, args)


async def _retry_all(engine: Engine, args: Namespace) -> int:
    """Send everything that waits. A message that may have arrived is only sent again with --sure."""
    worst, found = OK, False
    for name in chosen_accounts(engine, args.account):
        if args.sure:
            for row in await engine.outbox.rows(name):
                if row.state is SendState.UNSURE:
                    await engine.outbox.retry(row.outbox_id, sure=True)
        await engine.outbox.retry_all(name)
        tried = await engine.outbox.flush(name)
        left = [row for row in await engine.outbox.rows(name) if row.state is not SendState.FAILED]
        for row in {row.outbox_id: row for row in (*left, *tried)}.values():
            found = True
            worst = max(worst, _report(row, args))
    if not found:
        output.say("Nothing waits in the outbox.")
    return worst


async def _cancel(engine: Engine, args: Namespace) -> int:
    if not args.ids:
        raise CommandError("Which message? termmail outbox cancel ID", USAGE, "termmail outbox lists the ids.")
    for outbox_id in args.ids:
        await _row(engine, outbox_id)
        draft = await engine.outbox.cancel(outbox_id)
        output.say(f"Message {outbox_id} {'is a draft again' if draft else 'was taken back and deleted'}.")
    return OK


def _print_row(row: OutgoingRow, *, as_json: bool) -> None:
    if as_json:
        output.line(
            {
                "id": row.outbox_id,
                "account": row.account,
                "state": row.state.value,
                "to": list(row.recipients),
                "subject": row.subject,
                "attempts": row.attempts,
                "words": row.words,
                "message_id": row.rfc_message_id,
            }
        )
    else:
        head = f"{row.outbox_id:>6}  {row.state:8}  {', '.join(row.recipients)}"
        print(f"{head}  {row.subject}  {row.words}".rstrip())
