"""What is known of the sender of a message: from earlier mail, and from what the account's own server found."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from termmail.engine.queries import own_addresses
from termmail.mail import trust
from termmail.store import contacts

if TYPE_CHECKING:
    from termmail.engine.context import Context
    from termmail.mail.message import Message
    from termmail.mail.trust import Judgement


class Senders:
    """The people who wrote, as earlier mail knows them. Every method may raise StoreError."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def judge(self, account: str, message: Message) -> Judgement:
        """Return what to tell of the sender of a message that an account received."""
        own = own_addresses(self.context)
        hosts = []
        if account in self.context.config.accounts:
            settings = self.context.account(account)
            hosts = [settings.incoming.host, settings.address.rpartition("@")[2]]
        first = message.envelope.sender[0].email if message.envelope.sender else ""
        is_other = first and first.casefold() not in {one.casefold() for one in own}
        known = await self.context.db(contacts.known_to_stranger, first) if is_other else None
        return await asyncio.to_thread(trust.judge, message, own, hosts, known)
