"""COMPRESS=DEFLATE (RFC 4978), with the embedded server and with servers that lie."""

from __future__ import annotations

import asyncio
import base64
import random
import zlib
from typing import Any

import pytest

from termmail.demo.faults import Manners, tagged
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import CYRUS, DOVECOT
from termmail.demo.imapd import ImapServer
from termmail.demo.scripted import ScriptedServer, Talk
from termmail.net.imap import imap_session
from termmail.net.imap.imap_session import ImapSession
from termmail.net.net_errors import NetError
from tests.net.imap.imap_script import PASSWORD, USER, header, server
from tests.net.loop_lag import in_a_thread, loop_lag

COUNT = 3000


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_session, "COMPRESS_FROM", 0.0)


@pytest.fixture
def users() -> dict[str, ImapMailbox]:
    mailbox = ImapMailbox(PASSWORD)
    for number in range(1, COUNT + 1):
        mailbox.folder("INBOX").add(header(number) + b"hello\r\n")
    return {USER: mailbox}


async def test_headers_come_in_a_fraction_of_the_bytes(users, imap_server):
    plain = await imap_server(users=users)
    compressed = await imap_server(users=users, personality=CYRUS)
    uids = list(range(COUNT, 0, -1))
    for one in (plain, compressed):
        session = await ImapSession.open(server(one.port))
        folder = await session.select(b"INBOX")
        found = {row.uid: row.header async for page in folder.fetch_headers(uids) for row in page.rows}
        assert found == {uid: header(uid) for uid in uids}
        await session.logout()
    assert compressed.sent_bytes * 4 < plain.sent_bytes


async def test_a_fast_line_is_not_compressed(users, imap_server, monkeypatch):
    monkeypatch.setattr(imap_session, "COMPRESS_FROM", 10.0)
    fast = await imap_server(users=users, personality=CYRUS)
    session = await ImapSession.open(server(fast.port))
    await session.noop()
    await session.logout()
    assert fast.heard("COMPRESS") == []


@pytest.mark.parametrize("answer", [b"NO [COMPRESSIONACTIVE] already", b"BAD what"])
async def test_a_server_that_refuses_is_used_as_it_is(answer, users, imap_server):
    refusing = await imap_server(users=users, personality=CYRUS, manners=Manners(answers={"COMPRESS": tagged(answer)}))
    session = await ImapSession.open(server(refusing.port))
    assert (await session.select(b"INBOX")).state.exists == COUNT
    await session.logout()


async def _granted(talk: Talk, behind: bytes) -> None:
    """Play the server up to COMPRESS; `behind` is in the same write as its OK."""
    await talk.say(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN COMPRESS=DEFLATE] hi\r\n")
    tag = (await talk.hear()).partition(" ")[0].encode()
    await talk.say(tag + b" OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] in\r\n")
    tag = (await talk.hear()).partition(" ")[0].encode()
    await talk.say(tag + b" OK compressing\r\n" + behind)


def squeezed(coder: Any, data: bytes) -> bytes:
    return coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH)


async def test_what_is_behind_the_ok_and_every_split_of_it_is_read():
    """The first compressed bytes may be in one packet with the OK, and each byte may come alone."""
    heard = asyncio.Event()

    async def script(talk: Talk) -> None:
        coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        await _granted(talk, squeezed(coder, b"* OK [ALERT] first\r\n"))
        for byte in squeezed(coder, b"* OK [ALERT] second\r\n" + b"* OK [ALERT] third\r\n"):
            await talk.say(bytes((byte,)))
        await heard.wait()

    async with ScriptedServer(script) as listening:
        session = await ImapSession.open(server(listening.port))
        while len(session.alerts) < 3:
            await asyncio.sleep(0)
        assert session.alerts == ["first", "second", "third"]
        heard.set()
        await session.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xff\xff\xff no deflate at all",
        b"* OK in the clear\r\n" * 100,
        zlib.compressobj(wbits=-zlib.MAX_WBITS).flush(),  # a stream that ends
    ],
    ids=["garbage", "clear", "ended"],
)
async def test_what_is_no_deflate_ends_the_session(sent: bytes):
    async def script(talk: Talk) -> None:
        await _granted(talk, sent)

    async with ScriptedServer(script) as listening:
        session = await ImapSession.open(server(listening.port))
        with pytest.raises(NetError):
            await session.noop()
        assert session.closed


async def test_a_bomb_ends_the_session_and_holds_nothing_up():
    """A line of 256 MB in 260 KB: the limit of a line ends it, and the loop goes on meanwhile."""
    coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = b"".join([coder.compress(b"* OK "), *(coder.compress(b"x" * (1 << 20)) for _ in range(256)), coder.flush()])

    async def script(talk: Talk) -> None:
        await _granted(talk, bomb)

    async with ScriptedServer(script) as listening:
        session = await ImapSession.open(server(listening.port))
        async with loop_lag() as lag:
            with pytest.raises(NetError):
                await session.noop()
        assert lag.seconds < 0.05
        assert session.closed


@pytest.mark.parametrize("kind", [CYRUS, DOVECOT], ids=["compressed", "plain"])
async def test_a_large_upload_holds_nothing_up_and_comes_whole(kind):
    mailbox = ImapMailbox(PASSWORD)
    large = header(1) + base64.encodebytes(random.Random(1).randbytes(9 << 20)).replace(b"\n", b"\r\n")
    listening = ImapServer({USER: mailbox}, personality=kind)
    with in_a_thread(listening):
        session = await ImapSession.open(server(listening.port))
        async with loop_lag() as lag:
            appending = asyncio.ensure_future(session.append(b"INBOX", large))
            await asyncio.gather(appending, session.status(b"INBOX"))
        assert lag.seconds < 0.05
        await session.logout()
    assert [one.raw for one in mailbox.folder("INBOX").messages.values()] == [large]
