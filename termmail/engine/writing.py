"""Drafts and sending: what the composer does, and what becomes of it in the outbox."""

from __future__ import annotations

import asyncio
import mimetypes
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.accounts.config import identity
from termmail.engine.clock import now
from termmail.engine.events import FolderChanged, OutboxChanged
from termmail.store import contacts, drafts, messages, outbox

if TYPE_CHECKING:
    from pathlib import Path

    from termmail.engine.engine import Engine
    from termmail.mail.message import Address, Draft, Identity, Message, Outgoing
    from termmail.store.rows import OutboxRow
    from termmail.store.store import Store

SEND_DELAY = 10.0
"""Seconds in which `z` still takes a message back."""

LARGEST = 50 << 20
"""Bytes of one attachment, at most: no server we know takes more."""


def who(engine: Engine, account: str) -> Identity:
    """Who writes from this account."""
    return identity(engine.account(account))


def new(engine: Engine, account: str, to: str) -> Draft:
    """A new message."""
    from termmail.mail import compose  # noqa: PLC0415 - writing is not needed for the first screen

    return replace(compose.new(who(engine, account)), account=account, to=to)


def mailto(engine: Engine, url: str) -> Draft:
    """A new message from a mailto: link."""
    from termmail.mail import compose  # noqa: PLC0415

    account = engine.default_account
    return replace(compose.mailto(url, who(engine, account)), account=account)


async def _original(engine: Engine, id: int) -> tuple[str, Message]:  # noqa: A002
    row = await engine.db(messages.row, id)
    if row is None:
        raise KeyError(id)
    account = row.account if row.account in engine.config.accounts else engine.default_account
    return account, await engine.read(id)


async def reply(engine: Engine, id: int, *, everyone: bool, to_list: bool) -> Draft:  # noqa: A002
    """An answer, quoted."""
    from termmail.mail import compose  # noqa: PLC0415

    account, message = await _original(engine, id)
    draft = await asyncio.to_thread(compose.reply, message, who(engine, account), everyone=everyone, to_list=to_list)
    return replace(draft, account=account, answers=id)


async def forward(engine: Engine, id: int, *, attached: bool) -> Draft:  # noqa: A002
    """A message passed on: its text below, its attachments copied; or the whole of it as one attachment."""
    from termmail.mail import compose  # noqa: PLC0415

    account, message = await _original(engine, id)
    make = compose.forward_attached if attached else compose.forward
    draft = await asyncio.to_thread(make, message, who(engine, account))
    draft = await save(engine, replace(draft, account=account, forwards=id))
    if attached:
        raw = await engine.raw(id)
        name = f"{message.envelope.subject or 'message'}.eml"
        return await engine.db(drafts.attach, draft, name, "message/rfc822", raw, now=now())
    for part in message.parts:
        data = await engine.part(id, part.path)
        draft = await engine.db(drafts.attach, draft, part.name, part.content_type, data, now=now())
    return draft


async def save(engine: Engine, draft: Draft) -> Draft:
    """Store a draft."""
    saved = await engine.db(drafts.save, replace(draft, updated=now()))
    engine.tell(FolderChanged(draft.account, "Drafts"))
    return saved


async def load(engine: Engine, id: int) -> Draft:  # noqa: A002
    """A stored draft."""
    return await engine.db(drafts.load, id)


async def discard(engine: Engine, id: int) -> None:  # noqa: A002
    """Delete a draft for good."""
    try:
        draft = await engine.db(drafts.load, id)
    except KeyError:
        return  # another termmail did it already
    await engine.db(drafts.discard, id)
    engine.tell(FolderChanged(draft.account, "Drafts"))


async def attach(engine: Engine, draft: Draft, path: Path) -> Draft:
    """Copy a file into a draft."""
    from termmail.mail.compose import ComposeError  # noqa: PLC0415

    def read() -> bytes:
        if path.is_dir():
            raise ComposeError(f"{path.name} is a folder. Attach its files one by one, or an archive of it.")
        if path.exists() and not path.is_file():
            raise ComposeError(f"{path.name} is no file; a pipe or a device cannot be attached.")
        if path.stat().st_size > LARGEST:
            raise ComposeError(f"{path.name} is larger than 50 MB; no mail server takes that.")
        return path.read_bytes()

    data = await asyncio.to_thread(read)
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    saved = await engine.db(drafts.attach, draft, path.name, content_type, data, now=now())
    engine.tell(FolderChanged(draft.account, "Drafts"))
    return saved


async def detach(engine: Engine, draft: Draft, file_id: int) -> Draft:
    """Take an attachment out."""
    return await engine.db(drafts.detach, draft, file_id, now=now())


async def concerns(draft: Draft) -> tuple[str, ...]:
    """What to ask before sending."""
    from termmail.mail import compose  # noqa: PLC0415

    return await asyncio.to_thread(compose.concerns, draft)


async def send(engine: Engine, draft: Draft, delay: float) -> int:
    """Build, queue, and let `z` take it back while the delay runs."""
    from termmail.mail import compose  # noqa: PLC0415

    attached = await engine.db(drafts.files, draft.id)
    outgoing = await asyncio.to_thread(
        compose.build, draft, who(engine, draft.account), attached, now=datetime.now(UTC)
    )
    clock = now()
    outbox_id = await engine.db(_queue, draft, outgoing, clock + round(delay), clock)
    _tell(engine, outbox_id, draft.account, "queued")
    engine.sender(draft.account).look_again()

    async def takes_back() -> str | None:
        again = await cancel(engine, outbox_id)
        return None if again is None else "Not sent: the message is a draft again"

    engine.journal.add(takes_back)
    return outbox_id


def _queue(store: Store, draft: Draft, outgoing: Outgoing, not_before: int, clock: int) -> int:
    """Save the draft and queue it, or neither."""
    with store.transaction(durable=True):
        saved = drafts.save(store, draft, clock)
        return outbox.queue(store, draft.account, outgoing, draft_id=saved.id, not_before=not_before, now=clock)


async def outbox_row(engine: Engine, id: int) -> OutboxRow:  # noqa: A002
    """One outgoing message."""
    return await engine.db(outbox.get, id)


async def retry(engine: Engine, id: int, *, sure: bool) -> None:  # noqa: A002
    """Send again now."""
    row = await engine.db(outbox.get, id)
    await engine.db(outbox.retry, id, now(), sure=sure)
    _tell(engine, id, row.account, "queued")
    engine.sender(row.account).look_again()


async def cancel(engine: Engine, id: int) -> Draft | None:  # noqa: A002
    """Back to a draft; None where it is sent or being sent, or never had one (sendmail): then it is deleted."""
    draft = await engine.db(outbox.cancel, id)
    row = await engine.db(outbox.get, id)
    if draft is not None:
        engine.last_draft = draft.id
    if row.state == "cancelled":
        _tell(engine, id, row.account, "cancelled")
    return draft


async def assume_sent(engine: Engine, id: int) -> None:  # noqa: A002
    """The user saw it arrive."""
    row = await engine.db(outbox.get, id)
    await engine.db(outbox.assume_sent, id, now())
    _tell(engine, id, row.account, "sent")


async def complete(engine: Engine, prefix: str) -> list[Address]:
    """Addresses that begin so."""
    return await engine.db(contacts.complete, prefix)


def _tell(engine: Engine, id: int, account: str, state: str) -> None:  # noqa: A002
    engine.tell(OutboxChanged(id, account, state))
    for folder in ("Outbox", "Drafts", "Sent"):
        engine.tell(FolderChanged(account, folder))
