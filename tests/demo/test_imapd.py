"""The embedded IMAP server serves our own session and IMAPClient, an independent one, in each of its personalities."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from imapclient import IMAPClient

from termmail.credential import Password
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import COURIER, DOVECOT, PERSONALITIES
from termmail.net.imap.imap_session import ImapSession
from termmail.net.imap.uid_set import UidSet
from termmail.net.stream import Server
from tests.conftest import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from termmail.demo.imapd import ImapServer

SEEN, DELETED, FLAGGED = (frozenset({flag}) for flag in ("\\Seen", "\\Deleted", "\\Flagged"))
ALL = pytest.mark.parametrize("kind", PERSONALITIES.values(), ids=PERSONALITIES)


def raw(number: int) -> bytes:
    return (
        f"From: Bob <bob@example.org>\r\nSubject: Number {number}\r\nMessage-ID: <{number}@example.org>\r\n"
        f"References: <a@example.org>\r\n <b@example.org>\r\n\r\nhello {number}\r\n"
    ).encode()


def filled(count: int = 3) -> ImapMailbox:
    mailbox = ImapMailbox(PASSWORD, [("Trash", "\\Trash"), ("Sent", "\\Sent"), ("Lists/Python", ""), ("Büro", "")])
    for number in range(1, count + 1):
        mailbox.folder("INBOX").add(raw(number), internal_date=1_700_000_000 + number)
    return mailbox


def where(server: ImapServer, **options: Any) -> Server:
    given = {"host": server.host, "security": "none", "allow_cleartext": True, "timeout_seconds": 10.0, **options}
    return Server(kind="imap", port=server.port, username=USER, credential=Password(PASSWORD), **given)


@asynccontextmanager
async def logged_in(server: ImapServer, **options: Any) -> AsyncIterator[ImapSession]:
    session = await ImapSession.open(where(server, **options))
    try:
        yield session
    finally:
        await session.close()


async def with_imapclient(server: ImapServer, use: Callable[[IMAPClient], Any]) -> Any:
    def run() -> Any:
        with IMAPClient(server.host, server.port, ssl=False, timeout=10) as client:
            client.login(USER, PASSWORD)
            return use(client)

    return await asyncio.to_thread(run)


# -- our own session


@ALL
async def test_our_session_reads_and_changes_every_kind_of_server(imap_server, kind):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    inbox, trash = mailbox.folder("INBOX"), mailbox.folder("Trash")
    async with logged_in(server) as session:
        folders = {one.title: one for one in await session.list_folders()}
        shown = [kind.wire_name(name).decode() for name in (b"Lists", b"Lists/Python", b"Sent", b"Trash")]
        assert set(folders) == {"INBOX", *shown, kind.prefix.decode() + "Büro"}
        assert not folders[shown[0]].selectable
        assert folders["INBOX"].status.messages == 3
        assert ("\\trash" in folders[shown[3]].attributes) is kind.lists_roles
        folder = await session.select(b"INBOX")
        assert (folder.state.uidvalidity, folder.state.exists) == (inbox.uidvalidity, 3)
        assert (folder.state.highestmodseq is None) is ("CONDSTORE" not in kind.capabilities)
        pages = [page async for page in folder.fetch_headers([3, 2, 1])]
        assert [row.uid for page in pages for row in page.rows] == [3, 2, 1]
        row = pages[0].rows[0]
        assert row.header == raw(3).partition(b"hello")[0]
        assert (row.size, row.internal_date, row.flags) == (len(raw(3)), 1_700_000_003, frozenset())
        assert await folder.fetch_body(2) == raw(2)
        assert inbox.messages[2].flags == frozenset()
        await folder.store_flags([1], add=SEEN | FLAGGED)
        await folder.store_flags([1], remove=FLAGGED)
        assert inbox.messages[1].flags == SEEN
        assert await folder.search_uids(b"SEEN") == UidSet.of([1])
        assert await folder.search_uids(b"HEADER", b"Message-ID", b'"<2@example.org>"') == UidSet.of([2])
        copied = await folder.copy([1], kind.wire_name(b"Trash"))
        moved = await folder.move([1, 2], kind.wire_name(b"Trash"))
        told = "UIDPLUS" in kind.capabilities
        assert copied.pairs == ({1: 1} if told else {})
        assert moved.pairs == ({1: 2, 2: 3} if told else {})
        assert (inbox.uids, trash.uids) == ([3], [1, 2, 3])
        assert [message.raw for message in trash.messages.values()] == [raw(1), raw(1), raw(2)]
        await folder.store_flags([3], add=DELETED)
        await folder.expunge([3])
        assert inbox.uids == []
        appended = await session.append(kind.wire_name(b"Sent"), raw(9), ["\\Seen"], 1_600_000_000)
        assert (appended is not None) is told
        sent = mailbox.folder("Sent").messages[1]
        assert (sent.raw, sent.flags, sent.internal_date) == (raw(9), SEEN, 1_600_000_000)
        assert session.odd_responses == 0
        await session.logout()


@ALL
async def test_our_session_manages_folders(imap_server, kind):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with logged_in(server) as session:
        space = await session.namespace()
        assert space.personal == (((kind.prefix, kind.delimiter.decode()),) if "NAMESPACE" in kind.capabilities else ())
        await session.create_folder(kind.wire_name(b"Work/2026"))
        await session.subscribe(kind.wire_name(b"Work/2026"))
        await session.unsubscribe(kind.wire_name(b"Sent"))
        await session.rename_folder(kind.wire_name(b"Work"), kind.wire_name(b"Old"))
        assert mailbox.folder("Old/2026").subscribed
        assert not mailbox.folder("Sent").subscribed
        assert b"Work" not in mailbox.folders
        await session.delete_folder(kind.wire_name(b"Old/2026"))
        assert b"Old" not in mailbox.folders
        status = await session.status(b"inbox")
        assert (status.messages, status.unseen, status.uidnext) == (3, 3, 4)
        await session.select(b"INBOX")
        await session.close_folder()
        assert bool(server.heard("UNSELECT")) is ("UNSELECT" in kind.capabilities)


# -- IMAPClient


@ALL
async def test_imapclient_reads_and_changes_every_kind_of_server(imap_server, kind):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    wire = {name: kind.wire_name(name.encode()).decode() for name in ("Trash", "Sent", "Lists/Python", "New", "Newer")}

    def use(client: IMAPClient) -> None:
        assert client.select_folder("INBOX")[b"EXISTS"] == 3
        assert client.search(["UNSEEN"]) == [1, 2, 3]
        assert client.search(["SUBJECT", "number 2"]) == [2]
        assert client.search(["OR", "SUBJECT", "Number 1", "NOT", "UID", "1:2"]) == [1, 3]
        data = client.fetch([2], ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]"])[2]
        assert data[b"BODY[HEADER]"] + data[b"BODY[TEXT]"] == raw(2)
        assert data[b"INTERNALDATE"] == datetime.fromtimestamp(1_700_000_002)  # noqa: DTZ006 - it gives local time
        fields = client.fetch([1], ["BODY.PEEK[HEADER.FIELDS (References Subject)]"])[1]
        assert list(fields.values())[1:] == [
            b"Subject: Number 1\r\nReferences: <a@example.org>\r\n <b@example.org>\r\n\r\n"
        ]
        assert client.fetch([1], ["BODY.PEEK[]<5.6>"])[1][b"BODY[]<5>"] == raw(1)[5:11]
        assert client.fetch([3], ["BODY[]"])[3][b"BODY[]"] == raw(3)
        assert client.get_flags([3])[3] == (b"\\Seen",)
        assert client.add_flags([1], ["\\Flagged"])[1] == (b"\\Flagged",)
        assert client.set_flags([1], ["\\Deleted"])[1] == (b"\\Deleted",)
        client.copy([2], wire["Trash"])
        client.expunge()
        assert client.search() == [2, 3]
        client.append(wire["Sent"], raw(7), ["\\Draft"], datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        client.create_folder(wire["New"])
        client.rename_folder(wire["New"], wire["Newer"])
        names = [name for _, _, name in client.list_folders()]
        assert wire["Newer"] in names
        assert kind.prefix.decode() + "Büro" in names
        client.unsubscribe_folder(wire["Newer"])
        assert wire["Newer"] not in [name for _, _, name in client.list_sub_folders()]
        client.delete_folder(wire["Newer"])
        assert client.folder_status(wire["Sent"], ["MESSAGES", "UIDNEXT"]) == {b"MESSAGES": 1, b"UIDNEXT": 2}
        assert client.noop()[0]
        client.close_folder()
        client.logout()

    await with_imapclient(server, use)
    assert mailbox.folder("Sent").messages[1].internal_date == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    assert [one.raw for one in mailbox.folder("Trash").messages.values()] == [raw(2)]


async def test_imapclient_uses_the_extensions(imap_server):
    mailbox = filled()
    server = await imap_server(mailbox)
    loop = asyncio.get_running_loop()

    def use(client: IMAPClient) -> None:
        assert client.id_({"name": "test"}) == ((b"name", b"Dovecot"),)
        assert client.namespace().personal == (("", "/"),)
        assert client.enable("QRESYNC", "X-NONE") == [b"QRESYNC"]
        assert client.find_special_folder(b"\\Sent") == "Sent"
        assert client.select_folder("INBOX")[b"HIGHESTMODSEQ"] == 4
        client.move([1], "Trash")
        client.set_flags([2], ["\\Deleted"])
        client.uid_expunge([2])
        assert client.search() == [3]
        client.idle()
        loop.call_soon_threadsafe(mailbox.folder("INBOX").add, raw(4))
        assert client.idle_check(timeout=10) == [(2, b"EXISTS")]
        client.idle_done()
        client.unselect_folder()

    await with_imapclient(server, use)


# -- size


async def test_ten_thousand_headers_are_served_in_few_turns(imap_server):
    mailbox = filled(10_000)
    server = await imap_server(mailbox)
    async with logged_in(server) as session:
        folder = await session.select(b"INBOX")
        count = 0
        async for page in folder.fetch_headers(range(10_000, 0, -1)):
            count += len(page.rows)
        assert count == 10_000
        rows, _ = await folder.fetch_flags()
        assert len(rows) == 10_000


# -- names and prefixes


async def test_a_folder_outside_the_prefix_is_refused(imap_server):
    server = await imap_server(filled(), personality=COURIER)

    def use(client: IMAPClient) -> None:
        with pytest.raises(IMAPClient.Error, match="invalid name"):
            client.create_folder("Sent")
        assert client.namespace().personal == (("INBOX.", "."),)

    await with_imapclient(server, use)


async def test_two_users_have_mailboxes_of_their_own(imap_server):
    other = ImapMailbox("secret")
    server = await imap_server(users={USER: filled(), "bob": other}, personality=DOVECOT)
    async with logged_in(server) as session:
        assert (await session.select(b"INBOX")).exists == 3

    def run() -> Any:
        with IMAPClient(server.host, server.port, ssl=False, timeout=10) as client:
            client.login("bob", "secret")
            return client.select_folder("INBOX")[b"EXISTS"]

    assert await asyncio.to_thread(run) == 0
