"""Decide what is wrong when the server sends another message than the one whose header it showed.

Answers can get out of step (a server that answers one command twice), and a UIDL can be given to another message in a
maildrop of the same size. Without this the wrong header would stay in the list, and its message be out of reach.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from termmail.engine.events import FolderChanged, MailArrived
from termmail.engine.sync.pop3_session import fingerprint_of, fingerprint_of_whole
from termmail.mail import parse
from termmail.net.net_errors import Refused, TooLarge
from termmail.store import pop3_identity
from termmail.store.rows import New

if TYPE_CHECKING:
    from termmail.engine.sync.pop3_session import Pop3Session
    from termmail.net.pop3.maildrop import Listed, Maildrop
    from termmail.store.rows import Known

log = logging.getLogger("termmail")


class _EveryUidl:
    """Contains every UIDL: so no stored message is taken for one that the server renamed."""

    def __contains__(self, _uidl: object) -> bool:
        return True


async def settle(session: Pop3Session, drop: Maildrop, listed: Listed, known: Known, raw: bytes) -> bool:
    """Ask once more for the header alone, and return True where it is that of `raw`: the stored header was wrong.

    Then the message is stored under its own header, and the row of the wrong one stays as one that the server does not
    have. Raises what ends the session.
    """
    if not listed.uidl or known.nth:
        return False
    try:
        header = await drop.header(listed)
    except (Refused, TooLarge):
        return False
    if await fingerprint_of(header) != await fingerprint_of_whole(raw):
        return False
    account, context = session.account, session.context
    log.warning("message %d of %s is not the one its header said", listed.number, account)
    new = New(listed.uidl, listed.number, listed.size, parse.split_header(raw), raw)
    page = await asyncio.to_thread(pop3_identity.parse_page, [new])
    arrived = await context.db(pop3_identity.arrive, account, page, received=context.clock(), listed=_EveryUidl())
    if arrived.ids:
        context.tell(MailArrived(account, tuple(arrived.ids)))
    context.tell(FolderChanged(account))
    return True
