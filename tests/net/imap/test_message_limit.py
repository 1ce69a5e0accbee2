"""A server that limits how many messages one command may name (MESSAGELIMIT, RFC 9738)."""

from __future__ import annotations

from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import YAHOO
from termmail.net.imap.uid_set import UidSet
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


def test_a_set_is_split_into_parts_of_at_most_so_many_numbers():
    parts = UidSet.of([1, 3, 5, 7, 9]).split(1000, 2)
    assert [list(part) for part in parts] == [[1, 3], [5, 7], [9]]
