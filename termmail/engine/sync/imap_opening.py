"""Open a folder of an IMAP server under the UIDs that are known of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from termmail.net.net_errors import Busy, Refused

if TYPE_CHECKING:
    from termmail.net.imap.imap_session import ImapSession
    from termmail.net.imap.open_folder import OpenFolder
    from termmail.store.imap_folders import ImapFolder

log = logging.getLogger("termmail")


async def open_known(session: ImapSession, folder: ImapFolder | None, *, read_only: bool = False) -> OpenFolder | None:
    """Return a folder, opened where it is not open already.

    Return None where the server does not open it now, or has given it other UIDs than those that are known: the next sync
    recognizes its messages. Raises NetError where the session has ended.
    """
    if folder is None or folder.server_name is None:
        return None
    opened = session.folder
    usable = opened is not None and not opened.closed and opened.name == folder.server_name
    if opened is None or not usable or (opened.state.read_only and not read_only):
        try:
            opened = await session.select(folder.server_name, read_only=read_only)
        except (Busy, Refused) as error:
            if session.closed:
                raise
            log.warning("folder %d cannot be opened: %s", folder.folder_id, error)
            return None
    if opened.state.uidvalidity != folder.uidvalidity:
        log.warning("folder %d has new UIDs", folder.folder_id)
        return None
    return opened
