"""When the server sends another message than the one whose header it showed: which of the two was the mistake?

Answers can get out of step (a server that answers one command twice), and a UIDL can be given to another message in a
maildrop of the same size. Without this the wrong header would stand in the list for ever, and its message would be out
of reach.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from termmail.engine.clock import now
from termmail.engine.events import FolderChanged, MailArrived
from termmail.mail import parse
from termmail.net.net_errors import Refused, TooLarge
from termmail.store import pop3_identity
from termmail.store.rows import New

if TYPE_CHECKING:
    from termmail.engine.sync.pop3_source import Receiver
    from termmail.net.pop3.maildrop import Listed, Maildrop
    from termmail.store.rows import Known

log = logging.getLogger("termmail")


async def settle(receiver: Receiver, drop: Maildrop, listed: Listed, known: Known, raw: bytes) -> bool:
    """Ask once more, for the header alone. Where it is that of `raw`, the stored one was wrong: the message comes in
    under its own header, and the row of the wrong one stays as one that the server does not have. True then.

    Raises whatever ends the session.
    """
    if not listed.uidl or known.nth:
        return False
    try:
        header = await drop.top(listed, 0)
    except (Refused, TooLarge):
        return False
    true = parse.split_header(raw)
    if parse.fingerprint(header) != parse.fingerprint(true):
        return False
    account, engine = receiver.account, receiver.engine
    log.warning("message %d of %s is not the one its header said", listed.number, account)
    new = New(listed.uidl, listed.number, listed.size, true, raw)
    there = {
        one.uidl for one in await engine.db(pop3_identity.known, account)
    }  # all of them: none is taken for renamed
    arrived = await engine.db(pop3_identity.arrive, account, [new], received=now(), listed=there)
    if arrived.ids:
        engine.tell(MailArrived(account, tuple(arrived.ids)))
    engine.tell(FolderChanged(account, "Inbox"))
    return True
