"""Drafts: new messages, replies and forwards, kept in the store while they are written."""

from __future__ import annotations

import asyncio
import mimetypes
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.accounts.config import identity
from termmail.engine.events import DraftClosed, DraftsChanged
from termmail.errors import Gone
from termmail.store import contacts, drafts, messages

if TYPE_CHECKING:
    from pathlib import Path

    from termmail.engine.context import Context
    from termmail.engine.message_reader import Reader
    from termmail.mail.message import Address, Draft, Identity, Message

LARGEST = 50 << 20
"""Bytes of one attachment, at most: no server we know takes more."""


class Drafts:
    """The messages that are being written. Every method may raise StoreError."""

    def __init__(self, context: Context, reader: Reader) -> None:
        self.context = context
        self.reader = reader

    # -- beginning

    def new(self, account: str, to: str = "") -> Draft:
        """Return a new message with the signature in place. It is stored when it is saved."""
        from termmail.mail import compose  # noqa: PLC0415 - writing is not needed for the first screen

        return replace(compose.new(self._writer(account)), account=account, to=to)

    def mailto(self, account: str, url: str) -> Draft:
        """Return a new message from a mailto: link (RFC 6068).

        Only its to, cc, subject, body and in-reply-to are read.
        """
        from termmail.mail import compose  # noqa: PLC0415

        return replace(compose.mailto(url, self._writer(account)), account=account)

    async def reply(self, message_id: int, *, everyone: bool = False, to_list: bool = False) -> Draft:
        """Return a reply that quotes the message. Raises Gone, NetError or PasswordError."""
        from termmail.mail import compose  # noqa: PLC0415

        account, message = await self._original(message_id)
        writer = self._writer(account)
        draft = await asyncio.to_thread(compose.reply, message, writer, everyone=everyone, to_list=to_list)
        return replace(draft, account=account, answers=message_id)

    async def forward(self, message_id: int) -> Draft:
        """Return a stored draft that quotes the message and has its attachments. Raises as `reply`."""
        from termmail.mail import compose  # noqa: PLC0415

        account, message = await self._original(message_id)
        draft = await asyncio.to_thread(compose.forward, message, self._writer(account))
        draft = await self.save(replace(draft, account=account, forwards=message_id))
        for part in message.parts:
            data = await self.reader.part(message_id, part.path)
            draft = await self._store_file(draft, part.name, part.content_type, data)
        return draft

    async def forward_attached(self, message_id: int) -> Draft:
        """Return a stored draft with the message as it came as an attachment. Raises as `reply`."""
        from termmail.mail import compose  # noqa: PLC0415

        account, message = await self._original(message_id)
        draft = await asyncio.to_thread(compose.forward_attached, message, self._writer(account))
        draft = await self.save(replace(draft, account=account, forwards=message_id))
        raw, _ = await self.context.db(messages.raw, message_id)
        name = f"{message.envelope.subject or 'message'}.eml"
        return await self._store_file(draft, name, "message/rfc822", raw)

    async def _original(self, message_id: int) -> tuple[str, Message]:
        """Return the account to write from, and the whole message."""
        row = await self.context.db(messages.row, message_id)
        if row is None:
            raise Gone("This message is gone.")
        account = row.account if row.account in self.context.config.accounts else self.context.default_account
        return account, await self.reader.read(message_id)

    def _writer(self, account: str) -> Identity:
        return identity(self.context.account(account))

    # -- keeping

    async def save(self, draft: Draft) -> Draft:
        """Store the draft and return it with its id. On the disk on return."""
        now = self.context.clock()
        saved = await self.context.db(drafts.save, replace(draft, updated=now), now)
        self.context.tell(DraftsChanged(draft.account))
        return saved

    async def close(self, draft_id: int) -> None:
        """Note that a draft is not being written any more: the server of its account gets it now."""
        await self.context.db(drafts.closed, draft_id, self.context.clock())
        self.context.tell(DraftClosed())

    async def load(self, draft_id: int) -> Draft:
        """Return a stored draft. Raises Gone."""
        try:
            return await self.context.db(drafts.load, draft_id)
        except KeyError:
            raise Gone("This draft is gone.") from None

    async def discard(self, draft_id: int) -> None:
        """Delete a draft and its attachments for good."""
        try:
            draft = await self.context.db(drafts.load, draft_id)
        except KeyError:
            return  # another termmail discarded it
        await self.context.db(drafts.discard, draft_id)
        self.context.tell(DraftsChanged(draft.account))
        self.context.tell(DraftClosed())

    async def attach(self, draft: Draft, path: Path) -> Draft:
        """Copy a file into the draft, and save it. Raises OSError or ComposeError."""
        data = await asyncio.to_thread(_read_file, path)
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        saved = await self._store_file(draft, path.name, content_type, data)
        self.context.tell(DraftsChanged(draft.account))
        return saved

    async def detach(self, draft: Draft, file_id: int) -> Draft:
        """Remove an attachment from the draft, and save it."""
        return await self.context.db(drafts.detach, draft, file_id, now=self.context.clock())

    async def _store_file(self, draft: Draft, name: str, content_type: str, data: bytes) -> Draft:
        return await self.context.db(drafts.attach, draft, name, content_type, data, now=self.context.clock())

    # -- before sending

    async def warnings(self, draft: Draft) -> tuple[str, ...]:
        """Return the warnings to confirm before the draft is sent."""
        from termmail.mail import compose  # noqa: PLC0415

        return await asyncio.to_thread(compose.concerns, draft)

    async def complete(self, prefix: str) -> list[Address]:
        """Return the people whose name or address begins with `prefix`, most written to first."""
        return await self.context.db(contacts.complete, prefix)


def _read_file(path: Path) -> bytes:
    from termmail.mail.recipients import ComposeError  # noqa: PLC0415

    if path.is_dir():
        raise ComposeError(f"{path.name} is a folder. Attach its files one by one, or an archive of it.")
    if path.exists() and not path.is_file():
        raise ComposeError(f"{path.name} is not a file; a pipe or a device cannot be attached.")
    if path.stat().st_size > LARGEST:
        raise ComposeError(f"{path.name} is larger than 50 MB; no mail server takes that.")
    return path.read_bytes()
