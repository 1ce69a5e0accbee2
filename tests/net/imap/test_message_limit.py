"""A server that limits how many messages one command may name (MESSAGELIMIT, RFC 9738)."""

from __future__ import annotations

from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import YAHOO
from tests.conftest import PASSWORD
from tests.demo.test_imapd import logged_in, raw


async def test_a_large_folder_is_told_whole(imap_server):
    mailbox = ImapMailbox(PASSWORD)
    for number in range(2500):
        mailbox.folder("INBOX").add(raw(number))
    async with logged_in(await imap_server(mailbox, personality=YAHOO)) as session:
        folder = await session.select(b"INBOX")
        assert len(await folder.search_uids(b"ALL")) == 2500
        rows, _ = await folder.fetch_flags()
        assert len(rows) == 2500
        assert len(await folder.fetch_identities()) == 2500
        assert len((await folder.fetch_flags(await folder.search_uids(b"ALL")))[0]) == 2500
